//! Serves the fake Mackerel on loopback until Ctrl-C, for trying `mkr`, an agent or Rollcall by hand.
//!
//! It begins with one organisation, which is empty but for a connectivity monitor. Nothing outlives the process.

use std::io::Write as _;

use anyhow::Context as _;
use clap::Parser;
use rollcall_fakes::{
    clock::WorldClock,
    mackerel::{FakeMackerel, Rights},
    server,
    stage::Stage,
};

/// A fake Mackerel (API v0) in memory. Clock, faults and the log of calls are driven below `/_world`.
#[derive(Debug, Parser)]
#[command(name = "fake-mackerel")]
struct Args {
    /// Port of 127.0.0.1 to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The API key that reads and writes the organisation.
    #[arg(long, default_value = "fake-key")]
    api_key: String,
    /// One more key, which only reads.
    #[arg(long)]
    read_only_key: Option<String>,
    /// Name of the organisation.
    #[arg(long, default_value = "acme")]
    org: String,
    /// World seconds per second.
    #[arg(long, default_value_t = 1.0)]
    rate: f64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let clock = WorldClock::starting_at(jiff::Timestamp::now(), args.rate);
    let (fake, _) = FakeMackerel::with_org(Stage::new(clock), &args.org, &args.api_key);
    if let Some(key) = &args.read_only_key {
        fake.add_key(&args.org, key, Rights::Read);
    }
    let server = server::serve_on(fake.router(), args.port)
        .await
        .with_context(|| format!("cannot listen on port {} of 127.0.0.1; try --port 0", args.port))?;
    // The first line is for scripts: the base URL alone.
    writeln!(std::io::stdout(), "{}", server.url())?;
    tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C")?;
    server.stop().await;
    Ok(())
}

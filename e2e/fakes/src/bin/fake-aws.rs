//! The fake AWS by itself, for trying clients by hand and for the conformance suite.
//!
//! It prints its URL on one line and serves until Ctrl-C. Loopback only; it believes every signature.

use std::{fs, path::PathBuf};

use anyhow::Context;
use clap::Parser;
use rollcall_fakes::{
    aws::{Aws, seed::Seed},
    clock::WorldClock,
    server,
    stage::Stage,
};

/// A fake AWS (EC2, RDS, CloudWatch and STS) on 127.0.0.1.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// The port; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// What to start with, as JSON; else one empty account 123456789012 with the access key "test".
    #[arg(long)]
    seed_file: Option<PathBuf>,
    /// World seconds per machine second; changed later by POST /_world/clock.
    #[arg(long, default_value_t = 1.0)]
    rate: f64,
    /// Enforce EC2's published request and resource limits.
    #[arg(long)]
    enforce_rates: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let args = Args::parse();
    let clock = WorldClock::real();
    clock.set_rate(args.rate);
    let aws = Aws::new(Stage::new(clock));
    seed(&args)?.plant(&aws).context("the seed cannot be planted")?;
    let running = server::serve_on(aws.router(), args.port)
        .await
        .with_context(|| format!("cannot listen on 127.0.0.1:{}", args.port))?;
    println!("{}", running.url());
    tokio::signal::ctrl_c().await?;
    running.stop().await;
    Ok(())
}

fn seed(args: &Args) -> anyhow::Result<Seed> {
    let mut seed = match &args.seed_file {
        None => Seed::default(),
        Some(path) => {
            let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            serde_json::from_str(&text).with_context(|| format!("{} is not a seed", path.display()))?
        }
    };
    seed.enforce_rates |= args.enforce_rates;
    Ok(seed)
}

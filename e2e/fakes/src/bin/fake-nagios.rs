//! Serves the fake Nagios on loopback until Ctrl-C, for trying Rollcall by hand.
//!
//! It begins with a few hosts, for a Nagios without any does not run. Nothing outlives the process.

use std::io::Write as _;

use anyhow::Context as _;
use clap::Parser;
use rollcall_fakes::{
    clock::WorldClock,
    nagios::{CGIS, FakeNagios, Host, Service},
    server,
    stage::Stage,
};

/// A fake Nagios 4 (statusjson.cgi and objectjson.cgi) in memory. Clock, faults and the log of calls are driven below `/_world`.
#[derive(Debug, Parser)]
#[command(name = "fake-nagios")]
struct Args {
    /// Port of 127.0.0.1 to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The user that may see everything.
    #[arg(long, default_value = "rollcall")]
    user: String,
    /// Its password.
    #[arg(long, default_value = "fake-password")]
    password: String,
    /// Hosts: NAME, or NAME=INSTANCE for the custom variable that names it. Each has a service ssh.
    #[arg(long = "host", value_name = "NAME[=INSTANCE]", default_values_t = ["web-1=i-0001".to_owned(), "web-2=i-0002".to_owned()])]
    hosts: Vec<String>,
    /// World seconds per second.
    #[arg(long, default_value_t = 1.0)]
    rate: f64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let clock = WorldClock::starting_at(jiff::Timestamp::now(), args.rate);
    let fake = FakeNagios::with_user(Stage::new(clock), &args.user, &args.password);
    for host in &args.hosts {
        let (name, instance) = host.split_once('=').map_or((host.as_str(), None), |(n, i)| (n, Some(i)));
        let named = Host::named(name).service(Service::active("ssh", "check_ssh"));
        let named = match instance {
            Some(instance) => named.variable("_INSTANCE_ID", instance),
            None => named,
        };
        fake.installation.edit(|truth| truth.add_host(named)).with_context(|| format!("--host {host}"))?;
    }
    let server = server::serve_on(fake.router(), args.port)
        .await
        .with_context(|| format!("cannot listen on port {} of 127.0.0.1; try --port 0", args.port))?;
    // The first line is for scripts: the address of the folder with the CGIs alone.
    writeln!(std::io::stdout(), "{}{CGIS}", server.url())?;
    tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C")?;
    server.stop().await;
    Ok(())
}

//! The figures of docs/targets.md that need a real API server, the fakes and the operator as it runs in a cluster.
//!
//! It must never assert: a benchmark prints what it found and what was wanted. And it must leave nothing behind.

mod edit;
mod fleet;
mod full_pass;
mod recovery;
mod steady;
mod telling;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use rollcall_harness::operator::Operator;
use rollcall_harness::world::World;

/// The live figures of docs/targets.md: one figure a line, with its target and whether it is met.
#[derive(Debug, Parser)]
struct Args {
    /// Measure this alone.
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// Hosts of the full pass, in 200 environments with 50 checks.
    #[arg(long, default_value_t = 20_000)]
    hosts: usize,
    /// Seconds for which the operator is watched after its first full pass, while it writes.
    #[arg(long, default_value_t = 60)]
    watch_seconds: u64,
    /// Edits of the edit part.
    #[arg(long, default_value_t = 50)]
    edits: usize,
    /// Kills of each kind of the recovery part.
    #[arg(long, default_value_t = 5)]
    kills: usize,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Read and decide over a big fleet, with EC2's token buckets.
    Pass,
    /// From the edit of a custom resource to its status.
    Edit,
    /// Writes while nothing happens.
    Steady,
    /// From kill -9 to the first correct pass.
    Recovery,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    // Whatever is dropped here ends its processes and removes its folders.
    let measured = tokio::select! {
        measured = measure(&args) => measured,
        () = interrupted() => Ok(()),
    };
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(args: &Args) -> Result<()> {
    let wanted = |part| args.only.is_none_or(|only| only == part);
    if wanted(Part::Pass) {
        full_pass::measure(args.hosts, args.watch_seconds).await?;
    }
    if [Part::Edit, Part::Steady, Part::Recovery].into_iter().any(wanted) {
        on_the_backlog(args, wanted).await?;
    }
    Ok(())
}

/// The parts that share one world: the messy fleet of the demo, on Monday morning.
async fn on_the_backlog(args: &Args, wanted: impl Fn(Part) -> bool) -> Result<()> {
    println!("\nBacklog: 7 environments, about 200 hosts, two AWS accounts, one Mackerel");
    let mut world = World::start().await?;
    let operator = world.operator("rollcall-0").await?;
    // Names of checks are proved one host a second of world time; nobody wants to wait for 200.
    world.stage().clock.set_rate(60.0);
    world.weekend().await?;
    world.stage().clock.set_rate(1.0);
    if wanted(Part::Steady) {
        steady::measure(&world).await?;
    }
    operator.stop().await?;
    if wanted(Part::Edit) {
        edit::measure(&world, args.edits).await?;
    }
    if wanted(Part::Recovery) {
        recovery::measure(&world, args.kills).await?;
    }
    world.clean_up().await
}

/// Starts a replica that reads at the operator's own pace, so that sources are cached while something is measured.
async fn unhurried(world: &World, name: &str) -> Result<Operator> {
    let mut setup = world.setup(name);
    setup.every_seconds = 60;
    Operator::start(&setup).await
}

/// Ends when a person has had enough.
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminated) => drop(terminated.recv().await),
            // Ctrl-C still works.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

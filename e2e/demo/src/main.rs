//! The live part of `make demo`: a messy fleet on three fakes, a real API server and the operator, narrated.
//!
//! It must never leave anything behind: no process, no folder, and no object in a cluster that existed before.

mod acts;
mod guest;
mod look;
mod opening;
mod screen;
mod unused;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use rollcall_harness::operator::Operator;
use rollcall_harness::world::World;

use acts::Day;
use screen::Screen;

/// A messy fleet, three fakes, a real API server and the operator, narrated. Ctrl-C ends it and leaves nothing behind.
#[derive(Debug, Parser)]
struct Args {
    /// End after one round instead of going on until Ctrl-C.
    #[arg(long)]
    once: bool,
    /// Only write the recording of Monday morning to this file (gzipped JSON), and end.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// The cluster to play in: its namespaces, definitions and rights are removed at the end. Without it, an API
    /// server of its own on loopback.
    #[arg(long, env = "KUBECONFIG", value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match play(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn play(args: Args) -> Result<()> {
    if let Some(file) = &args.record {
        return opening::record(file).await;
    }
    let guest = args.kubeconfig.filter(|path| !path.as_os_str().is_empty());
    let mut stop = std::pin::pin!(interrupted());
    let opened = tokio::select! {
        opened = open(guest) => opened?,
        () = &mut stop => None,
    };
    let Some(mut world) = opened else { return Ok(()) };
    let mut operator = None;
    let played = tokio::select! {
        played = perform(&mut world, &mut operator, args.once) => played,
        () = &mut stop => Ok(()),
    };
    let closed = close(world, operator).await;
    played.and(closed)
}

/// The world before anything is made in its cluster, or nothing when the cluster's owner said no.
async fn open(guest: Option<PathBuf>) -> Result<Option<World>> {
    match guest {
        None => World::alone().await.map(Some),
        Some(kubeconfig) => guest::open(&kubeconfig).await,
    }
}

async fn perform(world: &mut World, operator: &mut Option<Operator>, once: bool) -> Result<()> {
    let screen = Screen::new(world.stage().clock.clone());
    world.install().await?;
    opening::play(world, operator, &screen).await?;
    let mut day = Day::begin(world, &screen).await?;
    day.round(world).await?;
    day.nine_look_unused(world).await?;
    if once {
        return Ok(());
    }
    loop {
        screen.now("The next round begins in a moment; Ctrl-C ends the demo.");
        tokio::time::sleep(std::time::Duration::from_secs(20)).await;
        day.round(world).await?;
    }
}

/// The operator first, so that nothing of what it needs goes away under it.
async fn close(world: World, operator: Option<Operator>) -> Result<()> {
    println!("\nThe demo ends.");
    if let Some(operator) = operator {
        operator.stop().await?;
    }
    world.clean_up().await.context("removing what the demo made")
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

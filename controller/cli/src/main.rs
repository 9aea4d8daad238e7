//! The binary `rollcall`: the composition root. It knows everybody; nobody knows it.
//!
//! All commands but `run` work on recordings, need neither cluster nor cloud for those in files, and build without the AWS SDK.
//! `run` is the operator. Exit codes: 0 clean, 1 findings, 2 the command itself failed.

mod args;
mod backtest;
mod baseline;
mod changes;
#[cfg(feature = "operator")]
mod cluster;
mod digest;
mod exemption;
mod explain;
mod files;
mod import;
mod input;
mod keep;
mod ledger;
#[cfg(all(feature = "operator", feature = "aws"))]
mod live;
#[cfg(all(feature = "operator", feature = "aws"))]
mod monitoring;
mod plan;
mod record;
#[cfg(all(feature = "operator", feature = "aws"))]
mod run;
#[cfg(all(feature = "operator", feature = "aws"))]
mod sources;
mod terminal;
mod ways;
mod write;

use std::process::ExitCode;

use clap::Parser as _;

/// A pass needs for a moment half as much again as what stays, and answers of AWS and Mackerel are tens of megabytes:
/// glibc keeps that, and the operator would stay at its height. How long it is held is said in `.cargo/config.toml`.
#[cfg(feature = "operator")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The command did its work and found nothing wrong.
const CLEAN: u8 = 0;
/// The command did its work and found something.
const FINDINGS: u8 = 1;
/// The command could not do its work.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let args = args::Args::parse();
    let outcome = match args.command {
        args::Command::Plan(plan) => plan::run(&plan),
        args::Command::Explain(explain) => explain::run(&explain),
        args::Command::Ledger(ledger) => ledger::run(&ledger),
        args::Command::Changes(changes) => changes::run(&changes),
        args::Command::Record(record) => record::run(&record),
        args::Command::Import(import) => import::run(&import),
        args::Command::Baseline(baseline) => baseline::run(&baseline),
        args::Command::Backtest(backtest) => backtest::run(&backtest),
        args::Command::Digest(digest) => digest::run(&digest),
        args::Command::Keep(keep) => keep::run(&keep),
        args::Command::Crds => print_crds(),
        #[cfg(all(feature = "operator", feature = "aws"))]
        args::Command::Run(run) => run::run(*run),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            anstream::eprintln!("rollcall: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

fn print_crds() -> anyhow::Result<u8> {
    for crd in rollcall_crds::all_crds() {
        anstream::println!("---\n{}", serde_saphyr::to_string(&crd)?.trim_end());
    }
    Ok(CLEAN)
}

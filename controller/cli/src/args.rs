//! The command line. Help texts are the CLI reference; they name only what exists.
// They are printed as they stand: backticks around every kind would be noise in a terminal.
#![allow(clippy::doc_markdown)]

use clap::{Parser, Subcommand, ValueEnum};

use crate::backtest::BacktestArgs;
use crate::baseline::BaselineArgs;
use crate::changes::ChangesArgs;
use crate::digest::DigestArgs;
use crate::explain::ExplainArgs;
use crate::import::ImportArgs;
use crate::input::InputArgs;
use crate::keep::KeepArgs;
use crate::ledger::LedgerArgs;
use crate::record::RecordArgs;

/// Calls the roll of a VM fleet: who is there, who is watched as required, and what is superfluous.
#[derive(Debug, Parser)]
#[command(name = "rollcall", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 clean, 1 findings, 2 the command itself failed.")]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Call the roll and print what is wrong, by cause. Changes nothing.
    Plan(PlanArgs),
    /// Explain a finding code, a host or a required check: what it means, what decided it, what to do.
    Explain(ExplainArgs),
    /// The coverage ledger: required checks × environments, with the age of the proof.
    Ledger(LedgerArgs),
    /// What happened to the fleet: hosts that joined, left, were replaced, resized, or changed roles.
    Changes(ChangesArgs),
    /// Write a recording to a file: readings, memory and custom resources of one moment, without any secret.
    Record(RecordArgs),
    /// Write a first GitOps tree from what exists: environments, roles, and the checks that most hosts have.
    Import(ImportArgs),
    /// Freeze what is wrong today as Exemptions that only shrink: from then on, what comes up is new.
    Baseline(BaselineArgs),
    /// Try a rule on the past: which hosts it would have called unused, and which of them were busy later.
    Backtest(BacktestArgs),
    /// The week of the fleet in a few lines: what grew, who looks unused, what wants tidying.
    Digest(DigestArgs),
    /// Keep a host that looks unused: the Exemption that says why, who says so, and until when.
    Keep(KeepArgs),
    /// Print the CustomResourceDefinitions: rollcall crds | kubectl apply --server-side -f -
    Crds,
    /// Run the operator in or against a Kubernetes cluster.
    #[cfg(all(feature = "operator", feature = "aws"))]
    Run(Box<crate::run::RunArgs>),
}

/// Arguments of `rollcall plan`.
#[derive(Debug, Parser)]
pub struct PlanArgs {
    #[command(flatten)]
    pub input: InputArgs,
    /// Show only this environment.
    #[arg(short, long, value_name = "NAME")]
    pub environment: Option<String>,
    /// Show every finding under its cause, host by host.
    #[arg(long)]
    pub all: bool,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// Output formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// For programs: the same data.
    Json,
}

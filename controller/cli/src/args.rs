//! The command line. Help texts are the CLI reference; they name only what exists.
// They are printed as they stand: backticks around every kind would be noise in a terminal.
#![allow(clippy::doc_markdown)]

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

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
    /// Call the roll of a recording and print what is wrong, by cause. Changes nothing, asks nobody.
    Plan(PlanArgs),
    /// Explain a finding: what it means, how it is judged, what to do.
    Explain(ExplainArgs),
    /// Print the CustomResourceDefinitions: rollcall crds | kubectl apply --server-side -f -
    Crds,
    /// Run the operator in or against a Kubernetes cluster.
    #[cfg(all(feature = "operator", feature = "aws"))]
    Run(Box<crate::run::RunArgs>),
}

/// Arguments of `rollcall plan`.
#[derive(Debug, Parser)]
pub struct PlanArgs {
    /// Files or folders with Rollcall's custom resources (YAML or JSON; folders are searched).
    /// Without it, those inside the recording are used.
    #[arg(short = 'f', long = "files", value_name = "PATH")]
    pub files: Vec<PathBuf>,
    /// The recording to call the roll of: readings and memory of one moment.
    #[arg(long, value_name = "RECORDING")]
    pub on: PathBuf,
    /// Namespace of objects in files that name none.
    #[arg(short, long, value_name = "NAMESPACE", default_value = "default")]
    pub namespace: String,
    /// The library namespace, whose roles, checks and systems every namespace sees.
    #[arg(long, value_name = "NAMESPACE")]
    pub library: Option<String>,
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

/// Arguments of `rollcall explain`.
#[derive(Debug, Parser)]
pub struct ExplainArgs {
    /// A finding code such as RC0102; without it, the list of all codes.
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
}

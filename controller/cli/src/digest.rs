//! `rollcall digest`: the week of a fleet in a few lines: what grew, who looks unused, what wants tidying. What is not known is `-`.

use std::collections::BTreeSet;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use rollcall_engine::ids::ObjectKey;
use rollcall_engine::notice::{Language, Origin};
use rollcall_engine::week::{self, Asked};

use crate::CLEAN;
use crate::input::{Decided, InputArgs};
use crate::ways::spoken;

/// Arguments of `rollcall digest`.
#[derive(Debug, Parser)]
pub struct DigestArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Tell only of these environments.
    #[arg(short, long = "environment", value_name = "NAME")]
    environments: Vec<String>,
    /// The language of the text.
    #[arg(long, value_enum, default_value_t = Spoken::En)]
    language: Spoken,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// Languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Spoken {
    /// English.
    En,
    /// Japanese.
    Ja,
}

/// Output formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// For programs: the same, null where a number is not known.
    Json,
}

/// Reads, decides, prints.
///
/// # Errors
/// When the input cannot be read, or names an environment that does not exist.
pub fn run(args: &DigestArgs) -> anyhow::Result<u8> {
    let decided = Decided::read(&args.input.on, &args.input.ways, &args.input.objects)?;
    for name in &args.environments {
        decided.knows_environment(name)?;
    }
    let is_asked = |key: &&ObjectKey| args.environments.iter().any(|name| **name == *key.name);
    let asked: BTreeSet<ObjectKey> = decided.roll.environments.keys().filter(is_asked).cloned().collect();
    let origin = Origin::new("digest").context("the name of a digest")?;
    let on = spoken(&args.input.on, &args.input.ways) + &args.input.objects.spoken();
    let environments = (!args.environments.is_empty()).then_some(&asked);
    let departures = decided.recording.departures.as_deref();
    let digest = week::digest(decided.pass(), Asked { origin: &origin, environments, on: &on, departures });
    let language = match args.language {
        Spoken::En => Language::En,
        Spoken::Ja => Language::Ja,
    };
    match args.output {
        Output::Text => anstream::println!("{}", digest.message(language, decided.recording.now).text()),
        Output::Json => anstream::println!("{}", serde_json::to_string_pretty(&digest)?),
    }
    Ok(CLEAN)
}

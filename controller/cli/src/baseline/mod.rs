//! `rollcall baseline`: freezes what is wrong today, per cause, so that from then on whatever comes up is new.
//!
//! It never widens an Exemption that exists, never freezes what nobody knows, and writes over nothing unless told to.

mod due;
mod freeze;
mod shrink;
mod text;

use std::path::{Path, PathBuf};

use clap::Parser;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::CLEAN;
use crate::exemption::approver;
use crate::input::{Decided, InputArgs};
use crate::terminal;
use crate::write::{self, Delivery, File};

/// What helps when a file stands in the way.
const HINT: &str = "give the folder of an earlier baseline with -f, so that only what is not frozen yet is written, or write over it with --force (--shrink needs it)";

/// Arguments of `rollcall baseline`.
#[derive(Debug, Parser)]
pub struct BaselineArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Who accepts what was found: a person or a team that can be asked. Stands in every Exemption.
    #[arg(long, value_name = "NAME", value_parser = approver)]
    approver: String,
    /// Write one file per Exemption below this folder, under its namespace. Without it, they are printed.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Freeze only this environment.
    #[arg(short, long, value_name = "NAME")]
    environment: Option<String>,
    /// The day from which expiries are counted: 2026-12-01. Without it, the day of the recording.
    #[arg(long, value_name = "DATE")]
    expires_from: Option<Date>,
    /// Weeks over which expiries are spread: the worst and biggest cause is due first, the last one at the end.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u8).range(1..=52))]
    weeks: u8,
    /// Also take the hosts that healed, or are gone, out of the Baselines that exist.
    #[arg(long)]
    shrink: bool,
    /// Write over files that exist.
    #[arg(long, requires = "out")]
    force: bool,
}

/// Reads, decides, prints or writes.
///
/// # Errors
/// When the input cannot be read, an expiry would be in the past, or a file stands in the way.
pub fn run(args: &BaselineArgs) -> anyhow::Result<u8> {
    let decided = Decided::read(&args.input.on, &args.input.ways, &args.input.objects)?;
    if let Some(name) = &args.environment {
        decided.knows_environment(name)?;
    }
    let today = decided.recording.now.to_zoned(TimeZone::UTC).date();
    let from = args.expires_from.unwrap_or(today);
    anyhow::ensure!(
        from >= today,
        "--expires-from: expected a day from {today} on, the day of the recording, found {from}: what is due earlier has expired already"
    );
    let terms = freeze::Terms { approver: &args.approver, today, from, weeks: args.weeks };
    let frozen = freeze::freeze(&decided, &terms, args.environment.as_deref());
    let shrunk = if args.shrink { shrink::shrink(&decided) } else { Vec::new() };
    let told = text::Told { decided: &decided, args, frozen: &frozen, shrunk: &shrunk };
    let files = files(&told)?;
    crate::files::judge(&files, &args.input.objects.namespace)?;
    let how =
        if args.out.is_some() { Delivery::Write { over: args.force, hint: HINT } } else { Delivery::Print };
    write::deliver(&files, &how, &text::render(&told, today, terminal::width()))?;
    Ok(CLEAN)
}

/// What is to be written, and where: new Exemptions below `--out`, shrunk ones where they stand. Without `--out`, all of
/// them, to be printed.
fn files(told: &text::Told<'_>) -> anyhow::Result<Vec<File>> {
    let out = told.args.out.as_deref();
    let mut files = Vec::new();
    for lot in &told.frozen.lots {
        let path = out.map(|out| path(out, lot)).unwrap_or_default();
        files.push(File { path, content: text::of_lot(lot)? });
    }
    for one in told.shrunk.iter().filter(|one| !one.left.is_empty()) {
        if out.is_none() || one.file.is_some() {
            let path = out.and(one.file.clone()).unwrap_or_default();
            files.push(File { path, content: text::of_shrunk(one, told.decided)? });
        }
    }
    Ok(files)
}

/// Where a new Exemption is written.
fn path(out: &Path, lot: &freeze::Lot) -> PathBuf {
    out.join(&*lot.key.namespace).join(format!("{}.yaml", lot.key.name))
}

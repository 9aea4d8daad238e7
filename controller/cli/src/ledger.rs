//! `rollcall ledger`: the coverage ledger on one page, required checks × environments, with the age of the proof. A count
//! that nobody can know is `-`, never 0.

mod proofs;

use clap::{Parser, ValueEnum};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use jiff::Timestamp;
use rollcall_engine::ids::ObjectKey;
use rollcall_engine::rollcall::Tally;
use rollcall_engine::text::count;
use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use crate::input::{Decided, InputArgs};
use crate::{CLEAN, FINDINGS, terminal};
use proofs::Proofs;

/// Arguments of `rollcall ledger`.
#[derive(Debug, Parser)]
pub struct LedgerArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Show only these environments.
    #[arg(short, long = "environment", value_name = "NAME")]
    environments: Vec<String>,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

/// Output formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    Table,
    /// For programs: one object a row and environment.
    Json,
    /// For spreadsheets: one line a row and environment.
    Csv,
}

/// One requirement in one environment.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    requirement: String,
    environment: String,
    applies: u32,
    covered: u32,
    /// `None` while some rows are not known.
    missing: Option<u32>,
    unknown: u32,
    settling: u32,
    exempt: u32,
    baseline: u32,
    /// When the oldest reading was begun that this is proved by.
    proved_at: Option<Timestamp>,
}

/// Reads, decides, prints.
///
/// # Errors
/// When the input cannot be read, or names an environment that does not exist.
pub fn run(args: &LedgerArgs) -> anyhow::Result<u8> {
    let decided = Decided::read(&args.input.on, &args.input.ways, &args.input.objects)?;
    for name in &args.environments {
        decided.knows_environment(name)?;
    }
    let is_shown =
        |key: &ObjectKey| args.environments.is_empty() || args.environments.iter().any(|e| **e == *key.name);
    let entries = entries(&decided, is_shown);
    match args.output {
        Output::Table => anstream::print!("{}", table(&entries, decided.recording.now, terminal::width())),
        Output::Json => anstream::println!("{}", serde_json::to_string_pretty(&entries)?),
        Output::Csv => anstream::print!("{}", csv(&entries)?),
    }
    // What nobody can know is not clean.
    let is_open = |entry: &Entry| entry.missing != Some(0) || entry.unknown > 0;
    Ok(if entries.iter().any(is_open) { FINDINGS } else { CLEAN })
}

fn entries(decided: &Decided, is_shown: impl Fn(&ObjectKey) -> bool) -> Vec<Entry> {
    let proofs = Proofs::new(decided);
    let mut entries = Vec::new();
    for (key, environment) in decided.roll.environments.iter().filter(|(key, _)| is_shown(key)) {
        for (requirement, tally) in environment.ledger.iter().filter(|(_, tally)| tally.required > 0) {
            let Tally { required, covered, settling, exempt, baseline, unknown, .. } = *tally;
            entries.push(Entry {
                requirement: requirement.to_string(),
                environment: key.name.to_string(),
                applies: required,
                covered,
                missing: environment.missing(tally),
                unknown,
                settling,
                exempt,
                baseline,
                proved_at: proofs.oldest(key, requirement),
            });
        }
    }
    entries.sort_by(|a, b| (&a.requirement, &a.environment).cmp(&(&b.requirement, &b.environment)));
    entries
}

fn csv(entries: &[Entry]) -> anyhow::Result<String> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    for entry in entries {
        csv.serialize(entry)?;
    }
    Ok(String::from_utf8(csv.into_inner()?)?)
}

/// Requirements down, environments across; only the totals where they do not fit.
fn table(entries: &[Entry], now: Timestamp, width: usize) -> String {
    let mut environments: Vec<&str> = entries.iter().map(|entry| entry.environment.as_str()).collect();
    environments.sort_unstable();
    environments.dedup();
    let whole = drawn(entries, &environments, now);
    if whole.lines().all(|line| line.width() <= width) {
        return whole;
    }
    let mut text = drawn(entries, &[], now);
    let note = format!(
        "{} do not fit beside each other; name some with -e, or take all with -o csv.",
        count(environments.len(), "environment")
    );
    text.push('\n');
    terminal::wrap(&mut text, "", "", &note, width);
    text
}

fn drawn(entries: &[Entry], environments: &[&str], now: Timestamp) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let mut head = vec!["REQUIREMENT"];
    head.extend(environments);
    head.extend(["COVERED", "MISSING", "UNKNOWN", "PROOF"]);
    table.set_header(head);
    for of_requirement in entries.chunk_by(|a, b| a.requirement == b.requirement) {
        let mut row: Vec<String> =
            of_requirement.first().map(|entry| entry.requirement.clone()).into_iter().collect();
        row.extend(environments.iter().map(|environment| {
            let entry = of_requirement.iter().find(|entry| entry.environment == *environment);
            entry.map_or_else(String::new, |entry| cell(entry.covered, entry.applies))
        }));
        row.extend(totals(of_requirement, now));
        table.add_row(row);
    }
    for (number, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 1));
        if number > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn cell(covered: u32, applies: u32) -> String {
    format!("{covered}/{applies}")
}

/// Covered, missing, unknown and the age of the oldest proof, over environments.
fn totals(entries: &[Entry], now: Timestamp) -> [String; 4] {
    let sum = |of: fn(&Entry) -> u32| entries.iter().map(of).sum::<u32>();
    let missing: Option<u32> = entries.iter().map(|entry| entry.missing).sum();
    let proved: Option<Timestamp> = entries.iter().map(|entry| entry.proved_at).min().flatten();
    [
        cell(sum(|e| e.covered), sum(|e| e.applies)),
        missing.map_or_else(|| "-".to_owned(), |missing| missing.to_string()),
        sum(|e| e.unknown).to_string(),
        proved.map_or_else(|| "-".to_owned(), |at| terminal::age(now.duration_since(at))),
    ]
}

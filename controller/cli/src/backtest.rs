//! `rollcall backtest`: what a rule would have said on each morning of the days that recordings hold, and where it would have been
//! wrong: hosts that were busy after it pointed at them.
// Help texts are printed as they stand: backticks would be noise in a terminal.
#![allow(clippy::doc_markdown)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Parser, ValueEnum};
use comfy_table::{Table, presets};
use rollcall_crds::manifest::{Manifests, Object};
use rollcall_engine::activity::Day;
use rollcall_engine::ids::HostId;
use rollcall_engine::lean::{Flagged, Grade, Host, Rule, Sign, Use, backtest, judge, used_after};
use rollcall_engine::text::{clean, count};
use serde::Serialize;

use crate::input::{Decided, ObjectArgs};
use crate::ways::{On, Ways};
use crate::{CLEAN, FINDINGS};

/// Arguments of `rollcall backtest`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Exit codes: 0 the rule was never wrong, 1 a host it would have pointed at was busy later, 2 failed."
)]
pub struct BacktestArgs {
    /// A file with one RetirementPolicy. Without it, the default rule: AWS's thresholds over 35 days.
    #[arg(long, value_name = "FILE")]
    rule: Option<PathBuf>,
    /// Recordings whose activity is looked at, 90 days each; repeatable, and then hosts are followed from one to the next.
    /// cluster: that of the running operator; live: read now, which costs money.
    #[arg(long, value_name = "RECORDING|cluster|live", required = true)]
    on: Vec<On>,
    #[command(flatten)]
    ways: Ways,
    #[command(flatten)]
    objects: ObjectArgs,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// Output formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// What was found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Tried {
    rule: String,
    rule_hash: String,
    /// It may only point, and never be enough to retire a host.
    only_points: Vec<String>,
    first: Day,
    last: Day,
    /// Hosts whose activity was read.
    hosts: usize,
    flagged: Vec<Line>,
    /// Hosts of which nobody can say on the last day, by reason.
    unknown: BTreeMap<String, usize>,
}

/// One host that the rule would have pointed at.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    host: HostId,
    name: String,
    environment: Option<String>,
    /// The morning after this day it would have been pointed at.
    on: Day,
    busy_later: Option<Sign>,
}

/// Reads, tries, prints.
///
/// # Errors
/// When a recording or the rule cannot be read, or no recording holds activity.
pub fn run(args: &BacktestArgs) -> anyhow::Result<u8> {
    let rule = args.rule.as_ref().map_or_else(|| Ok(Rule::default()), read_rule)?;
    let mut tried = Tried {
        rule: [false, true].map(|is_database| rule.in_words(is_database)).join("; databases: "),
        rule_hash: rule.hash().to_string(),
        only_points: only_points(&rule),
        first: Day::BEGINNING,
        last: Day::BEGINNING,
        hosts: 0,
        flagged: Vec::new(),
        unknown: BTreeMap::new(),
    };
    let mut all: Vec<Decided> = Vec::new();
    for on in &args.on {
        all.push(Decided::read(on, &args.ways, &args.objects)?);
    }
    // Hosts are followed as time goes, whatever the order of the arguments.
    all.sort_by_key(|decided| decided.recording.now);
    let mut found = BTreeMap::new();
    for decided in &all {
        try_one(decided, &rule, &mut tried, &mut found);
    }
    if tried.hosts == 0 {
        bail!(
            "expected recordings with the activity of hosts, found none; it is read where an Environment says spec.lean, and \
             a recording is taken by: rollcall record"
        );
    }
    tried.flagged = found.into_values().collect();
    tried.flagged.sort_by(|a, b| (a.on, &a.name, &a.host).cmp(&(b.on, &b.name, &b.host)));
    match args.output {
        Output::Text => anstream::print!("{}", text(&tried)),
        Output::Json => anstream::println!("{}", serde_json::to_string_pretty(&tried)?),
    }
    let is_wrong = tried.flagged.iter().any(|line| line.busy_later.is_some());
    Ok(if is_wrong { FINDINGS } else { CLEAN })
}

/// The rule of the one policy in a file.
fn read_rule(file: impl AsRef<Path>) -> anyhow::Result<Rule> {
    let file = file.as_ref();
    let name = file.display().to_string();
    let mut manifests = Manifests::new("default");
    manifests.read(&name, &std::fs::read(file).with_context(|| name.clone())?);
    if let Some(error) = manifests.errors.first() {
        bail!("the API server would refuse this: {error}");
    }
    let policies = manifests.objects.iter().filter_map(|found| match &found.object {
        Object::RetirementPolicy(policy) => Some(policy),
        _ => None,
    });
    let policies: Vec<_> = policies.collect();
    let [policy] = policies.as_slice() else {
        bail!("--rule {name}: expected one RetirementPolicy, found {}", policies.len());
    };
    Rule::try_from(&policy.spec.idle).with_context(|| format!("--rule {name}: spec.idle"))
}

fn only_points(rule: &Rule) -> Vec<String> {
    let mut why = Vec::new();
    for (service, is_database) in [("instances", false), ("databases", true)] {
        if let Grade::Flag(weak) = rule.grade(is_database) {
            let weak: Vec<String> = weak.iter().map(ToString::to_string).collect();
            why.push(format!("{service}: {}", weak.join(", ")));
        }
    }
    why
}

/// Tries the rule on one recording. A host that was pointed at by an earlier one is only looked at for use.
fn try_one(decided: &Decided, rule: &Rule, tried: &mut Tried, found: &mut BTreeMap<HostId, Line>) {
    tried.unknown.clear();
    tried.hosts = 0;
    for (place, activity) in &decided.recording.snapshot.activities {
        let window = activity.window;
        tried.first =
            if tried.first == Day::BEGINNING { window.first() } else { tried.first.min(window.first()) };
        tried.last = tried.last.max(window.last());
        let memory = decided.recording.memory.places.get(place);
        for id in activity.hosts.seen.keys() {
            tried.hosts += 1;
            // Whom an earlier recording would have pointed at may be busy in this one.
            if let Some(line) = found.get_mut(id) {
                line.busy_later = line.busy_later.or_else(|| used_after(rule, id, activity, line.on));
            }
            let Some(roll) = decided.roll.hosts.get(id) else { continue };
            let memory = memory.and_then(|memory| memory.hosts.get(id));
            let named_since = memory.and_then(|memory| memory.named_since);
            let spared_on = memory.and_then(|memory| memory.spared_on);
            let host = Host { id, started: roll.launch_time, named_since, spared_on };
            if let Use::Unknown(doubt) = judge(rule, host, activity, window.last()) {
                *tried.unknown.entry(doubt.to_string()).or_default() += 1;
            }
            let Some(Flagged { on, busy_later }) = backtest(rule, host, activity) else { continue };
            let line = found.entry(id.clone()).or_insert_with(|| Line {
                host: id.clone(),
                name: clean(roll.name.as_deref().unwrap_or(id.as_str())).to_string(),
                environment: roll.environment.as_ref().map(|key| key.name.to_string()),
                on,
                busy_later: None,
            });
            line.on = line.on.min(on);
            line.busy_later = line.busy_later.or(busy_later);
        }
    }
}

fn text(tried: &Tried) -> String {
    let Tried { rule, rule_hash, first, last, hosts, flagged, unknown, only_points } = tried;
    let mut out = String::new();
    let _ = writeln!(out, "rule {rule_hash}: instances: {rule}");
    for why in only_points {
        let _ = writeln!(out, "it only points at {why}");
    }
    let _ = writeln!(out, "{} from {first} to {last}\n", count(*hosts, "host"));
    let wrong = flagged.iter().filter(|line| line.busy_later.is_some()).count();
    match flagged.last() {
        None => out.push_str("It would have pointed at none.\n"),
        Some(latest) => {
            let by = latest.on.plus(1);
            let _ = writeln!(
                out,
                "It would have pointed at {} by {by}; {wrong} of them {} busy later.\n",
                count(flagged.len(), "host"),
                if wrong == 1 { "was" } else { "were" }
            );
            let _ = writeln!(out, "{}", table(flagged));
        }
    }
    if !unknown.is_empty() {
        out.push_str("\nNobody can say of:\n");
        for (why, hosts) in unknown {
            let _ = writeln!(out, "  {}: {why}", count(*hosts, "host"));
        }
    }
    out
}

fn table(lines: &[Line]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["FROM", "HOST", "ENVIRONMENT", "BUSY LATER"]);
    for line in lines {
        let busy = line.busy_later.map_or_else(
            || "no".to_owned(),
            |sign| format!("{} {} on {}", sign.signal.as_str(), sign.signal.told(sign.amount), sign.day),
        );
        let environment = line.environment.as_deref().unwrap_or("-");
        table.add_row([&line.on.plus(1).to_string(), &line.name, environment, &busy]);
    }
    table
}

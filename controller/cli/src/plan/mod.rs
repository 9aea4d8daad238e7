//! `rollcall plan`: the engine on files and a recording. No cluster, no cloud, no clock: the recording's
//! own `now` decides, so the same input prints the same bytes for ever.

mod text;

use std::fs;

use anyhow::Context as _;
use rollcall_engine::finding::Finding;
use rollcall_engine::fleet::{Fleet, Problem};
use rollcall_engine::recording::Recording;
use rollcall_engine::rollcall::{RollCall, roll_call};
use serde::Serialize;

use crate::args::{Output, PlanArgs};
use crate::{CLEAN, FINDINGS, files};

/// What a plan says: the same data as text and as JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// World time of the recording.
    pub now: jiff::Timestamp,
    /// What is wrong in the objects themselves.
    pub problems: Vec<Problem>,
    /// What the engine decided.
    #[serde(flatten)]
    pub roll: RollCall,
}

/// Reads, decides, prints.
///
/// # Errors
/// When the recording or a file cannot be read, or holds what it must not.
pub fn run(args: &PlanArgs) -> anyhow::Result<u8> {
    let bytes = fs::read(&args.on).with_context(|| format!("recording {}", args.on.display()))?;
    let mut recording =
        Recording::from_slice(&bytes).with_context(|| format!("recording {}", args.on.display()))?;
    if !args.files.is_empty() {
        recording.desired = files::desired(args, recording.desired.library.take())?;
    }
    let plan = decide(&recording);
    let shown = Shown::new(&plan, args.environment.as_deref(), args.all)?;
    match args.output {
        Output::Text => anstream::print!("{}", text::render(&shown, terminal_width())),
        Output::Json => anstream::println!("{}", serde_json::to_string_pretty(&plan)?),
    }
    let open = plan.roll.findings.iter().any(|finding| finding.excuse.is_none());
    Ok(if open || !plan.problems.is_empty() { FINDINGS } else { CLEAN })
}

/// The pure part: the very functions the controller calls.
fn decide(recording: &Recording) -> Plan {
    let (fleet, problems) = Fleet::parse(&recording.desired);
    let (roll, _memory) = roll_call(&fleet, &recording.snapshot, &recording.memory, recording.now);
    Plan { now: recording.now, problems, roll }
}

/// What of a plan is shown.
#[derive(Debug)]
pub struct Shown<'a> {
    /// All of it.
    pub plan: &'a Plan,
    /// Only this environment.
    pub environment: Option<&'a str>,
    /// Each finding under its cause.
    pub all: bool,
}

impl<'a> Shown<'a> {
    fn new(plan: &'a Plan, environment: Option<&'a str>, all: bool) -> anyhow::Result<Self> {
        if let Some(name) = environment {
            let known: Vec<&str> = plan.roll.environments.keys().map(|key| &*key.name).collect();
            anyhow::ensure!(
                known.contains(&name),
                "there is no environment {name}; there are {}",
                known.join(", ")
            );
        }
        Ok(Self { plan, environment, all })
    }

    /// Is this finding about what is shown?
    pub fn shows(&self, finding: &Finding) -> bool {
        self.environment.is_none_or(|name| finding.environment.as_ref().is_some_and(|key| &*key.name == name))
    }
}

fn terminal_width() -> usize {
    // 100 columns when nobody says otherwise: what the screens were drawn for.
    terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0).clamp(60, 160))
}

//! `rollcall plan`: what is wrong, by cause. Changes nothing, asks nobody.

mod text;

use rollcall_engine::finding::Finding;
use rollcall_engine::fleet::Problem;
use rollcall_engine::leaving::Departure;
use rollcall_engine::rollcall::RollCall;
use serde::Serialize;

use crate::args::{Output, PlanArgs};
use crate::input::Decided;
use crate::{CLEAN, FINDINGS, terminal};

/// What a plan says: the same data as text and as JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// World time of the recording.
    pub now: jiff::Timestamp,
    /// What is wrong in the objects themselves.
    pub problems: Vec<Problem>,
    /// How retirements stood; absent where nobody recorded that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub departures: Option<Vec<Departure>>,
    /// What the engine decided.
    #[serde(flatten)]
    pub roll: RollCall,
}

/// Reads, decides, prints.
///
/// # Errors
/// When the recording or a file cannot be read, or holds what it must not.
pub fn run(args: &PlanArgs) -> anyhow::Result<u8> {
    let decided = Decided::read(&args.input.on, &args.input.ways, &args.input.objects)?;
    if let Some(name) = &args.environment {
        decided.knows_environment(name)?;
    }
    let Decided { recording, problems, roll, .. } = decided;
    let plan = Plan { now: recording.now, problems, departures: recording.departures, roll };
    let shown = Shown { plan: &plan, environment: args.environment.as_deref(), all: args.all };
    match args.output {
        Output::Text => anstream::print!("{}", text::render(&shown, terminal::width())),
        Output::Json => anstream::println!("{}", serde_json::to_string_pretty(&plan)?),
    }
    let open = plan.roll.findings.iter().any(|finding| finding.excuse.is_none());
    Ok(if open || !plan.problems.is_empty() { FINDINGS } else { CLEAN })
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

impl Shown<'_> {
    /// The retirements of what is shown that are not over; none are told where nobody recorded them.
    pub fn departures(&self) -> impl Iterator<Item = &Departure> {
        let all = self.plan.departures.iter().flatten().filter(|one| !one.is_over());
        all.filter(|one| self.environment.is_none_or(|name| *one.environment.name == *name))
    }

    /// Is this finding about what is shown?
    pub fn shows(&self, finding: &Finding) -> bool {
        self.environment.is_none_or(|name| finding.environment.as_ref().is_some_and(|key| &*key.name == name))
    }
}

//! What a live operator's recording decides: the very function of the controller, on the readings it has right now.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_engine::finding::{Cause, Code, Finding, Subject};
use rollcall_engine::fleet::{Desired, Fleet};
use rollcall_engine::recording::Recording;
use rollcall_engine::rollcall::{RollCall, roll_call};
use rollcall_harness::operator::Operator;
use rollcall_harness::world::World;

/// The roll call of one moment.
pub struct Called {
    /// What people wrote, as the operator saw it.
    pub desired: Desired,
    /// What was decided.
    pub roll: RollCall,
}

impl Called {
    /// The roll call of what the operator knows now.
    pub async fn of(world: &World, operator: &Operator) -> Self {
        let token = world.reader_token().await.unwrap();
        Self::on(&operator.recording(&token).await.unwrap())
    }

    /// The roll call of a recording.
    pub fn on(recording: &[u8]) -> Self {
        let recording = Recording::from_slice(recording).unwrap();
        let (fleet, problems) = Fleet::parse(&recording.desired);
        assert!(problems.is_empty(), "the tree is in order: {problems:#?}");
        let (roll, _) = roll_call(&fleet, &recording.snapshot, &recording.memory, recording.now);
        Self { desired: recording.desired, roll }
    }

    /// Causes that are open.
    pub fn open_causes(&self) -> Vec<&Cause> {
        self.roll.causes.iter().filter(|cause| cause.open > 0).collect()
    }

    /// Findings that nobody excuses.
    pub fn open(&self) -> impl Iterator<Item = &Finding> {
        self.roll.findings.iter().filter(|finding| finding.excuse.is_none())
    }

    /// Findings that claim that something is not there, in words that can be compared between two roll calls.
    pub fn absences(&self) -> BTreeSet<String> {
        let absent = |code: Code| {
            use Code::{
                CheckMissing, Ghost, LongStopped, NoDuty, NotReadyInTime, NotRegistered, Silent, Stranger,
                Unclaimed, UnderCount, Unrequired,
            };
            [
                CheckMissing,
                Ghost,
                LongStopped,
                NoDuty,
                NotRegistered,
                NotReadyInTime,
                Silent,
                Stranger,
                Unclaimed,
                UnderCount,
                Unrequired,
            ]
            .contains(&code)
        };
        let words = |f: &Finding| format!("{} {} {:?} {:?}", f.code, f.subject_name, subject(f), f.check);
        self.roll.findings.iter().filter(|finding| absent(finding.code)).map(words).collect()
    }

    /// Open causes by what they are, with how many findings each stands for: two roll calls of one world agree on it.
    pub fn causes_by_meaning(&self) -> BTreeMap<String, usize> {
        let meaning =
            |c: &Cause| format!("{} {:?} {:?} {:?} {}", c.code, c.check, c.system, c.role, c.message);
        self.open_causes().into_iter().map(|cause| (meaning(cause), cause.open)).collect()
    }
}

fn subject(finding: &Finding) -> &Subject {
    &finding.subject
}

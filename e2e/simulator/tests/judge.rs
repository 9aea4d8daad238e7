//! The judge can convict where no world leads: a deleted object's act is refused long before it by every write, so that law is
//! shown on an act put before the judge by hand.

use rollcall_engine::ids::Mark;
use rollcall_engine::retirement::{
    Act, Decision, Epoch, FinalAct, Intent, Occurrence, Path, Retirement, Spec, Status,
};
use rollcall_simulator::judge::{self, Law};
use rollcall_simulator::schedule::{Sec, draw};
use rollcall_simulator::world::{Ablation, Stored, World, at};

const NOW: Sec = 40_000;

/// The first host's stop in a world, whose object was deleted at this time.
#[allow(clippy::indexing_slicing, reason = "a world has hosts and names; a failing test speaks by panicking")]
fn tried(deleted: Option<Sec>) -> Vec<Law> {
    let mut world = World::new(&draw(0), Ablation::default(), false);
    world.now = NOW;
    let mark = Mark::new("uid");
    let incarnation = world.hosts[0].view.incarnation.clone();
    let spec = Spec {
        incarnation: incarnation.clone(),
        account: world.names.account.clone(),
        environment: world.names.environments[0].clone(),
        duty: world.names.duties[0].clone(),
        policy_hash: "rule-1".into(),
        path: Path::Stop,
        final_act: FinalAct::Terminate,
        approvals_needed: 0,
        approvals: std::collections::BTreeSet::new(),
        decision: Decision::Proceed,
    };
    world.objects.push(Stored {
        name: "host-0".into(),
        version: 1,
        retirement: Retirement { mark: mark.clone(), spec, status: Status::proposed(at(0)) },
        host: 0,
        deleted,
        cancelled: None,
        approvals: Vec::new(),
    });
    let (written, deadline) = (at(NOW - 10), at(NOW + 50));
    let (act, occurrence, epoch) = (Act::Stop, Occurrence(0), Epoch(1));
    let intent = Intent { mark, incarnation, act, occurrence, epoch, written, deadline };
    judge::act(&mut world, &intent, 0, 0);
    world.judge.violations.iter().map(|violation| violation.law).collect()
}

#[test]
fn an_act_whose_object_was_deleted_is_a_breach_once_the_intents_minute_is_over() {
    assert!(!tried(None).contains(&Law::S12));
    assert!(!tried(Some(NOW - judge::SLACK)).contains(&Law::S12));
    assert!(tried(Some(NOW - judge::SLACK - 1)).contains(&Law::S12));
}

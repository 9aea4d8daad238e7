//! The first morning: at most fifteen causes, every planted fault among them with a fix that helps, nearly nothing
//! else, and statuses that say what is true.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use kube::Api;
use kube::api::ListParams;
use rollcall_backlog::{ENVIRONMENTS, LIBRARY, Planted};
use rollcall_crds::v1alpha1::{CloudAccount, Environment, Host, MonitoringSystem, RequiredCheck};
use rollcall_fakes::aws::ground::State;
use rollcall_harness::operator::{Operator, binary};
use rollcall_harness::world::{TEAM, World};
use serde_json::{Value, json};

use super::called::Called;
use super::facts::Facts;
use super::judge::judge;

/// `docs/targets.md`: a legacy fleet's first morning.
const MOST_CAUSES: usize = 15;
/// Of a hundred findings so many must be true.
const TRUE_PERCENT: usize = 95;

#[tokio::test]
async fn the_messy_fleet_is_told_in_at_most_fifteen_causes_and_nearly_all_of_it_is_true() {
    let mut world = World::start().await.unwrap();
    let operator = world.operator("rollcall").await.unwrap();
    world.weekend().await.unwrap();
    let called = Called::of(&world, &operator).await;
    let facts = Facts::of(&world.fleet, &called.desired);

    let causes = called.open_causes();
    let told: Vec<String> =
        causes.iter().map(|c| format!("{} {:>4}  {}", c.code, c.open, c.message)).collect();
    assert!(causes.len() <= MOST_CAUSES, "{} causes:\n{}", causes.len(), told.join("\n"));

    let missed: Vec<String> =
        world.fleet.planted().iter().filter_map(|planted| missed(planted, &called)).collect();
    assert!(missed.is_empty(), "of what was planted:\n{}\nin:\n{}", missed.join("\n"), told.join("\n"));

    // By what they are about: two big causes must not outweigh a dozen small ones.
    let mut verdicts: BTreeMap<_, Vec<Option<String>>> = BTreeMap::new();
    for f in &called.roll.findings {
        let wrong = judge(&facts, f).err();
        let wrong = wrong.map(|why| format!("{} {} {}: {why}", f.code, f.subject_name, f.message));
        verdicts.entry((f.code.as_str(), f.check.clone())).or_default().push(wrong);
    }
    let wrong: Vec<&String> = verdicts.values().flatten().flatten().collect();
    println!(
        "{} causes, {} findings, {} of them not true",
        causes.len(),
        called.roll.findings.len(),
        wrong.len()
    );
    for (about, verdicts) in &verdicts {
        let right = verdicts.iter().filter(|wrong| wrong.is_none()).count();
        assert!(right * 100 >= TRUE_PERCENT * verdicts.len(), "{about:?}: not true:\n{wrong:#?}");
    }

    the_recording_in_the_repository_is_of_this_morning(&called);

    the_statuses_are_true(&world, &facts).await;
    the_command_line_says_the_same(&world, &operator).await;
    operator.stop().await.unwrap();
}

/// What README and demo show offline is what a live operator says: `rollcall-demo --record` writes it again.
fn the_recording_in_the_repository_is_of_this_morning(called: &Called) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo/backlog.recording.json.gz");
    let recorded = Called::on(&std::fs::read(file).unwrap());
    assert_eq!(recorded.causes_by_meaning(), called.causes_by_meaning(), "run make generate");
}

/// What is missing of a planted fault: the finding itself, a host of it, or a fix that helps.
fn missed(planted: &Planted, called: &Called) -> Option<String> {
    let found: Vec<_> = called
        .open()
        .filter(|f| f.code.as_str() == planted.code)
        .filter(|f| planted.check.is_none_or(|check| f.check.as_ref().is_some_and(|key| *key.name == *check)))
        .collect();
    let names: BTreeSet<&str> = found.iter().map(|finding| &*finding.subject_name).collect();
    let about = format!("{} {:?} ({})", planted.code, planted.check, planted.story);
    assert!(!planted.fix.is_empty(), "{about}: nobody said what would help");
    if found.is_empty() {
        return Some(format!("{about}: no finding"));
    }
    if let Some(lacking) = planted.subjects.iter().find(|subject| !names.contains(subject.as_str())) {
        return Some(format!("{about}: nothing about {lacking}, only {names:?}"));
    }
    let helps = |finding: &&&rollcall_engine::finding::Finding| finding.fix.contains(planted.fix);
    let useless = found.iter().find(|finding| !helps(finding));
    useless.map(|finding| format!("{about}: the fix {:?} lacks {:?}", finding.fix, planted.fix))
}

/// The controller's words in the statuses, and those of the command line on the operator's recording, byte for byte.
async fn the_command_line_says_the_same(world: &World, operator: &Operator) {
    let file = world.cluster.folder().join("monday.json");
    let token = world.reader_token().await.unwrap();
    std::fs::write(&file, operator.recording(&token).await.unwrap()).unwrap();
    let ran =
        Command::new(binary().unwrap()).args(["plan", "-o", "json", "--on"]).arg(&file).output().unwrap();
    assert_eq!(ran.status.code(), Some(1), "{}", String::from_utf8_lossy(&ran.stderr));
    let plan: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let environments = Api::<Environment>::namespaced(world.cluster.client().await.unwrap(), TEAM);
    for shown in ENVIRONMENTS.iter().map(|plan| plan.name) {
        let told = environments.get(shown).await.unwrap().status.unwrap().causes;
        let told: Vec<Value> = told
            .iter()
            .map(|c| json!({"code": c.code, "open": c.findings, "message": c.message, "fix": c.fix}))
            .collect();
        let planned = plan["environments"][format!("{TEAM}/{shown}")]["causes"].as_array().unwrap();
        let planned: Vec<Value> = planned
            .iter()
            .filter(|c| c["open"] != 0)
            .take(20)
            .map(|c| json!({"code": c["code"], "open": c["open"], "message": c["message"], "fix": c["fix"]}))
            .collect();
        assert!(!told.is_empty(), "{shown}: nothing is told");
        assert_eq!(told, planned, "{shown}");
    }
}

/// What everybody reads with kubectl, against the facts.
async fn the_statuses_are_true(world: &World, facts: &Facts) {
    let client = world.cluster.client().await.unwrap();
    let environments = Api::<Environment>::namespaced(client.clone(), TEAM);
    for plan in &ENVIRONMENTS {
        let status = environments.get(plan.name).await.unwrap().status.unwrap();
        let summary = status.summary.unwrap();
        let hosts = facts.living().filter(|id| facts.home(id) == Some(plan.name)).count();
        let ghosts = if plan.name == "stg" { "6" } else { "0" };
        let found = (&*summary.hosts, &*summary.ghosts, &*summary.unknown, &*summary.sources);
        assert_eq!(found, (&*hosts.to_string(), ghosts, "0", "Fresh"), "{}: {summary:?}", plan.name);
        let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready").unwrap();
        assert_eq!(ready.status, "True", "{}: {}", plan.name, ready.message);
    }

    let accounts = Api::<CloudAccount>::all(client.clone()).list(&ListParams::default()).await.unwrap();
    let unclaimed = facts.living().filter(|id| facts.home(id).is_none()).count();
    let told = accounts.iter().map(|account| account.status.clone().unwrap().summary.unwrap().unclaimed);
    let told: Vec<String> = told.collect();
    assert_eq!(told, ["0", &unclaimed.to_string()], "backlog-dev, backlog-prod");

    let systems = Api::<MonitoringSystem>::namespaced(client.clone(), TEAM);
    let nagios = systems.get("nagios").await.unwrap().status.unwrap().summary.unwrap();
    let all = facts.in_nagios().count();
    // A site is no host of ours, and no stranger: a check of its environment looks at it.
    let sites = facts.in_nagios().filter(|host| host.name.ends_with(".example.com")).count();
    let counts = (nagios.registered.clone(), nagios.joined.clone());
    assert_eq!(counts, (all.to_string(), (all - sites).to_string()), "by id, or in the old way by name");
    assert_eq!((&*nagios.ghosts, &*nagios.strangers, &*nagios.duplicates), ("0", "0", "0"));

    let mackerel = systems.get("mackerel").await.unwrap();
    let summary = mackerel.status.unwrap().summary.unwrap();
    let registered = facts.registered().count().to_string();
    let strangers =
        facts.registered().filter(|host| facts.instance_of(&host.id).is_none()).count().to_string();
    assert_eq!((summary.registered, summary.strangers), (registered, strangers));
    assert_eq!((&*summary.ghosts, &*summary.duplicates), ("6", "1"));

    let ntp = Api::<RequiredCheck>::namespaced(client.clone(), LIBRARY).get("ntp").await.unwrap();
    assert_eq!(ntp.status.unwrap().summary.unwrap().covered, "0");

    let hosts = Api::<Host>::namespaced(client, TEAM).list(&ListParams::default()).await.unwrap();
    let shown: BTreeSet<String> = hosts.iter().filter_map(|host| host.metadata.name.clone()).collect();
    let claimed = facts.living().filter(|id| facts.home(id).is_some());
    assert_eq!(shown, claimed.map(str::to_owned).collect());
    for host in hosts {
        let id = host.metadata.name.unwrap_or_default();
        let stopped = facts.state(&id) == Some(State::Stopped);
        let state = format!("{:?}", host.status.unwrap().state.unwrap());
        assert_eq!(state, if stopped { "Stopped" } else { "Active" }, "{id}");
    }
}

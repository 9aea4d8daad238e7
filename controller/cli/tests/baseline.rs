//! The first team's Monday morning, frozen: what is left open, what a planted fault looks like from then on, and what a
//! baseline can never do: hide what is new, grow in silence, or write over what is there.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test speaks by panicking"
)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{monday, on, rollcall, settle};
use rollcall_crds::v1alpha1 as api;
use rollcall_engine::fleet::Fleet;
use rollcall_engine::ids::HostId;
use rollcall_engine::inventory::{Instance, Tags};
use rollcall_engine::reading::{Failure, FailureKind, Reading};
use rollcall_engine::recording::Recording;
use rollcall_engine::registry::Registration;
use rollcall_engine::rollcall::roll_call;
use serde::Serialize;
use serde_json::Value;
use tempfile::TempDir;

/// A recording and a GitOps tree, in a folder of their own.
struct Team {
    folder: TempDir,
    recording: Recording,
}

impl Team {
    /// The team as it is on Monday morning.
    fn on_monday() -> Self {
        let recording = Recording::from_slice(&fs::read(monday()).unwrap()).unwrap();
        let team = Self { folder: tempfile::tempdir().unwrap(), recording };
        team.save();
        team.write_tree();
        team
    }

    /// Scope, reviews and owners put right, as the plan suggests: what is left is about hosts.
    fn in_scope() -> Self {
        let mut team = Self::on_monday();
        team.each_instance(|instance| {
            if !instance.tags.iter().any(|(key, _)| key == "Env") {
                let tags = instance.tags.iter().chain([("Env", "jp1")]);
                instance.tags = tags.collect::<Tags>();
            }
        });
        let desired = &mut team.recording.desired;
        let dev =
            desired.environments.iter_mut().find(|e| e.metadata.name.as_deref() == Some("dev")).unwrap();
        dev.spec.owner = Some(serde_json::from_value(serde_json::json!({"name": "sre"})).unwrap());
        for check in &mut desired.checks {
            check.spec.review = None;
        }
        let cron =
            desired.checks.iter().find(|check| check.metadata.name.as_deref() == Some("cron")).unwrap();
        let mut ftp = cron.clone();
        ftp.metadata.name = Some("ftp".to_owned());
        ftp.spec.applies_to.roles = Some(vec!["git".to_owned()]);
        "nagios".clone_into(&mut ftp.spec.watched.as_mut().unwrap().by[0].system);
        ftp.spec.watched.as_mut().unwrap().by[0].check = Some(api::NamedCheck { name: "ftp".to_owned() });
        desired.checks.push(ftp);
        let strangers = serde_json::json!({
            "apiVersion": "rollcall.dev/v1alpha1", "kind": "Exemption",
            "metadata": {"name": "offices", "namespace": "backlog"},
            "spec": {"type": "Accepted", "match": {"code": "RC0202"}, "reason": "Offices and load balancers.",
                "approver": "sre", "expires": "2027-03-31"}});
        desired.exemptions.push(serde_json::from_value(strangers).unwrap());
        team.save();
        team.write_tree();
        team
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn save(&self) {
        fs::write(self.path("recording.json"), self.recording.to_vec()).unwrap();
    }

    fn write_tree(&self) {
        fn yaml<T: Serialize>(tree: &Path, kind: &str, objects: &[T]) {
            let documents: Vec<String> =
                objects.iter().map(|object| serde_saphyr::to_string(object).unwrap()).collect();
            fs::write(tree.join(format!("{kind}.yaml")), documents.join("---\n")).unwrap();
        }
        let (tree, desired) = (self.folder.path().join("tree"), &self.recording.desired);
        fs::create_dir_all(&tree).unwrap();
        yaml(&tree, "accounts", &desired.accounts);
        yaml(&tree, "environments", &desired.environments);
        yaml(&tree, "roles", &desired.roles);
        yaml(&tree, "checks", &desired.checks);
        yaml(&tree, "systems", &desired.systems);
        yaml(&tree, "exemptions", &desired.exemptions);
        let namespaces: Vec<Value> = desired
            .namespaces
            .iter()
            .map(|(name, labels)| {
                serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
            })
            .collect();
        yaml(&tree, "namespaces", &namespaces);
    }

    /// Runs a command on the tree and the recording.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let tree = self.path("tree");
        on(Path::new(&self.path("recording.json")), &[arguments, &["-f", &tree]].concat())
    }

    /// Freezes into the tree and returns what was told.
    fn freeze(&self, more: &[&str]) -> String {
        let out = self.path("tree/baseline");
        let arguments = [&["baseline", "--approver", "sre", "--out", &out], more].concat();
        let (code, told, error) = self.run(&arguments);
        assert_eq!((code, error.as_str()), (0, ""));
        told
    }

    /// The exit code of a plan, and what it says.
    fn plan(&self) -> (i32, Value) {
        let (code, json, error) = self.run(&["plan", "-o", "json"]);
        assert_eq!(error, "");
        (code, serde_json::from_str(&json).unwrap())
    }

    fn each_instance(&mut self, change: impl Fn(&mut Instance)) {
        for inventory in self.recording.snapshot.inventories.values_mut() {
            Arc::make_mut(inventory).instances.seen.iter_mut().for_each(&change);
        }
        self.save();
    }

    fn tag(&mut self, name: &str, key: &str, value: Option<&str>) {
        self.each_instance(|instance| {
            if instance.name() == Some(name) {
                let others = instance.tags.iter().filter(|(k, _)| *k != key);
                instance.tags = others.chain(value.map(|value| (key, value))).collect::<Tags>();
            }
        });
    }

    fn keep_registrations(&mut self, keep: impl FnMut(&Registration) -> bool) {
        let registry = self.recording.snapshot.registries.values_mut().next().unwrap();
        Arc::make_mut(registry).hosts.seen.retain(keep);
        self.save();
    }

    /// What the operator would remember of this moment is what it knows in the next.
    fn remember(&mut self) {
        let desired = self.objects();
        let (fleet, problems) = Fleet::parse(&desired);
        assert_eq!(problems, []);
        let Recording { snapshot, memory, now, .. } = &self.recording;
        self.recording.memory = roll_call(&fleet, snapshot, memory, *now).1;
        self.save();
    }

    /// The desired state with what is frozen in the tree.
    fn objects(&self) -> rollcall_engine::fleet::Desired {
        let mut desired = self.recording.desired.clone();
        desired.exemptions.extend(self.frozen().into_iter().map(|(_, exemption)| exemption));
        desired
    }

    /// The files of the baseline.
    fn files(&self) -> Vec<PathBuf> {
        let Ok(folder) = fs::read_dir(self.path("tree/baseline/backlog")) else { return Vec::new() };
        let mut files: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    fn frozen(&self) -> Vec<(PathBuf, api::Exemption)> {
        let parse = |file: PathBuf| {
            let exemption = serde_saphyr::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
            (file, exemption)
        };
        self.files().into_iter().map(parse).collect()
    }
}

/// `RC0102 jp1-app-7` of every finding that is open, or that a baseline holds.
fn findings(plan: &Value, excuse: &str) -> BTreeSet<String> {
    let is_asked = |finding: &&Value| match finding.get("excuse") {
        None => excuse == "open",
        Some(by) => by.get(excuse).is_some(),
    };
    let named = |f: &Value| {
        let part = |name: &str| f.get(name).map(|v| v.to_string().replace('"', "")).unwrap_or_default();
        format!(
            "{} {} {} {} {}",
            part("code"),
            part("subject"),
            part("check"),
            part("environment"),
            part("subjectName")
        )
    };
    plan["findings"].as_array().unwrap().iter().filter(is_asked).map(named).collect()
}

fn open_causes(plan: &Value) -> Vec<String> {
    let open = plan["causes"].as_array().unwrap().iter().filter(|cause| cause["open"] != 0);
    open.map(|cause| format!("{} {}", cause["code"].as_str().unwrap(), cause["message"].as_str().unwrap()))
        .collect()
}

#[test]
fn a_baseline_reads_as_it_was_drawn() {
    let (code, yaml, told) = on(&monday(), &["baseline", "--approver", "sre"]);
    assert_eq!(code, 0);
    settle("baseline.txt", &told);
    let one = yaml.split("---\n").find(|document| document.contains("name: baseline-rc0106")).unwrap();
    settle("baseline-rc0106.yaml", one);
    assert!(told.lines().chain(one.lines()).all(|line| line.chars().count() <= 100));
}

#[test]
fn after_a_baseline_nothing_is_new_and_a_planted_fault_is_the_only_line() {
    let mut team = Team::in_scope();
    let (code, before) = team.plan();
    assert_eq!((code, open_causes(&before).len()), (1, 13), "{:#?}", open_causes(&before));
    let told = team.freeze(&[]);
    assert!(!told.contains("Stays open"), "{told}");
    let (code, after) = team.plan();
    assert_eq!((code, findings(&after, "open")), (0, BTreeSet::new()));
    assert_eq!(findings(&after, "baseline"), findings(&before, "open"), "exactly what was open is frozen");
    let (code, text, _) = team.run(&["plan"]);
    assert_eq!(code, 0);
    let counts = text.lines().nth(1).unwrap();
    let frozen = findings(&after, "baseline").len();
    assert!(counts.starts_with("0 open findings from 0 causes   missing 0"), "{counts}");
    assert!(counts.contains(&format!("baseline {frozen} ")), "{counts}");
    let verdict = text.lines().last().unwrap();
    assert_eq!(
        verdict,
        format!(
            "0 new. {frozen} findings frozen in a baseline, which is not compliant. Rollcall itself will change nothing."
        )
    );
    // jp1-search-1 is listed in three Exemptions; to be unregistered is none of them.
    team.keep_registrations(|registration| registration.name != "jp1-search-1");
    let (code, faulty) = team.plan();
    assert_eq!(code, 1);
    assert_eq!(open_causes(&faulty), ["RC0101 jp1-search-1 not in Mackerel"]);
    let jp1 = &faulty["environments"]["backlog/jp1"];
    assert_eq!(jp1["compliant"], false);
}

#[test]
fn frozen_debt_never_makes_an_environment_compliant() {
    let team = Team::in_scope();
    let (_, before) = team.plan();
    team.freeze(&[]);
    let (_, after) = team.plan();
    for (name, environment) in before["environments"].as_object().unwrap() {
        assert_eq!(after["environments"][name]["compliant"], environment["compliant"], "{name}");
    }
}

/// The law, environment by environment: what may be frozen is frozen, nothing else is, and whoever was not asked for sees
/// no difference. A second time there is nothing left to do.
#[test]
fn each_environment_freezes_its_own_and_nothing_twice() {
    let team = Team::on_monday();
    let stays = ["RC0202", "RC0204", "RC0403", "RC0601", "RC0603"];
    let may_be_frozen = |finding: &&String| !stays.iter().any(|code| finding.starts_with(code));
    for environment in ["cacoo", "com1", "com2", "dev", "jp1", "jp2", "stg"] {
        let (_, before) = team.plan();
        team.freeze(&["-e", environment]);
        let (_, after) = team.plan();
        let is_its = |finding: &&String| finding.contains(&format!(" backlog/{environment} "));
        let open = findings(&before, "open");
        let expected: BTreeSet<&String> = open.iter().filter(is_its).filter(may_be_frozen).collect();
        let (was, is) = (findings(&before, "baseline"), findings(&after, "baseline"));
        assert_eq!(is.difference(&was).collect::<BTreeSet<_>>(), expected, "{environment}");
        assert_eq!(findings(&after, "open").len() + expected.len(), open.len(), "{environment}");
        let files = team.files();
        let told = team.freeze(&["-e", environment]);
        assert!(told.starts_with("Baseline of 2026-11-23: nothing to freeze."), "{told}");
        assert_eq!(team.files(), files);
    }
}

#[test]
fn expiries_lie_apart_and_are_the_same_again() {
    let (team, twin) = (Team::in_scope(), Team::in_scope());
    team.freeze(&["--expires-from", "2027-01-01", "--weeks", "20"]);
    twin.freeze(&["--expires-from", "2027-01-01", "--weeks", "20"]);
    let days: Vec<String> = team.frozen().iter().map(|(_, e)| e.spec.expires.clone()).collect();
    assert_eq!(days.iter().collect::<BTreeSet<_>>().len(), days.len(), "{days:?}");
    assert!(days.iter().all(|day| ("2027-01-02".."2027-05-22").contains(&day.as_str())), "{days:?}");
    let contents = |team: &Team| team.files().iter().map(|f| fs::read(f).unwrap()).collect::<Vec<_>>();
    assert_eq!(contents(&team), contents(&twin));
}

#[test]
fn more_hosts_of_a_frozen_cause_go_into_a_file_of_their_own() {
    let mut team = Team::in_scope();
    team.freeze(&[]);
    let before: Vec<_> = team.files().into_iter().map(|f| (fs::read(&f).unwrap(), f)).collect();
    team.keep_registrations(|registration| registration.name != "jp1-search-1");
    let told = team.freeze(&[]);
    assert!(told.starts_with("Baseline of 2026-11-23: 1 finding in 1 Exemption, due 2027-02-15"), "{told}");
    assert!(told.contains("Nothing that exists was widened."), "{told}");
    for (content, file) in before {
        assert_eq!(fs::read(&file).unwrap(), content, "{}", file.display());
    }
    let second = team.path("tree/baseline/backlog/baseline-rc0101-mackerel-2.yaml");
    let second: api::Exemption = serde_saphyr::from_str(&fs::read_to_string(second).unwrap()).unwrap();
    assert_eq!(second.spec.hosts.unwrap().len(), 1);
    assert_eq!(team.plan().0, 0);
}

#[test]
fn what_healed_is_taken_out_and_what_comes_back_is_new() {
    let mut team = Team::in_scope();
    team.freeze(&[]);
    team.tag("dev-tanaka", "Role", Some("app"));
    let mut git_2 = 0;
    team.keep_registrations(|registration| {
        git_2 += usize::from(registration.name == "jp2-git-2");
        registration.name != "jp2-git-2" || git_2 == 1
    });
    assert_eq!(git_2, 2, "jp2-git-2 was registered twice");
    team.remember();

    let (code, _, error) =
        team.run(&["baseline", "--approver", "sre", "--shrink", "--out", &team.path("tree/baseline")]);
    assert!(code == 2 && error.contains("write over it with --force"), "{error}");
    let no_duty = |team: &Team| {
        let file = team.path("tree/baseline/backlog/baseline-rc0606.yaml");
        serde_saphyr::from_str::<api::Exemption>(&fs::read_to_string(file).unwrap())
            .unwrap()
            .spec
            .hosts
            .unwrap()
    };
    let before = no_duty(&team);
    let told = team.freeze(&["--shrink", "--force"]);
    let after = no_duty(&team);
    assert_eq!(after.len() + 1, before.len(), "{told}");
    assert!(after.iter().all(|host| before.contains(host)));
    assert!(told.contains("backlog/baseline-rc0606: 1 host out"), "{told}");
    assert!(
        told.contains("none is left: git rm") && told.contains("baseline-rc0203-mackerel.yaml"),
        "{told}"
    );

    team.tag("dev-tanaka", "Role", None);
    assert_eq!(open_causes(&team.plan().1).iter().filter(|cause| cause.starts_with("RC0606")).count(), 1);
    let told = team.freeze(&[]);
    assert!(told.contains("it healed once under an earlier baseline; what comes back is new"), "{told}");
    assert_eq!(team.plan().0, 1, "a relapse cannot be frozen again");
}

/// A host that is gone for good is taken out too, but never because somebody could not look.
#[test]
fn what_nobody_can_see_stays_listed() {
    let mut team = Team::in_scope();
    team.freeze(&[]);
    let lost = HostId::new("i-0ec9a47306f30514f");
    let file = team.path("tree/baseline/backlog/baseline-rc0606.yaml");
    assert!(fs::read_to_string(&file).unwrap().contains(lost.as_str()));
    for (place, inventory) in &mut team.recording.snapshot.inventories {
        let memory = team.recording.memory.places.get_mut(place).unwrap();
        if memory.hosts.remove(&lost).is_some() {
            let instances = &mut Arc::make_mut(inventory).instances;
            instances.seen.retain(|instance| instance.id != lost);
        }
    }
    team.save();
    let (_, yaml, told) = team.run(&["baseline", "--approver", "sre", "--shrink"]);
    assert!(told.contains("backlog/baseline-rc0606: 1 host out"), "{told}");
    assert!(yaml.contains("name: baseline-rc0606") && !yaml.contains(lost.as_str()), "{yaml}");
    let (place, inventory) = team.recording.snapshot.inventories.iter_mut().next().unwrap();
    Arc::make_mut(inventory).instances = Reading::failed(
        place.to_string(),
        team.recording.now,
        Failure::new(FailureKind::Denied, "ec2:DescribeInstances: found 403"),
    );
    team.save();
    let (code, _, told) = team.run(&["baseline", "--approver", "sre", "--shrink"]);
    assert_eq!(code, 0);
    assert!(told.contains("No Baseline can shrink"), "{told}");
    assert!(told.contains("Denied: what it would show is unknown and is not frozen"), "{told}");
}

#[test]
fn a_blind_morning_freezes_nothing_that_nobody_knows() {
    let mut team = Team::on_monday();
    let now = team.recording.now;
    let registry = Arc::make_mut(team.recording.snapshot.registries.values_mut().next().unwrap());
    registry.hosts =
        Reading::failed("mackerel hosts", now, Failure::new(FailureKind::Denied, "GET /hosts: found 403"));
    team.save();
    let (code, yaml, told) = team.run(&["baseline", "--approver", "sre"]);
    assert_eq!(code, 0);
    assert!(
        told.contains("mackerel hosts Denied: what it would show is unknown and is not frozen"),
        "{told}"
    );
    let codes: Vec<&str> = yaml.lines().filter_map(|line| line.trim().strip_prefix("code: ")).collect();
    assert_eq!(codes, ["RC0301", "RC0606"], "what AWS alone tells is known");
}

#[test]
fn an_exemption_lists_at_most_two_thousand_hosts() {
    let mut team = Team::in_scope();
    let many: Vec<Instance> = {
        let inventory = team.recording.snapshot.inventories.values().next().unwrap();
        let pattern = inventory.instances.seen[0].clone();
        (0..4_001)
            .map(|n| Instance {
                id: HostId::new(format!("i-{n:017x}")),
                tags: [("Env", "jp1"), ("Name", &*format!("x-{n}"))].into_iter().collect(),
                ..pattern.clone()
            })
            .collect()
    };
    let inventory = team.recording.snapshot.inventories.values_mut().next().unwrap();
    Arc::make_mut(inventory).instances.seen.extend(many);
    team.save();
    team.freeze(&[]);
    let no_duty: Vec<usize> = team
        .frozen()
        .iter()
        .filter(|(_, exemption)| exemption.spec.match_.code == "RC0606")
        .map(|(_, exemption)| exemption.spec.hosts.as_ref().unwrap().len())
        .collect();
    assert_eq!(no_duty.iter().copied().max(), Some(2_000));
    assert_eq!(no_duty.len(), 3, "{no_duty:?}");
    assert_eq!(team.plan().0, 0, "the API server and the engine take what was written");
}

#[test]
fn nothing_is_written_over_and_nobody_answers_for_nothing() {
    let team = Team::on_monday();
    let out = team.path("elsewhere");
    let freeze = ["baseline", "--approver", "sre", "--out", &out];
    assert_eq!(team.run(&freeze).0, 0);
    let (code, text, error) = team.run(&freeze);
    assert_eq!((code, text.as_str()), (2, ""));
    assert!(error.contains("nothing was written") && error.contains("with -f"), "{error}");
    assert_eq!(team.run(&[&freeze[..], &["--force"]].concat()).0, 0);
    for (arguments, words) in [
        (&["baseline"][..], "--approver <NAME>"),
        (&["baseline", "--approver", " "], "expected a name of 1 to 128 characters"),
        (&["baseline", "--approver", "sre", "--force"], "--out <DIR>"),
        (&["baseline", "--approver", "sre", "--weeks", "0"], "0 is not in 1..=52"),
        (
            &["baseline", "--approver", "sre", "--expires-from", "2026-11-22"],
            "expected a day from 2026-11-23 on",
        ),
        (&["baseline", "--approver", "sre", "--expires-from", "soon"], "invalid value 'soon'"),
        (&["baseline", "--approver", "sre", "-e", "jp9"], "there is no environment jp9"),
    ] {
        let (code, _, error) = team.run(arguments);
        assert!(code == 2 && error.contains(words), "{arguments:?} ended with {code}: {error}");
    }
    assert_eq!(rollcall(&["baseline", "--help"]).0, 0);
}

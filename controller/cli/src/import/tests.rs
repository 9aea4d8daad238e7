//! Small fleets that nobody has described, and what a first tree says of each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;
use rollcall_crds::manifest::Object;
use rollcall_crds::v1alpha1 as api;
use rollcall_engine::finding::Code;
use rollcall_engine::fleet::{Desired, Fleet};
use rollcall_engine::ids::{ObjectKey, Place};
use rollcall_engine::inventory::{Instance, Inventory, PowerState};
use rollcall_engine::reading::{Failure, FailureKind, Reading};
use rollcall_engine::recording::{FORMAT, Recording};
use rollcall_engine::registry::{
    Checks, Direction, Monitor, Product, Registration, RegistrationStatus, Registry, Scope, Watches,
};
use rollcall_engine::rollcall::{RollCall, roll_call};

use super::decide::{Draft, Wishes, decide};
use super::observe::observe;
use super::{judge, text};

mod nagios;

/// A recording of one place and one Mackerel, filled host by host.
struct Seen {
    instances: Vec<Instance>,
    registrations: Vec<Registration>,
    checks: BTreeMap<String, Vec<String>>,
    monitors: Vec<Monitor>,
}

fn now() -> Timestamp {
    "2026-11-23T01:00:00Z".parse().unwrap()
}

impl Seen {
    fn new() -> Self {
        let (instances, registrations, monitors) = (Vec::new(), Vec::new(), Vec::new());
        Self { instances, registrations, checks: BTreeMap::new(), monitors }
    }

    /// A host with these tags; an empty name is none.
    fn host(&mut self, name: &str, tags: &[(&str, &str)]) -> &mut Self {
        let named = Some(("Name", name)).filter(|_| !name.is_empty());
        self.instances.push(Instance {
            id: format!("i-{:017x}", self.instances.len()).into(),
            state: PowerState::Running,
            tags: tags.iter().copied().chain(named).collect(),
            launch_time: "2024-01-01T00:00:00Z".parse().unwrap(),
            instance_type: "t3.small".to_owned(),
            zone: None,
            vpc: None,
            subnet: None,
            security_groups: Arc::default(),
            profile: None,
            addresses: Vec::new(),
            managed_by: None,
            state_reason: None,
        });
        self
    }

    /// Registers the last host under `service:role`, with these checks.
    fn registered(&mut self, service: &str, role: &str, checks: &[&str]) -> &mut Self {
        let instance = self.instances.last().unwrap();
        let id = format!("r{}", self.registrations.len());
        self.checks.insert(id.clone(), checks.iter().map(|check| (*check).to_owned()).collect());
        self.registrations.push(Registration {
            id: id.into(),
            name: instance.name().unwrap_or_default().to_owned(),
            custom_identifier: Some(format!("{}.ec2.amazonaws.com", instance.id)),
            instance_id: None,
            provider: Some("ec2".to_owned()),
            status: RegistrationStatus::Working,
            roles: vec![Scope { service: service.to_owned(), role: Some(role.to_owned()) }],
            run: None,
            variables: BTreeMap::new(),
            addresses: Vec::new(),
            created_at: Some("2024-01-02T00:00:00Z".parse().unwrap()),
        });
        self
    }

    fn monitor(&mut self, metric: &str, critical: f64, scopes: &[Scope], muted: bool) -> &mut Self {
        let (direction, warning) = (Direction::Above, Some(critical - 5.0));
        let watches =
            Watches::HostMetric { metric: metric.to_owned(), direction, warning, critical: Some(critical) };
        let id = format!("m{}", self.monitors.len());
        let (name, scopes) = (metric.to_owned(), scopes.to_vec());
        self.monitors.push(Monitor { id, name, watches, scopes, excludes: Vec::new(), muted });
        self
    }

    fn recording(&self) -> Recording {
        let place = Place { account: "123456789012".into(), region: "ap-northeast-1".into() };
        let inventory = Inventory {
            instances: Reading::complete_at("instances", now(), self.instances.clone()),
            volumes: Reading::complete_at("volumes", now(), Vec::new()),
            addresses: Reading::complete_at("addresses", now(), Vec::new()),
            databases: Reading::complete_at("databases", now(), Vec::new()),
            clusters: Reading::complete_at("clusters", now(), Vec::new()),
            ..Inventory::not_yet(place.clone(), now())
        };
        let checks = self.checks.iter().map(|(id, names)| {
            let names = names.iter().map(|name| name.as_str().into()).collect();
            (id.as_str().into(), Reading::complete_at("checks", now(), names))
        });
        let registry = Registry {
            product: Product::Mackerel,
            organization: Some(Reading::complete_at("org", now(), "acme".to_owned())),
            program: None,
            notifications: None,
            hosts: Reading::complete_at("hosts", now(), self.registrations.clone()),
            services: Reading::complete_at("services", now(), BTreeMap::new()),
            monitors: Reading::complete_at("monitors", now(), self.monitors.clone()),
            checks: Checks::ByHost(checks.collect()),
            last_metric: Reading::complete_at(
                "metrics",
                now(),
                self.registrations.iter().map(|one| (one.id.clone(), now())).collect(),
            ),
        };
        let mut recording = Recording {
            rollcall_recording: FORMAT,
            now: now(),
            desired: Desired::default(),
            snapshot: rollcall_engine::snapshot::Snapshot::default(),
            memory: rollcall_engine::memory::Memory::default(),
            departures: None,
            cut_to: None,
        };
        recording.snapshot.inventories.insert(place, Arc::new(inventory));
        recording.snapshot.registries.insert(key(), Arc::new(registry));
        recording
    }
}

fn key() -> ObjectKey {
    ObjectKey::new("team", "mackerel")
}

const WISHES: Wishes<'_> = Wishes { namespace: "team", environment_tag: None, role_tag: None, share: 80 };

/// A first tree, which must be one that the API server and the engine take.
fn import(recording: &Recording, wishes: &Wishes<'_>) -> Draft {
    let key = key();
    let draft = decide(&observe(recording, Some(&key)), wishes);
    judge(&text::files(&draft, None).unwrap(), wishes.namespace).unwrap();
    draft
}

/// What a plan with the tree says about the very same recording.
fn plan(recording: &Recording, draft: &Draft) -> RollCall {
    let mut desired = Desired::default();
    for drafted in &draft.objects {
        match drafted.object.clone() {
            Object::CloudAccount(object) => desired.accounts.push(*object),
            Object::Environment(object) => desired.environments.push(*object),
            Object::HostRole(object) => desired.roles.push(*object),
            Object::RequiredCheck(object) => desired.checks.push(*object),
            Object::MonitoringSystem(object) => desired.systems.push(*object),
            Object::Namespace { name, labels } => drop(desired.namespaces.insert(name, labels)),
            Object::Exemption(_)
            | Object::RetirementPolicy(_)
            | Object::Retirement(_)
            | Object::NotificationChannel(_)
            | Object::Host(_) => {
                panic!("nobody imports these")
            }
        }
    }
    let label = ("kubernetes.io/metadata.name".to_owned(), "team".to_owned());
    desired.namespaces.insert("team".to_owned(), BTreeMap::from([label]));
    let (fleet, problems) = Fleet::parse(&desired);
    assert_eq!(problems, []);
    roll_call(&fleet, &recording.snapshot, &recording.memory, recording.now).0
}

/// `jp1: Env=jp1|prod, ^jp1-` of every environment.
fn environments(draft: &Draft) -> Vec<String> {
    let told = draft.objects.iter().filter_map(|drafted| match &drafted.object {
        Object::Environment(one) => {
            let terms: Vec<String> = one.spec.selector.any_of.iter().map(term).collect();
            Some(format!("{}: {}", one.metadata.name.as_ref().unwrap(), terms.join(", ")))
        }
        _ => None,
    });
    told.collect()
}

fn term(term: &api::HostTerm) -> String {
    let tags = term.match_tags.iter().flatten().map(|(key, values)| format!("{key}={}", values.0.join("|")));
    tags.chain(term.name_pattern.clone()).collect()
}

/// `app: Duty ^…app…$ +jvm` of every role.
fn roles(draft: &Draft) -> Vec<String> {
    let told = draft.objects.iter().filter_map(|drafted| match &drafted.object {
        Object::HostRole(one) => {
            let terms: Vec<String> =
                one.spec.selector.iter().flat_map(|selector| &selector.any_of).map(term).collect();
            let terms = terms.join(", ").replace("^([^-_.]+[-_.])?", "*").replace("[-_.]?[0-9]*$", "*");
            let (name, includes) = (one.metadata.name.as_ref().unwrap(), one.spec.includes.join("+"));
            let there = one.spec.mackerel.iter().filter_map(|there| there.roles.as_ref()).flatten();
            let there: Vec<String> = there.map(|role| format!(" ={role}")).collect();
            let there = there.concat();
            Some(format!("{name}: {:?} {terms} {includes}{there}", one.spec.type_))
        }
        _ => None,
    });
    told.collect()
}

/// `gc: app+batch check-jvm-gc` of every check.
fn checks(draft: &Draft) -> Vec<String> {
    let told = draft.objects.iter().filter_map(|drafted| match &drafted.object {
        Object::RequiredCheck(one) => {
            let by = &one.spec.ways()[0];
            let what = match (&by.check, &by.host_metric) {
                (Some(check), _) => check.name.clone(),
                (None, Some(metric)) => format!("{} at most {:?}", metric.metric, metric.threshold_at_most),
                (None, None) => "connectivity".to_owned(),
            };
            let except = one.spec.applies_to.except_roles.iter().flatten().map(|role| format!("-{role}"));
            let roles = one.spec.applies_to.roles.as_deref().unwrap_or_default().join("+")
                + &except.collect::<String>();
            Some(format!("{}: {roles} {what}", one.metadata.name.as_ref().unwrap()))
        }
        _ => None,
    });
    told.collect()
}

#[test]
fn a_tag_names_environments_and_names_fill_its_gaps() {
    let mut seen = Seen::new();
    for n in 1..=4 {
        seen.host(&format!("jp1-app-{n}"), &[("Env", "jp1")])
            .host(&format!("stg-app-{n}"), &[("Env", "Staging")]);
    }
    seen.host("jp1-app-5", &[])
        .host("stg-db-1", &[("Env", "staging ")])
        .host("stg-db-2", &[])
        .host("old-nat-1", &[]);
    let recording = seen.recording();
    let draft = import(&recording, &WISHES);
    assert_eq!(environments(&draft), ["jp1: Env=jp1, ^jp1-", "staging: Env=Staging|staging , ^stg-"]);
    assert_eq!(draft.environments, "from the tag Env of 9 hosts, and the names of 2 more");
    assert_eq!(draft.left[0], "no environment for 1 host, by tag or name (RC0403): old-nat-1");
    let roll = plan(&recording, &draft);
    let unclaimed: Vec<&str> =
        roll.findings.iter().filter(|f| f.code == Code::Unclaimed).map(|f| &*f.subject_name).collect();
    assert_eq!(unclaimed, ["old-nat-1"]);
}

/// A host named after one environment and tagged as another would belong to both: then names are not used.
#[test]
fn a_name_that_a_tag_contradicts_selects_nobody() {
    let mut seen = Seen::new();
    for n in 1..=4 {
        seen.host(&format!("jp1-app-{n}"), &[("Env", "jp1")])
            .host(&format!("jp2-app-{n}"), &[("Env", "jp2")]);
    }
    seen.host("jp1-app-9", &[("Env", "jp2")]);
    let recording = seen.recording();
    let draft = import(&recording, &WISHES);
    assert_eq!(environments(&draft), ["jp1: Env=jp1", "jp2: Env=jp2, ^jp2-"]);
    assert!(plan(&recording, &draft).findings.iter().all(|finding| finding.code != Code::Contested));
}

#[test]
fn without_tags_names_tell_environments_but_not_when_they_tell_roles() {
    let mut seen = Seen::new();
    for n in 1..=3 {
        for env in ["jp1", "jp2"] {
            seen.host(&format!("{env}-app-{n}"), &[]).host(&format!("{env}-db-{n}"), &[]);
        }
    }
    let draft = import(&seen.recording(), &WISHES);
    assert_eq!(environments(&draft), ["jp1: ^jp1-", "jp2: ^jp2-"]);
    assert_eq!(roles(&draft), ["app: Duty *app* ", "db: Duty *db* "]);

    let mut seen = Seen::new();
    for n in 1..=3 {
        seen.host(&format!("web-{n}"), &[]).host(&format!("db{n}"), &[]);
    }
    let draft = import(&seen.recording(), &WISHES);
    assert_eq!(environments(&draft), ["all: ."]);
    assert_eq!(roles(&draft), ["db: Duty *db* ", "web: Duty *web* "]);
}

#[test]
fn the_person_knows_better_which_tag_it_is() {
    let mut seen = Seen::new();
    for n in 1..=4 {
        seen.host(
            &format!("h{n}"),
            &[("Env", "all"), ("Land", if n % 2 == 0 { "jp" } else { "us" }), ("Kind", "Web/App")],
        );
    }
    let wishes = Wishes { environment_tag: Some("Land"), role_tag: Some("Kind"), ..WISHES };
    let draft = import(&seen.recording(), &wishes);
    assert_eq!(environments(&draft), ["jp: Land=jp", "us: Land=us"]);
    assert_eq!(roles(&draft), ["app: Duty Kind=Web/App, *h* ", "web: Duty Kind=Web/App, *h* "]);
}

#[test]
fn roles_come_from_tags_names_and_the_monitoring_system_together() {
    let mut seen = Seen::new();
    for n in 1..=5 {
        let role: &[(&str, &str)] =
            if n < 3 { &[("Env", "jp1"), ("Role", "webdav")] } else { &[("Env", "jp1")] };
        seen.host(&format!("jp1-dav-{n}"), role).registered("Acme", "webdav", &["check-dav"]);
        seen.host(&format!("jp1-batch-{n}"), &[("Env", "jp1")]);
        // One of five was registered under the wrong role: names and the others outvote it.
        seen.registered("Acme", if n == 1 { "webdav" } else { "batch" }, &["check-batch"]);
    }
    seen.host("tanaka", &[("Env", "jp1")]).registered("Acme", "Sandbox_1", &[]);
    let recording = seen.recording();
    let draft = import(&recording, &WISHES);
    assert_eq!(
        roles(&draft),
        [
            "batch: Duty *batch*  =batch",
            "sandbox-1: Duty *tanaka*  =Sandbox_1",
            "webdav: Duty *dav*  =webdav"
        ]
    );
    let wrong: Vec<String> = plan(&recording, &draft)
        .findings
        .iter()
        .filter(|finding| finding.code == Code::RoleMismatch)
        .map(|finding| finding.subject_name.to_string())
        .collect();
    assert_eq!(wrong, ["jp1-batch-1"]);
}

#[test]
fn what_most_hosts_have_is_required_where_it_is_shared() {
    let mut seen = Seen::new();
    for site in ["jp1", "jp2"] {
        for n in 1..=5 {
            let cert = format!("check-cert-{site}");
            let app: &[&str] = if n == 1 {
                &["check-ssh"]
            } else {
                &["check-ssh", "check-jvm-gc", "check-jvm-heap", "check-app"]
            };
            seen.host(&format!("{site}-app-{n}"), &[("Env", site)]).registered("Acme", "app", app);
            seen.host(&format!("{site}-batch-{n}"), &[("Env", site)]);
            seen.registered("Acme", "batch", &["check-ssh", "check-jvm-gc", "check-jvm-heap"]);
            let proxy: &[&str] =
                if n == 1 { &["check-ssh", &cert, "check-rare"] } else { &["check-ssh", &cert] };
            seen.host(&format!("{site}-proxy-{n}"), &[("Env", site)]).registered("Acme", "proxy", proxy);
        }
    }
    let app = [Scope { service: "Acme".to_owned(), role: Some("app".to_owned()) }];
    seen.monitor("disk%", 92.5, &[], false).monitor("swap%", 80.0, &app, true);
    let recording = seen.recording();
    let draft = import(&recording, &WISHES);
    assert_eq!(
        checks(&draft),
        [
            "app: app check-app",
            "swap: app swap% at most Some(80)",
            "disk: every-host disk% at most Some(93)",
            "ssh: every-host check-ssh",
            "jvm-gc: jvm check-jvm-gc",
            "jvm-heap: jvm check-jvm-heap",
            "cert-site: proxy check-cert-${env.site}",
        ]
    );
    assert_eq!(draft.left, ["1 check that fewer than 80 % of any role have: check-rare"]);
    let told: Vec<&String> = draft.objects.iter().flat_map(|drafted| &drafted.reasons).collect();
    for reason in [
        "check-jvm-gc on 18 of 20 hosts: app 8/10, batch 10/10",
        "its monitors were all muted: unmute them, or delete this file's part",
        "10 of 10 of them that are registered have the role proxy there",
    ] {
        assert!(told.iter().any(|told| *told == reason), "{reason:?} is not among {told:#?}");
    }
    let strict = import(&recording, &Wishes { share: 81, ..WISHES });
    assert!(checks(&strict).contains(&"jvm-gc: batch check-jvm-gc".to_owned()), "{:?}", checks(&strict));
}

#[test]
fn every_check_waits_for_its_review() {
    let mut seen = Seen::new();
    for n in 1..=3 {
        seen.host(&format!("jp1-app-{n}"), &[("Env", "jp1")]).registered("Acme", "app", &["check-app"]);
    }
    let draft = import(&seen.recording(), &WISHES);
    let check = draft.objects.iter().find_map(|drafted| match &drafted.object {
        Object::RequiredCheck(check) => Some(&check.spec),
        _ => None,
    });
    let check = check.unwrap();
    assert_eq!(check.why, "imported, not reviewed");
    let review = check.review.as_ref().unwrap();
    assert_eq!((review.every_days, review.last.as_str()), (90, "2026-11-23"));
}

/// Nobody claims that hosts lack what could not be asked.
#[test]
fn what_could_not_be_read_is_said_and_not_counted() {
    let mut seen = Seen::new();
    for n in 1..=5 {
        seen.host(&format!("jp1-app-{n}"), &[("Env", "jp1")]).registered("Acme", "app", &["check-app"]);
    }
    let mut recording = seen.recording();
    let registry = Arc::make_mut(recording.snapshot.registries.values_mut().next().unwrap());
    let why = || Failure::new(FailureKind::Throttled, "429");
    for id in ["r0", "r1", "r2"] {
        registry.checks.by_host_mut().unwrap().insert(id.into(), Reading::failed("checks", now(), why()));
    }
    registry.monitors = Reading::failed("monitors", now(), why());
    let key = key();
    let observed = observe(&recording, Some(&key));
    assert_eq!(observed.blind, ["mackerel monitors: could not be read (Throttled)"]);
    let draft = decide(&observed, &WISHES);
    assert_eq!(checks(&draft), ["app: app check-app"]);
    let told: Vec<&String> = draft.objects.iter().flat_map(|drafted| &drafted.reasons).collect();
    assert!(told.contains(&&"check-app on 2 of 2 hosts: app 2/2".to_owned()), "{told:?}");
}

/// Text that people, and others, put into tags and names.
fn hostile() -> impl Strategy<Value = String> {
    let nasty = [
        "jp1",
        "Prod",
        "prod",
        "本番",
        "",
        " ",
        "-",
        "--force",
        "$(id)",
        "`id`",
        "'; rm -rf / #",
        "a: b",
        "- x",
        "{a: [b",
        "!!python/object:os",
        "&a *a",
        "%YAML 2.0",
        "---",
        "...",
        "null",
        "~",
        "true",
        "0x1f",
        "1e3",
        "2026-11-23",
        "<<",
        "\u{0}",
        "\u{1b}[2J",
        "a\nkind: Secret",
        "a\r\nb",
        "a\u{85}b\u{2028}c",
        "\u{202e}txt.exe",
        "\u{feff}x",
        "${env.site}",
        "${oops",
        "a/b",
        "a,b",
        "app-1",
        "x-app-1",
        "every-host",
        "con",
        "\u{fffe}",
    ];
    prop_oneof![
        4 => proptest::sample::select(nasty.to_vec()).prop_map(str::to_owned),
        2 => any::<String>(),
        1 => ("[a-z]{1,3}", 1_usize..12_000).prop_map(|(part, times)| part.repeat(times)),
        3 => "[a-z]{2,3}-[a-z]{2,4}-[0-9]",
    ]
}

type Row = (String, String, String, Option<(String, String, Vec<String>)>);

fn row() -> impl Strategy<Value = Row> {
    let registration = (hostile(), hostile(), proptest::collection::vec(hostile(), 0..4));
    (hostile(), hostile(), hostile(), proptest::option::weighted(0.8, registration))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// The law: whatever a fleet is called, the tree is one that the API server takes, every name in it is a DNS label, every
    /// file stays in its folder, and no host ends up in two environments.
    #[test]
    fn whatever_a_fleet_is_called_its_tree_is_sound(rows in proptest::collection::vec(row(), 1..24), metric in hostile()) {
        let mut seen = Seen::new();
        seen.monitor(&metric, 90.0, &[], false);
        for (name, environment, role, registration) in &rows {
            seen.host(name, &[("Env", environment), ("Role", role), (metric.as_str(), name)]);
            if let Some((service, role, checks)) = registration {
                let checks: Vec<&str> = checks.iter().map(String::as_str).collect();
                seen.registered(service, role, &checks);
            }
        }
        let recording = seen.recording();
        for wishes in [WISHES, Wishes { environment_tag: Some("Role"), role_tag: Some("Env"), share: 1, ..WISHES }] {
            let draft = import(&recording, &wishes);
            let mut files = BTreeSet::new();
            for drafted in &draft.objects {
                let stem = drafted.file.strip_suffix(".yaml").unwrap();
                let parts: Vec<&str> = stem.split('/').collect();
                prop_assert!(parts.len() <= 2 && parts.iter().all(|part| is_label(part)), "{}", drafted.file);
                files.insert(&drafted.file);
                prop_assert!(drafted.reasons.iter().all(|reason| reason.len() < 4_000), "{:?}", drafted.reasons);
            }
            prop_assert!(draft.left.iter().all(|left| left.len() < 4_000), "{:?}", draft.left);
            let roll = plan(&recording, &draft);
            prop_assert!(roll.findings.iter().all(|finding| finding.code != Code::Contested));
            prop_assert!(roll.findings.iter().all(|finding| finding.code != Code::UnknownRole));
        }
    }
}

fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

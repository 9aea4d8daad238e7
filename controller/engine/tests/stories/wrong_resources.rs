//! Custom resources that are wrong: one clear problem each, and nobody else is disturbed.

use rollcall_crds::v1alpha1 as api;
use serde_json::json;

use crate::world::*;

/// The problems of the team's world after `spoil`, a line each.
fn problems(spoil: impl FnOnce(&mut World)) -> Vec<String> {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    spoil(&mut world);
    world.fleet().1.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn one(spoil: impl FnOnce(&mut World), expected: &str) {
    assert_eq!(problems(spoil), [expected]);
}

#[test]
fn a_namespace_without_a_grant() {
    one(
        |w| w.desired.namespaces.clear(),
        "Environment backlog/jp1: NotGranted: spec.accounts[0].name: CloudAccount prod does not let namespace \"backlog\" claim hosts: its grants ask for team=backlog; label the namespace so, or ask the platform admin for a grant",
    );
    one(
        |w| w.desired.accounts[0].spec.grants.clear(),
        "Environment backlog/jp1: NotGranted: spec.accounts[0].name: CloudAccount prod does not let namespace \"backlog\" claim hosts: it has no grants; label the namespace so, or ask the platform admin for a grant",
    );
}

#[test]
fn every_namespace_bears_the_label_of_its_name() {
    assert_eq!(
        problems(|w| {
            w.desired.namespaces.clear();
            w.desired.accounts[0].spec.grants[0].namespace_selector =
                serde_json::from_value(json!({"matchLabels": {"kubernetes.io/metadata.name": "backlog"}}))
                    .unwrap();
        }),
        Vec::<String>::new()
    );
}

#[test]
fn accounts_and_regions_that_do_not_exist() {
    one(
        |w| w.desired.environments[0].spec.accounts[0].name = "prd".into(),
        "Environment backlog/jp1: ReferenceNotFound: spec.accounts[0].name: expected the name of a CloudAccount, found \"prd\"; ask the platform admin for its name",
    );
    one(
        |w| {
            w.desired.environments[0].spec.accounts[0].regions =
                Some(vec!["ap-northeast-1".into(), "eu-west-1".into()]);
        },
        "Environment backlog/jp1: RegionNotListed: spec.accounts[0].regions: expected regions of CloudAccount prod (ap-northeast-1), found \"eu-west-1\"; a region it does not list is never read",
    );
}

#[test]
fn two_objects_for_one_account() {
    let found = problems(|w| {
        let mut second = w.desired.accounts[0].clone();
        second.metadata.name = Some("zzz".into());
        w.desired.accounts.insert(0, second);
    });
    assert_eq!(
        found,
        [
            "CloudAccount zzz: DuplicateAccount: spec.accountID: CloudAccount \"prod\" already speaks for account 123456789012; delete one of the two"
        ]
    );
}

#[test]
fn an_account_with_a_problem_is_told_from_one_that_does_not_exist() {
    let found = problems(|w| w.desired.accounts[0].spec.account_id = "12345".into());
    assert_eq!(
        found,
        [
            "CloudAccount prod: BadAccountID: spec.accountID: expected twelve digits, found \"12345\"; `aws sts get-caller-identity` prints yours",
            "Environment backlog/jp1: ReferenceNotReady: spec.accounts[0].name: CloudAccount \"prod\" has a problem of its own; see its condition Ready: kubectl get rcacct",
        ]
    );
}

#[test]
fn an_include_cycle_is_refused_for_all_its_members() {
    let found = problems(|w| {
        w.desired.roles[2].spec.includes = vec!["app".into()];
    });
    assert_eq!(
        found,
        [
            "HostRole backlog/app: IncludeCycle: spec.includes: expected no cycle, found app -> linux -> app; take one of these includes out",
            "HostRole backlog/linux: IncludeCycle: spec.includes: expected no cycle, found linux -> app -> linux; take one of these includes out",
        ]
    );
}

#[test]
fn a_role_that_cannot_be_understood_takes_no_role_away_from_anybody() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-batch-1"]);
    world.machine("jp1-batch-1").tags = [("Name", "jp1-batch-1"), ("Env", "jp1")].into_iter().collect();
    world.desired.environments[0].spec.roles.as_mut().unwrap().counts =
        serde_json::from_value(json!([{"role": "batch", "min": 1}])).unwrap();
    expect(&world.pass(), &[]);
    world.desired.roles[1].spec.selector.as_mut().unwrap().any_of[0].name_pattern =
        Some("-batch-[0-9+$".into());
    let (_, problems) = world.fleet();
    assert_eq!(problems.len(), 1);
    assert!(problems[0].message.starts_with("spec.selector.anyOf[0].namePattern: expected a regular expression (RE2 syntax), found \"-batch-[0-9+$\": "), "{}", problems[0].message);
    // Batch played by its pattern alone: that it has no duty now, or is one too few, nobody can say.
    let roll = world.pass_despite_problems();
    expect(&roll, &[]);
    assert_eq!(roll.environments.values().next().unwrap().compliant, None);
}

#[test]
fn every_fault_of_an_object_is_told_at_once() {
    let found = problems(|w| {
        let spec = &mut w.desired.environments[0].spec;
        spec.time_zone = Some("Asia/Osaka".into());
        spec.monitoring[0].system = "makarel".into();
        spec.selector.any_of[0] = api::HostTerm::default();
        spec.roles.as_mut().unwrap().counts =
            serde_json::from_value(json!([{"role": "apps", "min": 1}])).unwrap();
    });
    let reasons: Vec<&str> = found.iter().map(|line| line.split(": ").nth(1).unwrap()).collect();
    assert_eq!(
        reasons,
        ["BadTimeZone", "EmptySelector", "ReferenceNotFound", "ReferenceNotFound"],
        "{found:#?}"
    );
}

/// Makes one thing about a check wrong.
type Spoil = Box<dyn Fn(&mut api::RequiredCheckSpec)>;

#[test]
fn checks_that_cannot_be_understood_stay_as_unknown_rows() {
    let template = "${fqdn}";
    let spoils: [(&str, Spoil); 4] = [
        (
            "BadVariable",
            Box::new(move |spec| {
                spec.watched.as_mut().unwrap().by[0].check.as_mut().unwrap().name = template.into();
            }),
        ),
        (
            "BadWay",
            Box::new(|spec| spec.watched.as_mut().unwrap().by[0].connectivity = Some(api::Connectivity {})),
        ),
        ("EmptySelector", Box::new(|spec| spec.watched.as_mut().unwrap().by.clear())),
        ("ReferenceNotFound", Box::new(|spec| spec.applies_to.except_roles = Some(vec!["lunix".into()]))),
    ];
    for (reason, spoil) in spoils {
        let mut world = World::with_hosts(&["jp1-app-1"]);
        spoil(&mut world.desired.checks[1].spec);
        let (_, problems) = world.fleet();
        assert_eq!(problems.iter().map(|p| p.reason.as_str()).collect::<Vec<_>>(), [reason]);
        let roll = world.pass_despite_problems();
        expect(&roll, &[]);
        assert_eq!(
            rows(&roll, &world.id("jp1-app-1")),
            "registered ✔ connectivity ✔ disk ✔ ntp ?Misconfigured"
        );
    }
}

#[test]
fn a_review_date_that_does_not_exist_touches_nothing_else() {
    // The API server takes no more than 3650 days; a recording may hold anything, and a sum that no calendar has.
    for (every_days, last, told) in [
        (
            180,
            "2026-02-30",
            "spec.review.last: expected a day that exists, as YYYY-MM-DD, found \"2026-02-30\"",
        ),
        (i32::MAX, "2026-09-01", "spec.review.everyDays: expected at most 3650 days, found 2147483647"),
        (7_000_000, "2026-09-01", "spec.review.everyDays: expected at most 3650 days, found 7000000"),
    ] {
        let mut world = World::with_hosts(&["jp1-app-1"]);
        world.desired.checks[1].spec.review =
            Some(serde_json::from_value(json!({"everyDays": every_days, "last": last})).unwrap());
        let (_, problems) = world.fleet();
        assert_eq!(
            problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [format!("RequiredCheck backlog/ntp: BadDate: {told}")]
        );
        let roll = world.pass_despite_problems();
        assert!(rows(&roll, &world.id("jp1-app-1")).ends_with("ntp ✔"));
    }
}

#[test]
fn an_exemption_that_cannot_be_understood_exempts_nothing() {
    for (rest, expires) in [
        (r#"type: Accepted, match: {code: RC9999}, expires: "2027-03-31""#, "2027-03-31"),
        (r#"type: Accepted, match: {code: RC0102}, expires: "2027-03-31""#, "2027-02-29"),
    ] {
        let mut world = World::with_hosts(&["jp1-app-1"]);
        world.agent("jp1-app-1").checks = Some(Vec::new());
        world.apply(&format!(
            "apiVersion: rollcall.dev/v1alpha1\nkind: Exemption\nmetadata: {{name: x, namespace: backlog}}\nspec: {{reason: r, approver: a, {rest}}}"
        ));
        // A reader that knows the rules refuses such a day; an API server of another age may not have.
        world.desired.exemptions[0].spec.expires = expires.into();
        assert_eq!(world.fleet().1.len(), 1);
        assert_eq!(world.pass_despite_problems().causes[0].open, 1, "{rest}");
    }
}

#[test]
fn a_monitoring_system_with_a_broken_join_is_unknown_and_still_read() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.desired.systems[0].spec.join =
        Some(serde_json::from_value(json!([{"by": "Name", "pattern": "^[a-z]+$"}])).unwrap());
    let (fleet, problems) = world.fleet();
    assert_eq!(problems.len(), 1);
    assert_eq!(fleet.systems().count(), 1);
    let roll = world.pass_despite_problems();
    assert!(rows(&roll, &world.id("jp1-app-1")).starts_with("registered ?Misconfigured"));
    assert_eq!(about(&roll, "RC0502"), ["mackerel"]);
}

#[test]
fn a_pattern_that_would_eat_the_memory_is_refused() {
    let found = problems(|w| {
        w.desired.environments[0].spec.selector.any_of[0].name_pattern = Some("(a{1000}){1000}".into());
    });
    assert!(found[0].contains("BadPattern") && found[0].contains("size limit"), "{found:?}");
}

#[test]
fn what_the_operator_must_read_is_what_environments_need() {
    let mut world = World::with_hosts(&[]);
    world.apply(
        "apiVersion: rollcall.dev/v1alpha1\nkind: MonitoringSystem\nmetadata: {name: spare, namespace: backlog}\nspec: {mackerel: {apiKeySecret: {name: a, key: b}}}",
    );
    let (fleet, _) = world.fleet();
    let jp1 = fleet.environments().next().unwrap().clone();
    let used = |keys: Vec<_>| {
        keys.into_iter().map(|key: rollcall_engine::ids::ObjectKey| key.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(used(fleet.used_systems().into_iter().cloned().collect()), ["backlog/mackerel"]);
    assert_eq!(used(fleet.environment_systems(&jp1)), ["backlog/mackerel"]);
    assert_eq!(fleet.systems().count(), 2);
    assert_eq!(
        fleet
            .places()
            .map(|(place, account)| (place.to_string(), account.name.to_string()))
            .collect::<Vec<_>>(),
        [(PLACE.to_owned(), "prod".to_owned())]
    );
    assert_eq!(fleet.environment_places(&jp1), [place(PLACE)]);
}

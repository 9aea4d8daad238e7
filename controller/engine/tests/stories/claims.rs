//! Whose host is it?

use rollcall_crds::v1alpha1::HostState;

use crate::world::*;

/// A second environment that selects the same hosts by name.
const RIVAL: &str = r#"
apiVersion: rollcall.dev/v1alpha1
kind: Environment
metadata: {name: jp2, namespace: backlog}
spec:
  accounts: [{name: prod}]
  selector: {anyOf: [{namePattern: "^jp1-app-1$"}]}
  owner: {name: sre}
"#;

#[test]
fn two_environments_claim_one_host() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    world.apply(RIVAL);
    let roll = world.pass();
    expect(&roll, &["RC0406 2 1 host claimed by several environments: jp1-app-1"]);
    assert_eq!(
        findings(&roll),
        [
            "RC0406 jp1-app-1: expected one environment to claim it, found jp1 and jp2",
            "RC0406 jp1-app-1: expected one environment to claim it, found jp2 and jp1",
        ]
    );
    let contested = host(&roll, &world.id("jp1-app-1"));
    assert_eq!(
        (contested.state, contested.rows.len(), contested.environment.clone()),
        (HostState::Contested, 0, None)
    );
    assert_eq!(contested.claimed_by.len(), 2);
    assert!(roll.environments.values().all(|environment| environment.contested == 1));
}

#[test]
fn a_rival_of_another_namespace_stays_unnamed() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: cacoo, labels: {team: backlog}}");
    world.apply(&RIVAL.replace("namespace: backlog", "namespace: cacoo"));
    let messages = findings(&world.pass());
    assert!(messages.iter().all(|line| line.ends_with("and one of another namespace")), "{messages:?}");
}

#[test]
fn a_contested_host_may_be_the_one_that_is_missed() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    world.desired.environments[0].spec.roles.as_mut().unwrap().counts =
        serde_json::from_value(serde_json::json!([{"role": "app", "min": 2}])).unwrap();
    world.apply(RIVAL);
    assert_eq!(about(&world.pass(), "RC0404"), Vec::<String>::new());
}

#[test]
fn hosts_that_nobody_put_into_an_environment() {
    let mut world = World::with_hosts(&["jp1-app-1", "poc-elastic", "tmp"]);
    world.machine("poc-elastic").tags = [("Name", "poc-elastic")].into_iter().collect();
    world.machine("tmp").tags = [("Name", "")].into_iter().collect();
    let roll = world.pass();
    expect(&roll, &["RC0403 2 2 hosts in account prod that no environment claims: i-0003, poc-elastic"]);
    assert_eq!(host(&roll, &world.id("tmp")).state, HostState::Unclaimed);
    assert!(
        fix(&roll, "RC0403")
            .contains("aws ec2 create-tags --tags Key=KEY,Value=VALUE --resources i-0002 i-0003")
    );
    let prod = roll.accounts.values().next().unwrap();
    assert_eq!((prod.hosts, prod.unclaimed), (3, 2));
}

#[test]
fn what_aws_manages_needs_no_environment() {
    let mut world = World::with_hosts(&["eks-node"]);
    let node = world.machine("eks-node");
    node.tags = [("Name", "eks-node")].into_iter().collect();
    node.managed_by = Some("operator:eks.amazonaws.com".into());
    let roll = world.pass();
    expect(&roll, &[]);
    assert_eq!(roll.accounts.values().next().unwrap().unclaimed, 1, "counted, and no finding");
}

#[test]
fn a_grant_covers_only_some_hosts() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    world.apply(
        r#"
apiVersion: rollcall.dev/v1alpha1
kind: CloudAccount
metadata: {name: prod}
spec:
  accountID: "123456789012"
  regions: [ap-northeast-1]
  grants:
  - namespaceSelector: {matchLabels: {team: backlog}}
    hostSelector: {anyOf: [{namePattern: "-1$"}]}
"#,
    );
    let roll = world.pass();
    assert_eq!(host(&roll, &world.id("jp1-app-1")).state, HostState::Active);
    assert_eq!(about(&roll, "RC0403"), ["jp1-app-2"]);
}

#[test]
fn while_an_environment_cannot_be_understood_nothing_of_its_account_is_unclaimed() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    world.pass();
    world.desired.environments[0].spec.selector.any_of[0].match_tags = None;
    world.desired.environments[0].spec.selector.any_of[0].name_pattern = Some("(".into());
    let roll = world.pass_despite_problems();
    expect(&roll, &[]);
    assert!(roll.environments.is_empty());
    // The host stays known as its environment's, and nothing is said about it.
    let one = host(&roll, &world.id("jp1-app-1"));
    assert_eq!(one.environment.as_ref().map(ToString::to_string).as_deref(), Some("backlog/jp1"));
    assert_eq!((one.state, one.rows.len()), (HostState::Active, 0));
    // And all is as before once it is put right.
    world.desired.environments[0].spec.selector.any_of[0].name_pattern = Some("^jp1-".into());
    expect(&world.pass(), &[]);
    assert!(world.memory.environments.values().all(|environment| environment.changes.is_empty()));
}

#[test]
fn an_environment_that_could_not_even_be_read_makes_nobody_unclaimed() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.pass();
    world.desired.environments.clear();
    let unclaimed = world.clone().pass();
    assert_eq!(about(&unclaimed, "RC0403"), ["jp1-app-1"], "the environment was deleted");
    world.desired.unreadable.push(rollcall_engine::fleet::Problem {
        kind: rollcall_engine::fleet::Kind::Environment,
        namespace: "backlog".into(),
        name: "jp1".into(),
        reason: "Unreadable".into(),
        message: "spec.selector: expected an object, found a number".into(),
    });
    let roll = world.pass_despite_problems();
    expect(&roll, &[]);
    assert_eq!(host(&roll, &world.id("jp1-app-1")).environment.as_ref().map(|key| &*key.name), Some("jp1"));
}

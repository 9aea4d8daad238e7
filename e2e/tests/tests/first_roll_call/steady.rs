//! While the world stands still nothing is written; a restart writes nothing and forgets nothing; two replicas are one
//! operator. Judged at the API server's audit log, where nobody can forget to count.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use rollcall_fakes::aws::Habits;
use rollcall_fakes::faults::{Fault, Rule};
use rollcall_harness::operator::Operator;
use rollcall_harness::wait::{Look, until};
use rollcall_harness::world::World;

use super::called::Called;
use super::told::{PATIENCE, all_become, changed, columns, environments, hosts, mark, writes_since};

/// Machine seconds to be watched for writes; CI's long run sets 300.
const STEADY_SECONDS: &str = "ROLLCALL_STEADY_SECONDS";
/// World seconds in each of them: five minutes of the world pass in the short run too.
const RATE: f64 = 15.0;

#[tokio::test]
async fn five_minutes_without_a_change_are_five_minutes_without_a_write() {
    let mut world = World::start().await.unwrap();
    // What EC2 does on a good day: another order each time, pages that are not full.
    world.fleet.aws.set_habits(Habits { unstable_order: true, short_pages: true });
    let mut setup = world.setup("rollcall");
    setup.every_seconds = 10;
    let operator = Operator::start(&setup).await.unwrap();
    world.weekend().await.unwrap();

    let seconds = std::env::var(STEADY_SECONDS).ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    world.stage().clock.set_rate(RATE);
    let (from, looks) = (mark(&world).await, world.looks());
    let begin = world.stage().now();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let writes = writes_since(&world, from).await;
    let passed = world.stage().now().duration_since(begin);

    assert!(passed.as_mins() >= 5, "{passed}");
    assert!(
        world.looks().iter().all(|(source, n)| *n >= looks[source] + 5),
        "every source was read all the time"
    );
    assert!(writes.is_empty(), "in {seconds} s of ours and {passed:#} of the world: {writes:#?}");
    operator.stop().await.unwrap();
}

#[tokio::test]
async fn a_restart_writes_nothing_and_forgets_nothing() {
    let (mut writes, troubled) = restarted().await;
    if !writes.is_empty() && troubled {
        // A busy machine may let a source answer too late. That is told, as it should be, and says nothing of restarts.
        (writes, _) = restarted().await;
    }
    assert!(writes.is_empty(), "a restart wrote: {writes:#?}");
}

/// What the next replica writes in a world at rest, and whether a source gave it trouble. It says what the last one said.
async fn restarted() -> (Vec<String>, bool) {
    let mut world = World::start().await.unwrap();
    let operator = world.operator("rollcall").await.unwrap();
    world.weekend().await.unwrap();
    let called = Called::of(&world, &operator).await.causes_by_meaning();

    operator.stop().await.unwrap();
    let from = mark(&world).await;
    let mut setup = world.setup("the-next");
    setup.logs_json = true;
    let operator = Operator::start(&setup).await.unwrap();
    world.settled().await.unwrap();
    let writes = writes_since(&world, from).await;
    assert_eq!(Called::of(&world, &operator).await.causes_by_meaning(), called, "ghosts and all");
    every_line_is_an_object(&operator.log().unwrap());
    let troubled = tells_of_trouble(&operator);
    operator.stop().await.unwrap();
    (writes, troubled)
}

/// Does its log say that a source could not be read, or not wholly?
fn tells_of_trouble(operator: &Operator) -> bool {
    let log = operator.log().unwrap();
    ["cannot be read", "read in part"].iter().any(|words| log.contains(words))
}

/// Whoever collects logs reads each line by itself.
fn every_line_is_an_object(log: &str) {
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        for field in ["timestamp", "level", "message", "target"] {
            assert!(line[field].is_string(), "{field}: {line}");
        }
    }
    assert!(log.lines().count() >= 3, "it said what it does: {log}");
}

/// Mackerel's list loses hosts while nobody looks, as well-formed as ever: the next replica holds it against what is remembered.
#[tokio::test]
async fn a_restart_believes_no_list_that_lost_what_is_remembered() {
    let mut world = World::start().await.unwrap();
    let operator = world.operator("rollcall").await.unwrap();
    world.weekend().await.unwrap();
    let called = Called::of(&world, &operator).await;
    let told = environments(&world).await.unwrap();
    operator.stop().await.unwrap();

    let loss = Rule::new("mackerel", "GET /api/v0/hosts", Fault::DropItems { items: 40 });
    let loss = world.stage().faults.add(loss).unwrap();
    let operator = world.operator("rollcall").await.unwrap();
    world.looked(3).await.unwrap();
    all_become(&world, "told as blind", |_, summary| summary.missing == "-").await.unwrap();
    world.quiet().await.unwrap();
    let absences = Called::of(&world, &operator).await.absences();
    assert!(absences.is_subset(&called.absences()), "{:#?}", absences.difference(&called.absences()));

    assert!(world.stage().faults.remove(loss));
    all_become(&world, "well again", |name, summary| *summary == told[name].summary).await.unwrap();
    world.settled().await.unwrap();
    assert_eq!(Called::of(&world, &operator).await.causes_by_meaning(), called.causes_by_meaning());
    operator.stop().await.unwrap();
}

/// EC2 is out of order and everybody is told so: the next replica knows no more, and says the same.
#[tokio::test]
async fn killed_in_the_middle_of_an_outage_it_forgets_no_host() {
    let mut world = World::start().await.unwrap();
    let operator = world.operator("rollcall").await.unwrap();
    world.weekend().await.unwrap();
    let called = Called::of(&world, &operator).await.causes_by_meaning();
    let told = environments(&world).await.unwrap();

    let outage = Rule::new("ec2", "DescribeInstances", Fault::Status { status: 503, body: None });
    let outage = world.stage().faults.add(outage).unwrap();
    all_become(&world, "told as blind", |_, summary| summary.hosts == "-").await.unwrap();
    world.quiet().await.unwrap();
    let (blind, faces) = (environments(&world).await.unwrap(), hosts(&world).await.unwrap());
    operator.kill().unwrap();
    let from = mark(&world).await;
    let operator = world.operator("rollcall").await.unwrap();
    world.looked(3).await.unwrap();
    world.quiet().await.unwrap();
    let now = environments(&world).await.unwrap();
    assert_eq!(columns(&now), columns(&blind), "the same is known");
    assert_eq!(changed(&faces, &hosts(&world).await.unwrap()), Vec::<String>::new(), "no host is forgotten");
    // What a term remembers is told apart: it holds which source failed when.
    let writes = writes_since(&world, from).await;
    let wrote: Vec<_> = writes.iter().filter(|write| !write.contains(" configmaps ")).collect();
    assert!(wrote.is_empty(), "written although nothing else is known than before: {wrote:#?}");

    assert!(world.stage().faults.remove(outage));
    let healed =
        all_become(&world, "well again", |name, summary| *summary == told[name].summary).await.unwrap();
    assert_eq!(columns(&healed), columns(&told));
    world.settled().await.unwrap();
    assert_eq!(Called::of(&world, &operator).await.causes_by_meaning(), called);
    operator.stop().await.unwrap();
}

#[tokio::test]
async fn of_two_replicas_one_writes_and_the_other_takes_over_when_it_is_killed() {
    let mut world = World::start().await.unwrap();
    let first = world.operator("first").await.unwrap();
    let second = world.operator("second").await.unwrap();
    assert_eq!(holder(&world).await, Some("first".to_owned()));
    world.weekend().await.unwrap();
    assert!(!second.log().unwrap().contains("lease taken"), "the second only stands by");

    let from = mark(&world).await;
    first.kill().unwrap();
    until("the second takes over", PATIENCE, async || {
        let holder = holder(&world).await;
        Ok(Look::that(holder.as_deref() == Some("second"), || format!("{holder:?} holds the lease")))
    })
    .await
    .unwrap();
    world.settled().await.unwrap();
    let writes = writes_since(&world, from).await;
    assert!(writes.is_empty(), "taking over wrote: {writes:#?}");

    // And it does its work.
    let name = world.fleet.a_host_joins("jp1", "app").unwrap();
    let id = world.fleet.truth(&name).unwrap().instance.clone();
    until("the new leader sees a new host", PATIENCE, async || {
        let seen = hosts(&world).await?.remove(&id);
        Ok(Look::that(seen.as_ref().is_some_and(|(state, _)| state == "Settling"), || format!("{seen:?}")))
    })
    .await
    .unwrap();
    second.stop().await.unwrap();
    let holder = holder(&world).await;
    assert!(
        holder.as_deref().unwrap_or_default().is_empty(),
        "whoever ends in good order gives the lease back: {holder:?}"
    );
}

async fn holder(world: &World) -> Option<String> {
    let leases = Api::<Lease>::namespaced(world.cluster.client().await.unwrap(), world.namespace());
    leases.get_opt("rollcall").await.unwrap()?.spec?.holder_identity
}

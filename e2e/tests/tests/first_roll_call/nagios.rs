//! The team's Nagios dies, is killed, refuses, lies and loses hosts while the operator polls it: the status of its object says
//! why, what it alone could tell is unknown, nothing that claims absence appears, and everything comes back by itself.

use std::collections::BTreeMap;

use anyhow::Result;
use jiff::SignedDuration;
use kube::Api;
use rollcall_backlog::{NAGIOS_PASSWORD, NAGIOS_USER};
use rollcall_crds::v1alpha1::{EnvironmentSummary, MonitoringSystem};
use rollcall_fakes::faults::{Fault, Rule};
use rollcall_fakes::nagios::{Contact, SERVICE};
use rollcall_harness::wait::{Look, until};
use rollcall_harness::world::{TEAM, World};

use super::called::Called;
use super::told::{PATIENCE, all_become, columns, environments};

/// An environment whose proxies and databases Nagios watches.
const WATCHED: &str = "com1";

/// What goes wrong with it.
struct Trouble {
    name: &'static str,
    begin: fn(&World),
    end: fn(&World),
    /// The reason that must stand in its status.
    reason: &'static str,
}

fn strike(world: &World, operation: &str, fault: Fault) {
    world.stage().faults.add(Rule::new(SERVICE, operation, fault)).unwrap();
}

fn calm(world: &World) {
    world.stage().faults.clear();
}

fn start(world: &World) {
    world.fleet.nagios.installation.start();
}

fn minutes_pass(world: &World) {
    world.stage().clock.advance(SignedDuration::from_mins(6));
}

/// An error as Nagios words it: with status 200.
const ERROR: &str = r#"{"format_version":0,"result":{"type_code":3,"type_text":"Failed","message":"Out of memory."},"data":{}}"#;

const TROUBLES: &[Trouble] = &[
    Trouble {
        name: "stopped",
        begin: |world| world.fleet.nagios.installation.stop(),
        end: start,
        reason: "Unreachable",
    },
    Trouble {
        name: "killed, six minutes ago",
        begin: |world| {
            world.fleet.nagios.installation.kill();
            minutes_pass(world);
        },
        end: start,
        reason: "Stale",
    },
    Trouble {
        name: "killed, and its last status is copied again and again",
        begin: |world| {
            world.fleet.nagios.installation.kill_and_copy();
            minutes_pass(world);
        },
        end: start,
        reason: "Stale",
    },
    Trouble {
        name: "answering with a sign-in page",
        begin: |world| strike(world, "*", Fault::Garbage { body: None }),
        end: calm,
        reason: "Malformed",
    },
    Trouble {
        name: "answering with an error, and 200",
        begin: |world| strike(world, "*", Fault::Garbage { body: Some(ERROR.to_owned()) }),
        end: calm,
        reason: "SourceError",
    },
    Trouble {
        name: "losing hosts from its list",
        begin: |world| strike(world, "* hostlist", Fault::DropItems { items: 20 }),
        end: calm,
        reason: "Malformed",
    },
    Trouble {
        name: "refusing our password",
        begin: |world| world.fleet.nagios.installation.add_user(NAGIOS_USER, "another", true),
        end: |world| world.fleet.nagios.installation.add_user(NAGIOS_USER, NAGIOS_PASSWORD, true),
        reason: "Denied",
    },
    Trouble {
        name: "taking us for one of its contacts",
        begin: |world| {
            let contact = Contact { of_hosts: true, of_services: true };
            world.fleet.nagios.installation.edit(|truth| truth.add_contact(NAGIOS_USER, contact, &[]));
        },
        end: |world| world.fleet.nagios.installation.edit(|truth| truth.remove_contact(NAGIOS_USER)),
        reason: "Denied",
    },
];

/// Status and reason of the condition that says whether its registrations are fresh.
async fn fresh(world: &World) -> Result<(String, String)> {
    let api = Api::<MonitoringSystem>::namespaced(world.cluster.client().await?, TEAM);
    let conditions = api.get("nagios").await?.status.unwrap_or_default().conditions;
    let fresh = conditions.into_iter().find(|condition| condition.type_ == "RegistrationsFresh");
    Ok(fresh.map(|condition| (condition.status, condition.reason)).unwrap_or_default())
}

async fn becomes(world: &World, what: &str, status: &str, reason: &str) {
    until(format!("nagios, {what}, is told as {status} {reason}"), PATIENCE, async || {
        let now = fresh(world).await?;
        let is_told = now.0 == status && (reason.is_empty() || now.1 == reason);
        Ok(Look::that(is_told, || format!("{now:?}")))
    })
    .await
    .unwrap();
}

fn unknown(all: &BTreeMap<&str, &EnvironmentSummary>, name: &str) -> u32 {
    all[name].unknown.parse().unwrap()
}

#[tokio::test]
async fn whatever_becomes_of_nagios_nothing_is_missing_and_everything_comes_back() {
    let mut world = World::start().await.unwrap();
    let operator = world.operator("rollcall").await.unwrap();
    world.weekend().await.unwrap();
    becomes(&world, "as it should be", "True", "").await;
    let told = environments(&world).await.unwrap();
    let called = Called::of(&world, &operator).await;
    assert_eq!(unknown(&columns(&told), WATCHED), 0);

    for trouble in TROUBLES {
        (trouble.begin)(&world);
        becomes(&world, trouble.name, "False", trouble.reason).await;
        world.looked(2).await.unwrap();
        let what = format!("told as blind while Nagios is {}", trouble.name);
        let blind =
            all_become(&world, &what, |name, summary| name != WATCHED || summary.missing == "-").await;
        let blind = blind.unwrap();
        assert!(unknown(&columns(&blind), WATCHED) > 0, "{}: its rows are unknown", trouble.name);
        let now = Called::of(&world, &operator).await.absences();
        let before = called.absences();
        let new: Vec<_> = now.difference(&before).collect();
        assert!(new.is_empty(), "{}: {new:#?}", trouble.name);

        (trouble.end)(&world);
        let what = format!("well again after Nagios was {}", trouble.name);
        all_become(&world, &what, |name, summary| *summary == told[name].summary).await.unwrap();
        becomes(&world, "well again", "True", "").await;
    }
    world.settled().await.unwrap();
    assert_eq!(Called::of(&world, &operator).await.causes_by_meaning(), called.causes_by_meaning());
    operator.stop().await.unwrap();
}

//! An error is never absence: sources are throttled, cut, emptied, repeated, broken and refused, and nothing that claims
//! absence appears. Counts become `-`, a condition says why, and everything comes back by itself.

use rollcall_backlog::{MACKEREL_KEY, access_key};
use rollcall_fakes::faults::{Fault, Pace, Rule};
use rollcall_fakes::mackerel::Rights;
use rollcall_harness::operator::Operator;
use rollcall_harness::world::World;

use super::called::Called;
use super::told::{
    Hosts, all_become, changed, columns, environments, hosts, mark, registrations_fresh, writes_since,
};

/// What goes wrong with a source.
struct Trouble {
    name: &'static str,
    begin: fn(&World),
    end: fn(&World),
    /// One of these words must stand as the reason.
    reasons: &'static [&'static str],
}

const NEVER_A_TOKEN: Fault = Fault::Throttle { burst: 0.0, refill_per_second: 0.0, pace: Pace::Machine };

fn strike(world: &World, service: &str, operation: &str, fault: Fault) {
    world.stage().faults.add(Rule::new(service, operation, fault)).unwrap();
}

fn calm(world: &World) {
    world.stage().faults.clear();
}

fn status(status: u16) -> Fault {
    Fault::Status { status, body: None }
}

const GARBAGE: Fault = Fault::Garbage { body: None };

/// What can happen to a listing of EC2.
const EC2: &[Trouble] = &[
    Trouble {
        name: "throttled",
        begin: |world| strike(world, "ec2", "*", NEVER_A_TOKEN),
        end: calm,
        reasons: &["Throttled"],
    },
    Trouble {
        name: "cut in the middle of a page",
        begin: |world| strike(world, "ec2", "DescribeInstances", Fault::CutConnection { after_bytes: 3_000 }),
        end: calm,
        reasons: &["Unreachable", "Malformed"],
    },
    Trouble {
        name: "emptied",
        begin: |world| strike(world, "ec2", "DescribeInstances", Fault::EmptyAnswer),
        end: calm,
        reasons: &["Malformed"],
    },
    Trouble {
        name: "repeating its page",
        begin: |world| strike(world, "ec2", "DescribeInstances", Fault::RepeatPage),
        end: calm,
        reasons: &["Malformed"],
    },
    Trouble {
        name: "losing most items of its page",
        begin: |world| strike(world, "ec2", "DescribeInstances", Fault::DropItems { items: 40 }),
        end: calm,
        reasons: &["Malformed"],
    },
    Trouble {
        name: "out of order (503)",
        begin: |world| strike(world, "ec2", "DescribeInstances", status(503)),
        end: calm,
        reasons: &["SourceError"],
    },
    Trouble {
        name: "answering with a sign-in page",
        begin: |world| strike(world, "ec2", "DescribeInstances", GARBAGE),
        end: calm,
        reasons: &["Malformed"],
    },
    Trouble {
        name: "refusing us",
        begin: |world| strike(world, "ec2", "*", Fault::Denied),
        end: calm,
        reasons: &["Denied"],
    },
];

/// What can happen to Mackerel.
const MACKEREL: &[Trouble] = &[
    Trouble {
        name: "throttled",
        begin: |world| strike(world, "mackerel", "*", NEVER_A_TOKEN),
        end: calm,
        reasons: &["Throttled"],
    },
    Trouble {
        name: "cut in the middle of an answer",
        begin: |world| strike(world, "mackerel", "*", Fault::CutConnection { after_bytes: 50 }),
        end: calm,
        reasons: &["Unreachable", "Malformed"],
    },
    Trouble {
        name: "emptied of hosts",
        begin: |world| strike(world, "mackerel", "GET /api/v0/hosts", Fault::EmptyAnswer),
        end: calm,
        reasons: &["Malformed"],
    },
    Trouble {
        name: "emptied of monitors",
        begin: |world| strike(world, "mackerel", "GET /api/v0/monitors", Fault::EmptyAnswer),
        end: calm,
        reasons: &["Malformed"],
    },
    Trouble {
        name: "emptied of metrics",
        begin: |world| strike(world, "mackerel", "GET /api/v0/tsdb/latest", Fault::EmptyAnswer),
        end: calm,
        reasons: &["Malformed"],
    },
    Trouble {
        name: "losing hosts from its list",
        begin: |world| strike(world, "mackerel", "GET /api/v0/hosts", Fault::DropItems { items: 90 }),
        end: calm,
        reasons: &["Malformed"],
    },
    Trouble {
        name: "out of order (502)",
        begin: |world| strike(world, "mackerel", "*", status(502)),
        end: calm,
        reasons: &["SourceError"],
    },
    Trouble {
        name: "answering with a sign-in page",
        begin: |world| strike(world, "mackerel", "*", GARBAGE),
        end: calm,
        reasons: &["Malformed"],
    },
    Trouble {
        name: "refusing our key",
        begin: |world| world.fleet.mackerel.revoke_key(MACKEREL_KEY),
        end: |world| world.fleet.mackerel.add_key("backlog", MACKEREL_KEY, Rights::Read),
        reasons: &["Denied"],
    },
];

/// Our key turns out to open another organisation, where nobody knows our hosts.
const ANOTHER_ORGANISATION: Trouble = Trouble {
    name: "opening another organisation to our key",
    begin: |world| {
        drop(world.fleet.mackerel.org("another"));
        world.fleet.mackerel.add_key("another", MACKEREL_KEY, Rights::Read);
    },
    end: |world| world.fleet.mackerel.add_key("backlog", MACKEREL_KEY, Rights::Read),
    reasons: &["WrongAccount"],
};

/// Our keys turn out to be of another account: nothing that they show may be believed.
const WRONG_ACCOUNT: Trouble = Trouble {
    name: "showing another account",
    begin: |world| {
        for (account, other) in [("123456789012", "210987654321"), ("210987654321", "123456789012")] {
            world.fleet.aws.account(other).add_key("rollcall-observe", &access_key(account));
        }
    },
    end: |world| {
        for account in ["123456789012", "210987654321"] {
            world.fleet.aws.account(account).add_key("rollcall-observe", &access_key(account));
        }
    },
    reasons: &["WrongAccount"],
};

/// What an answer may do without saying anything else than before.
const HARMLESS: &[(&str, &str, &str, Fault)] = &[
    ("EC2 tells its instances in another order", "ec2", "*", Fault::ReorderItems { seed: 7 }),
    ("EC2 tells the world as it was", "ec2", "*", Fault::StaleRead { seconds: 30 }),
    ("EC2 answers late", "ec2", "*", Fault::Latency { ms: 700 }),
    ("Mackerel tells its hosts in another order", "mackerel", "*", Fault::ReorderItems { seed: 7 }),
    ("Mackerel tells the world as it was", "mackerel", "*", Fault::StaleRead { seconds: 30 }),
    ("Mackerel answers late", "mackerel", "*", Fault::Latency { ms: 700 }),
    // What a host runs was proved within the last day, so that a list of names that fails takes nothing back.
    ("Mackerel repeats its names of checks", "mackerel", "GET /api/v0/monitoring/checks", Fault::RepeatPage),
    ("Mackerel loses a page of names", "mackerel", "GET /api/v0/monitoring/checks", Fault::SkipPage),
    (
        "Mackerel has no names of checks",
        "mackerel",
        "GET /api/v0/monitoring/checks",
        Fault::Status { status: 500, body: None },
    ),
];

#[tokio::test]
async fn an_answer_that_says_the_same_writes_nothing() {
    let (world, operator) = monday().await;
    let (before, hosts_before) = (environments(&world).await.unwrap(), hosts(&world).await.unwrap());
    let causes = Called::of(&world, &operator).await.causes_by_meaning();
    for (name, service, operation, fault) in HARMLESS {
        println!("{name}");
        let from = mark(&world).await;
        strike(&world, service, operation, fault.clone());
        world.looked(3).await.unwrap();
        world.quiet().await.unwrap();
        assert_eq!(columns(&environments(&world).await.unwrap()), columns(&before), "{name}");
        assert_eq!(changed(&hosts_before, &hosts(&world).await.unwrap()), Vec::<String>::new(), "{name}");
        assert_eq!(Called::of(&world, &operator).await.causes_by_meaning(), causes, "{name}");
        assert_eq!(writes_since(&world, from).await, Vec::<String>::new(), "{name}");
        calm(&world);
    }
    operator.stop().await.unwrap();
}

#[tokio::test]
async fn whatever_ec2_answers_nothing_is_called_absent() {
    let (world, operator) = monday().await;
    for trouble in EC2 {
        println!("EC2 is {}", trouble.name);
        nothing_is_called_absent(&world, &operator, trouble, "InventoryFresh").await;
    }
    operator.stop().await.unwrap();
}

#[tokio::test]
async fn whatever_mackerel_answers_nothing_is_called_absent() {
    let (world, operator) = monday().await;
    for trouble in MACKEREL {
        println!("Mackerel is {}", trouble.name);
        nothing_is_called_absent(&world, &operator, trouble, "RegistrationsFresh").await;
    }
    operator.stop().await.unwrap();
}

#[tokio::test]
async fn a_key_of_another_organisation_shows_nothing_that_is_believed() {
    let (world, operator) = monday().await;
    nothing_is_called_absent(&world, &operator, &ANOTHER_ORGANISATION, "RegistrationsFresh").await;
    operator.stop().await.unwrap();
}

async fn monday() -> (World, Operator) {
    let mut world = World::start().await.unwrap();
    let operator = world.operator("rollcall").await.unwrap();
    world.weekend().await.unwrap();
    (world, operator)
}

/// From well to blind and back.
async fn nothing_is_called_absent(world: &World, operator: &Operator, trouble: &Trouble, condition: &str) {
    let name = trouble.name;
    let before = environments(world).await.unwrap();
    let hosts_before = hosts(world).await.unwrap();
    let absences = Called::of(world, operator).await.absences();

    (trouble.begin)(world);
    all_become(world, &format!("{name}: told as blind"), |_, summary| summary.sources != "Fresh")
        .await
        .unwrap();
    // Blind for a while, not only at its beginning.
    world.looked(2).await.unwrap();
    let blind = all_become(world, &format!("{name}: stays blind"), |_, summary| summary.missing == "-")
        .await
        .unwrap();

    for (environment, shown) in &blind {
        let about = format!("{name}: {environment}: {shown:#?}");
        assert_eq!((&*shown.summary.missing, &*shown.summary.ghosts), ("-", "-"), "{about}");
        let (truth, reason, message) = shown.conditions.get(condition).cloned().unwrap_or_default();
        assert_eq!(truth, "False", "{about}");
        assert!(
            trouble.reasons.contains(&reason.as_str()),
            "{about}\n{reason} is none of {:?}",
            trouble.reasons
        );
        assert!(message.len() > 20, "a condition says what failed: {about}");
        assert_eq!(shown.conditions.get("Ready").map(|ready| ready.0.as_str()), Some("True"), "{about}");
        if condition == "InventoryFresh" {
            assert_eq!(shown.summary.hosts, "-", "{about}");
        }
        let invented: Vec<_> = shown
            .missing
            .iter()
            .filter(|(check, missing)| {
                missing.is_some_and(|now| now > before[environment].missing[*check].unwrap_or(0))
            })
            .collect();
        assert!(invented.is_empty(), "{about}: {invented:?}");
    }
    if condition == "RegistrationsFresh" {
        let (truth, reason, _) = registrations_fresh(world).await.unwrap();
        assert_eq!(truth, "False", "{name}: {reason}");
    }
    nobody_is_called_gone(name, &hosts_before, &hosts(world).await.unwrap());
    let called = Called::of(world, operator).await.absences();
    let new: Vec<_> = called.difference(&absences).collect();
    assert!(new.is_empty(), "{name}: called absent: {new:#?}");

    (trouble.end)(world);
    let what = format!("{name}: told as fresh again");
    let healed = all_become(world, &what, |environment, summary| *summary == before[environment].summary)
        .await
        .unwrap();
    assert_eq!(columns(&healed), columns(&before), "{name}");
    world.quiet().await.unwrap();
    assert_eq!(changed(&hosts_before, &hosts(world).await.unwrap()), Vec::<String>::new(), "{name}");
    assert_eq!(Called::of(world, operator).await.absences(), absences, "{name}");
}

fn nobody_is_called_gone(name: &str, before: &Hosts, now: &Hosts) {
    for (id, (state, codes)) in before {
        let (state_now, codes_now) =
            now.get(id).unwrap_or_else(|| panic!("{name}: the Host object of {id} went"));
        assert_eq!(state_now, state, "{name}: {id}");
        let new: Vec<_> = codes_now.difference(codes).collect();
        assert!(new.is_empty(), "{name}: {id}: {new:?}");
    }
    assert_eq!(now.len(), before.len(), "{name}");
}

#[tokio::test]
async fn keys_of_another_account_show_nothing_that_is_believed() {
    let (world, operator) = monday().await;
    operator.stop().await.unwrap();
    (WRONG_ACCOUNT.begin)(&world);
    let before = environments(&world).await.unwrap();
    let hosts_before = hosts(&world).await.unwrap();

    let operator = world.operator("rollcall").await.unwrap();
    let blind = all_become(&world, "told as another account's", |_, s| s.sources.contains("WrongAccount"))
        .await
        .unwrap();
    for (environment, shown) in &blind {
        assert_eq!(shown.summary.hosts, "-", "{environment}: {shown:#?}");
    }
    nobody_is_called_gone("another account", &hosts_before, &hosts(&world).await.unwrap());

    (WRONG_ACCOUNT.end)(&world);
    let healed = all_become(&world, "told as fresh again", |environment, summary| {
        *summary == before[environment].summary
    });
    assert_eq!(columns(&healed.await.unwrap()), columns(&before));
    operator.stop().await.unwrap();
}

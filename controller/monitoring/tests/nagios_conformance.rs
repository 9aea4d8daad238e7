//! The fake Nagios of the demo and the stories is judged by the real one: the same site in both, the same questions, the same
//! answers. Where only times, numbers of processes and words of plugins differ, the kind of what is said must be the same.

// A failing test is its way to speak, its helpers' too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;
#[allow(dead_code, reason = "shared with other tests")]
mod nagios_world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use nagios_world::{World, host, service, unpacked};
use rollcall_engine::reading::{Extent, Reading};
use rollcall_fakes::clock::WorldClock;
use rollcall_fakes::nagios::{CGIS, FakeNagios, Host, Service, ServiceState};
use rollcall_fakes::stage::Stage;
use rollcall_monitoring::endpoint::SystemLookup;
use rollcall_monitoring::http::Http;
use rollcall_monitoring::nagios::{Cgi, Login, NagiosSource, Terms, Told, Way};
use serde_json::Value;

/// Every question that the reader asks, and what it must never be told an answer to.
const QUESTIONS: [&str; 17] = [
    "statusjson.cgi?query=programstatus",
    "objectjson.cgi?query=hostcount",
    "objectjson.cgi?query=servicecount",
    "objectjson.cgi?query=hostlist",
    "objectjson.cgi?query=hostlist&details=true&start=0&count=100000",
    "objectjson.cgi?query=hostlist&details=true&start=1&count=1",
    "objectjson.cgi?query=servicelist",
    "objectjson.cgi?query=servicelist&details=true&start=0&count=100000",
    "objectjson.cgi?query=servicelist&details=true&start=1&count=1",
    "statusjson.cgi?query=hostlist&details=true&start=0&count=100000",
    "statusjson.cgi?query=servicelist",
    "statusjson.cgi?query=servicelist&details=true&start=0&count=100000",
    "statusjson.cgi?query=servicelist&details=true&start=2&count=1",
    "statusjson.cgi?query=downtimelist&details=true",
    "objectjson.cgi?query=contactlist&details=true",
    "statusjson.cgi?query=nosuch",
    "statusjson.cgi",
];

/// Fields whose values are the machine's, or that a plugin words.
const OF_THE_MACHINE: [&str; 18] = [
    "program_start",
    "query_time",
    "last_data_update",
    "nagios_pid",
    "last_update",
    "last_check",
    "next_check",
    "plugin_output",
    "last_time_up",
    "last_time_ok",
    "last_time_warning",
    "last_time_critical",
    "last_time_unknown",
    "last_state_change",
    "last_hard_state_change",
    "latency",
    "execution_time",
    "percent_state_change",
];
/// Further ones that follow from how often each has been checked and told.
const OF_ITS_HISTORY: [&str; 15] = [
    "state_type",
    "last_hard_state",
    "last_time_down",
    "last_time_unreachable",
    "last_notification",
    "next_notification",
    "no_more_notifications",
    "current_notification_number",
    "current_attempt",
    "check_options",
    "entry_time",
    "start_time",
    "end_time",
    "author",
    "comment",
];

/// The site in the real one: a unit of time is a second there, so that intervals are told as the fake's minutes.
fn site() -> String {
    let reported =
        [("active_checks_enabled", "0"), ("check_freshness", "1"), ("freshness_threshold", "3600")];
    let timing = [
        ("check_interval", "5"),
        ("retry_interval", "1"),
        ("max_check_attempts", "3"),
        ("notification_interval", "60"),
    ];
    let with = |more: &[(&'static str, &'static str)]| [&timing[..], more].concat();
    [
        host(
            "web-1",
            &with(&[("address", "10.0.0.1"), ("_INSTANCE_ID", "i-0001"), ("check_command", "check_dummy!0")]),
        ),
        host("web-2", &with(&[("check_command", "check_dummy!0")])),
        service("web-1", "http", "check_dummy!0", &timing),
        service("web-1", "backup", "check_dummy!3!no result", &with(&reported)),
        service("web-2", "http", "check_dummy!2", &timing),
    ]
    .concat()
}

fn fake() -> FakeNagios {
    let fake = FakeNagios::with_user(Stage::new(WorldClock::real()), "rollcall", "s3cret");
    fake.installation.add_user("oncall", "s3cret", false);
    fake.installation.add_user("nobody", "s3cret", false);
    fake.installation.edit(|truth| {
        let http = |command| Service::active("http", command);
        let web = Host::named("web-1").at("10.0.0.1").variable("_INSTANCE_ID", "i-0001");
        let mut web = web.service(http("check_dummy!0")).service(Service::reported("backup", Some(3_600)));
        let mut plain = Host::named("web-2").at("127.0.0.1").service(http("check_dummy!2"));
        for host in [&mut web, &mut plain] {
            "check_dummy!0".clone_into(&mut host.check.command);
        }
        truth.add_host(web).unwrap();
        truth.add_host(plain).unwrap();
        truth.service_turns("web-2", "http", ServiceState::Critical).unwrap();
    });
    fake
}

/// What is compared of an answer: values, and of what is the machine's the kind alone.
fn compared(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let field = |(key, value): (&String, &Value)| {
                let loose = OF_THE_MACHINE.contains(&key.as_str()) || OF_ITS_HISTORY.contains(&key.as_str());
                let value = if loose { kind(value).into() } else { compared(value) };
                (key.clone(), value)
            };
            Value::Object(fields.iter().map(field).collect())
        }
        // The order of a configuration's lists is that of its files.
        Value::Array(list) => {
            let mut list: Vec<Value> = list.iter().map(compared).collect();
            list.sort_by_key(ToString::to_string);
            list.into()
        }
        plain => plain.clone(),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Number(number) if number.is_f64() => "a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Bool(_) => "a switch",
        _ => "something else",
    }
}

/// The answer as it is compared; of an error its head without the help.
fn answer(body: &str) -> Value {
    if body.trim().is_empty() {
        return Value::Null;
    }
    let mut answer: Value = serde_json::from_str(body).unwrap_or_else(|e| panic!("{e}: {body}"));
    if answer["result"]["type_code"] != 0 {
        answer["data"] = Value::Null;
    }
    compared(&answer)
}

async fn all(base: &str, user: &str) -> BTreeMap<&'static str, Value> {
    // Only one provider can be installed, and all tests share the process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::new();
    let mut all = BTreeMap::new();
    for question in QUESTIONS {
        let sent =
            http.get(format!("{base}{question}")).basic_auth(user, Some("s3cret")).send().await.unwrap();
        assert_eq!(sent.status().as_u16(), 200, "{question}");
        all.insert(question, answer(&sent.text().await.unwrap()));
    }
    all
}

/// Both answer alike.
fn agree(real: &BTreeMap<&str, Value>, fake: &BTreeMap<&str, Value>, who: &str) {
    let mut unlike = Vec::new();
    for (question, real) in real {
        differences(real, &fake[question], &format!("{who}: {question}: "), &mut unlike);
    }
    assert!(unlike.is_empty(), "{}", unlike.join("\n"));
}

/// Every place where two values differ.
fn differences(real: &Value, fake: &Value, at: &str, unlike: &mut Vec<String>) {
    match (real, fake) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let of = |map: &serde_json::Map<String, Value>| {
                    map.get(key).cloned().unwrap_or("not there".into())
                };
                differences(&of(a), &of(b), &format!("{at}/{key}"), unlike);
            }
        }
        _ if real == fake => {}
        _ => unlike.push(format!("{at}: the real one says {real}, the fake {fake}")),
    }
}

fn is_complete<T>(reading: &Reading<T>) -> bool {
    matches!(reading.extent, Extent::Complete { .. })
}

fn source(base: &str, terms: Terms) -> NagiosSource {
    let http = Http::new(
        &common::loopback(),
        Arc::new(SystemLookup),
        &common::tls(),
        common::fast(),
        common::hasty(),
    );
    let base = common::loopback().endpoint(base.trim_end_matches('/')).unwrap();
    let cgi = Cgi::new(http.unwrap(), base, Arc::new(Login::new("rollcall", "s3cret").unwrap()));
    NagiosSource::new(Way::Cgi(Box::new(cgi)), terms)
}

#[tokio::test]
async fn the_fake_answers_as_the_real_one_does() {
    let Some(packages) = unpacked() else { return };
    let mut world = World::start(packages, &site()).await;
    world
        .told("all active checks have run", |told| {
            let services = told.services.seen.iter().filter(|service| service.check.active == Some(true));
            let hosts = told.hosts.seen.iter().all(|host| host.check.last_check.is_some());
            hosts
                && services.clone().count() == 2
                && services.clone().all(|one| one.check.last_check.is_some())
        })
        .await;
    let until = Timestamp::now().as_second() + 600;
    world.command("DISABLE_SVC_NOTIFICATIONS;web-1;http");
    world.command(&format!("SCHEDULE_SVC_DOWNTIME;web-1;http;{};{until};1;0;600;me;x", until - 600));
    world
        .told("both are in force", |told| {
            told.services
                .seen
                .iter()
                .any(|one| one.check.in_downtime == Some(true) && one.check.notifications == Some(false))
        })
        .await;

    let fake = fake();
    fake.installation.edit(|truth| {
        truth.notify_of_service("web-1", "http", false).unwrap();
        truth.downtime("web-1", Some("http"), 600).unwrap();
    });
    let server = fake.serve().await.unwrap();
    let (theirs, ours) = (world.cgi_url(), format!("{}{CGIS}", server.url()));
    for user in ["rollcall", "oncall", "nobody"] {
        let mut real = all(&theirs, user).await;
        // The real one has a second contact, for the other tests.
        if let Some(contacts) = real.get_mut("objectjson.cgi?query=contactlist&details=true") {
            contacts["data"]["contactlist"].as_object_mut().unwrap().remove("silent");
        }
        agree(&real, &all(&ours, user).await, user);
    }

    // And the reader makes the same of both.
    let told: [Told; 2] = [
        source(&theirs, World::terms(60)).told(Timestamp::now()).await,
        source(&ours, Terms::default()).told(Timestamp::now()).await,
    ];
    let line = |told: &Told| {
        assert!(
            is_complete(&told.hosts) && is_complete(&told.services) && is_complete(&told.downtimes),
            "{told:#?}"
        );
        let services = told.services.seen.iter().map(|one| {
            let check = &one.check;
            let late = check.is_stale(Timestamp::now());
            format!(
                "{} {} {:?} {late:?} {:?} {:?}",
                one.host, one.name, check.state, check.notifications, check.in_downtime
            )
        });
        let hosts = told
            .hosts
            .seen
            .iter()
            .map(|one| format!("{} {:?} {:?}", one.name, one.variables, one.check.state));
        services.chain(hosts).collect::<Vec<_>>()
    };
    assert_eq!(line(&told[0]), line(&told[1]));

    world.signal("TERM");
    world.until("Nagios has ended", World::has_ended).await;
    fake.installation.stop();
    agree(&all(&theirs, "rollcall").await, &all(&ours, "rollcall").await, "stopped");
}

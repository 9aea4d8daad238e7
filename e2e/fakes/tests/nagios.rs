//! What the fake Nagios answers over HTTP: as the real one did in the fixtures, and each surprise as a story.

// Clippy lets tests unwrap, but not the functions they share.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rollcall_fakes::{
    clock::WorldClock,
    faults::{Fault, Rule},
    nagios::{CGIS, Contact, FakeNagios, Host, SERVICE, Service, ServiceState},
    server::Running,
    stage::Stage,
};
use serde_json::{Value, json};

/// Noon of a Monday.
const NOON: &str = "2026-03-02T12:00:00Z";

struct World {
    fake: FakeNagios,
    server: Running,
    http: reqwest::Client,
}

impl World {
    /// Two hosts, three services, and people: `rollcall` sees all, `oncall` is a contact, `nobody` none.
    async fn new() -> Self {
        let noon: Timestamp = NOON.parse().unwrap();
        let fake = FakeNagios::with_user(Stage::new(WorldClock::frozen_at(noon)), "rollcall", "s3cret");
        for user in ["oncall", "nobody"] {
            fake.installation.add_user(user, "s3cret", false);
        }
        fake.installation.edit(|truth| {
            let reported = Service::reported("backup", Some(600));
            let web = Host::named("web-1").at("10.0.0.1").variable("_INSTANCE_ID", "i-0001");
            truth
                .add_host(web.service(Service::active("http", "check_http!8080")).service(reported))
                .unwrap();
            let mut quiet = Host::named("web-2").service(Service::active("http", "check_http"));
            quiet.check.contact_groups.clear();
            truth.add_host(quiet).unwrap();
        });
        let server = fake.serve().await.unwrap();
        // Only one provider can be installed, and all tests share the process.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { fake, server, http: reqwest::Client::new() }
    }

    /// Status and body of a call, `statusjson.cgi?query=hostlist`.
    async fn ask_as(&self, user: &str, password: &str, call: &str) -> (u16, String) {
        let url = format!("{}{CGIS}{call}", self.server.url());
        let response = self.http.get(url).basic_auth(user, Some(password)).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    async fn ask(&self, call: &str) -> Value {
        let (status, body) = self.ask_as("rollcall", "s3cret", call).await;
        assert_eq!(status, 200, "{call}: {body}");
        serde_json::from_str(&body).unwrap_or_else(|e| panic!("{call}: {e}: {body}"))
    }

    /// A service of the status.
    async fn service(&self, host: &str, service: &str) -> Value {
        self.ask("statusjson.cgi?query=servicelist&details=true").await["data"]["servicelist"][host][service]
            .clone()
    }

    fn pass(&self, seconds: i64) {
        self.fake.stage.clock.advance(SignedDuration::from_secs(seconds));
    }

    fn now(&self) -> i64 {
        self.fake.stage.now().as_second()
    }

    fn strike(&self, operation: &str, fault: Fault) {
        self.fake.stage.faults.clear();
        self.fake.stage.faults.add(Rule::new(SERVICE, operation, fault)).unwrap();
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

/// The fields of an object, with what each holds.
fn fields(object: &Value) -> BTreeMap<String, &'static str> {
    object.as_object().unwrap().iter().map(|(key, value)| (key.clone(), kind(value))).collect()
}

fn fixture(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

macro_rules! fixture {
    ($name:literal) => {
        fixture(include_str!(concat!("../../../controller/monitoring/tests/fixtures/nagios/", $name)))
    };
}

#[tokio::test]
async fn every_answer_has_the_fields_of_the_real_one() {
    let world = World::new().await;
    world.fake.installation.edit(|truth| truth.downtime("web-1", Some("http"), 600)).unwrap();
    let pairs = [
        (
            "objectjson.cgi?query=hostlist&details=true",
            fixture!("objectjson-hostlist-details.json"),
            "/data/hostlist/web-1",
            "/data/hostlist/i-0abc",
        ),
        (
            "objectjson.cgi?query=servicelist&details=true",
            fixture!("objectjson-servicelist-details.json"),
            "/data/servicelist/web-1/http",
            "/data/servicelist/i-0abc/http",
        ),
        (
            "statusjson.cgi?query=servicelist&details=true",
            fixture!("statusjson-servicelist-details.json"),
            "/data/servicelist/web-1/http",
            "/data/servicelist/i-0abc/http",
        ),
        (
            "statusjson.cgi?query=downtimelist&details=true",
            fixture!("statusjson-downtimelist.json"),
            "/data/downtimelist/1",
            "/data/downtimelist/5",
        ),
    ];
    for (call, real, ours, theirs) in pairs {
        let fake = world.ask(call).await;
        assert_eq!(fields(fake.pointer(ours).unwrap()), fields(real.pointer(theirs).unwrap()), "{call}");
        assert_eq!(fields(&fake["result"]), fields(&real["result"]), "{call}");
        assert_eq!(fields(&fake["data"]), fields(&real["data"]), "{call}");
    }
    // That one was taken with names of states for people, which are bits without that option.
    let real = fixture!("statusjson-hostlist-enumerate.json");
    let fake = world.ask("statusjson.cgi?query=hostlist&details=true").await;
    let keys = |object: &Value| object.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(keys(&fake["data"]["hostlist"]["web-1"]), keys(&real["data"]["hostlist"]["i-0abc"]));

    let real = fixture!("statusjson-error-unknown-host.json");
    let fake = world.ask("statusjson.cgi?query=host&hostname=nosuch").await;
    assert_eq!(
        (&fake["result"]["type_code"], &fake["result"]["type_text"]),
        (&json!(6), &real["result"]["type_text"])
    );
}

#[tokio::test]
async fn checks_run_by_the_worlds_time_and_fall_silent() {
    let world = World::new().await;
    let begun = world.now();
    world.pass(3_600 + 17);
    let http = world.service("web-1", "http").await;
    assert_eq!(http["last_check"], json!((begun + 3_600) * 1_000));
    assert_eq!(http["next_check"], json!((begun + 3_900) * 1_000));
    assert_eq!(
        (&http["status"], &http["has_been_checked"], &http["check_type"]),
        (&json!(2), &json!(true), &json!(0))
    );
    assert_eq!(http["last_update"], json!((begun + 3_610) * 1_000), "a status file every ten seconds");

    // Nobody has ever reported the backup, so that Nagios answers for it.
    let backup = world.service("web-1", "backup").await;
    assert_eq!((&backup["status"], &backup["check_type"]), (&json!(8), &json!(0)), "{backup}");
    world.fake.installation.edit(|truth| truth.is_reported("web-1", "backup", 300)).unwrap();
    world.pass(60);
    let backup = world.service("web-1", "backup").await;
    assert_eq!((&backup["status"], &backup["check_type"]), (&json!(2), &json!(1)));

    world.fake.installation.edit(|truth| {
        truth.service_turns("web-1", "http", ServiceState::Critical).unwrap();
        truth.notify_of_service("web-1", "http", false).unwrap();
        truth.falls_silent("web-2", "http").unwrap();
        truth.downtime("web-2", None, 3_600).unwrap();
    });
    let silent = world.service("web-2", "http").await["last_check"].clone();
    world.pass(3_000);
    let http = world.service("web-1", "http").await;
    assert_eq!((&http["status"], &http["notifications_enabled"]), (&json!(16), &json!(false)));
    assert_eq!(world.service("web-2", "http").await["last_check"], silent);
    let hosts = world.ask("statusjson.cgi?query=hostlist&details=true").await["data"]["hostlist"].clone();
    assert_eq!(hosts["web-2"]["scheduled_downtime_depth"], json!(1));
    assert_eq!(
        world.service("web-2", "http").await["scheduled_downtime_depth"],
        json!(0),
        "a host's is none of its services'"
    );
    world.pass(1_000);
    let over = world.ask("statusjson.cgi?query=downtimelist&details=true").await;
    assert_eq!(over["data"]["downtimelist"], json!({}));
}

#[tokio::test]
async fn pages_lists_without_details_and_errors_are_those_of_the_real_one() {
    let world = World::new().await;
    let data = async |call: &str| world.ask(call).await["data"].clone();
    assert_eq!(data("objectjson.cgi?query=hostcount").await, json!({"selectors": {}, "count": 2}));
    assert_eq!(data("objectjson.cgi?query=servicecount").await["count"], json!(3));
    assert_eq!(data("objectjson.cgi?query=hostlist").await["hostlist"], json!(["web-1", "web-2"]));
    let services = data("objectjson.cgi?query=servicelist&start=1&count=1").await;
    assert_eq!(services, json!({"selectors": {"start": 1, "count": 1}, "servicelist": {"web-1": ["http"]}}));
    assert_eq!(data("statusjson.cgi?query=hostlist").await["hostlist"], json!({"web-1": 2, "web-2": 2}));
    let services = data("statusjson.cgi?query=servicelist").await;
    assert_eq!(services["servicelist"]["web-1"], json!({"backup": 1, "http": 2}));
    for (call, code, message) in [
        ("statusjson.cgi?query=nosuch", 6, "The query option value 'nosuch' is invalid."),
        ("statusjson.cgi", 4, "Missing validation for object type 0."),
        ("objectjson.cgi?query=hostlist&count=x", 6, "The count option value is invalid."),
    ] {
        let result = world.ask(call).await["result"].clone();
        assert_eq!(result["type_code"], json!(code), "{call}");
        assert!(result["message"].as_str().unwrap().starts_with(message), "{result}");
    }
    for call in ["cmd.cgi?cmd_typ=24", "status.cgi", ""] {
        assert_eq!(world.ask_as("rollcall", "s3cret", call).await.0, 404, "{call}");
    }
    assert_eq!(world.fake.stage.calls.of(SERVICE, "objectjson.cgi hostlist"), 2);
}

#[tokio::test]
async fn who_asks_decides_what_is_seen() {
    let world = World::new().await;
    for (user, password) in [("rollcall", "wrong"), ("stranger", "s3cret"), ("", "")] {
        assert_eq!(world.ask_as(user, password, "statusjson.cgi?query=programstatus").await.0, 401);
    }
    let seen = async |user: &str, call: &str| -> Value {
        let (status, body) = world.ask_as(user, "s3cret", call).await;
        assert_eq!(status, 200);
        serde_json::from_str::<Value>(&body).unwrap()["data"].clone()
    };
    assert_eq!(seen("oncall", "objectjson.cgi?query=hostcount").await["count"], json!(1));
    assert_eq!(
        seen("oncall", "objectjson.cgi?query=servicelist").await["servicelist"],
        json!({"web-1": ["backup", "http"]})
    );
    assert_eq!(seen("nobody", "objectjson.cgi?query=hostcount").await["count"], json!(0));
    assert_eq!(seen("nobody", "statusjson.cgi?query=hostlist").await["hostlist"], json!({}));
    world.fake.installation.edit(|truth| {
        truth.add_contact("nobody", Contact { of_hosts: true, of_services: false }, &["admins"]);
    });
    assert_eq!(
        seen("nobody", "objectjson.cgi?query=hostcount").await["count"],
        json!(1),
        "a member of the group now"
    );
}

#[tokio::test]
async fn a_dead_one_says_nothing_or_what_it_said_last() {
    let world = World::new().await;
    let begun = world.now();
    world.pass(600);
    let call = "statusjson.cgi?query=hostlist&details=true";
    world.fake.installation.kill();
    world.pass(86_400);
    let left = world.ask(call).await;
    assert_eq!(left["result"]["query_time"], json!(world.now() * 1_000));
    assert_eq!(left["result"]["last_data_update"], json!((begun + 600) * 1_000), "yesterday's file");
    assert_eq!(left["data"]["hostlist"]["web-1"]["last_update"], json!((begun + 600) * 1_000));

    world.fake.installation.start();
    assert_eq!(world.ask(call).await["result"]["program_start"], json!(world.now() * 1_000));
    world.fake.installation.kill_and_copy();
    let killed = world.now();
    world.pass(86_400);
    let copied = world.ask(call).await;
    assert_eq!(copied["result"]["last_data_update"], json!(world.now() * 1_000), "a new file");
    assert_eq!(
        copied["data"]["hostlist"]["web-1"]["last_update"],
        json!(killed * 1_000),
        "with an old content"
    );

    world.fake.installation.stop();
    assert!(!world.fake.installation.runs());
    for call in [call, "statusjson.cgi?query=programstatus", "objectjson.cgi?query=hostcount"] {
        let (status, body) = world.ask_as("rollcall", "s3cret", call).await;
        assert_eq!((status, body.trim()), (200, ""), "{call}");
    }
    assert_eq!(
        world.ask("statusjson.cgi?query=nosuch").await["result"]["type_code"],
        json!(6),
        "who is wrong is told so"
    );
    world.fake.installation.start();
    assert_eq!(world.ask(call).await["data"]["hostlist"].as_object().unwrap().len(), 2);
}

#[tokio::test]
async fn faults_change_what_is_told_and_not_the_truth() {
    let world = World::new().await;
    let hosts = "objectjson.cgi?query=hostlist";
    for (fault, status) in [
        (Fault::Denied, 403),
        (Fault::Status { status: 503, body: None }, 503),
        (Fault::Garbage { body: None }, 200),
    ] {
        world.strike("objectjson.cgi hostlist", fault);
        let (got, body) = world.ask_as("rollcall", "s3cret", hosts).await;
        assert_eq!(got, status);
        assert!(body.contains("<html>"), "a page of the web server: {body}");
    }
    world.strike("objectjson.cgi *", Fault::EmptyAnswer);
    assert_eq!(world.ask(hosts).await["data"]["hostlist"], json!([]));
    assert_eq!(world.ask("objectjson.cgi?query=hostcount").await["data"]["count"], json!(0));
    world.strike("* hostlist", Fault::DropItems { items: 1 });
    assert_eq!(world.ask(hosts).await["data"]["hostlist"], json!(["web-2"]));
    let second = "objectjson.cgi?query=hostlist&start=1&count=1";
    world.strike("* hostlist", Fault::RepeatPage);
    assert_eq!(world.ask(second).await["data"]["hostlist"], json!(["web-1"]));
    world.strike("* hostlist", Fault::SkipPage);
    assert_eq!(world.ask(second).await["data"]["hostlist"], json!([]));
    world.pass(7_200);
    world.strike("*", Fault::StaleRead { seconds: 3_600 });
    let asked = world.ask("statusjson.cgi?query=programstatus").await["result"]["query_time"].clone();
    assert_eq!(asked, json!((world.now() - 3_600) * 1_000), "the answer of a cache");
    world.strike("*", Fault::CutConnection { after_bytes: 100 });
    let url = format!("{}{CGIS}{hosts}", world.server.url());
    let cut = world.http.get(url).basic_auth("rollcall", Some("s3cret")).send().await.unwrap();
    assert!(cut.bytes().await.is_err());
    world.fake.stage.faults.clear();
    assert_eq!(world.ask(hosts).await["data"]["hostlist"], json!(["web-1", "web-2"]));
}

#[tokio::test]
async fn what_nagios_would_not_start_with_is_refused() {
    let world = World::new().await;
    world.fake.installation.edit(|truth| {
        assert!(truth.add_host(Host::named("web-1")).is_err(), "twice");
        assert!(truth.add_host(Host::named("a=b")).is_err(), "an illegal character");
        assert!(truth.add_service("web-1", Service::active("http", "check_http")).is_err(), "twice");
        assert!(truth.add_service("nosuch", Service::active("http", "check_http")).is_err());
        assert!(truth.downtime("web-1", Some("nosuch"), 60).is_err());
        assert_eq!(truth.remove_host("web-2").unwrap().services.len(), 1);
        truth.remove_service("web-1", "backup").unwrap();
    });
    assert_eq!(
        world.ask("objectjson.cgi?query=servicelist").await["data"]["servicelist"],
        json!({"web-1": ["http"]})
    );
}

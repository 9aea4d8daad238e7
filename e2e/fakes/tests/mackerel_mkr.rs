//! The fake judged by unmodified `mkr`: a client that was written against the real Mackerel.

// Clippy lets tests unwrap, but not the functions they share.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "mackerel/tools.rs"]
mod tools;

use std::{
    path::PathBuf,
    process::{Output, Stdio},
};

use rollcall_fakes::{
    clock::WorldClock,
    mackerel::{
        AwsResource, CheckStatus, FakeMackerel, HostParam, HostStatus, Kind, Org, Outcome, Rights, Truth,
        text,
    },
    server::Running,
    stage::Stage,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::Command,
};

const KEY: &str = "mkr-key";

/// A fake Mackerel and a desk to run `mkr` at.
struct Desk {
    fake: FakeMackerel,
    org: Org,
    server: Running,
    place: PathBuf,
}

impl Desk {
    async fn new(test: &str) -> Self {
        let (fake, org) = FakeMackerel::with_org(Stage::new(WorldClock::real()), "acme", KEY);
        let server = fake.serve().await.unwrap();
        Self { fake, org, server, place: tools::workplace(test) }
    }

    fn set<R>(&self, change: impl FnOnce(&mut Truth) -> Outcome<R>) -> R {
        self.org.edit(change).unwrap()
    }

    fn now(&self) -> i64 {
        self.fake.stage.now().as_second()
    }

    async fn run(&self, key: &str, arguments: &[&str], input: &str) -> Output {
        let mut mkr = Command::new(tools::folder().join("mkr"))
            .args(["--conf", "none.conf", "--apibase", &self.server.url()])
            .args(arguments)
            .env("MACKEREL_APIKEY", key)
            .current_dir(&self.place)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdin = mkr.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).await.unwrap();
        drop(stdin);
        mkr.wait_with_output().await.unwrap()
    }

    /// What `mkr` prints when it succeeds.
    async fn mkr(&self, arguments: &[&str]) -> String {
        let output = self.run(KEY, arguments, "").await;
        assert!(output.status.success(), "mkr {arguments:?}: {}", told(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    async fn json(&self, arguments: &[&str]) -> Value {
        let printed = self.mkr(arguments).await;
        serde_json::from_str(&printed).unwrap_or_else(|e| panic!("mkr {arguments:?}: {e}: {printed}"))
    }

    /// The exit code and all that was printed.
    async fn code(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(KEY, arguments, "").await;
        (output.status.code().unwrap(), told(&output))
    }
}

/// All that a program printed.
fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn names(hosts: &Value) -> Vec<&str> {
    hosts.as_array().unwrap().iter().map(|h| h["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn keys_and_refusals_are_understood() {
    let desk = Desk::new("mkr-keys").await;
    assert_eq!(desk.json(&["org"]).await, json!({"name": "acme"}));
    desk.fake.add_key("acme", "reader", Rights::Read);
    let host = desk.set(|t| t.add_host(&HostParam::named("web1")));
    for (key, arguments, words) in [
        ("stolen", &["org"][..], "Authentication failed"),
        ("reader", &["retire", "--force", &host], "permission"),
        (KEY, &["status", "2nowhere000"], "Host Not Found"),
    ] {
        let output = desk.run(key, arguments, "").await;
        let told = told(&output);
        assert!(!output.status.success() && told.contains(words), "{arguments:?}: {told}");
    }
}

#[tokio::test]
async fn hosts_are_created_listed_updated_and_retired() {
    let desk = Desk::new("mkr-hosts").await;
    let create =
        ["create", "--status", "standby", "-R", "Shop:web", "--customIdentifier", "i-0a.ec2.amazonaws.com"];
    desk.mkr(&[&create[..], &["--memo", "by hand", "web1"]].concat()).await;
    desk.mkr(&["create", "--status", "poweroff", "off"]).await;
    desk.mkr(&["create", "-R", "Shop:db", "db1"]).await;

    assert_eq!(names(&desk.json(&["hosts"]).await), ["web1", "db1"], "power-off is hidden");
    let all = ["--st", "working", "--st", "standby", "--st", "maintenance", "--st", "poweroff"];
    let hosts = desk.json(&[&["hosts", "-v"], &all[..]].concat()).await;
    assert_eq!(names(&hosts), ["web1", "off", "db1"]);
    assert_eq!(
        (&hosts[0]["customIdentifier"], &hosts[0]["memo"]),
        (&json!("i-0a.ec2.amazonaws.com"), &json!("by hand"))
    );
    assert_eq!((&hosts[0]["status"], &hosts[0]["size"]), (&json!("standby"), &json!("standard")));
    assert_eq!(names(&desk.json(&["hosts", "-s", "Shop", "-r", "db"]).await), ["db1"]);
    assert_eq!(names(&desk.json(&["hosts", "-n", "web1"]).await), ["web1"]);

    let id = |n: usize| hosts[n]["id"].as_str().unwrap();
    desk.mkr(&["update", "--st", "maintenance", "-R", "Blog:web", id(2)]).await;
    let roles = |host: usize| desk.org.truth().host(id(host)).unwrap().roles.clone();
    assert_eq!(desk.org.truth().host(id(2)).unwrap().status, HostStatus::Maintenance);
    assert_eq!(roles(2).len(), 2, "roles are added");
    desk.mkr(&["update", "-o", "-R", "Blog:db", id(2)]).await;
    assert_eq!(roles(2).into_iter().collect::<Vec<_>>(), [("Blog".into(), vec!["db".into()])], "or replaced");

    let (code, told) = desk.code(&["retire", "--force", id(0), "2nowhere000", id(1)]).await;
    assert_ne!(code, 0, "it dies at the first error: {told}");
    assert_eq!(names(&desk.json(&[&["hosts"], &all[..]].concat()).await), ["off", "db1"]);
    assert_eq!(desk.json(&["status", "-v", id(0)]).await["isRetired"], true);
}

/// The trap that Rollcall must not fall into: what an innocent note does to an agent's host.
#[tokio::test]
async fn a_memo_by_mkr_costs_a_host_its_checks_and_its_identifier() {
    let desk = Desk::new("mkr-memo").await;
    let id = desk.set(|t| t.add_host(&HostParam::ec2("web1", "i-0a").roles(&["Shop:web"]).checks(&["ntp"])));
    desk.set(|t| t.check_turns(&id, "ntp", CheckStatus::Ok, "OK"));
    desk.mkr(&["update", "--memo", "please keep", &id]).await;
    let truth = desk.org.truth();
    let host = truth.host(&id).unwrap();
    assert_eq!((host.memo.as_str(), host.checks.len(), &host.custom_identifier), ("please keep", 0, &None));
    assert!(host.has_role("Shop", "web") && host.meta.contains_key("cloud"));
}

#[tokio::test]
async fn metrics_are_thrown_and_fetched() {
    let desk = Desk::new("mkr-metrics").await;
    let id = desk.set(|t| t.add_host(&HostParam::named("web1").roles(&["Shop:web"])));
    let line = format!("demo.value\t42\t{}\n", desk.now());
    for target in [["--host", &id], ["--service", "Shop"]] {
        let thrown = desk.run(KEY, &[&["throw"], &target[..]].concat(), &line).await;
        assert!(thrown.status.success(), "{}", told(&thrown));
    }
    let fetched = desk.json(&["fetch", "-n", "custom.demo.value", "-n", "loadavg5", &id]).await;
    assert_eq!(
        (&fetched[&id]["custom.demo.value"]["value"], &fetched[&id]["loadavg5"]),
        (&json!(42), &Value::Null)
    );
    let from = (desk.now() - 600).to_string();
    let host = desk.json(&["metrics", "-H", &id, "-n", "custom.demo.value", "--from", &from]).await;
    let service = desk.json(&["metrics", "-s", "Shop", "-n", "demo.value", "--from", &from]).await;
    assert_eq!((host[0]["value"].clone(), service[0]["value"].clone()), (json!(42), json!(42)));
    assert_eq!(desk.json(&["metric-names", "-H", &id]).await, json!(["custom.demo.value"]));
    let (code, told) = desk.code(&["metrics", "-H", &id, "-n", "loadavg5", "--from", &from]).await;
    assert!(code != 0 && told.contains("Metric Not Found"), "{told}");
}

#[tokio::test]
async fn monitors_are_pulled_compared_and_pushed() {
    let desk = Desk::new("mkr-monitors").await;
    desk.set(|t| t.add_host(&HostParam::named("web1").roles(&["Shop:web"])));
    for rule in [
        json!({"type": "host", "name": "load", "metric": "loadavg5", "operator": ">", "duration": 3, "critical": 9, "warning": null, "scopes": ["Shop: web"]}),
        json!({"type": "external", "name": "site", "url": "https://example.com", "dualstack": "ipv6"}),
        json!({"type": "service", "name": "orders", "service": "Shop", "metric": "orders", "operator": "<", "duration": 1, "warning": 1}),
        json!({"type": "query", "name": "q", "query": "up", "operator": ">", "critical": 1}),
        json!({"type": "expression", "name": "x", "expression": "avg(role(Shop:web, loadavg5))", "operator": ">", "critical": 1}),
        json!({"type": "anomalyDetection", "name": "odd", "scopes": ["Shop:web"], "warningSensitivity": "normal"}),
    ] {
        desk.set(|t| t.add_monitor(rule));
    }
    desk.mkr(&["monitors", "pull", "-F", "monitors.json"]).await;
    assert_eq!(desk.code(&["monitors", "diff", "-e", "-F", "monitors.json"]).await.0, 0);

    let file = desk.place.join("monitors.json");
    let edited =
        std::fs::read_to_string(&file).unwrap().replace("https://example.com", "https://example.org");
    std::fs::write(&file, edited).unwrap();
    assert_eq!(desk.code(&["monitors", "diff", "-e", "-F", "monitors.json"]).await.0, 1);
    desk.mkr(&["monitors", "push", "-d", "-F", "monitors.json"]).await;
    let site =
        || desk.org.truth().monitors().into_iter().find(|m| text(m, "name") == "site").unwrap().clone();
    assert_eq!(text(&site(), "url"), "https://example.com", "a dry run");
    desk.mkr(&["monitors", "push", "-F", "monitors.json"]).await;
    assert_eq!(text(&site(), "url"), "https://example.org");
    assert_eq!(site().get("dualstack"), None, "mkr does not know the field, and so it is reset");
    assert_eq!(desk.code(&["monitors", "diff", "-e", "-F", "monitors.json"]).await.0, 0);

    std::fs::write(&file, r#"{"monitors": [{"type": "connectivity", "name": "only"}]}"#).unwrap();
    desk.mkr(&["monitors", "push", "-F", "monitors.json"]).await;
    let left: Vec<_> = desk.org.truth().monitors().iter().map(|m| text(m, "name").to_owned()).collect();
    assert_eq!(left, ["only"], "push deletes every rule that the file does not name");
}

#[tokio::test]
async fn a_monitor_of_a_new_type_is_lost_on_mkr_but_served() {
    let desk = Desk::new("mkr-future").await;
    let future = json!({"type": "otelFuture", "name": "later"});
    desk.org.edit(|t| t.plant_monitor(future.as_object().cloned().unwrap()));
    let listed = desk.json(&["monitors"]).await;
    assert_eq!((listed.as_array().unwrap().len(), desk.org.truth().monitors().len()), (1, 2));
}

#[tokio::test]
async fn alerts_are_listed_over_pages_closed_and_explained() {
    let desk = Desk::new("mkr-alerts").await;
    let ids: Vec<_> =
        (0..103).map(|n| desk.set(|t| t.add_host(&HostParam::named(&format!("web{n}"))))).collect();
    for id in &ids {
        desk.set(|t| t.check_turns(id, "disk", CheckStatus::Critical, "full"));
    }
    let alerts = desk.json(&["alerts"]).await;
    assert_eq!(alerts.as_array().unwrap().len(), 103);
    let id = alerts[0]["id"].as_str().unwrap();
    desk.mkr(&["alerts", "close", "--reason", "emptied", id]).await;
    assert_eq!(desk.json(&["alerts"]).await.as_array().unwrap().len(), 102);
    let logs = desk.json(&["alerts", "logs", id]).await;
    assert_eq!((&logs[0]["trigger"], &logs[1]["trigger"]), (&json!("manual"), &json!("monitoring")));
    let listed = desk.mkr(&["alerts", "list"]).await;
    assert!(listed.contains(" full web1 working"), "{listed}");
}

#[tokio::test]
async fn a_wrapped_job_reports_a_check_that_nobody_registered() {
    let desk = Desk::new("mkr-wrap").await;
    let id = desk.set(|t| t.add_host(&HostParam::named("batch")));
    let (code, _) = desk.code(&["wrap", "--host", &id, "--name", "nightly", "--", "false"]).await;
    assert_eq!(code, 1, "the job's own code");
    let truth = desk.org.truth();
    let check = &truth.host(&id).unwrap().checks[0];
    assert_eq!(
        (check.name.as_ref(), check.report.as_ref().unwrap().status),
        ("nightly", CheckStatus::Critical)
    );
}

#[tokio::test]
async fn services_channels_annotations_and_integrations_are_read() {
    let desk = Desk::new("mkr-settings").await;
    desk.set(|t| t.add_host(&HostParam::named("web1").roles(&["Shop:web"])));
    assert_eq!(desk.json(&["services"]).await, json!([{"name": "Shop", "memo": "", "roles": ["web"]}]));

    let hook =
        json!({"type": "webhook", "name": "hook", "url": "http://example.com", "events": ["hostRetire"]});
    desk.set(|t| t.add_document(Kind::Channels, hook));
    assert_eq!(names(&desk.json(&["channels"]).await), ["hook"]);

    let span = ["--from", "100", "--to", "200", "--service", "Shop"];
    let create = [&["annotations", "create", "--title", "retired", "--role", "web"], &span[..]].concat();
    let made = desk.json(&create).await;
    let listed = desk.json(&[&["annotations", "list"], &span[..]].concat()).await;
    assert_eq!((&listed[0]["id"], &listed[0]["roles"]), (&made["id"], &json!(["web"])));
    desk.mkr(&["annotations", "delete", "--id", made["id"].as_str().unwrap()]).await;
    assert!(desk.org.truth().documents(Kind::Annotations).is_empty());

    let services =
        json!({"EC2": {"enable": true, "role": null, "excludedMetrics": [], "retireAutomatically": true}});
    desk.set(|t| t.add_integration(json!({"name": "prod", "region": "eu-west-1", "services": services})));
    desk.org.edit(|t| t.aws_resource_appears(AwsResource::ec2("eu-west-1", "i-0a")));
    let integrations = desk.json(&["aws-integrations"]).await;
    assert_eq!(integrations[0]["services"]["EC2"]["retireAutomatically"], true);
    assert_eq!(integrations[0]["services"]["Route 53"]["enable"], false);
}

#[tokio::test]
async fn the_standalone_fake_serves_until_it_is_interrupted() {
    let mut fake = Command::new(env!("CARGO_BIN_EXE_fake-mackerel"))
        .args(["--api-key", "by-hand", "--org", "standalone"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(fake.stdout.take().unwrap()).lines();
    let url = lines.next_line().await.unwrap().unwrap();
    let mkr = tools::folder().join("mkr");
    let org =
        Command::new(mkr).args(["--apibase", &url, "org"]).env("MACKEREL_APIKEY", "by-hand").output().await;
    assert!(told(&org.unwrap()).contains("standalone"));
    let interrupt = format!("kill -INT {}", fake.id().unwrap());
    assert!(Command::new("sh").args(["-c", &interrupt]).status().await.unwrap().success());
    assert!(fake.wait().await.unwrap().success());
}

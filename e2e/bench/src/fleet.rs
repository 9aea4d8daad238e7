//! A big fleet in order: one account and region, one Mackerel organisation, 200 environments, 50 checks.
//!
//! One account and region is the worst case for EC2's token buckets, and one organisation for the length of a list.

use anyhow::{Context, Result};
use jiff::SignedDuration;
use rollcall_fakes::aws::Launch;
use rollcall_fakes::mackerel::{AgentConf, HostParam, Rights};
use rollcall_harness::world::World;
use serde_json::{Value, json};

/// Where all hosts are.
pub const ACCOUNT: &str = "300000000003";
/// The one region.
pub const REGION: &str = "ap-northeast-1";
/// Organisation in the fake Mackerel, and `account` of its calls.
pub const ORGANISATION: &str = "big";
/// The operator's own namespace.
pub const HOME: &str = "rollcall";
/// Environments.
pub const ENVIRONMENTS: usize = 200;

const TEAM: &str = "big";
const ACCESS_KEY: &str = "AKIAROLLCALLBIGFLEET";
const API_KEY: &str = "big-mackerel-key";
const CHECKS: usize = 50;
const DUTIES: [&str; 6] = ["app", "batch", "git", "search", "proxy", "log"];
/// Older than any settling.
const AGE_HOURS: i64 = 24 * 60;

/// Every fifth check is a metric with a monitor over all hosts; the others are run by the agent.
fn is_metric(check: usize) -> bool {
    check.is_multiple_of(5)
}

fn duty(host: usize) -> &'static str {
    DUTIES.get(host % DUTIES.len()).copied().unwrap_or("app")
}

/// Launches the hosts in the fake EC2 and has an agent register each in the fake Mackerel.
///
/// # Errors
/// When a fake refuses.
pub async fn launch(world: &World, hosts: usize) -> Result<()> {
    let account = world.fleet.aws.account(ACCOUNT);
    account.add_key("rollcall-observe", ACCESS_KEY);
    let region = account.region(REGION);
    let launched = world.stage().clock.now() - SignedDuration::from_hours(AGE_HOURS);
    let checks: Vec<String> =
        (0..CHECKS).filter(|c| !is_metric(*c)).map(|c| format!("check-{c:02}")).collect();
    let checks: Vec<&str> = checks.iter().map(String::as_str).collect();
    let organisation = world.fleet.mackerel.org(ORGANISATION);
    world.fleet.mackerel.add_key(ORGANISATION, API_KEY, Rights::Read);
    for host in 0..hosts {
        let environment = format!("env-{:03}", host % ENVIRONMENTS);
        let name = format!("{environment}-{}-{host}", duty(host));
        let launch = Launch::of("m5.large")
            .tag("Name", &name)
            .tag("Env", &environment)
            .tag("Role", duty(host))
            .launched_at(launched);
        let id = region.launch(&launch)?.into_iter().next();
        let id = id.with_context(|| format!("{name} was not launched"))?;
        organisation.edit(|truth| -> Result<()> {
            let id = truth.add_host(&HostParam::ec2(&name, &id))?;
            Ok(truth.agent_starts(&id, AgentConf::new(&[&format!("Big:{}", duty(host))], &checks))?)
        })?;
        // So that Ctrl-C is heard meanwhile.
        tokio::task::yield_now().await;
    }
    organisation.edit(|truth| -> Result<()> {
        for check in (0..CHECKS).filter(|check| is_metric(*check)) {
            let name = format!("metric-{check:02}");
            let metric = format!("custom.metric{check:02}");
            truth.add_monitor(json!({"type": "host", "name": name, "metric": metric, "duration": 3,
                "operator": ">", "warning": 80, "critical": 90}))?;
        }
        Ok(())
    })
}

/// The custom resources and Secrets of that fleet.
#[must_use]
pub fn objects(mackerel_url: &str) -> Vec<Value> {
    let namespace = |name: &str| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"team": name}}});
    let secret = |namespace: &str, name: &str, data: Value| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "stringData": data});
    let mut all = vec![
        namespace(HOME),
        namespace(TEAM),
        secret(
            HOME,
            "aws-big",
            json!({"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": "unchecked"}),
        ),
        secret(TEAM, "mackerel", json!({"api-key": API_KEY})),
        ours(
            "CloudAccount",
            None,
            ACCOUNT_NAME,
            json!({"accountID": ACCOUNT, "regions": [REGION],
            "observe": {"secretRef": {"name": "aws-big"}},
            "grants": [{"namespaceSelector": {"matchLabels": {"team": TEAM}}}]}),
        ),
        ours(
            "MonitoringSystem",
            Some(TEAM),
            "mackerel",
            json!({"mackerel":
            {"apiURL": mackerel_url, "apiKeySecret": {"name": "mackerel", "key": "api-key"}}}),
        ),
        ours("HostRole", Some(TEAM), "linux", json!({"type": "Trait"})),
    ];
    all.extend(DUTIES.iter().map(|duty| {
        ours(
            "HostRole",
            Some(TEAM),
            duty,
            json!({"type": "Duty", "includes": ["linux"], "mackerel": {"roles": [duty]}}),
        )
    }));
    all.extend((0..CHECKS).map(check));
    all.extend((0..ENVIRONMENTS).map(environment));
    all
}

const ACCOUNT_NAME: &str = "big";

#[allow(clippy::needless_pass_by_value, reason = "callers write it in place")]
fn ours(kind: &str, namespace: Option<&str>, name: &str, spec: Value) -> Value {
    let mut metadata = json!({"name": name});
    if let (Some(namespace), Some(metadata)) = (namespace, metadata.as_object_mut()) {
        metadata.insert("namespace".to_owned(), json!(namespace));
    }
    json!({"apiVersion": "rollcall.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec})
}

fn check(number: usize) -> Value {
    let look = if is_metric(number) {
        json!({"system": "mackerel", "hostMetric": {"metric": format!("custom.metric{number:02}"), "thresholdAtMost": 95}})
    } else {
        json!({"system": "mackerel", "check": {"name": format!("check-{number:02}")}})
    };
    ours(
        "RequiredCheck",
        Some(TEAM),
        &format!("check-{number:02}"),
        json!({"appliesTo": {"roles": ["linux"]},
        "why": "It broke once.", "watched": {"by": [look]}}),
    )
}

/// The environments once more, all of which ask who is unused.
#[must_use]
pub fn asking() -> Vec<Value> {
    let mut all: Vec<Value> = (0..ENVIRONMENTS).map(environment).collect();
    for spec in all.iter_mut().filter_map(|environment| environment["spec"].as_object_mut()) {
        spec.insert("lean".to_owned(), json!({"enforcement": "Flag"}));
    }
    all
}

fn environment(number: usize) -> Value {
    let name = format!("env-{number:03}");
    ours(
        "Environment",
        Some(TEAM),
        &name,
        json!({"accounts": [{"name": ACCOUNT_NAME}], "owner": {"name": "sre"},
        "selector": {"anyOf": [{"matchTags": {"Env": [name]}}]},
        "roles": {"fromTag": {"key": "Role", "separator": "/"}},
        "monitoring": [{"system": "mackerel", "service": "Big", "hosts": "All"}]}),
    )
}

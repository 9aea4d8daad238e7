//! The fake judged by an unmodified `mackerel-agent`: it registers, reports, stops and retires.
//!
//! The agent measures processor use over a minute before it posts anything, so the first story takes over one.

// Clippy lets tests unwrap, but not the functions they share.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "mackerel/tools.rs"]
mod tools;

use std::{
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rollcall_fakes::{
    clock::WorldClock,
    mackerel::{CheckStatus, FakeMackerel, Host, HostParam, HostStatus, Org, Owner, SERVICE, Truth},
    server::Running,
    stage::Stage,
};
use serde_json::json;
use tokio::process::{Child, Command};

const KEY: &str = "agent-key";
/// The agent waits up to half a minute before its first work, by its host's id; in this organisation the first host waits one second.
const QUICK_ORG: &str = "edge";
/// Longer than the agent takes for anything.
const PATIENCE: Duration = Duration::from_secs(150);

/// A machine with an agent's configuration, and the fake that it talks to.
struct Machine {
    fake: FakeMackerel,
    org: Org,
    _server: Running,
    place: PathBuf,
}

impl Machine {
    async fn new(test: &str, configuration: &str) -> Self {
        let (fake, org) = FakeMackerel::with_org(Stage::new(WorldClock::real()), QUICK_ORG, KEY);
        let server = fake.serve().await.unwrap();
        let place = tools::workplace(test);
        let (url, root) = (server.url(), place.display());
        let base = format!(
            "apikey = \"{KEY}\"\napibase = \"{url}\"\nroot = \"{root}\"\npidfile = \"{root}/pid\"\ncloud_platform = \"none\"\n"
        );
        std::fs::write(place.join("agent.conf"), base + configuration).unwrap();
        Self { fake, org, _server: server, place }
    }

    /// Starts `mackerel-agent`, with a subcommand or as the agent itself.
    fn agent(&self, arguments: &[&str]) -> Child {
        let log = std::fs::File::options().create(true).append(true).open(self.log()).unwrap();
        Command::new(tools::folder().join("mackerel-agent"))
            .args(arguments)
            .args(["-conf".as_ref(), self.place.join("agent.conf").as_os_str()])
            // It remembers what plugins said between runs, and would not say it again.
            .env("MACKEREL_PLUGIN_WORKDIR", &self.place)
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    fn log(&self) -> PathBuf {
        self.place.join("agent.log")
    }

    fn logged(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// Waits until the truth is as described, and says what the agent said when it does not come true.
    async fn until<R>(&self, what: &str, holds: impl Fn(&Truth) -> Option<R>) -> R {
        let begun = Instant::now();
        loop {
            if let Some(found) = holds(&self.org.truth()) {
                return found;
            }
            assert!(begun.elapsed() < PATIENCE, "never came true: {what}\n{}", self.logged());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn ended(&self, mut agent: Child) -> ExitStatus {
        let ended = tokio::time::timeout(PATIENCE, agent.wait()).await;
        ended.unwrap_or_else(|_| panic!("the agent does not end\n{}", self.logged())).unwrap()
    }

    async fn stop(&self, agent: Child) -> ExitStatus {
        let id = agent.id().unwrap();
        let kill = ["-c".to_owned(), format!("kill -TERM {id}")];
        assert!(std::process::Command::new("sh").args(kill).status().unwrap().success());
        self.ended(agent).await
    }

    fn id_file(&self) -> PathBuf {
        self.place.join("id")
    }
}

const FULL: &str = r#"
roles = ["Shop: web", "Shop:batch"]
display_name = "The web server"
[host_status]
on_start = "standby"
on_stop = "poweroff"
[plugin.checks.broken]
command = "echo it is broken; exit 2"
memo = "always broken"
[plugin.checks.calm]
command = "echo all is well"
[plugin.checks.elsewhere]
command = "echo slow query; exit 1"
custom_identifier = "orders.abc.rds.amazonaws.com"
[plugin.metrics.demo]
command = "echo \"demo.value\t7\t$(date +%s)\""
[plugin.metadata.inventory]
command = "echo '{\"rack\": 1}'"
"#;

fn status(host: &Host, check: &str) -> Option<CheckStatus> {
    host.checks.iter().find(|c| c.name.as_ref() == check)?.report.as_ref().map(|r| r.status)
}

#[tokio::test]
async fn an_agent_lives_its_life() {
    let machine = Machine::new("agent-life", FULL).await;
    let agent = machine.agent(&[]);
    let id = machine.until("the host is registered", |t| t.hosts().next().map(|h| h.id.clone())).await;
    machine
        .until("its status is set", |t| (t.host(&id).ok()?.status == HostStatus::Standby).then_some(()))
        .await;
    let failing = |t: &Truth| status(t.host(&id).ok()?, "broken").filter(|s| *s == CheckStatus::Critical);
    machine.until("its failing check is reported", failing).await;
    let truth = machine.org.truth();
    let host = truth.host(&id).unwrap();
    assert_eq!(host.roles["Shop"], ["batch", "web"]);
    assert_eq!(host.display_name.as_deref(), Some("The web server"));
    let checks: Vec<_> = host.checks.iter().map(|c| c.name.as_ref()).collect();
    assert_eq!(checks, ["broken", "calm"], "a check for another host is not in the list");
    assert!(
        host.meta.contains_key("memory")
            && !host.meta.contains_key("cloud")
            && host.custom_identifier.is_none()
    );
    let now = machine.fake.stage.now().as_second();
    let seen = truth.monitored_statuses(&id, now).unwrap();
    let detail = json!({"type": "check", "message": "it is broken\n", "memo": "always broken"});
    assert!(seen.iter().any(|s| s["status"] == "CRITICAL" && s["detail"] == detail), "{seen:?}");
    assert_eq!(truth.alerts().count(), 1, "the failing check alarms");

    let owner = Owner::Host(id.clone());
    let metadata = |t: &Truth| t.read_metadata(&owner, "inventory", now).ok().map(|e| e.value.clone());
    assert_eq!(machine.until("its metadata is written", metadata).await, json!({"rack": 1}));
    let posted = |t: &Truth| {
        let host = t.host(&id).ok()?;
        let at = |name: &str| host.latest(name, i64::MAX);
        at("loadavg5").and(at("memory.total")).and(at("custom.demo.value"))
    };
    assert!((machine.until("its metrics arrive", posted).await.value - 7.0).abs() < f64::EPSILON);
    let calm = |t: &Truth| status(t.host(&id).ok()?, "calm").filter(|s| *s == CheckStatus::Ok);
    machine.until("its calm check is reported with the minute", calm).await;

    assert!(machine.stop(agent).await.success(), "{}", machine.logged());
    assert_eq!(machine.org.truth().host(&id).unwrap().status, HostStatus::Poweroff, "set on a proper stop");
    assert_eq!(std::fs::read_to_string(machine.id_file()).unwrap().trim(), id);

    assert!(machine.ended(machine.agent(&["retire", "-force"])).await.success(), "{}", machine.logged());
    assert!(machine.org.truth().host(&id).unwrap().is_retired());
    assert!(!machine.id_file().exists());
    let refused: Vec<_> =
        machine.fake.stage.calls.counts().into_iter().filter(|c| !c.error.is_empty()).collect();
    assert!(refused.is_empty(), "the fake refused what the agent asks: {refused:?}");
}

#[tokio::test]
async fn a_known_id_is_adopted_and_checks_of_other_hosts_find_them() {
    let rds = "[plugin.checks.slow]\ncommand = \"echo slow; exit 1\"\ncustom_identifier = \"orders.rds\"\n";
    let machine = Machine::new("agent-adopts", rds).await;
    let mine = machine.org.edit(|t| t.add_host(&HostParam::named("old-name").roles(&["Shop:db"]))).unwrap();
    let orders = HostParam::named("orders").custom_identifier("orders.rds");
    let orders = machine.org.edit(|t| t.add_host(&orders)).unwrap();
    machine.org.edit(|t| t.set_status(&orders, HostStatus::Maintenance)).unwrap();
    std::fs::write(machine.id_file(), &mine).unwrap();
    let agent = machine.agent(&[]);
    let renamed = |t: &Truth| (t.host(&mine).ok()?.name != "old-name").then_some(());
    machine.until("the agent takes the host over", renamed).await;
    let slow = |t: &Truth| status(t.host(&orders).ok()?, "slow").filter(|s| *s == CheckStatus::Warning);
    machine.until("the check reports for a host in maintenance", slow).await;
    let truth = machine.org.truth();
    assert_eq!(truth.hosts().count(), 2, "nothing was registered anew");
    assert!(truth.host(&mine).unwrap().has_role("Shop", "db"), "roles that people gave stay");
    assert!(machine.stop(agent).await.success());
}

#[tokio::test]
async fn a_copied_id_file_is_refused_by_the_agent_itself() {
    let machine = Machine::new("agent-copied", "").await;
    let id = machine.org.edit(|t| t.add_host(&HostParam::ec2("original", "i-0a"))).unwrap();
    std::fs::write(machine.id_file(), &id).unwrap();
    assert!(!machine.ended(machine.agent(&[])).await.success());
    assert!(machine.logged().contains("custom identifiers mismatch"), "{}", machine.logged());
}

#[tokio::test]
async fn an_agent_goes_on_with_the_id_of_a_retired_host() {
    let machine = Machine::new("agent-dead-id", "").await;
    let id = machine.org.edit(|t| t.add_host(&HostParam::named("web1"))).unwrap();
    machine.org.edit(|t| t.retire(&id)).unwrap();
    std::fs::write(machine.id_file(), &id).unwrap();
    let agent = machine.agent(&[]);
    let calls = machine.fake.stage.calls.clone();
    let updated = move |_: &Truth| (calls.of(SERVICE, "PUT /api/v0/hosts/{id}") > 0).then_some(());
    machine.until("it updates its host, in vain", updated).await;
    assert!(machine.stop(agent).await.success(), "{}", machine.logged());
    let truth = machine.org.truth();
    assert_eq!((truth.hosts().count(), truth.host(&id).unwrap().name.as_str()), (1, "web1"));
}

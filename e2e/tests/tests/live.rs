//! One look without an operator: the binary reads the fakes as the custom resources in files say, with keys from a folder or from
//! its environment. What it cannot read it does not know.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test speaks by panicking"
)]

use std::fs;
use std::path::Path;

use anyhow::Result;
use rollcall_backlog::{Backlog, LIBRARY, MACKEREL_KEY, NAGIOS_PASSWORD, NAGIOS_USER, access_key, folder};
use rollcall_engine::reading::Extent;
use rollcall_engine::recording::Recording;
use rollcall_fakes::clock::WorldClock;
use rollcall_fakes::nagios::{CGIS, FakeNagios};
use rollcall_fakes::server::Running;
use rollcall_fakes::stage::Stage;
use rollcall_harness::operator::binary;
use tokio::process::Command;

const PROD: &str = "123456789012";
const DEV: &str = "210987654321";
/// What the fake calls the first team's organisation.
const ORGANIZATION: &str = "backlog";

/// The first team's tree and fakes, and a folder to work in.
struct Team {
    fleet: Backlog,
    aws: Running,
    _mackerel: Running,
    _nagios: Running,
    folder: tempfile::TempDir,
}

async fn team() -> Result<Team> {
    let mut fleet = Backlog::two_days_ago()?;
    fleet.old_hosts_leave()?;
    fleet.monday_morning();
    let (aws, mackerel) = (fleet.aws.serve().await?, fleet.mackerel.serve().await?);
    // One look goes by the machine's clock, and a Nagios whose status is of another day is a dead one.
    let alive = FakeNagios::with_user(Stage::new(WorldClock::real()), NAGIOS_USER, NAGIOS_PASSWORD);
    let configured = fleet.nagios.installation.truth();
    alive.installation.edit(|truth| configured.hosts().cloned().try_for_each(|host| truth.add_host(host)))?;
    let nagios = alive.serve().await?;
    let work = tempfile::tempdir()?;
    copy(&folder(), &work.path().join("tree"), &mackerel.url(), &format!("{}{CGIS}", nagios.url()))?;
    Ok(Team { fleet, aws, _mackerel: mackerel, _nagios: nagios, folder: work })
}

/// The tree, with its Mackerel and its Nagios where the fakes are.
fn copy(from: &Path, to: &Path, mackerel: &str, nagios: &str) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (path, target) = (entry.as_ref().unwrap().path(), to.join(entry?.file_name()));
        if path.is_dir() {
            copy(&path, &target, mackerel, nagios)?;
        } else {
            let url = format!("apiURL: {mackerel}\n    organization: {ORGANIZATION}\n    apiKeySecret: ");
            let text = fs::read_to_string(path)?.replace("apiKeySecret: ", &url);
            fs::write(target, text.replace("https://nagios.example.com/nagios4/cgi-bin/", nagios))?;
        }
    }
    Ok(())
}

impl Team {
    fn secret(&self, name: &str, data: &[(&str, &str)]) -> Result<()> {
        let folder = self.folder.path().join("secrets").join(name);
        fs::create_dir_all(&folder)?;
        data.iter().try_for_each(|(key, value)| Ok(fs::write(folder.join(key), value)?))
    }

    fn account(&self, name: &str, id: &str) -> Result<()> {
        let keys = [("aws_access_key_id", &*access_key(id)), ("aws_secret_access_key", "unchecked")];
        self.secret(&format!("rollcall/{name}"), &keys)
    }

    async fn runs(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Result<(i32, String, String)> {
        let binary = tokio::task::spawn_blocking(binary).await??;
        let mut command = Command::new(binary);
        command
            .args(arguments)
            .args(["--on", "live", "-f", "tree", "--library", LIBRARY])
            .current_dir(self.folder.path())
            .env_clear();
        command.args(["--allow-http", "--allowed-cidr", "127.0.0.0/8", "--registry-calls-per-second", "200"]);
        command.env("AWS_ENDPOINT_URL", self.aws.url()).env("AWS_EC2_METADATA_DISABLED", "true");
        command.envs(variables.iter().copied());
        let ran = command.kill_on_drop(true).output().await?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok((ran.status.code().unwrap_or(-1), text(ran.stdout), text(ran.stderr)))
    }

    fn recording(&self, name: &str) -> Result<Recording> {
        Ok(Recording::from_slice(&fs::read(self.folder.path().join(name))?)?)
    }
}

fn is_complete(extent: &Extent) -> bool {
    matches!(extent, Extent::Complete { .. })
}

#[tokio::test(flavor = "multi_thread")]
async fn one_look_reads_all_that_the_objects_name() -> Result<()> {
    let team = team().await?;
    team.account("aws-backlog-prod", PROD)?;
    team.account("aws-backlog-dev", DEV)?;
    team.secret("backlog/mackerel", &[("api-key", MACKEREL_KEY)])?;
    team.secret("backlog/nagios", &[("username", NAGIOS_USER), ("password", NAGIOS_PASSWORD)])?;
    let (code, told, progress) =
        team.runs(&["record", "--secrets", "secrets", "-o", "live.json.gz"], &[]).await?;
    assert_eq!(code, 0, "{told}{progress}");
    assert!(
        progress.contains("registrations, checks of") && told.contains("✔ instances"),
        "{told}{progress}"
    );
    let recording = team.recording("live.json.gz")?;
    let inventories = &recording.snapshot.inventories;
    assert!(
        inventories.len() >= 2 && inventories.values().all(|i| is_complete(&i.instances.extent)),
        "{told}"
    );
    assert!(inventories.values().all(|i| is_complete(&i.databases.extent)), "{told}");
    let mut registries = recording.snapshot.registries.values();
    let (registry, nagios) = (registries.next().unwrap(), registries.next().unwrap());
    assert!(is_complete(&nagios.hosts.extent) && nagios.hosts.seen.len() > 50, "{told}");
    assert!(is_complete(&registry.hosts.extent) && registry.hosts.seen.len() > 150, "{told}");
    assert_eq!(registry.checks.by_host().len(), registry.hosts.seen.len(), "{told}");
    assert_eq!(recording.memory, rollcall_engine::memory::Memory::default());
    let text = String::from_utf8(recording.to_vec())?;
    let secrets = [MACKEREL_KEY, NAGIOS_PASSWORD, &access_key(PROD)];
    assert!(!secrets.iter().any(|secret| text.contains(secret)));
    // It is a recording as any other.
    let (code, plan, error) = team.runs(&["plan", "--secrets", "secrets"], &[]).await?;
    assert!(code == 1 && plan.contains("EC2 ✔   RDS ✔   mackerel ✔   nagios ✔"), "{plan}{error}");
    drop(team.fleet);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_look_cannot_read_it_does_not_know() -> Result<()> {
    let team = team().await?;
    // The credentials of the environment are of one account of the two; nobody has a key of the Mackerel.
    let keys = access_key(PROD);
    let ambient = [("AWS_ACCESS_KEY_ID", &*keys), ("AWS_SECRET_ACCESS_KEY", "unchecked")];
    let (code, plan, error) = team.runs(&["plan"], &ambient).await?;
    assert_eq!(code, 1, "{plan}{error}");
    // AWS alone tells that a database is in another parameter group than is asserted.
    assert!(error.contains("found neither") && plan.contains("missing 1 "), "{plan}{error}");
    for (code, is_there) in
        [("RC0301", true), ("RC0501", true), ("RC0502", true), ("RC0101", false), ("RC0102", false)]
    {
        assert_eq!(plan.contains(&format!(" {code} ")), is_there, "{code} in\n{plan}");
    }
    assert!(plan.contains("WrongAccount"), "{plan}");

    // mkr's own variable opens it; a wrong key is refused, and nothing is missing for it.
    let with_key = |key: &'static str| [ambient[0], ambient[1], ("MACKEREL_APIKEY", key)];
    let (code, told, _) = team.runs(&["record", "-o", "half.json"], &with_key(MACKEREL_KEY)).await?;
    assert!(code == 0 && told.contains("✗ instances") && told.contains("✔ hosts"), "{told}");
    let (_, plan, _) = team.runs(&["plan"], &with_key("another")).await?;
    assert!(plan.contains("Denied") && plan.contains("missing 1 "), "{plan}");
    Ok(())
}

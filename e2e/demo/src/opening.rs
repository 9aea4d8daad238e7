//! The weekend before the roll is called, and Monday morning: the first screens.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use rollcall_harness::operator::{Operator, binary};
use rollcall_harness::world::{TEAM, World};
use serde::Deserialize;

use crate::screen::{Screen, cut};

/// A minute of the world in a second: an hour of settling is a minute.
const WORLD_SECONDS_PER_SECOND: f64 = 60.0;
/// World seconds between two readings: the operator's own default, a second of ours.
const READ_EVERY_SECONDS: u32 = 60;
/// Causes shown at once; the command below them shows all.
const TOP_CAUSES: usize = 5;

/// Plays the weekend and shows Monday morning. The operator is left in `operator` as soon as it runs.
///
/// # Errors
/// When something does not start, or the operator does not see what it should.
pub async fn play(world: &mut World, operator: &mut Option<Operator>, screen: &Screen) -> Result<()> {
    world.stage().clock.set_rate(WORLD_SECONDS_PER_SECOND);
    let mut setup = world.setup("rollcall");
    setup.every_seconds = READ_EVERY_SECONDS;
    screen.now("A team's custom resources are applied: crds/examples/backlog. The operator starts.");
    let running = operator.insert(Operator::start(&setup).await?);
    screen.now("It reads two AWS accounts, Mackerel and Nagios, and writes down what it sees.");
    world.weekend().await?;
    screen.now("Over the weekend six old hosts were terminated. It is Monday morning: the roll is called.");
    let recording = world.cluster.folder().join("monday.recording.json");
    std::fs::write(&recording, running.recording(&world.reader_token().await?).await?)?;
    morning(world, screen, &recording).await
}

/// Writes the recording of Monday morning, of a world whose clock moves by hand only.
///
/// # Errors
/// When something does not start, or the file cannot be written.
pub async fn record(file: &Path) -> Result<()> {
    let mut world = World::start().await?;
    let operator = world.operator("rollcall").await?;
    world.weekend().await?;
    let recording = operator.recording(&world.reader_token().await?).await?;
    operator.stop().await?;
    let packed = packed(&recording)?;
    std::fs::write(file, &packed).with_context(|| file.display().to_string())?;
    println!("{}: {} bytes", file.display(), packed.len());
    world.clean_up().await
}

/// As small as gzip makes it: it lies in the repository.
fn packed(recording: &[u8]) -> Result<Vec<u8>> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(recording)?;
    Ok(gzip.finish()?)
}

async fn morning(world: &World, screen: &Screen, recording: &Path) -> Result<()> {
    for what in ["rcenv", "rcmon"] {
        let table = world.cluster.kubectl(&["get", what, "-n", TEAM]).await?.ok()?;
        screen.table(&format!("kubectl get {what} -n {TEAM}"), &table);
    }
    let rollcall = binary()?;
    let plan = format!("{} plan --on {}", short(&rollcall), recording.display());
    screen.show(&causes(&rollcall, recording)?);
    let kubectl = world.cluster.kubectl_command()?;
    screen.show(&format!(
        "Look for yourself, in another terminal:\n  \
         {plan}\n  \
         {rollcall} explain RC0102\n  \
         kubectl() {{ {kubectl} \"$@\"; }}\n  \
         kubectl get rchost -n {TEAM}\n  \
         kubectl get rccheck -n {TEAM}\n  \
         kubectl describe rcenv jp1 -n {TEAM}\n  \
         kubectl explain requiredcheck.spec",
        rollcall = short(&rollcall),
    ));
    Ok(())
}

/// What of `rollcall plan --output json` is shown here.
#[derive(Deserialize)]
struct Plan {
    causes: Vec<Cause>,
}

#[derive(Deserialize)]
struct Cause {
    code: String,
    open: usize,
    message: String,
    fix: String,
}

/// The biggest causes, as the command line decides on the operator's own recording.
fn causes(rollcall: &Path, recording: &Path) -> Result<String> {
    let ran = Command::new(rollcall).args(["plan", "--output", "json", "--on"]).arg(recording).output()?;
    // 1 says that there are findings; that is what the fleet is for.
    anyhow::ensure!(
        matches!(ran.status.code(), Some(0 | 1)),
        "rollcall plan: {}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let plan: Plan = serde_json::from_slice(&ran.stdout)?;
    let open: Vec<&Cause> = plan.causes.iter().filter(|cause| cause.open > 0).collect();
    let heading = format!("{} causes; the biggest:", open.len());
    let lines = open.iter().take(TOP_CAUSES).flat_map(|cause| {
        [
            format!("  {} {:>4}  {}", cause.code, cause.open, cut(&cause.message, 82)),
            format!("               fix: {}", cut(&cause.fix, 79)),
        ]
    });
    Ok(std::iter::once(heading).chain(lines).collect::<Vec<_>>().join("\n"))
}

/// A path as a person in this folder types it.
fn short(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}

//! Read and decide over a big fleet: from the start of the operator's process to its first pass in which no source is
//! blind, against a fake EC2 that enforces the real one's token buckets.
//!
//! It must never wait for the first 20,000 writes: they are paced on purpose, and go on meanwhile.

use std::time::{Duration, Instant};

use anyhow::Result;
use rollcall_bench::figure::{at_most, note, said};
use rollcall_bench::process::Usage;
use rollcall_harness::operator::{Operator, Setup};
use rollcall_harness::wait::{Look, until};
use rollcall_harness::world::World;

use crate::fleet::{self, ACCOUNT, ENVIRONMENTS, HOME, ORGANISATION};
use crate::telling::Telling;

/// From the start of the process to the first pass with every source read.
const WALL_SECONDS: f64 = 60.0;
/// The operator's memory.
const RESIDENT_MIB: f64 = 128.0;
/// Instances in one page of EC2.
const PAGE: usize = 1000;
/// Of AWS, for its one account and region: instances, volumes, addresses, databases, clusters.
const LISTINGS: usize = 5;
/// Of each instance: its processor, and what it receives and sends.
const METRICS: usize = 3;
/// Metrics in one call of `GetMetricData`.
const QUERIES: usize = 500;
/// After this it is a failure, not a figure.
const GIVEN_UP: Duration = Duration::from_mins(10);

/// Prints the figures.
///
/// # Errors
/// When something does not start, or no pass sees the fleet whole in ten minutes.
pub async fn measure(hosts: usize, watch_seconds: u64) -> Result<()> {
    println!(
        "\nFull pass: {hosts} hosts in one account and region, {hosts} registrations, {ENVIRONMENTS} environments, 50 checks"
    );
    let mut world = World::alone().await?;
    fleet::launch(&world, hosts).await?;
    let objects = fleet::objects(&world.mackerel_url());
    world.cluster.apply(objects).await?;
    world.fleet.aws.enforce_rates(true);
    let setup = Setup {
        kubeconfig: world.cluster.kubeconfig().to_owned(),
        namespace: HOME.to_owned(),
        every_seconds: 60,
        ..world.setup("rollcall-0")
    };
    let begun = Instant::now();
    let mut operator = Operator::launch(&setup).await?;
    operator.ready().await?;
    note("start of the process to /readyz", said(begun.elapsed().as_secs_f64(), "s"));
    first_whole_pass(&mut operator, hosts).await?;
    at_most(
        "start to the first pass with every source read",
        begun.elapsed().as_secs_f64(),
        WALL_SECONDS,
        "s",
    );
    used(&operator, "by then")?;
    calls(&world, hosts);
    tokio::time::sleep(Duration::from_secs(watch_seconds)).await;
    afterwards(&operator, watch_seconds).await?;
    operator.kill()?;
    activity(&mut world, &setup, hosts).await?;
    world.clean_up().await
}

/// The next replica finds that everybody asks who is unused, and reads what hosts did for 90 days.
async fn activity(world: &mut World, setup: &Setup, hosts: usize) -> Result<()> {
    world.cluster.apply(fleet::asking()).await?;
    let asked = || world.stage().calls.of("cloudwatch", "GetMetricData");
    let before = asked();
    let setup = Setup { name: "rollcall-1".to_owned(), ..setup.clone() };
    let mut operator = Operator::launch(&setup).await?;
    operator.ready().await?;
    let begun = Instant::now();
    until("activity is read", GIVEN_UP, async || {
        operator.check_alive()?;
        let told = Telling::of(&operator).await?;
        let read = |outcome: &str| {
            told.sum("rollcall_polls_total", &format!("listing=\"activity\",outcome=\"{outcome}\""))
        };
        Ok(Look::that(read("Complete").is_some(), || {
            format!("{} calls, partly {:?}", asked(), read("Partial"))
        }))
    })
    .await?;
    println!("\nActivity: {hosts} hosts, {METRICS} metrics each, 90 days");
    note("ready to all metrics read", said(begun.elapsed().as_secs_f64(), "s"));
    #[allow(clippy::cast_precision_loss)]
    let (calls, target) = ((asked() - before) as f64, (hosts * METRICS).div_ceil(QUERIES) as f64);
    at_most("calls of GetMetricData", calls, target, "calls");
    used(&operator, "with activity")?;
    operator.kill()
}

/// A source that is blind shows no count: so many hosts counted and a count of missing rows in every environment is the
/// whole picture.
async fn first_whole_pass(operator: &mut Operator, hosts: usize) -> Result<()> {
    until("a pass with every source read", GIVEN_UP, async || {
        operator.check_alive()?;
        let told = Telling::of(operator).await?;
        let counted = told.sum("rollcall_environment_hosts", "").unwrap_or_default();
        let judged = told.count("rollcall_environment_rows", "state=\"missing\"");
        #[allow(clippy::cast_precision_loss)]
        let judges_all = counted >= hosts as f64 && judged == ENVIRONMENTS;
        // A listing has an age once it was read to its end.
        let read_of = |service| told.count("rollcall_reading_age_seconds", service);
        let read = read_of("ec2 ") + read_of("rds ");
        Ok(Look::that(judges_all && read == LISTINGS, || {
            format!("{counted} hosts counted, {judged} environments judged, {read} of {LISTINGS} AWS listings read")
        }))
    })
    .await
}

fn used(operator: &Operator, when: &str) -> Result<()> {
    let usage = Usage::of(operator.process_id())?;
    note(&format!("processor time of the operator {when}, all of it"), said(usage.cpu.as_secs_f64(), "s"));
    at_most(&format!("memory of the operator {when} (RSS)"), usage.resident, RESIDENT_MIB, "MiB");
    note("  of it the binary and other files", said(usage.files, "MiB"));
    note("  and the most it ever had", said(usage.peak, "MiB"));
    Ok(())
}

/// What was asked, listing by listing.
fn calls(world: &World, hosts: usize) {
    let mut throttled = 0;
    for count in world.stage().calls.counts() {
        if ![ACCOUNT, ORGANISATION].contains(&&*count.call.account) {
            continue;
        }
        if count.error.is_empty() {
            let of = if count.call.operation == "DescribeInstances" {
                format!(" (one per page: {})", hosts.div_ceil(PAGE))
            } else {
                String::new()
            };
            note(&format!("  calls: {} {}{of}", count.call.service, count.call.operation), count.count);
        } else {
            throttled += count.count;
            note(
                &format!("  refused: {} {} {}", count.call.service, count.call.operation, count.error),
                count.count,
            );
        }
    }
    note("calls that were throttled or refused", throttled);
}

/// While the first statuses are written.
async fn afterwards(operator: &Operator, seconds: u64) -> Result<()> {
    let told = Telling::of(operator).await?;
    let of = |family| told.sum(family, "").unwrap_or_default();
    let mean = of("rollcall_pass_seconds_sum") / of("rollcall_pass_seconds_count").max(1.0);
    println!(
        "{seconds} s later, {} writes done and {} wanted",
        of("rollcall_writes_total"),
        of("rollcall_writes_pending")
    );
    note("passes so far", of("rollcall_passes_total"));
    note("roll_call inside the operator, mean", said(mean * 1e3, "ms"));
    used(operator, "then")
}

//! How fast and how big is a roll call? One core, no I/O; nothing but the engine is linked in.
//!
//! Times are the thread's processor time, so that a busy machine spoils them little; on an idle one they are the
//! wall's. It must be run as a release build: a debug build's figures say nothing, and it says so itself.

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Parser;
use jiff::Timestamp;
use peak_alloc::PeakAlloc;
use rollcall_bench::figure::{at_most, milliseconds, note, percentile};
use rollcall_bench::process::own_time;
use rollcall_engine::fleet::Fleet;
use rollcall_engine::lean::{Host, Rule, Use, judge};
use rollcall_engine::memory::Memory;
use rollcall_engine::rollcall::roll_call;
use rollcall_engine::synthetic::{Size, Synthetic, TARGET, activities, generate};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// Parsing and deciding together, for the fleet of docs/targets.md.
const DECIDE_MS: f64 = 200.0;

/// Ten times the hosts; a tenth more for trees and caches that grow with the fleet.
const LINEAR: f64 = 11.0;

/// Verdicts of 20,000 hosts × 90 days.
const VERDICTS_MS: f64 = 300.0;

/// Per further host, everything that stays between two passes.
const BYTES_PER_HOST: f64 = 4096.0;

/// The engine's figures of docs/targets.md.
#[derive(Debug, Parser)]
struct Args {
    /// Hosts, in 200 environments with 50 checks; a tenth of them is measured beside it.
    #[arg(long, default_value_t = TARGET.hosts)]
    hosts: usize,
    /// Passes that are timed, of each size.
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u16).range(3..))]
    passes: u16,
    /// One parse and one pass with so many hosts and no figures: for an instruction counter such as callgrind.
    #[arg(long)]
    once: bool,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let whole = Size { hosts: args.hosts, ..TARGET };
    if args.once {
        let world = generate(whole);
        let (fleet, _) = Fleet::parse(&world.desired);
        let (roll, _) = roll_call(&fleet, &world.snapshot, &Memory::default(), world.now);
        ensure!(!roll.hosts.is_empty(), "expected hosts in the roll call, found none");
        return Ok(());
    }
    if cfg!(debug_assertions) {
        note("DEBUG BUILD: speeds below say nothing", "--release");
    }
    speed(whole, args.passes.into())?;
    verdicts(whole, args.passes.into())?;
    memory(whole);
    Ok(())
}

/// Both sizes take turns, so that a neighbour on the machine slows both.
fn speed(whole: Size, passes: usize) -> Result<()> {
    let tenth = Size { hosts: whole.hosts / 10, ..whole };
    let (big, small) = (generate(whole), generate(tenth));
    let (mut decided, mut bigs, mut smalls) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..passes {
        let pass = Pass::of(&big)?;
        decided.push(pass.parse + pass.later);
        bigs.push(pass);
        smalls.push(Pass::of(&small)?);
    }
    let column = |what: &str, take: fn(&Pass) -> Duration| {
        let mut times: Vec<Duration> = bigs.iter().map(take).collect();
        let (min, median) = (percentile(&mut times, 0.0), percentile(&mut times, 0.5));
        for (name, time) in [("min", min), ("median", median)] {
            note(
                &format!("{what}, {name} of {passes}"),
                format!("{:.1} ms", milliseconds(time.unwrap_or_default())),
            );
        }
    };
    println!(
        "{} hosts, {} environments, {} checks; processor time of one thread",
        whole.hosts, whole.environments, whole.checks
    );
    column("parse of all custom resources", |pass| pass.parse);
    column("first roll_call (empty memory)", |pass| pass.first);
    column("later roll_call", |pass| pass.later);
    let fastest = milliseconds(percentile(&mut decided, 0.0).unwrap_or_default());
    at_most("parse + later roll_call, min", fastest, DECIDE_MS, "ms");
    let median = milliseconds(percentile(&mut decided, 0.5).unwrap_or_default());
    at_most("parse + later roll_call, median", median, DECIDE_MS, "ms");
    let fastest =
        |passes: &[Pass]| passes.iter().map(|pass| pass.later).min().unwrap_or_default().as_secs_f64();
    let ratio = fastest(&bigs) / fastest(&smalls).max(f64::MIN_POSITIVE);
    at_most(
        &format!("roll_call of {} over {} hosts, min over min", whole.hosts, tenth.hosts),
        ratio,
        LINEAR,
        "×",
    );
    Ok(())
}

/// Who is unused, of as many hosts, each with 90 days of three metrics and the default rule; and how much room that takes.
fn verdicts(whole: Size, passes: usize) -> Result<()> {
    let world = generate(whole);
    let before = HEAP.current_usage();
    let activities = activities(&world);
    #[allow(clippy::cast_precision_loss)]
    let per_host = HEAP.current_usage().saturating_sub(before) as f64 / whole.hosts.max(1) as f64;
    let rule = Rule::default();
    let started = Some(Timestamp::UNIX_EPOCH);
    let mut times = Vec::new();
    for _ in 0..passes {
        let (begin, mut idle) = (own_time()?, 0);
        for activity in activities.values() {
            for id in activity.hosts.seen.keys() {
                let host = Host { id, started, named_since: None, spared_on: None };
                idle +=
                    usize::from(matches!(judge(&rule, host, activity, activity.window.last()), Use::Idle(_)));
            }
        }
        times.push(own_time()?.saturating_sub(begin));
        ensure!(
            idle > whole.hosts * 8 / 10,
            "expected most hosts to be idle, found {idle} of {}",
            whole.hosts
        );
    }
    let fastest = milliseconds(percentile(&mut times, 0.0).unwrap_or_default());
    at_most("verdicts of all hosts over 90 days, min", fastest, VERDICTS_MS, "ms");
    let median = milliseconds(percentile(&mut times, 0.5).unwrap_or_default());
    at_most("verdicts of all hosts over 90 days, median", median, VERDICTS_MS, "ms");
    note("heap of one host's 90 days of three metrics", format!("{per_host:.0} bytes"));
    Ok(())
}

/// How long one round took.
struct Pass {
    parse: Duration,
    first: Duration,
    later: Duration,
}

impl Pass {
    fn of(world: &Synthetic) -> Result<Self> {
        let begin = own_time()?;
        let (fleet, problems) = Fleet::parse(&world.desired);
        let parse = own_time()?.saturating_sub(begin);
        ensure!(problems.is_empty(), "expected a fleet without problems, found {problems:?}");
        let begin = own_time()?;
        let (roll, memory) = roll_call(&fleet, &world.snapshot, &Memory::default(), world.now);
        let first = own_time()?.saturating_sub(begin);
        drop(roll);
        let begin = own_time()?;
        let (roll, _) = roll_call(&fleet, &world.snapshot, &memory, world.now);
        let later = own_time()?.saturating_sub(begin);
        ensure!(!roll.hosts.is_empty(), "expected hosts in the roll call, found none");
        Ok(Self { parse, first, later })
    }
}

/// Bytes on the heap, counted by the allocator: what stays is the readings and the memory, what comes on top during a
/// pass is the roll call.
fn memory(whole: Size) {
    let half = Size { hosts: whole.hosts / 2, ..whole };
    let (less, more) = (Heap::of(half), Heap::of(whole));
    #[allow(clippy::cast_precision_loss)]
    let per_host = |less: usize, more: usize| {
        (more.saturating_sub(less)) as f64 / (whole.hosts - half.hosts).max(1) as f64
    };
    at_most(
        "heap per further host between passes: readings and memory",
        per_host(less.between, more.between),
        BYTES_PER_HOST,
        "bytes",
    );
    note("  of it readings", format!("{:.0} bytes", per_host(less.readings, more.readings)));
    note(
        "heap per further host at the height of a pass",
        format!("{:.0} bytes", per_host(less.height, more.height)),
    );
    #[allow(clippy::cast_precision_loss)]
    let mib = |bytes: usize| format!("{:.1} MiB", bytes as f64 / 1024.0 / 1024.0);
    note("heap between passes: custom resources, fleet, readings, memory", mib(more.between));
    note("heap at the height of a pass", mib(more.height));
}

/// Bytes on the heap beyond those of the begin.
struct Heap {
    readings: usize,
    between: usize,
    height: usize,
}

impl Heap {
    fn of(size: Size) -> Self {
        let begin = HEAP.current_usage();
        let world = generate(size);
        let readings = HEAP.current_usage().saturating_sub(begin);
        let (fleet, _) = Fleet::parse(&world.desired);
        let (roll, memory) = roll_call(&fleet, &world.snapshot, &Memory::default(), world.now);
        drop(roll);
        HEAP.reset_peak_usage();
        let (roll, memory) = roll_call(&fleet, &world.snapshot, &memory, world.now);
        let height = HEAP.peak_usage().saturating_sub(begin);
        drop(roll);
        let between = HEAP.current_usage().saturating_sub(begin);
        // All of it lived until here.
        drop((memory, fleet, world));
        Self { readings, between, height }
    }
}

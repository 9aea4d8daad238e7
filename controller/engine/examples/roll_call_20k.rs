//! How fast and how big is a roll call of 20,000 hosts × 50 checks? Prints the figures of docs/targets.md.
//!
//! `cargo run --release -p rollcall-engine --features synthetic --example roll_call_20k [HOSTS [CHECKS]]`

use rollcall_engine::fleet::Fleet;
use rollcall_engine::memory::Memory;
use rollcall_engine::rollcall::roll_call;
use rollcall_engine::synthetic::{Size, TARGET, generate};

/// Timed passes; the fastest is the figure, for the machine is shared.
const PASSES: usize = 7;

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse::<usize>().ok());
    let hosts = numbers.next().unwrap_or(TARGET.hosts);
    let size = Size { hosts, checks: numbers.next().unwrap_or(TARGET.checks), ..TARGET };
    println!("before anything            {:>7.1} MiB", resident());
    let world = generate(size);
    println!("with readings              {:>7.1} MiB", resident());

    let begin = cpu_ms();
    let (fleet, problems) = Fleet::parse(&world.desired);
    let parse = cpu_ms() - begin;
    let begin = cpu_ms();
    let (first, mut memory) = roll_call(&fleet, &world.snapshot, &Memory::default(), world.now);
    let cold = cpu_ms() - begin;
    println!("with roll call and memory  {:>7.1} MiB", resident());

    let mut roll = first;
    let mut warm = Vec::new();
    for _ in 0..PASSES {
        let begin = cpu_ms();
        (roll, memory) = roll_call(&fleet, &world.snapshot, &memory, world.now);
        warm.push(cpu_ms() - begin);
    }
    println!("after {PASSES} more passes         {:>7.1} MiB", resident());
    let rows: usize = roll.hosts.values().map(|host| host.rows.len()).sum();
    println!(
        "{} hosts, {} environments, {rows} rows, {} findings, {} causes, {} problems",
        roll.hosts.len(),
        roll.environments.len(),
        roll.findings.len(),
        roll.causes.len(),
        problems.len()
    );
    for cause in &roll.causes {
        println!("  {} {:>5}  {}", cause.code, cause.open, cause.message);
    }
    println!("parse      {parse:>7.1} ms of CPU");
    println!("first pass {cold:>7.1} ms of CPU");
    println!("later pass {:>7.1} ms of CPU", warm.into_iter().fold(f64::INFINITY, f64::min));
}

/// Time this thread has had on a CPU, in milliseconds: the machine is shared, and wall time would measure the others.
fn cpu_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = stat.split_whitespace().next().and_then(|field| field.parse::<f64>().ok());
    nanoseconds.unwrap_or(f64::NAN) / 1e6
}

/// Memory of this process, in MiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) / 1024.0
}

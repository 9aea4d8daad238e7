//! How fast and how big is a roll call of 20,000 hosts × 50 checks? Prints the figures of docs/targets.md.
//!
//! `cargo run --release -p rollcall-engine --features synthetic --example roll_call_20k [HOSTS [CHECKS]]`

use std::time::Instant;

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

    let begin = Instant::now();
    let (fleet, problems) = Fleet::parse(&world.desired);
    let parse = begin.elapsed();
    let begin = Instant::now();
    let (first, mut memory) = roll_call(&fleet, &world.snapshot, &Memory::default(), world.now);
    let cold = begin.elapsed();
    println!("with roll call and memory  {:>7.1} MiB", resident());

    let mut roll = first;
    let mut warm = Vec::new();
    for _ in 0..PASSES {
        let begin = Instant::now();
        (roll, memory) = roll_call(&fleet, &world.snapshot, &memory, world.now);
        warm.push(begin.elapsed());
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
    println!("parse      {:>7.1} ms", parse.as_secs_f64() * 1e3);
    println!("first pass {:>7.1} ms", cold.as_secs_f64() * 1e3);
    let fastest = warm.iter().min().map_or(0.0, |pass| pass.as_secs_f64() * 1e3);
    println!("later pass {fastest:>7.1} ms");
}

/// Memory of this process, in MiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) / 1024.0
}

//! `rollcall-simulator`: plays many worlds and says what was broken, or one of them and says what happened.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Parser;
use rollcall_engine::retirement::Guard;
use rollcall_simulator::coverage::Coverage;
use rollcall_simulator::judge::Law;
use rollcall_simulator::living;
use rollcall_simulator::minimize::minimize;
use rollcall_simulator::run::{Outcome, run};
use rollcall_simulator::schedule::draw;
use rollcall_simulator::world::{Ablation, Fence};

/// Plays how hosts leave the fleet in worlds that fail, each drawn from a seed, and judges every act on the truth.
#[derive(Parser)]
#[command(version)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
struct Args {
    /// How many worlds.
    #[arg(long = "seeds", value_name = "SEEDS", default_value_t = 1_000)]
    worlds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// How many threads; each world has one of its own.
    #[arg(long, default_value_t = 1)]
    jobs: u64,
    /// One world, played alone.
    #[arg(long)]
    seed: Option<u64>,
    /// Tell what happens in it.
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Leave out of it what does not matter to the first law that it breaks.
    #[arg(long, requires = "seed")]
    minimize: bool,
    /// Leave out a guard, by its name.
    #[arg(long)]
    without: Option<String>,
    /// Leave out a condition at AWS, by its name.
    #[arg(long)]
    without_fence: Option<String>,
    /// Take out each guard, each condition at AWS and each old hole's fix in turn, and tell the first world that breaks
    /// without it (tests/living.txt is made of this).
    #[arg(long)]
    living: bool,
    /// Stop at the first world that breaks a law.
    #[arg(long)]
    stop: bool,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let ablation = ablation(&args)?;
    if args.living {
        return living(&args);
    }
    match args.seed {
        Some(seed) => one(&args, seed, ablation),
        None => many(&args, ablation),
    }
}

fn ablation(args: &Args) -> anyhow::Result<Ablation> {
    let mut ablation = Ablation::default();
    if let Some(name) = &args.without {
        ablation.guard = Guard::ALL.iter().copied().find(|guard| guard.name() == name);
        ensure!(ablation.guard.is_some(), "--without: no guard is called {name}");
    }
    if let Some(name) = &args.without_fence {
        ablation.fence = Fence::ALL.into_iter().find(|fence| format!("{fence:?}") == *name);
        ensure!(ablation.fence.is_some(), "--without-fence: no condition is called {name}");
    }
    Ok(ablation)
}

fn living(args: &Args) -> anyhow::Result<()> {
    let all = living::all();
    let next = AtomicUsize::new(0);
    let (tell, told_of) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..args.jobs.max(1) {
            let (tell, next, all) = (tell.clone(), &next, &all);
            scope.spawn(move || {
                while let Some((name, ablation)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = living::first(*ablation, args.from..args.from + args.worlds);
                    if tell.send((name, found)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(tell);
        let mut survive = 0;
        while let Ok((name, found)) = told_of.recv() {
            if let Some((seed, law)) = found {
                println!("{name} {seed} {law:?}");
            } else {
                survive += 1;
                println!("{name} - survives {} worlds", args.worlds);
            }
        }
        ensure!(survive == 0, "{survive} are not missed");
        Ok(())
    })
}

fn tell(outcome: &Outcome) {
    for violation in &outcome.violations {
        let (hours, minutes) = (violation.when / 3_600, violation.when / 60 % 60);
        println!(
            "  {:?} at {hours:02}:{minutes:02}: {} ({})",
            violation.law,
            violation.what,
            violation.law.text()
        );
    }
}

fn one(args: &Args, seed: u64, ablation: Ablation) -> anyhow::Result<()> {
    let mut schedule = draw(seed);
    let first = run(&schedule, ablation, false);
    if let Some(violation) = first.violations.first().filter(|_| args.minimize) {
        schedule = minimize(&schedule, violation.law, ablation);
    }
    let outcome = run(&schedule, ablation, args.trace);
    if args.trace || args.minimize {
        println!("{:#?}", schedule.config);
        schedule.items.iter().for_each(|item| println!("{item:?}"));
    }
    outcome.lines.iter().for_each(|line| println!("{line}"));
    println!(
        "seed {seed}: {} events, {} acts, hash {:016x}",
        outcome.events,
        outcome.acts.len(),
        outcome.hash
    );
    tell(&outcome);
    ensure!(outcome.violations.is_empty(), "seed {seed}: {} laws broken", outcome.violations.len());
    Ok(())
}

fn many(args: &Args, ablation: Ablation) -> anyhow::Result<()> {
    let begun = Instant::now();
    let jobs = args.jobs.max(1);
    let next = AtomicU64::new(args.from);
    let end = args.from.saturating_add(args.worlds);
    let (tell, told_of) = mpsc::channel();
    let mut sums = Sums::default();
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let (tell, next) = (tell.clone(), &next);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end || tell.send(run(&draw(seed), ablation, false)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(tell);
        let mut told = Instant::now();
        while let Ok(outcome) = told_of.recv() {
            sums.add(&outcome);
            if args.stop && !outcome.violations.is_empty() {
                next.store(end, Ordering::Relaxed);
            }
            if told.elapsed() > Duration::from_secs(10) {
                told = Instant::now();
                eprintln!("{} worlds, {} broken", sums.worlds, sums.broken);
            }
        }
    });
    sums.tell(begun.elapsed(), jobs);
    ensure!(sums.broken == 0, "{} worlds broke a law", sums.broken);
    Ok(())
}

#[derive(Default)]
struct Sums {
    worlds: u64,
    broken: u64,
    acts: u64,
    events: u64,
    laws: std::collections::BTreeMap<Law, (u64, u64)>,
    coverage: Coverage,
}

impl Sums {
    fn add(&mut self, outcome: &Outcome) {
        self.worlds += 1;
        self.broken += u64::from(!outcome.violations.is_empty());
        self.acts += outcome.acts.len() as u64;
        self.events += outcome.events;
        self.coverage.add(&outcome.coverage);
        for violation in &outcome.violations {
            let (times, first) = self.laws.entry(violation.law).or_insert((0, outcome.seed));
            *times += 1;
            *first = outcome.seed.min(*first);
        }
        if !outcome.violations.is_empty() && self.broken <= 5 {
            println!("seed {}:", outcome.seed);
            tell(outcome);
        }
    }

    fn tell(&self, took: Duration, jobs: u64) {
        let seconds = took.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate, for people")]
        let (rate, worlds, jobs) = (self.worlds as f64 / seconds, self.worlds as f64, jobs as f64);
        println!(
            "{} worlds in {seconds:.1} s: {rate:.0} a second, {:.0} a second and thread",
            self.worlds,
            rate / jobs
        );
        println!("{} events, {} acts, {} worlds broke a law", self.events, self.acts, self.broken);
        for (law, (times, first)) in &self.laws {
            println!("  {law:?} in {times} worlds, first in seed {first}: {}", law.text());
        }
        let mut kind = "";
        for ((of, name), times) in &self.coverage.reached {
            if *of != kind {
                kind = of;
                print!("\n{kind}:");
            }
            #[expect(clippy::cast_precision_loss, reason = "a share, for people")]
            let share = *times as f64 / worlds * 100.0;
            print!(" {name} {share:.1}%");
        }
        println!();
    }
}

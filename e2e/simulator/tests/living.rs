//! Every guard, every condition at AWS and every old hole's fix is missed when it is taken out: `living.txt` holds the first
//! world that breaks a law without it, and the same world breaks none with it.

use rollcall_simulator::living;
use rollcall_simulator::run::run;
use rollcall_simulator::schedule::draw;
use rollcall_simulator::world::Ablation;

#[test]
fn whatever_is_taken_out_is_missed() {
    let table: Vec<(String, u64, String)> = include_str!("living.txt")
        .lines()
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            (format!("{} {}", words[0], words[1]), words[2].parse().unwrap(), words[3].to_owned())
        })
        .collect();
    let mut wrong = Vec::new();
    for (name, ablation) in living::all() {
        let Some((_, seed, law)) = table.iter().find(|(of, ..)| *of == name) else {
            wrong.push(format!("{name}: not in living.txt"));
            continue;
        };
        let without = run(&draw(*seed), ablation, false);
        if !without.violations.iter().any(|violation| format!("{:?}", violation.law) == *law) {
            wrong.push(format!("{name}: seed {seed} breaks {:?}, not {law}", without.violations));
        }
        let with = run(&draw(*seed), Ablation::default(), false);
        if !with.violations.is_empty() {
            wrong.push(format!("{name}: seed {seed} breaks {:?} with it", with.violations));
        }
    }
    assert!(
        wrong.is_empty(),
        "make living.txt anew with `rollcall-simulator --living --seeds 20000`: {wrong:#?}"
    );
    assert_eq!(table.len(), living::all().len(), "living.txt tells of something that is no more");
}

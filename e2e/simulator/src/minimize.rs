//! Makes a failing world smaller: items are left out, many at a time and then one by one, as long as the same law breaks.

use crate::judge::Law;
use crate::run::run;
use crate::schedule::Schedule;
use crate::world::Ablation;

/// The smallest schedule found in which this law is still broken.
#[must_use]
pub fn minimize(schedule: &Schedule, law: Law, ablation: Ablation) -> Schedule {
    let mut small = schedule.clone();
    let mut piece = small.items.len().div_ceil(2).max(1);
    loop {
        let mut from = 0;
        let mut shrunk = false;
        while from < small.items.len() {
            let mut less = small.clone();
            let until = (from + piece).min(less.items.len());
            less.items.drain(from..until);
            if run(&less, ablation, false).breaks(law) {
                small = less;
                shrunk = true;
            } else {
                from += piece;
            }
        }
        if piece == 1 && !shrunk {
            return small;
        }
        piece = if shrunk { piece } else { piece.div_ceil(2) };
    }
}

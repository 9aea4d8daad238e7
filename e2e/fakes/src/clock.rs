//! Virtual time: one clock that all fakes and, through HTTP, the operator's test clock follow.
//!
//! The clock must never decide anything by itself: it only answers what time it is. It may be set
//! backwards on purpose (clock skew is a fault worth testing), so readers must not assume monotony.

use std::{sync::Arc, time::Instant};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// The fastest rate that [`WorldClock::set_rate`] takes: a world day per machine second.
pub const MAX_RATE: f64 = 86_400.0;

/// The time of the fakes' world. Clones share one dial.
#[derive(Clone, Debug)]
pub struct WorldClock(Arc<Mutex<Dial>>);

/// World time is `world` at the machine's `machine`, and runs at `rate` from there.
#[derive(Debug)]
struct Dial {
    machine: Instant,
    world: Timestamp,
    rate: f64,
}

impl Dial {
    fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from_secs_f64(self.machine.elapsed().as_secs_f64() * self.rate);
        later(self.world, passed.unwrap_or(SignedDuration::MAX))
    }

    /// Every change starts a new stretch of time here, so that the past is not rescaled.
    fn restart(&mut self, world: Timestamp) {
        self.machine = Instant::now();
        self.world = world;
    }
}

/// A moment later (or earlier), no further than the end of the calendar: time does not overflow in a fake.
#[must_use]
pub fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    let end = if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
    at.checked_add(by).unwrap_or(end)
}

impl WorldClock {
    /// A clock that starts at `world` and runs at `rate` world seconds per machine second.
    /// Rates below zero or above [`MAX_RATE`] are brought into range; 0 is a clock that stands still.
    #[must_use]
    pub fn starting_at(world: Timestamp, rate: f64) -> Self {
        Self(Arc::new(Mutex::new(Dial { machine: Instant::now(), world, rate: sane(rate) })))
    }

    /// A clock that stands still until it is set or advanced.
    #[must_use]
    pub fn frozen_at(world: Timestamp) -> Self {
        Self::starting_at(world, 0.0)
    }

    /// A clock that shows the machine's time at its own pace.
    #[must_use]
    pub fn real() -> Self {
        Self::starting_at(Timestamp::now(), 1.0)
    }

    /// The world's time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.lock().now()
    }

    /// World seconds per machine second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.0.lock().rate
    }

    /// Puts the clock to `world`, forwards or backwards; the rate stays.
    pub fn set(&self, world: Timestamp) {
        self.0.lock().restart(world);
    }

    /// Moves the clock by `by`, which may be negative.
    pub fn advance(&self, by: SignedDuration) {
        let mut dial = self.0.lock();
        let to = later(dial.now(), by);
        dial.restart(to);
    }

    /// Changes the pace from now on; the range is that of [`WorldClock::starting_at`].
    pub fn set_rate(&self, rate: f64) {
        let mut dial = self.0.lock();
        let now = dial.now();
        dial.restart(now);
        dial.rate = sane(rate);
    }

    /// `GET /_world/clock` reads the dial; `POST /_world/clock` with a [`Turn`] changes it and answers the new one.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/_world/clock", get(read))
            .route("/_world/clock", post(turn))
            .with_state(self.clone())
    }

    fn face(&self) -> Face {
        let dial = self.0.lock();
        Face { now: dial.now(), rate: dial.rate }
    }
}

fn sane(rate: f64) -> f64 {
    if rate.is_finite() { rate.clamp(0.0, MAX_RATE) } else { 0.0 }
}

/// What the clock shows over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Face {
    /// The world's time.
    pub now: Timestamp,
    /// World seconds per machine second.
    pub rate: f64,
}

/// A change to the clock over HTTP: `now` is applied first, then `advanceSeconds`, then `rate`.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Turn {
    /// Put the clock here.
    pub now: Option<Timestamp>,
    /// Move it by so many world seconds; may be negative.
    pub advance_seconds: Option<f64>,
    /// World seconds per machine second.
    pub rate: Option<f64>,
}

async fn read(State(clock): State<WorldClock>) -> Json<Face> {
    Json(clock.face())
}

async fn turn(
    State(clock): State<WorldClock>,
    Json(turn): Json<Turn>,
) -> Result<Json<Face>, (StatusCode, String)> {
    let by = turn.advance_seconds.map(SignedDuration::try_from_secs_f64).transpose();
    let by = by.map_err(|e| (StatusCode::BAD_REQUEST, format!("advanceSeconds: {e}\n")))?;
    if let Some(now) = turn.now {
        clock.set(now);
    }
    if let Some(by) = by {
        clock.advance(by);
    }
    if let Some(rate) = turn.rate {
        clock.set_rate(rate);
    }
    Ok(Json(clock.face()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Timestamp {
        "2026-03-02T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_frozen_clock_moves_only_by_hand_and_all_clones_agree() {
        let clock = WorldClock::frozen_at(noon());
        let other = clock.clone();
        other.advance(SignedDuration::from_hours(5));
        assert_eq!(clock.now(), "2026-03-02T17:00:00Z".parse().unwrap());
        clock.set(noon());
        assert_eq!(other.now(), noon());
    }

    #[test]
    fn changing_the_rate_does_not_rewrite_the_past() {
        let clock = WorldClock::starting_at(noon(), MAX_RATE);
        std::thread::sleep(std::time::Duration::from_millis(20));
        clock.set_rate(0.0);
        let stopped = clock.now();
        assert!(stopped > noon() + SignedDuration::from_mins(20), "20 ms at a day per second: {stopped}");
        assert_eq!(clock.now(), stopped);
    }

    #[test]
    fn time_stops_at_the_end_of_the_calendar() {
        let clock = WorldClock::frozen_at(noon());
        clock.advance(SignedDuration::MAX);
        assert_eq!(clock.now(), Timestamp::MAX);
        clock.set_rate(f64::NAN);
        assert!((clock.rate() - 0.0).abs() < f64::EPSILON);
    }
}

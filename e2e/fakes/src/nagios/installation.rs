//! One installation: its truth, whether it lives, and who may ask it. A dead one goes on telling what it told last, or nothing.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;

use super::{STATUS_SECONDS, truth::Truth};
use crate::clock::WorldClock;

/// Whether it lives.
#[derive(Clone, Debug)]
enum Life {
    /// It writes its status every [`STATUS_SECONDS`].
    Runs,
    /// It was stopped: there is no status.
    Stopped,
    /// It was killed: the status of this second stays behind.
    Killed(i64, Arc<Truth>),
    /// It was killed, and somebody copies what it left behind again and again, so that the file is always a new one.
    Copied(i64, Arc<Truth>),
}

/// Somebody whom the web server lets in.
#[derive(Clone, Debug)]
struct User {
    password: String,
    sees_all: bool,
}

/// An installation: truth, life and users. Clones share it.
#[derive(Clone, Debug)]
pub struct Installation {
    clock: WorldClock,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    truth: Arc<Truth>,
    life: Life,
    users: BTreeMap<String, User>,
}

/// What is told to one caller: what it may see, of when it is, and when its file was written. `None`: nothing.
pub(super) struct Told {
    pub(super) truth: Arc<Truth>,
    /// The second that the status tells of.
    pub(super) at: i64,
    /// When the file with the status was written, as it looks.
    pub(super) written: i64,
}

impl Installation {
    pub(super) fn new(clock: WorldClock) -> Self {
        let truth = Arc::new(Truth::started_at(clock.now().as_second()));
        let state = State { truth, life: Life::Runs, users: BTreeMap::new() };
        Self { clock, state: Arc::new(Mutex::new(state)) }
    }

    /// Changes the truth at the world's present time. A dead Nagios tells of changes once it runs again.
    pub fn edit<R>(&self, change: impl FnOnce(&mut Truth) -> R) -> R {
        let mut state = self.state.lock();
        let truth = Arc::make_mut(&mut state.truth);
        truth.now = self.clock.now().as_second();
        change(truth)
    }

    /// The truth, whatever is told of it.
    #[must_use]
    pub fn truth(&self) -> Arc<Truth> {
        self.state.lock().truth.clone()
    }

    /// Somebody may ask. `sees_all`: it is named in `authorized_for_all_hosts` and `authorized_for_all_services`.
    pub fn add_user(&self, name: &str, password: &str, sees_all: bool) {
        let user = User { password: password.to_owned(), sees_all };
        self.state.lock().users.insert(name.to_owned(), user);
    }

    /// It is stopped, or a reload with a broken configuration ended it: the CGIs answer nothing.
    pub fn stop(&self) {
        self.state.lock().life = Life::Stopped;
    }

    /// It is killed: its last status stays behind and looks like that of a living one.
    pub fn kill(&self) {
        let now = self.clock.now().as_second();
        let mut state = self.state.lock();
        state.life = Life::Killed(now, state.truth.clone());
    }

    /// It is killed, and the file that it left behind is copied so often that it looks new.
    pub fn kill_and_copy(&self) {
        let now = self.clock.now().as_second();
        let mut state = self.state.lock();
        state.life = Life::Copied(now, state.truth.clone());
    }

    /// It is started again, now.
    pub fn start(&self) {
        self.edit(Truth::restart);
        self.state.lock().life = Life::Runs;
    }

    /// Does it run?
    #[must_use]
    pub fn runs(&self) -> bool {
        matches!(self.state.lock().life, Life::Runs)
    }

    /// Whether the password is this user's, and whether that user sees everything.
    pub(super) fn admits(&self, user: &str, password: &str) -> Option<bool> {
        let state = self.state.lock();
        state.users.get(user).filter(|known| known.password == password).map(|known| known.sees_all)
    }

    /// What is told at this second.
    pub(super) fn told(&self, now: i64) -> Option<Told> {
        let state = self.state.lock();
        let last = |truth: &Truth, at: i64| at - (at - truth.started).rem_euclid(STATUS_SECONDS);
        match &state.life {
            Life::Stopped => None,
            Life::Runs => {
                let at = last(&state.truth, now);
                Some(Told { truth: state.truth.clone(), at, written: at })
            }
            Life::Killed(then, truth) => {
                let at = last(truth, *then);
                Some(Told { truth: truth.clone(), at, written: at })
            }
            Life::Copied(then, truth) => {
                let at = last(truth, *then);
                Some(Told { truth: truth.clone(), at, written: now })
            }
        }
    }
}

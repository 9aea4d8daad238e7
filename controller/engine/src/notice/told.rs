//! What happens to a host on its way out, as it is told to its people.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::message::{Command, Facts, Language, Message};
use super::{Kind, NoticeId, Origin, words};
use crate::activity::{ActivityMetric, Window};
use crate::ids::{HostId, Place, RoleName};
use crate::text;

/// News of one mark.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The mark: the uid of the `Retirement`.
    pub mark: Origin,
    /// How often this kind of news of this mark had been told before: a host that was stopped twice is reminded of twice.
    pub occurrence: u32,
    /// The host.
    pub about: About,
    /// The time zone of its environment: all times are told in it, and it is named beside them.
    pub zone: TimeZone,
    /// What happened.
    pub news: News,
}

/// A host as its people know it. Names may be anything; they are cleaned when they are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Its id.
    pub host: HostId,
    /// Its name, the id again where it has none.
    pub name: Arc<str>,
    /// The environment that claims it.
    pub environment: Arc<str>,
    /// Why it exists.
    pub duties: Vec<RoleName>,
    /// Instance type or database class, `m5.large`.
    pub size: Arc<str>,
    /// Where it is.
    pub place: Place,
}

/// What is told.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// See [`Kind::Proposed`].
    Proposed(Proposed),
    /// See [`Kind::Reminder`].
    Reminder(Reminder),
    /// See [`Kind::Cancelled`].
    Cancelled(Cancelled),
    /// See [`Kind::Retired`].
    Retired(Retired),
}

/// The host looks unused: why, what will be done and when, and how to say no.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposed {
    /// What proves it.
    pub evidence: Evidence,
    /// What will be done; none where only its people act.
    pub way: Option<Way>,
    /// Nothing is done before this, and so long its owner may decide. It is counted again from when the notice is accepted, so it
    /// can only come later.
    pub due: Timestamp,
    /// How many people must still approve; 0 where nobody has to.
    pub approvals_needed: u32,
    /// Approves it, where that is needed.
    pub approve: Option<Command>,
    /// Keeps it, for whoever has the command line of Rollcall.
    pub keep: Command,
    /// Keeps it, for whoever has AWS alone.
    pub keep_by_tag: Command,
    /// Brings it back after the stop; with more than one, the last ones work without Rollcall.
    pub undo: Vec<Command>,
    /// What does not come back.
    pub not_restored: Vec<NotRestored>,
}

/// What undoing a stop does not bring back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotRestored {
    /// A public IPv4 address that AWS gave it when it started; it gets another one.
    PublicAddress(std::net::Ipv4Addr),
    /// What is only in memory.
    Memory,
}

/// What proves that nobody uses it.
#[derive(Clone, Debug, PartialEq)]
pub enum Evidence {
    /// It ran, and did nothing.
    Idle {
        /// The days that were looked at, all of them.
        window: Window,
        /// The most on any of them.
        peaks: Vec<Peak>,
    },
    /// It was stopped by somebody, and is still.
    Stopped {
        /// Since when, at least.
        since: Timestamp,
    },
}

/// The most of one metric on one day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peak {
    /// Of what.
    pub metric: ActivityMetric,
    /// How much, in the unit of the metric: percent, bytes, operations, connections.
    pub most: f64,
}

/// What will be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// False for a host that is stopped already.
    pub stops: bool,
    /// Days for which it stays stopped, watched by nobody but Rollcall, before what is final.
    pub cool_off_days: u32,
    /// What is final.
    pub then: FinalAct,
}

/// How it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FinalAct {
    /// It stays stopped.
    Stop,
    /// Terraform knows it; its people remove this resource.
    HandOver {
        /// The address in its state, `aws_instance.batch[0]`.
        resource: Arc<str>,
    },
    /// It is backed up and terminated.
    Terminate,
}

/// The act is near.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reminder {
    /// Does it stop the host, or is it what is final?
    pub stops: bool,
    /// When, at the earliest.
    pub at: Timestamp,
    /// Keeps it.
    pub keep: Command,
    /// Keeps it, for whoever has AWS alone.
    pub keep_by_tag: Command,
}

/// It will not be done.
#[derive(Clone, Debug, PartialEq)]
pub struct Cancelled {
    /// Why not.
    pub why: WhyCancelled,
    /// What is left of what was done already.
    pub stands: HowItStands,
}

/// Why not.
#[derive(Clone, Debug, PartialEq)]
pub enum WhyCancelled {
    /// It did something; what, where that is known.
    Used(Option<Peak>),
    /// Somebody started it.
    Started,
    /// It is behind a load balancer, or an address of it receives traffic.
    Reached,
    /// Somebody keeps it.
    Kept {
        /// The last day of it, where that is known.
        until: Option<Date>,
    },
    /// A person said so.
    ByPerson {
        /// The name by which Kubernetes knows them, where that is known.
        user: Option<Arc<str>>,
    },
    /// It is protected from being stopped or terminated.
    Protected,
    /// Nothing allows it any more: no environment claims the host, its duty says never, or the policy was changed.
    NotAllowed,
    /// The host is gone: somebody else removed it.
    Gone,
}

/// What is left of what was done already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HowItStands {
    /// Nothing had been done.
    Untouched,
    /// It runs again, as before.
    RunsAgain,
    /// It is still stopped.
    StillStopped {
        /// Starts it.
        undo: Vec<Command>,
    },
    /// It does not exist.
    Gone,
}

/// It was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retired {
    /// What.
    pub done: WhatWasDone,
    /// When.
    pub at: Timestamp,
    /// Registrations in monitoring systems that were retired with it.
    pub registrations: u32,
    /// What is still there and may cost money: addresses, volumes.
    pub leftovers: Vec<Arc<str>>,
}

/// What was done in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhatWasDone {
    /// It stays stopped.
    Stopped {
        /// Starts it.
        undo: Vec<Command>,
    },
    /// It stays stopped until its people remove this resource.
    HandedOver {
        /// The address in Terraform's state.
        resource: Arc<str>,
        /// Starts it.
        undo: Vec<Command>,
    },
    /// It is gone.
    Terminated {
        /// Ids of the backups.
        backups: Vec<Arc<str>>,
        /// Until when they are kept, if they are not kept for ever.
        kept_until: Option<Date>,
    },
}

impl Notice {
    /// The name of the event.
    #[must_use]
    pub fn id(&self) -> NoticeId {
        NoticeId { origin: self.mark.clone(), kind: self.kind(), occurrence: self.occurrence }
    }

    /// What is said, as written at `now`.
    #[must_use]
    pub fn message(&self, language: Language, now: Timestamp) -> Message {
        Message::new(self.id(), now, self.until(), language, &words::notice(self, language), self.facts())
    }

    fn kind(&self) -> Kind {
        match &self.news {
            News::Proposed(_) => Kind::Proposed,
            News::Reminder(_) => Kind::Reminder,
            News::Cancelled(_) => Kind::Cancelled,
            News::Retired(_) => Kind::Retired,
        }
    }

    /// A reminder that comes after the act reminds of nothing. What has been decided is worth telling at any time.
    fn until(&self) -> Option<Timestamp> {
        if let News::Reminder(reminder) = &self.news { Some(reminder.at) } else { None }
    }

    fn facts(&self) -> Facts {
        let first = |commands: &[Command]| commands.first().cloned();
        let (due, keep, undo) = match &self.news {
            News::Proposed(told) => (Some(told.due), Some(told.keep.clone()), first(&told.undo)),
            News::Reminder(told) => (Some(told.at), Some(told.keep.clone()), None),
            News::Cancelled(told) => match &told.stands {
                HowItStands::StillStopped { undo } => (None, None, first(undo)),
                HowItStands::Untouched | HowItStands::RunsAgain | HowItStands::Gone => (None, None, None),
            },
            News::Retired(told) => match &told.done {
                WhatWasDone::Stopped { undo } | WhatWasDone::HandedOver { undo, .. } => {
                    (None, None, first(undo))
                }
                WhatWasDone::Terminated { .. } => (None, None, None),
            },
        };
        Facts {
            environment: Some(text::clean(&self.about.environment)),
            host: Some(HostId::new(text::clean(self.about.host.as_str()))),
            name: Some(text::clean(&self.about.name)),
            due,
            keep,
            undo,
        }
    }
}

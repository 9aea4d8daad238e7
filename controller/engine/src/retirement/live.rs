//! Everything that the last gate looks at, read live, each with how much is known of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::approval::Admission;
use super::breaker::Trip;
use super::evidence::Use;
use super::fact::Fact;
use super::host::HostView;
use super::ledger::{Ledger, Limits};
use super::order::{Act, Epoch, Occurrence};
use super::policy::Policy;
use crate::ids::{AccountId, ObjectKey};
use crate::reading::FailureKind;

/// One look at everything that one retirement depends on.
///
/// The shell reads the admission policy, then the `Retirement`, then the admission policy again, then all the rest, and
/// nothing of it from a cache. `admission` is known only if both readings of it agree.
#[derive(Clone, Debug)]
pub struct Live {
    /// The world clock before the first reading.
    pub now: Timestamp,
    /// The lease as the API server has it: whose term it is, if it is ours.
    pub epoch: Fact<Option<Epoch>>,
    /// AWS's clock (`Date`), beside ours at the same moment.
    pub aws_clock: Fact<SignedDuration>,
    /// Whose credentials they are, by STS.
    pub account: Fact<AccountId>,
    /// What the retire role bears.
    pub role: Fact<Role>,
    /// Does `CloudAccount.spec.freeze` or the `ConfigMap` say Frozen, or is that `ConfigMap` gone?
    pub frozen: Fact<bool>,
    /// Every listing is complete, and every object that could restrict is readable.
    pub sources: Fact<()>,
    /// The host, described by its id. `None`: a complete answer knows none.
    pub host: Fact<Option<HostView>>,
    /// What it did since [`super::Retirement::idle_from`].
    pub usage: Use,
    /// Whose it is, and what they allow.
    pub belonging: Fact<Belonging>,
    /// Its policy; `None`: there is none any more.
    pub policy: Fact<Option<Policy>>,
    /// The rule's life so far.
    pub rule: Fact<Rule>,
    /// Who else plays its duty.
    pub peers: Fact<Peers>,
    /// Is a Critical alert of its environment open?
    pub alert: Fact<bool>,
    /// Is an allow window open?
    pub window: Fact<bool>,
    /// The target groups that it is in.
    pub targets: Fact<BTreeSet<Arc<str>>>,
    /// The monitoring systems in which it is registered, and whether each is silent about it.
    pub watched: Fact<BTreeMap<ObjectKey, bool>>,
    /// The admission policy, as it is in force. `None`: it or its binding is missing, or is another than ours.
    pub admission: Fact<Option<Admission>>,
    /// The account's ledger; `None`: there is none.
    pub ledger: Fact<Option<Arc<Ledger>>>,
    /// What may be reserved.
    pub limits: Fact<Arc<Limits>>,
    /// Why everything stands, if it does, after this look ([`super::Breaker::live`]).
    pub breaker: Fact<Option<Trip>>,
    /// Audit records of this mark.
    pub records: Fact<BTreeSet<(Act, Occurrence)>>,
    /// Its backups.
    pub backup: Fact<Backup>,
}

impl Live {
    /// Nothing is known: for whoever fills in what they can read.
    #[must_use]
    pub fn unread(now: Timestamp) -> Self {
        const UNREAD: FailureKind = FailureKind::NotYetRead;
        Self {
            now,
            epoch: Fact::Unknown(UNREAD),
            aws_clock: Fact::Unknown(UNREAD),
            account: Fact::Unknown(UNREAD),
            role: Fact::Unknown(UNREAD),
            frozen: Fact::Unknown(UNREAD),
            sources: Fact::Unknown(UNREAD),
            host: Fact::Unknown(UNREAD),
            usage: Use::Unknown(UNREAD),
            belonging: Fact::Unknown(UNREAD),
            policy: Fact::Unknown(UNREAD),
            rule: Fact::Unknown(UNREAD),
            peers: Fact::Unknown(UNREAD),
            alert: Fact::Unknown(UNREAD),
            window: Fact::Unknown(UNREAD),
            targets: Fact::Unknown(UNREAD),
            watched: Fact::Unknown(UNREAD),
            admission: Fact::Unknown(UNREAD),
            ledger: Fact::Unknown(UNREAD),
            limits: Fact::Unknown(UNREAD),
            breaker: Fact::Unknown(UNREAD),
            records: Fact::Unknown(UNREAD),
            backup: Fact::Unknown(UNREAD),
        }
    }

    /// Is it known that a retirement may go the whole way?
    #[must_use]
    pub fn reaches_the_end(&self) -> bool {
        self.belonging.is(|belonging| belonging.reach() == Some(Reach::Retire))
    }
}

/// What the retire role bears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// `rollcall.dev/installation` is this cluster's.
    pub is_ours: bool,
    /// `rollcall.dev/frozen` stands.
    pub frozen: bool,
}

/// How far a retirement may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Its owner is told, and nothing is asked of AWS, not even a tag.
    Notify,
    /// The whole way.
    Retire,
}

impl Belonging {
    /// How far both let it go; none: not even its owner is told.
    #[must_use]
    pub fn reach(&self) -> Option<Reach> {
        self.asked.min(self.granted)
    }
}

/// Whose a host is, and what they allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Belonging {
    /// How many environments claim it.
    pub claims: usize,
    /// The one that does.
    pub environment: Option<ObjectKey>,
    /// How far the account's grant lets its environment go, and its identities.
    pub granted: Option<Reach>,
    /// Does a duty of it say `retirement: Allowed`, and none `Never`?
    pub allowed: bool,
    /// How far `lean.enforcement` of its environment asks to go with its role.
    pub asked: Option<Reach>,
    /// Does an Exemption keep it?
    pub exempt: bool,
}

/// The rule's life so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Since when this very rule has run without acting.
    pub since: Timestamp,
    /// Was the list of its first pass acknowledged?
    pub first_list: FirstList,
}

/// The list that a rule's first pass made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstList {
    /// Nobody has acknowledged it.
    Waits,
    /// Somebody has.
    Acknowledged,
}

/// Who plays the host's duty in its environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peers {
    /// How many others run in its zone.
    pub in_zone: usize,
    /// How many others run in all.
    pub in_all: usize,
    /// The least that is wanted in all.
    pub wanted: usize,
}

/// The backups of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backup {
    /// Type, groups, addresses, profile, user data hash and volumes are saved.
    pub launch_record: bool,
    /// Volumes, or the database, of which no backup of this mark was begun.
    pub missing: BTreeSet<Arc<str>>,
    /// Backups of this mark that are begun and not `completed` (`available`) yet.
    pub pending: usize,
    /// Tries of this mark whose stop took a database's backup: `StopDBInstance` was given a snapshot's name made of mark and try, and
    /// RDS shows a snapshot of that name. Nobody else's stop leaves one.
    pub stops: BTreeSet<Occurrence>,
}

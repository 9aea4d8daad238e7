//! One host as the last gate sees it, whichever service lists it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::bars::{Bar, of_tags};
use super::fact::Fact;
use super::order::Incarnation;
use crate::ids::Mark;
use crate::inventory::{Database, DatabaseStatus, Instance, MemberRole, PowerState, Tags, Transition};
use crate::reading::FailureKind;

/// The tag that says whose mark a host bears.
const MARK: &str = "rollcall.dev/mark";
/// The tag by which an owner keeps a host, whatever its date: the operator removes an expired one as an act of its own.
const KEEP: &str = "rollcall.dev/keep";
/// The tag that stays on a host that we stopped.
const STOPPED: &str = "rollcall.dev/stopped";

/// RDS's events are awaited for so long: they are told some minutes late.
pub(super) const EVENT_COMES: SignedDuration = SignedDuration::from_mins(15);

/// What a host is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// It runs.
    Running,
    /// It is on its way down.
    Stopping,
    /// It is stopped.
    Stopped,
    /// It is on its way up.
    Starting,
    /// It is on its way out.
    Leaving,
    /// AWS's own word: it is gone.
    Gone,
    /// Something is being done to it, or AWS has a word for it that we do not know.
    Unsteady,
}

/// One host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostView {
    /// Which one it is.
    pub incarnation: Incarnation,
    /// The identifier by which RDS acts; none of an instance.
    pub name: Option<Arc<str>>,
    /// What it is doing.
    pub power: Power,
    /// What changes whenever it is started: an instance's `LaunchTime`; the time at which RDS will start a stopped
    /// database again, seven days after its stop, or when one that runs was last stopped, if ever.
    pub run: Option<Timestamp>,
    /// When somebody asked for an instance's last stop, by EC2's own words (`StateTransitionReason`).
    pub told: Option<Timestamp>,
    /// When a database was last stopped, by RDS's events.
    pub halted: Option<Timestamp>,
    /// When RDS last started it by itself, seven days after its stop, by RDS's own event ("started due to it exceeding the
    /// maximum allowed time being stopped"). A start by somebody is another event.
    pub restarted: Option<Timestamp>,
    /// The mark that it bears.
    pub mark: Option<Mark>,
    /// The mark by which it was stopped.
    pub stopped: Option<Mark>,
    /// Does any keep tag stand?
    pub keep: bool,
    /// Why it never goes.
    pub bars: BTreeSet<Bar>,
    /// What could be such a reason and is not known.
    pub unread: BTreeMap<Bar, FailureKind>,
    /// Is it an Aurora reader, of which nothing but a delete is possible?
    pub is_reader: bool,
}

/// What a database's cluster and status say beside the database itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its part.
    pub role: MemberRole,
    /// How many members its cluster has.
    pub of: usize,
    /// Is its cluster protected from deletion? RDS asks the cluster, not the member.
    pub protected: bool,
}

impl HostView {
    /// An instance. Protection and instance-store volumes are asked apart.
    #[must_use]
    pub fn of_instance(instance: &Instance, protected: &Fact<bool>, instance_store: &Fact<bool>) -> Self {
        let mut bars: BTreeSet<Bar> = of_tags(&instance.tags).collect();
        bars.extend(instance.managed_by.is_some().then_some(Bar::Managed));
        let mut unread = BTreeMap::new();
        for (bar, fact) in [(Bar::Protected, protected), (Bar::InstanceStore, instance_store)] {
            match fact {
                Fact::Known(true) => drop(bars.insert(bar)),
                Fact::Known(false) => {}
                Fact::Unknown(why) => drop(unread.insert(bar, *why)),
            }
        }
        Self {
            incarnation: Incarnation { host: instance.id.clone(), created: None },
            name: None,
            power: match instance.state {
                PowerState::Pending => Power::Starting,
                PowerState::Running => Power::Running,
                PowerState::Stopping => Power::Stopping,
                PowerState::Stopped => Power::Stopped,
                PowerState::ShuttingDown => Power::Leaving,
                PowerState::Terminated => Power::Gone,
                PowerState::Unknown => Power::Unsteady,
            },
            run: Some(instance.launch_time),
            told: instance.told_at(),
            bars,
            unread,
            is_reader: false,
            ..Self::tagged(&instance.tags)
        }
    }

    /// A database. One without a time of creation cannot be pinned yet. `halted` and `restarted`: see the
    /// fields of these names.
    #[must_use]
    pub fn of_database(
        database: &Database,
        member: Member,
        halted: Option<Timestamp>,
        restarted: Option<Timestamp>,
    ) -> Fact<Self> {
        let Some(created) = database.created else {
            return Fact::Unknown(FailureKind::Unsteady);
        };
        let mut bars: BTreeSet<Bar> = of_tags(&database.tags).collect();
        let is_reader = member.role == MemberRole::Reader;
        let protected =
            if database.cluster.is_some() { member.protected } else { database.deletion_protection };
        let replicates = database.replica_of.is_some() || !database.replicas.is_empty();
        let stays =
            matches!(member.role, MemberRole::Writer | MemberRole::Unknown) || (is_reader && member.of < 2);
        let cannot_keep =
            database.engine.is_rds_custom() || matches!(database.status, DatabaseStatus::Failed(_));
        bars.extend(protected.then_some(Bar::Protected));
        bars.extend(replicates.then_some(Bar::Replication));
        bars.extend(stays.then_some(Bar::Writer));
        bars.extend(cannot_keep.then_some(Bar::RdsCustom));
        Fact::Known(Self {
            incarnation: Incarnation { host: database.id.clone(), created: Some(created) },
            name: Some(Arc::from(database.name.as_str())),
            power: match &database.status {
                DatabaseStatus::Available => Power::Running,
                DatabaseStatus::Stopped => Power::Stopped,
                DatabaseStatus::InTransition(Transition::Stopping) => Power::Stopping,
                DatabaseStatus::InTransition(Transition::Starting) => Power::Starting,
                DatabaseStatus::Deleting => Power::Leaving,
                _ => Power::Unsteady,
            },
            run: if database.status == DatabaseStatus::Stopped { database.restarts } else { halted },
            halted,
            restarted,
            bars,
            is_reader,
            ..Self::tagged(&database.tags)
        })
    }

    /// Did RDS itself end the stop that would end at `restart`? `None`: that is not told yet.
    pub(super) fn restarted_itself(&self, restart: Option<Timestamp>, now: Timestamp) -> Option<bool> {
        let Some(restart) = restart.filter(|restart| self.name.is_some() && *restart <= now) else {
            return Some(false);
        };
        if self.restarted.is_some() && self.restarted > self.halted {
            return Some(true);
        }
        (EVENT_COMES < now.duration_since(restart)).then_some(false)
    }

    fn tagged(tags: &Tags) -> Self {
        Self {
            incarnation: Incarnation { host: "".into(), created: None },
            name: None,
            power: Power::Unsteady,
            run: None,
            told: None,
            halted: None,
            restarted: None,
            mark: tags.get(MARK).map(Mark::new),
            stopped: tags.get(STOPPED).map(Mark::new),
            keep: tags.get(KEEP).is_some(),
            bars: BTreeSet::new(),
            unread: BTreeMap::new(),
            is_reader: false,
        }
    }
}

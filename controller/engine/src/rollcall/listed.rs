//! A host as the service that runs it lists it: an instance of EC2 or a database of RDS. The rest of the roll call asks
//! both the same questions, and nobody else asks which of the two it is but where the answer must differ.

use std::net::IpAddr;

use jiff::Timestamp;

use crate::ids::HostId;
use crate::inventory::{
    Database, DatabaseCluster, DatabaseStatus, Instance, Marks, MemberRole, PowerState, Transition,
};
use crate::reading::{Failure, FailureKind};
use crate::text::clean;

/// A host as it is listed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Listed<'a> {
    Instance(&'a Instance),
    Database(&'a Database, Membership<'a>),
}

/// The cluster of a database, as far as a fresh listing of clusters tells of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Membership<'a> {
    /// It is in none.
    Alone,
    /// It is in this one.
    In(&'a DatabaseCluster),
    /// It is in one of which nothing is known now: it may be failing over.
    Hidden,
}

/// What a host is doing, as far as decisions tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// On its way up: it is judged as one that settles.
    Starting,
    /// It is proved to run.
    Running,
    /// Stopped, or an instance on its way there.
    Stopped,
    /// On its way out, or out.
    Leaving,
    /// Nobody may say anything of it now: a database that is being changed or in trouble, or a word that this version
    /// does not know.
    Unclear,
}

impl<'a> Listed<'a> {
    pub(super) fn id(self) -> &'a HostId {
        match self {
            Self::Instance(instance) => &instance.id,
            Self::Database(database, _) => &database.id,
        }
    }

    pub(super) fn marks(self) -> Marks<'a> {
        match self {
            Self::Instance(instance) => instance.marks(),
            Self::Database(database, _) => database.marks(),
        }
    }

    pub(super) fn name(self) -> Option<&'a str> {
        self.marks().name
    }

    /// When it was last started; of a database, which does not tell that, when it was made.
    pub(super) fn launched(self) -> Option<Timestamp> {
        match self {
            Self::Instance(instance) => Some(instance.launch_time),
            Self::Database(database, _) => database.created,
        }
    }

    /// Did it come after this? A database that is just being made does not tell when that began, and needs not.
    pub(super) fn came_after(self, since: Timestamp) -> bool {
        match (self, self.launched()) {
            (_, Some(launched)) => launched > since,
            (Self::Database(database, _), None) => database.status == DatabaseStatus::Creating,
            (Self::Instance(_), None) => false,
        }
    }

    /// Instance type or class.
    pub(super) fn size(self) -> &'a str {
        match self {
            Self::Instance(instance) => &instance.instance_type,
            Self::Database(database, _) => &database.class,
        }
    }

    /// Does a service or a fleet own it?
    pub(super) fn is_managed(self) -> bool {
        matches!(self, Self::Instance(Instance { managed_by: Some(_), .. }))
    }

    pub(super) fn addresses(self) -> &'a [IpAddr] {
        match self {
            Self::Instance(instance) => &instance.addresses,
            Self::Database(..) => &[],
        }
    }

    /// The DNS name that monitoring systems know a database by.
    pub(super) fn endpoint(self) -> Option<&'a str> {
        match self {
            Self::Instance(_) => None,
            Self::Database(database, _) => {
                database.endpoint.as_ref().map(|endpoint| endpoint.address.as_str())
            }
        }
    }

    /// When somebody asked for the last stop of an instance, by AWS's words.
    pub(super) fn told_at(self) -> Option<Timestamp> {
        match self {
            Self::Instance(instance) => instance.told_at(),
            Self::Database(..) => None,
        }
    }

    /// A database that is being made.
    pub(super) fn is_being_made(self) -> bool {
        matches!(self, Self::Database(Database { status: DatabaseStatus::Creating, .. }, _))
    }

    /// What it is doing. Of a member of a cluster only the cluster tells that it fails over, so what the cluster does or
    /// hides stands before the member's own word that it is available.
    pub(super) fn life(self) -> Life {
        match self {
            Self::Instance(instance) => match instance.state {
                PowerState::Pending => Life::Starting,
                PowerState::Running => Life::Running,
                PowerState::Stopping | PowerState::Stopped => Life::Stopped,
                PowerState::ShuttingDown | PowerState::Terminated => Life::Leaving,
                PowerState::Unknown => Life::Unclear,
            },
            Self::Database(database, membership) => match (&database.status, membership) {
                (DatabaseStatus::Deleting, _) => Life::Leaving,
                (DatabaseStatus::Stopped, _) => Life::Stopped,
                (status, Membership::Alone) if status.runs() => Life::Running,
                (status, Membership::In(cluster)) if status.runs() && cluster.status.runs() => Life::Running,
                _ => Life::Unclear,
            },
        }
    }

    /// Why its life is [`Life::Unclear`]; `clusters` is why no cluster can be seen.
    pub(super) fn why_unclear(self, clusters: Option<&Failure>) -> Failure {
        let Self::Database(database, membership) = self else {
            let message = "the instance is in a state that this version does not know";
            return Failure::new(FailureKind::Malformed, message);
        };
        let cluster = || clean(database.cluster.as_deref().unwrap_or_default());
        match (&database.status, membership, clusters) {
            (status, Membership::In(of), _) if status.runs() => unsteady("its cluster", &of.status),
            (status, Membership::Hidden, Some(failure)) if status.runs() => Failure::new(
                failure.kind,
                format!("its cluster {} may be failing over: {}", cluster(), failure.message),
            ),
            (status, _, _) if status.runs() => Failure::new(
                FailureKind::NotYetRead,
                format!("its cluster {} is not in the last listing of clusters", cluster()),
            ),
            (status, _, _) => unsteady("the database", status),
        }
    }

    /// The name of the cluster that a database is a member of.
    pub(super) fn cluster_name(self) -> Option<&'a str> {
        match self {
            Self::Instance(_) => None,
            Self::Database(database, _) => database.cluster.as_deref(),
        }
    }

    /// The part that a database has in its cluster. While the writer moves, or the database gets another name, nobody
    /// can tell.
    pub(super) fn part(self) -> Option<(&'a DatabaseCluster, MemberRole)> {
        let Self::Database(database, Membership::In(cluster)) = self else { return None };
        let moves = cluster.status == DatabaseStatus::InTransition(Transition::FailingOver)
            || database.status == DatabaseStatus::InTransition(Transition::Renaming);
        Some((cluster, if moves { MemberRole::Unknown } else { cluster.role_of(&database.name) }))
    }
}

/// Why nothing is said of a database that is not available.
fn unsteady(who: &str, status: &DatabaseStatus) -> Failure {
    let word = clean(status.as_str());
    match status {
        DatabaseStatus::Failed(_) => Failure::new(
            FailureKind::Unsteady,
            format!("{who} is in trouble ({word}) and needs a person; it is judged once it is available"),
        ),
        DatabaseStatus::Unknown(_) => Failure::new(
            FailureKind::Malformed,
            format!("{who} is in a status that this version does not know: {word}"),
        ),
        _ => Failure::new(FailureKind::Unsteady, format!("{who} is {word}; it is judged once that is over")),
    }
}

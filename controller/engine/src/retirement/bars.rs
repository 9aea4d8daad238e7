//! What a host can be that nobody here may ever retire, each with its reason.

use serde::{Deserialize, Serialize};

use crate::inventory::Tags;

/// A reason for which a host never goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Bar {
    /// A service or a fleet owns it: `operator.managed`, any lifecycle value (Spot), or an `aws:*` tag.
    Managed,
    /// Instance Scheduler starts and stops it.
    Scheduled,
    /// Protected from termination or from being stopped. Respected, never cleared.
    Protected,
    /// It has volumes that a stop wipes.
    InstanceStore,
    /// It takes the writes of its cluster, may become the one that does, or is its last member.
    Writer,
    /// Others replicate it, or it replicates another: read replicas and standbys are never retired.
    Replication,
    /// RDS Custom, or one that failed: its delete cannot keep a backup.
    RdsCustom,
}

impl Bar {
    /// All there are.
    pub const ALL: [Self; 7] = [
        Self::Managed,
        Self::Scheduled,
        Self::Protected,
        Self::InstanceStore,
        Self::Writer,
        Self::Replication,
        Self::RdsCustom,
    ];
}

/// Tags of AWS that say nothing about an owner: who launches from a template by hand gets these two. All others are a
/// service's (Auto Scaling, CloudFormation, EKS, ECS, EMR, Batch, Beanstalk, fleets), or one's that we do not know yet.
const HARMLESS: [&str; 2] = ["aws:ec2launchtemplate:id", "aws:ec2launchtemplate:version"];

/// Keys by which Instance Scheduler on AWS is told what to start and stop, and those that it writes.
const SCHEDULER: [&str; 3] = ["Schedule", "InstanceScheduler-LastAction", "IS-ManagedBy"];

/// What tags alone say.
pub fn of_tags(tags: &Tags) -> impl Iterator<Item = Bar> {
    tags.iter().filter_map(|(key, _)| {
        // AWS compares the prefix without regard to case.
        let reserved = key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"));
        if reserved && !HARMLESS.contains(&key) {
            return Some(Bar::Managed);
        }
        SCHEDULER.contains(&key).then_some(Bar::Scheduled)
    })
}

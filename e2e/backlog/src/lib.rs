//! The fleet that `crds/examples/backlog` describes, played on a fake AWS, a fake Mackerel and a fake Nagios: about 200
//! hosts in 7 environments, as messy as real ones, with a list of every fault that was planted.
//!
//! The demo shows it, tests judge Rollcall by [`Planted`], and the recording of the README is made from it.
//! It must never look at what Rollcall says: it is the ground truth.

mod databases;
mod hosts;
mod mess;
mod moments;
mod nagios;
mod site;
mod tree;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rollcall_fakes::aws::{Aws, RegionTruth};
use rollcall_fakes::clock::WorldClock;
use rollcall_fakes::mackerel::{FakeMackerel, Org, Rights};
use rollcall_fakes::nagios::FakeNagios;
use rollcall_fakes::stage::Stage;

pub use hosts::{ENVIRONMENTS, EnvironmentPlan};
pub use mess::{LEAVING, Planted};
pub use moments::duty_of;
pub use site::bastion;
pub use tree::{LIBRARY, Tree, folder};

/// Where the story begins: a Saturday, two days before the roll is called.
pub const BEGIN: &str = "2026-11-21T01:00:00Z";
/// The API key of the Mackerel organisation.
pub const MACKEREL_KEY: &str = "backlog-mackerel-key";
/// Who asks Nagios.
pub const NAGIOS_USER: &str = "rollcall";
/// Its password.
pub const NAGIOS_PASSWORD: &str = "backlog-nagios-password";
/// Access key of the observing user in an account: this, and the account's id.
pub const AWS_KEY_PREFIX: &str = "AKIAROLLCALL";

/// The fleet and the fakes it lives in.
#[derive(Debug)]
pub struct Backlog {
    /// EC2, RDS and STS.
    pub aws: Aws,
    /// Mackerel.
    pub mackerel: FakeMackerel,
    /// The one organisation in it.
    pub org: Org,
    /// The older Nagios, which watches a part of the fleet.
    pub nagios: FakeNagios,
    /// Clock, faults and calls, shared by all fakes.
    pub stage: Stage,
    /// Instances and databases by name.
    pub hosts: BTreeMap<String, HostTruth>,
    planted: Vec<Planted>,
}

/// Where a host of the fleet really is.
#[derive(Clone, Debug)]
pub struct HostTruth {
    /// Its environment.
    pub environment: String,
    /// Its instance id; of a database its `DbiResourceId` in lower case.
    pub instance: String,
    /// Its account.
    pub account: String,
    /// Its region.
    pub region: String,
    /// Its id in Mackerel, if it is registered.
    pub registration: Option<String>,
}

impl Backlog {
    /// Builds the fleet as it stood two days before the roll call, on a clock that stands still at [`BEGIN`].
    ///
    /// # Errors
    /// When the tree of custom resources cannot be read, or a fake refuses what it is given: a fault of this crate.
    pub fn two_days_ago() -> anyhow::Result<Self> {
        let begin: Timestamp = BEGIN.parse()?;
        let stage = Stage::new(WorldClock::frozen_at(begin));
        let aws = Aws::new(stage.clone());
        let (mackerel, org) = FakeMackerel::with_org(stage.clone(), "backlog", MACKEREL_KEY);
        mackerel.add_key("backlog", MACKEREL_KEY, Rights::Read);
        for account in hosts::ACCOUNTS {
            aws.account(account).add_key("rollcall-observe", &access_key(account));
        }
        let nagios = FakeNagios::new(stage.clone());
        let (hosts, planted) = (BTreeMap::new(), Vec::new());
        let mut fleet = Self { aws, mackerel, org, nagios, stage, hosts, planted };
        let tree = Tree::read(&folder())?;
        fleet.launch_all(begin)?;
        fleet.register_all(&tree)?;
        fleet.make_a_mess()?;
        fleet.launch_databases(begin)?;
        fleet.integrate_databases()?;
        fleet.watch_from_outside(&tree)?;
        fleet.build_sites()?;
        Ok(fleet)
    }

    /// What happens while Rollcall already watches: six old staging hosts are terminated and their
    /// registrations stay behind.
    ///
    /// # Errors
    /// When a fake refuses.
    pub fn old_hosts_leave(&mut self) -> anyhow::Result<()> {
        for name in mess::LEAVING {
            self.region_of(name)?.terminate(&self.truth(name)?.instance)?;
            if let Some(id) = self.truth(name)?.registration.clone() {
                self.org.edit(|truth| truth.agent_stops(&id, false))?;
            }
        }
        Ok(())
    }

    /// Monday morning: the roll is called. More than a day after [`Self::old_hosts_leave`], so that what they left is ghosts.
    pub fn monday_morning(&self) {
        self.stage.clock.advance(SignedDuration::from_hours(48));
    }

    /// Every fault that was planted, with the finding that must report it.
    #[must_use]
    pub fn planted(&self) -> &[Planted] {
        &self.planted
    }

    /// Where a host really is.
    ///
    /// # Errors
    /// When the fleet has no host of that name.
    pub fn truth(&self, name: &str) -> anyhow::Result<&HostTruth> {
        self.hosts.get(name).ok_or_else(|| anyhow::anyhow!("the fleet has no host {name}"))
    }

    /// The region a host is in, to stop, start or tag it.
    ///
    /// # Errors
    /// When the fleet has no host of that name.
    pub fn region_of(&self, name: &str) -> anyhow::Result<RegionTruth> {
        let truth = self.truth(name)?;
        Ok(self.aws.account(&truth.account).region(&truth.region))
    }
}

/// The access key of the observing user of an account.
#[must_use]
pub fn access_key(account: &str) -> String {
    format!("{AWS_KEY_PREFIX}{}", account.get(..8).unwrap_or(account))
}

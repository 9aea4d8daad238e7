//! Facts about the messy fleet, read off the fakes and the tree alone: what a person could find out by looking at
//! every host, every registration and every custom resource. Nothing here has ever asked Rollcall.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rollcall_backlog::{Backlog, Tree, duty_of, folder};
use rollcall_crds::v1alpha1::{Environment, RequiredCheck, WatchedBy};
use rollcall_engine::fleet::Desired;
use rollcall_fakes::aws::ground::{Instance, State};
use rollcall_fakes::mackerel::{Host, Monitor, Truth, covers, text};
use rollcall_harness::world::PLACES;

/// Minutes without a metric that the tree allows.
const SILENT_MINUTES: i64 = 30;

/// The world at one moment.
pub struct Facts {
    /// World time.
    pub now: Timestamp,
    /// What people wrote.
    pub desired: Desired,
    tree: Tree,
    mackerel: Arc<Truth>,
    /// Every instance that AWS remembers, by id.
    instances: BTreeMap<String, Instance>,
    /// Names of the fleet's hosts by instance id.
    names: BTreeMap<String, String>,
    /// Environments of the fleet's hosts by instance id.
    homes: BTreeMap<String, String>,
}

impl Facts {
    /// Looks at everything.
    pub fn of(fleet: &Backlog, desired: &Desired) -> Self {
        let all =
            PLACES.iter().flat_map(|(account, region)| fleet.aws.account(account).region(region).instances());
        let known = |f: fn(&str, &str) -> String| {
            fleet
                .hosts
                .iter()
                .map(|(name, host)| (host.instance.clone(), f(name, &host.environment)))
                .collect()
        };
        Self {
            now: fleet.stage.now(),
            desired: desired.clone(),
            tree: Tree::read(&folder()).unwrap(),
            mackerel: fleet.org.truth(),
            instances: all.map(|instance| (instance.id.clone(), instance)).collect(),
            names: known(|name, _| name.to_owned()),
            homes: known(|_, environment| environment.to_owned()),
        }
    }

    /// Instances that are neither gone nor going.
    pub fn living(&self) -> impl Iterator<Item = &Instance> {
        self.instances.values().filter(|instance| !instance.state.is_ending())
    }

    /// Whether the instance lives.
    pub fn lives(&self, id: &str) -> bool {
        self.instances.get(id).is_some_and(|instance| !instance.state.is_ending())
    }

    /// The state of an instance that AWS remembers.
    pub fn state(&self, id: &str) -> Option<State> {
        self.instances.get(id).map(|instance| instance.state)
    }

    /// When an instance was launched.
    pub fn launched(&self, id: &str) -> Option<Timestamp> {
        self.instances.get(id).map(|instance| instance.launched)
    }

    /// The environment an instance was made for; none for what nobody claims.
    pub fn home(&self, id: &str) -> Option<&str> {
        self.homes.get(id).map(String::as_str)
    }

    /// Why a host exists; none where nobody knows.
    pub fn duty(&self, id: &str) -> Option<&'static str> {
        duty_of(self.names.get(id)?)
    }

    /// The live registrations of an instance: by what its agent sent, or by the instance's id in its metadata.
    pub fn registrations(&self, id: &str) -> Vec<&Host> {
        let identifier = format!("{id}.ec2.amazonaws.com");
        let of_it = |host: &&Host| {
            let named = host.custom_identifier.as_ref().is_some_and(|c| c.eq_ignore_ascii_case(&identifier));
            let cloud = host.meta.get("cloud").and_then(|cloud| cloud.pointer("/metadata/instance-id"));
            named || cloud.is_some_and(|found| found == id)
        };
        self.registered().filter(of_it).collect()
    }

    /// All live registrations.
    pub fn registered(&self) -> impl Iterator<Item = &Host> {
        self.mackerel.hosts().filter(|host| !host.is_retired())
    }

    /// The registration of this id, and the instance it is of, living or not.
    pub fn instance_of(&self, registration: &str) -> Option<&str> {
        let of = |id: &&String| self.registrations(id).iter().any(|host| host.id == registration);
        // AWS forgets the terminated; the fleet does not.
        self.names.keys().chain(self.instances.keys()).find(of).map(String::as_str)
    }

    /// Whether no metric of this registration arrived for longer than the tree allows.
    pub fn is_silent(&self, host: &Host) -> bool {
        let now = self.now.as_second();
        let since = host.last_system_metric(now).unwrap_or(host.created_at);
        now - since > SILENT_MINUTES * 60
    }

    /// The required check of this name.
    pub fn check(&self, name: &str) -> Option<&RequiredCheck> {
        self.desired.checks.iter().find(|check| check.metadata.name.as_deref() == Some(name))
    }

    /// The environment of this name.
    pub fn environment(&self, name: &str) -> Option<&Environment> {
        self.desired
            .environments
            .iter()
            .find(|environment| environment.metadata.name.as_deref() == Some(name))
    }

    /// Whether a check applies to an instance, by the duty it really has.
    pub fn applies(&self, check: &RequiredCheck, id: &str) -> bool {
        let Some(duty) = self.duty(id) else { return false };
        let roles = self.tree.closure(duty);
        let to = &check.spec.applies_to;
        to.roles.iter().any(|role| roles.contains(role))
            && !to.except_roles.iter().flatten().any(|role| roles.contains(role))
    }

    /// Names that a `watched.by` asks for on an instance.
    pub fn asked_name(&self, by: &WatchedBy, id: &str) -> Option<String> {
        let site = self.home(id).unwrap_or_default();
        by.check.as_ref().map(|check| check.name.replace("${env.site}", site))
    }

    /// Monitors that look at what a `watched.by` asks for, whether they cover anybody or not.
    pub fn monitors(&self, by: &WatchedBy) -> Vec<&Monitor> {
        let looks = |monitor: &&Monitor| match (&by.host_metric, &by.connectivity) {
            (Some(metric), _) => text(monitor, "metric") == metric.metric,
            (None, Some(_)) => text(monitor, "type") == "connectivity",
            (None, None) => false,
        };
        self.mackerel.monitors().into_iter().filter(looks).collect()
    }

    #[allow(
        clippy::unused_self,
        clippy::cast_precision_loss,
        reason = "asked of the facts; thresholds are small"
    )]
    /// Whether a monitor speaks, takes the host in, and alerts at a threshold that `by` allows.
    pub fn really_watches(&self, monitor: &Monitor, by: &WatchedBy, host: &Host) -> bool {
        !is_muted(monitor) && covers(monitor, host) && {
            let most = by.host_metric.as_ref().and_then(|metric| metric.threshold_at_most);
            let alerts_at = ["warning", "critical"].iter().filter_map(|level| monitor.get(*level)?.as_f64());
            most.is_none_or(|most| alerts_at.reduce(f64::min).is_some_and(|at| at <= most as f64))
        }
    }

    #[allow(clippy::unused_self, reason = "asked of the facts")]
    /// Whether some agent on a living host runs a check of this name.
    pub fn runs(&self, host: &Host, check: &str) -> bool {
        host.checks.iter().any(|found| *found.name == *check)
    }

    /// Every name that some required check asks for somewhere.
    pub fn asked_names(&self) -> Vec<String> {
        let checks = self.desired.checks.iter();
        let named = checks.flat_map(|check| &check.spec.watched.by).filter_map(|by| by.check.as_ref());
        let sites: Vec<String> =
            self.desired.environments.iter().filter_map(|e| e.metadata.name.clone()).collect();
        named.flat_map(|check| sites.iter().map(|site| check.name.replace("${env.site}", site))).collect()
    }

    /// Running hosts of a duty in an environment.
    pub fn running(&self, environment: &str, role: &str) -> usize {
        let plays = |id: &str| self.duty(id).is_some_and(|duty| self.tree.closure(duty).contains(role));
        let running = |i: &&Instance| i.state == State::Running && self.home(&i.id) == Some(environment);
        self.living().filter(running).filter(|i| plays(&i.id)).count()
    }

    /// Whether an instance is older than this.
    pub fn is_older(&self, id: &str, than: SignedDuration) -> bool {
        self.launched(id).is_some_and(|launched| self.now.duration_since(launched) > than)
    }
}

/// Whether a monitor is switched off.
pub fn is_muted(monitor: &Monitor) -> bool {
    monitor.get("isMute").is_some_and(|mute| mute == true)
}

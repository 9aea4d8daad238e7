//! Facts about the messy fleet, read off the fakes and the tree alone: what a person could find out by looking at
//! every host, every registration, every service and every custom resource. Nothing here has ever asked Rollcall.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rollcall_backlog::{Backlog, Tree, duty_of, folder};
use rollcall_crds::v1alpha1::{Environment, RequiredCheck, WatchedBy};
use rollcall_engine::fleet::Desired;
use rollcall_fakes::aws::ground::db::{DbInstance, DbStatus};
use rollcall_fakes::aws::ground::{Instance, State};
use rollcall_fakes::mackerel::{Host, Monitor, Truth, covers, text};
use rollcall_fakes::nagios;
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
    nagios: Arc<nagios::Truth>,
    /// Every instance that AWS remembers, by id.
    instances: BTreeMap<String, Instance>,
    /// Every database, by `DbiResourceId` in lower case.
    databases: BTreeMap<String, DbInstance>,
    /// Names of the fleet's hosts by instance id.
    names: BTreeMap<String, String>,
    /// Environments of the fleet's hosts by instance id.
    homes: BTreeMap<String, String>,
}

impl Facts {
    /// Looks at everything.
    pub fn of(fleet: &Backlog, desired: &Desired) -> Self {
        let places: Vec<_> =
            PLACES.iter().map(|(account, region)| fleet.aws.account(account).region(region)).collect();
        let all = places.iter().flat_map(rollcall_fakes::aws::RegionTruth::instances);
        let databases = places.iter().flat_map(rollcall_fakes::aws::RegionTruth::dbs);
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
            nagios: fleet.nagios.installation.truth(),
            instances: all.map(|instance| (instance.id.clone(), instance)).collect(),
            databases: databases.map(|database| (database.resource_id.to_lowercase(), database)).collect(),
            names: known(|name, _| name.to_owned()),
            homes: known(|_, environment| environment.to_owned()),
        }
    }

    /// Instances and databases that are neither gone nor going, by id.
    pub fn living(&self) -> impl Iterator<Item = &str> {
        let all = self.instances.keys().chain(self.databases.keys());
        all.map(String::as_str).filter(|id| self.lives(id))
    }

    /// Whether the host lives.
    pub fn lives(&self, id: &str) -> bool {
        self.state(id).is_some_and(|state| !state.is_ending())
    }

    /// The state of a host that AWS remembers; a database that is available runs, and no other one is here.
    pub fn state(&self, id: &str) -> Option<State> {
        let database = self.databases.get(id).map(|database| match database.status {
            DbStatus::Available => State::Running,
            _ => State::Stopped,
        });
        self.instances.get(id).map(|instance| instance.state).or(database)
    }

    /// When a host was launched, or made.
    pub fn launched(&self, id: &str) -> Option<Timestamp> {
        let made = self.databases.get(id).map(|database| database.created);
        self.instances.get(id).map(|instance| instance.launched).or(made)
    }

    /// The environment an instance was made for; none for what nobody claims.
    pub fn home(&self, id: &str) -> Option<&str> {
        self.homes.get(id).map(String::as_str)
    }

    /// Why a host exists; none where nobody knows.
    pub fn duty(&self, id: &str) -> Option<&'static str> {
        duty_of(self.names.get(id)?)
    }

    /// The live registrations of a host: by what its agent sent, by the instance's id in its metadata, or by the endpoint of
    /// the database.
    pub fn registrations(&self, id: &str) -> Vec<&Host> {
        let identifier = format!("{id}.ec2.amazonaws.com");
        let database = self.databases.get(id).map(|database| format!("{}.", database.name));
        let of_it = |host: &&Host| {
            let named = host.custom_identifier.as_ref().is_some_and(|identified| {
                identified.eq_ignore_ascii_case(&identifier)
                    || database.as_ref().is_some_and(|name| {
                        identified.starts_with(name) && identified.ends_with(".rds.amazonaws.com")
                    })
            });
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

    /// All hosts of Nagios.
    pub fn in_nagios(&self) -> impl Iterator<Item = &nagios::Host> {
        self.nagios.hosts()
    }

    /// The service that a `watched.by` asks of Nagios for a host, as Nagios has it: found by the id or, in the old way, by name.
    pub fn service(&self, by: &WatchedBy, id: &str) -> Option<&nagios::Service> {
        let old = self.names.get(id).map(|name| format!("{name}.internal"));
        let of_it = |host: &&nagios::Host| match host.variables.get("INSTANCE_ID") {
            Some(named) => named == id,
            None => old.as_ref() == Some(&host.name),
        };
        self.in_nagios().find(of_it)?.services.get(&self.asked_name(by, id)?)
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

    /// The parameter group that a database is in.
    pub fn parameter_group(&self, id: &str) -> Option<&str> {
        self.databases.get(id).map(|database| database.parameter_group.as_str())
    }

    /// Whether a check applies to an instance, by the duty it really has.
    pub fn applies(&self, check: &RequiredCheck, id: &str) -> bool {
        let Some(duty) = self.duty(id) else { return false };
        self.tree.applies(check, duty, self.home(id).unwrap_or_default())
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

    /// Every name that some required check asks of a system somewhere.
    pub fn asked_names(&self, system: &str) -> Vec<String> {
        let checks = self.desired.checks.iter();
        let ways = checks.flat_map(|check| check.spec.ways()).filter(|by| by.system == system);
        let named = ways.filter_map(|by| by.check.as_ref());
        let sites: Vec<String> =
            self.desired.environments.iter().filter_map(|e| e.metadata.name.clone()).collect();
        named.flat_map(|check| sites.iter().map(|site| check.name.replace("${env.site}", site))).collect()
    }

    /// Running hosts of a duty in an environment.
    pub fn running(&self, environment: &str, role: &str) -> usize {
        let plays = |id: &str| self.duty(id).is_some_and(|duty| self.tree.closure(duty).contains(role));
        let running =
            |id: &&str| self.state(id) == Some(State::Running) && self.home(id) == Some(environment);
        self.living().filter(running).filter(|id| plays(id)).count()
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

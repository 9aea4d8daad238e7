//! A generated fleet of any size, for benchmarks: the same numbers give the same fleet, to the byte. Never part of a release.
//!
//! Teams of ten environments each share one Mackerel; roles and checks live in the library. Most hosts are in
//! order; one in a hundred is not registered, lacks a check, is silent, or bears roles that differ.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::activity::{Activity, ActivityMetric, Days, HostActivity, Series, Window};
use crate::fleet::Desired;
use crate::ids::{CheckName, ObjectKey, Place};
use crate::inventory::{GroupName, Instance, Inventory, PowerState};
use crate::limits::ACTIVITY_DAYS;
use crate::reading::Reading;
use crate::registry::{
    Checks, Direction, Monitor, Product, Registration, RegistrationStatus, Registry, Scope, Watches,
};
use crate::snapshot::Snapshot;

/// How big the fleet is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Hosts, spread evenly over the environments.
    pub hosts: usize,
    /// Environments; ten share a namespace and a Mackerel organisation.
    pub environments: usize,
    /// Required checks, each on every host; every fifth is a metric.
    pub checks: usize,
}

/// The fleet of docs/targets.md.
pub const TARGET: Size = Size { hosts: 20_000, environments: 200, checks: 50 };

/// Accounts the environments are spread over; each has one region.
const ACCOUNTS: usize = 20;
/// Environments of one team.
const TEAM: usize = 10;
const DUTIES: [&str; 6] = ["app", "batch", "git", "search", "proxy", "log"];

/// A generated fleet at one moment.
#[derive(Clone, Debug)]
pub struct Synthetic {
    /// Custom resources.
    pub desired: Desired,
    /// Readings, all complete.
    pub snapshot: Snapshot,
    /// The moment.
    pub now: Timestamp,
}

/// Generates a fleet.
#[must_use]
pub fn generate(size: Size) -> Synthetic {
    let now = Timestamp::from_second(1_795_424_400).unwrap_or_default();
    Synthetic { desired: desired(size), snapshot: snapshot(size, now), now }
}

/// What every instance of these inventories did in the last 90 days: nine in ten are idle, which takes the longest to find out.
#[must_use]
pub fn activities(world: &Synthetic) -> BTreeMap<Place, Activity> {
    let window = Window::whole_days(world.now, ACTIVITY_DAYS);
    let of_place = |(place, inventory): (&Place, &Arc<Inventory>)| {
        let hosts = inventory.instances.seen.iter().enumerate().map(|(number, instance)| {
            let busy = if number % 10 == 0 { 100.0 } else { 1.0 };
            let amounts = |unit: f64| window.iter().map(move |day| (day, unit * busy));
            let metrics = [
                (ActivityMetric::Cpu, 1.2),
                (ActivityMetric::NetworkIn, 2e5),
                (ActivityMetric::NetworkOut, 1e5),
            ];
            let series = metrics.map(|(metric, unit)| {
                (metric, Days::of(window, amounts(unit)).map_or(Series::NotApplicable, Series::Days))
            });
            (instance.id.clone(), HostActivity::from(series.into_iter().collect::<BTreeMap<_, _>>()))
        });
        let hosts = Reading::complete_at(Activity::source(place), world.now, hosts.collect());
        (place.clone(), Activity { place: place.clone(), window, hosts })
    };
    world.snapshot.inventories.iter().map(of_place).collect()
}

/// A custom resource from what people would write. One that no longer fits its kind is left out: a test counts them.
fn object<T: DeserializeOwned>(list: &mut Vec<T>, manifest: Value) {
    list.extend(serde_json::from_value(manifest));
}

fn desired(size: Size) -> Desired {
    let mut desired = Desired { library: Some("library".to_owned()), ..Desired::default() };
    for account in 0..ACCOUNTS {
        object(
            &mut desired.accounts,
            json!({
                "apiVersion": "rollcall.dev/v1alpha1", "kind": "CloudAccount", "metadata": {"name": format!("account-{account}")},
                "spec": {"accountID": account_id(account), "regions": ["ap-northeast-1"],
                    "grants": [{"namespaceSelector": {"matchLabels": {"rollcall": "yes"}}}]},
            }),
        );
    }
    for role in DUTIES {
        object(
            &mut desired.roles,
            json!({
                "apiVersion": "rollcall.dev/v1alpha1", "kind": "HostRole", "metadata": {"name": role, "namespace": "library"},
                "spec": {"type": "Duty", "includes": ["linux"], "mackerel": {"roles": [role]},
                    "selector": {"anyOf": [{"namePattern": format!("-{role}-[0-9]+$")}]}},
            }),
        );
    }
    object(
        &mut desired.roles,
        json!({
            "apiVersion": "rollcall.dev/v1alpha1", "kind": "HostRole", "metadata": {"name": "linux", "namespace": "library"},
            "spec": {"type": "Trait"},
        }),
    );
    for check in 0..size.checks {
        let look = if is_metric(check) {
            json!({"system": "mackerel", "hostMetric": {"metric": format!("metric-{check}"), "thresholdAtMost": 95}})
        } else {
            json!({"system": "mackerel", "check": {"name": format!("check-{check}")}})
        };
        object(
            &mut desired.checks,
            json!({
                "apiVersion": "rollcall.dev/v1alpha1", "kind": "RequiredCheck",
                "metadata": {"name": format!("check-{check:03}"), "namespace": "library"},
                "spec": {"appliesTo": {"roles": ["linux"]}, "why": "It broke once.", "watched": {"by": [look]}},
            }),
        );
    }
    for environment in 0..size.environments {
        environments(&mut desired, environment);
    }
    desired
}

fn environments(desired: &mut Desired, environment: usize) {
    let team = team(environment);
    if environment.is_multiple_of(TEAM) {
        desired.namespaces.insert(team.clone(), BTreeMap::from([("rollcall".to_owned(), "yes".to_owned())]));
        object(
            &mut desired.systems,
            json!({
                "apiVersion": "rollcall.dev/v1alpha1", "kind": "MonitoringSystem",
                "metadata": {"name": "mackerel", "namespace": team},
                "spec": {"mackerel": {"apiKeySecret": {"name": "mackerel", "key": "api-key"}}},
            }),
        );
    }
    object(
        &mut desired.environments,
        json!({
            "apiVersion": "rollcall.dev/v1alpha1", "kind": "Environment",
            "metadata": {"name": format!("env-{environment:03}"), "namespace": team},
            "spec": {"accounts": [{"name": format!("account-{}", environment % ACCOUNTS)}], "owner": {"name": "sre"},
                "selector": {"anyOf": [{"matchTags": {"Env": [format!("env-{environment:03}")]}},
                    {"namePattern": format!("^env-{environment:03}-")}]},
                "roles": {"fromTag": {"key": "Role", "separator": "/"}},
                "monitoring": [{"system": "mackerel", "service": "Service", "hosts": "All"}]},
        }),
    );
}

fn snapshot(size: Size, now: Timestamp) -> Snapshot {
    let at = now - SignedDuration::from_secs(60);
    let names: Vec<CheckName> =
        (0..size.checks).filter(|c| !is_metric(*c)).map(|c| format!("check-{c}").into()).collect();
    let mut places: BTreeMap<usize, Vec<Instance>> = BTreeMap::new();
    let mut teams: BTreeMap<usize, Registry> = BTreeMap::new();
    for number in 0..size.hosts {
        let environment = number % size.environments.max(1);
        let host = Host { number, environment };
        places.entry(environment % ACCOUNTS).or_default().push(host.instance(now));
        let registry = teams.entry(environment / TEAM).or_insert_with(|| registry(size, at));
        if number % 100 != 1 {
            host.register(registry, &names, now, at);
        }
    }
    let inventory = |(account, instances): (usize, Vec<Instance>)| {
        let place = Place { account: account_id(account).into(), region: "ap-northeast-1".into() };
        let inventory = Inventory {
            instances: Reading::complete_at(format!("ec2 instances {place}"), at, instances),
            volumes: Reading::complete_at("ec2 volumes", at, Vec::new()),
            addresses: Reading::complete_at("ec2 addresses", at, Vec::new()),
            databases: Reading::complete_at("rds databases", at, Vec::new()),
            clusters: Reading::complete_at("rds clusters", at, Vec::new()),
            ..Inventory::not_yet(place.clone(), at)
        };
        (place, Arc::new(inventory))
    };
    let registry = |(number, registry)| (ObjectKey::new(team(number * TEAM), "mackerel"), Arc::new(registry));
    Snapshot {
        inventories: places.into_iter().map(inventory).collect(),
        registries: teams.into_iter().map(registry).collect(),
        ..Snapshot::default()
    }
}

/// What hosts share: a reader makes it once for many of them.
static SUBNET: LazyLock<Arc<str>> = LazyLock::new(|| "subnet-0abc".into());
/// As [`SUBNET`].
static PROFILE: LazyLock<Arc<str>> = LazyLock::new(|| "app".into());
/// As [`SUBNET`].
static GROUPS: LazyLock<Arc<[GroupName]>> = LazyLock::new(|| {
    ["app", "all"].map(|name| GroupName { id: format!("sg-{name}").into(), name: name.into() }).into()
});

/// One host of the fleet.
struct Host {
    number: usize,
    environment: usize,
}

impl Host {
    fn duty(&self) -> &'static str {
        DUTIES.get(self.number / 7 % DUTIES.len()).copied().unwrap_or("app")
    }

    fn id(&self) -> String {
        format!("i-{:017x}", self.number)
    }

    fn name(&self) -> String {
        format!("env-{:03}-{}-{}", self.environment, self.duty(), self.number)
    }

    fn instance(&self, now: Timestamp) -> Instance {
        let tags = [
            ("Name", self.name()),
            ("Env", format!("env-{:03}", self.environment)),
            ("Role", self.duty().to_owned()),
            ("Product", "service".to_owned()),
            ("Owner", "sre@example.com".to_owned()),
        ];
        let days = i64::try_from(self.number % 900).unwrap_or_default();
        Instance {
            id: self.id().into(),
            state: if self.number % 200 == 3 { PowerState::Stopped } else { PowerState::Running },
            tags: tags.into_iter().collect(),
            launch_time: now - SignedDuration::from_hours(24 * (30 + days)),
            instance_type: "m5.large".to_owned(),
            zone: Some("ap-northeast-1a".to_owned()),
            vpc: Some("vpc-0abc".to_owned()),
            subnet: Some(Arc::clone(&SUBNET)),
            security_groups: Arc::clone(&GROUPS),
            profile: Some(Arc::clone(&PROFILE)),
            addresses: Vec::new(),
            managed_by: None,
            state_reason: None,
        }
    }

    fn register(&self, registry: &mut Registry, names: &[CheckName], now: Timestamp, at: Timestamp) {
        let id: crate::ids::RegistrationId = format!("M{:08}", self.number).into();
        let role = if self.number % 100 == 4 { "legacy" } else { self.duty() };
        registry.hosts.seen.push(Registration {
            id: id.clone(),
            name: self.name(),
            custom_identifier: Some(format!("{}.ec2.amazonaws.com", self.id())),
            instance_id: Some(self.id()),
            provider: Some("ec2".to_owned()),
            status: if self.number % 200 == 3 {
                RegistrationStatus::Poweroff
            } else {
                RegistrationStatus::Working
            },
            roles: vec![Scope { service: "Service".to_owned(), role: Some(role.to_owned()) }],
            run: None,
            variables: BTreeMap::new(),
            addresses: Vec::new(),
            created_at: Some(now - SignedDuration::from_hours(700)),
        });
        let lacks_one = usize::from(self.number % 100 == 2);
        let runs = names.iter().skip(lacks_one).cloned().collect();
        if let Some(checks) = registry.checks.by_host_mut() {
            checks.insert(id.clone(), Reading::complete_at("checks", at, runs));
        }
        if self.number % 100 != 5 {
            registry.last_metric.seen.insert(id, now - SignedDuration::from_secs(90));
        }
    }
}

fn registry(size: Size, at: Timestamp) -> Registry {
    let monitors = (0..size.checks).filter(|check| is_metric(*check)).map(|check| Monitor {
        id: format!("m{check}"),
        name: format!("metric-{check}"),
        watches: Watches::HostMetric {
            metric: format!("metric-{check}"),
            direction: Direction::Above,
            warning: Some(80.0),
            critical: Some(90.0),
        },
        scopes: Vec::new(),
        excludes: Vec::new(),
        muted: false,
    });
    Registry {
        product: Product::Mackerel,
        organization: None,
        program: None,
        notifications: None,
        hosts: Reading::complete_at("mackerel hosts", at, Vec::new()),
        services: Reading::complete_at("mackerel services", at, BTreeMap::new()),
        monitors: Reading::complete_at("mackerel monitors", at, monitors.collect()),
        checks: Checks::default(),
        last_metric: Reading::complete_at("mackerel metrics", at, BTreeMap::new()),
    }
}

fn is_metric(check: usize) -> bool {
    check.is_multiple_of(5)
}

fn account_id(account: usize) -> String {
    format!("{:012}", 100_000_000_000_usize + account)
}

fn team(environment: usize) -> String {
    format!("team-{:02}", environment / TEAM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_manifest_is_accepted() {
        let fleet = generate(Size { hosts: 100, environments: 20, checks: 10 });
        let (parsed, problems) = crate::fleet::Fleet::parse(&fleet.desired);
        assert_eq!(problems, []);
        assert_eq!(
            (parsed.environments().count(), parsed.systems().count(), fleet.desired.checks.len()),
            (20, 2, 10)
        );
    }
}

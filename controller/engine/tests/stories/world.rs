//! A small world to tell stories in: custom resources as people write them, hosts and agents as they are, and
//! readings of them as good or bad as the story wants. Each pass also holds the laws that every pass must hold.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use jiff::{SignedDuration, Timestamp};
use rollcall_crds::manifest::{Manifests, Object};
use rollcall_engine::finding::{Code, Excuse, Finding, Subject};
use rollcall_engine::fleet::{Desired, Fleet, Problem};
use rollcall_engine::ids::{CheckName, HostId, ObjectKey, Place, RegistrationId};
use rollcall_engine::inventory::{
    ApplyStatus, ClusterMember, Database, DatabaseCluster, DatabaseEndpoint, Instance, Inventory, PowerState,
};
use rollcall_engine::memory::Memory;
use rollcall_engine::reading::{Extent, Failure, FailureKind, Gap, Reading};
use rollcall_engine::registry::{
    Check, Checks, Direction, Monitor, Notifications, Product, Program, Registration, RegistrationStatus,
    Registry, Scope, Watches,
};
use rollcall_engine::rollcall::{Coverage, HostRoll, Requirement, RollCall, roll_call};
use rollcall_engine::snapshot::Snapshot;

use crate::lives::Lives;
use crate::things::Things;

/// The team of most stories: one account, one environment, two duties, three checks, one Mackerel.
pub const TEAM: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: backlog, labels: {team: backlog}}
---
apiVersion: rollcall.dev/v1alpha1
kind: CloudAccount
metadata: {name: prod}
spec:
  accountID: "123456789012"
  regions: [ap-northeast-1]
  grants: [{namespaceSelector: {matchLabels: {team: backlog}}}]
---
apiVersion: rollcall.dev/v1alpha1
kind: Environment
metadata: {name: jp1, namespace: backlog, labels: {tier: production}}
spec:
  accounts: [{name: prod}]
  selector: {anyOf: [{matchTags: {Env: [jp1]}}]}
  parameters: {site: jp1}
  owner: {name: sre}
  roles: {fromTag: {key: Role, separator: "/"}}
  monitoring: [{system: mackerel, service: Backlog, hosts: All}]
---
apiVersion: rollcall.dev/v1alpha1
kind: HostRole
metadata: {name: app, namespace: backlog}
spec: {type: Duty, includes: [linux], mackerel: {roles: [app]}}
---
apiVersion: rollcall.dev/v1alpha1
kind: HostRole
metadata: {name: batch, namespace: backlog}
spec: {type: Duty, includes: [linux], selector: {anyOf: [{namePattern: "-batch-[0-9]+$"}]}, mackerel: {roles: [batch]}}
---
apiVersion: rollcall.dev/v1alpha1
kind: HostRole
metadata: {name: linux, namespace: backlog}
spec: {type: Trait}
---
apiVersion: rollcall.dev/v1alpha1
kind: RequiredCheck
metadata: {name: disk, namespace: backlog}
spec:
  appliesTo: {roles: [linux]}
  why: "A full disk stopped Git pushes in 2016."
  severity: Critical
  watched: {by: [{system: mackerel, hostMetric: {metric: "disk%", thresholdAtMost: 95}}]}
---
apiVersion: rollcall.dev/v1alpha1
kind: RequiredCheck
metadata: {name: ntp, namespace: backlog}
spec:
  appliesTo: {roles: [linux]}
  why: "Clocks that drift break log order."
  watched: {by: [{system: mackerel, check: {name: check-ntp}}]}
---
apiVersion: rollcall.dev/v1alpha1
kind: RequiredCheck
metadata: {name: connectivity, namespace: backlog}
spec:
  appliesTo: {roles: [linux]}
  why: "We must notice before customers do."
  severity: Critical
  watched: {by: [{system: mackerel, connectivity: {}}]}
---
apiVersion: rollcall.dev/v1alpha1
kind: MonitoringSystem
metadata: {name: mackerel, namespace: backlog}
spec: {mackerel: {apiKeySecret: {name: mackerel, key: api-key}}, silentMinutes: 30}
"#;

/// Where the hosts of most stories live.
pub const PLACE: &str = "123456789012/ap-northeast-1";
/// When most stories begin: a Monday morning.
pub const MONDAY: &str = "2026-11-23T09:00:00Z";

/// What a listing will answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Answer {
    /// Everything, now.
    #[default]
    Whole,
    /// The truth, but without these, and it says that a page is missing.
    Cut(Vec<String>),
    /// Of these registrations the identifier (named by name) or the roles (named by id) could not be read and are left
    /// empty, and it says so. Any other listing lacks these.
    Garbled(Vec<String>),
    /// Everything, but read so long ago.
    Old(SignedDuration),
    /// Nothing, with a reason.
    Fails(FailureKind),
    /// An empty list that claims to be everything: the lie that an error can look like.
    Empty,
    /// Nobody has asked yet.
    NotYet,
}

/// One host as it really is.
#[derive(Clone, Debug)]
pub struct Machine {
    pub place: Place,
    pub instance: Instance,
}

/// One registration as it really is.
#[derive(Clone, Debug)]
pub struct Agent {
    pub registration: Registration,
    /// The checks it runs; `None`: nobody has asked it yet.
    pub checks: Option<Vec<String>>,
    /// It sends metrics all the time; else its last one, if any.
    pub sends: Result<(), Option<Timestamp>>,
}

/// A Nagios as it really is, by the name of each host there.
#[derive(Clone, Debug, Default)]
pub struct Nagios {
    pub hosts: BTreeMap<String, Registration>,
    pub services: BTreeMap<String, Vec<Check>>,
    /// The switches of the whole program, where they are told.
    pub program: Option<Program>,
    /// What it answers, by listing: `hosts`, `services`.
    pub says: BTreeMap<&'static str, Answer>,
}

/// The world.
#[derive(Clone, Debug)]
pub struct World {
    pub now: Timestamp,
    pub desired: Desired,
    pub machines: BTreeMap<String, Machine>,
    /// Databases of [`PLACE`], by the name they were made under.
    pub databases: BTreeMap<String, Database>,
    /// Clusters there, by name.
    pub clusters: BTreeMap<String, DatabaseCluster>,
    pub agents: BTreeMap<String, Agent>,
    /// What assertions look at, at [`PLACE`].
    pub things: Things,
    /// What hosts do all day, and how much of it `CloudWatch` tells.
    pub lives: Lives,
    pub monitors: Vec<Monitor>,
    /// Whom Mackerel's alerts reach, where it tells it.
    pub notifications: Option<Notifications>,
    /// What EC2 answers, by place; unnamed ones answer wholly.
    pub ec2: BTreeMap<String, Answer>,
    /// What RDS answers, by listing: `databases`, `clusters`.
    pub rds: BTreeMap<&'static str, Answer>,
    /// The organisation that Mackerel says the key opens.
    pub organization: &'static str,
    /// What Mackerel answers, by listing: `organization`, `hosts`, `monitors`, `metrics`, `checks`.
    pub mackerel: BTreeMap<&'static str, Answer>,
    pub system: ObjectKey,
    /// The system `backlog/nagios`, where there is one.
    pub nagios: Option<Nagios>,
    pub memory: Memory,
}

impl World {
    /// The team's world, with this host fleet already in order.
    pub fn with_hosts(names: &[&str]) -> Self {
        // Most stories begin here: reading the manifests once saves half of their time.
        static TEAM_ONCE: LazyLock<World> = LazyLock::new(|| World::empty(TEAM));
        let mut world = TEAM_ONCE.clone();
        world.monitors = vec![
            metric("m-disk", "disk%", Some(85.0), Some(92.0)),
            Monitor {
                watches: Watches::Connectivity,
                name: String::new(),
                ..metric("m-conn", "", None, None)
            },
        ];
        for name in names {
            world.add(name);
        }
        world
    }

    /// These custom resources, and nothing else.
    pub fn empty(manifests: &str) -> Self {
        let mut world = Self {
            now: MONDAY.parse().unwrap(),
            desired: Desired::default(),
            machines: BTreeMap::new(),
            databases: BTreeMap::new(),
            clusters: BTreeMap::new(),
            things: Things::default(),
            lives: Lives::default(),
            notifications: None,
            rds: BTreeMap::new(),
            agents: BTreeMap::new(),
            monitors: Vec::new(),
            ec2: BTreeMap::new(),
            organization: "backlog",
            mackerel: BTreeMap::new(),
            system: ObjectKey::new("backlog", "mackerel"),
            nagios: None,
            memory: Memory::default(),
        };
        world.apply(manifests);
        world
    }

    /// Creates or replaces custom resources.
    pub fn apply(&mut self, manifests: &str) {
        let mut read = Manifests::new("backlog");
        read.read("story.yaml", manifests.as_bytes());
        assert!(read.errors.is_empty(), "{:#?}", read.errors);
        for found in read.objects {
            let desired = &mut self.desired;
            match found.object {
                Object::CloudAccount(o) => put(&mut desired.accounts, *o),
                Object::Environment(o) => put(&mut desired.environments, *o),
                Object::HostRole(o) => put(&mut desired.roles, *o),
                Object::RequiredCheck(o) => put(&mut desired.checks, *o),
                Object::MonitoringSystem(o) => put(&mut desired.systems, *o),
                Object::Exemption(o) => put(&mut desired.exemptions, *o),
                Object::RetirementPolicy(o) => put(&mut desired.policies, *o),
                Object::Retirement(o) => put(&mut desired.retirements, *o),
                Object::NotificationChannel(o) => put(&mut desired.channels, *o),
                Object::Namespace { name, labels } => {
                    desired.namespaces.insert(name, labels);
                }
                Object::Host(_) => panic!("a story writes no Host"),
            }
        }
    }

    /// A host of jp1 that is in order: `jp1-app-1` plays app, is registered, and has been there for a year.
    pub fn add(&mut self, name: &str) {
        let number = self.machines.len() + 1;
        let role = name.split('-').nth(1).unwrap_or("app").to_owned();
        let tags = [("Name", name), ("Env", "jp1"), ("Role", &role)];
        let instance = Instance {
            id: HostId::new(format!("i-{number:04x}")),
            state: PowerState::Running,
            tags: tags.into_iter().collect(),
            launch_time: self.now - SignedDuration::from_hours(24 * 365),
            instance_type: "m5.large".into(),
            zone: Some("ap-northeast-1a".into()),
            vpc: Some("vpc-1".into()),
            subnet: None,
            security_groups: Arc::default(),
            profile: None,
            addresses: vec![format!("10.0.0.{number}").parse().unwrap()],
            managed_by: None,
            state_reason: None,
        };
        self.machines.insert(name.to_owned(), Machine { place: place(PLACE), instance });
        self.register(name, &format!("M{number}"));
    }

    /// Registers a host once more, under this id and the agent key `name` (or `name#id` when there is one already).
    pub fn register(&mut self, name: &str, id: &str) {
        let machine = &self.machines[name];
        let role = name.split('-').nth(1).unwrap_or("app").to_owned();
        let registration = Registration {
            id: id.into(),
            name: name.to_owned(),
            custom_identifier: Some(format!("{}.ec2.amazonaws.com", machine.instance.id)),
            instance_id: None,
            provider: Some("ec2".into()),
            status: RegistrationStatus::Working,
            roles: vec![Scope { service: "Backlog".into(), role: Some(role) }],
            run: None,
            variables: BTreeMap::new(),
            addresses: machine.instance.addresses.clone(),
            created_at: Some(machine.instance.launch_time),
        };
        let key = if self.agents.contains_key(name) { format!("{name}#{id}") } else { name.to_owned() };
        let checks = Some(vec!["check-ntp".to_owned()]);
        self.agents.insert(key, Agent { registration, checks, sends: Ok(()) });
    }

    /// A database of jp1 that is in order: `jp1-db-1` plays db, the AWS integration has registered it, and it has been there
    /// for a year.
    pub fn add_database(&mut self, name: &str) {
        let number = self.machines.len() + self.databases.len() + 1;
        let role = name.split('-').nth(1).unwrap_or("db");
        let database = Database {
            id: HostId::of_database(&format!("db-{number:04X}")).unwrap(),
            name: name.to_owned(),
            engine: "mysql".into(),
            engine_version: "8.0.36".into(),
            class: "db.r6g.large".into(),
            status: "available".into(),
            created: Some(self.now - SignedDuration::from_hours(24 * 365)),
            tags: [("Env", "jp1"), ("Role", role)].into_iter().collect(),
            endpoint: Some(endpoint(name)),
            zone: Some("ap-northeast-1a".into()),
            multi_az: Some(false),
            vpc: Some("vpc-1".into()),
            subnet_group: None,
            security_groups: Vec::new(),
            parameter_groups: Vec::new(),
            option_groups: Vec::new(),
            cluster: None,
            replica_of: None,
            replicas: Vec::new(),
            deletion_protection: true,
            restarts: None,
        };
        self.databases.insert(name.to_owned(), database);
        self.integrate(name, &format!("D{number}"));
    }

    /// The AWS integration registers a database under this id.
    pub fn integrate(&mut self, name: &str, id: &str) {
        let database = &self.databases[name];
        let role = name.split('-').nth(1).unwrap_or("db").to_owned();
        let registration = Registration {
            id: id.into(),
            name: database.name.clone(),
            custom_identifier: database.endpoint.as_ref().map(|endpoint| endpoint.address.clone()),
            instance_id: None,
            provider: Some("rds".into()),
            status: RegistrationStatus::Working,
            roles: vec![Scope { service: "Backlog".into(), role: Some(role) }],
            run: None,
            variables: BTreeMap::new(),
            addresses: Vec::new(),
            created_at: database.created,
        };
        self.agents.insert(name.to_owned(), Agent { registration, checks: Some(Vec::new()), sends: Ok(()) });
    }

    pub fn database(&mut self, name: &str) -> &mut Database {
        self.databases.get_mut(name).unwrap()
    }

    /// These databases are members of a cluster, and the first of them writes.
    pub fn cluster(&mut self, name: &str, members: &[&str]) {
        for member in members {
            self.database(member).cluster = Some(name.to_owned());
        }
        let member = |(number, member): (usize, &&str)| ClusterMember {
            name: self.databases[*member].name.clone(),
            writer: Some(number == 0),
            parameters: ApplyStatus::InSync,
        };
        let cluster = DatabaseCluster {
            id: format!("cluster-{name}").into(),
            name: name.to_owned(),
            engine: "aurora-mysql".into(),
            engine_version: "8.0.mysql_aurora.3.08.0".into(),
            status: "available".into(),
            members: members.iter().enumerate().map(member).collect(),
            endpoint: None,
            reader_endpoint: None,
            port: Some(3306),
            tags: rollcall_engine::inventory::Tags::default(),
            parameter_group: None,
            security_groups: Vec::new(),
            deletion_protection: true,
        };
        self.clusters.insert(name.to_owned(), cluster);
    }

    /// A registration of something that is no host of ours.
    pub fn stranger(&mut self, name: &str, provider: Option<&str>) {
        let registration = Registration {
            id: format!("S-{name}").into(),
            name: name.to_owned(),
            custom_identifier: None,
            instance_id: None,
            provider: provider.map(str::to_owned),
            status: RegistrationStatus::Working,
            roles: Vec::new(),
            run: None,
            variables: BTreeMap::new(),
            addresses: Vec::new(),
            created_at: Some(self.now - SignedDuration::from_hours(9_000)),
        };
        self.agents.insert(name.to_owned(), Agent { registration, checks: Some(Vec::new()), sends: Ok(()) });
    }

    pub fn machine(&mut self, name: &str) -> &mut Instance {
        &mut self.machines.get_mut(name).unwrap().instance
    }

    pub fn agent(&mut self, name: &str) -> &mut Agent {
        self.agents.get_mut(name).unwrap()
    }

    pub fn id(&self, name: &str) -> HostId {
        self.machines[name].instance.id.clone()
    }

    /// Time passes.
    pub fn wait(&mut self, duration: SignedDuration) -> &mut Self {
        self.now += duration;
        self
    }

    pub fn minutes(&mut self, minutes: i64) -> &mut Self {
        self.wait(SignedDuration::from_mins(minutes))
    }

    pub fn hours(&mut self, hours: i64) -> &mut Self {
        self.wait(SignedDuration::from_hours(hours))
    }

    /// The custom resources, parsed.
    pub fn fleet(&self) -> (Fleet, Vec<Problem>) {
        Fleet::parse(&self.desired)
    }

    /// Calls the roll at the present moment and keeps the memory. Problems must be none.
    pub fn pass(&mut self) -> RollCall {
        let (fleet, problems) = self.fleet();
        assert_eq!(problems, [], "the story's own resources are wrong");
        self.pass_with(&fleet)
    }

    /// The same, although some resources are wrong: that is the story.
    pub fn pass_despite_problems(&mut self) -> RollCall {
        let (fleet, _) = self.fleet();
        self.pass_with(&fleet)
    }

    fn pass_with(&mut self, fleet: &Fleet) -> RollCall {
        let snapshot = self.snapshot();
        let (roll, memory) = roll_call(fleet, &snapshot, &self.memory, self.now);
        let dated = self.desired.checks.iter().filter(|check| check.spec.enforce_from.is_some());
        let dated = dated.map(|check| {
            let meta = &check.metadata;
            ObjectKey::new(
                meta.namespace.as_deref().unwrap_or_default(),
                meta.name.as_deref().unwrap_or_default(),
            )
        });
        let dated = dated.collect();
        laws((fleet, &dated), &snapshot, &roll, &memory, self.now);
        self.memory = memory;
        roll
    }

    /// What the sources answer now.
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        let places: std::collections::BTreeSet<String> = (self.desired.accounts.iter())
            .flat_map(|a| a.spec.regions.iter().map(|r| format!("{}/{r}", a.spec.account_id)))
            .collect();
        for name in places {
            let place = place(&name);
            let here =
                self.machines.values().filter(|m| m.place == place).map(|m| m.instance.clone()).collect();
            let answer = self.ec2.get(&name).cloned().unwrap_or_default();
            let source = format!("ec2 instances {name}");
            let cut = |all: Vec<Instance>, gone: &[String]| -> Vec<Instance> {
                all.into_iter().filter(|i| !i.name().is_some_and(|n| gone.iter().any(|g| g == n))).collect()
            };
            let Some(instances) = self.answer(&answer, source, here, cut) else { continue };
            let (databases, clusters) = self.databases_of(&place);
            let mut inventory = Inventory {
                volumes: Reading::complete_at("volumes", self.now, Vec::new()),
                addresses: Reading::complete_at("addresses", self.now, Vec::new()),
                databases,
                clusters,
                instances,
                ..Inventory::not_yet(place.clone(), self.now)
            };
            if name == PLACE {
                self.things.read_into(&mut inventory, self);
            }
            snapshot.inventories.insert(place, Arc::new(inventory));
        }
        snapshot.activities = self.lives.read(self, &snapshot);
        if let Some(registry) = self.registry() {
            snapshot.registries.insert(self.system.clone(), Arc::new(registry));
        }
        if let Some(registry) = self.nagios.as_ref().and_then(|nagios| self.of_nagios(nagios)) {
            snapshot.registries.insert(ObjectKey::new("backlog", "nagios"), Arc::new(registry));
        }
        snapshot
    }

    fn databases_of(&self, place: &Place) -> (Reading<Vec<Database>>, Reading<Vec<DatabaseCluster>>) {
        let is_there = place.to_string() == PLACE;
        let says = |listing: &str| self.rds.get(listing).cloned().filter(|_| is_there).unwrap_or_default();
        let databases = self.databases.values().filter(|_| is_there).cloned().collect();
        let clusters = self.clusters.values().filter(|_| is_there).cloned().collect();
        let without = |mut all: Vec<Database>, gone: &[String]| -> Vec<Database> {
            all.retain(|database| !gone.iter().any(|name| database.name.trim_end_matches("-new") == name));
            all
        };
        let fewer = |mut all: Vec<DatabaseCluster>, gone: &[String]| -> Vec<DatabaseCluster> {
            all.retain(|cluster| !gone.contains(&cluster.name));
            all
        };
        let source = format!("rds databases {place}");
        let databases = self
            .answer(&says("databases"), source.clone(), databases, without)
            .unwrap_or_else(|| Reading::not_yet(source, self.now));
        let source = format!("rds clusters {place}");
        let clusters = self
            .answer(&says("clusters"), source.clone(), clusters, fewer)
            .unwrap_or_else(|| Reading::not_yet(source, self.now));
        (databases, clusters)
    }

    fn of_nagios(&self, nagios: &Nagios) -> Option<Registry> {
        let says = |listing: &str| nagios.says.get(listing).cloned().unwrap_or_default();
        let fewer = |all: Vec<Registration>, gone: &[String]| -> Vec<Registration> {
            all.into_iter().filter(|one| !gone.contains(&one.name)).collect()
        };
        let hosts = nagios.hosts.values().cloned().collect();
        let hosts = self.answer(&says("hosts"), "nagios hosts".into(), hosts, fewer)?;
        let less = |all: BTreeMap<RegistrationId, Vec<Check>>, gone: &[String]| {
            let is_told = |id: &RegistrationId| !gone.iter().any(|gone| **gone == *id.as_str());
            all.into_iter().filter(|(id, _)| is_told(id)).collect()
        };
        let services = nagios.services.iter().map(|(host, all)| (host.as_str().into(), all.clone()));
        let services = self.answer(&says("services"), "nagios services".into(), services.collect(), less)?;
        let why = || Failure::new(FailureKind::NotSupported, "Nagios has none");
        Some(Registry {
            product: Product::Nagios,
            organization: None,
            program: nagios.program.clone().map(|program| {
                Reading::complete_at("nagios program", self.now - SignedDuration::from_secs(30), program)
            }),
            notifications: None,
            hosts,
            services: Reading::failed("nagios", self.now, why()),
            monitors: Reading::failed("nagios", self.now, why()),
            checks: Checks::Listed(services),
            last_metric: Reading::failed("nagios", self.now, why()),
        })
    }

    fn registry(&self) -> Option<Registry> {
        let says = |listing: &str| self.mackerel.get(listing).cloned().unwrap_or_default();
        let hosts = self.agents.values().map(|agent| agent.registration.clone()).collect();
        let is_garbled = matches!(says("hosts"), Answer::Garbled(_));
        let without = |mut all: Vec<Registration>, named: &[String]| -> Vec<Registration> {
            if is_garbled {
                for one in &mut all {
                    garble(one, named);
                }
            } else {
                all.retain(|one| !is_named(one, named));
            }
            all
        };
        let hosts = self.answer(&says("hosts"), "mackerel hosts".into(), hosts, without)?;
        let fewer = |all: Vec<Monitor>, gone: &[String]| -> Vec<Monitor> {
            all.into_iter().filter(|m| !gone.contains(&m.id)).collect()
        };
        let monitors =
            self.answer(&says("monitors"), "mackerel monitors".into(), self.monitors.clone(), fewer)?;
        let last = self.agents.values().filter_map(|agent| {
            let last = match agent.sends {
                Ok(()) => Some(self.now - SignedDuration::from_secs(60)),
                Err(last) => last,
            };
            Some((agent.registration.id.clone(), last?))
        });
        let less = |all: BTreeMap<RegistrationId, Timestamp>,
                    gone: &[String]|
         -> BTreeMap<RegistrationId, Timestamp> {
            all.into_iter().filter(|(id, _)| !gone.iter().any(|g| *g == *id.as_str())).collect()
        };
        let last_metric = self.answer(&says("metrics"), "mackerel metrics".into(), last.collect(), less)?;
        let mut checks = BTreeMap::new();
        for agent in self.agents.values() {
            let names: Vec<CheckName> = agent.checks.iter().flatten().map(CheckName::new).collect();
            let source = format!("mackerel checks of {}", agent.registration.id);
            let reading = self.answer(&says("checks"), source, names, |_, _| Vec::new());
            if let (Some(reading), Some(_)) = (reading, &agent.checks) {
                checks.insert(agent.registration.id.clone(), reading);
            }
        }
        let services = Reading::complete_at("mackerel services", self.now, BTreeMap::new());
        let name = self.organization.to_owned();
        let organization =
            self.answer(&says("organization"), "mackerel organisation".into(), name, |name, _| name);
        let (product, checks) = (Product::Mackerel, Checks::ByHost(checks));
        let notifications = self.notifications.clone().and_then(|all| {
            self.answer(&says("notifications"), "mackerel notifications".into(), all, |all, _| all)
        });
        Some(Registry {
            product,
            organization,
            program: None,
            notifications,
            hosts,
            services,
            monitors,
            checks,
            last_metric,
        })
    }

    /// A reading of the truth as good as the answer. `None`: nobody has asked.
    pub fn answer<T: Default>(
        &self,
        answer: &Answer,
        source: String,
        truth: T,
        cut: impl Fn(T, &[String]) -> T,
    ) -> Option<Reading<T>> {
        let at = self.now - SignedDuration::from_secs(30);
        Some(match answer {
            Answer::Whole => Reading::complete_at(source, at, truth),
            Answer::Old(age) => Reading::complete_at(source, self.now - *age, truth),
            Answer::Empty => Reading::complete_at(source, at, T::default()),
            Answer::Cut(gone) | Answer::Garbled(gone) => Reading {
                extent: Extent::Partial {
                    at,
                    missing: vec![Gap {
                        what: "page 2".into(),
                        why: Failure::new(FailureKind::Unreachable, "connection reset"),
                    }],
                },
                ..Reading::complete_at(source, at, cut(truth, gone))
            },
            Answer::Fails(kind) => Reading::failed(source, at, Failure::new(*kind, "the source says no")),
            Answer::NotYet => return None,
        })
    }
}

/// Where RDS lets a database of this name listen.
pub fn endpoint(name: &str) -> DatabaseEndpoint {
    DatabaseEndpoint { address: format!("{name}.abc.ap-northeast-1.rds.amazonaws.com"), port: 3306 }
}

/// Is a registration among those that are named by its name or id?
pub fn is_named(registration: &Registration, named: &[String]) -> bool {
    named.iter().any(|name| *name == registration.name || **name == *registration.id.as_str())
}

/// Leaves of a registration what a reader can read of it.
fn garble(registration: &mut Registration, named: &[String]) {
    if named.contains(&registration.name) {
        registration.custom_identifier = None;
    }
    if named.iter().any(|name| **name == *registration.id.as_str()) {
        registration.roles = Vec::new();
    }
}

/// Laws that hold after every pass of every story.
fn laws(
    (fleet, dated): (&Fleet, &BTreeSet<ObjectKey>),
    snapshot: &Snapshot,
    roll: &RollCall,
    memory: &Memory,
    now: Timestamp,
) {
    let (again, second) = roll_call(fleet, snapshot, memory, now);
    assert_eq!(*memory, second, "memory changes although the world stands still");
    let without_news = |roll: &RollCall| {
        let mut roll = roll.clone();
        roll.environments.values_mut().for_each(|environment| environment.new_changes.clear());
        roll
    };
    assert_eq!(without_news(roll), without_news(&again), "a second look says something else");
    every_lack_is_explained(roll, dated);
    causes_add_up(roll);
    let bytes = serde_json::to_vec(memory).unwrap();
    assert_eq!(
        serde_json::from_slice::<Memory>(&bytes).unwrap(),
        *memory,
        "memory survives being written down"
    );
}

/// Rows that count as missing are explained by an open finding about their host, or about a system that is switched off as a
/// whole. Rows of checks that have a day from which they are enforced may be counted only.
fn every_lack_is_explained(roll: &RollCall, dated: &BTreeSet<ObjectKey>) {
    let by_host = roll.findings_by_host();
    for (id, host) in &roll.hosts {
        let mut rows = roll.rows(host);
        let lacks = rows.any(|(requirement, coverage)| {
            let is_dated = matches!(requirement, Requirement::Check(key) if dated.contains(key));
            let is_lack = matches!(
                coverage,
                Coverage::Missing | Coverage::Silent | Coverage::Muted | Coverage::Weak | Coverage::Failed
            );
            is_lack && !is_dated
        });
        let open = by_host.get(id).is_some_and(|all| all.iter().any(|finding| finding.excuse.is_none()));
        let is_off =
            |finding: &Finding| finding.code == Code::SystemOff && finding.environment == host.environment;
        let explained = open || roll.findings.iter().any(is_off);
        assert!(!lacks || explained, "{id} lacks something and no finding says so");
    }
}

fn causes_add_up(roll: &RollCall) {
    let open = roll.findings.iter().filter(|finding| finding.excuse.is_none()).count();
    assert_eq!(roll.causes.iter().map(|cause| cause.open).sum::<usize>(), open);
    let excused = roll.causes.iter().map(|cause| cause.excused).sum::<usize>();
    assert_eq!(excused + open, roll.findings.len());
}

/// The causes, a line each: `RC0101 1 jp1-app-7 not in Mackerel`; excused ones in brackets.
pub fn causes(roll: &RollCall) -> Vec<String> {
    let line = |cause: &rollcall_engine::finding::Cause| match (cause.open, cause.excused) {
        (open, 0) => format!("{} {open} {}", cause.code, cause.message),
        (open, excused) => format!("{} {open} [{excused}] {}", cause.code, cause.message),
    };
    roll.causes.iter().map(line).collect()
}

/// The findings, a line each: `RC0101 jp1-app-7: expected …, found …`.
pub fn findings(roll: &RollCall) -> Vec<String> {
    let line = |finding: &Finding| {
        let excuse = match &finding.excuse {
            Excuse::None => String::new(),
            Excuse::Exempt(key) => format!(" [exempt {}]", key.name),
            Excuse::Baseline(key) => format!(" [baseline {}]", key.name),
        };
        format!("{} {}: {}{excuse}", finding.code, finding.subject_name, finding.message)
    };
    roll.findings.iter().map(line).collect()
}

/// Asserts the causes of a roll call, all of them and in their order.
#[track_caller]
pub fn expect(roll: &RollCall, lines: &[&str]) {
    let found = causes(roll);
    assert_eq!(found, lines, "\nfound:\n{}\n", found.join("\n"));
}

/// The fix of the one cause with this code.
#[track_caller]
pub fn fix(roll: &RollCall, code: &str) -> String {
    let of = roll.causes.iter().filter(|cause| cause.code.as_str() == code).map(|cause| cause.fix.clone());
    let fixes: Vec<String> = of.collect();
    assert_eq!(fixes.len(), 1, "{fixes:?}");
    fixes[0].clone()
}

/// One host as the roll call shows it.
#[track_caller]
pub fn host<'r>(roll: &'r RollCall, id: &HostId) -> &'r HostRoll {
    roll.hosts.get(id).unwrap_or_else(|| panic!("{id} is not in the roll"))
}

/// A host's rows in short: `registered ✔ connectivity ✔ disk ✔ ntp ?NotYetRead`.
pub fn rows(roll: &RollCall, id: &HostId) -> String {
    let one = |(requirement, coverage): (&rollcall_engine::rollcall::Requirement, Coverage)| {
        let name = match requirement {
            rollcall_engine::rollcall::Requirement::Registered(_) => "registered",
            rollcall_engine::rollcall::Requirement::Check(key) => &key.name,
        };
        let coverage = match coverage {
            Coverage::Covered => "✔".to_owned(),
            Coverage::Unknown(reason) => format!("?{}", roll.reason(reason).kind.as_str()),
            other => format!("{other:?}"),
        };
        format!("{name} {coverage}")
    };
    roll.rows(host(roll, id)).map(one).collect::<Vec<_>>().join(" ")
}

/// Hosts that findings of this code are about.
pub fn about(roll: &RollCall, code: &str) -> Vec<String> {
    let of = roll.findings.iter().filter(|finding| finding.code.as_str() == code);
    of.map(|finding| finding.subject_name.to_string()).collect()
}

/// Registrations that findings of this code are about.
pub fn registrations(roll: &RollCall, code: &str) -> Vec<String> {
    let of = roll.findings.iter().filter(|finding| finding.code.as_str() == code);
    of.filter_map(|finding| match &finding.subject {
        Subject::Registration(id) => Some(id.to_string()),
        _ => None,
    })
    .collect()
}

pub fn place(text: &str) -> Place {
    Place::try_from(text.to_owned()).unwrap()
}

/// A monitor on a metric that alerts above.
pub fn metric(id: &str, metric: &str, warning: Option<f64>, critical: Option<f64>) -> Monitor {
    let watches =
        Watches::HostMetric { metric: metric.into(), direction: Direction::Above, warning, critical };
    Monitor {
        id: id.into(),
        name: metric.into(),
        watches,
        scopes: Vec::new(),
        excludes: Vec::new(),
        muted: false,
    }
}

/// Creates or replaces an object.
fn put<T: Named>(list: &mut Vec<T>, object: T) {
    match list.iter_mut().find(|old| old.named() == object.named()) {
        Some(old) => *old = object,
        None => list.push(object),
    }
}

/// Name and namespace of any custom resource.
trait Named {
    fn named(&self) -> (Option<String>, Option<String>);
}

macro_rules! named {
    ($($kind:ident),*) => {
        $(impl Named for rollcall_crds::v1alpha1::$kind {
            fn named(&self) -> (Option<String>, Option<String>) {
                (self.metadata.namespace.clone(), self.metadata.name.clone())
            }
        })*
    };
}
named!(
    CloudAccount,
    Environment,
    HostRole,
    RequiredCheck,
    MonitoringSystem,
    Exemption,
    RetirementPolicy,
    Retirement,
    NotificationChannel
);

//! Sources that say what a test has written down for them: complete, refused, or never.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use rollcall_engine::activity::{Activity, ActivityMetric, Days, HostActivity, Series, Wanted, Window};
use rollcall_engine::fleet::{Account, Channel, Endpoint, System};
use rollcall_engine::ids::{HostId, ObjectKey, Place, Region, RegistrationId};
use rollcall_engine::inventory::{
    Address, Asked, Asserted, Database, DatabaseCluster, Instance, Inventory, PowerState, Volume,
};
use rollcall_engine::notice::Message;
use rollcall_engine::notice::outbox::Outcome;
use rollcall_engine::reading::{Failure, FailureKind, Reading};
use rollcall_engine::registry::{Checks, Product, Registration, RegistrationStatus, Registry};
use rollcall_operator::sources::{
    AccountReader, Calls, Fingerprint, Proofs, RegistryReader, Secret, Secrets, Sources,
};

/// What a source does when it is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    #[default]
    Answers,
    Fails(FailureKind),
    Hangs,
}

/// What one place says.
#[derive(Clone, Debug, Default)]
pub struct PlaceScript {
    pub instances: Vec<Instance>,
    pub mood: Mood,
    pub asked: usize,
    pub volumes: Vec<Volume>,
    pub databases: Vec<Database>,
    /// The mood of its databases and clusters.
    pub rds: Mood,
    /// Hosts that do next to nothing all day; the others are busy.
    pub quiet: BTreeSet<HostId>,
    /// Whether what hosts did can be read.
    pub cloudwatch: Mood,
    /// How many hosts were asked for each time.
    pub activity_asked: Vec<usize>,
}

/// What one monitoring system says, by its address.
#[derive(Clone, Debug, Default)]
pub struct SystemScript {
    pub hosts: Vec<Registration>,
    pub mood: Mood,
    pub asked: usize,
    /// Readings in which calls for single hosts were allowed.
    pub renewed: usize,
    /// What its reader was told to have been registered before.
    pub remembered: BTreeSet<RegistrationId>,
}

/// Clones share everything.
#[derive(Clone, Debug, Default)]
pub struct Script {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    places: BTreeMap<Place, PlaceScript>,
    systems: BTreeMap<String, SystemScript>,
    keys: Vec<String>,
    delivered: Vec<Delivered>,
    receiver: Option<Outcome>,
}

/// A message as a receiver saw it.
#[derive(Clone, Debug)]
pub struct Delivered {
    pub channel: ObjectKey,
    pub secrets: String,
    pub message: Message,
}

impl Script {
    pub fn place<T>(&self, region: &str, change: impl FnOnce(&mut PlaceScript) -> T) -> T {
        change(self.inner.lock().unwrap().places.entry(place(region)).or_default())
    }

    pub fn system<T>(&self, url: &str, change: impl FnOnce(&mut SystemScript) -> T) -> T {
        change(self.inner.lock().unwrap().systems.entry(url.to_owned()).or_default())
    }

    /// Everything that was sent.
    pub fn delivered(&self) -> Vec<Delivered> {
        self.inner.lock().unwrap().delivered.clone()
    }

    /// What the receiver answers from now on; without a word it accepts.
    pub fn receives(&self, outcome: Option<Outcome>) {
        self.inner.lock().unwrap().receiver = outcome;
    }

    /// The keys with which readers were made.
    pub fn keys(&self) -> Vec<String> {
        self.inner.lock().unwrap().keys.clone()
    }
}

pub const ACCOUNT: &str = "123456789012";

pub fn place(region: &str) -> Place {
    Place { account: ACCOUNT.into(), region: region.into() }
}

/// A host that has been running for a day.
pub fn instance(id: &str, environment: &str) -> Instance {
    Instance {
        id: id.into(),
        state: PowerState::Running,
        tags: [
            ("Name", format!("{environment}-{id}")),
            ("Env", environment.to_owned()),
            ("Role", "app".to_owned()),
        ]
        .into_iter()
        .collect(),
        launch_time: (Timestamp::now() - SignedDuration::from_hours(24)).round(jiff::Unit::Second).unwrap(),
        instance_type: "t3.small".to_owned(),
        zone: None,
        vpc: None,
        subnet: None,
        security_groups: Arc::default(),
        profile: None,
        addresses: Vec::new(),
        managed_by: None,
        state_reason: None,
    }
}

/// The registration of such a host.
pub fn registration(id: &str) -> Registration {
    Registration {
        id: format!("mkr-{id}").into(),
        name: format!("host-{id}"),
        custom_identifier: Some(format!("{id}.ec2.amazonaws.com")),
        instance_id: Some(id.to_owned()),
        provider: Some("ec2".to_owned()),
        status: RegistrationStatus::Working,
        roles: Vec::new(),
        run: None,
        variables: BTreeMap::new(),
        addresses: Vec::new(),
        created_at: None,
    }
}

#[async_trait]
impl Sources for Script {
    async fn account(
        &self,
        account: &Account,
        _: Option<&Secret>,
    ) -> Result<Arc<dyn AccountReader>, Failure> {
        assert_eq!(account.id.as_str(), ACCOUNT);
        Ok(Arc::new(self.clone()))
    }

    async fn registry(&self, system: &System, secrets: &Secrets) -> Result<Box<dyn RegistryReader>, Failure> {
        self.inner.lock().unwrap().keys.push(keys(system, secrets));
        Ok(Box::new(SystemReader { script: self.clone(), url: url(&system.endpoint) }))
    }

    fn fingerprint(&self, system: &System, secrets: &Secrets) -> Fingerprint {
        let mut bytes = [0; 32];
        let text = url(&system.endpoint) + &keys(system, secrets);
        for (index, byte) in text.bytes().enumerate() {
            bytes[index % 32] ^= byte.rotate_left(u32::try_from(index / 32).unwrap());
        }
        Fingerprint(bytes)
    }

    async fn deliver(&self, channel: &Channel, secrets: &Secrets, message: &Message) -> Outcome {
        let needed = channel.secrets();
        let read = needed.iter().flat_map(|one| one.keys.iter().filter_map(|key| secrets.get(one.name, key)));
        let secrets = read.collect::<Vec<_>>().join(" ");
        let mut inner = self.inner.lock().unwrap();
        inner.delivered.push(Delivered { channel: channel.key.clone(), secrets, message: message.clone() });
        inner.receiver.clone().unwrap_or(Outcome::Accepted { status: 204 })
    }

    fn calls(&self) -> Vec<Calls> {
        let asked = |(place, script): (&Place, &PlaceScript)| Calls {
            source: format!("aws {place}"),
            operation: "DescribeInstances",
            outcome: "Answered",
            count: script.asked as u64,
        };
        self.inner.lock().unwrap().places.iter().map(asked).collect()
    }
}

/// What the Secrets of a system hold.
fn keys(system: &System, secrets: &Secrets) -> String {
    let all = system.secrets();
    let values = all.iter().flat_map(|one| one.keys.iter().filter_map(|key| secrets.get(one.name, key)));
    values.collect()
}

fn url(endpoint: &Endpoint) -> String {
    let Endpoint::Mackerel(mackerel) = endpoint else { panic!("only Mackerel is scripted") };
    mackerel.api_url.clone().unwrap_or_default()
}

/// The same every day.
fn did(script: &PlaceScript, host: &HostId, window: Window) -> HostActivity {
    let amount = if script.quiet.contains(host) { 1.0 } else { 10_000_000.0 };
    let series = Series::Days(Days::of(window, window.iter().map(|day| (day, amount))).unwrap());
    let metrics = ActivityMetric::ALL.map(|metric| (metric, series.clone()));
    HostActivity::from(BTreeMap::from(metrics))
}

#[async_trait]
impl AccountReader for Script {
    async fn instances(&self, region: &Region, now: Timestamp) -> Reading<Vec<Instance>> {
        let script = self.place(region.as_str(), |script| {
            script.asked += 1;
            script.clone()
        });
        answer(format!("ec2 instances {}", place(region.as_str())), script.mood, now, script.instances).await
    }

    async fn volumes(&self, region: &Region, now: Timestamp) -> Reading<Vec<Volume>> {
        let volumes = self.place(region.as_str(), |script| script.volumes.clone());
        Reading::complete_at(format!("ec2 volumes {}", place(region.as_str())), now, volumes)
    }

    async fn addresses(&self, region: &Region, now: Timestamp) -> Reading<Vec<Address>> {
        Reading::complete_at(format!("ec2 addresses {}", place(region.as_str())), now, Vec::new())
    }

    async fn databases(&self, region: &Region, now: Timestamp) -> Reading<Vec<Database>> {
        let script = self.place(region.as_str(), |script| script.clone());
        answer(format!("rds databases {}", place(region.as_str())), script.rds, now, script.databases).await
    }

    async fn clusters(&self, region: &Region, now: Timestamp) -> Reading<Vec<DatabaseCluster>> {
        let mood = self.place(region.as_str(), |script| script.rds);
        answer(format!("rds clusters {}", place(region.as_str())), mood, now, Vec::new()).await
    }

    async fn activity(&self, region: &Region, wanted: &[Wanted], window: Window, now: Timestamp) -> Activity {
        let subjects = wanted.iter().flat_map(|wanted| &wanted.subjects);
        let script = self.place(region.as_str(), |script| {
            script.activity_asked.push(subjects.clone().count());
            script.clone()
        });
        let source = Activity::source(&place(region.as_str()));
        let did = subjects.map(|subject| (subject.host().clone(), did(&script, subject.host(), window)));
        let hosts = answer(source, script.cloudwatch, now, did.collect::<BTreeMap<_, _>>()).await;
        Activity { place: place(region.as_str()), window, hosts }
    }

    async fn asserted(
        &self,
        _region: &Region,
        known: &Inventory,
        asked: &Asked,
        _keep: Duration,
        now: Timestamp,
    ) -> Asserted {
        let known = known.clone();
        // Nobody protected anything.
        let told = |id: &HostId| (id.clone(), Reading::complete_at(id.as_str(), now, Some(false)));
        Asserted {
            security_groups: known.security_groups,
            subnet_groups: known.subnet_groups,
            parameters: known.parameters,
            protections: asked.protections.iter().map(told).collect(),
        }
    }
}

struct SystemReader {
    script: Script,
    url: String,
}

#[async_trait]
impl RegistryReader for SystemReader {
    fn remember(&mut self, registrations: BTreeSet<RegistrationId>) {
        self.script.system(&self.url, |script| script.remembered = registrations);
    }

    async fn read(&mut self, now: Timestamp, proofs: Proofs) -> Registry {
        let script = self.script.system(&self.url, |script| {
            script.asked += 1;
            script.renewed += usize::from(proofs == Proofs::Renew);
            script.clone()
        });
        let metrics = script.hosts.iter().map(|host| (host.id.clone(), now)).collect();
        let mood = script.mood;
        Registry {
            product: Product::Mackerel,
            organization: None,
            program: None,
            notifications: None,
            hosts: answer("mackerel hosts".to_owned(), mood, now, script.hosts).await,
            services: answer("mackerel services".to_owned(), mood, now, BTreeMap::new()).await,
            monitors: answer("mackerel monitors".to_owned(), mood, now, Vec::new()).await,
            checks: Checks::default(),
            last_metric: answer("mackerel metrics".to_owned(), mood, now, metrics).await,
        }
    }
}

async fn answer<T: Default>(source: String, mood: Mood, now: Timestamp, seen: T) -> Reading<T> {
    match mood {
        Mood::Answers => Reading::complete_at(source, now, seen),
        Mood::Fails(kind) => Reading::failed(source, now, Failure::new(kind, "as the test wants it")),
        Mood::Hangs => std::future::pending().await,
    }
}

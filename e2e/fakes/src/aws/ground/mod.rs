//! The ground truth: accounts, their regions, and what is in them.
//!
//! Nothing here knows of HTTP, rights or limits: these are the laws of nature, not of the API. Guards
//! (protection, tag rules, rights) belong to the actions in `ec2` and `rds`, so that tests may do to a host what the
//! API would refuse.

mod address;
mod attach;
pub mod db;
mod instance;
mod launch;
mod life;
mod load;
mod metrics;
mod mint;
mod network;
mod tags;
mod volume;

use std::{collections::BTreeMap, sync::OnceLock};

use jiff::Timestamp;

pub use self::{
    address::{Address, Association},
    attach::ATTACHING,
    db::Databases,
    instance::{Device, Group, Instance, Lifecycle, RootDevice, State},
    launch::{Launch, VolumeSpec},
    life::{PENDING, SHUTTING_DOWN, STOPPING, TERMINATED_VISIBLE},
    load::{Course, Load, Stretch},
    metrics::{Metric, Periods, Put, Sum},
    mint::Mint,
    network::{Peer, Rule, SecurityGroup, VPC_CIDR, Way, unknown_group},
    volume::{Attachment, AttachmentState, Volume, VolumeState},
};
use super::{error::AwsError, history::History, identity::Identities};

/// All of the fake AWS.
#[derive(Debug, Default)]
pub struct Ground {
    /// Accounts by id.
    pub accounts: BTreeMap<String, Account>,
    /// Who may call: keys, roles, sessions.
    pub identities: Identities,
    /// Where ids and addresses come from.
    pub mint: Mint,
}

/// One account.
#[derive(Debug)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// Whether listings leave out managed resources unless asked: EC2's managed resource visibility setting.
    pub managed_hidden: bool,
    /// Its enabled regions.
    pub regions: BTreeMap<String, Region>,
}

/// One region of one account.
#[derive(Debug)]
pub struct Region {
    /// For example `ap-northeast-1`.
    pub name: String,
    /// The account's id.
    pub account: String,
    /// Its only VPC.
    pub vpc: String,
    /// A subnet for each zone, by zone name.
    pub subnets: BTreeMap<String, String>,
    /// Its security group, which every instance is in unless told otherwise.
    pub group: Group,
    /// Security groups by id, that one among them.
    pub security_groups: BTreeMap<String, History<SecurityGroup>>,
    /// Tags of the VPC and of the subnets, by id.
    pub network_tags: BTreeMap<String, History<BTreeMap<String, String>>>,
    /// Instances by id.
    pub instances: BTreeMap<String, History<Instance>>,
    /// Volumes by id.
    pub volumes: BTreeMap<String, History<Volume>>,
    /// Elastic addresses by allocation id.
    pub addresses: BTreeMap<String, History<Address>>,
    /// Databases.
    pub dbs: Databases,
    /// What hosts do, by instance id or `DbiResourceId`, where it was planted.
    pub loads: BTreeMap<String, Course>,
    /// Metrics that somebody put.
    pub put: Put,
}

/// Regions that every account has without opting in (AWS's list of regions enabled by default).
pub const DEFAULT_REGIONS: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

impl Ground {
    /// The account, made with its default regions when it is new.
    pub fn account(&mut self, id: &str) -> &mut Account {
        let mint = &mut self.mint;
        self.accounts.entry(id.to_owned()).or_insert_with(|| Account {
            id: id.to_owned(),
            managed_hidden: true,
            regions: DEFAULT_REGIONS.iter().map(|r| ((*r).to_owned(), Region::new(id, r, mint))).collect(),
        })
    }

    /// A region of an account, with the mint that things in it are made by. Both are made when new.
    pub fn region(&mut self, account: &str, region: &str) -> (&mut Region, &mut Mint) {
        self.account(account);
        let mint = &mut self.mint;
        let account = self.accounts.entry(account.to_owned()).or_insert_with(|| Account {
            id: account.to_owned(),
            managed_hidden: true,
            regions: BTreeMap::new(),
        });
        let id = account.id.clone();
        let entry = account.regions.entry(region.to_owned());
        (entry.or_insert_with(|| Region::new(&id, region, mint)), mint)
    }

    /// A region for reading, if the account has it.
    #[must_use]
    pub fn look(&self, account: &str, region: &str) -> Option<&Region> {
        self.accounts.get(account)?.regions.get(region)
    }
}

impl Region {
    fn new(account: &str, name: &str, mint: &mut Mint) -> Self {
        let zone = |letter| format!("{name}{letter}");
        let vpc = mint.id("vpc");
        let subnets: BTreeMap<_, _> = ["a", "b", "c"].map(|letter| (zone(letter), mint.id("subnet"))).into();
        let group = SecurityGroup::default_of(&vpc, &mint.id("sg"));
        let always = Timestamp::MIN;
        let untagged = |id: &String| (id.clone(), History::born(always, BTreeMap::new()));
        Self {
            name: name.to_owned(),
            account: account.to_owned(),
            network_tags: subnets.values().chain([&vpc]).map(untagged).collect(),
            vpc,
            subnets,
            group: Group { id: group.id.clone(), name: group.name.clone() },
            security_groups: [(group.id.clone(), History::born(always, group))].into(),
            instances: BTreeMap::new(),
            volumes: BTreeMap::new(),
            addresses: BTreeMap::new(),
            dbs: Databases::new(account, name),
            loads: BTreeMap::new(),
            put: BTreeMap::new(),
        }
    }

    /// The instance at this time.
    ///
    /// # Errors
    /// `InvalidInstanceID.NotFound`.
    pub fn instance(&self, id: &str, at: Timestamp) -> Result<&Instance, AwsError> {
        self.instances.get(id).and_then(|h| h.at(at)).ok_or_else(|| Instance::unknown(&[id]))
    }

    /// All instances at this time, in order of their ids.
    pub fn instances_at(&self, at: Timestamp) -> impl Iterator<Item = &Instance> {
        self.instances.values().filter_map(move |h| h.at(at))
    }

    /// The elastic address of an instance at this time.
    #[must_use]
    pub fn address_of(&self, instance: &str, at: Timestamp) -> Option<&Address> {
        let of = |a: &&Address| a.association.as_ref().is_some_and(|x| x.instance == instance);
        self.addresses.values().filter_map(|h| h.at(at)).find(of)
    }

    /// Changes an instance from now on.
    ///
    /// # Errors
    /// `InvalidInstanceID.NotFound`.
    pub fn change_instance(
        &mut self,
        id: &str,
        at: Timestamp,
        change: impl Fn(&mut Instance),
    ) -> Result<(), AwsError> {
        let changed = self.instances.get_mut(id).is_some_and(|h| h.change(at, change));
        changed.then_some(()).ok_or_else(|| Instance::unknown(&[id]))
    }
}

/// What was written of a thing, once. A clone starts empty, because clones are made to be changed.
#[derive(Debug, Default)]
pub struct Written(OnceLock<Box<str>>);

impl Written {
    /// The text, written now if it never was.
    pub fn or_write(&self, write: impl FnOnce() -> String) -> &str {
        self.0.get_or_init(|| write().into_boxed_str())
    }
}

impl Clone for Written {
    fn clone(&self) -> Self {
        Self::default()
    }
}

//! The typed API by which tests and the demo change and read the ground truth.
//!
//! It obeys the laws of nature only: no rights, no protection, no tag rules, no limits, no faults. What it
//! reads is what is, whatever the API is made to say.

mod activity;
mod databases;
mod things;

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    Aws, Launch, Role,
    error::AwsError,
    ground::{Instance, Mint, Region, State},
    identity::Session,
};

/// One account.
#[derive(Clone, Debug)]
pub struct AccountTruth {
    aws: Aws,
    id: String,
}

/// One region of one account.
#[derive(Clone, Debug)]
pub struct RegionTruth {
    aws: Aws,
    account: String,
    name: String,
}

impl AccountTruth {
    pub(super) fn new(aws: Aws, id: &str) -> Self {
        Self { aws, id: id.to_owned() }
    }

    /// Twelve digits.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Gives user `name` this access key.
    pub fn add_key(&self, name: &str, key: &str) {
        self.aws.ground().write().identities.add_key(&self.id, name, key);
    }

    /// Takes an access key away.
    pub fn remove_key(&self, key: &str) {
        self.aws.ground().write().identities.remove_key(key);
    }

    /// Adds or replaces a role; answers its ARN.
    #[must_use]
    pub fn set_role(&self, role: Role) -> String {
        self.aws.ground().write().identities.set_role(&self.id, role)
    }

    /// Denies exactly these actions (`ec2:Describe*`) to the owner of an access key or to a role by its ARN; an
    /// empty list allows all again. False when nobody has that key or ARN.
    #[must_use]
    pub fn deny(&self, key_or_role: &str, actions: &[&str]) -> bool {
        self.aws.ground().write().identities.deny(key_or_role, actions)
    }

    /// The role sessions given out in all accounts.
    #[must_use]
    pub fn sessions(&self) -> Vec<Session> {
        self.aws.ground().read().identities.sessions().cloned().collect()
    }

    /// EC2's managed resource visibility: whether listings leave managed resources out unless asked.
    pub fn hide_managed(&self, hidden: bool) {
        self.aws.ground().write().account(&self.id).managed_hidden = hidden;
    }

    /// Turns a region off: its calls fail as with unknown credentials. What was in it is lost.
    pub fn disable_region(&self, name: &str) {
        self.aws.ground().write().account(&self.id).regions.remove(name);
    }

    /// A region, turned on if it was off.
    #[must_use]
    pub fn region(&self, name: &str) -> RegionTruth {
        self.aws.ground().write().region(&self.id, name);
        RegionTruth { aws: self.aws.clone(), account: self.id.clone(), name: name.to_owned() }
    }
}

impl RegionTruth {
    /// Launches instances; answers their ids.
    ///
    /// # Errors
    /// For a zone that is not there or an id that is taken.
    pub fn launch(&self, launch: &Launch) -> Result<Vec<String>, AwsError> {
        self.change(|region, mint, now| {
            region.forget_old(now);
            region.launch(mint, launch, now)
        })
    }

    /// Stops an instance, as its owner would. See [`Region::stop`].
    ///
    /// # Errors
    /// For an unknown id, as all below.
    pub fn stop(&self, id: &str) -> Result<(), AwsError> {
        self.change(|region, _, now| region.stop(id, now))
    }

    /// Starts an instance. See [`Region::start`].
    ///
    /// # Errors
    /// For an unknown id.
    pub fn start(&self, id: &str) -> Result<(), AwsError> {
        self.change(|region, mint, now| region.start(mint, id, now))
    }

    /// Terminates an instance, protected or not. See [`Region::terminate`].
    ///
    /// # Errors
    /// For an unknown id.
    pub fn terminate(&self, id: &str) -> Result<(), AwsError> {
        self.change(|region, _, now| region.terminate(id, now))
    }

    /// Lets the guest shut itself down. See [`Region::guest_shutdown`].
    ///
    /// # Errors
    /// For an unknown id.
    pub fn guest_shutdown(&self, id: &str) -> Result<(), AwsError> {
        self.change(|region, _, now| region.guest_shutdown(id, now))
    }

    /// Makes an instance disappear without a trace. See [`Region::vanish`].
    ///
    /// # Errors
    /// For an unknown id.
    pub fn vanish(&self, id: &str) -> Result<(), AwsError> {
        self.change(|region, _, now| region.vanish(id, now))
    }

    /// Sets a tag of an instance, volume, address, security group, subnet or VPC, `aws:*` and oversized ones too.
    ///
    /// # Errors
    /// For an unknown id.
    pub fn tag(&self, id: &str, key: &str, value: &str) -> Result<(), AwsError> {
        let set = |tags: &mut BTreeMap<String, String>| {
            tags.insert(key.to_owned(), value.to_owned());
        };
        self.change(|region, _, now| region.change_tags(id, now, set))
    }

    /// Removes a tag.
    ///
    /// # Errors
    /// For an unknown id.
    pub fn untag(&self, id: &str, key: &str) -> Result<(), AwsError> {
        let remove = |tags: &mut BTreeMap<String, String>| {
            tags.remove(key);
        };
        self.change(|region, _, now| region.change_tags(id, now, remove))
    }

    /// Changes anything of an instance, from now on and for what is planned: its type, protection, addresses…
    ///
    /// # Errors
    /// For an unknown id.
    pub fn change_instance(&self, id: &str, change: impl Fn(&mut Instance)) -> Result<(), AwsError> {
        self.change(|region, _, now| region.change_instance(id, now, change))
    }

    /// The instance as it is, terminated ones for their hour.
    #[must_use]
    pub fn instance(&self, id: &str) -> Option<Instance> {
        self.read(|region, now| region.instance(id, now).ok().cloned())
    }

    /// All instances, terminated ones for their hour, in order of their ids.
    #[must_use]
    pub fn instances(&self) -> Vec<Instance> {
        self.read(|region, now| region.instances_at(now).cloned().collect())
    }

    /// Ids of the instances that are neither gone nor going, in order.
    #[must_use]
    pub fn living(&self) -> Vec<String> {
        let living = |i: &&Instance| !i.state.is_ending();
        self.read(|region, now| region.instances_at(now).filter(living).map(|i| i.id.clone()).collect())
    }

    /// Where an instance is in its life; `None` once it is not even listed.
    #[must_use]
    pub fn state(&self, id: &str) -> Option<State> {
        self.read(|region, now| region.instance(id, now).ok().map(|i| i.state))
    }

    fn change<T>(
        &self,
        write: impl FnOnce(&mut Region, &mut Mint, Timestamp) -> Result<T, AwsError>,
    ) -> Result<T, AwsError> {
        let now = self.aws.stage().now();
        let mut ground = self.aws.ground().write();
        let (region, mint) = ground.region(&self.account, &self.name);
        write(region, mint, now)
    }

    fn read<T: Default>(&self, read: impl FnOnce(&Region, Timestamp) -> T) -> T {
        let now = self.aws.stage().now();
        let ground = self.aws.ground().read();
        ground.look(&self.account, &self.name).map(|region| read(region, now)).unwrap_or_default()
    }
}

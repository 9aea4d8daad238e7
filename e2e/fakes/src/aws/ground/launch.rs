//! How instances come into the world: by `RunInstances`, or planted by a test with a past of their own.

use std::{collections::BTreeMap, net::Ipv4Addr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Attachment, AttachmentState, Device, Group, Instance, Lifecycle, Mint, PENDING, Region, RootDevice,
    State, Written,
};
use crate::{
    aws::{error::AwsError, history::History},
    clock::later,
};

/// What to launch. Everything has a default but the type.
// Its flags are EC2's own launch parameters.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Launch {
    /// How many, in one reservation.
    pub count: u32,
    /// The id; only for a single instance. Made up when absent.
    pub id: Option<String>,
    /// For example `t3.medium`.
    pub instance_type: String,
    /// `ami-…`.
    pub image: String,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// A zone's letter or whole name; the first zone when absent.
    pub zone: Option<String>,
    /// Tags; `aws:*` ones are taken too.
    pub tags: BTreeMap<String, String>,
    /// The private address; only for a single instance.
    pub private_ip: Option<Ipv4Addr>,
    /// Whether it is given a public address.
    pub public: bool,
    /// How it is bought.
    pub lifecycle: Lifecycle,
    /// The service that manages it, for example `eks.amazonaws.com`.
    pub managed_by: Option<String>,
    /// The instance profile's ARN.
    pub profile: Option<String>,
    /// The key pair's name.
    pub key_name: Option<String>,
    /// Security group ids; the region's default group when empty.
    pub groups: Vec<String>,
    /// `default`, `dedicated` or `host`.
    pub tenancy: String,
    /// What holds the root.
    pub root: RootDevice,
    /// Volumes beside or instead of the default root volume (the one at `/dev/xvda`).
    pub volumes: Vec<VolumeSpec>,
    /// `disableApiTermination`.
    pub termination_protected: bool,
    /// `disableApiStop`.
    pub stop_protected: bool,
    /// What the guest's own shutdown does: true terminates.
    pub shutdown_terminates: bool,
    /// User data, base64.
    pub user_data: Option<String>,
    /// The caller's idempotency token.
    pub client_token: String,
    /// When it was launched; now when absent.
    pub launched_at: Option<Timestamp>,
    /// When somebody stopped it, if ever.
    pub stopped_at: Option<Timestamp>,
}

/// A volume made with an instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct VolumeSpec {
    /// `/dev/xvda`.
    pub device: String,
    /// GiB.
    pub size: u32,
    /// `gp3`, `io2`…
    pub kind: String,
    /// Whether it dies with the instance.
    pub delete_on_termination: bool,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

const ROOT: &str = "/dev/xvda";

impl Default for VolumeSpec {
    fn default() -> Self {
        Self {
            device: ROOT.to_owned(),
            size: 8,
            kind: "gp3".to_owned(),
            delete_on_termination: true,
            encrypted: false,
            tags: BTreeMap::new(),
        }
    }
}

impl Default for Launch {
    fn default() -> Self {
        Self {
            count: 1,
            id: None,
            instance_type: "t3.micro".to_owned(),
            image: "ami-00000000000000001".to_owned(),
            architecture: "x86_64".to_owned(),
            zone: None,
            tags: BTreeMap::new(),
            private_ip: None,
            public: false,
            lifecycle: Lifecycle::Normal,
            managed_by: None,
            profile: None,
            key_name: None,
            groups: vec![],
            tenancy: "default".to_owned(),
            root: RootDevice::Ebs,
            volumes: vec![],
            termination_protected: false,
            stop_protected: false,
            shutdown_terminates: false,
            user_data: None,
            client_token: String::new(),
            launched_at: None,
            stopped_at: None,
        }
    }
}

impl Launch {
    /// One on-demand instance of this type, launched now.
    #[must_use]
    pub fn of(instance_type: &str) -> Self {
        Self { instance_type: instance_type.to_owned(), ..Self::default() }
    }

    /// So many in one reservation.
    #[must_use]
    pub fn count(self, count: u32) -> Self {
        Self { count, ..self }
    }

    /// With a tag more.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    /// In this zone, a letter or a whole name.
    #[must_use]
    pub fn zone(self, zone: &str) -> Self {
        Self { zone: Some(zone.to_owned()), ..self }
    }

    /// With a past: launched then.
    #[must_use]
    pub fn launched_at(self, at: Timestamp) -> Self {
        Self { launched_at: Some(at), ..self }
    }

    /// Managed by this service.
    #[must_use]
    pub fn managed_by(self, principal: &str) -> Self {
        Self { managed_by: Some(principal.to_owned()), ..self }
    }
}

impl Region {
    /// Launches instances in one reservation; answers their ids.
    ///
    /// # Errors
    /// `InvalidParameterValue` for a zone that the region does not have or an id that is taken.
    pub fn launch(
        &mut self,
        mint: &mut Mint,
        launch: &Launch,
        now: Timestamp,
    ) -> Result<Vec<String>, AwsError> {
        let at = launch.launched_at.unwrap_or(now);
        let (zone, subnet) = self.zone(launch.zone.as_deref())?;
        if launch.id.as_ref().is_some_and(|id| launch.count != 1 || self.instances.contains_key(id)) {
            return Err(AwsError::value("An instance id can be given to one new instance only"));
        }
        let reservation = mint.id("r");
        let mut ids = vec![];
        for index in 0..launch.count {
            let mut instance = self.draft(mint, launch, at);
            instance.reservation.clone_from(&reservation);
            instance.launch_index = i64::from(index);
            (instance.zone, instance.subnet) = (zone.clone(), Some(subnet.clone()));
            instance.devices = self.volumes_for(mint, &instance, launch, at);
            ids.push(instance.id.clone());
            self.bear(instance, at);
        }
        if let Some(stopped) = launch.stopped_at {
            for id in &ids {
                self.stop(id, stopped)?;
            }
        }
        Ok(ids)
    }

    pub(super) fn zone(&self, wanted: Option<&str>) -> Result<(String, String), AwsError> {
        let named = |zone: &str| wanted.is_none_or(|w| zone == w || zone.strip_prefix(&self.name) == Some(w));
        let found = self.subnets.iter().find(|(zone, _)| named(zone));
        let unknown = || {
            let message = format!("Invalid availability zone: [{}]", wanted.unwrap_or_default());
            AwsError::value(message)
        };
        found.map(|(zone, subnet)| (zone.clone(), subnet.clone())).ok_or_else(unknown)
    }

    fn draft(&self, mint: &mut Mint, launch: &Launch, at: Timestamp) -> Instance {
        let name = |id: &String| self.security_group(id, at).map_or_else(|_| id.clone(), |g| g.name.clone());
        let group = |id: &String| Group { id: id.clone(), name: name(id) };
        let given: Vec<Group> = launch.groups.iter().map(group).collect();
        Instance {
            id: launch.id.clone().unwrap_or_else(|| mint.id("i")),
            reservation: String::new(),
            owner: self.account.clone(),
            launch_index: 0,
            client_token: launch.client_token.clone(),
            image: launch.image.clone(),
            instance_type: launch.instance_type.clone(),
            architecture: launch.architecture.clone(),
            state: State::Pending,
            transition_reason: String::new(),
            state_reason: None,
            launched: at,
            zone: String::new(),
            tenancy: launch.tenancy.clone(),
            vpc: Some(self.vpc.clone()),
            subnet: None,
            interface: Some(mint.id("eni")),
            private_ip: Some(launch.private_ip.unwrap_or_else(|| mint.private_ip())),
            public_ip: launch.public.then(|| mint.public_ip()),
            auto_public: launch.public,
            groups: if given.is_empty() { vec![self.group.clone()] } else { given },
            key_name: launch.key_name.clone(),
            profile: launch.profile.clone(),
            tags: launch.tags.clone(),
            lifecycle: launch.lifecycle,
            managed_by: launch.managed_by.clone(),
            root: launch.root,
            devices: vec![],
            termination_protected: launch.termination_protected,
            stop_protected: launch.stop_protected,
            shutdown_terminates: launch.shutdown_terminates,
            user_data: launch.user_data.clone(),
            written: Written::default(),
        }
    }

    /// Makes the volumes of a new instance: those asked for, and a root volume unless one of them is it.
    fn volumes_for(
        &mut self,
        mint: &mut Mint,
        instance: &Instance,
        launch: &Launch,
        at: Timestamp,
    ) -> Vec<Device> {
        let mut specs = launch.volumes.clone();
        if launch.root == RootDevice::Ebs && !specs.iter().any(|s| s.device == ROOT) {
            specs.insert(0, VolumeSpec::default());
        }
        let attach = |spec: VolumeSpec| {
            let volume = self.create_volume(mint, &instance.zone, &spec, at);
            let attachment = Attachment {
                instance: instance.id.clone(),
                state: AttachmentState::Attached,
                device: spec.device.clone(),
                delete_on_termination: spec.delete_on_termination,
                attached: at,
            };
            if let Some(history) = self.volumes.get_mut(&volume) {
                history.change(at, |v| {
                    v.attachment = Some(attachment.clone());
                    v.managed_by.clone_from(&instance.managed_by);
                });
            }
            let delete_on_termination = spec.delete_on_termination;
            Device { name: spec.device, volume, delete_on_termination, attached: at }
        };
        specs.into_iter().map(attach).collect()
    }

    fn bear(&mut self, instance: Instance, at: Timestamp) {
        let running = Instance { state: State::Running, ..instance.clone() };
        let mut history = History::born(at, instance);
        history.plan(later(at, PENDING), Some(running));
        if let Some(id) = history.at(at).map(|i| i.id.clone()) {
            self.instances.insert(id, history);
        }
    }
}

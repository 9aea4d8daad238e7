//! EBS volumes and Elastic addresses, and the instances they hang on.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Tags;
use crate::ids::HostId;

/// One EBS volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Volume {
    /// `vol-0abc`.
    pub id: String,
    /// What it is doing.
    #[serde(default)]
    pub state: VolumeState,
    /// Every attachment to an instance, on its way or not: [`Self::attached_to`] tells the ones that stand.
    #[serde(default, alias = "attachedTo", skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Size in GiB.
    pub size_gib: i32,
    /// Tags.
    #[serde(default)]
    pub tags: Tags,
}

impl Volume {
    /// The Name tag, if it is not blank.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.tags.name()
    }

    /// Is it meant by this id or tag Name?
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.id == name || self.name() == Some(name)
    }

    /// The instances that it is attached to: not those that it is on its way to or from.
    pub fn attached_to(&self) -> impl Iterator<Item = &HostId> {
        let attached = |one: &&Attachment| one.state == AttachmentState::Attached;
        self.attachments.iter().filter(attached).map(|one| &one.host)
    }
}

/// A volume and an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "AttachmentForm", rename_all = "camelCase")]
pub struct Attachment {
    /// The instance.
    pub host: HostId,
    /// Whether it stands.
    pub state: AttachmentState,
}

/// Recordings from before states were read hold the instance alone: of those nothing is known but that.
#[derive(Deserialize)]
#[serde(untagged)]
enum AttachmentForm {
    Now { host: HostId, state: AttachmentState },
    Before(HostId),
}

impl From<AttachmentForm> for Attachment {
    fn from(form: AttachmentForm) -> Self {
        match form {
            AttachmentForm::Now { host, state } => Self { host, state },
            AttachmentForm::Before(host) => Self { host, state: AttachmentState::Unknown },
        }
    }
}

/// EC2's states of an attachment (`VolumeAttachmentState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttachmentState {
    /// On its way.
    Attaching,
    /// It stands.
    Attached,
    /// On its way off.
    Detaching,
    /// Off.
    Detached,
    /// The instance does not let go of it.
    Busy,
    /// A state this version does not know, or that a recording does not tell.
    #[serde(other)]
    Unknown,
}

/// EC2's states of a volume (`VolumeState`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VolumeState {
    /// It is not there yet.
    Creating,
    /// It hangs on nothing.
    Available,
    /// It hangs on something: an instance, or a service's own.
    InUse,
    /// On its way out.
    Deleting,
    /// Gone.
    Deleted,
    /// Its hardware failed.
    Error,
    /// A state this version does not know, or that a recording does not tell.
    #[default]
    #[serde(other)]
    Unknown,
}

/// One Elastic IP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    /// Its allocation id, `eipalloc-0abc`; the address itself when it has none.
    pub id: String,
    /// The address.
    pub ip: IpAddr,
    /// Instance it is associated with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attached_to: Option<HostId>,
    /// `eni-0abc` that it is associated with. It may be nobody's: a NAT gateway's and a load balancer's are no instance's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_interface: Option<String>,
    /// Tags.
    #[serde(default)]
    pub tags: Tags,
}

impl Address {
    /// Is it meant by this allocation id, address or tag Name?
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.id == name || self.ip.to_string() == name || self.name() == Some(name)
    }

    /// The Name tag, if it is not blank.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.tags.name()
    }
}

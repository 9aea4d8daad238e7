//! One EBS volume at one moment.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Mint, Region, VolumeSpec, Written};
use crate::aws::history::History;

/// The life cycle of a volume, as far as the fake goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VolumeState {
    /// Attached to nothing.
    Available,
    /// Attached.
    InUse,
}

impl VolumeState {
    /// AWS's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            VolumeState::Available => "available",
            VolumeState::InUse => "in-use",
        }
    }
}

/// Whether an attachment stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AttachmentState {
    /// On its way.
    Attaching,
    /// It stands.
    #[default]
    Attached,
    /// On its way off.
    Detaching,
}

impl AttachmentState {
    /// AWS's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            AttachmentState::Attaching => "attaching",
            AttachmentState::Attached => "attached",
            AttachmentState::Detaching => "detaching",
        }
    }
}

/// What a volume is attached to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// `i-…`.
    pub instance: String,
    /// Whether it stands.
    pub state: AttachmentState,
    /// `/dev/xvda`.
    pub device: String,
    /// Whether the volume dies with the instance.
    pub delete_on_termination: bool,
    /// Since when.
    pub attached: Timestamp,
}

/// A volume at one moment.
#[derive(Clone, Debug)]
pub struct Volume {
    /// `vol-…`.
    pub id: String,
    /// GiB.
    pub size: u32,
    /// `gp3`, `io2`…
    pub kind: String,
    /// The zone's name.
    pub zone: String,
    /// When it was made.
    pub created: Timestamp,
    /// What it is attached to, if anything.
    pub attachment: Option<Attachment>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// The service that manages it, if any.
    pub managed_by: Option<String>,
    /// Its `<item>` in a listing.
    pub written: Written,
}

impl Volume {
    /// Follows from its attachment.
    #[must_use]
    pub fn state(&self) -> VolumeState {
        if self.attachment.is_some() { VolumeState::InUse } else { VolumeState::Available }
    }
}

impl Region {
    /// Makes a volume attached to nothing; answers its id.
    pub fn create_volume(&mut self, mint: &mut Mint, zone: &str, spec: &VolumeSpec, at: Timestamp) -> String {
        let volume = Volume {
            id: mint.id("vol"),
            size: spec.size,
            kind: spec.kind.clone(),
            zone: zone.to_owned(),
            created: at,
            attachment: None,
            tags: spec.tags.clone(),
            encrypted: spec.encrypted,
            managed_by: None,
            written: Written::default(),
        };
        let id = volume.id.clone();
        self.volumes.insert(id.clone(), History::born(at, volume));
        id
    }

    /// All volumes at this time, in order of their ids.
    pub fn volumes_at(&self, at: Timestamp) -> impl Iterator<Item = &Volume> {
        self.volumes.values().filter_map(move |h| h.at(at))
    }
}

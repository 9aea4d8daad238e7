//! Volumes on their way to an instance and off again.
//!
//! A volume hangs on one instance at most: Multi-Attach is not here.

use jiff::{SignedDuration, Timestamp};

use super::{Attachment, AttachmentState, Device, Region, Volume};
use crate::{aws::error::AwsError, clock::later};

/// How long a volume is on its way, either way.
pub const ATTACHING: SignedDuration = SignedDuration::from_secs(5);

impl Region {
    /// Attaches a volume to an instance of its zone.
    ///
    /// # Errors
    /// `InvalidVolume.NotFound`, `InvalidInstanceID.NotFound`, `VolumeInUse`, `InvalidVolume.ZoneMismatch`.
    pub fn attach_volume(
        &mut self,
        volume: &str,
        instance: &str,
        device: &str,
        at: Timestamp,
    ) -> Result<(), AwsError> {
        let (known, host) = (self.volume(volume, at)?, self.instance(instance, at)?);
        if known.attachment.is_some() {
            let message = format!("{volume} is already attached to an instance");
            return Err(AwsError::bad_request("VolumeInUse", message));
        }
        if known.zone != host.zone {
            let message = format!(
                "The volume '{volume}' is not in the same availability zone as instance '{instance}'"
            );
            return Err(AwsError::bad_request("InvalidVolume.ZoneMismatch", message));
        }
        let attachment = |state| Attachment {
            instance: instance.to_owned(),
            state,
            device: device.to_owned(),
            delete_on_termination: false,
            attached: at,
        };
        let on_its_way = Volume { attachment: Some(attachment(AttachmentState::Attaching)), ..known.clone() };
        let there = Volume { attachment: Some(attachment(AttachmentState::Attached)), ..known.clone() };
        self.turn_volume(volume, at, on_its_way, there);
        let device = Device {
            name: device.to_owned(),
            volume: volume.to_owned(),
            delete_on_termination: false,
            attached: at,
        };
        self.change_instance(instance, at, |i| i.devices.push(device.clone()))
    }

    /// Detaches a volume from whatever it hangs on.
    ///
    /// # Errors
    /// `InvalidVolume.NotFound`; `IncorrectState` for one that hangs on nothing.
    pub fn detach_volume(&mut self, volume: &str, at: Timestamp) -> Result<(), AwsError> {
        let known = self.volume(volume, at)?;
        let Some(attachment) = known.attachment.clone() else {
            let message = format!("Volume '{volume}' is in the 'available' state.");
            return Err(AwsError::bad_request("IncorrectState", message));
        };
        let leaving = Attachment { state: AttachmentState::Detaching, ..attachment.clone() };
        let on_its_way = Volume { attachment: Some(leaving), ..known.clone() };
        let free = Volume { attachment: None, ..known.clone() };
        self.turn_volume(volume, at, on_its_way, free);
        // The instance may be gone by now, which is as good.
        self.change_instance(&attachment.instance, at, |i| i.devices.retain(|d| d.volume != volume))
            .or(Ok(()))
    }

    /// The volume of this id at this time.
    ///
    /// # Errors
    /// `InvalidVolume.NotFound`.
    pub fn volume(&self, id: &str, at: Timestamp) -> Result<&Volume, AwsError> {
        let unknown =
            || AwsError::bad_request("InvalidVolume.NotFound", format!("The volume '{id}' does not exist."));
        self.volumes.get(id).and_then(|h| h.at(at)).ok_or_else(unknown)
    }

    fn turn_volume(&mut self, id: &str, at: Timestamp, now: Volume, then: Volume) {
        if let Some(history) = self.volumes.get_mut(id) {
            history.turn(at, Some(now));
            history.plan(later(at, ATTACHING), Some(then));
        }
    }
}

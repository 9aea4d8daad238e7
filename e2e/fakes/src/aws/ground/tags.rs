//! Tags of whatever can carry them, found by the prefix of its id.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Instance, Region, unknown_group};
use crate::aws::error::AwsError;

impl Region {
    /// The tags of an instance, volume, address, security group, subnet or VPC at this time.
    ///
    /// # Errors
    /// AWS's `…NotFound` of its kind; `InvalidID` for an id of no kind that the fake has.
    pub fn tags(&self, id: &str, at: Timestamp) -> Result<&BTreeMap<String, String>, AwsError> {
        let tags = match kind(id) {
            Some("i") => self.instances.get(id).and_then(|h| h.at(at)).map(|i| &i.tags),
            Some("vol") => self.volumes.get(id).and_then(|h| h.at(at)).map(|v| &v.tags),
            Some("eipalloc") => self.addresses.get(id).and_then(|h| h.at(at)).map(|a| &a.tags),
            Some("sg") => self.security_groups.get(id).and_then(|h| h.at(at)).map(|g| &g.tags),
            Some("subnet" | "vpc") => self.network_tags.get(id).and_then(|h| h.at(at)),
            _ => None,
        };
        tags.ok_or_else(|| unknown(id))
    }

    /// Changes the tags of any of these from now on, by no rule of the API.
    ///
    /// # Errors
    /// As [`Region::tags`].
    pub fn change_tags(
        &mut self,
        id: &str,
        at: Timestamp,
        change: impl Fn(&mut BTreeMap<String, String>),
    ) -> Result<(), AwsError> {
        let changed = match kind(id) {
            Some("i") => self.instances.get_mut(id).is_some_and(|h| h.change(at, |i| change(&mut i.tags))),
            Some("vol") => self.volumes.get_mut(id).is_some_and(|h| h.change(at, |v| change(&mut v.tags))),
            Some("eipalloc") => {
                self.addresses.get_mut(id).is_some_and(|h| h.change(at, |a| change(&mut a.tags)))
            }
            Some("sg") => {
                self.security_groups.get_mut(id).is_some_and(|h| h.change(at, |g| change(&mut g.tags)))
            }
            Some("subnet" | "vpc") => self.network_tags.get_mut(id).is_some_and(|h| h.change(at, &change)),
            _ => false,
        };
        changed.then_some(()).ok_or_else(|| unknown(id))
    }
}

fn kind(id: &str) -> Option<&str> {
    id.split_once('-').map(|(kind, _)| kind)
}

fn unknown(id: &str) -> AwsError {
    match kind(id) {
        Some("i") => Instance::unknown(&[id]),
        Some("vol") => {
            AwsError::bad_request("InvalidVolume.NotFound", format!("The volume '{id}' does not exist."))
        }
        Some("eipalloc") => {
            let message = format!("The allocation ID '{id}' does not exist");
            AwsError::bad_request("InvalidAllocationID.NotFound", message)
        }
        Some("sg") => unknown_group(id),
        Some("subnet") => {
            let message = format!("The subnet ID '{id}' does not exist");
            AwsError::bad_request("InvalidSubnetID.NotFound", message)
        }
        Some("vpc") => {
            AwsError::bad_request("InvalidVpcID.NotFound", format!("The vpc ID '{id}' does not exist"))
        }
        _ => AwsError::bad_request("InvalidID", format!("The ID '{id}' is not valid")),
    }
}

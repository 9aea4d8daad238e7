//! The same for what hosts hang on and stand behind: volumes, addresses, the network and its security groups.

use std::collections::BTreeMap;

use super::RegionTruth;
use crate::aws::{
    error::AwsError,
    ground::{Address, SecurityGroup, Volume, VolumeSpec},
};

impl RegionTruth {
    /// Allocates an elastic address; answers its allocation id.
    ///
    /// # Errors
    /// None today.
    pub fn allocate_address(&self) -> Result<String, AwsError> {
        self.change(|region, mint, now| Ok(region.allocate_address(mint, now)))
    }

    /// Points an elastic address to an instance; answers the association id.
    ///
    /// # Errors
    /// For unknown ids.
    pub fn associate_address(&self, allocation: &str, instance: &str) -> Result<String, AwsError> {
        self.change(|region, mint, now| region.associate_address(mint, allocation, instance, now))
    }

    /// Makes a volume attached to nothing; answers its id.
    ///
    /// # Errors
    /// None today.
    pub fn create_volume(&self, zone: &str, spec: &VolumeSpec) -> Result<String, AwsError> {
        self.change(|region, mint, now| Ok(region.create_volume(mint, zone, spec, now)))
    }

    /// Attaches a volume to an instance of its zone, which takes a moment.
    ///
    /// # Errors
    /// For unknown ids, a volume that hangs on something, and another zone.
    pub fn attach_volume(&self, volume: &str, instance: &str, device: &str) -> Result<(), AwsError> {
        self.change(|region, _, now| region.attach_volume(volume, instance, device, now))
    }

    /// Detaches a volume, which takes a moment.
    ///
    /// # Errors
    /// For an unknown id, and for one that hangs on nothing.
    pub fn detach_volume(&self, volume: &str) -> Result<(), AwsError> {
        self.change(|region, _, now| region.detach_volume(volume, now))
    }

    /// Makes a security group that lets nothing in; answers its id.
    ///
    /// # Errors
    /// For a name that is taken.
    pub fn create_security_group(&self, name: &str) -> Result<String, AwsError> {
        self.change(|region, mint, now| region.create_security_group(mint, name, name, now))
    }

    /// Changes anything of a security group, from now on.
    ///
    /// # Errors
    /// For an unknown id.
    pub fn change_security_group(
        &self,
        id: &str,
        change: impl Fn(&mut SecurityGroup),
    ) -> Result<(), AwsError> {
        self.change(|region, _, now| region.change_security_group(id, now, change))
    }

    /// All security groups, in order of their ids.
    #[must_use]
    pub fn security_groups(&self) -> Vec<SecurityGroup> {
        self.read(|region, now| region.security_groups_at(now).cloned().collect())
    }

    /// The region's VPC.
    #[must_use]
    pub fn vpc(&self) -> String {
        self.read(|region, _| region.vpc.clone())
    }

    /// The region's subnets: zone and id.
    #[must_use]
    pub fn subnets(&self) -> BTreeMap<String, String> {
        self.read(|region, _| region.subnets.clone())
    }

    /// All volumes, in order of their ids.
    #[must_use]
    pub fn volumes(&self) -> Vec<Volume> {
        self.read(|region, now| region.volumes_at(now).cloned().collect())
    }

    /// All elastic addresses, in order of their allocation ids.
    #[must_use]
    pub fn addresses(&self) -> Vec<Address> {
        self.read(|region, now| region.addresses.values().filter_map(|h| h.at(now)).cloned().collect())
    }
}

//! Elastic addresses: allocated, associated with an instance, released.

use std::{collections::BTreeMap, net::Ipv4Addr};

use jiff::Timestamp;

use super::{Instance, Mint, Region, State};
use crate::aws::{error::AwsError, history::History};

/// What an elastic address points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Association {
    /// `eipassoc-…`.
    pub id: String,
    /// `i-…`.
    pub instance: String,
    /// `eni-…`.
    pub interface: Option<String>,
    /// The instance's private address.
    pub private_ip: Option<Ipv4Addr>,
}

/// An elastic address at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// `eipalloc-…`.
    pub id: String,
    /// The address.
    pub ip: Ipv4Addr,
    /// What it points to, if anything.
    pub association: Option<Association>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

impl Region {
    /// Allocates an address; answers its allocation id.
    pub fn allocate_address(&mut self, mint: &mut Mint, at: Timestamp) -> String {
        let (id, ip) = (mint.id("eipalloc"), mint.public_ip());
        let address = Address { id: id.clone(), ip, association: None, tags: BTreeMap::new() };
        self.addresses.insert(id.clone(), History::born(at, address));
        id
    }

    /// Points an address to an instance; answers the association id.
    ///
    /// # Errors
    /// `InvalidAllocationID.NotFound`, `InvalidInstanceID.NotFound`.
    pub fn associate_address(
        &mut self,
        mint: &mut Mint,
        allocation: &str,
        instance: &str,
        at: Timestamp,
    ) -> Result<String, AwsError> {
        let ip = self.address(allocation, at)?.ip;
        let target: &Instance = self.instance(instance, at)?;
        let association = Association {
            id: mint.id("eipassoc"),
            instance: target.id.clone(),
            interface: target.interface.clone(),
            private_ip: target.private_ip,
        };
        let id = association.id.clone();
        self.change_address(allocation, at, |a| a.association = Some(association.clone()))?;
        self.change_instance(instance, at, |i| {
            if i.state != State::Terminated {
                i.public_ip = Some(ip);
            }
        })?;
        Ok(id)
    }

    /// Points an address to nothing.
    ///
    /// # Errors
    /// `InvalidAllocationID.NotFound`.
    pub fn disassociate_address(&mut self, allocation: &str, at: Timestamp) -> Result<(), AwsError> {
        let before = self.address(allocation, at)?.association.clone();
        self.change_address(allocation, at, |a| a.association = None)?;
        match before {
            // The instance may be gone by now, which is as good.
            Some(association) => {
                self.change_instance(&association.instance, at, |i| i.public_ip = None).or(Ok(()))
            }
            None => Ok(()),
        }
    }

    /// Gives an address back.
    ///
    /// # Errors
    /// `InvalidAllocationID.NotFound`.
    pub fn release_address(&mut self, allocation: &str, at: Timestamp) -> Result<(), AwsError> {
        self.address(allocation, at)?;
        if let Some(history) = self.addresses.get_mut(allocation) {
            history.turn(at, None);
        }
        Ok(())
    }

    /// The address at this time.
    ///
    /// # Errors
    /// `InvalidAllocationID.NotFound`.
    pub fn address(&self, allocation: &str, at: Timestamp) -> Result<&Address, AwsError> {
        self.addresses.get(allocation).and_then(|h| h.at(at)).ok_or_else(|| unknown(allocation))
    }

    fn change_address(
        &mut self,
        allocation: &str,
        at: Timestamp,
        change: impl Fn(&mut Address),
    ) -> Result<(), AwsError> {
        let changed = self.addresses.get_mut(allocation).is_some_and(|h| h.change(at, change));
        changed.then_some(()).ok_or_else(|| unknown(allocation))
    }
}

fn unknown(allocation: &str) -> AwsError {
    let message = format!("The allocation ID '{allocation}' does not exist");
    AwsError::bad_request("InvalidAllocationID.NotFound", message)
}

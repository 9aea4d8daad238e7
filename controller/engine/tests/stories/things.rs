//! What assertions look at beside hosts: volumes, addresses, groups of security, subnets and parameters, protection.

use std::collections::BTreeMap;

use rollcall_engine::ids::HostId;
use rollcall_engine::inventory::{
    Address, Inventory, ParameterGroup, ParameterGroupName, SecurityGroup, SubnetGroup, Volume,
};
use rollcall_engine::reading::Reading;

use crate::world::{Answer, World};

/// What there is, and what is answered about it.
#[derive(Clone, Debug, Default)]
pub struct Things {
    pub volumes: Vec<Volume>,
    pub addresses: Vec<Address>,
    pub security_groups: Vec<SecurityGroup>,
    pub subnet_groups: Vec<SubnetGroup>,
    pub parameters: BTreeMap<ParameterGroupName, ParameterGroup>,
    pub protections: BTreeMap<HostId, Option<bool>>,
    /// By listing: `volumes`, `addresses`, `security groups`, `subnet groups`, `parameters`, `protections`.
    pub says: BTreeMap<&'static str, Answer>,
}

impl Things {
    /// Writes what is answered into an inventory.
    pub fn read_into(&self, inventory: &mut Inventory, world: &World) {
        put(self, world, &mut inventory.volumes, "volumes", &self.volumes);
        put(self, world, &mut inventory.addresses, "addresses", &self.addresses);
        put(self, world, &mut inventory.security_groups, "security groups", &self.security_groups);
        put(self, world, &mut inventory.subnet_groups, "subnet groups", &self.subnet_groups);
        for (name, group) in &self.parameters {
            let mut reading = Reading::not_yet("parameters", world.now);
            put(self, world, &mut reading, "parameters", group);
            inventory.parameters.insert(name.clone(), reading);
        }
        for (id, protection) in &self.protections {
            let mut reading = Reading::not_yet("protection", world.now);
            put(self, world, &mut reading, "protections", protection);
            inventory.protections.insert(id.clone(), reading);
        }
    }
}

fn put<T: Clone + Default>(
    things: &Things,
    world: &World,
    reading: &mut Reading<T>,
    listing: &'static str,
    truth: &T,
) {
    let answer = things.says.get(listing).cloned().unwrap_or_default();
    // What is cut of a listing of things is all of it.
    let read = world.answer(&answer, listing.to_owned(), truth.clone(), |_, _| T::default());
    *reading = read.unwrap_or_else(|| Reading::not_yet(listing, world.now));
}

//! The network of a region: one VPC, a subnet for each zone, and security groups with their rules.
//!
//! It routes nothing. Addresses of hosts come from one pool and say nothing of their subnet.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Mint, Region};
use crate::aws::{error::AwsError, history::History};

/// The VPC's block: all that the mint gives private addresses from, wider than AWS would allow.
pub const VPC_CIDR: &str = "10.0.0.0/8";

/// A security group at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityGroup {
    /// `sg-…`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// For people.
    pub description: String,
    /// `vpc-…`.
    pub vpc: String,
    /// What may come in.
    pub inbound: Vec<Rule>,
    /// What may go out.
    pub outbound: Vec<Rule>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// A protocol and its ports, and with whom it may be spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `tcp`, `udp`, `icmp`, a number, or `-1` for all.
    pub protocol: String,
    /// First and last port; none for all protocols.
    pub ports: Option<(i32, i32)>,
    /// With whom.
    pub peers: Vec<Peer>,
}

/// In or out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Inbound: `Ingress`.
    In,
    /// Outbound: `Egress`.
    Out,
}

/// With whom something may be spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// An IPv4 block.
    Ipv4(String),
    /// An IPv6 block.
    Ipv6(String),
    /// The members of a security group.
    Group(String),
    /// A prefix list, `pl-…`.
    PrefixList(String),
}

impl SecurityGroup {
    /// A group that lets nothing in and all out, as AWS makes them.
    #[must_use]
    pub fn new(vpc: &str, id: &str, name: &str, description: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            description: description.to_owned(),
            vpc: vpc.to_owned(),
            inbound: vec![],
            outbound: vec![Rule::all(Peer::Ipv4("0.0.0.0/0".to_owned()))],
            tags: BTreeMap::new(),
        }
    }

    /// A VPC's own group: its members may speak to each other.
    #[must_use]
    pub fn default_of(vpc: &str, id: &str) -> Self {
        let inbound = vec![Rule::all(Peer::Group(id.to_owned()))];
        Self { inbound, ..Self::new(vpc, id, "default", "default VPC security group") }
    }

    /// Lets more in: a rule of the same protocol and ports grows.
    pub fn let_in(&mut self, rule: Rule) {
        self.open(Way::In, rule);
    }

    /// Lets more in or out: a rule of the same protocol and ports grows.
    pub fn open(&mut self, way: Way, rule: Rule) {
        let rules = self.rules(way);
        match rules.iter_mut().find(|known| known.is_of_the_same_ports(&rule)) {
            Some(known) => known.peers.extend(rule.peers),
            None => rules.push(rule),
        }
    }

    /// Lets less in or out: these peers are taken from the rule of the same protocol and ports, and a rule without peers
    /// goes.
    pub fn close(&mut self, way: Way, rule: &Rule) {
        let rules = self.rules(way);
        for known in rules.iter_mut().filter(|known| known.is_of_the_same_ports(rule)) {
            known.peers.retain(|peer| !rule.peers.contains(peer));
        }
        rules.retain(|known| !known.peers.is_empty());
    }

    fn rules(&mut self, way: Way) -> &mut Vec<Rule> {
        match way {
            Way::In => &mut self.inbound,
            Way::Out => &mut self.outbound,
        }
    }
}

impl Rule {
    fn is_of_the_same_ports(&self, other: &Self) -> bool {
        self.protocol == other.protocol && self.ports == other.ports
    }

    /// Every protocol and port.
    #[must_use]
    pub fn all(peer: Peer) -> Self {
        Self { protocol: "-1".to_owned(), ports: None, peers: vec![peer] }
    }

    /// One TCP port.
    #[must_use]
    pub fn tcp(port: u16, peer: Peer) -> Self {
        let port = i32::from(port);
        Self { protocol: "tcp".to_owned(), ports: Some((port, port)), peers: vec![peer] }
    }
}

impl Region {
    /// Makes a security group; answers its id.
    ///
    /// # Errors
    /// `InvalidGroup.Duplicate`.
    pub fn create_security_group(
        &mut self,
        mint: &mut Mint,
        name: &str,
        description: &str,
        at: Timestamp,
    ) -> Result<String, AwsError> {
        if self.security_groups_at(at).any(|g| g.name == name) {
            let message = format!("The security group '{name}' already exists for VPC '{}'", self.vpc);
            return Err(AwsError::bad_request("InvalidGroup.Duplicate", message));
        }
        let id = mint.id("sg");
        let group = SecurityGroup::new(&self.vpc, &id, name, description);
        self.security_groups.insert(id.clone(), History::born(at, group));
        Ok(id)
    }

    /// Changes a security group from now on.
    ///
    /// # Errors
    /// `InvalidGroup.NotFound`.
    pub fn change_security_group(
        &mut self,
        id: &str,
        at: Timestamp,
        change: impl Fn(&mut SecurityGroup),
    ) -> Result<(), AwsError> {
        let changed = self.security_groups.get_mut(id).is_some_and(|h| h.change(at, change));
        changed.then_some(()).ok_or_else(|| unknown_group(id))
    }

    /// The security group of this id at this time.
    ///
    /// # Errors
    /// `InvalidGroup.NotFound`.
    pub fn security_group(&self, id: &str, at: Timestamp) -> Result<&SecurityGroup, AwsError> {
        self.security_groups.get(id).and_then(|h| h.at(at)).ok_or_else(|| unknown_group(id))
    }

    /// All security groups at this time, in order of their ids.
    pub fn security_groups_at(&self, at: Timestamp) -> impl Iterator<Item = &SecurityGroup> {
        self.security_groups.values().filter_map(move |h| h.at(at))
    }

    /// The block of a subnet: the VPC's, cut in four, in order of the zones.
    #[must_use]
    pub fn subnet_cidr(&self, zone: &str) -> String {
        let place = self.subnets.keys().position(|known| known == zone).unwrap_or(0);
        format!("10.{}.0.0/10", (place % 4) * 64)
    }
}

/// The refusal of a group that is not there.
#[must_use]
pub fn unknown_group(id: &str) -> AwsError {
    AwsError::bad_request("InvalidGroup.NotFound", format!("The security group '{id}' does not exist"))
}

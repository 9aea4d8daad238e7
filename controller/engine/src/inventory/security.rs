//! Security groups: who may speak to whom, as EC2 keeps it.
//!
//! A rule that is not understood is never dropped in silence: a group with one can still prove what is open, and not
//! what is closed.

use std::fmt;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::Tags;

/// One security group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityGroup {
    /// `sg-0abc`.
    pub id: String,
    /// Its group name; unique only in its VPC.
    pub name: String,
    /// `vpc-0abc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc: Option<String>,
    /// Tags.
    #[serde(default)]
    pub tags: Tags,
    /// Who may come in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inbound: Vec<Rule>,
    /// Who may be gone out to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outbound: Vec<Rule>,
    /// Rules, in or out, of which something was not understood. While there are any, nobody may say of this group that
    /// something is *not* open, or that *only* something is.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unread_rules: usize,
}

impl SecurityGroup {
    /// Is it meant by this id, group name or tag Name? Names are of one VPC.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.id == name || self.name == name || self.tags.name() == Some(name)
    }
}

// serde hands references.
#[expect(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// One rule: these peers, on these ports, by this protocol. (EC2's `IpPermission`.)
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// By which protocol.
    pub protocol: Protocol,
    /// On which ports.
    pub ports: Ports,
    /// With whom; each of them.
    pub peers: Vec<Peer>,
}

/// An IP protocol, in EC2's words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Protocol {
    /// `-1`: every one, on every port.
    All,
    /// `tcp`.
    Tcp,
    /// `udp`.
    Udp,
    /// `icmp`.
    Icmp,
    /// `icmpv6`.
    IcmpV6,
    /// Another one, by its number.
    Other(Box<str>),
}

impl Protocol {
    /// EC2's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::All => "-1",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::IcmpV6 => "icmpv6",
            Self::Other(number) => number,
        }
    }
}

/// Numbers by IANA's "Assigned Internet Protocol Numbers": EC2 answers words for these four, whatever it was given.
impl From<&str> for Protocol {
    fn from(word: &str) -> Self {
        match word {
            "-1" => Self::All,
            "tcp" | "6" => Self::Tcp,
            "udp" | "17" => Self::Udp,
            "icmp" | "1" => Self::Icmp,
            "icmpv6" | "58" => Self::IcmpV6,
            other => Self::Other(other.into()),
        }
    }
}

impl From<String> for Protocol {
    fn from(word: String) -> Self {
        Self::from(word.as_str())
    }
}

impl From<Protocol> for String {
    fn from(protocol: Protocol) -> Self {
        protocol.as_str().to_owned()
    }
}

/// The ports of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ports {
    /// Every one, or the protocol has none.
    All,
    /// From the first to the last, both included.
    Range {
        /// The first.
        from: u16,
        /// The last; not less than the first.
        to: u16,
    },
    /// ICMP has types and codes instead.
    Icmp {
        /// The type; `None` is every one.
        kind: Option<u8>,
        /// The code; `None` is every one.
        code: Option<u8>,
    },
}

impl Ports {
    /// Are all of these ports among them?
    #[must_use]
    pub fn cover(&self, first: u16, last: u16) -> bool {
        match self {
            Self::All => true,
            Self::Range { from, to } => *from <= first && last <= *to,
            Self::Icmp { .. } => false,
        }
    }
}

/// Whom a rule lets in, or out to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Peer {
    /// Addresses.
    Cidr(Cidr),
    /// The addresses of a prefix list, `pl-0abc`: which ones it holds is not read.
    PrefixList(String),
    /// The members of a security group, `sg-0abc`; it may be another account's.
    Group(String),
}

/// A block of addresses, IPv4 or IPv6.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cidr(IpNet);

impl Cidr {
    /// Is every address of `other` one of ours? Never between IPv4 and IPv6.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        self.0.contains(&other.0)
    }

    /// Is it IPv4?
    #[must_use]
    pub fn is_v4(&self) -> bool {
        matches!(self.0, IpNet::V4(_))
    }
}

/// `10.0.0.0/8` or `2001:db8::/32`. Bits of the address beyond the prefix are cleared, as EC2 does.
impl FromStr for Cidr {
    type Err = ipnet::AddrParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(|net: IpNet| Self(net.trunc()))
    }
}

impl TryFrom<String> for Cidr {
    type Error = ipnet::AddrParseError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Cidr> for String {
    fn from(cidr: Cidr) -> Self {
        cidr.to_string()
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

//! What kind of address an address is. Knows nothing of who may call it.
//!
//! Ranges are those of the IANA special-purpose registries (RFC 6890 and its updates). IPv6 is judged the other way
//! round: only global unicast (`2000::/3`) is public, so that a range invented tomorrow is not.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// Why an address is not one of the public internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Special {
    /// This very machine or pod.
    Loopback,
    /// This network segment.
    LinkLocal,
    /// A cloud's metadata or credentials service, which hands out the rights of the machine.
    Metadata,
    /// RFC 1918 and unique local addresses: the cluster, the VPC, the office.
    Private,
    /// Shared address space of carriers, also used inside clusters (RFC 6598).
    Shared,
    /// Many receivers.
    Multicast,
    /// `0.0.0.0/8` and `::`, which reach this very machine on Linux.
    Unspecified,
    /// Documentation, benchmarks, tunnels, ranges without a use.
    Reserved,
}

impl fmt::Display for Special {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "loopback",
            Self::LinkLocal => "link-local",
            Self::Metadata => "cloud metadata",
            Self::Private => "private",
            Self::Shared => "shared (carrier-grade NAT)",
            Self::Multicast => "multicast",
            Self::Unspecified => "unspecified",
            Self::Reserved => "reserved",
        })
    }
}

/// Instance metadata and the credentials endpoints of ECS and EKS Pod Identity (AWS documentation).
const METADATA: [IpAddr; 5] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
];

const V4: [(Ipv4Net, Special); 16] = [
    (v4([0, 0, 0, 0], 8), Special::Unspecified),
    (v4([10, 0, 0, 0], 8), Special::Private),
    (v4([100, 64, 0, 0], 10), Special::Shared),
    (v4([127, 0, 0, 0], 8), Special::Loopback),
    (v4([169, 254, 0, 0], 16), Special::LinkLocal),
    (v4([172, 16, 0, 0], 12), Special::Private),
    (v4([192, 0, 0, 0], 24), Special::Reserved),
    (v4([192, 0, 2, 0], 24), Special::Reserved),
    (v4([192, 88, 99, 0], 24), Special::Reserved),
    (v4([192, 168, 0, 0], 16), Special::Private),
    (v4([198, 18, 0, 0], 15), Special::Reserved),
    (v4([198, 51, 100, 0], 24), Special::Reserved),
    (v4([203, 0, 113, 0], 24), Special::Reserved),
    (v4([224, 0, 0, 0], 4), Special::Multicast),
    (v4([240, 0, 0, 0], 4), Special::Reserved),
    // Azure's WireServer lies in a public range; it hands out the machine's secrets.
    (v4([168, 63, 129, 16], 32), Special::Metadata),
];

const V6: [(Ipv6Net, Special); 5] = [
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), Special::Loopback),
    (Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128), Special::Unspecified),
    (v6([0xfe80, 0, 0], 10), Special::LinkLocal),
    (v6([0xfc00, 0, 0], 7), Special::Private),
    (v6([0xff00, 0, 0], 8), Special::Multicast),
];

/// The only public range of IPv6.
const V6_GLOBAL: Ipv6Net = v6([0x2000, 0, 0], 3);

/// What in it is not public: protocol assignments with Teredo, documentation, 6to4.
const V6_NOT_GLOBAL: [Ipv6Net; 4] =
    [v6([0x2001, 0, 0], 23), v6([0x2001, 0xdb8, 0], 32), v6([0x2002, 0, 0], 16), v6([0x3fff, 0, 0], 20)];

/// NAT64's well-known prefix: clusters without IPv4 reach the IPv4 internet through it (RFC 6052).
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0], 96);

const fn v4(octets: [u8; 4], prefix: u8) -> Ipv4Net {
    let [a, b, c, d] = octets;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

/// A range by the beginning of its address.
const fn v6(words: [u16; 3], prefix: u8) -> Ipv6Net {
    let [first, second, third] = words;
    Ipv6Net::new_assert(Ipv6Addr::new(first, second, third, 0, 0, 0, 0, 0), prefix)
}

/// The address that a connection to `address` really reaches: IPv4 inside IPv6 (mapped, NAT64) is unwrapped.
#[must_use]
pub fn reached(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else { return address };
    if NAT64.contains(&six) {
        let [.., a, b, c, d] = six.octets();
        return Ipv4Addr::new(a, b, c, d).into();
    }
    address.to_canonical()
}

/// Why `address` is not public, or `None` when it is.
#[must_use]
pub fn special(address: IpAddr) -> Option<Special> {
    let address = reached(address);
    if METADATA.contains(&address) {
        return Some(Special::Metadata);
    }
    match address {
        IpAddr::V4(four) => V4.iter().find(|(net, _)| net.contains(&four)).map(|(_, special)| *special),
        IpAddr::V6(six) => {
            let known = V6.iter().find(|(net, _)| net.contains(&six)).map(|(_, special)| *special);
            let public = V6_GLOBAL.contains(&six) && !V6_NOT_GLOBAL.iter().any(|net| net.contains(&six));
            known.or((!public).then_some(Special::Reserved))
        }
    }
}

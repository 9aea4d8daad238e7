//! One EC2 security group.

use aws_sdk_ec2::types::{IpPermission, SecurityGroup as Ec2Group, UserIdGroupPair};
use rollcall_engine::inventory::{Peer, Ports, Protocol, Rule, SecurityGroup};

use super::{tags, text};

/// EC2's word for every port, type or code.
const ALL: i32 = -1;

/// The group, or `None` when it has no id.
pub(crate) fn security_group(mut seen: Ec2Group) -> Option<SecurityGroup> {
    let id = text(seen.group_id())?;
    let mut unread_rules = 0;
    let mut rules = |told: &[IpPermission]| -> Vec<Rule> {
        let read = |permission: &IpPermission| {
            let (rule, is_whole) = rule(permission);
            unread_rules += usize::from(!is_whole);
            rule
        };
        told.iter().filter_map(read).collect()
    };
    let (inbound, outbound) = (rules(seen.ip_permissions()), rules(seen.ip_permissions_egress()));
    Some(SecurityGroup {
        id,
        name: seen.group_name().unwrap_or_default().to_owned(),
        vpc: text(seen.vpc_id()),
        tags: tags(seen.tags.take()),
        inbound,
        outbound,
        unread_rules,
    })
}

/// The rule, and whether all of it was understood. Without its ports nothing of it is; a peer may be missing.
fn rule(told: &IpPermission) -> (Option<Rule>, bool) {
    let protocol = told.ip_protocol().filter(|p| !p.is_empty()).map(Protocol::from);
    let Some((protocol, ports)) = protocol.and_then(|p| Some((p.clone(), ports(&p, told)?))) else {
        return (None, false);
    };
    let told_peers = peers(told);
    let peers: Vec<Peer> = told_peers.iter().flatten().cloned().collect();
    let is_whole = peers.len() == told_peers.len();
    (Some(Rule { protocol, ports, peers }), is_whole)
}

/// `FromPort` and `ToPort` are ports for TCP and UDP, type and code for ICMP, and of no account for the rest.
fn ports(protocol: &Protocol, told: &IpPermission) -> Option<Ports> {
    let of = |number: Option<i32>| number.filter(|n| *n != ALL);
    let (from, to) = (of(told.from_port()), of(told.to_port()));
    match protocol {
        Protocol::Tcp | Protocol::Udp => match (from, to) {
            (None, None) => Some(Ports::All),
            (from, to) => {
                let (from, to) = (u16::try_from(from?).ok()?, u16::try_from(to?).ok()?);
                (from <= to).then_some(Ports::Range { from, to })
            }
        },
        Protocol::Icmp | Protocol::IcmpV6 => {
            let byte = |number: Option<i32>| number.map(u8::try_from).transpose().ok();
            Some(Ports::Icmp { kind: byte(from)?, code: byte(to)? })
        }
        Protocol::All | Protocol::Other(_) => Some(Ports::All),
    }
}

/// All peers; `None` for one that cannot be read.
fn peers(told: &IpPermission) -> Vec<Option<Peer>> {
    let cidr = |block: Option<&str>| Some(Peer::Cidr(block?.parse().ok()?));
    let group = |pair: &UserIdGroupPair| text(pair.group_id()).map(Peer::Group);
    let v4 = told.ip_ranges().iter().map(|range| cidr(range.cidr_ip()));
    let v6 = told.ipv6_ranges().iter().map(|range| cidr(range.cidr_ipv6()));
    let lists = told.prefix_list_ids().iter().map(|list| text(list.prefix_list_id()).map(Peer::PrefixList));
    v4.chain(v6).chain(lists).chain(told.user_id_group_pairs().iter().map(group)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::{IpRange, Ipv6Range, PrefixListId, Tag};

    fn permission(protocol: &str, from: Option<i32>, to: Option<i32>) -> IpPermission {
        IpPermission::builder().ip_protocol(protocol).set_from_port(from).set_to_port(to).build()
    }

    fn group(inbound: Vec<IpPermission>) -> SecurityGroup {
        let seen = Ec2Group::builder().group_id("sg-1").set_ip_permissions(Some(inbound));
        security_group(seen.build()).unwrap()
    }

    #[test]
    fn every_kind_of_peer_is_kept() {
        let permission = IpPermission::builder()
            .ip_protocol("tcp")
            .from_port(443)
            .to_port(443)
            .ip_ranges(IpRange::builder().cidr_ip("10.0.0.0/8").build())
            .ipv6_ranges(Ipv6Range::builder().cidr_ipv6("::/0").build())
            .prefix_list_ids(PrefixListId::builder().prefix_list_id("pl-1").build())
            .user_id_group_pairs(UserIdGroupPair::builder().group_id("sg-2").user_id("999999999999").build())
            .build();
        let seen = Ec2Group::builder()
            .group_id("sg-1")
            .group_name("web")
            .vpc_id("vpc-1")
            .tags(Tag::builder().key("Name").value("front").build())
            .ip_permissions(permission.clone())
            .ip_permissions_egress(permission);
        let group = security_group(seen.build()).unwrap();
        assert_eq!((group.name.as_str(), group.vpc.as_deref()), ("web", Some("vpc-1")));
        assert_eq!((group.tags.name(), group.unread_rules), (Some("front"), 0));
        assert_eq!(group.inbound, group.outbound);
        let rule = &group.inbound[0];
        assert_eq!((&rule.protocol, rule.ports), (&Protocol::Tcp, Ports::Range { from: 443, to: 443 }));
        let cidr = |block: &str| Peer::Cidr(block.parse().unwrap());
        let expected =
            [cidr("10.0.0.0/8"), cidr("::/0"), Peer::PrefixList("pl-1".into()), Peer::Group("sg-2".into())];
        assert_eq!(rule.peers, expected);
        assert_eq!(security_group(Ec2Group::builder().group_name("web").build()), None);
    }

    #[test]
    fn ports_mean_what_their_protocol_makes_of_them() {
        let range = |from, to| Some(Ports::Range { from, to });
        let icmp = |kind, code| Some(Ports::Icmp { kind, code });
        for (protocol, from, to, expected) in [
            ("tcp", Some(80), Some(443), range(80, 443)),
            ("tcp", Some(0), Some(65_535), range(0, 65_535)),
            ("6", Some(22), Some(22), range(22, 22)),
            ("udp", Some(-1), Some(-1), Some(Ports::All)),
            ("tcp", None, None, Some(Ports::All)),
            ("tcp", Some(80), None, None),
            ("tcp", Some(443), Some(80), None),
            ("tcp", Some(1), Some(70_000), None),
            ("icmp", Some(-1), Some(-1), icmp(None, None)),
            ("icmp", Some(8), Some(-1), icmp(Some(8), None)),
            ("icmpv6", Some(128), Some(0), icmp(Some(128), Some(0))),
            ("icmp", Some(300), Some(0), None),
            ("-1", None, None, Some(Ports::All)),
            ("-1", Some(80), Some(80), Some(Ports::All)),
            ("47", Some(0), Some(0), Some(Ports::All)),
            ("", Some(80), Some(80), None),
        ] {
            let group = group(vec![permission(protocol, from, to)]);
            assert_eq!(group.inbound.first().map(|rule| rule.ports), expected, "{protocol} {from:?} {to:?}");
            assert_eq!(group.unread_rules, usize::from(expected.is_none()), "{protocol} {from:?} {to:?}");
        }
    }

    #[test]
    fn what_is_not_understood_is_counted_and_never_dropped_in_silence() {
        let odd = IpPermission::builder()
            .ip_protocol("tcp")
            .ip_ranges(IpRange::builder().cidr_ip("everywhere").build())
            .ip_ranges(IpRange::builder().cidr_ip("10.0.0.0/8").build())
            .user_id_group_pairs(UserIdGroupPair::builder().build())
            .build();
        let group = group(vec![odd, IpPermission::builder().build()]);
        assert_eq!((group.inbound.len(), group.unread_rules), (1, 2), "one in part, one not at all");
        assert_eq!(group.inbound[0].peers, [Peer::Cidr("10.0.0.0/8".parse().unwrap())]);
    }
}

//! Security groups and DB subnet groups: who may speak to whom, and where databases may stand.
//!
//! A rule that was not understood can prove what is open, never what is not. Which addresses a prefix list holds is not
//! read, so that it proves nothing of any address.

use std::collections::BTreeSet;

use super::{Everywhere, Verdict, the_one};
use crate::fleet::{AssertedRules, GroupWish, Opened, SubnetGroupWish};
use crate::inventory::{Peer, Ports, Protocol, Rule, SecurityGroup, SubnetGroup};
use crate::reading::FailureKind;
use crate::text::{clean, few};

/// A security group, by id, group name or tag Name.
pub(super) fn of_security_group(wish: &GroupWish, all: &Everywhere<'_, '_>, verdict: &mut Verdict) {
    let is_in_vpc = |group: &SecurityGroup| wish.vpc.is_none() || group.vpc == wish.vpc;
    let sought = all.seek(
        "security group",
        |inventory| &inventory.security_groups,
        // Each VPC has its default group, which cannot be deleted.
        false,
        |group| group.is_called(&wish.name) && (group.id == wish.name || is_in_vpc(group)),
    );
    let Some((_, group)) = the_one("security group", &wish.name, sought, verdict) else { return };
    if let Some(vpc) = &wish.vpc {
        verdict.is("VPC", vpc, group.vpc.as_deref());
    }
    verdict.tagged(&wish.tags, &group.tags);
    for (direction, rules, found) in
        [("inbound", &wish.inbound, &group.inbound), ("outbound", &wish.outbound, &group.outbound)]
    {
        if let Some(rules) = rules {
            opened(direction, rules, found, group.unread_rules > 0, verdict);
        }
    }
}

/// A DB subnet group, by name.
pub(super) fn of_subnet_group(wish: &SubnetGroupWish, all: &Everywhere<'_, '_>, verdict: &mut Verdict) {
    let is_it = |group: &SubnetGroup| group.is_called(&wish.name);
    let sought = all.seek("DB subnet group", |inventory| &inventory.subnet_groups, false, is_it);
    let Some((_, group)) = the_one("DB subnet group", &wish.name, sought, verdict) else { return };
    if let Some(vpc) = &wish.vpc {
        verdict.is("VPC", vpc, group.vpc.as_deref());
    }
    if let Some(subnets) = &wish.subnets {
        let found: BTreeSet<&str> = group.subnets.iter().map(String::as_str).collect();
        verdict.has("subnets", subnets, &found, |wanted, found| wanted == found);
    }
}

/// What one wish comes to among the rules of a direction.
enum Open {
    Yes,
    No,
    /// A prefix list, or a rule that was not understood, may open it.
    Perhaps,
}

fn opened(direction: &str, wanted: &AssertedRules, found: &[Rule], has_unread: bool, verdict: &mut Verdict) {
    for one in &wanted.opened {
        let peers: Vec<Option<&Peer>> =
            if one.peers.is_empty() { vec![None] } else { one.peers.iter().map(Some).collect() };
        for peer in peers {
            match is_open(one, peer, found) {
                Open::Yes => {}
                Open::Perhaps => doubt(verdict),
                Open::No if has_unread => doubt(verdict),
                Open::No => verdict
                    .fail(format!("{direction}: expected {} to be open, found it closed", words(one, peer))),
            }
        }
    }
    if !wanted.is_exact {
        return;
    }
    let opens = found.iter().flat_map(|rule| rule.peers.iter().map(move |peer| (rule, peer)));
    let unwanted = opens.filter(|(rule, peer)| !wanted.opened.iter().any(|one| is_wanted(one, rule, peer)));
    // A prefix list may hold no more than what is wanted; several wishes together may be what one rule opens.
    let (unclear, more): (Vec<_>, Vec<_>) = unwanted.partition(|(rule, peer)| {
        let touched =
            wanted.opened.iter().filter(|one| covers_protocol(rule, one) && touches(one, rule)).count();
        (matches!(peer, Peer::PrefixList(_)) && touched > 0) || touched > 1
    });
    let more: Vec<String> = more.into_iter().map(|(rule, peer)| rule_words(rule, peer)).collect();
    if !more.is_empty() {
        verdict.fail(format!(
            "{direction}: expected nothing else to be open, found {}",
            few(&more, more.len(), 5)
        ));
    } else if has_unread || !unclear.is_empty() {
        doubt(verdict);
    }
}

/// Does a rule open some of the ports that are wanted open?
fn touches(one: &Opened, rule: &Rule) -> bool {
    match (one.ports, rule.ports) {
        (None, _) | (_, Ports::All) => true,
        (Some((first, last)), Ports::Range { from, to }) => from <= last && first <= to,
        (Some(_), Ports::Icmp { .. }) => false,
    }
}

fn doubt(verdict: &mut Verdict) {
    verdict.doubt(
        FailureKind::NotSupported,
        "the security group has a rule or a prefix list that cannot be judged",
    );
}

fn is_open(one: &Opened, peer: Option<&Peer>, found: &[Rule]) -> Open {
    let reaches = |rule: &&Rule| covers_protocol(rule, one) && covers_ports(rule, one);
    let peers = || found.iter().filter(reaches).flat_map(|rule| &rule.peers);
    let Some(wanted) = peer else {
        return if peers().next().is_some() { Open::Yes } else { Open::No };
    };
    let holds = |found: &Peer| match (found, wanted) {
        (Peer::Cidr(found), Peer::Cidr(wanted)) => found.contains(wanted),
        (found, wanted) => found == wanted,
    };
    if peers().any(holds) {
        return Open::Yes;
    }
    // Whom a prefix list or another group holds is not read.
    let may_hold = |found: &Peer| !matches!((found, wanted), (Peer::Cidr(_), Peer::Cidr(_)));
    if peers().any(may_hold) || is_open_in_parts(one, wanted, found) { Open::Perhaps } else { Open::No }
}

/// May several rules together open what none of them opens alone?
fn is_open_in_parts(one: &Opened, wanted: &Peer, found: &[Rule]) -> bool {
    let is_near = |rule: &&Rule| covers_protocol(rule, one) && touches(one, rule);
    let overlaps = |found: &&Peer| match (found, wanted) {
        (Peer::Cidr(found), Peer::Cidr(wanted)) => found.contains(wanted) || wanted.contains(found),
        (found, wanted) => *found == wanted,
    };
    found.iter().filter(is_near).flat_map(|rule| &rule.peers).filter(overlaps).count() > 1
}

/// Protocol -1 is every protocol, on every port.
fn covers_protocol(rule: &Rule, one: &Opened) -> bool {
    rule.protocol == Protocol::All || one.protocol.as_ref() == Some(&rule.protocol)
}

fn covers_ports(rule: &Rule, one: &Opened) -> bool {
    match one.ports {
        // EC2 tells "all TCP" as the ports from 0 to 65535.
        None => matches!(rule.ports, Ports::All) || rule.ports.cover(0, u16::MAX) || is_without_ports(one),
        Some((first, last)) => rule.ports.cover(first, last),
    }
}

fn is_without_ports(one: &Opened) -> bool {
    matches!(one.protocol, Some(Protocol::Icmp | Protocol::IcmpV6 | Protocol::Other(_)))
}

/// Is all that a rule opens to a peer part of what is wanted open?
fn is_wanted(one: &Opened, rule: &Rule, peer: &Peer) -> bool {
    let protocol = one.protocol.as_ref().is_none_or(|protocol| *protocol == rule.protocol);
    let ports = match (one.ports, rule.ports) {
        (None, _) => true,
        (Some((first, last)), Ports::Range { from, to }) => first <= from && to <= last,
        (Some(_), Ports::All | Ports::Icmp { .. }) => false,
    };
    let is_peer = |wanted: &Peer| match (wanted, peer) {
        (Peer::Cidr(wanted), Peer::Cidr(found)) => wanted.contains(found),
        (wanted, found) => wanted == found,
    };
    protocol && ports && (one.peers.is_empty() || one.peers.iter().any(is_peer))
}

fn words(one: &Opened, peer: Option<&Peer>) -> String {
    let protocol = one.protocol.as_ref().map_or("all", Protocol::as_str);
    let ports = match one.ports {
        None => String::new(),
        Some((first, last)) if first == last => format!(" {first}"),
        Some((first, last)) => format!(" {first}-{last}"),
    };
    format!("{}{ports} for {}", clean(protocol), peer.map_or_else(|| "somebody".to_owned(), peer_words))
}

fn rule_words(rule: &Rule, peer: &Peer) -> String {
    let protocol = match &rule.protocol {
        Protocol::All => "all",
        other => other.as_str(),
    };
    let ports = match rule.ports {
        Ports::Range { from, to } if from == to => format!(" {from}"),
        Ports::Range { from, to } => format!(" {from}-{to}"),
        Ports::All | Ports::Icmp { .. } => String::new(),
    };
    format!("{}{ports} for {}", clean(protocol), peer_words(peer))
}

fn peer_words(peer: &Peer) -> String {
    match peer {
        Peer::Cidr(cidr) => cidr.to_string(),
        Peer::PrefixList(id) | Peer::Group(id) => clean(id).to_string(),
    }
}

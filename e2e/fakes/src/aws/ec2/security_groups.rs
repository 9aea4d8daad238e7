//! `DescribeSecurityGroups` with all rules; and as much of making groups as there must be to have rules to read.

use std::collections::BTreeMap;

use super::{
    change,
    filters::{Filterable, Matcher, Read},
    look, paging, render, tags,
};
use crate::aws::{
    error::AwsError,
    front::Asked,
    ground::{Peer, Region, Rule, SecurityGroup, Way, unknown_group},
    request::Params,
    xml::Xml,
};

pub fn describe(asked: &Asked<'_>) -> Result<String, AwsError> {
    let (ids, names) = (asked.params.list("GroupId"), asked.params.list("GroupName"));
    let as_of = asked.strike.as_of(asked.now);
    look(asked, |region| {
        let matcher = Matcher::<SecurityGroup>::of(asked.params)?;
        let paging = paging::of(asked, None, &format!("{ids:?}{names:?}{}", matcher.text()))?;
        ids.iter().try_for_each(|id| region.security_group(id, as_of).map(|_| ()))?;
        let known = |name: &&String| region.security_groups_at(as_of).any(|g| g.name == **name);
        if let Some(name) = names.iter().find(|name| !known(name)) {
            return Err(unknown_group(name));
        }
        let asked_for = |g: &&SecurityGroup| {
            (ids.is_empty() || ids.contains(&g.id))
                && (names.is_empty() || names.contains(&g.name))
                && matcher.passes(g)
        };
        let listed = region.security_groups_at(as_of).filter(asked_for);
        let page = paging.cut(listed, |g| (&g.id, &g.id), asked.strike);
        let mut xml = Xml::default();
        xml.list("securityGroupInfo", page.items, |xml, g| write(xml, region, g));
        xml.maybe("nextToken", page.next);
        Ok(xml.finish())
    })
}

fn write(xml: &mut Xml, region: &Region, g: &SecurityGroup) {
    xml.text("ownerId", &region.account).text("groupId", &g.id).text("groupName", &g.name);
    xml.text("groupDescription", &g.description).text("vpcId", &g.vpc);
    xml.list("ipPermissions", &g.inbound, |xml, r| rule(xml, region, r));
    xml.list("ipPermissionsEgress", &g.outbound, |xml, r| rule(xml, region, r));
    render::tag_set(xml, &g.tags);
}

fn rule(xml: &mut Xml, region: &Region, rule: &Rule) {
    xml.text("ipProtocol", &rule.protocol);
    if let Some((from, to)) = rule.ports {
        xml.number("fromPort", from).number("toPort", to);
    }
    peers(xml, "groups", rule, |xml, peer| {
        if let Peer::Group(id) = peer {
            xml.text("userId", &region.account).text("groupId", id);
        }
    });
    peers(xml, "ipRanges", rule, |xml, peer| {
        if let Peer::Ipv4(block) = peer {
            xml.text("cidrIp", block);
        }
    });
    peers(xml, "ipv6Ranges", rule, |xml, peer| {
        if let Peer::Ipv6(block) = peer {
            xml.text("cidrIpv6", block);
        }
    });
    peers(xml, "prefixListIds", rule, |xml, peer| {
        if let Peer::PrefixList(id) = peer {
            xml.text("prefixListId", id);
        }
    });
}

/// The peers that belong into this list.
fn peers(xml: &mut Xml, list: &str, rule: &Rule, each: impl FnMut(&mut Xml, &Peer)) {
    let here = rule.peers.iter().filter(|peer| list_of(peer) == list);
    xml.list(list, here, each);
}

fn list_of(peer: &Peer) -> &'static str {
    match peer {
        Peer::Group(_) => "groups",
        Peer::Ipv4(_) => "ipRanges",
        Peer::Ipv6(_) => "ipv6Ranges",
        Peer::PrefixList(_) => "prefixListIds",
    }
}

pub fn create(asked: &Asked<'_>) -> Result<String, AwsError> {
    let (name, description) = (asked.params.need("GroupName")?, asked.params.need("GroupDescription")?);
    let tags = tags::specified(asked.params)?;
    change(asked, |region, mint| {
        let id = region.create_security_group(mint, name, description, asked.now)?;
        region.change_tags(&id, asked.now, |own| own.extend(tags.clone()))?;
        let mut xml = Xml::default();
        xml.flag("return", true).text("groupId", id);
        Ok(xml.finish())
    })
}

pub fn authorize(asked: &Asked<'_>, way: Way) -> Result<String, AwsError> {
    change_rules(asked, |group, rule| group.open(way, rule.clone()))
}

pub fn revoke(asked: &Asked<'_>, way: Way) -> Result<String, AwsError> {
    change_rules(asked, |group, rule| group.close(way, rule))
}

fn change_rules(asked: &Asked<'_>, each: impl Fn(&mut SecurityGroup, &Rule)) -> Result<String, AwsError> {
    let id = asked.params.need("GroupId")?;
    let rules: Vec<Rule> =
        asked.params.structures("IpPermissions").iter().map(read_rule).collect::<Result<_, _>>()?;
    change(asked, |region, _| {
        region.change_security_group(id, asked.now, |group| rules.iter().for_each(|rule| each(group, rule)))
    })?;
    let mut xml = Xml::default();
    xml.flag("return", true);
    Ok(xml.finish())
}

fn read_rule(params: &Params) -> Result<Rule, AwsError> {
    let port = |name| Ok(params.number(name)?.and_then(|n| i32::try_from(n).ok()));
    let told = |list: &str, field: &str, peer: fn(String) -> Peer| -> Result<Vec<Peer>, AwsError> {
        params.structures(list).iter().map(|p| Ok(peer(p.need(field)?.to_owned()))).collect()
    };
    let peers = [
        told("IpRanges", "CidrIp", Peer::Ipv4)?,
        told("Ipv6Ranges", "CidrIpv6", Peer::Ipv6)?,
        told("Groups", "GroupId", Peer::Group)?,
        told("PrefixListIds", "PrefixListId", Peer::PrefixList)?,
    ]
    .concat();
    let ports: Result<_, AwsError> = port("FromPort").and_then(|from| Ok(from.zip(port("ToPort")?)));
    Ok(Rule { protocol: params.need("IpProtocol")?.to_owned(), ports: ports?, peers })
}

impl Filterable for SecurityGroup {
    fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }

    fn field(name: &str) -> Option<Read<Self>> {
        let read: Read<Self> = match name {
            "description" => |g| vec![g.description.clone()],
            "group-id" => |g| vec![g.id.clone()],
            "group-name" => |g| vec![g.name.clone()],
            "ip-permission.cidr" => |g| {
                let peers = g.inbound.iter().flat_map(|r| &r.peers);
                peers
                    .filter_map(|p| if let Peer::Ipv4(block) = p { Some(block.clone()) } else { None })
                    .collect()
            },
            "ip-permission.protocol" => |g| g.inbound.iter().map(|r| r.protocol.clone()).collect(),
            "vpc-id" => |g| vec![g.vpc.clone()],
            _ => return None,
        };
        Some(read)
    }
}

//! `DescribeSubnets` and `DescribeVpcs`: one VPC in a region, one subnet in a zone.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    filters::{Filterable, Matcher, Read},
    look, paging, render,
};
use crate::aws::{
    error::AwsError,
    front::Asked,
    ground::{Region, VPC_CIDR},
    xml::Xml,
};

/// A subnet as a listing tells of it.
#[derive(Clone, Debug)]
struct Subnet {
    id: String,
    zone: String,
    cidr: String,
    vpc: String,
    owner: String,
    tags: BTreeMap<String, String>,
}

/// A VPC as a listing tells of it.
#[derive(Clone, Debug)]
struct Vpc {
    id: String,
    owner: String,
    tags: BTreeMap<String, String>,
}

pub fn describe_subnets(asked: &Asked<'_>) -> Result<String, AwsError> {
    let ids = asked.params.list("SubnetId");
    let as_of = asked.strike.as_of(asked.now);
    look(asked, |region| {
        let matcher = Matcher::<Subnet>::of(asked.params)?;
        let paging = paging::of(asked, None, &format!("{ids:?}{}", matcher.text()))?;
        ids.iter().try_for_each(|id| region.tags(id, as_of).map(|_| ()))?;
        let all: Vec<Subnet> = subnets(region, as_of).collect();
        let asked_for = |s: &&Subnet| (ids.is_empty() || ids.contains(&s.id)) && matcher.passes(s);
        let page = paging.cut(all.iter().filter(asked_for), |s| (&s.id, &s.id), asked.strike);
        let mut xml = Xml::default();
        xml.list("subnetSet", page.items, write_subnet).maybe("nextToken", page.next);
        Ok(xml.finish())
    })
}

pub fn describe_vpcs(asked: &Asked<'_>) -> Result<String, AwsError> {
    let ids = asked.params.list("VpcId");
    let as_of = asked.strike.as_of(asked.now);
    look(asked, |region| {
        let matcher = Matcher::<Vpc>::of(asked.params)?;
        let paging = paging::of(asked, None, &format!("{ids:?}{}", matcher.text()))?;
        ids.iter().try_for_each(|id| region.tags(id, as_of).map(|_| ()))?;
        let tags = region.tags(&region.vpc, as_of)?.clone();
        let only = [Vpc { id: region.vpc.clone(), owner: region.account.clone(), tags }];
        let asked_for = |v: &&Vpc| (ids.is_empty() || ids.contains(&v.id)) && matcher.passes(v);
        let page = paging.cut(only.iter().filter(asked_for), |v| (&v.id, &v.id), asked.strike);
        let mut xml = Xml::default();
        xml.list("vpcSet", page.items, write_vpc).maybe("nextToken", page.next);
        Ok(xml.finish())
    })
}

fn subnets(region: &Region, at: Timestamp) -> impl Iterator<Item = Subnet> {
    region.subnets.iter().map(move |(zone, id)| Subnet {
        id: id.clone(),
        zone: zone.clone(),
        cidr: region.subnet_cidr(zone),
        vpc: region.vpc.clone(),
        owner: region.account.clone(),
        tags: region.tags(id, at).cloned().unwrap_or_default(),
    })
}

fn write_subnet(xml: &mut Xml, s: &Subnet) {
    xml.text("subnetId", &s.id).text("state", "available").text("vpcId", &s.vpc).text("ownerId", &s.owner);
    xml.text("cidrBlock", &s.cidr).text("availabilityZone", &s.zone).flag("defaultForAz", true);
    xml.flag("mapPublicIpOnLaunch", false);
    render::tag_set(xml, &s.tags);
}

fn write_vpc(xml: &mut Xml, v: &Vpc) {
    xml.text("vpcId", &v.id).text("ownerId", &v.owner).text("state", "available");
    xml.text("cidrBlock", VPC_CIDR).text("instanceTenancy", "default").flag("isDefault", true);
    render::tag_set(xml, &v.tags);
}

impl Filterable for Subnet {
    fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }

    fn field(name: &str) -> Option<Read<Self>> {
        let read: Read<Self> = match name {
            "availability-zone" => |s| vec![s.zone.clone()],
            "cidr-block" => |s| vec![s.cidr.clone()],
            "owner-id" => |s| vec![s.owner.clone()],
            "subnet-id" => |s| vec![s.id.clone()],
            "vpc-id" => |s| vec![s.vpc.clone()],
            _ => return None,
        };
        Some(read)
    }
}

impl Filterable for Vpc {
    fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }

    fn field(name: &str) -> Option<Read<Self>> {
        let read: Read<Self> = match name {
            "cidr" => |_| vec![VPC_CIDR.to_owned()],
            "is-default" => |_| vec!["true".to_owned()],
            "owner-id" => |v| vec![v.owner.clone()],
            "vpc-id" => |v| vec![v.id.clone()],
            _ => return None,
        };
        Some(read)
    }
}

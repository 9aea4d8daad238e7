//! What a required check asserts about AWS, with the parameters of one environment filled in: parsed once into wishes
//! that can be compared with what is listed.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::Regex;
use rollcall_crds::v1alpha1 as api;
use serde_json::Value;

use super::problem::Fault;
use super::template::{MissingParameter, Template};
use crate::inventory::{Cidr, Peer, Protocol};

/// A check's assertion as it was written: every text in it is a template.
#[derive(Clone, Debug)]
pub(crate) struct Assertion(Value);

/// What must be true, for one environment.
#[derive(Debug)]
pub(crate) enum Wish {
    /// Of each instance.
    Instance(InstanceWish),
    /// Of each database.
    Database(DatabaseWish),
    /// Of an Elastic IP.
    Address(String, Attached),
    /// Of a volume.
    Volume(String, Attached),
    /// Of a security group.
    SecurityGroup(Box<GroupWish>),
    /// Of a DB cluster.
    Cluster(Box<ClusterWish>),
    /// Of a DB subnet group.
    SubnetGroup(SubnetGroupWish),
}

impl Wish {
    /// The role of the host that something must hang on.
    pub(crate) fn role(&self) -> Option<&str> {
        match self {
            Self::Address(_, Attached::Role(role)) | Self::Volume(_, Attached::Role(role)) => Some(role),
            _ => None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct InstanceWish {
    pub(crate) types: Vec<Pattern>,
    pub(crate) groups: Option<Names>,
    pub(crate) profile: Option<String>,
    pub(crate) subnets: Vec<String>,
    pub(crate) vpc: Option<String>,
    pub(crate) tags: Tags,
    pub(crate) is_protected: Option<bool>,
}

#[derive(Debug)]
pub(crate) struct DatabaseWish {
    pub(crate) classes: Vec<Pattern>,
    pub(crate) parameter_group: Option<String>,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) option_group: Option<String>,
    pub(crate) subnet_group: Option<String>,
    pub(crate) groups: Option<Names>,
    pub(crate) vpc: Option<String>,
    pub(crate) tags: Tags,
}

#[derive(Debug)]
pub(crate) struct GroupWish {
    pub(crate) name: String,
    pub(crate) vpc: Option<String>,
    pub(crate) inbound: Option<Rules>,
    pub(crate) outbound: Option<Rules>,
    pub(crate) tags: Tags,
}

#[derive(Debug)]
pub(crate) struct ClusterWish {
    pub(crate) name: String,
    pub(crate) members: Option<Names>,
    pub(crate) writer: Option<String>,
    pub(crate) parameter_group: Option<String>,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) groups: Option<Names>,
    pub(crate) tags: Tags,
}

#[derive(Debug)]
pub(crate) struct SubnetGroupWish {
    pub(crate) name: String,
    pub(crate) vpc: Option<String>,
    pub(crate) subnets: Option<Names>,
}

/// The host that something must hang on.
#[derive(Debug)]
pub(crate) enum Attached {
    /// One that plays this role.
    Role(String),
    /// The one of this id or name.
    Host(String),
}

/// Tags by key: the value, or none for any.
pub(crate) type Tags = BTreeMap<String, Option<String>>;

/// Names that must be there, and whether others may be.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) names: Vec<String>,
    pub(crate) is_exact: bool,
}

/// What must be open, and whether anything else may be.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) opened: Vec<Opened>,
    pub(crate) is_exact: bool,
}

/// Ports that are open to somebody.
#[derive(Debug)]
pub(crate) struct Opened {
    /// None: every one.
    pub(crate) protocol: Option<Protocol>,
    /// First and last; none: every one.
    pub(crate) ports: Option<(u16, u16)>,
    /// Each of them; empty: anybody at all.
    pub(crate) peers: Vec<Peer>,
}

/// A text in which `*` stands for any.
#[derive(Debug)]
pub(crate) struct Pattern {
    text: String,
    /// None: just the text.
    pattern: Option<Regex>,
}

impl Assertion {
    /// Reads the templates in it.
    ///
    /// # Errors
    /// The field whose text is no template.
    pub(crate) fn parse(spec: &api::Assertion) -> Result<Self, Fault> {
        let value = serde_json::to_value(spec).unwrap_or(Value::Null);
        templates(&value, "spec.assertion")?;
        Ok(Self(value))
    }

    /// Is it about each host, not about the environment?
    pub(crate) fn is_about_hosts(&self) -> bool {
        self.is_about_instances() || self.0.get("rds").is_some()
    }

    /// Is it about each instance of EC2?
    pub(crate) fn is_about_instances(&self) -> bool {
        self.0.get("ec2").is_some()
    }

    /// What it is about, as people call it.
    pub(crate) fn what(&self) -> &'static str {
        const KINDS: [(&str, &str); 7] = [
            ("ec2", "instance"),
            ("rds", "database"),
            ("address", "Elastic IP"),
            ("volume", "volume"),
            ("securityGroup", "security group"),
            ("cluster", "DB cluster"),
            ("subnetGroup", "DB subnet group"),
        ];
        KINDS.iter().find(|(key, _)| self.0.get(key).is_some()).map_or("", |(_, name)| name)
    }

    /// With these parameters.
    ///
    /// # Errors
    /// A parameter that is not set; or, within, what is wrong with a text once it is filled.
    pub(crate) fn fill(
        &self,
        parameters: &BTreeMap<Arc<str>, Arc<str>>,
    ) -> Result<Result<Wish, String>, MissingParameter> {
        let mut value = self.0.clone();
        fill(&mut value, parameters)?;
        Ok(serde_json::from_value::<api::Assertion>(value)
            .map_err(|error| error.to_string())
            .and_then(|assertion| wish(&assertion)))
    }
}

fn templates(value: &Value, field: &str) -> Result<(), Fault> {
    match value {
        Value::String(text) => Template::parse(text, field).map(drop),
        Value::Array(list) => {
            list.iter().enumerate().try_for_each(|(index, one)| templates(one, &format!("{field}[{index}]")))
        }
        Value::Object(map) => map.iter().try_for_each(|(key, one)| templates(one, &format!("{field}.{key}"))),
        _ => Ok(()),
    }
}

fn fill(value: &mut Value, parameters: &BTreeMap<Arc<str>, Arc<str>>) -> Result<(), MissingParameter> {
    match value {
        Value::String(text) => {
            // Every text was read as a template before.
            if let Ok(template) = Template::parse(text, "") {
                *text = template.fill(parameters)?;
            }
            Ok(())
        }
        Value::Array(list) => list.iter_mut().try_for_each(|one| fill(one, parameters)),
        Value::Object(map) => map.values_mut().try_for_each(|one| fill(one, parameters)),
        _ => Ok(()),
    }
}

fn wish(spec: &api::Assertion) -> Result<Wish, String> {
    let api::Assertion { ec2, rds, address, volume, security_group, cluster, subnet_group } = spec.clone();
    let mut wishes: Vec<Wish> = Vec::new();
    wishes.extend(ec2.map(instance));
    wishes.extend(rds.map(database));
    if let Some(address) = address {
        wishes.push(Wish::Address(address.name, attached(address.attached_to)?));
    }
    if let Some(volume) = volume {
        wishes.push(Wish::Volume(volume.name, attached(volume.attached_to)?));
    }
    if let Some(group) = security_group {
        wishes.push(Wish::SecurityGroup(Box::new(GroupWish {
            name: group.name,
            vpc: group.vpc,
            inbound: group.inbound.as_ref().map(rules).transpose()?,
            outbound: group.outbound.as_ref().map(rules).transpose()?,
            tags: tags(group.tags),
        })));
    }
    wishes.extend(cluster.map(|cluster| {
        Wish::Cluster(Box::new(ClusterWish {
            name: cluster.name,
            members: cluster.members.map(names),
            writer: cluster.writer,
            parameter_group: cluster.parameter_group,
            parameters: values(cluster.parameters),
            groups: cluster.security_groups.map(names),
            tags: tags(cluster.tags),
        }))
    }));
    wishes.extend(subnet_group.map(|group| {
        Wish::SubnetGroup(SubnetGroupWish {
            name: group.name,
            vpc: group.vpc,
            subnets: group.subnets.map(names),
        })
    }));
    match (wishes.pop(), wishes.is_empty()) {
        (Some(wish), true) => Ok(wish),
        _ => Err("expected exactly one of ec2, rds, address, volume, securityGroup, cluster, subnetGroup"
            .to_owned()),
    }
}

fn instance(spec: api::InstanceAssertion) -> Wish {
    Wish::Instance(InstanceWish {
        types: patterns(spec.types),
        groups: spec.security_groups.map(names),
        profile: spec.profile,
        subnets: spec.subnets.unwrap_or_default(),
        vpc: spec.vpc,
        tags: tags(spec.tags),
        is_protected: spec.termination_protection.map(|wanted| wanted == api::Switch::Enabled),
    })
}

fn database(spec: api::DatabaseAssertion) -> Wish {
    Wish::Database(DatabaseWish {
        classes: patterns(spec.classes),
        parameter_group: spec.parameter_group,
        parameters: values(spec.parameters),
        option_group: spec.option_group,
        subnet_group: spec.subnet_group,
        groups: spec.security_groups.map(names),
        vpc: spec.vpc,
        tags: tags(spec.tags),
    })
}

fn attached(spec: api::AttachedTo) -> Result<Attached, String> {
    match (spec.role, spec.host) {
        (Some(role), None) => Ok(Attached::Role(role)),
        (None, Some(host)) => Ok(Attached::Host(host)),
        _ => Err("attachedTo: expected one of role and host".to_owned()),
    }
}

fn names(spec: api::NamesAssertion) -> Names {
    Names { names: spec.names, is_exact: spec.matching == api::Matching::Exactly }
}

fn values(spec: Option<BTreeMap<String, api::AssertedValue>>) -> BTreeMap<String, String> {
    spec.into_iter().flatten().map(|(key, value)| (key, value.0)).collect()
}

fn tags(spec: Option<BTreeMap<String, api::AssertedValue>>) -> Tags {
    spec.into_iter().flatten().map(|(key, value)| (key, Some(value.0).filter(|value| value != "*"))).collect()
}

fn rules(spec: &api::RulesAssertion) -> Result<Rules, String> {
    let opened = spec.opened.iter().map(opened).collect::<Result<_, _>>()?;
    Ok(Rules { opened, is_exact: spec.matching == api::Matching::Exactly })
}

fn opened(spec: &api::Opened) -> Result<Opened, String> {
    let port = |number: i32| u16::try_from(number).map_err(|_| format!("expected a port, found {number}"));
    let first = spec.port.map(port).transpose()?;
    let last = spec.end_port.map(port).transpose()?;
    Ok(Opened {
        protocol: (spec.protocol != "all").then(|| Protocol::from(spec.protocol.as_str())),
        ports: first.map(|first| (first, last.unwrap_or(first))),
        peers: spec.peers.iter().flatten().map(|text| peer(text)).collect::<Result<_, _>>()?,
    })
}

fn peer(text: &str) -> Result<Peer, String> {
    if text.starts_with("sg-") {
        return Ok(Peer::Group(text.to_owned()));
    }
    if text.starts_with("pl-") {
        return Ok(Peer::PrefixList(text.to_owned()));
    }
    text.parse::<Cidr>().map(Peer::Cidr).map_err(|_| {
        let text = crate::text::clean(text);
        format!("expected a block of addresses such as 10.0.0.0/8, or sg-… or pl-…, found {text:?}")
    })
}

fn patterns(spec: Option<Vec<String>>) -> Vec<Pattern> {
    spec.into_iter().flatten().map(Pattern::new).collect()
}

impl Pattern {
    fn new(text: String) -> Self {
        let parts: Vec<String> = text.split('*').map(regex::escape).collect();
        let pattern =
            (parts.len() > 1).then(|| Regex::new(&format!("^{}$", parts.join(".*")))).and_then(Result::ok);
        Self { text, pattern }
    }

    /// Is it this text?
    pub(crate) fn is(&self, text: &str) -> bool {
        self.pattern.as_ref().map_or(self.text == text, |pattern| pattern.is_match(text))
    }

    /// As it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

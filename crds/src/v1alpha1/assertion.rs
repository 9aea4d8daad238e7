//! What a `RequiredCheck` may assert about AWS itself: how a host, or something that belongs to an environment, is built.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::NAME;

/// What must be true of a host, or of something of the environment. Everything that is named must be true.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.ec2), has(self.rds), has(self.address), has(self.volume), has(self.securityGroup), has(self.cluster), has(self.subnetGroup)].exists_one(x, x)")
    .message("assertion: name exactly one of ec2, rds, address, volume, securityGroup, cluster, subnetGroup"))]
pub struct Assertion {
    /// Of each EC2 instance that the check applies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ec2: Option<InstanceAssertion>,
    /// Of each DB instance that the check applies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rds: Option<DatabaseAssertion>,
    /// Of an Elastic IP of the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<AddressAssertion>,
    /// Of an EBS volume of the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<VolumeAssertion>,
    /// Of a security group of the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_group: Option<SecurityGroupAssertion>,
    /// Of a DB cluster of the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterAssertion>,
    /// Of a DB subnet group of the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet_group: Option<SubnetGroupAssertion>,
}

/// What must be true of an EC2 instance. Every text may hold `${env.NAME}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.types) || has(self.securityGroups) || has(self.profile) || has(self.subnets) || has(self.vpc) || has(self.tags) || has(self.terminationProtection)")
    .message("assertion.ec2: name at least one thing that must be true"))]
pub struct InstanceAssertion {
    /// Instance types it may have, such as `m7g.large`; `*` stands for any text, as in `m7g.*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20), inner(length(min = 1, max = 64)), extend("x-kubernetes-list-type" = "set"))]
    pub types: Option<Vec<String>>,
    /// Security groups of its primary network interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_groups: Option<NamesAssertion>,
    /// Name of its instance profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub profile: Option<String>,
    /// Ids of subnets, one of which it must be in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20), inner(length(min = 1, max = 64)), extend("x-kubernetes-list-type" = "set"))]
    pub subnets: Option<Vec<String>>,
    /// Id of its VPC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub vpc: Option<String>,
    /// Tags it must have: the value, or `*` for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minProperties" = 1, "maxProperties" = 20))]
    pub tags: Option<BTreeMap<String, AssertedValue>>,
    /// Whether it must be protected from termination. Asked of AWS instance by instance, once a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub termination_protection: Option<Switch>,
}

/// What must be true of a DB instance. Every text may hold `${env.NAME}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.classes) || has(self.parameterGroup) || has(self.parameters) || has(self.optionGroup) || has(self.subnetGroup) || has(self.securityGroups) || has(self.vpc) || has(self.tags)")
    .message("assertion.rds: name at least one thing that must be true"))]
pub struct DatabaseAssertion {
    /// Classes it may have, such as `db.r7g.large`; `*` stands for any text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20), inner(length(min = 1, max = 64)), extend("x-kubernetes-list-type" = "set"))]
    pub classes: Option<Vec<String>>,
    /// Name of its parameter group, which must be in effect: one that waits for a restart is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub parameter_group: Option<String>,
    /// Values of parameters in its parameter groups, as RDS keeps them (text): `{slow_query_log: "1"}`. A change that
    /// waits for a restart is not in effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minProperties" = 1, "maxProperties" = 50))]
    pub parameters: Option<BTreeMap<String, AssertedValue>>,
    /// Name of its option group, which must be in effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub option_group: Option<String>,
    /// Name of its DB subnet group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub subnet_group: Option<String>,
    /// Its security groups, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_groups: Option<NamesAssertion>,
    /// Id of its VPC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub vpc: Option<String>,
    /// Tags it must have: the value, or `*` for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minProperties" = 1, "maxProperties" = 20))]
    pub tags: Option<BTreeMap<String, AssertedValue>>,
}

/// What must be true of an Elastic IP.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct AddressAssertion {
    /// Which one: its allocation id, its address, or its tag Name. May hold `${env.NAME}`.
    #[schemars(length(min = 1, max = 256))]
    pub name: String,
    /// What it must be attached to.
    pub attached_to: AttachedTo,
}

/// What must be true of an EBS volume.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct VolumeAssertion {
    /// Which one: its id or its tag Name. May hold `${env.NAME}`.
    #[schemars(length(min = 1, max = 256))]
    pub name: String,
    /// What every one of its attachments must be to.
    pub attached_to: AttachedTo,
}

/// A host that something hangs on: by the role it plays, or by its name or id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.role) != has(self.host)").message("attachedTo: name a role or a host"))]
pub struct AttachedTo {
    /// A role that the instance must play.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = NAME))]
    pub role: Option<String>,
    /// Id or tag Name of the instance. May hold `${env.NAME}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub host: Option<String>,
}

/// What must be true of a security group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.inbound) || has(self.outbound) || has(self.tags) || has(self.vpc)").message("assertion.securityGroup: name at least one thing that must be true"))]
pub struct SecurityGroupAssertion {
    /// Which one: its id, its group name, or its tag Name. May hold `${env.NAME}`.
    #[schemars(length(min = 1, max = 256))]
    pub name: String,
    /// Id of its VPC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub vpc: Option<String>,
    /// What may come in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbound: Option<RulesAssertion>,
    /// What may go out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbound: Option<RulesAssertion>,
    /// Tags it must have: the value, or `*` for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minProperties" = 1, "maxProperties" = 20))]
    pub tags: Option<BTreeMap<String, AssertedValue>>,
}

/// What must be open, and whether anything else may be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RulesAssertion {
    /// `AtLeast`: these must be open. `Exactly`: these, and nothing else. Default `AtLeast`.
    #[serde(default)]
    pub matching: Matching,
    /// What must be open.
    #[schemars(length(max = 50), extend("x-kubernetes-list-type" = "atomic"))]
    pub opened: Vec<Opened>,
}

/// Ports that are open to somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.endPort) || (has(self.port) && self.endPort >= self.port)").message("opened: endPort is the last port of a range that begins at port").field_path(".endPort"))]
pub struct Opened {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, or `all`. Default `tcp`.
    #[serde(default = "tcp", skip_serializing_if = "is_tcp")]
    #[schemars(length(min = 1, max = 8), regex(pattern = "^(tcp|udp|icmp|icmpv6|all)$"))]
    pub protocol: String,
    /// The port, or the first of a range. Without it, all ports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 65535))]
    pub port: Option<i32>,
    /// The last port of the range. Default: the one port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 65535))]
    pub end_port: Option<i32>,
    /// To whom, each of them: blocks of IPv4 or IPv6 addresses (a wider block that is open will do), ids of security
    /// groups `sg-…` or of prefix lists `pl-…`. May hold `${env.NAME}`. Without it, to anybody at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 50), inner(length(min = 1, max = 64)), extend("x-kubernetes-list-type" = "set"))]
    pub peers: Option<Vec<String>>,
}

fn tcp() -> String {
    "tcp".to_owned()
}

fn is_tcp(protocol: &str) -> bool {
    protocol == "tcp"
}

/// What must be true of a DB cluster. Every text may hold `${env.NAME}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.members) || has(self.writer) || has(self.parameterGroup) || has(self.parameters) || has(self.securityGroups) || has(self.tags)")
    .message("assertion.cluster: name at least one thing that must be true"))]
pub struct ClusterAssertion {
    /// Its identifier.
    #[schemars(length(min = 1, max = 256))]
    pub name: String,
    /// Identifiers of its members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<NamesAssertion>,
    /// Identifier of the member that takes writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub writer: Option<String>,
    /// Name of its cluster parameter group, which must be in effect on every member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub parameter_group: Option<String>,
    /// Values of parameters in its cluster parameter group, as RDS keeps them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minProperties" = 1, "maxProperties" = 50))]
    pub parameters: Option<BTreeMap<String, AssertedValue>>,
    /// Its security groups, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_groups: Option<NamesAssertion>,
    /// Tags it must have: the value, or `*` for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minProperties" = 1, "maxProperties" = 20))]
    pub tags: Option<BTreeMap<String, AssertedValue>>,
}

/// What must be true of a DB subnet group. Every text may hold `${env.NAME}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.vpc) || has(self.subnets)").message("assertion.subnetGroup: name at least one thing that must be true"))]
pub struct SubnetGroupAssertion {
    /// Its name.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// Id of its VPC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub vpc: Option<String>,
    /// Ids of its subnets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnets: Option<NamesAssertion>,
}

/// A set of names or ids that something must have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamesAssertion {
    /// `AtLeast`: all of these, and perhaps others. `Exactly`: just these. Default `AtLeast`.
    #[serde(default)]
    pub matching: Matching,
    /// The names or ids. May hold `${env.NAME}`.
    #[schemars(length(min = 1, max = 50), inner(length(min = 1, max = 256)), extend("x-kubernetes-list-type" = "set"))]
    pub names: Vec<String>,
}

/// Whether others may be there too.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Matching {
    /// All of these, and perhaps others.
    #[default]
    AtLeast,
    /// Just these.
    Exactly,
}

/// Something that is on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Switch {
    /// On.
    Enabled,
    /// Off.
    Disabled,
}

/// A value that is compared as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct AssertedValue(#[schemars(length(max = 1024))] pub String);

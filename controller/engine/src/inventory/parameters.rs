//! Parameter groups of databases and of clusters: what somebody set, and what RDS says of the rest.
//!
//! A group has hundreds of parameters, and RDS lists those that are asked for by name in one call. So a group is known
//! whole only when it had to be: what a shorter listing does not hold is not known, which must never read as "not set".

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

/// Whose parameters a group holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParameterGroupKind {
    /// A DB instance's (`DBParameterGroup`).
    Instance,
    /// A DB cluster's (`DBClusterParameterGroup`).
    Cluster,
}

/// A parameter group in one place. The two kinds do not share names. As text `instance/shop` or `cluster/shop`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ParameterGroupName {
    /// Whose parameters it holds.
    pub kind: ParameterGroupKind,
    /// `shop-mysql8`. RDS keeps it in lower case.
    pub name: String,
}

/// The parts of the text form.
const KINDS: [(ParameterGroupKind, &str); 2] =
    [(ParameterGroupKind::Instance, "instance"), (ParameterGroupKind::Cluster, "cluster")];

impl ParameterGroupName {
    /// A DB instance's group.
    #[must_use]
    pub fn of_instance(name: impl Into<String>) -> Self {
        Self { kind: ParameterGroupKind::Instance, name: name.into() }
    }

    /// A DB cluster's group.
    #[must_use]
    pub fn of_cluster(name: impl Into<String>) -> Self {
        Self { kind: ParameterGroupKind::Cluster, name: name.into() }
    }
}

impl fmt::Display for ParameterGroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = KINDS.iter().find(|(kind, _)| *kind == self.kind).map_or("", |(_, word)| word);
        write!(f, "{word}/{}", self.name)
    }
}

impl From<ParameterGroupName> for String {
    fn from(group: ParameterGroupName) -> Self {
        group.to_string()
    }
}

impl TryFrom<String> for ParameterGroupName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts = text.split_once('/').filter(|(_, name)| !name.is_empty());
        let known = parts.and_then(|(word, name)| {
            let (kind, _) = KINDS.iter().find(|(_, known)| *known == word)?;
            Some(Self { kind: *kind, name: name.to_owned() })
        });
        known.ok_or_else(|| format!("{text:?} is not instance/NAME or cluster/NAME"))
    }
}

/// What is known of one parameter group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParameterGroup {
    /// How much of it a complete reading holds.
    pub scope: ParameterScope,
    /// Its parameters by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, ParameterValue>,
}

/// How much of a group was listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParameterScope {
    /// Parameters that were asked for by name, and nothing of the rest.
    #[default]
    Named,
    /// Every parameter that the group's family has.
    Whole,
    /// RDS says that there is no such group.
    NoSuchGroup,
}

/// What a complete reading of a group says of one parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterAnswer<'a> {
    /// This.
    Value(&'a ParameterValue),
    /// The group's family has no such parameter.
    NoSuchParameter,
    /// There is no such group.
    NoSuchGroup,
    /// Nothing: it was not listed.
    NotRead,
}

impl ParameterGroup {
    /// What it says of a parameter, once its reading is complete.
    #[must_use]
    pub fn answer(&self, parameter: &str) -> ParameterAnswer<'_> {
        match (self.values.get(parameter), self.scope) {
            (Some(value), _) => ParameterAnswer::Value(value),
            (None, ParameterScope::Named) => ParameterAnswer::NotRead,
            (None, ParameterScope::Whole) => ParameterAnswer::NoSuchParameter,
            (None, ParameterScope::NoSuchGroup) => ParameterAnswer::NoSuchGroup,
        }
    }

    /// Does it answer for all of these?
    #[must_use]
    pub fn answers(&self, parameters: &BTreeSet<String>) -> bool {
        parameters.iter().all(|parameter| self.answer(parameter) != ParameterAnswer::NotRead)
    }
}

/// One parameter of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParameterValue {
    /// Its value as RDS keeps it: text, also where it is a number or a formula. `None`: the engine's own default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Box<str>>,
    /// Who set it.
    pub source: ParameterSource,
    /// When a change of it takes effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apply_method: Option<ApplyMethod>,
    /// Whether a change of it can take effect without a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apply_type: Option<ApplyType>,
}

/// Who set a parameter (`Parameter.Source`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParameterSource {
    /// Somebody, in this group.
    User,
    /// RDS.
    System,
    /// Nobody: it is the engine's default.
    EngineDefault,
    /// A word this version does not know.
    #[serde(other)]
    Unknown,
}

/// When a change takes effect (`Parameter.ApplyMethod`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApplyMethod {
    /// At once.
    Immediate,
    /// With the next restart.
    PendingReboot,
}

/// Whether a change needs a restart (`Parameter.ApplyType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApplyType {
    /// It always does.
    Static,
    /// It does not.
    Dynamic,
}

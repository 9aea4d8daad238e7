//! DB subnet groups: where RDS may put a database.

use serde::{Deserialize, Serialize};

/// One DB subnet group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubnetGroup {
    /// `DBSubnetGroupName`. RDS keeps it in lower case.
    pub name: String,
    /// `vpc-0abc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc: Option<String>,
    /// `Complete`; AWS's word, no list of which is published.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub status: String,
    /// Ids of its subnets, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subnets: Vec<String>,
}

impl SubnetGroup {
    /// Is it meant by this name?
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

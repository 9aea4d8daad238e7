//! Option groups and subnet groups: what an instance is in, beside its parameters.

use jiff::Timestamp;

use super::Databases;
use crate::aws::{error::AwsError, history::History};

/// An option group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionGroup {
    /// Its name, `default:mysql-8-0`.
    pub name: String,
    /// For people.
    pub description: String,
    /// The engine it is for.
    pub engine: String,
    /// The major version it is for, `8.0`.
    pub major_version: String,
    /// Names of its options.
    pub options: Vec<String>,
}

/// A subnet group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubnetGroup {
    /// Its name, in lower case.
    pub name: String,
    /// For people.
    pub description: String,
    /// `vpc-…`.
    pub vpc: String,
    /// Zone and id of each subnet.
    pub subnets: Vec<(String, String)>,
}

impl Databases {
    /// Makes an option group.
    ///
    /// # Errors
    /// `OptionGroupAlreadyExistsFault`.
    pub fn create_option_group(&mut self, group: OptionGroup, at: Timestamp) -> Result<(), AwsError> {
        if self.option_groups.get(&group.name).is_some_and(|h| h.at(at).is_some()) {
            let message = format!("An option group named {} already exists.", group.name);
            return Err(AwsError::bad_request("OptionGroupAlreadyExistsFault", message));
        }
        self.option_groups.insert(group.name.clone(), History::born(at, group));
        Ok(())
    }

    /// Makes a subnet group.
    ///
    /// # Errors
    /// `DBSubnetGroupAlreadyExists`.
    pub fn create_subnet_group(&mut self, group: SubnetGroup, at: Timestamp) -> Result<(), AwsError> {
        if self.subnet_groups.get(&group.name).is_some_and(|h| h.at(at).is_some()) {
            let message = format!("The DB subnet group '{}' already exists.", group.name);
            return Err(AwsError::bad_request("DBSubnetGroupAlreadyExists", message));
        }
        self.subnet_groups.insert(group.name.clone(), History::born(at, group));
        Ok(())
    }

    /// The option group of this name at this time.
    ///
    /// # Errors
    /// `OptionGroupNotFoundFault`.
    pub fn option_group(&self, name: &str, at: Timestamp) -> Result<&OptionGroup, AwsError> {
        let unknown = || {
            let message = format!("Specified OptionGroupName: {name} not found.");
            AwsError::not_found("OptionGroupNotFoundFault", message)
        };
        self.option_groups.get(name).and_then(|h| h.at(at)).ok_or_else(unknown)
    }

    /// The subnet group of this name at this time.
    ///
    /// # Errors
    /// `DBSubnetGroupNotFoundFault`.
    pub fn subnet_group(&self, name: &str, at: Timestamp) -> Result<&SubnetGroup, AwsError> {
        let unknown = || {
            AwsError::not_found(
                "DBSubnetGroupNotFoundFault",
                format!("DB subnet group '{name}' does not exist."),
            )
        };
        self.subnet_groups.get(name).and_then(|h| h.at(at)).ok_or_else(unknown)
    }
}

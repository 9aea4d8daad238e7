//! Parameter groups of instances and of clusters, and what a change of one does to those that are in it.
//!
//! Each family has a handful of well-known parameters with the engine's own defaults, not the hundreds that AWS
//! lists: a group's own settings may name any other.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{ApplyStatus, Databases};
use crate::{
    aws::{error::AwsError, history::History},
    clock::later,
};

/// How long a change that needs no restart is being applied.
pub const APPLYING: SignedDuration = SignedDuration::from_secs(30);

/// Whose parameters a group holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// An instance's.
    Instance,
    /// A cluster's.
    Cluster,
}

/// When a new value comes into force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplyMethod {
    /// At once; only for parameters that can.
    Immediate,
    /// With the next restart.
    PendingReboot,
}

/// Who gave a parameter its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The group's owner.
    User,
    /// RDS.
    System,
    /// The engine.
    EngineDefault,
}

impl Source {
    /// AWS's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Source::User => "user",
            Source::System => "system",
            Source::EngineDefault => "engine-default",
        }
    }
}

/// One parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its value; none when the engine decides.
    pub value: Option<String>,
    /// Who gave it.
    pub source: Source,
    /// Whether a change needs a restart: `static`, else `dynamic`.
    pub needs_restart: bool,
    /// `integer`, `boolean`, `string`, `float`.
    pub data_type: &'static str,
    /// When its value comes into force.
    pub method: ApplyMethod,
}

/// A parameter group at one moment.
#[derive(Clone, Debug)]
pub struct ParameterGroup {
    /// Its name, in lower case.
    pub name: String,
    /// `mysql8.0`.
    pub family: String,
    /// For people.
    pub description: String,
    /// All parameters by name.
    pub parameters: BTreeMap<String, Parameter>,
}

/// Name, default, type, and whether a change needs a restart.
type Known = (&'static str, Option<&'static str>, &'static str, bool);

const MYSQL: [Known; 12] = [
    ("character_set_server", None, "string", false),
    ("general_log", Some("0"), "boolean", false),
    ("innodb_buffer_pool_size", Some("{DBInstanceClassMemory*3/4}"), "integer", true),
    ("innodb_flush_log_at_trx_commit", Some("1"), "integer", false),
    ("long_query_time", Some("10"), "float", false),
    ("lower_case_table_names", Some("0"), "integer", true),
    ("max_allowed_packet", None, "integer", false),
    ("max_connections", Some("{DBInstanceClassMemory/12582880}"), "integer", false),
    ("performance_schema", Some("0"), "boolean", true),
    ("slow_query_log", Some("0"), "boolean", false),
    ("time_zone", None, "string", false),
    ("wait_timeout", Some("28800"), "integer", false),
];
const POSTGRES: [Known; 7] = [
    ("autovacuum", Some("1"), "boolean", false),
    ("log_min_duration_statement", None, "integer", false),
    ("max_connections", Some("LEAST({DBInstanceClassMemory/9531392},5000)"), "integer", true),
    ("rds.force_ssl", Some("1"), "boolean", false),
    ("rds.logical_replication", Some("0"), "boolean", true),
    ("shared_buffers", Some("{DBInstanceClassMemory/32768}"), "integer", true),
    ("work_mem", None, "integer", false),
];
const OTHERS: [Known; 2] =
    [("audit_logs", Some("disabled"), "string", false), ("tls", Some("enabled"), "string", true)];

impl ParameterGroup {
    /// A group of this family with nothing set by its owner.
    #[must_use]
    pub fn new(name: &str, family: &str, description: &str) -> Self {
        let known: &[Known] = match family {
            f if f.contains("mysql") || f.contains("mariadb") => &MYSQL,
            f if f.contains("postgres") => &POSTGRES,
            _ => &OTHERS,
        };
        let parameter = |&(name, value, data_type, needs_restart): &Known| {
            let source =
                if value.is_some_and(|v| v.contains('{')) { Source::System } else { Source::EngineDefault };
            let method = ApplyMethod::PendingReboot;
            let value = value.map(str::to_owned);
            (name.to_owned(), Parameter { value, source, needs_restart, data_type, method })
        };
        Self {
            name: name.to_ascii_lowercase(),
            family: family.to_owned(),
            description: description.to_owned(),
            parameters: known.iter().map(parameter).collect(),
        }
    }

    fn set(&mut self, name: &str, value: &str, method: ApplyMethod) {
        let unknown = Parameter {
            value: None,
            source: Source::User,
            needs_restart: method == ApplyMethod::PendingReboot,
            data_type: "string",
            method,
        };
        let parameter = self.parameters.entry(name.to_owned()).or_insert(unknown);
        parameter.value = Some(value.to_owned());
        parameter.source = Source::User;
        parameter.method = method;
    }
}

impl Databases {
    /// Makes a parameter group.
    ///
    /// # Errors
    /// `DBParameterGroupAlreadyExists`.
    pub fn create_parameter_group(
        &mut self,
        scope: Scope,
        group: ParameterGroup,
        at: Timestamp,
    ) -> Result<(), AwsError> {
        if self.parameter_group(scope, &group.name, at).is_ok() {
            let message = format!("Parameter group {} already exists", group.name);
            return Err(AwsError::bad_request("DBParameterGroupAlreadyExists", message));
        }
        self.parameter_groups.insert((scope, group.name.clone()), History::born(at, group));
        Ok(())
    }

    /// The parameter group of this name at this time.
    ///
    /// # Errors
    /// `DBParameterGroupNotFound`, for groups of clusters too.
    pub fn parameter_group(
        &self,
        scope: Scope,
        name: &str,
        at: Timestamp,
    ) -> Result<&ParameterGroup, AwsError> {
        let found = self.parameter_groups.get(&(scope, name.to_ascii_lowercase())).and_then(|h| h.at(at));
        let message = match scope {
            Scope::Instance => format!("DBParameterGroup not found: {name}"),
            Scope::Cluster => format!("DBClusterParameterGroup not found: {name}"),
        };
        found.ok_or_else(|| AwsError::not_found("DBParameterGroupNotFound", message))
    }

    /// Sets a parameter of a group. Who is in the group applies it for a moment, or waits for its next restart.
    ///
    /// # Errors
    /// `DBParameterGroupNotFound`; `InvalidParameterCombination` for a parameter that needs a restart and is to be
    /// in force at once.
    pub fn set_parameter(
        &mut self,
        scope: Scope,
        group: &str,
        (name, value): (&str, &str),
        method: ApplyMethod,
        at: Timestamp,
    ) -> Result<(), AwsError> {
        let group = self.parameter_group(scope, group, at)?;
        let needs_restart = group.parameters.get(name).is_some_and(|p| p.needs_restart);
        if needs_restart && method == ApplyMethod::Immediate {
            let message = "cannot use immediate apply method for static parameter";
            return Err(AwsError::combination(message));
        }
        let group = group.name.clone();
        if let Some(history) = self.parameter_groups.get_mut(&(scope, group.clone())) {
            history.change(at, |g| g.set(name, value, method));
        }
        match method {
            ApplyMethod::PendingReboot => self.mark(scope, &group, None, ApplyStatus::PendingReboot, at),
            ApplyMethod::Immediate => {
                self.mark(scope, &group, Some(ApplyStatus::InSync), ApplyStatus::Applying, at);
                self.mark(
                    scope,
                    &group,
                    Some(ApplyStatus::Applying),
                    ApplyStatus::InSync,
                    later(at, APPLYING),
                );
            }
        }
        Ok(())
    }

    /// Gives all that are in a group, and have this status, another one.
    fn mark(&mut self, scope: Scope, group: &str, from: Option<ApplyStatus>, to: ApplyStatus, at: Timestamp) {
        let moved = |status: ApplyStatus| if from.is_none_or(|from| from == status) { to } else { status };
        match scope {
            Scope::Instance => {
                for history in self.instances.values_mut() {
                    if history.at(at).is_some_and(|i| i.parameter_group == group) {
                        history.change(at, |i| i.parameters = moved(i.parameters));
                    }
                }
            }
            Scope::Cluster => {
                for history in self.clusters.values_mut() {
                    if history.at(at).is_some_and(|c| c.parameter_group == group) {
                        let mark = |m: &mut super::Member| m.parameters = moved(m.parameters);
                        history.change(at, |c| c.members.iter_mut().for_each(mark));
                    }
                }
            }
        }
    }
}

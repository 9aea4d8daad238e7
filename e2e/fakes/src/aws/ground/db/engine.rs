//! What follows from an engine and its version: the port, the family of its parameters, the name of its endpoint.
//!
//! Versions are one of each engine's usual ones; the fake takes any other and checks none.

use crate::aws::error::AwsError;

/// An engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Engine {
    /// RDS's name for it.
    pub name: &'static str,
    /// The version of an instance that names none.
    pub version: &'static str,
    /// The port of an instance that names none.
    pub port: u16,
    /// How many parts of the version name the family: `mysql8.0`, `postgres16`.
    parts: usize,
}

const ENGINES: [Engine; 9] = [
    Engine { name: "mysql", version: "8.0.40", port: 3306, parts: 2 },
    Engine { name: "mariadb", version: "10.11.9", port: 3306, parts: 2 },
    Engine { name: "postgres", version: "16.4", port: 5432, parts: 1 },
    Engine { name: "oracle-se2", version: "19.0.0.0.ru-2025-01.rur-2025-01.r1", port: 1521, parts: 1 },
    Engine { name: "sqlserver-se", version: "16.00.4165.4.v1", port: 1433, parts: 2 },
    Engine { name: "aurora-mysql", version: "8.0.mysql_aurora.3.08.0", port: 3306, parts: 2 },
    Engine { name: "aurora-postgresql", version: "16.4", port: 5432, parts: 1 },
    Engine { name: "neptune", version: "1.3.2.1", port: 8182, parts: 2 },
    Engine { name: "docdb", version: "5.0.0", port: 27017, parts: 2 },
];

impl Engine {
    /// The engine of this name.
    ///
    /// # Errors
    /// `InvalidParameterValue` for one that the fake does not have.
    pub fn named(name: &str) -> Result<Self, AwsError> {
        let found = ENGINES.into_iter().find(|engine| engine.name == name);
        found.ok_or_else(|| AwsError::value(format!("Invalid DB engine: {name}")))
    }

    /// `mysql8.0`, `aurora-postgresql16`: whose parameters an instance of this version has.
    pub fn family(self, version: &str) -> String {
        format!("{}{}", self.name, self.major(version, "."))
    }

    /// `default:mysql-8-0`.
    pub fn default_option_group(self, version: &str) -> String {
        format!("default:{}-{}", self.name, self.major(version, "-"))
    }

    /// `8.0`, `16`.
    pub fn major_version(self, version: &str) -> String {
        self.major(version, ".")
    }

    fn major(self, version: &str, between: &str) -> String {
        version.split('.').take(self.parts).collect::<Vec<_>>().join(between)
    }
}

/// The service whose domain an engine's endpoints are in.
#[must_use]
pub fn service(engine: &str) -> &str {
    if ["neptune", "docdb"].contains(&engine) { engine } else { "rds" }
}

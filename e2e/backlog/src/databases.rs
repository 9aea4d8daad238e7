//! The databases of the production environments: RDS instances with a parameter group of the team's own, which
//! Mackerel's AWS integration registers. One was restored from a snapshot, and has the engine's default group since.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rollcall_fakes::aws::ground::Databases;
use rollcall_fakes::aws::ground::db::{ApplyMethod, DbLaunch, Scope};
use rollcall_fakes::mackerel::{AwsResource, Host};
use serde_json::json;

use crate::hosts::{ENVIRONMENTS, EnvironmentPlan};
use crate::{Backlog, HostTruth};

/// Databases by environment.
pub const DATABASES: [(&str, usize); 5] = [("jp1", 2), ("jp2", 2), ("com1", 1), ("com2", 1), ("cacoo", 1)];
/// The parameter group that the tree asks for.
const PARAMETERS: &str = "backlog-mysql8";
/// The database that was restored.
const RESTORED: &str = "com2-db-1";
/// The role that the integration gives them.
const ROLE: &str = "Backlog:db";

impl Backlog {
    /// Makes the databases, a year or two ago. As with instances every other one lacks its Role tag.
    pub(crate) fn launch_databases(&mut self, begin: Timestamp) -> anyhow::Result<()> {
        let places: BTreeSet<_> = planned().map(|(plan, _)| (plan.account, plan.region)).collect();
        for (account, region) in places {
            let region = self.aws.account(account).region(region);
            region.create_parameter_group(Scope::Instance, PARAMETERS, "mysql8.0")?;
            let slow = ("slow_query_log", "1");
            region.set_parameter(Scope::Instance, PARAMETERS, slow, ApplyMethod::Immediate)?;
        }
        for (plan, many) in planned() {
            for number in 1..=many {
                let name = format!("{}-db-{number}", plan.name);
                let days = i64::try_from(400 + 90 * number)?;
                let mut launch = DbLaunch::of(&name, "mysql").tag("Env", plan.name);
                launch.created_at = Some(begin - SignedDuration::from_hours(24 * days));
                if number % 2 == 1 {
                    launch = launch.tag("Role", "db");
                }
                if name != RESTORED {
                    launch = launch.parameter_group(PARAMETERS);
                }
                let id = self.aws.account(plan.account).region(plan.region).launch_db(&launch)?;
                self.hosts.insert(name, at_home(plan, &id));
            }
        }
        self.plant(
            "RC0301",
            Some("rds-parameters"),
            "restored from a snapshot in March, and in the engine's default parameter group since",
            vec![RESTORED.to_owned()],
            "aws rds",
        );
        Ok(())
    }

    /// The integration finds them all, and registers each with its role.
    pub(crate) fn integrate_databases(&mut self) -> anyhow::Result<()> {
        let mut regions: BTreeMap<&str, Vec<(String, String)>> = BTreeMap::new();
        for (plan, many) in planned() {
            for number in 1..=many {
                let name = format!("{}-db-{number}", plan.name);
                regions.entry(plan.region).or_default().push((endpoint(plan, &name), name));
            }
        }
        // All of it at once: the next round comes five minutes later.
        self.org.edit(|truth| -> anyhow::Result<()> {
            for (region, databases) in &regions {
                let service =
                    json!({"enable": true, "role": ROLE, "excludedMetrics": [], "retireAutomatically": true});
                let name = format!("backlog {region}");
                truth
                    .add_integration(json!({"name": name, "region": region, "services": {"RDS": service}}))?;
                for (endpoint, _) in databases {
                    truth.aws_resource_appears(AwsResource::rds(region, endpoint));
                }
            }
            Ok(())
        })?;
        let truth = self.org.truth();
        for (endpoint, name) in regions.into_values().flatten() {
            let of_it = |host: &&Host| host.custom_identifier.as_deref() == Some(endpoint.as_str());
            if let Some(host) = self.hosts.get_mut(&name) {
                host.registration = truth.hosts().find(of_it).map(|found| found.id.clone());
            }
        }
        Ok(())
    }
}

/// Environments that have databases, and how many.
fn planned() -> impl Iterator<Item = (&'static EnvironmentPlan, usize)> {
    DATABASES
        .iter()
        .filter_map(|(name, many)| Some((ENVIRONMENTS.iter().find(|plan| plan.name == *name)?, *many)))
}

/// Where a database listens.
fn endpoint(plan: &EnvironmentPlan, name: &str) -> String {
    let domain = Databases::new(plan.account, plan.region).domain;
    format!("{name}.{domain}.{}.rds.amazonaws.com", plan.region)
}

fn at_home(plan: &EnvironmentPlan, resource_id: &str) -> HostTruth {
    HostTruth {
        environment: plan.name.to_owned(),
        instance: resource_id.to_lowercase(),
        account: plan.account.to_owned(),
        region: plan.region.to_owned(),
        registration: None,
    }
}

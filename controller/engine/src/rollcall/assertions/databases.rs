//! Databases of RDS and their clusters: groups of parameters and options that are in effect, values of parameters, network.
//!
//! What waits for a restart is not in effect. What is on its way is not judged.

use std::collections::{BTreeMap, BTreeSet};

use super::{Everywhere, Sought, Verdict, doubt_reading, in_words, the_one};
use crate::fleet::{ClusterWish, DatabaseWish, Pattern};
use crate::inventory::{
    ApplyMethod, ApplyStatus, ApplyType, Database, DatabaseCluster, GroupMembership, Inventory,
    ParameterAnswer, ParameterGroupName, ParameterValue,
};
use crate::limits::ASSERTED_MAX_AGE;
use crate::reading::FailureKind;
use crate::rollcall::Pass;
use crate::text::clean;

/// A DB instance that is proved to run.
pub(super) fn of_database(
    pass: &Pass<'_>,
    wish: &DatabaseWish,
    database: &Database,
    inventory: &Inventory,
    verdict: &mut Verdict,
) {
    let DatabaseWish { classes, parameter_group, parameters, option_group, subnet_group, groups, vpc, tags } =
        wish;
    if !classes.is_empty() && !classes.iter().any(|wanted| wanted.is(&database.class)) {
        let wanted: Vec<&str> = classes.iter().map(Pattern::as_str).collect();
        verdict.is("class", &wanted.join(" or "), Some(&database.class));
    }
    if let Some(wanted) = parameter_group {
        in_effect("parameter group", wanted, &database.parameter_groups, verdict);
    }
    if let Some(wanted) = option_group {
        in_effect("option group", wanted, &database.option_groups, verdict);
    }
    if !parameters.is_empty() {
        let of: Vec<(ParameterGroupName, &ApplyStatus)> = database
            .parameter_groups
            .iter()
            .map(|group| (ParameterGroupName::of_instance(&group.name), &group.status))
            .collect();
        values(pass, parameters, &of, inventory, verdict);
    }
    // What every database in a VPC has and this one does not was not read.
    let has_no_network = database.security_groups.is_empty() || database.subnet_group.is_none();
    let asks_network = subnet_group.is_some() || groups.is_some() || vpc.is_some();
    if asks_network && has_no_network {
        return verdict.doubt(FailureKind::NotYetRead, "the network of the database was not read");
    }
    if let Some(wanted) = subnet_group {
        verdict.is("DB subnet group", &wanted.to_lowercase(), database.subnet_group.as_deref());
    }
    if let Some(wanted) = groups {
        let found: BTreeSet<&str> = database.security_groups.iter().map(String::as_str).collect();
        verdict.has("security groups", wanted, &found, |wanted, found| wanted == found);
    }
    if let Some(wanted) = vpc {
        verdict.is("VPC", wanted, database.vpc.as_deref());
    }
    verdict.tagged(tags, &database.tags);
}

/// A cluster, by its identifier. One that is being changed is not judged.
pub(super) fn of_cluster(
    pass: &Pass<'_>,
    wish: &ClusterWish,
    all: &Everywhere<'_, '_>,
    verdict: &mut Verdict,
) {
    let ClusterWish { name, members, writer, parameter_group, parameters, groups, tags } = wish;
    let is_it = |cluster: &DatabaseCluster| cluster.is_called(name);
    let sought = all.seek("DB cluster", |inventory| &inventory.clusters, false, is_it);
    if matches!(sought, Sought::Nothing) && may_have(name, all) {
        let message = format!("the cluster {} is not listed, and databases may be its members", clean(name));
        return verdict.doubt(FailureKind::Malformed, message);
    }
    let Some((inventory, cluster)) = the_one("DB cluster", name, sought, verdict) else { return };
    if !cluster.status.runs() {
        let message = format!("the cluster is {}", clean(cluster.status.as_str()));
        return verdict.doubt(FailureKind::Unsteady, message);
    }
    if let Some(wanted) = members {
        let found: BTreeSet<&str> = cluster.members.iter().map(|member| member.name.as_str()).collect();
        verdict.has("members", wanted, &found, str::eq_ignore_ascii_case);
    }
    if let Some(wanted) = writer {
        who_writes(wanted, cluster, verdict);
    }
    let states: Vec<&ApplyStatus> = cluster.members.iter().map(|member| &member.parameters).collect();
    if let Some(wanted) = parameter_group {
        verdict.is("cluster parameter group", &wanted.to_lowercase(), cluster.parameter_group.as_deref());
        for state in &states {
            effect("cluster parameter group", state, verdict);
        }
    }
    if !parameters.is_empty() {
        let named = cluster.parameter_group.iter().map(ParameterGroupName::of_cluster);
        let worst = states.iter().find(|state| ***state != ApplyStatus::InSync).copied();
        let of: Vec<_> = named.map(|group| (group, worst.unwrap_or(&ApplyStatus::InSync))).collect();
        values(pass, parameters, &of, inventory, verdict);
    }
    if let Some(wanted) = groups {
        let found: BTreeSet<&str> = cluster.security_groups.iter().map(String::as_str).collect();
        verdict.has("security groups", wanted, &found, |wanted, found| wanted == found);
    }
    verdict.tagged(tags, &cluster.tags);
}

/// May there be a cluster that is not listed? A database says that it is a member, or not all databases can be seen.
fn may_have(name: &str, all: &Everywhere<'_, '_>) -> bool {
    let is_member =
        |database: &Database| database.cluster.as_ref().is_some_and(|of| of.eq_ignore_ascii_case(name));
    let mut databases = all.inventories.iter().flat_map(|(_, inventory)| &inventory.databases.seen);
    databases.any(is_member) || !all.views.iter().all(|view| view.proves_databases())
}

fn who_writes(wanted: &str, cluster: &DatabaseCluster, verdict: &mut Verdict) {
    if cluster.members.iter().any(|member| member.writer.is_none()) {
        return verdict
            .doubt(FailureKind::NotYetRead, "it is not told which members of the cluster take writes");
    }
    let writing = cluster.members.iter().filter(|member| member.writer == Some(true));
    let writers: Vec<&str> = writing.map(|member| member.name.as_str()).collect();
    if !writers.iter().any(|writer| writer.eq_ignore_ascii_case(wanted)) {
        verdict.fail(format!("writer: expected {}, found {}", clean(wanted), in_words(writers.into_iter())));
    }
}

/// Is the value of a parameter in effect? That something in its group waits for a restart does not say that this one does.
fn in_force(name: &str, value: &ParameterValue, status: &ApplyStatus, verdict: &mut Verdict) {
    let is_immediate =
        value.apply_type == Some(ApplyType::Dynamic) && value.apply_method == Some(ApplyMethod::Immediate);
    match status {
        ApplyStatus::PendingReboot if is_immediate => {}
        ApplyStatus::PendingReboot => verdict.doubt(
            FailureKind::Unsteady,
            format!("its parameter group waits for a restart, and {} may wait with it", clean(name)),
        ),
        other => effect("parameter group", other, verdict),
    }
}

/// Is it in this group, and is the group in effect? RDS keeps names in lower case.
fn in_effect(what: &str, wanted: &str, found: &[GroupMembership], verdict: &mut Verdict) {
    let name = wanted.to_lowercase();
    if found.is_empty() {
        return verdict.doubt(FailureKind::NotYetRead, format!("the {what} of the database was not read"));
    }
    let Some(group) = found.iter().find(|group| group.name.eq_ignore_ascii_case(&name)) else {
        let found = in_words(found.iter().map(|group| group.name.as_str()));
        return verdict.fail(format!("{what}: expected {}, found {found}", clean(&name)));
    };
    effect(what, &group.status, verdict);
}

fn effect(what: &str, status: &ApplyStatus, verdict: &mut Verdict) {
    match status {
        ApplyStatus::InSync => {}
        ApplyStatus::Applying | ApplyStatus::Removing => {
            verdict.doubt(FailureKind::Unsteady, format!("the {what} is being applied"));
        }
        ApplyStatus::Unknown(word) => {
            verdict.doubt(FailureKind::NotSupported, format!("the {what} has the status {:?}", clean(word)));
        }
        waits => verdict.fail(format!("{what}: expected it to be in effect, found {}", waits.as_str())),
    }
}

/// Are the parameters as they must be, in each of these groups, and in effect?
fn values(
    pass: &Pass<'_>,
    wanted: &BTreeMap<String, String>,
    groups: &[(ParameterGroupName, &ApplyStatus)],
    inventory: &Inventory,
    verdict: &mut Verdict,
) {
    if groups.is_empty() {
        return verdict.doubt(FailureKind::NotYetRead, "it is not told which parameter group it has");
    }
    for (group, status) in groups {
        let Some(reading) = inventory.parameters.get(group) else {
            verdict.doubt(
                FailureKind::NotYetRead,
                format!("parameters of {} were not read yet", clean(&group.name)),
            );
            continue;
        };
        let Some(read) = reading.complete(pass.now, ASSERTED_MAX_AGE) else {
            doubt_reading(pass, reading, ASSERTED_MAX_AGE, verdict);
            continue;
        };
        for (name, value) in wanted {
            match read.all().answer(name) {
                ParameterAnswer::Value(found) if found.value.as_deref() == Some(value) => {
                    in_force(name, found, status, verdict);
                }
                ParameterAnswer::Value(found) => {
                    let found = found.value.as_deref().map_or_else(|| "the engine's default".into(), clean);
                    verdict.fail(format!("{}: expected {}, found {found}", clean(name), clean(value)));
                }
                ParameterAnswer::NoSuchParameter => {
                    verdict.fail(format!(
                        "{}: expected {}, found no such parameter",
                        clean(name),
                        clean(value)
                    ));
                }
                ParameterAnswer::NoSuchGroup | ParameterAnswer::NotRead => {
                    let message = format!("{} of {} was not read yet", clean(name), clean(&group.name));
                    verdict.doubt(FailureKind::NotYetRead, message);
                }
            }
        }
    }
}

//! The status of a Host, and where its object belongs.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use rollcall_crds::conditions::cut;
use rollcall_crds::v1alpha1::{
    ClusterRole, HostChecks, HostCluster, HostFinding, HostService, HostSpec, HostState, HostStatus,
    HostSummary,
};
use rollcall_engine::finding::Finding;
use rollcall_engine::ids::{HostId, ObjectKey, Place, RoleName};
use rollcall_engine::rollcall::{Coverage, HostRoll, Requirement, RollCall};

use super::text::{clean, int};

/// Longest list of findings on a Host; `rollcall plan` shows all.
const FINDINGS: usize = 16;

/// Who a host is: never changes.
#[must_use]
pub fn spec(id: &HostId, place: &Place) -> HostSpec {
    HostSpec {
        provider_id: format!("aws:///{}/{id}", place.region),
        service: if id.is_database() { HostService::RDS } else { HostService::EC2 },
        account_id: place.account.to_string(),
        region: place.region.to_string(),
    }
}

/// Where hosts that nobody claims have their objects, by place.
pub type UnclaimedNamespaces = BTreeMap<Place, Arc<str>>;

/// The objects of a host: in the namespace of its environment, of each one that contests it, or of the unclaimed.
pub fn homes(id: &HostId, host: &HostRoll, unclaimed: &UnclaimedNamespaces) -> Vec<ObjectKey> {
    let mut namespaces: Vec<&Arc<str>> = if host.state == HostState::Contested {
        host.claimed_by.iter().map(|environment| &environment.namespace).collect()
    } else if let Some(environment) = &host.environment {
        vec![&environment.namespace]
    } else {
        unclaimed.get(&host.place).into_iter().collect()
    };
    namespaces.dedup();
    namespaces
        .into_iter()
        .map(|ns| ObjectKey { namespace: Arc::clone(ns), name: Arc::from(id.as_str()) })
        .collect()
}

/// The status of the host as it is told in `namespace`: of a contested host each side sees itself alone.
#[must_use]
pub fn status(
    roll: &RollCall,
    host: &HostRoll,
    namespace: &str,
    findings: &[&Finding],
    zone: &TimeZone,
) -> HostStatus {
    let open: Vec<&Finding> = findings.iter().copied().filter(|finding| finding.excuse.is_none()).collect();
    let tally = host.tally();
    HostStatus {
        environment: environment(host, namespace),
        name: host.name.as_deref().map(|name| clean(name, 256)),
        duties: names(&host.duties),
        traits: names(&host.traits),
        state: Some(host.state),
        launch_time: host.launch_time.map(Time),
        instance_type: host.instance_type.as_deref().map(|kind| clean(kind, 64)),
        cluster: host.cluster.as_ref().map(|part| HostCluster {
            name: clean(&part.name, 64),
            role: part.writes.map(|writes| if writes { ClusterRole::Writer } else { ClusterRole::Reader }),
        }),
        checks: (tally.required > 0).then(|| HostChecks {
            required: int(tally.required),
            covered: int(tally.covered),
            unknown: int(tally.unknown),
        }),
        summary: Some(HostSummary {
            duty: cut(&names(&host.duties).join(","), 256),
            checks: checks(tally.covered, tally.required, tally.unknown),
            top_finding: top_finding(roll, host, &open, zone),
        }),
        findings: open.iter().take(FINDINGS).map(|finding| told(finding)).collect(),
    }
}

fn environment(host: &HostRoll, namespace: &str) -> Option<String> {
    if host.state != HostState::Contested {
        return host.environment.as_ref().map(|key| key.name.to_string());
    }
    let mut here = host.claimed_by.iter().filter(|key| *key.namespace == *namespace);
    match (here.next(), here.next()) {
        (Some(only), None) => Some(only.name.to_string()),
        _ => None,
    }
}

fn names(roles: &[RoleName]) -> Vec<String> {
    roles.iter().take(50).map(ToString::to_string).collect()
}

/// `12/14`, with `?2` behind it where two cannot be judged; empty where nothing is required.
fn checks(covered: u32, required: u32, unknown: u32) -> String {
    match (required, unknown) {
        (0, _) => String::new(),
        (_, 0) => format!("{covered}/{required}"),
        _ => format!("{covered}/{required} ?{unknown}"),
    }
}

/// The worst finding in a few words, or what the host is waiting for.
fn top_finding(roll: &RollCall, host: &HostRoll, open: &[&Finding], zone: &TimeZone) -> String {
    let mut parts = Vec::new();
    if let (HostState::Settling, Some(end)) = (host.state, host.settles_at) {
        parts.push(end.to_zoned(zone.clone()).strftime("until %m-%d %H:%M %Z").to_string());
        parts.extend(awaited(roll, host));
    }
    if let Some(finding) = open.first() {
        parts.push(format!("{} {}", finding.code, finding.message));
    }
    if !host.seen {
        parts.push("not in the last reading, known from memory".to_owned());
    }
    clean(&parts.join(", "), 256)
}

/// What a settling host still lacks.
fn awaited(roll: &RollCall, host: &HostRoll) -> Option<String> {
    let mut lacking = roll.rows(host).filter(|(_, coverage)| *coverage == Coverage::Settling);
    let first = match lacking.next()?.0 {
        Requirement::Registered(system) => format!("not registered in {}", system.name),
        Requirement::Check(check) => format!("awaits {}", check.name),
    };
    match lacking.count() {
        0 => Some(first),
        more => Some(format!("{first} and {more} more")),
    }
}

fn told(finding: &Finding) -> HostFinding {
    HostFinding {
        code: finding.code.to_string(),
        severity: finding.severity,
        check: finding.check.as_ref().map(|key| key.name.to_string()),
        system: finding.system.as_ref().map(|key| key.name.to_string()),
        message: clean(&finding.message, 512),
        since: Time(finding.since),
    }
}

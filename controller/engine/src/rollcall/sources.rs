//! What cannot be read: one finding per listing of a place and per system, with the source's own reason. A source that nobody
//! has asked yet is no finding.

use std::borrow::Cow;

use jiff::Timestamp;
use rollcall_crds::v1alpha1::Severity;

use super::excess::bare;
use super::found::{Found, Owner};
use super::host_findings::Note;
use super::phrases::Phrases;
use super::places::PlaceView;
use super::plan::Plans;
use super::registries::SystemView;
use super::remedy;
use super::scene::Scene;
use super::tallies::Tallies;
use crate::finding::{Code, Subject};
use crate::inventory::{Inventory, ParameterGroupKind, ParameterGroupName};
use crate::limits::{ACTIVITY_MAX_AGE, ASSERTED_MAX_AGE};
use crate::reading::{Extent, Failure, FailureKind, Reading};
use crate::registry::{Checks, Product};
use crate::text::count;

/// Looks at every source that somebody needs.
pub(super) fn look(
    scene: &Scene<'_, '_>,
    plans: &Plans<'_>,
    tallies: &Tallies,
    phrases: &mut Phrases,
    found: &mut Vec<Found>,
) {
    for (number, place) in scene.places.iter().enumerate() {
        let mut blind: Vec<Blind<'_>> = blind_inventories(place).collect();
        blind.extend(blind_assertions(scene, place, &blind));
        let unread = blind_activity(scene, place, &blind);
        tell_activity(scene, number, place, unread, phrases, found);
        for Blind { key, failure, call } in blind {
            let fix = inventory_fix(failure.kind, call);
            let note = Note::new(Code::InventoryBlind, Severity::Warning, failure.message.clone(), fix);
            let name = place.place.to_string();
            let mut finding = bare(scene.pass, phrases, Subject::Itself, &name, None, note);
            finding.account = Some(place.account.name.clone());
            found.push(Found {
                owner: Owner::Place(number),
                key: key.to_owned(),
                namespace: "".into(),
                host: None,
                finding,
            });
        }
    }
    for (number, system) in scene.systems.iter().enumerate().filter(|(_, system)| system.is_used) {
        for note in
            [unreadable(number, system, plans), unverifiable(number, system, plans)].into_iter().flatten()
        {
            let key = &system.system.key;
            let note = note.of_system(key);
            let finding = bare(scene.pass, phrases, Subject::Itself, &key.name, None, note);
            let namespace = key.namespace.clone();
            found.push(Found {
                owner: Owner::System(number),
                key: String::new(),
                namespace,
                host: None,
                finding,
            });
        }
    }
    switched_off(scene, tallies, phrases, found);
}

/// A system that is switched off as a whole: one finding per environment that it would watch, and no more, however many rows
/// nobody hears of.
fn switched_off(scene: &Scene<'_, '_>, tallies: &Tallies, phrases: &mut Phrases, found: &mut Vec<Found>) {
    for ((number, system), severity) in &tallies.off {
        let environment = scene.pass.fleet.environments.get(*number);
        let (Some(environment), Some(system)) = (environment, scene.systems.get(*system)) else { continue };
        let product = system.system.endpoint.product().as_str();
        let is_mute = system.program().is_some_and(|program| program.notifies == Some(false));
        let message = if is_mute {
            format!("{product} is told to notify nobody of anything")
        } else {
            format!("{product} is told neither to check nor to take results from outside")
        };
        let fix = remedy::switch_on(is_mute);
        let note = Note::new(Code::SystemOff, *severity, message, fix).of_system(&system.system.key);
        let key = &environment.key;
        let finding = bare(scene.pass, phrases, Subject::Itself, &key.name, Some(key.clone()), note);
        found.push(Found {
            owner: Owner::Environment(*number),
            key: system.system.key.to_string(),
            namespace: key.namespace.clone(),
            host: None,
            finding,
        });
    }
}

/// A listing of a place that failed.
struct Blind<'p> {
    /// What tells its finding from the others of the place.
    key: &'static str,
    failure: Cow<'p, Failure>,
    /// The call that must be allowed.
    call: &'static str,
}

/// The listings of hosts that failed. What fails for one reason in all of them is said once; clusters are missed only where a
/// database is a member of one.
fn blind_inventories<'p>(place: &'p PlaceView<'_>) -> impl Iterator<Item = Blind<'p>> {
    let has_members = || place.listed().any(|listed| listed.cluster_name().is_some());
    let listings = [
        ("", &place.instances, "ec2:DescribeInstances"),
        ("databases", &place.databases, "rds:DescribeDBInstances"),
        ("clusters", &place.clusters, "rds:DescribeDBClusters"),
    ];
    let mut said: Vec<FailureKind> = Vec::new();
    listings.into_iter().filter_map(move |(key, listing, call)| {
        let failure = listing.blind.as_ref().filter(|failure| is_news(failure))?;
        if said.contains(&failure.kind) || (key == "clusters" && !has_members()) {
            return None;
        }
        said.push(failure.kind);
        Some(Blind { key, failure: Cow::Borrowed(failure), call })
    })
}

/// What assertions here look at and nobody can read, unless hosts cannot be read for the same reason. Each right that is
/// missing is said; of what passes by itself, one listing stands for all.
fn blind_assertions(scene: &Scene<'_, '_>, place: &PlaceView<'_>, said: &[Blind<'_>]) -> Vec<Blind<'static>> {
    let Some(inventory) = scene.pass.snapshot.inventories.get(&place.place) else { return Vec::new() };
    let everything = |_: &ParameterGroupName| true;
    if failed_assertions(inventory, everything, scene.pass.now).is_empty() {
        return Vec::new();
    }
    let asked = scene.pass.fleet.asked(inventory);
    let is_told = |blind: &Blind<'_>| {
        let is_asked = match blind.call {
            VOLUMES => asked.volumes,
            ADDRESSES => asked.addresses,
            SECURITY_GROUPS => asked.security_groups,
            SUBNET_GROUPS => asked.subnet_groups,
            PROTECTION => !asked.protections.is_empty(),
            _ => true,
        };
        // A right to read databases is another one: only instances that are refused say that all is.
        let is_said = |said: &Blind<'_>| {
            said.failure.kind == blind.failure.kind
                && (said.key.is_empty() || blind.failure.kind != FailureKind::Denied)
        };
        is_asked && !said.iter().any(is_said)
    };
    let failed =
        failed_assertions(inventory, |name| asked.parameters.contains_key(name), scene.pass.now).into_iter();
    let mut passing = false;
    let told = failed.filter(is_told);
    told.filter(|blind| blind.failure.kind == FailureKind::Denied || !std::mem::replace(&mut passing, true))
        .collect()
}

/// Why what hosts do was not read wholly, unless the place itself cannot be read for the same reason.
fn blind_activity(scene: &Scene<'_, '_>, place: &PlaceView<'_>, said: &[Blind<'_>]) -> Option<Failure> {
    let activity = scene.pass.snapshot.activities.get(&place.place)?;
    // Where nobody runs who is judged, nobody need be asked: that a reading is old is no news.
    let is_news = |failure: &Failure| is_news(failure) && failure.kind != FailureKind::Stale;
    let failure = activity.hosts.blindness(scene.pass.now, ACTIVITY_MAX_AGE).filter(is_news)?;
    let is_said = |said: &Blind<'_>| said.failure.kind == failure.kind && failure.kind != FailureKind::Denied;
    (!said.iter().any(is_said)).then_some(failure)
}

fn tell_activity(
    scene: &Scene<'_, '_>,
    number: usize,
    place: &PlaceView<'_>,
    failure: Option<Failure>,
    phrases: &mut Phrases,
    found: &mut Vec<Found>,
) {
    let Some(failure) = failure else { return };
    let fix = match failure.kind {
        FailureKind::Denied => {
            "allow the observing role cloudwatch:GetMetricData: aws sts get-caller-identity"
        }
        _ => "none if it passes: it is asked again; until then nobody there is said to be unused anew",
    };
    let note = Note::new(Code::ActivityBlind, Severity::Warning, failure.message, fix);
    let mut finding = bare(scene.pass, phrases, Subject::Itself, &place.place.to_string(), None, note);
    finding.account = Some(place.account.name.clone());
    let (owner, namespace) = (Owner::Place(number), "".into());
    found.push(Found { owner, key: "activity".to_owned(), namespace, host: None, finding });
}

/// Calls that only assertions need.
const VOLUMES: &str = "ec2:DescribeVolumes";
const ADDRESSES: &str = "ec2:DescribeAddresses";
const SECURITY_GROUPS: &str = "ec2:DescribeSecurityGroups";
const SUBNET_GROUPS: &str = "rds:DescribeDBSubnetGroups";
const PARAMETERS: &str = "rds:DescribeDBParameters";
const CLUSTER_PARAMETERS: &str = "rds:DescribeDBClusterParameters";
const PROTECTION: &str = "ec2:DescribeInstanceAttribute";
const OF_ASSERTIONS: [&str; 7] =
    [VOLUMES, ADDRESSES, SECURITY_GROUPS, SUBNET_GROUPS, PARAMETERS, CLUSTER_PARAMETERS, PROTECTION];

/// What could not be read of all that assertions may look at. Parameter groups and instances are asked one by one: one of
/// them stands for all, and of instances, which take turns, only a right that is missing counts.
fn failed_assertions(
    inventory: &Inventory,
    is_asked: impl Fn(&ParameterGroupName) -> bool,
    now: Timestamp,
) -> Vec<Blind<'static>> {
    let of_kind = |kind| {
        let groups = inventory.parameters.iter();
        let mut groups = groups.filter(|(name, _)| name.kind == kind && is_asked(name));
        groups.find_map(|(_, reading)| news(reading, now))
    };
    let mut refusals = inventory.protections.values().filter_map(|reading| news(reading, now));
    let protection = refusals.find(|failure| failure.kind == FailureKind::Denied);
    let all = [
        ("volumes", news(&inventory.volumes, now), VOLUMES),
        ("addresses", news(&inventory.addresses, now), ADDRESSES),
        ("security groups", news(&inventory.security_groups, now), SECURITY_GROUPS),
        ("subnet groups", news(&inventory.subnet_groups, now), SUBNET_GROUPS),
        ("parameters", of_kind(ParameterGroupKind::Instance), PARAMETERS),
        ("cluster parameters", of_kind(ParameterGroupKind::Cluster), CLUSTER_PARAMETERS),
        ("protection", protection, PROTECTION),
    ];
    let failed = all.into_iter().filter_map(|(key, failure, call)| Some((key, failure?, call)));
    failed.map(|(key, failure, call)| Blind { key, failure: Cow::Owned(failure), call }).collect()
}

/// Why a listing for assertions proves nothing, if it was ever asked.
fn news<T>(reading: &Reading<T>, now: Timestamp) -> Option<Failure> {
    reading.blindness(now, ASSERTED_MAX_AGE).filter(is_news)
}

/// The listings of a system that rules need and that prove nothing now, each with the reason.
pub(super) fn blind_listings<'s>(
    system: &'s SystemView<'_>,
) -> impl Iterator<Item = (&'static str, &'s Failure)> {
    let services = system.services.as_ref().and_then(|services| services.blind.as_ref());
    let listings = match system.system.endpoint.product() {
        Product::Mackerel => vec![
            ("hosts", system.hosts.blind.as_ref()),
            ("monitors", system.monitors.blind.as_ref()),
            ("last metrics", system.last_metric.blind.as_ref()),
        ],
        // It has neither monitors nor metrics; what asks for them is not verifiable, and that is told apart.
        Product::Nagios => vec![("hosts", system.hosts.blind.as_ref()), ("services", services)],
    };
    listings.into_iter().filter_map(|(name, blind)| Some((name, &blind?.0)))
}

/// What tells whether anybody hears of an alert: the program's switches and, where some check asks whom alerts reach, the
/// listing of that.
fn blind_routes<'s>(
    number: usize,
    system: &'s SystemView<'_>,
    plans: &Plans<'_>,
) -> Option<(&'static str, &'s Failure)> {
    let wanted = plans.wanted.get(number)?;
    let is_asked =
        !wanted.recipients.is_empty() || wanted.monitors.iter().any(|look| look.notifies.is_some());
    let routes = system.notifications.as_ref().filter(|_| is_asked).and_then(|sight| sight.blind.as_ref());
    let switches = system.switches.as_ref().and_then(|sight| sight.blind.as_ref());
    match (switches, routes) {
        (Some((failure, _)), _) => Some(("switches of the program", failure)),
        (None, Some((failure, _))) => Some(("notification groups and channels", failure)),
        (None, None) => None,
    }
}

fn unreadable(number: usize, system: &SystemView<'_>, plans: &Plans<'_>) -> Option<Note> {
    let blind = blind_listings(system).chain(blind_routes(number, system, plans));
    let (listing, failure) = { blind }.find(|(_, failure)| is_news(failure))?;
    let product = system.system.endpoint.product().as_str();
    let message = format!("{product}: {listing}: {}", failure.message);
    Some(Note::new(Code::RegistryBlind, Severity::Warning, message, registry_fix(failure.kind, system)))
}

/// The system is too old to tell what checks ask: said once, not per host.
fn unverifiable(number: usize, system: &SystemView<'_>, plans: &Plans<'_>) -> Option<Note> {
    let registry = system.registry?;
    let wanted = plans.wanted.get(number)?;
    let is_old = |extent: &Extent| matches!(extent, Extent::Failed { why, .. } if why.kind == FailureKind::NotSupported);
    let is_old = match &registry.checks {
        Checks::Listed(reading) => is_old(&reading.extent),
        Checks::ByHost(all) => all.values().any(|reading| is_old(&reading.extent)),
    };
    let names = !wanted.names.is_empty() && is_old;
    let monitors = !wanted.monitors.is_empty() && system.monitors.is_unsupported();
    let (listing, many) = match (names, monitors) {
        (true, _) => ("names of checks", wanted.names.len()),
        (false, true) => ("monitors", wanted.monitors.len()),
        (false, false) => return None,
    };
    let product = system.system.endpoint.product().as_str();
    let message = format!(
        "{product} here has no listing of {listing}: {} cannot be verified",
        count(many, "requirement")
    );
    let fix = match system.system.endpoint.product() {
        Product::Mackerel => {
            "ask for it by a monitor instead (watched.by.hostMetric), or use a newer version of the system"
        }
        Product::Nagios => "ask for it by a check instead (watched.by.check), or of another system",
    };
    Some(Note::new(Code::NotVerifiable, Severity::Warning, message, fix))
}

/// A source that has not been asked yet, or does not have the listing, has not failed.
fn is_news(failure: &Failure) -> bool {
    !matches!(failure.kind, FailureKind::NotYetRead | FailureKind::NotSupported)
}

fn inventory_fix(kind: FailureKind, call: &str) -> String {
    let fix = match kind {
        FailureKind::Denied => {
            let example = match call {
                "rds:DescribeDBInstances" => "aws rds describe-db-instances --max-items 1",
                "rds:DescribeDBClusters" => "aws rds describe-db-clusters --max-items 1",
                VOLUMES => "aws ec2 describe-volumes --max-items 1",
                ADDRESSES => "aws ec2 describe-addresses",
                SECURITY_GROUPS => "aws ec2 describe-security-groups --max-items 1",
                SUBNET_GROUPS => "aws rds describe-db-subnet-groups --max-items 1",
                PARAMETERS => "aws rds describe-db-parameters --max-items 1 --db-parameter-group-name GROUP",
                CLUSTER_PARAMETERS => {
                    "aws rds describe-db-cluster-parameters --max-items 1 --db-cluster-parameter-group-name GROUP"
                }
                PROTECTION => {
                    "aws ec2 describe-instance-attribute --attribute disableApiTermination --instance-id ID"
                }
                _ => "aws ec2 describe-instances --max-items 1",
            };
            return format!("allow the observing role {call}: aws sts get-caller-identity; {example}");
        }
        FailureKind::WrongAccount => {
            "correct spec.observe or spec.accountID of the CloudAccount: aws sts get-caller-identity"
        }
        FailureKind::Misconfigured => "correct spec.observe of the CloudAccount: kubectl get rcacct -o wide",
        // No condition speaks of what assertions alone look at.
        _ if OF_ASSERTIONS.contains(&call) => "none if it passes; else see the message",
        _ => "none if it passes; else see the condition InventoryFresh: kubectl get rcacct -o wide",
    };
    fix.to_owned()
}

fn registry_fix(kind: FailureKind, system: &SystemView<'_>) -> String {
    let namespace = &system.system.key.namespace;
    match (system.system.endpoint.product(), kind) {
        (Product::Mackerel, FailureKind::Denied) => format!(
            "check the API key and the organisation's allowed addresses: MACKEREL_APIKEY=… mkr org; then the Secret in namespace {namespace}"
        ),
        (Product::Nagios, FailureKind::Denied) => format!(
            "check the user and the password in the Secret in namespace {namespace}, and that cgi.cfg names the user in \
             authorized_for_all_hosts and authorized_for_all_services"
        ),
        (_, FailureKind::Misconfigured) => {
            format!("correct the MonitoringSystem or its Secret: kubectl get rcmon -n {namespace} -o wide")
        }
        (Product::Mackerel, FailureKind::WrongAccount) => format!(
            "put a key of the right organisation into the Secret in namespace {namespace}: MACKEREL_APIKEY=… mkr org; or name \
             the one that is meant in spec.mackerel.organization: kubectl edit rcmon -n {namespace} {}",
            system.system.key.name
        ),
        _ => format!(
            "none if it passes; else see the condition RegistrationsFresh: kubectl get rcmon -n {namespace} -o wide"
        ),
    }
}

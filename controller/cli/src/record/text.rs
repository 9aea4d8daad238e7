//! A recording as people read about it: what it holds, what was left out, and how much each reading knows at which age.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use rollcall_engine::fleet::Desired;
use rollcall_engine::ids::{CheckName, RegistrationId};
use rollcall_engine::inventory::Inventory;
use rollcall_engine::memory::Memory;
use rollcall_engine::reading::{Extent, FailureKind, Reading};
use rollcall_engine::recording::{Cut, Recording};
use rollcall_engine::registry::{Checks, Registry};
use rollcall_engine::text::{clean, count, few};

use crate::terminal::{age, wrap};

/// No more namespaces than this are named; the rest is counted.
const MOST_NAMED: usize = 10;

/// The whole text, ending with a newline.
pub fn render(title: &str, recording: &Recording, width: usize) -> String {
    let mut out = format!("{title}: a recording of {:.0}\n", recording.now);
    let mut line =
        |head: &str, text: &str| wrap(&mut out, &format!(" {head:<10}"), "           ", text, width);
    line("objects", &objects(&recording.desired));
    line("memory", &memory(&recording.memory));
    line("left out", &left_out(recording.cut_to.as_ref()));
    for (place, inventory) in &recording.snapshot.inventories {
        let _ = writeln!(out, "\n{place}");
        of_inventory(&mut out, inventory, recording.now, width);
    }
    for (key, registry) in &recording.snapshot.registries {
        let _ = writeln!(out, "\n{key} ({})", registry.product.as_str());
        of_registry(&mut out, registry, recording.now, width);
    }
    if recording.snapshot.inventories.is_empty() && recording.snapshot.registries.is_empty() {
        out.push_str("\nnothing was read yet: no CloudAccount and no MonitoringSystem in use is known\n");
    }
    out
}

fn objects(desired: &Desired) -> String {
    let kinds = [
        (desired.accounts.len(), "CloudAccount"),
        (desired.environments.len(), "Environment"),
        (desired.roles.len(), "HostRole"),
        (desired.checks.len(), "RequiredCheck"),
        (desired.systems.len(), "MonitoringSystem"),
        (desired.exemptions.len(), "Exemption"),
        (desired.policies.len(), "RetirementPolicy"),
        (desired.retirements.len(), "Retirement"),
        (desired.channels.len(), "NotificationChannel"),
        (desired.unreadable.len(), "unreadable object"),
    ];
    list(&kinds)
}

fn memory(memory: &Memory) -> String {
    let hosts = memory.places.values().map(|place| place.hosts.len()).sum();
    let gone = memory.places.values().map(|place| place.tombstones.len()).sum();
    let changes = memory.environments.values().map(|environment| environment.changes.len()).sum();
    list(&[(hosts, "host"), (gone, "tombstone"), (changes, "change")])
}

/// What there is of it, or `none`.
fn list(kinds: &[(usize, &str)]) -> String {
    let some: Vec<String> =
        kinds.iter().filter(|(number, _)| *number > 0).map(|(number, kind)| count(*number, kind)).collect();
    if some.is_empty() { "none".to_owned() } else { some.join(", ") }
}

/// What is never in a recording, and what this one was cut to.
fn left_out(cut: Option<&Cut>) -> String {
    let Some(cut) = cut else {
        return "every Secret and key; identities of accounts (role ARN, external id) are in it".to_owned();
    };
    let namespaces: Vec<&String> = cut.namespaces.iter().collect();
    let accounts = if cut.accounts {
        ""
    } else {
        "; identities of accounts, and grants that are not about these namespaces"
    };
    format!(
        "every Secret and key; hosts, registrations and memory of other namespaces than {}{accounts}; request ids",
        few(&namespaces, namespaces.len(), MOST_NAMED)
    )
}

fn of_inventory(out: &mut String, inventory: &Inventory, now: Timestamp, width: usize) {
    let mut line = |listing: &str, seen: usize, extent: &Extent| told(out, listing, seen, extent, now, width);
    line("instances", inventory.instances.seen.len(), &inventory.instances.extent);
    line("volumes", inventory.volumes.seen.len(), &inventory.volumes.extent);
    line("addresses", inventory.addresses.seen.len(), &inventory.addresses.extent);
    line("databases", inventory.databases.seen.len(), &inventory.databases.extent);
    line("clusters", inventory.clusters.seen.len(), &inventory.clusters.extent);
    of_asserted(out, inventory, now, width);
}

/// What is read for assertions alone stands here only when it was read.
fn of_asserted(out: &mut String, inventory: &Inventory, now: Timestamp, width: usize) {
    let mut line = |listing: &str, seen: usize, extent: &Extent| {
        if !is_not_yet(extent) {
            told(out, listing, seen, extent, now, width);
        }
    };
    line("security", inventory.security_groups.seen.len(), &inventory.security_groups.extent);
    line("subnets", inventory.subnet_groups.seen.len(), &inventory.subnet_groups.extent);
    let worst = |extents: Vec<&Extent>| extents.into_iter().max_by_key(|extent| badness(extent)).cloned();
    let parameters = worst(inventory.parameters.values().map(|reading| &reading.extent).collect());
    let protections = worst(inventory.protections.values().map(|reading| &reading.extent).collect());
    for (listing, seen, extent) in [
        ("parameters", inventory.parameters.len(), parameters),
        ("protection", inventory.protections.len(), protections),
    ] {
        if let Some(extent) = extent {
            told(out, listing, seen, &extent, now, width);
        }
    }
}

/// Of many readings the worst is told: the one that failed, then the one that is not whole, then the oldest.
fn badness(extent: &Extent) -> (u8, std::cmp::Reverse<Timestamp>) {
    match extent {
        Extent::Complete { at } => (0, std::cmp::Reverse(*at)),
        Extent::Partial { at, .. } => (1, std::cmp::Reverse(*at)),
        Extent::Failed { since, .. } => (2, std::cmp::Reverse(*since)),
    }
}

fn is_not_yet(extent: &Extent) -> bool {
    matches!(extent, Extent::Failed { why, .. } if why.kind == FailureKind::NotYetRead)
}

fn of_registry(out: &mut String, registry: &Registry, now: Timestamp, width: usize) {
    let mut line = |listing: &str, seen: usize, extent: &Extent| told(out, listing, seen, extent, now, width);
    if let Some(organization) = &registry.organization {
        line("organization", usize::from(!organization.seen.is_empty()), &organization.extent);
    }
    line("hosts", registry.hosts.seen.len(), &registry.hosts.extent);
    match &registry.checks {
        // Services are checks there, and it has none of the other listings.
        Checks::Listed(all) => line("checks", all.seen.values().map(Vec::len).sum(), &all.extent),
        Checks::ByHost(all) => {
            line("services", registry.services.seen.len(), &registry.services.extent);
            line("monitors", registry.monitors.seen.len(), &registry.monitors.extent);
            line("metrics", registry.last_metric.seen.len(), &registry.last_metric.extent);
            of_checks(out, registry, all, now, width);
        }
    }
}

/// Checks are read host by host: how many hosts were asked, and how old the oldest answer is.
fn of_checks(
    out: &mut String,
    registry: &Registry,
    checks: &BTreeMap<RegistrationId, Reading<Vec<CheckName>>>,
    now: Timestamp,
    width: usize,
) {
    let answers: Vec<Timestamp> = checks.values().filter_map(Reading::at).collect();
    let oldest =
        answers.iter().min().map(|at| format!(", the oldest answer {} old", age(now.duration_since(*at))));
    let all = registry.hosts.seen.len();
    let (mark, seen) = match &registry.hosts.extent {
        Extent::Complete { .. } if answers.len() >= all => ('✔', answers.len().to_string()),
        Extent::Failed { .. } if answers.is_empty() => ('✗', "-".to_owned()),
        _ => ('~', answers.len().to_string()),
    };
    let head = format!(" {mark} {:<12} {seen:>6}  ", "checks");
    let text = match mark {
        '✗' => "asked host by host, and no host is known".to_owned(),
        _ => format!("asked host by host, of {}{}", count(all, "host"), oldest.unwrap_or_default()),
    };
    wrap(out, &head, &" ".repeat(head.chars().count()), &text, width);
}

fn told(out: &mut String, listing: &str, seen: usize, extent: &Extent, now: Timestamp, width: usize) {
    let since = |at: &Timestamp| age(now.duration_since(*at));
    let (mark, seen, words) = match extent {
        Extent::Complete { at } => ('✔', seen.to_string(), format!("{} old", since(at))),
        Extent::Partial { at, missing } => {
            let why = missing.first().map(|gap| format!(": {} missing: {}", gap.what, gap.why.message));
            ('~', seen.to_string(), format!("{} old, in part{}", since(at), why.unwrap_or_default()))
        }
        // What could not be read is not zero, and what nobody asked for has no age.
        Extent::Failed { why, .. } if why.kind == FailureKind::NotYetRead => {
            ('✗', "-".to_owned(), "not read yet".to_owned())
        }
        Extent::Failed { since: at, why } => {
            ('✗', "-".to_owned(), format!("{} for {}: {}", why.kind.as_str(), since(at), why.message))
        }
    };
    let head = format!(" {mark} {listing:<12} {seen:>6}  ");
    wrap(out, &head, &" ".repeat(head.chars().count()), &clean_words(&words), width);
}

/// Words of a source, freed of what could move the cursor; longer than a name may be.
fn clean_words(words: &str) -> String {
    words.split_whitespace().map(|word| clean(word).to_string()).collect::<Vec<_>>().join(" ")
}

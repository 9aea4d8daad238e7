//! What is required: what most hosts of a role have already. What several roles share hangs on a trait. Pure.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_crds::v1alpha1::{Connectivity, NamedCheck, WatchedBy};
use rollcall_engine::registry::Monitor;
use rollcall_engine::text::{count, few};

use super::environments::Environments;
use super::names::{Taken, slug};
use super::observe::Observed;
use super::roles::Duties;
use super::shares::{self, Item, Share, Shares};

/// The trait of every host that has a duty.
const EVERY_HOST: &str = "every-host";

/// One required check.
#[derive(Debug)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// Who must have it.
    pub roles: Vec<String>,
    /// Who need not.
    pub except: Vec<String>,
    /// What it looks for.
    pub by: WatchedBy,
    /// What it was derived from, for a reviewer.
    pub reasons: Vec<String>,
}

/// One trait.
#[derive(Debug)]
pub struct Trait {
    /// Its name.
    pub name: String,
    /// Duties that include it.
    pub duties: BTreeSet<String>,
    /// What it was derived from, for a reviewer.
    pub reasons: Vec<String>,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Checks {
    /// By role.
    pub list: Vec<Check>,
    /// By name.
    pub traits: Vec<Trait>,
    /// Some check names an environment.
    pub uses_site: bool,
    /// What was left to people.
    pub left: Vec<String>,
}

/// What is had, and by how many hosts of each duty.
type Having = (Item, BTreeMap<String, Share>);

/// Finds what is required. `share`: what counts as most, in percent.
pub fn find(observed: &Observed<'_>, environments: &Environments, duties: &Duties, share: u8) -> Checks {
    let Some(system) = &observed.system else { return Checks::default() };
    let monitors = &system.registry.monitors.seen;
    let shares = shares::count(observed, environments, duties, monitors);
    let judged: BTreeSet<&String> = shares
        .values()
        .flat_map(BTreeMap::iter)
        .filter(|(_, share)| share.known > 0)
        .map(|(duty, _)| duty)
        .collect();
    let judged: BTreeSet<String> = judged.into_iter().cloned().collect();
    let mut desk = Desk {
        system: &system.key.name,
        monitors,
        share: usize::from(share),
        names: duties.list.iter().map(|duty| duty.name.clone()).collect(),
        judged,
        taken: Taken::default(),
        traits: Taken::default(),
        every_host: None,
        found: Checks::default(),
    };
    for duty in &duties.list {
        desk.traits.take(&[&duty.name]);
    }
    desk.place(shares);
    desk.found.uses_site = desk
        .found
        .list
        .iter()
        .any(|check| check.by.check.as_ref().is_some_and(|check| check.name.contains("${env.")));
    desk.found
}

/// Where checks get their roles and names.
struct Desk<'d> {
    system: &'d str,
    monitors: &'d [Monitor],
    share: usize,
    names: BTreeSet<String>,
    /// Duties of which anything is known.
    judged: BTreeSet<String>,
    taken: Taken,
    traits: Taken,
    every_host: Option<String>,
    found: Checks,
}

impl Desk<'_> {
    fn place(&mut self, shares: Shares) {
        let mut by_duties: BTreeMap<BTreeSet<String>, Vec<Having>> = BTreeMap::new();
        let mut rare = Vec::new();
        for (item, of_duty) in shares {
            let most = of_duty.iter().filter(|(_, share)| share.having * 100 >= self.share * share.known);
            let duties: BTreeSet<String> = most.map(|(duty, _)| duty.clone()).collect();
            if duties.is_empty() {
                rare.push(item.label());
            } else {
                by_duties.entry(duties).or_default().push((item, of_duty));
            }
        }
        for (duties, items) in by_duties {
            self.group(&duties, items);
        }
        if !rare.is_empty() {
            let what = count(rare.len(), "check");
            self.found.left.push(format!(
                "{what} that fewer than {} % of any role have: {}",
                self.share,
                few(&rare, rare.len(), 3)
            ));
        }
        self.found.list.sort_by(|a, b| (&a.roles, &a.name).cmp(&(&b.roles, &b.name)));
    }

    /// What the same duties have: all of them, nearly all, some, or one.
    fn group(&mut self, duties: &BTreeSet<String>, items: Vec<Having>) {
        let without: Vec<String> = self.judged.difference(duties).cloned().collect();
        if self.judged.len() > 1 && without.len() * 4 <= duties.len() {
            let every_host = self.every_host();
            for (item, of_duty) in items {
                self.check(&item, &of_duty, vec![every_host.clone()], without.clone());
            }
            return;
        }
        let mut by_topic: BTreeMap<Option<String>, Vec<Having>> = BTreeMap::new();
        for (item, of_duty) in items {
            by_topic.entry(item.topic()).or_default().push((item, of_duty));
        }
        for (topic, items) in by_topic {
            let roles = match topic.filter(|_| duties.len() > 1 && items.len() > 1) {
                Some(topic) => vec![self.part(&topic, duties, items.len())],
                None => duties.iter().cloned().collect(),
            };
            for (item, of_duty) in items {
                self.check(&item, &of_duty, roles.clone(), Vec::new());
            }
        }
    }

    /// The name of the trait that every duty includes.
    fn every_host(&mut self) -> String {
        if let Some(name) = &self.every_host {
            return name.clone();
        }
        let name = self.traits.take(&[EVERY_HOST, "each-host"]);
        let reason = format!("what nearly all hosts of {} roles have in common", self.names.len());
        self.found.traits.push(Trait {
            name: name.clone(),
            duties: self.names.clone(),
            reasons: vec![reason],
        });
        self.every_host = Some(name.clone());
        name
    }

    /// A trait for several checks about one thing on several duties.
    fn part(&mut self, topic: &str, duties: &BTreeSet<String>, checks: usize) -> String {
        let name = self.traits.take(&[topic, &format!("with-{topic}")]);
        let duties_named: Vec<&str> = duties.iter().map(String::as_str).collect();
        let reason = format!(
            "{} about {topic} run on the hosts of {}",
            count(checks, "check"),
            duties_named.join(", ")
        );
        self.found.traits.push(Trait { name: name.clone(), duties: duties.clone(), reasons: vec![reason] });
        name
    }

    fn check(
        &mut self,
        item: &Item,
        of_duty: &BTreeMap<String, Share>,
        roles: Vec<String>,
        except: Vec<String>,
    ) {
        let is_asked = |duty: &&String| !except.contains(duty);
        let asked: Vec<(&String, &Share)> = of_duty
            .iter()
            .filter(|(duty, share)| share.having * 100 >= self.share * share.known && is_asked(duty))
            .collect();
        let having: usize = asked.iter().map(|(_, share)| share.having).sum();
        let known: usize = asked.iter().map(|(_, share)| share.known).sum();
        let each: Vec<String> =
            asked.iter().map(|(duty, share)| format!("{duty} {}/{}", share.having, share.known)).collect();
        let mut reasons = vec![format!("{} on {having} of {known} hosts: {}", item.label(), each.join(", "))];
        let mut watched = WatchedBy { system: self.system.to_owned(), ..WatchedBy::default() };
        match item {
            Item::Connectivity => watched.connectivity = Some(Connectivity {}),
            Item::Check(name) => watched.check = Some(NamedCheck { name: name.clone() }),
            Item::Metric(metric) => {
                watched.host_metric = Some(shares::laxest(self.monitors, metric));
                if self
                    .monitors
                    .iter()
                    .filter(|monitor| shares::item(monitor).as_ref() == Some(item))
                    .all(|monitor| monitor.muted)
                {
                    reasons.push(
                        "its monitors were all muted: unmute them, or delete this file's part".to_owned(),
                    );
                }
            }
        }
        let name = self.name(item);
        self.found.list.push(Check { name, roles, except, by: watched, reasons });
    }

    fn name(&mut self, item: &Item) -> String {
        let (full, short) = match item {
            Item::Connectivity => (Some("connectivity".to_owned()), None),
            Item::Metric(metric) => (slug(metric), None),
            Item::Check(name) => {
                let name = name.replace("${env.", "").replace('}', "");
                (slug(&name), name.strip_prefix("check-").and_then(slug))
            }
        };
        let full = full.unwrap_or_else(|| "unnamed".to_owned());
        self.taken.take(&[short.as_deref().unwrap_or(&full), &full])
    }
}

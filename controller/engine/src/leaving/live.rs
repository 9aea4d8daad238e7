//! What a pass knows of a host on its way out: its readings and what was decided from them, each with how much is known. What
//! only an identity that may act could read is unknown here, and whoever needs it is held up.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use rollcall_crds::v1alpha1::{HostState, RetirementConsent};

use super::Pass;
use crate::finding::{Code, Subject};
use crate::fleet::{Environment, Exemption, Lean};
use crate::ids::{HostId, ObjectKey, RoleName};
use crate::inventory::{Database, Instance, Inventory, Marks, MemberRole};
use crate::limits::{INVENTORY_MAX_AGE, PROTECTION_MAX_AGE};
use crate::memory::Running;
use crate::reading::FailureKind;
use crate::retirement::{
    Belonging, Fact, FirstList, HostView, Live, Member, Peers, Policy, Reach, Rule, Use,
};
use crate::rollcall::{EnvironmentRoll, HostRoll};

/// No code that acts exists: whatever is asked and granted, hosts are proposed, and their owners told. What would let one go further
/// is told of accounts and environments ([`crate::fleet::StopsNone`]).
const FURTHEST: Reach = Reach::Notify;

/// Whom a pass saw, put so that one host after the other can be looked at.
pub(super) struct Scene<'a> {
    pass: Pass<'a>,
    /// Hosts that somebody keeps: an exemption of RC0401 or of RC0402 speaks of them, whichever of both would be found now.
    kept: BTreeSet<&'a HostId>,
    /// Hosts that have been stopped for long (RC0402).
    long_stopped: BTreeSet<&'a HostId>,
    /// Everything that is listed.
    instances: HashMap<&'a HostId, &'a Instance>,
    databases: HashMap<&'a HostId, (&'a Database, &'a Inventory)>,
    /// Running hosts by environment and duty, each with its zone.
    running: BTreeMap<(&'a ObjectKey, &'a RoleName), Vec<Runner<'a>>>,
}

/// A running host, with its zone.
type Runner<'a> = (Option<&'a str>, &'a HostId);

impl<'a> Scene<'a> {
    pub(super) fn new(pass: Pass<'a>) -> Self {
        let stopped = pass.roll.findings.iter().filter(|finding| finding.code == Code::LongStopped);
        let long_stopped = stopped.filter_map(|finding| match &finding.subject {
            Subject::Host(host) => Some(host),
            _ => None,
        });
        let (kept, long_stopped) = (kept(pass), long_stopped.collect());
        let inventories = || pass.snapshot.inventories.values().map(|inventory| &**inventory);
        let listed = inventories().flat_map(|inventory| inventory.instances.seen.iter());
        let instances = listed.map(|instance| (&instance.id, instance)).collect();
        let listed =
            inventories().flat_map(|of| of.databases.seen.iter().map(move |database| (database, of)));
        let databases = listed.map(|(database, of)| (&database.id, (database, of))).collect();
        let mut scene = Self { pass, kept, long_stopped, instances, databases, running: BTreeMap::new() };
        for (id, host) in &pass.roll.hosts {
            let Some(environment) = &host.environment else { continue };
            let runs = matches!(host.state, HostState::Active | HostState::Unused) && host.seen;
            if !runs || scene.lean(environment).is_none_or(|lean| !lean.tells()) {
                continue;
            }
            let zone = scene.zone(id);
            for duty in host.duties.iter() {
                scene.running.entry((environment, duty)).or_default().push((zone, id));
            }
        }
        scene
    }

    pub(super) fn environment(&self, key: &ObjectKey) -> Option<&'a Environment> {
        self.pass.fleet.environment(key)
    }

    /// A database as it is listed.
    pub(super) fn database(&self, id: &HostId) -> Option<&'a Database> {
        self.databases.get(id).map(|(database, _)| *database)
    }

    /// What environments and grants select it by, if it is listed.
    fn marks(&self, id: &HostId) -> Option<Marks<'a>> {
        let instance = self.instances.get(id).map(|instance| instance.marks());
        instance.or_else(|| self.databases.get(id).map(|(database, _)| database.marks()))
    }

    /// The moment of the pass.
    pub(super) fn now(&self) -> Timestamp {
        self.pass.now
    }

    /// Has it been stopped for so long that it is a finding?
    pub(super) fn is_long_stopped(&self, id: &HostId) -> bool {
        self.long_stopped.contains(id)
    }

    /// Since when it has been stopped.
    pub(super) fn stopped_since(&self, id: &HostId) -> Option<Timestamp> {
        let place = &self.pass.roll.hosts.get(id)?.place;
        self.pass.memory.places.get(place)?.hosts.get(id)?.stopped_since
    }

    fn lean(&self, key: &ObjectKey) -> Option<&'a Lean> {
        self.environment(key)?.lean.as_ref()
    }

    /// Everything that is known of a host for its way out of an environment. `leaving`: hosts that are on their way already.
    pub(super) fn live(
        &self,
        id: &HostId,
        environment: &ObjectKey,
        duty: &RoleName,
        leaving: &BTreeSet<HostId>,
    ) -> Live {
        let host = self.pass.roll.hosts.get(id);
        Live {
            sources: self.sources(environment),
            host: self.view(id, host),
            usage: self.usage(id, host),
            belonging: self.belonging(id, host, environment),
            policy: self.policy(environment),
            rule: self.rule(environment),
            window: self.window(environment),
            peers: self.peers(id, host, environment, duty, leaving),
            ..Live::unread(self.pass.now)
        }
    }

    /// Is every host of the environment seen, and everything readable that could restrict?
    fn sources(&self, environment: &ObjectKey) -> Fact<()> {
        let is_doubted = self.pass.fleet.restrictions_doubted.holds_in(&environment.namespace);
        match self.pass.roll.environments.get(environment) {
            Some(_) if is_doubted => Fact::Unknown(FailureKind::Malformed),
            Some(roll) if roll.sees_hosts() => Fact::Known(()),
            Some(roll) => {
                let first = roll.blind_inventories().next();
                Fact::Unknown(first.map_or(FailureKind::Stale, |(_, failure)| failure.kind))
            }
            None => Fact::Unknown(FailureKind::Malformed),
        }
    }

    /// The host as its listing has it. One that no roll knows is gone only where everything was listed.
    fn view(&self, id: &HostId, host: Option<&HostRoll>) -> Fact<Option<HostView>> {
        let Some(host) = host else {
            return if self.pass.roll.gone.contains(id) || self.sees_everywhere(id) {
                Fact::Known(None)
            } else {
                Fact::Unknown(FailureKind::NotYetRead)
            };
        };
        if host.state == HostState::Gone {
            return Fact::Known(None);
        }
        let now = self.pass.now;
        let inventory = self.pass.snapshot.inventories.get(&host.place).filter(|_| host.seen);
        let view = match (self.instances.get(id), self.databases.get(id), inventory) {
            (Some(listed), _, Some(inventory)) => instance(listed, inventory, now),
            (_, Some((listed, of)), Some(_)) => database(listed, of, now),
            _ => Fact::Unknown(FailureKind::Stale),
        };
        match view {
            Fact::Known(view) => Fact::Known(Some(view)),
            Fact::Unknown(why) => Fact::Unknown(why),
        }
    }

    /// Does every account tell all there is of the kind of this host? Then one that nobody knows is none.
    fn sees_everywhere(&self, id: &HostId) -> bool {
        let mut accounts = self.pass.roll.accounts.values();
        !self.pass.roll.accounts.is_empty()
            && accounts.all(|account| {
                let blind = if id.is_database() { &account.databases_blind } else { &account.blind };
                account.once_read && blind.is_empty()
            })
    }

    fn usage(&self, id: &HostId, host: Option<&HostRoll>) -> Use {
        let Some(host) = host else { return Use::Unknown(FailureKind::NotYetRead) };
        let place = self.pass.memory.places.get(&host.place);
        let memory = place.and_then(|place| place.hosts.get(id)).and_then(|host| host.used.as_ref());
        match (&host.used, memory) {
            (Some(used), Some(memory)) => Use::of(used, memory.until),
            _ => Use::Unknown(FailureKind::NotYetRead),
        }
    }

    fn belonging(&self, id: &HostId, host: Option<&HostRoll>, environment: &ObjectKey) -> Fact<Belonging> {
        let Some(host) = host else { return Fact::Unknown(FailureKind::NotYetRead) };
        let fleet = self.pass.fleet;
        let is_contested = !host.claimed_by.is_empty();
        let claimant = fleet.environment(environment);
        // An environment that cannot be understood still has its host; one that is gone has not.
        let is_hidden = claimant.is_none() && host.environment.as_ref() == Some(environment);
        let is_doubted = claimant.is_some_and(|claimant| claimant.book.doubted || claimant.lean_doubted)
            || (!is_contested && fleet.claims_doubted.contains(&host.place.account));
        if is_hidden || is_doubted {
            return Fact::Unknown(FailureKind::Malformed);
        }
        let asks = |claimant: &Environment| {
            let lean =
                claimant.lean.as_ref().filter(|lean| lean.judges(&claimant.book, &played(claimant, host)));
            lean.and_then(|lean| lean.reach)
        };
        // Of one that is not listed now nothing is known, and so nothing begins.
        let grants = |claimant: &Environment| match self.marks(id) {
            Some(marks) => claimant.reach_in(&host.place.account, marks),
            None => Some(FURTHEST),
        };
        Fact::Known(Belonging {
            claims: if is_contested {
                host.claimed_by.len()
            } else {
                usize::from(host.environment.is_some())
            },
            environment: host.environment.clone(),
            asked: claimant.and_then(asks),
            granted: claimant.and_then(grants).min(Some(FURTHEST)),
            allowed: claimant.is_some_and(|claimant| is_allowed(claimant, host)),
            exempt: self.kept.contains(id),
        })
    }

    fn policy(&self, environment: &ObjectKey) -> Fact<Option<Policy>> {
        match self.environment(environment) {
            None => Fact::Unknown(FailureKind::Malformed),
            Some(environment) if environment.lean_doubted => Fact::Unknown(FailureKind::Malformed),
            Some(environment) => Fact::Known(environment.lean.as_ref().map(|lean| Policy {
                hash: lean.rule.hash().to_string().into(),
                keep_last: lean.terms.keep_last,
                approvals: lean.terms.approvals,
                cool_off: lean.terms.cool_off,
                probation: lean.terms.probation,
                final_act: lean.terms.final_act,
                ..Policy::default()
            })),
        }
    }

    /// What its environment says of hosts that leave, if that is understood.
    fn understood(&self, environment: &ObjectKey) -> Option<&'a Lean> {
        self.environment(environment).filter(|environment| !environment.lean_doubted)?.lean.as_ref()
    }

    /// How long this very rule has run in the environment. What somebody acknowledged does not count: nobody vouches for who wrote
    /// it.
    fn rule(&self, environment: &ObjectKey) -> Fact<Rule> {
        let Some(lean) = self.understood(environment) else { return Fact::Unknown(FailureKind::Malformed) };
        let remembered = self.pass.memory.environments.get(environment);
        let run = remembered.and_then(|of| of.rule_run.as_ref());
        match Running::of(lean.rule.hash(), run, self.pass.now) {
            Running::NotYet => Fact::Unknown(FailureKind::NotYetRead),
            Running::Overfull => Fact::Unknown(FailureKind::TooLarge),
            Running::Paused(_) => Fact::Unknown(FailureKind::Stale),
            Running::Since(since) => Fact::Known(Rule { since, first_list: FirstList::Waits }),
        }
    }

    /// Is a window open now?
    fn window(&self, environment: &ObjectKey) -> Fact<bool> {
        let windows = self.understood(environment).and_then(|lean| lean.windows.as_ref());
        windows.map_or(Fact::Unknown(FailureKind::Malformed), |of| Fact::Known(of.is_open(self.pass.now)))
    }

    /// Who else of its duty runs and stays.
    fn peers(
        &self,
        id: &HostId,
        host: Option<&HostRoll>,
        environment: &ObjectKey,
        duty: &RoleName,
        leaving: &BTreeSet<HostId>,
    ) -> Fact<Peers> {
        let sees_all = self.pass.roll.environments.get(environment).is_some_and(EnvironmentRoll::sees_hosts);
        let (Some(_), Some(claimant)) = (host, self.environment(environment)) else {
            return Fact::Unknown(FailureKind::NotYetRead);
        };
        if !sees_all || claimant.is_partial {
            return Fact::Unknown(FailureKind::Stale);
        }
        let running = self.running.get(&(environment, duty)).map_or(&[][..], Vec::as_slice);
        let others = running.iter().filter(|(_, other)| *other != id && !leaving.contains(*other));
        let zone = self.zone(id);
        let (mut in_zone, mut in_all) = (0, 0);
        for (other, _) in others {
            in_all += 1;
            in_zone += usize::from(*other == zone);
        }
        let number = claimant.book.number(duty.as_str());
        let wanted = claimant.counts.iter().find(|count| Some(count.role) == number).map_or(0, |c| c.min);
        Fact::Known(Peers { in_zone, in_all, wanted: usize::try_from(wanted).unwrap_or(usize::MAX) })
    }

    /// The availability zone of an instance. A database may be in several: they all count as of one.
    fn zone(&self, id: &HostId) -> Option<&'a str> {
        self.instances.get(id)?.zone.as_deref()
    }
}

/// Whom somebody keeps, while the exemption lasts. Frozen debt keeps nobody.
fn kept(pass: Pass<'_>) -> BTreeSet<&HostId> {
    let keeps = pass.fleet.exemptions.values().filter(|one| {
        !one.is_baseline
            && matches!(one.code, Code::Unused | Code::LongStopped)
            && pass.now < one.ends
            && one.check.is_none()
            && one.system.is_none()
    });
    let keeps: Vec<&Exemption> = keeps.collect();
    let is_kept = |(id, host): &(&HostId, &HostRoll)| {
        let Some(environment) = &host.environment else { return false };
        keeps.iter().any(|one| {
            let plays = |role: &Arc<str>| {
                host.duties.iter().chain(host.traits.iter()).any(|name| name.as_str() == &**role)
            };
            one.key.namespace == environment.namespace
                && one.is_for(id)
                && one.role.as_ref().is_none_or(plays)
        })
    };
    pass.roll.hosts.iter().filter(is_kept).map(|(id, _)| id).collect()
}

/// An instance. Whether a stop would wipe volumes of it nobody asks who stops nothing.
fn instance(instance: &Instance, inventory: &Inventory, now: Timestamp) -> Fact<HostView> {
    let protected = match inventory.protections.get(&instance.id) {
        None => Fact::Unknown(FailureKind::NotYetRead),
        Some(reading) => match Fact::of(reading, now, PROTECTION_MAX_AGE, Clone::clone) {
            Fact::Known(told) => told.map_or(Fact::Unknown(FailureKind::Stale), Fact::Known),
            Fact::Unknown(why) => Fact::Unknown(why),
        },
    };
    Fact::Known(HostView::of_instance(instance, &protected, &Fact::Unknown(FailureKind::NotYetRead)))
}

/// A database, with what its cluster says. What stopped and started it only events tell, which nobody reads who stops nothing.
fn database(database: &Database, inventory: &Inventory, now: Timestamp) -> Fact<HostView> {
    let member = match &database.cluster {
        None => Member { role: MemberRole::Alone, of: 1, protected: false },
        Some(name) => {
            let cluster = inventory
                .clusters
                .complete(now, INVENTORY_MAX_AGE)
                .map(|clusters| clusters.all().iter().find(|cluster| cluster.name == *name));
            match cluster {
                Some(Some(cluster)) => Member {
                    role: cluster.role_of(&database.name),
                    of: cluster.members.len(),
                    protected: cluster.deletion_protection,
                },
                Some(None) | None => return Fact::Unknown(FailureKind::NotYetRead),
            }
        }
    };
    HostView::of_database(database, member, None, None)
}

/// The roles of a host, as numbers of the book of whom it belongs to.
fn played(claimant: &Environment, host: &HostRoll) -> Vec<u16> {
    let names = host.duties.iter().chain(host.traits.iter());
    names.filter_map(|name| claimant.book.number(name.as_str())).collect()
}

/// Does a duty of it say `Allowed`, and no role of it `Never`?
fn is_allowed(claimant: &Environment, host: &HostRoll) -> bool {
    let roles = played(claimant, host).into_iter().filter_map(|number| claimant.book.role(number));
    let (mut allowed, mut never) = (false, false);
    for role in roles {
        allowed |= role.is_duty && role.retirement == Some(RetirementConsent::Allowed);
        never |= role.retirement == Some(RetirementConsent::Never);
    }
    allowed && !never
}

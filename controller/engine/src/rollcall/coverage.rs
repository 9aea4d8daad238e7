//! The rows of a host: for each requirement, is it really watched? Of several ways the best counts; a lack is
//! said only when every way was judged.

use std::collections::{BTreeMap, HashMap};
use std::mem::discriminant;
use std::sync::Arc;

use super::join::Joins;
use super::monitors::{Verdicts, Watch};
use super::names::NameBook;
use super::plan::{EntryPlan, LookPlan, Plans, WayPlan};
use super::reach::{self, Reach};
use super::reasons::{NOT_JUDGED, Reasons};
use super::registries::{Names, SystemView};
use super::roles::Class;
use super::stand::Stand;
use super::standing::{Pulse, Standing, standing};
use super::verdict::{
    Because, Lack, Lacking, Verdict, enough, verdict_of, verdict_on, verdict_on_check, verdict_on_reach,
};
use super::{Coverage, Pass, Reason, Row};
use crate::reading::{Failure, FailureKind};
use crate::registry::RegistrationStatus;

/// The rows of one host, what they lack, and how it stands in its systems.
#[derive(Debug)]
pub(super) struct HostRows<'a> {
    /// Shared by hosts that stand alike.
    pub(super) rows: Arc<[Row]>,
    pub(super) lacking: Arc<[Lacking]>,
    /// By system that its environment needs.
    pub(super) standings: Vec<(usize, Standing<'a>)>,
}

/// Works out rows; holds what hosts have in common.
pub(super) struct Rater<'p, 'a> {
    pub(super) pass: &'p Pass<'a>,
    pub(super) systems: &'p [SystemView<'a>],
    pub(super) plans: &'p Plans<'a>,
    pub(super) joins: &'p Joins,
    /// By system.
    pub(super) verdicts: Vec<Verdicts<'a>>,
    /// By system.
    pub(super) names: Vec<NameBook<'a>>,
    /// Running hosts that are known to run just the checks of a list, by environment, system and list.
    pub(super) running: BTreeMap<(usize, usize, u32), u32>,
    /// Whom alerts of checks reach, by system, number of roles and number of recipients.
    routed: HashMap<(usize, usize, usize), Reach>,
    /// What was worked out: hosts of one class that stand alike have the same rows.
    known: HashMap<Alike, Rated>,
}

/// Rows, and what they lack; shared.
type Rated = (Arc<[Row]>, Arc<[Lacking]>);

/// What the rows of a host depend on: its class, and how it stands in each system.
type Alike = (usize, Vec<(usize, Presence)>);

impl<'p, 'a> Rater<'p, 'a> {
    pub(super) fn new(
        pass: &'p Pass<'a>,
        systems: &'p [SystemView<'a>],
        plans: &'p Plans<'a>,
        joins: &'p Joins,
    ) -> Self {
        Self {
            pass,
            systems,
            plans,
            joins,
            verdicts: systems.iter().map(|_| Verdicts::default()).collect(),
            names: plans.wanted.iter().map(NameBook::new).collect(),
            running: BTreeMap::new(),
            routed: HashMap::new(),
            known: HashMap::new(),
        }
    }

    /// The rows of a host that is there and runs.
    pub(super) fn rate(&mut self, host: usize, class: &Class<'a>, reasons: &mut Reasons) -> HostRows<'a> {
        let standings = self.standings(host, class, reasons);
        let present: Vec<(usize, Presence)> = standings
            .iter()
            .map(|(system, standing)| (*system, self.presence(*system, class.number, standing, reasons)))
            .collect();
        let alike = (class.index, present);
        if let Some((rows, lacking)) = self.known.get(&alike) {
            return HostRows { rows: Arc::clone(rows), lacking: Arc::clone(lacking), standings };
        }
        let (rows, lacking) = self.work_out(class, &alike.1, reasons);
        let (rows, lacking): (Arc<[Row]>, Arc<[Lacking]>) = (rows.into(), lacking.into());
        self.known.insert(alike, (Arc::clone(&rows), Arc::clone(&lacking)));
        HostRows { rows, lacking, standings }
    }

    fn work_out(
        &mut self,
        class: &Class<'a>,
        present: &[(usize, Presence)],
        reasons: &mut Reasons,
    ) -> (Vec<Row>, Vec<Lacking>) {
        let mut rows = Vec::with_capacity(class.entries.len());
        let mut lacking = Vec::new();
        let plans = self.plans;
        for (index, entry) in class.entries.iter().enumerate() {
            let plan =
                plans.ledgers.get(class.number).and_then(|ledger| ledger.get(usize::from(entry.ledger)));
            let coverage = match plan {
                Some(EntryPlan::Registered(Ok(system))) => {
                    let verdict = among(*system, present, reasons, |voice, _| voice.registered());
                    note(verdict, index, *system, None, &mut lacking)
                }
                Some(EntryPlan::Check(ways, at_least)) => {
                    let row = self.check(index, (ways, *at_least), present, reasons);
                    row.unwrap_or_else(|lack| {
                        let coverage = lack.lack.coverage();
                        lacking.push(lack);
                        coverage
                    })
                }
                Some(EntryPlan::Registered(Err(reason)) | EntryPlan::Unjudged(reason)) => {
                    Coverage::Unknown(*reason)
                }
                Some(EntryPlan::Asserted | EntryPlan::OfEnvironment) | None => Coverage::Unknown(NOT_JUDGED),
            };
            rows.push(Row { requirement: entry.ledger, coverage });
        }
        (rows, lacking)
    }

    /// How a host stands in every system of its environment.
    pub(super) fn standings(
        &self,
        host: usize,
        class: &Class<'a>,
        reasons: &mut Reasons,
    ) -> Vec<(usize, Standing<'a>)> {
        let systems =
            class.environment.systems.iter().filter_map(|number| Some((*number, self.systems.get(*number)?)));
        systems
            .map(|(number, system)| (number, standing(self.pass, number, system, host, self.joins, reasons)))
            .collect()
    }

    /// The standing, reduced to what rows depend on. Counts on the way which checks run where that is known.
    fn presence(
        &mut self,
        system: usize,
        environment: usize,
        standing: &Standing<'a>,
        reasons: &mut Reasons,
    ) -> Presence {
        // Of several registrations only one is the host's own voice: what the others run is nobody's excess.
        let (posts, is_alone) = match standing {
            Standing::Unknown(reason) => return Presence::Unknown(*reason),
            Standing::Absent => return Presence::Absent,
            Standing::Once(post) => (std::slice::from_ref(post), true),
            Standing::Several(posts) | Standing::Glimpsed(posts, _) => (posts.as_slice(), false),
        };
        let (Some(book), Some(verdicts), Some(view)) =
            (self.names.get_mut(system), self.verdicts.get_mut(system), self.systems.get(system))
        else {
            return Presence::Unknown(NOT_JUDGED);
        };
        let running = &mut self.running;
        let voices = posts.iter().map(|post| {
            let (told, others) = match post.names {
                Names::All(told) => (told, None),
                Names::AtLeast(told, reason) => (told, Some(reason)),
            };
            let list = book.list(told, view, reasons);
            if is_alone && others.is_none() {
                *running.entry((environment, system, list)).or_default() += 1;
            }
            let scopes = verdicts.class(&post.registration.roles, is_alone);
            Voice {
                is_watched: post.is_watched,
                pulse: post.pulse,
                own: post.own,
                list,
                others,
                scopes,
                is_standby: post.registration.status == RegistrationStatus::Standby,
            }
        });
        let voices = voices.collect();
        match standing {
            Standing::Glimpsed(_, gap) => Presence::Glimpsed(voices, *gap),
            _ => Presence::Here(voices),
        }
    }

    /// The row of one check, or what it lacks.
    fn check(
        &mut self,
        row: usize,
        (ways, at_least): (&[Result<WayPlan, Reason>], usize),
        present: &[(usize, Presence)],
        reasons: &mut Reasons,
    ) -> Result<Coverage, Lacking> {
        let ways = ways.iter().map(|way| match way {
            Ok(plan) => (Some((plan.system, plan.way)), self.way(plan, present, reasons)),
            Err(reason) => (None, Verdict::Unknown(*reason)),
        });
        enough(row, at_least, ways)
    }

    fn way(&mut self, way: &WayPlan, present: &[(usize, Presence)], reasons: &mut Reasons) -> Verdict {
        let Self { systems, plans, verdicts, names, routed, .. } = self;
        let (Some(system), Some(verdicts), Some(names)) =
            (systems.get(way.system), verdicts.get_mut(way.system), names.get(way.system))
        else {
            return Verdict::Unknown(NOT_JUDGED);
        };
        let Some(wanted) = plans.wanted.get(way.system) else { return Verdict::Unknown(NOT_JUDGED) };
        let notifies = way.notifies.and_then(|number| wanted.recipients.get(number).copied());
        let watch = |verdicts: &mut Verdicts<'a>, voice: &Voice, number: usize, reasons: &mut Reasons| {
            let look = wanted.monitors.get(number)?;
            Some(verdicts.watch(system, voice.scopes, number, *look, reasons))
        };
        among(way.system, present, reasons, |voice, reasons| match voice.is_watched {
            Ok(false) => Verdict::Lacks(Lack::Muted, Because::Status),
            Err(reason) => Verdict::Unknown(reason),
            Ok(true) if voice.is_standby && notifies.is_some() => {
                Verdict::Lacks(Lack::Unheard, Because::Itself(Some("status standby notifies nobody".into())))
            }
            Ok(true) => match way.looks {
                LookPlan::Monitor(number) => voice.monitor(watch(verdicts, voice, number, reasons)),
                LookPlan::Connectivity(number) => verdict_of(watch(verdicts, voice, number, reasons)),
                LookPlan::Name(name) => {
                    let found = names.stand(voice.list, name);
                    let verdict = voice.check(found.map(|(stand, _)| stand));
                    let (Verdict::Covered, Some(wanted)) = (&verdict, notifies) else { return verdict };
                    let heard_by = found.and_then(|(_, heard_by)| heard_by);
                    if heard_by.is_some() {
                        return verdict_on_reach(
                            reach::of_check(system, heard_by, &[], wanted, reasons),
                            wanted,
                        );
                    }
                    // The same for all hosts with these roles: groups and channels are many, and rows are more.
                    let key = (way.system, voice.scopes, way.notifies.unwrap_or_default());
                    let reach = *routed.entry(key).or_insert_with(|| {
                        let roles = verdicts.roles_of(voice.scopes);
                        reach::of_check(system, None, roles, wanted, reasons)
                    });
                    verdict_on_reach(reach, wanted)
                }
            },
        })
    }
}

/// How a host stands in a system, reduced to what rows depend on: hosts of one class that are alike in this
/// have the same rows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Presence {
    /// Nobody can tell.
    Unknown(Reason),
    /// Proved not to be registered.
    Absent,
    /// Registered; more than one voice when nobody can tell which is the live one.
    Here(Vec<Voice>),
    /// The same in a listing that is not whole, and why it is not.
    Glimpsed(Vec<Voice>, Reason),
}

/// One registration, reduced to what rows depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Voice {
    is_watched: Result<bool, Reason>,
    pulse: Pulse,
    own: Stand,
    /// Number of its list of check names.
    list: u32,
    /// Why it may have others.
    others: Option<Reason>,
    /// Number of its roles in the system's verdicts.
    scopes: usize,
    /// Its status lets it be watched, and nobody be notified.
    is_standby: bool,
}

impl Voice {
    fn registered(&self) -> Verdict {
        match (self.is_watched, self.pulse) {
            (Ok(false), _) => Verdict::Lacks(Lack::Muted, Because::Status),
            (Ok(true), Pulse::Alive) => verdict_on(self.own, Because::Own),
            (Ok(true), Pulse::Silent) => Verdict::Lacks(Lack::Silent, Because::Silent),
            (Err(reason), _) | (Ok(true), Pulse::Unknown(reason)) => Verdict::Unknown(reason),
        }
    }

    fn check(&self, stand: Option<Stand>) -> Verdict {
        verdict_on_check(self.pulse, stand, self.others)
    }

    /// A monitor on a metric. Without data it watches nothing.
    fn monitor(&self, watch: Option<Watch>) -> Verdict {
        match self.pulse {
            Pulse::Silent => Verdict::Lacks(Lack::Silent, Because::Silent),
            Pulse::Unknown(reason) => Verdict::Unknown(reason),
            Pulse::Alive => verdict_of(watch),
        }
    }
}

/// The verdict over all voices of a host in a system. When nobody can tell which of them is the live one, they must
/// agree; when there may be others, a lack is no news.
fn among(
    system: usize,
    present: &[(usize, Presence)],
    reasons: &mut Reasons,
    mut of: impl FnMut(&Voice, &mut Reasons) -> Verdict,
) -> Verdict {
    let (voices, gap) = match present.iter().find(|(number, _)| *number == system) {
        Some((_, Presence::Here(voices))) => (voices, None),
        Some((_, Presence::Glimpsed(voices, gap))) => (voices, Some(*gap)),
        Some((_, Presence::Absent)) => return Verdict::Lacks(Lack::Missing, Because::NotRegistered),
        Some((_, Presence::Unknown(reason))) => return Verdict::Unknown(*reason),
        None => return Verdict::Unknown(NOT_JUDGED),
    };
    let mut agreed: Option<Verdict> = None;
    for voice in voices {
        agreed = Some(match (agreed, of(voice, reasons)) {
            (None, verdict) => verdict,
            (Some(Verdict::Covered), Verdict::Covered) => Verdict::Covered,
            // That each of them lacks something else does not tell what the host lacks.
            (Some(Verdict::Lacks(a, why)), Verdict::Lacks(b, because))
                if a == b && discriminant(&why) == discriminant(&because) =>
            {
                Verdict::Lacks(a, why)
            }
            _ => {
                let message = "registered more than once, and it is not known which registration is alive";
                return Verdict::Unknown(reasons.number(&Failure::new(FailureKind::NotYetRead, message)));
            }
        });
    }
    match (agreed, gap) {
        (Some(Verdict::Lacks(..)), Some(gap)) => Verdict::Unknown(gap),
        (agreed, _) => agreed.unwrap_or(Verdict::Unknown(NOT_JUDGED)),
    }
}

fn note(
    verdict: Verdict,
    row: usize,
    system: usize,
    way: Option<usize>,
    lacking: &mut Vec<Lacking>,
) -> Coverage {
    match verdict {
        Verdict::Covered => Coverage::Covered,
        Verdict::Unknown(reason) => Coverage::Unknown(reason),
        Verdict::Lacks(lack, because) => {
            lacking.push(Lacking { row, lack, system, because, way });
            lack.coverage()
        }
    }
}

//! The rows of a host: for each requirement, is it really watched? Of several ways the best counts; a lack is
//! said only when every way was judged.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::join::Joins;
use super::monitors::{Verdicts, Watch};
use super::plan::{EntryPlan, LookPlan, Plans, WayPlan};
use super::reasons::{NOT_JUDGED, Reasons};
use super::registries::{Names, SystemView};
use super::roles::Class;
use super::standing::{Post, Pulse, Standing, standing};
use super::{Coverage, Pass, Reason, Row};
use crate::ids::CheckName;
use crate::reading::{Failure, FailureKind};

/// The rows of one host, what they lack, and how it stands in its systems.
#[derive(Debug)]
pub(super) struct HostRows<'a> {
    pub(super) rows: Vec<Row>,
    pub(super) lacking: Vec<Lacking>,
    /// By system that its environment needs.
    pub(super) standings: Vec<(usize, Standing<'a>)>,
}

/// A row that is not in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lacking {
    /// Index into the rows.
    pub(super) row: usize,
    pub(super) lack: Lack,
    /// Number of the system in which it was nearest to being covered.
    pub(super) system: usize,
    pub(super) because: Because,
    /// Number of the way that was nearest; none for a registration.
    pub(super) way: Option<usize>,
}

/// What a row lacks; the nearest to being covered first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lack {
    Muted,
    Silent,
    Weak,
    Missing,
}

impl Lack {
    pub(super) fn coverage(self) -> Coverage {
        match self {
            Self::Muted => Coverage::Muted,
            Self::Silent => Coverage::Silent,
            Self::Weak => Coverage::Weak,
            Self::Missing => Coverage::Missing,
        }
    }
}

/// What explains a lack. The first three explain many rows of a host at once: they are findings, the rows are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Because {
    /// The host is not registered there.
    NotRegistered,
    /// Its status there switches watching off.
    Status,
    /// It sends no data there.
    Silent,
    /// This check alone; the text says what was found, if anything was.
    Itself(Option<Arc<str>>),
}

/// What one way says.
enum Verdict {
    Covered,
    Lacks(Lack, Because),
    Unknown(Reason),
}

/// Works out rows; holds what hosts have in common.
pub(super) struct Rater<'p, 'a> {
    pub(super) pass: &'p Pass<'a>,
    pub(super) systems: &'p [SystemView<'a>],
    pub(super) plans: &'p Plans<'a>,
    pub(super) joins: &'p Joins,
    pub(super) verdicts: Vec<Verdicts<'a>>,
    /// Checks that run and that nobody of the environment asks for, by environment, system and name.
    pub(super) unrequired: BTreeMap<(usize, usize, &'a str), u32>,
}

impl<'p, 'a> Rater<'p, 'a> {
    pub(super) fn new(
        pass: &'p Pass<'a>,
        systems: &'p [SystemView<'a>],
        plans: &'p Plans<'a>,
        joins: &'p Joins,
    ) -> Self {
        let verdicts = systems.iter().map(|_| Verdicts::default()).collect();
        Self { pass, systems, plans, joins, verdicts, unrequired: BTreeMap::new() }
    }

    /// The rows of a host that is there and runs.
    pub(super) fn rate(&mut self, host: usize, class: &Class<'a>, reasons: &mut Reasons) -> HostRows<'a> {
        let standings = self.standings(host, class, reasons);
        let present: Vec<Presence<'_, 'a>> =
            standings.iter().map(|(number, standing)| self.presence(*number, class, standing)).collect();
        let mut rows = Vec::with_capacity(class.entries.len());
        let mut lacking = Vec::new();
        for (index, entry) in class.entries.iter().enumerate() {
            let plan =
                self.plans.ledgers.get(class.number).and_then(|ledger| ledger.get(usize::from(entry.ledger)));
            let coverage = match plan {
                Some(EntryPlan::Registered(Ok(system))) => {
                    let verdict = Self::registered(*system, &present, reasons);
                    note(verdict, index, *system, None, &mut lacking)
                }
                Some(EntryPlan::Check(ways)) => self.check(index, ways, &present, reasons, &mut lacking),
                Some(EntryPlan::Registered(Err(reason)) | EntryPlan::Unjudged(reason)) => {
                    Coverage::Unknown(*reason)
                }
                None => Coverage::Unknown(NOT_JUDGED),
            };
            rows.push(Row { requirement: entry.ledger, coverage });
        }
        HostRows { rows, lacking, standings }
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

    fn presence<'s>(
        &mut self,
        number: usize,
        class: &Class<'a>,
        standing: &'s Standing<'a>,
    ) -> Presence<'s, 'a> {
        let posts = match standing {
            Standing::Unknown(reason) => return Presence::Unknown(number, *reason),
            Standing::Absent => return Presence::Absent(number),
            Standing::Once(post) => std::slice::from_ref(post),
            Standing::Several(posts) => posts,
        };
        // Of several registrations only one is the host's own voice: what the others run is nobody's excess.
        let is_alone = matches!(standing, Standing::Once(_));
        let known = posts.iter().map(|post| {
            let (names, others) = match post.names {
                Names::All(names) => (names, None),
                Names::AtLeast(names, reason) => (names, Some(reason)),
            };
            let numbers = self.numbers(number, class.number, names, is_alone && others.is_none());
            let scopes = self
                .verdicts
                .get_mut(number)
                .map_or(0, |verdicts| verdicts.class(&post.registration.roles, is_alone));
            KnownPost { post, names: numbers, others, scopes }
        });
        Presence::Here(number, known.collect())
    }

    /// The numbers of those names that anybody looks for, sorted. Names that nobody of this environment asks for are
    /// counted on the way, where the listing is complete.
    fn numbers(
        &mut self,
        system: usize,
        environment: usize,
        names: &'a [CheckName],
        is_complete: bool,
    ) -> Vec<u32> {
        let Some(wanted) = self.plans.wanted.get(system) else { return Vec::new() };
        let asked = wanted.asked.get(&environment);
        let mut numbers = Vec::with_capacity(names.len());
        for name in names {
            let number = wanted.names.get(name.as_str()).copied();
            numbers.extend(number);
            let is_asked = number.is_some_and(|number| asked.is_some_and(|asked| asked.contains(&number)));
            if is_complete && !is_asked {
                *self.unrequired.entry((environment, system, name.as_str())).or_default() += 1;
            }
        }
        numbers.sort_unstable();
        numbers
    }

    fn registered(system: usize, present: &[Presence<'_, 'a>], reasons: &mut Reasons) -> Verdict {
        among(system, present, reasons, |known| match known.post.is_watched {
            Ok(false) => Verdict::Lacks(Lack::Muted, Because::Status),
            Err(reason) => Verdict::Unknown(reason),
            Ok(true) => match known.post.pulse {
                Pulse::Alive => Verdict::Covered,
                Pulse::Silent => Verdict::Lacks(Lack::Silent, Because::Silent),
                Pulse::Unknown(reason) => Verdict::Unknown(reason),
            },
        })
    }

    /// The best of all ways; unknown while one of them is and none covers.
    fn check(
        &mut self,
        row: usize,
        ways: &[Result<WayPlan, Reason>],
        present: &[Presence<'_, 'a>],
        reasons: &mut Reasons,
        lacking: &mut Vec<Lacking>,
    ) -> Coverage {
        let mut unknown = None;
        let mut nearest: Option<Lacking> = None;
        for way in ways {
            let verdict = match way {
                Ok(way) => self.way(way, present, reasons),
                Err(reason) => Verdict::Unknown(*reason),
            };
            match (verdict, way) {
                (Verdict::Covered, _) => return Coverage::Covered,
                (Verdict::Lacks(lack, because), Ok(way)) => {
                    if nearest.as_ref().is_none_or(|nearest| lack < nearest.lack) {
                        nearest =
                            Some(Lacking { row, lack, system: way.system, because, way: Some(way.way) });
                    }
                }
                (Verdict::Unknown(reason), _) => unknown = unknown.or(Some(reason)),
                (Verdict::Lacks(..), Err(_)) => {}
            }
        }
        match (unknown, nearest) {
            (None, Some(nearest)) => {
                let coverage = nearest.lack.coverage();
                lacking.push(nearest);
                coverage
            }
            (unknown, _) => Coverage::Unknown(unknown.unwrap_or(NOT_JUDGED)),
        }
    }

    fn way(&mut self, way: &WayPlan, present: &[Presence<'_, 'a>], reasons: &mut Reasons) -> Verdict {
        let Self { systems, plans, verdicts, .. } = self;
        let (Some(system), Some(verdicts)) = (systems.get(way.system), verdicts.get_mut(way.system)) else {
            return Verdict::Unknown(NOT_JUDGED);
        };
        let look = |number: usize| {
            plans.wanted.get(way.system).and_then(|wanted| wanted.monitors.get(number)).copied()
        };
        among(way.system, present, reasons, |known| {
            match known.post.is_watched {
                Ok(false) => return Verdict::Lacks(Lack::Muted, Because::Status),
                Err(reason) => return Verdict::Unknown(reason),
                Ok(true) => {}
            }
            let mut watch = |number: usize| {
                let roles = &known.post.registration.roles;
                look(number).map(|look| verdicts.watch(system, known.scopes, roles, number, look).clone())
            };
            match way.looks {
                LookPlan::Name(name) => known.check(name),
                LookPlan::Monitor(number) => known.monitor(watch(number)),
                LookPlan::Connectivity(number) => verdict_of(watch(number)),
            }
        })
    }
}

/// How a host stands in a system, prepared for comparing numbers.
enum Presence<'s, 'a> {
    Unknown(usize, Reason),
    Absent(usize),
    Here(usize, Vec<KnownPost<'s, 'a>>),
}

struct KnownPost<'s, 'a> {
    post: &'s Post<'a>,
    /// Numbers of the wanted names that it has, sorted.
    names: Vec<u32>,
    /// Why it may have others.
    others: Option<Reason>,
    /// Number of its roles in the system's verdicts.
    scopes: usize,
}

impl KnownPost<'_, '_> {
    /// A check by name. An agent that is silent runs no check; while nobody knows whether it is silent, that it has a check still
    /// counts, and that it has none is no news of its own: silence may explain it.
    fn check(&self, name: u32) -> Verdict {
        match (self.post.pulse, self.names.binary_search(&name), self.others) {
            (Pulse::Silent, ..) => Verdict::Lacks(Lack::Silent, Because::Silent),
            (_, Ok(_), _) => Verdict::Covered,
            (_, Err(_), Some(reason)) | (Pulse::Unknown(reason), Err(_), None) => Verdict::Unknown(reason),
            (Pulse::Alive, Err(_), None) => Verdict::Lacks(Lack::Missing, Because::Itself(None)),
        }
    }

    /// A monitor on a metric. Without data it watches nothing.
    fn monitor(&self, watch: Option<Watch>) -> Verdict {
        match self.post.pulse {
            Pulse::Silent => Verdict::Lacks(Lack::Silent, Because::Silent),
            Pulse::Unknown(reason) => Verdict::Unknown(reason),
            Pulse::Alive => verdict_of(watch),
        }
    }
}

fn verdict_of(watch: Option<Watch>) -> Verdict {
    match watch {
        Some(Watch::Covered) => Verdict::Covered,
        Some(Watch::Muted(monitor)) => Verdict::Lacks(Lack::Muted, Because::Itself(Some(monitor))),
        Some(Watch::Weak(why)) => Verdict::Lacks(Lack::Weak, Because::Itself(Some(why))),
        Some(Watch::Missing) => Verdict::Lacks(Lack::Missing, Because::Itself(None)),
        Some(Watch::Unknown(reason)) => Verdict::Unknown(reason),
        None => Verdict::Unknown(NOT_JUDGED),
    }
}

/// The verdict over all registrations of a host in a system. When nobody can tell which of them is the live one,
/// they must agree.
fn among<'s, 'a>(
    system: usize,
    present: &[Presence<'s, 'a>],
    reasons: &mut Reasons,
    mut of: impl FnMut(&KnownPost<'s, 'a>) -> Verdict,
) -> Verdict {
    let is_it = |presence: &&Presence<'_, '_>| match presence {
        Presence::Unknown(number, _) | Presence::Absent(number) | Presence::Here(number, _) => {
            *number == system
        }
    };
    let posts = match present.iter().find(is_it) {
        Some(Presence::Here(_, posts)) => posts,
        Some(Presence::Absent(_)) => return Verdict::Lacks(Lack::Missing, Because::NotRegistered),
        Some(Presence::Unknown(_, reason)) => return Verdict::Unknown(*reason),
        None => return Verdict::Unknown(NOT_JUDGED),
    };
    let mut agreed: Option<Verdict> = None;
    for post in posts {
        agreed = Some(match (agreed, of(post)) {
            (None, verdict) => verdict,
            (Some(Verdict::Covered), Verdict::Covered) => Verdict::Covered,
            (Some(Verdict::Lacks(a, why)), Verdict::Lacks(b, _)) if a <= b => Verdict::Lacks(a, why),
            (Some(Verdict::Lacks(..)), Verdict::Lacks(b, why)) => Verdict::Lacks(b, why),
            _ => {
                let message = "registered more than once, and it is not known which registration is alive";
                return Verdict::Unknown(reasons.number(&Failure::new(FailureKind::NotYetRead, message)));
            }
        });
    }
    agreed.unwrap_or(Verdict::Unknown(NOT_JUDGED))
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

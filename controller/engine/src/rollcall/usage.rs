//! Whether hosts look unused: the verdict on each running host that its environment judges, and what is remembered of it.
//!
//! What is not here is bridged by what is remembered of it, for a day, and nobody may act on that. Nothing is
//! taken from a reading that is older.

use rollcall_crds::v1alpha1::Severity;

use super::host_findings::{Clerk, Note};
use super::listed::{Life, Listed};
use super::population::HostView;
use super::roles::Class;
use super::scene::Scene;
use crate::activity::{Activity, Day, Window};
use crate::finding::{Code, Finding};
use crate::fleet::Lean;
use crate::inventory::MemberRole;
use crate::lean::{Doubt, Host, Idle, RuleHash, Use, Weakness, judge};
use crate::limits::{ACTIVITY_DAYS, ACTIVITY_HELD_DAYS};
use crate::memory::UseMemory;

/// What one host comes to.
#[derive(Clone, Debug, Default)]
pub(super) struct Usage {
    /// The verdict; none where nobody asks for one.
    pub(super) is: Option<Use>,
    pub(super) memory: Option<UseMemory>,
    /// The last day on which it was seen to be idle by design.
    pub(super) spared_on: Option<Day>,
}

/// Judges a host that is there. One that is not judged now, for nobody can tell what it plays or by which rule, is remembered
/// as it was.
pub(super) fn of<'a>(scene: &Scene<'_, 'a>, host: &HostView<'a>, class: &Class<'a>) -> Usage {
    let spared_on = spared_on(scene, host, class);
    Usage { spared_on, ..judged(scene, host, class, spared_on) }
}

/// The last day on which it was idle by design, as far as that is certain. Whoever plays another role since, or was promoted, is
/// judged by the days after it.
fn spared_on<'a>(scene: &Scene<'_, 'a>, host: &HostView<'a>, class: &Class<'a>) -> Option<Day> {
    let book = &class.environment.book;
    let by_roles = || {
        !book.doubted && class.roles.iter().filter_map(|role| book.role(*role)).any(|role| role.may_be_idle)
    };
    let by_part = || host.listed.and_then(serves_others) == Some(true);
    let today = Day::of(scene.pass.now);
    if host.seen && (by_roles() || by_part()) {
        return Some(today);
    }
    // No rule looks further back than the days that are read, and no reading is held for longer.
    let remembered = host.memory.and_then(|memory| memory.spared_on);
    remembered.filter(|day| today.days_since(*day) <= i32::from(ACTIVITY_DAYS) + ACTIVITY_HELD_DAYS)
}

fn judged<'a>(
    scene: &Scene<'_, 'a>,
    host: &HostView<'a>,
    class: &Class<'a>,
    spared_on: Option<Day>,
) -> Usage {
    let remembered = host.memory.and_then(|memory| memory.used.as_ref());
    let environment = class.environment;
    let Some(lean) = environment.lean.as_ref().filter(|_| !environment.book.doubted) else {
        return Usage { memory: remembered.cloned(), ..Usage::default() };
    };
    if host.listed.and_then(serves_others).unwrap_or(host.listed.is_some())
        || !lean.judges(&environment.book, &class.roles)
    {
        return Usage::default();
    }
    let Some(listed) = host.listed.filter(|listed| host.seen && listed.life() == Life::Running) else {
        return usage(Use::Unknown(Doubt::NotRunning), remembered.cloned());
    };
    let until = Window::whole_days(scene.pass.now, 1).last();
    let oldest = until.plus(-ACTIVITY_HELD_DAYS);
    let rule = lean.rule.hash();
    let remembered = remembered.filter(|old| old.rule == rule);
    let place = scene.places.get(host.place).map(|place| &place.place);
    let activity = place.and_then(|place| scene.pass.snapshot.activities.get(place));
    let unread = Activity::unread(place, activity.map(|activity| &**activity), scene.pass.now);
    let fresh = activity.filter(|activity| activity.window.last() >= oldest);
    let activity = fresh.map_or(&unread, |activity| activity);
    let (day, is) = (activity.window.last(), verdict(scene, host, listed, spared_on, lean, activity));
    let is_read = fresh.is_some() && activity.has_read(host.id, &lean.rule.metrics(host.id.is_database()));
    let is_certain = is_read || matches!(is, Use::Active(_));
    let found = match remembered {
        // What is remembered of a later day was seen by somebody whose reading is no longer here.
        old if is_certain && old.is_none_or(|old| old.until <= day) => learn(activity.window, is, rule, old),
        Some(old) if old.until >= oldest => held(old, is),
        old => usage(is, old.cloned()),
    };
    let names_nobody_knows = || !environment.roles_of(listed.marks()).1.is_empty();
    match found.is {
        // The role that nobody describes may be one that is idle by design. What was seen stays remembered.
        Some(Use::Idle(_)) if names_nobody_knows() => {
            Usage { is: Some(Use::Unknown(Doubt::RoleNotDescribed)), ..found }
        }
        _ => found,
    }
}

fn usage(is: Use, memory: Option<UseMemory>) -> Usage {
    Usage { is: Some(is), memory, spared_on: None }
}

/// Is it a database whose worth does not show in what is asked of it: does it replicate another, is it replicated, or does it take
/// the writes of a cluster with others? None where nobody can tell whether it takes them.
fn serves_others(listed: Listed<'_>) -> Option<bool> {
    let Listed::Database(database, _) = listed else { return Some(false) };
    if database.is_replica() || !database.replicas.is_empty() {
        return Some(true);
    }
    match listed.part() {
        Some((cluster, part)) if cluster.members.len() > 1 => match part {
            MemberRole::Writer => Some(true),
            MemberRole::Reader | MemberRole::Alone => Some(false),
            MemberRole::Unknown => None,
        },
        _ => Some(false),
    }
}

fn verdict(
    scene: &Scene<'_, '_>,
    host: &HostView<'_>,
    listed: Listed<'_>,
    spared_on: Option<Day>,
    lean: &Lean,
    activity: &Activity,
) -> Use {
    let (started, named_since) = (listed.launched(), scene.named_since(host));
    let host = Host { id: host.id, started, named_since, spared_on };
    judge(&lean.rule, host, activity, activity.window.last())
}

/// What a verdict adds to what was known: a host stays idle since the day on which it was first seen so, although the days
/// that are read move on; but only where they join: no day that nobody saw is claimed.
fn learn(window: Window, is: Use, rule: RuleHash, old: Option<&UseMemory>) -> Usage {
    let until = window.last();
    let active_until = old.and_then(|old| old.active_until);
    let joined = old.filter(|old| old.until.plus(1) >= window.first());
    let idle_since = joined.and_then(|old| old.idle_since);
    let (is, active_until, idle_since) = match is {
        Use::Active(sign) => {
            (Use::Active(sign), Some(active_until.map_or(sign.day, |before| before.max(sign.day))), None)
        }
        Use::Idle(Idle { since, weak }) => {
            let since = idle_since.map_or(since, |before| before.min(since));
            (Use::Idle(Idle { since, weak }), active_until, Some(since))
        }
        // It was started or made anew, or a day of it was not told: what comes later is not one with what was before.
        is @ Use::Unknown(_) => (is, active_until, None),
    };
    let memory = UseMemory { until, last: is.clone(), rule, active_until, idle_since };
    usage(is, Some(memory))
}

/// What was found before, for a day that is not here: good enough to go on pointing, and not to act. `now` is what can be said
/// without it: a host that was started or made anew since is idle no longer.
fn held(old: &UseMemory, now: Use) -> Usage {
    match (&old.last, now) {
        (Use::Idle(_), now @ Use::Unknown(Doubt::TooYoung(_) | Doubt::WasSpared(_) | Doubt::NoBeginning)) => {
            let memory = UseMemory { last: now.clone(), idle_since: None, ..old.clone() };
            usage(now, Some(memory))
        }
        (Use::Idle(idle), _) => {
            let mut weak = idle.weak.clone();
            weak.push(Weakness::Remembered);
            let is = Use::Idle(Idle { since: idle.since, weak });
            usage(is, Some(old.clone()))
        }
        (other, _) => usage(other.clone(), Some(old.clone())),
    }
}

impl Clerk<'_, '_> {
    /// A host that looks unused.
    pub(super) fn unused(&mut self, host: &HostView<'_>, class: &Class<'_>, idle: &Idle) -> Option<Finding> {
        let lean = class.environment.lean.as_ref()?;
        let rule = lean.rule.in_words(host.id.is_database());
        let message = format!("idle since {}: {rule}", idle.since);
        let name = crate::text::argument(&super::host_findings::host_name(host));
        let fix = format!(
            "why: rollcall explain {name}; give it up, or keep it for a while: rollcall keep {name} --until DATE"
        );
        let note = Note::new(Code::Unused, Severity::Warning, message, fix);
        let mut finding = self.about(host, Some(&class.environment.key), note);
        finding.since = idle.since.begin();
        Some(finding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lean::{Rule, Sign, Signal};

    fn day(text: &str) -> Day {
        text.parse::<jiff::civil::Date>().unwrap().into()
    }

    fn idle(since: &str) -> Use {
        Use::Idle(Idle { since: day(since), weak: Vec::new() })
    }

    /// The 90 days that a reading holds.
    fn to(last: &str) -> Window {
        let settled = day(last).plus(1).begin() + crate::limits::ACTIVITY_SETTLES;
        Window::whole_days(settled, 90)
    }

    #[test]
    fn a_host_stays_idle_since_the_day_on_which_it_was_first_seen_so() {
        let rule = Rule::default().hash();
        let first = learn(to("2026-10-01"), idle("2026-07-03"), rule, None).memory;
        let later = learn(to("2026-10-02"), idle("2026-07-04"), rule, first.as_ref());
        assert_eq!(later.is, Some(idle("2026-07-03")));
        let blind = Use::Unknown(Doubt::NoData(Signal::Cpu, 1));
        let unknown = learn(to("2026-10-03"), blind, rule, later.memory.as_ref()).memory;
        assert_eq!(unknown.as_ref().and_then(|memory| memory.idle_since), None, "a day that nobody saw");
        let missed = learn(to("2027-01-31"), idle("2026-11-03"), rule, later.memory.as_ref());
        assert_eq!(missed.is, Some(idle("2026-11-03")), "the days between were never read");
        let sign = Sign { day: day("2026-10-04"), signal: Signal::Cpu, amount: 40.0 };
        let active = learn(to("2026-10-04"), Use::Active(sign), rule, unknown.as_ref()).memory.unwrap();
        assert_eq!((active.active_until, active.idle_since), (Some(day("2026-10-04")), None));
        let started = Use::Unknown(Doubt::TooYoung(day("2026-12-01")));
        let young = learn(to("2026-10-03"), started, rule, later.memory.as_ref()).memory.unwrap();
        assert_eq!(young.idle_since, None, "somebody started it");
    }
}

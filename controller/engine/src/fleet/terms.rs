//! On which terms hosts leave: the part of a `RetirementPolicy` that is no rule, parsed. What cannot be understood is a fault of
//! the policy; what the API would refuse as too quick, and came in by another way, is held to what the API asks. It must never
//! loosen anything.

use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil::{Date, Time, Weekday};
use rollcall_crds::v1alpha1 as api;

use super::problem::Fault;
use crate::calendar::{Holidays, MAX_WINDOWS, Refused, Window};
use crate::retirement::{Budget, FinalAct, Policy};

/// On which terms hosts leave.
#[derive(Debug)]
pub(crate) struct Terms {
    /// Business days in which an owner decides.
    pub(crate) grace: u32,
    pub(crate) holidays: Holidays,
    /// Running hosts of a duty that always stay, per environment and zone.
    pub(crate) keep_last: usize,
    /// People who must approve that a host is stopped.
    pub(crate) approvals: usize,
    /// When hosts may be stopped; none: never.
    pub(crate) windows: Vec<Window>,
    /// How many on one day.
    pub(crate) budget: Budget,
    /// For how long they stay stopped before they end.
    pub(crate) cool_off: SignedDuration,
    /// For how long the rule must have run without acting.
    pub(crate) probation: SignedDuration,
    pub(crate) final_act: FinalAct,
    /// What somebody says to have looked at. Nobody vouches yet for who wrote it, so none of it counts.
    pub(crate) acknowledged: Vec<Acknowledged>,
}

/// Somebody says to have looked at something.
#[derive(Debug)]
pub(crate) struct Acknowledged {
    pub(crate) user: Arc<str>,
    /// The hash of a rule, or the name of a trip of the breaker.
    pub(crate) of: Box<str>,
}

impl Default for Terms {
    /// As the fields of `RetirementPolicy` say.
    fn default() -> Self {
        let Policy { cool_off, probation, final_act, keep_last, approvals, .. } = Policy::default();
        Self {
            grace: 5,
            holidays: Holidays::default(),
            keep_last,
            approvals,
            windows: vec![Window::default()],
            budget: Budget::default(),
            cool_off,
            probation,
            final_act,
            acknowledged: Vec::new(),
        }
    }
}

/// The fewest days that the API takes for a cool-off.
const MIN_COOL_OFF_DAYS: i32 = 1;

/// The fewest that it takes for a probation: a month-end is among them (safety first, RetirementPolicy.spec.probationDays).
const MIN_PROBATION_DAYS: i32 = 30;

/// The most percent, and the most hosts, that it takes for a budget.
const MAX_PERCENT: i32 = 10;
const MAX_HOSTS: i32 = 100;

/// The fewest business days, hosts that stay, and approvals that it takes.
const MIN_GRACE_DAYS: i32 = 3;
const MIN_KEPT: i32 = 1;
const MIN_APPROVALS: i32 = 1;

/// The terms of one policy.
pub(super) fn parse(spec: &api::RetirementPolicySpec) -> Result<Terms, Fault> {
    Ok(Terms {
        grace: natural(spec.grace_business_days.max(MIN_GRACE_DAYS)),
        holidays: holidays(spec)?,
        keep_last: number(spec.keep_last_hosts.max(MIN_KEPT)),
        approvals: number(spec.approvals_needed.max(MIN_APPROVALS)),
        windows: windows(spec)?,
        budget: budget(spec.budget.as_ref())?,
        cool_off: days(spec.cool_off_days.max(MIN_COOL_OFF_DAYS)),
        probation: days(spec.probation_days.max(MIN_PROBATION_DAYS)),
        final_act: match spec.final_act {
            api::RetirementFinalAct::Stop => FinalAct::Stop,
            api::RetirementFinalAct::HandOver => FinalAct::HandOver,
            api::RetirementFinalAct::Terminate => FinalAct::Terminate,
        },
        acknowledged: spec
            .acknowledgements
            .iter()
            .map(|one| Acknowledged { user: Arc::from(one.user.as_str()), of: one.of.as_str().into() })
            .collect(),
    })
}

fn natural(number: i32) -> u32 {
    u32::try_from(number.max(0)).unwrap_or_default()
}

fn number(number: i32) -> usize {
    usize::try_from(natural(number)).unwrap_or(usize::MAX)
}

fn days(number: i32) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(number))
}

/// A day that is none could have been a holiday: nothing is due by a calendar that is not understood.
fn holidays(spec: &api::RetirementPolicySpec) -> Result<Holidays, Fault> {
    let day = |(index, text): (usize, &String)| {
        text.parse::<Date>().map_err(|_| {
            let what = "expected a day of the calendar such as 2027-01-01";
            Fault::new("BadHoliday", format!("spec.holidays[{index}]: {what}, found {text:?}"))
        })
    };
    let days = spec.holidays.iter().enumerate().map(day).collect::<Result<Vec<Date>, Fault>>()?;
    Holidays::new(days).map_err(|refused| Fault::new("BadHoliday", format!("spec.holidays: {refused}")))
}

/// A window that is not understood might be shorter than what is left of it: then the whole policy is not understood.
fn windows(spec: &api::RetirementPolicySpec) -> Result<Vec<Window>, Fault> {
    let bad = |field: &str, refused: Refused| Fault::new("BadWindow", format!("{field}: {refused}"));
    if spec.windows.len() > MAX_WINDOWS {
        return Err(bad("spec.windows", Refused::TooManyWindows(spec.windows.len())));
    }
    let window = |(index, window): (usize, &api::RetirementWindow)| {
        let field = format!("spec.windows[{index}]");
        let (from, to) = (time(&field, "from", &window.from)?, time(&field, "to", &window.to)?);
        Window::new(window.days.iter().copied().map(weekday), from, to)
            .map_err(|refused| bad(&field, refused))
    };
    spec.windows.iter().enumerate().map(window).collect()
}

fn time(window: &str, field: &str, text: &str) -> Result<Time, Fault> {
    let bad = || {
        let what = "expected a time of the day such as 10:00";
        Fault::new("BadWindow", format!("{window}.{field}: {what}, found {text:?}"))
    };
    Time::strptime("%H:%M", text).map_err(|_| bad())
}

fn weekday(day: api::DayOfWeek) -> Weekday {
    match day {
        api::DayOfWeek::Monday => Weekday::Monday,
        api::DayOfWeek::Tuesday => Weekday::Tuesday,
        api::DayOfWeek::Wednesday => Weekday::Wednesday,
        api::DayOfWeek::Thursday => Weekday::Thursday,
        api::DayOfWeek::Friday => Weekday::Friday,
        api::DayOfWeek::Saturday => Weekday::Saturday,
        api::DayOfWeek::Sunday => Weekday::Sunday,
    }
}

fn budget(spec: Option<&api::RetirementBudget>) -> Result<Budget, Fault> {
    match spec.map(|budget| (budget.per_day_hosts, budget.per_day_percent)) {
        None | Some((None, None)) => Ok(Budget::default()),
        Some((Some(hosts), None)) => Ok(Budget::Hosts(number(hosts.min(MAX_HOSTS)))),
        Some((None, Some(percent))) => Ok(Budget::Percent(number(percent.min(MAX_PERCENT)))),
        Some((Some(_), Some(_))) => Err(Fault::new(
            "BadBudget",
            "spec.budget: expected perDayHosts or perDayPercent, found both; leave one of them out",
        )),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use serde_json::{Value, json};

    use super::*;

    fn spec(says: Value) -> api::RetirementPolicySpec {
        serde_json::from_value(says).unwrap()
    }

    #[test]
    fn what_a_policy_leaves_out_is_what_its_fields_say() {
        let (said, meant) = (parse(&spec(json!({}))).unwrap(), Terms::default());
        assert_eq!(
            (said.grace, said.keep_last, said.approvals),
            (meant.grace, meant.keep_last, meant.approvals)
        );
        assert_eq!((said.windows, said.budget), (meant.windows, meant.budget));
        assert_eq!((said.cool_off, said.probation), (meant.cool_off, meant.probation));
        assert_eq!(said.final_act, meant.final_act);
        assert_eq!(
            parse(&spec(json!({"windows": []}))).unwrap().windows,
            [],
            "an empty list is not one that is left out"
        );
    }

    #[test]
    fn what_is_not_understood_is_told_with_field_expected_and_found() {
        let told = |says| parse(&spec(says)).unwrap_err().message().to_owned();
        let window = |days: &[&str], to: &str| json!({"days": days, "from": "10:00", "to": to});
        assert_eq!(
            told(json!({"windows": [window(&["Monday"], "25:00")]})),
            "spec.windows[0].to: expected a time of the day such as 10:00, found \"25:00\""
        );
        assert_eq!(
            told(json!({"windows": [window(&[], "16:00")]})),
            "spec.windows[0]: a window: expected at least one day of the week, found none"
        );
        assert!(told(json!({"budget": {"perDayHosts": 1, "perDayPercent": 1}})).contains("found both"));
        let many = vec![window(&["Monday"], "16:00"); 51];
        assert_eq!(told(json!({"windows": many})), "spec.windows: expected at most 50 windows, found 51");
    }

    proptest! {
        /// Whatever numbers come by a way around the API: nothing is quicker than what it would take.
        #[test]
        fn no_number_loosens(
            probation: i32, cool_off: i32, hosts: i32, percent: i32, people: i32, fleet in 0_usize..100_000,
        ) {
            let day = SignedDuration::from_hours(24);
            let mut said = spec(json!({}));
            (said.probation_days, said.cool_off_days) = (probation, cool_off);
            (said.approvals_needed, said.keep_last_hosts, said.grace_business_days) = (people, people, people);
            said.budget = Some(api::RetirementBudget { per_day_hosts: Some(hosts), per_day_percent: None });
            let terms = parse(&said).unwrap();
            prop_assert!(terms.probation >= day * 30 && terms.cool_off >= day);
            prop_assert!(terms.approvals >= 1 && terms.keep_last >= 1 && terms.grace >= 3);
            prop_assert!(hosts > 0 || terms.budget.of(fleet) == 0, "0 means 0");
            prop_assert!(terms.budget.of(fleet) <= fleet.min(100));
            said.budget = Some(api::RetirementBudget { per_day_hosts: None, per_day_percent: Some(percent) });
            let budget = parse(&said).unwrap().budget;
            prop_assert!(budget.of(fleet) <= (fleet / 10).max(1).min(fleet), "{budget:?} of {fleet}");
            prop_assert!(percent > 0 || budget.of(fleet) == 0, "0 means 0");
        }
    }
}

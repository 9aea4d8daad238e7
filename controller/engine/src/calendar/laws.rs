//! Laws of calendars, over every zone of the bundled database, near the moments at which its clocks change more than elsewhere.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp, ToSpan};
use proptest::prelude::*;

use super::*;

const WEEK: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

fn zones() -> impl Strategy<Value = TimeZone> {
    let names: Vec<String> = TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect();
    assert!(names.len() > 400, "the bundled database has all zones: {}", names.len());
    prop::sample::select(names).prop_map(|name| TimeZoneDatabase::bundled().get(&name).unwrap())
}

/// A moment of 1970 to 2100: half of them within four hours of one at which the clocks of the zone change.
fn moments(zone: TimeZone) -> impl Strategy<Value = Timestamp> {
    let years = 0..4_102_444_800_i64;
    (years, any::<bool>(), -14_400..14_400_i64).prop_map(move |(second, near, off)| {
        let moment = Timestamp::from_second(second).unwrap();
        let change = zone.following(moment).next().filter(|_| near);
        change.map_or(moment, |change| change.timestamp() + SignedDuration::from_secs(off))
    })
}

/// On quarters of an hour, for that is where clocks change.
fn times() -> impl Strategy<Value = Time> {
    (0..24_i8, 0..4_i8).prop_map(|(hour, quarter)| Time::constant(hour, quarter * 15, 0, 0))
}

fn windows() -> impl Strategy<Value = Window> {
    (prop::sample::subsequence(&WEEK[..], 1..=7), times(), times())
        .prop_filter_map("two times", |(days, from, to)| Window::new(days, from, to).ok())
}

/// Some days around a moment.
fn days_near(zone: &TimeZone, moment: Timestamp, at_most: usize) -> impl Strategy<Value = Vec<Date>> + use<> {
    let today = zone.to_datetime(moment).date();
    prop::collection::vec(-12..24_i64, 0..=at_most)
        .prop_map(move |offsets| offsets.into_iter().map(|n| today + n.days()).collect())
}

fn worlds() -> impl Strategy<Value = World> {
    let places = zones().prop_flat_map(|zone| (moments(zone.clone()), Just(zone)));
    places.prop_flat_map(|(now, zone)| {
        let (holidays, more) = (days_near(&zone, now, 6), days_near(&zone, now, 3));
        (Just(zone), Just(now), prop::collection::vec(windows(), 0..4), holidays, more)
            .prop_map(|(zone, now, windows, holidays, more)| World { zone, now, windows, holidays, more })
    })
}

#[derive(Clone, Debug)]
struct World {
    zone: TimeZone,
    now: Timestamp,
    windows: Vec<Window>,
    holidays: Vec<Date>,
    /// Days that are added to the holidays.
    more: Vec<Date>,
}

impl World {
    fn windows(&self) -> Windows {
        let holidays = Holidays::new(self.holidays.clone()).unwrap();
        Windows::new(self.zone.clone(), self.windows.clone(), holidays).unwrap()
    }
    fn with_more(&self) -> Self {
        Self { holidays: [&self.holidays[..], &self.more].concat(), ..self.clone() }
    }
    fn business_days(&self) -> BusinessDays {
        BusinessDays::new(self.zone.clone(), Holidays::new(self.holidays.clone()).unwrap())
    }
    /// Every seventh minute, and every change of clocks, of the next ten days.
    fn samples(&self) -> impl Iterator<Item = Timestamp> {
        let ticks = (0..2_057).map(|n| self.now + SignedDuration::from_mins(n * 7));
        ticks.chain(self.zone.following(self.now).take(2).map(|change| change.timestamp()))
    }
}

proptest! {
    #[test]
    fn the_next_opening_is_open_not_before_now_and_nothing_is_open_between(world in worlds()) {
        let windows = world.windows();
        let next = windows.next_opening(world.now);
        if let Some(next) = next {
            prop_assert!(next >= world.now);
            prop_assert!(windows.is_open(next));
        }
        for moment in world.samples().filter(|moment| next.is_none_or(|next| *moment < next)) {
            prop_assert!(!windows.is_open(moment), "{moment} is open, and {next:?} was told");
        }
        // Never is said of nothing but of no window at all: these hold at most six holidays.
        prop_assert_eq!(next.is_none(), world.windows.is_empty());
    }

    #[test]
    fn what_is_open_stays_open_until_the_moment_that_is_told(world in worlds()) {
        let windows = world.windows();
        let Some(begin) = windows.next_opening(world.now) else { return Ok(()) };
        let end = windows.closes_at(begin).unwrap();
        prop_assert!(begin < end);
        let steps = 200;
        let length = end.duration_since(begin).as_secs();
        for step in 0..steps {
            let moment = begin + SignedDuration::from_secs(length * step / steps);
            prop_assert!(windows.is_open(moment), "{moment} of {begin} to {end}");
        }
        let joined = end.duration_since(begin) >= SignedDuration::from_hours(13 * 24);
        prop_assert!(joined || !windows.is_open(end));
    }

    /// Whoever looks at the clock, and at what is written, never sees an act outside of it.
    #[test]
    fn clocks_show_a_written_time_of_an_open_day_while_it_is_open(world in worlds()) {
        let windows = world.windows();
        let holidays = Holidays::new(world.holidays.clone()).unwrap();
        for moment in world.samples().filter(|moment| windows.is_open(*moment)) {
            let shown = world.zone.to_datetime(moment);
            prop_assert!(!holidays.contains(shown.date()) && holidays.eve_of(shown.date()).is_none());
            prop_assert!(world.windows.iter().any(|window| shows(*window, shown)), "{shown} is open");
        }
    }

    /// A daily window of up to half a day opens for at most as long as it is written, and not again for 20 hours: no clocks of these
    /// years change by more than 4. (A longer one may end where the next one begins, when the time between them is skipped.)
    #[test]
    fn no_window_opens_twice_or_for_longer_than_is_written(mut world in worlds(), from in times(), quarters in 1..=48_i64) {
        let written = quarters * 900;
        let to = from.wrapping_add(SignedDuration::from_secs(written));
        world.windows = vec![Window::new(WEEK, from, to).unwrap()];
        let windows = world.windows();
        let (mut now, mut opened) = (world.now, None);
        for _ in 0..7 {
            let Some(begin) = windows.next_opening(now) else { break };
            let end = windows.closes_at(begin).unwrap();
            prop_assert!(end.duration_since(begin).as_secs() <= written);
            if let Some(before) = opened {
                prop_assert!(begin.duration_since(before) >= SignedDuration::from_hours(20), "{before}, {begin}");
            }
            // When it opened is not known of one that is open now.
            opened = (begin > world.now).then_some(begin);
            now = end;
        }
    }

    #[test]
    fn a_reason_is_given_exactly_when_it_is_closed(world in worlds()) {
        let windows = world.windows();
        for moment in world.samples().step_by(11) {
            prop_assert_eq!(windows.why_closed(moment).is_some(), !windows.is_open(moment));
        }
    }

    #[test]
    fn a_holiday_more_opens_nothing_and_makes_nothing_due_earlier(world in worlds(), days in 0..12_u32) {
        let (few, more) = (world.windows(), world.with_more().windows());
        for moment in world.samples().step_by(3) {
            prop_assert!(few.is_open(moment) || !more.is_open(moment), "{moment}");
        }
        let (few, more) = (world.business_days(), world.with_more().business_days());
        prop_assert!(more.after(world.now, days).unwrap() >= few.after(world.now, days).unwrap());
    }

    #[test]
    fn a_window_less_opens_nothing_and_without_any_it_is_never_open(mut world in worlds()) {
        let all = world.windows();
        world.windows.pop();
        let fewer = world.windows();
        world.windows.clear();
        let none = world.windows();
        for moment in world.samples().step_by(3) {
            prop_assert!(all.is_open(moment) || !fewer.is_open(moment), "{moment}");
            prop_assert!(!none.is_open(moment), "{moment}");
        }
        prop_assert_eq!(none.next_opening(world.now), None);
    }

    #[test]
    fn a_later_notice_and_a_longer_one_are_never_over_earlier(world in worlds(), days in 0..12_u32, more in 0..12_u32, later in 0..400_000_u64) {
        let business = world.business_days();
        let due = business.after(world.now, days).unwrap();
        prop_assert!(business.after(world.now, days + more).unwrap() >= due);
        let later = SignedDuration::from_secs(i64::try_from(later).unwrap());
        prop_assert!(business.after(world.now + later, days).unwrap() >= due);
    }

    /// What a person who counts on a calendar expects, and at least as much as a stopwatch shows.
    #[test]
    fn a_notice_runs_for_whole_days_of_the_calendar_and_of_the_stopwatch(world in worlds(), days in 0..12_u32) {
        let business = world.business_days();
        let due = business.after(world.now, days).unwrap();
        prop_assert!(due.duration_since(world.now) >= SignedDuration::from_hours(24 * i64::from(days)));
        let (begun, over) = (world.zone.to_datetime(world.now), world.zone.to_datetime(due));
        prop_assert!(business.holds(over.date()));
        let between = begun.date().series(1.day()).skip(1).take_while(|day| *day < over.date());
        let whole = between.filter(|day| business.holds(*day)).count();
        let needed = usize::try_from(days).unwrap();
        // The last day counts only once its clock shows the hour of the notice; one that fell on no business day needs whole ones.
        prop_assert!(whole >= needed || (whole + 1 >= needed && over.time() >= begun.time()), "{begun} {over}");
    }

    /// Of all moments that there are: nothing breaks, at the ends of the calendar either.
    #[test]
    fn nothing_breaks_at_any_moment(zone in zones(), second in Timestamp::MIN.as_second()..=Timestamp::MAX.as_second(), days: u32) {
        let now = Timestamp::from_second(second).unwrap();
        for now in [now, Timestamp::MIN, Timestamp::MAX] {
            let windows = Windows::default_in(zone.clone());
            let _ = (windows.is_open(now), windows.next_opening(now), windows.closes_at(now), windows.why_closed(now));
            let _ = BusinessDays::new(zone.clone(), Holidays::default()).after(now, days);
        }
    }
}

/// Is this a time that somebody would read in what is written?
fn shows(window: Window, shown: jiff::civil::DateTime) -> bool {
    let (day, time) = (shown.date(), shown.time());
    let before_end = time < window.to();
    let begun_today =
        window.begins_on(day) && window.from() <= time && (before_end || window.crosses_midnight());
    let begun_yesterday =
        window.crosses_midnight() && window.begins_on(day.yesterday().unwrap()) && before_end;
    begun_today || begun_yesterday
}

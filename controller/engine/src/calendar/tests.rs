//! Stories of clocks: ordinary weeks, holidays, and every way in which a country has set its clocks so far.

use jiff::civil::{Weekday, date, time};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};

use super::*;

const ALL_WEEK: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

/// A moment as people write it, `2026-11-23T10:00+09:00`.
fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn clock(text: &str) -> jiff::civil::Time {
    text.parse().unwrap()
}

/// One window on every day of the week.
fn daily(name: &str, from: &str, to: &str) -> Windows {
    let window = Window::new(ALL_WEEK, clock(from), clock(to)).unwrap();
    Windows::new(zone(name), vec![window], Holidays::default()).unwrap()
}

/// All openings between two moments, with offsets as the clocks there had them.
fn openings(windows: &Windows, name: &str, from: &str, until: &str) -> Vec<(String, String)> {
    let (mut now, until, zone) = (at(from), at(until), zone(name));
    let shown = |moment: Timestamp| moment.to_zoned(zone.clone()).strftime("%d %H:%M%:z").to_string();
    let mut all = Vec::new();
    while let Some(begin) = windows.next_opening(now).filter(|begin| *begin < until) {
        let end = windows.closes_at(begin).unwrap();
        all.push((shown(begin), shown(end)));
        now = end;
    }
    all
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect()
}

#[test]
fn an_ordinary_week_is_open_from_monday_to_thursday_by_day() {
    let windows = Windows::default_in(zone("Asia/Tokyo"));
    for (moment, open) in [
        ("2026-11-23T09:59:59+09:00", false),
        ("2026-11-23T10:00:00+09:00", true),
        ("2026-11-23T15:59:59+09:00", true),
        ("2026-11-23T16:00:00+09:00", false),
        ("2026-11-26T12:00:00+09:00", true),
        ("2026-11-27T12:00:00+09:00", false),
        ("2026-11-29T12:00:00+09:00", false),
        // The clock of the zone counts, whatever the day of UTC is.
        ("2026-11-23T01:00:00Z", true),
        ("2026-11-23T12:00:00Z", false),
    ] {
        assert_eq!(windows.is_open(at(moment)), open, "{moment}");
        assert_eq!(windows.why_closed(at(moment)).is_none(), open, "{moment}");
        assert_eq!(windows.closes_at(at(moment)).is_some(), open, "{moment}");
    }
    assert_eq!(windows.next_opening(at("2026-11-26T16:00+09:00")), Some(at("2026-11-30T10:00+09:00")));
    assert_eq!(windows.closes_at(at("2026-11-26T11:00+09:00")), Some(at("2026-11-26T16:00+09:00")));
}

#[test]
fn a_holiday_closes_its_day_and_the_day_before_and_says_which() {
    let holidays = Holidays::new([date(2026, 11, 25), date(2026, 11, 3)]).unwrap();
    let windows = Windows::default_in(zone("Asia/Tokyo")).with_holidays(holidays);
    for (moment, why, text) in [
        ("2026-11-25T12:00+09:00", Closed::Holiday(date(2026, 11, 25)), "2026-11-25 is a holiday"),
        ("2026-11-24T12:00+09:00", Closed::Eve(date(2026, 11, 25)), "the day before a holiday, 2026-11-25"),
        ("2026-11-27T12:00+09:00", Closed::Weekday(Weekday::Friday), "no window on a Friday"),
        ("2026-11-26T16:30+09:00", Closed::Hour(time(16, 30, 0, 0)), "no window at 16:30"),
    ] {
        assert_eq!(windows.why_closed(at(moment)), Some(why), "{moment}");
        assert_eq!(why.to_string(), text);
    }
    assert_eq!(windows.next_opening(at("2026-11-23T17:00+09:00")), Some(at("2026-11-26T10:00+09:00")));
}

#[test]
fn without_a_window_it_is_never_open() {
    let windows = Windows::new(TimeZone::UTC, Vec::new(), Holidays::default()).unwrap();
    let now = at("2026-11-23T12:00Z");
    assert!(!windows.is_open(now));
    assert_eq!(windows.next_opening(now), None);
    assert_eq!(windows.closes_at(now), None);
    assert_eq!(windows.why_closed(now), Some(Closed::NoWindow));
    assert_eq!(Closed::NoWindow.to_string(), "there is no window, so nothing is ever done");
}

/// The longest list of holidays that there may be, one on each day with a window: 400 weeks later it opens, and is found.
#[test]
fn never_is_said_only_of_what_never_opens() {
    let monday = date(2026, 11, 23);
    let all = (0..400).map(|week| monday + week.weeks());
    let window = Window::new([Weekday::Monday], clock("10:00"), clock("11:00")).unwrap();
    let windows = Windows::new(TimeZone::UTC, vec![window], Holidays::new(all).unwrap()).unwrap();
    let opens = (monday + 400.weeks()).at(10, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp();
    assert_eq!(windows.next_opening(at("2026-11-23T00:00Z")), Some(opens));
    assert_eq!(windows.next_opening(Timestamp::MAX), None);
}

#[test]
fn a_window_over_midnight_belongs_to_the_day_on_which_it_begins() {
    let window = Window::new([Weekday::Wednesday], clock("22:00"), clock("02:00")).unwrap();
    let windows = Windows::new(zone("Asia/Tokyo"), vec![window], Holidays::default()).unwrap();
    let week = ("2026-11-22T00:00+09:00", "2026-11-29T00:00+09:00");
    let all = |windows: &Windows| openings(windows, "Asia/Tokyo", week.0, week.1);
    assert_eq!(all(&windows), pairs(&[("25 22:00+09:00", "26 02:00+09:00")]));
    let closed = |day| windows.clone().with_holidays(Holidays::new([date(2026, 11, day)]).unwrap());
    // The eve of Friday begins at its midnight; the eve of Thursday is all of Wednesday.
    assert_eq!(all(&closed(27)), pairs(&[("25 22:00+09:00", "26 00:00+09:00")]));
    assert_eq!(all(&closed(26)), []);
    assert_eq!(all(&closed(25)), []);
    let after_midnight = at("2026-11-26T01:00+09:00");
    assert_eq!(closed(25).why_closed(after_midnight), Some(Closed::Holiday(date(2026, 11, 25))));
    assert_eq!(closed(27).why_closed(after_midnight), Some(Closed::Eve(date(2026, 11, 27))));
    assert_eq!(windows.why_closed(at("2026-11-26T03:00+09:00")), Some(Closed::Hour(time(3, 0, 0, 0))));
    assert_eq!(windows.why_closed(at("2026-11-27T01:00+09:00")), Some(Closed::Weekday(Weekday::Friday)));
}

#[test]
fn windows_that_follow_one_another_are_one_and_no_end_is_told_later_than_it_comes() {
    let half = |from, to| Window::new(ALL_WEEK, clock(from), clock(to)).unwrap();
    let always = vec![half("00:00", "12:00"), half("12:00", "00:00")];
    let windows = Windows::new(TimeZone::UTC, always, Holidays::default()).unwrap();
    let now = at("2026-11-23T09:00Z");
    assert_eq!(windows.closes_at(now), Some(at("2026-12-07T12:00Z")));
    let until_the_eve = windows.with_holidays(Holidays::new([date(2026, 11, 27)]).unwrap());
    assert_eq!(until_the_eve.closes_at(now), Some(at("2026-11-26T00:00Z")));
}

/// Each story: the day on which clocks change, a window on every day, and all its openings around that day.
#[test]
fn clocks_set_forward_shorten_a_window_and_swallow_one_that_lies_in_between() {
    for (name, from, until, window, expected) in [
        // 02:00 is followed by 03:00.
        (
            "America/New_York",
            "2026-03-07T22:00-05:00",
            "2026-03-09T00:00-04:00",
            ("01:30", "03:30"),
            vec![("08 01:30-05:00", "08 03:30-04:00")],
        ),
        ("America/New_York", "2026-03-07T22:00-05:00", "2026-03-09T00:00-04:00", ("02:15", "02:45"), vec![]),
        (
            "America/New_York",
            "2026-03-07T22:00-05:00",
            "2026-03-09T00:00-04:00",
            ("02:30", "04:00"),
            vec![("08 03:00-04:00", "08 04:00-04:00")],
        ),
        (
            "America/New_York",
            "2026-03-07T22:00-05:00",
            "2026-03-09T00:00-04:00",
            ("01:00", "02:30"),
            vec![("08 01:00-05:00", "08 03:00-04:00")],
        ),
        // 01:00 is followed by 02:00.
        ("Europe/London", "2026-03-28T22:00Z", "2026-03-30T00:00+01:00", ("01:00", "02:00"), vec![]),
        // 02:00 is followed by 02:30.
        (
            "Australia/Lord_Howe",
            "2026-10-03T22:00+10:30",
            "2026-10-05T00:00+11:00",
            ("02:00", "03:00"),
            vec![("04 02:30+11:00", "04 03:00+11:00")],
        ),
        // Midnight is followed by 01:00: the day has no 00:00.
        (
            "America/Santiago",
            "2026-09-05T20:00-04:00",
            "2026-09-06T20:00-03:00",
            ("23:00", "00:30"),
            vec![("05 23:00-04:00", "06 01:00-03:00")],
        ),
        (
            "America/Santiago",
            "2026-09-05T20:00-04:00",
            "2026-09-06T20:00-03:00",
            ("00:00", "02:00"),
            vec![("06 01:00-03:00", "06 02:00-03:00")],
        ),
    ] {
        let windows = daily(name, window.0, window.1);
        assert_eq!(openings(&windows, name, from, until), pairs(&expected), "{name} {window:?}");
    }
}

#[test]
fn clocks_set_back_open_no_window_twice_and_none_for_longer_than_is_written() {
    for (name, from, until, window, expected) in [
        // 01:00 to 02:00 comes twice.
        (
            "America/New_York",
            "2026-10-31T22:00-04:00",
            "2026-11-02T00:00-05:00",
            ("00:30", "01:30"),
            vec![("01 00:30-04:00", "01 01:30-04:00")],
        ),
        (
            "America/New_York",
            "2026-10-31T22:00-04:00",
            "2026-11-02T00:00-05:00",
            ("01:30", "02:30"),
            vec![("01 01:30-05:00", "01 02:30-05:00")],
        ),
        (
            "America/New_York",
            "2026-10-31T22:00-04:00",
            "2026-11-02T00:00-05:00",
            ("01:15", "01:45"),
            vec![("01 01:15-05:00", "01 01:45-05:00")],
        ),
        (
            "America/New_York",
            "2026-10-31T22:00-04:00",
            "2026-11-02T00:00-05:00",
            ("00:30", "03:00"),
            vec![("01 00:30-04:00", "01 02:00-05:00")],
        ),
        (
            "Europe/London",
            "2026-10-24T22:00+01:00",
            "2026-10-26T00:00Z",
            ("01:00", "02:00"),
            vec![("25 01:00+00:00", "25 02:00+00:00")],
        ),
        // 01:30 to 02:00 comes twice.
        (
            "Australia/Lord_Howe",
            "2026-04-04T22:00+11:00",
            "2026-04-06T00:00+10:30",
            ("01:00", "03:00"),
            vec![("05 01:00+11:00", "05 02:30+10:30")],
        ),
        // 23:00 to midnight comes twice: the day ends twice.
        (
            "America/Santiago",
            "2026-04-04T20:00-03:00",
            "2026-04-05T20:00-04:00",
            ("23:30", "00:30"),
            vec![("04 23:30-04:00", "05 00:30-04:00")],
        ),
        (
            "America/Santiago",
            "2026-04-04T20:00-03:00",
            "2026-04-05T20:00-04:00",
            ("22:00", "00:00"),
            vec![("04 22:00-03:00", "04 23:00-04:00")],
        ),
    ] {
        let windows = daily(name, window.0, window.1);
        assert_eq!(openings(&windows, name, from, until), pairs(&expected), "{name} {window:?}");
    }
}

#[test]
fn a_day_that_was_skipped_has_no_window_and_is_no_business_day() {
    // Thursday the 29th was followed by Saturday the 31st.
    let windows = daily("Pacific/Apia", "22:00", "06:00");
    assert_eq!(
        openings(&windows, "Pacific/Apia", "2011-12-29T12:00-10:00", "2012-01-01T12:00+14:00"),
        pairs(&[("29 22:00-10:00", "31 00:00+14:00"), ("31 22:00+14:00", "01 06:00+14:00")])
    );
    let days = BusinessDays::new(zone("Pacific/Apia"), Holidays::default());
    assert!(!days.holds(date(2011, 12, 30)));
    assert_eq!(days.after(at("2011-12-29T18:00-10:00"), 1), Some(at("2012-01-02T18:00+14:00")));
}

#[test]
fn a_zone_off_by_a_quarter_of_an_hour_is_read_by_its_own_clock() {
    let windows = Windows::default_in(zone("Asia/Kathmandu"));
    assert!(!windows.is_open(at("2026-11-23T04:14:59Z")));
    assert!(windows.is_open(at("2026-11-23T04:15:00Z")));
    assert_eq!(windows.closes_at(at("2026-11-23T04:15:00Z")), Some(at("2026-11-23T10:15:00Z")));
}

#[test]
fn a_notice_runs_on_business_days_only() {
    let tokyo = |holidays: &[i8]| {
        let holidays = holidays.iter().map(|day| date(2026, 11, *day));
        BusinessDays::new(zone("Asia/Tokyo"), Holidays::new(holidays).unwrap())
    };
    for (from, days, holidays, due) in [
        ("2026-11-16T09:00", 1, &[][..], "2026-11-17T09:00"),
        ("2026-11-20T18:00", 3, &[], "2026-11-25T18:00"),
        ("2026-11-20T18:00", 3, &[23], "2026-11-26T18:00"),
        ("2026-11-21T10:00", 3, &[], "2026-11-26T00:00"),
        ("2026-11-22T23:00", 3, &[], "2026-11-26T00:00"),
        ("2026-11-21T10:00", 0, &[], "2026-11-23T00:00"),
        ("2026-11-20T18:00", 0, &[], "2026-11-20T18:00"),
        ("2026-11-20T18:00", 0, &[20], "2026-11-23T00:00"),
        ("2026-11-16T18:00", 5, &[23], "2026-11-24T18:00"),
    ] {
        let moment = |text: &str| at(&format!("{text}+09:00"));
        assert_eq!(
            tokyo(holidays).after(moment(from), days),
            Some(moment(due)),
            "{from} {days} {holidays:?}"
        );
    }
}

/// The day of the week is the one of the zone: 2026-11-23 is still Sunday in Honolulu when it is Monday in UTC.
#[test]
fn a_notice_runs_by_the_days_of_its_own_zone() {
    let days = BusinessDays::new(zone("Pacific/Honolulu"), Holidays::default());
    assert_eq!(days.after(at("2026-11-23T03:00Z"), 1), Some(at("2026-11-24T00:00-10:00")));
}

#[test]
fn clocks_that_change_on_a_business_day_never_shorten_a_notice() {
    let cairo = BusinessDays::new(zone("Africa/Cairo"), Holidays::default());
    // Friday, 2026-04-24: midnight is followed by 01:00. The same time is 23 hours later, a day is not.
    assert_eq!(cairo.after(at("2026-04-23T18:00+02:00"), 1), Some(at("2026-04-24T19:00+03:00")));
    assert_eq!(cairo.after(at("2026-04-23T23:30+02:00"), 1), Some(at("2026-04-27T00:00+03:00")));
    // Thursday, 2026-10-29: 23:00 to midnight comes twice. The same time is 25 hours later; a later notice is due no earlier.
    assert_eq!(cairo.after(at("2026-10-28T23:30+03:00"), 1), Some(at("2026-10-29T23:30+02:00")));
    let (first, second) = (at("2026-10-29T23:59+03:00"), at("2026-10-29T23:00+02:00"));
    assert_eq!(cairo.after(first, 1), Some(at("2026-10-30T23:59+02:00")));
    assert!(cairo.after(second, 1) > cairo.after(first, 1));
    assert!(cairo.after(second, 1) < Some(at("2026-10-31T00:00+02:00")));
    // Over a weekend in which they change it is the same time on the wall: 71 hours, or 73.
    let york = BusinessDays::new(zone("America/New_York"), Holidays::default());
    assert_eq!(york.after(at("2026-03-06T18:00-05:00"), 1), Some(at("2026-03-09T18:00-04:00")));
    assert_eq!(york.after(at("2026-10-30T18:00-04:00"), 1), Some(at("2026-11-02T18:00-05:00")));
}

#[test]
fn a_notice_without_end_is_never_due() {
    let days = BusinessDays::new(TimeZone::UTC, Holidays::default());
    let now = at("2026-11-23T12:00Z");
    assert!(days.after(now, MAX_BUSINESS_DAYS).is_some());
    assert_eq!(days.after(now, MAX_BUSINESS_DAYS + 1), None);
    assert_eq!(days.after(now, u32::MAX), None);
    assert_eq!(days.after(Timestamp::MAX, 1), None);
    let years = (0..400).map(|n| date(2026, 11, 24) + n.days());
    let closed = BusinessDays::new(TimeZone::UTC, Holidays::new(years).unwrap());
    // The 400th day after is a Tuesday again, and Monday's notice has run for no day before it.
    assert_eq!(closed.after(now, 1), Some(at("2027-12-29T12:00Z")));
}

#[test]
fn what_cannot_be_a_calendar_is_refused() {
    let window = |days: &[Weekday], from, to| Window::new(days.iter().copied(), clock(from), clock(to));
    assert_eq!(window(&[], "10:00", "16:00"), Err(Refused::NoWeekday));
    let same = window(&[Weekday::Monday], "10:00", "10:00").unwrap_err();
    assert!(same.to_string().contains("found 10:00:00 twice"), "{same}");
    let one = window(&[Weekday::Monday], "10:00", "16:00").unwrap();
    assert!(Windows::new(TimeZone::UTC, vec![one; 50], Holidays::default()).is_ok());
    assert_eq!(
        Windows::new(TimeZone::UTC, vec![one; 51], Holidays::default()),
        Err(Refused::TooManyWindows(51))
    );
    let days = |n: i32| (0..n).map(|n| date(2026, 1, 1) + n.days());
    assert!(Holidays::new(days(400)).is_ok());
    assert_eq!(Holidays::new(days(401)), Err(Refused::TooManyHolidays(401)));
    assert_eq!(Holidays::new([date(2026, 1, 1); 999]).unwrap().len(), 1);
}

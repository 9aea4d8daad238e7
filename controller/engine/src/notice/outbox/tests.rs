//! Stories of channels that are slow, dead, gone, or full.

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::notice::{
    About, Blindness, Cancelled, Digest, Excess, Hosts, HowItStands, Kind, Language, News, Notice, Origin,
    Reminder, Reviews, UnusedHosts, Week, WhyCancelled,
};

pub(super) fn at(seconds: i64) -> Timestamp {
    "2026-11-24T01:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

pub(super) fn channel(name: &str) -> ObjectKey {
    ObjectKey::new("backlog", name)
}

fn origin(n: usize) -> Origin {
    Origin::new(&format!("mark-{n}")).unwrap()
}

fn command(text: &str) -> crate::notice::Command {
    crate::notice::Command::new(text).unwrap()
}

fn of(n: usize, news: News) -> Notice {
    let about = About {
        host: format!("i-{n:017x}").into(),
        name: format!("app-{n}").into(),
        environment: "jp1".into(),
        duties: Vec::new(),
        size: "m5.large".into(),
        place: "123456789012/ap-northeast-1".to_owned().try_into().unwrap(),
    };
    Notice { mark: origin(n), occurrence: 0, about, zone: jiff::tz::TimeZone::UTC, news }
}

/// A notice about the n-th host, which is worth telling at any time.
pub(super) fn notice(n: usize) -> Message {
    notice_at(n, at(0))
}

fn notice_at(n: usize, written: Timestamp) -> Message {
    let news = Cancelled { why: WhyCancelled::Started, stands: HowItStands::Untouched };
    of(n, News::Cancelled(news)).message(Language::En, written)
}

/// A reminder that is of no use after this.
pub(super) fn reminder(n: usize, until: Timestamp) -> Message {
    let keep = command("rollcall keep x");
    let news = Reminder { stops: true, at: until, keep: keep.clone(), keep_by_tag: keep };
    of(n, News::Reminder(news)).message(Language::En, at(0))
}

pub(super) fn digest(n: usize) -> Message {
    let digest = Digest {
        origin: origin(n),
        scope: "jp1".into(),
        week: Week::of(jiff::civil::date(2026, 11, 22)),
        hosts: Hosts::default(),
        unused: UnusedHosts::default(),
        prices: None,
        retired: None,
        staying: None,
        excess: Excess::default(),
        reviews: Reviews::default(),
        expiring: None,
        blind: Blindness::Week(Vec::new()),
        all: Some(command("rollcall digest")),
    };
    digest.message(Language::En, at(0))
}

fn accepted() -> Outcome {
    Outcome::Accepted { status: 204 }
}

fn later(why: &str) -> Outcome {
    Outcome::TryAgain { why: why.to_owned(), wait: None }
}

fn chance() -> Jitter {
    Jitter(u32::MAX)
}

fn ids(outbox: &mut Outbox, now: Timestamp) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(delivery) = outbox.next(now) {
        all.push(format!("{} {}", delivery.channel().name, delivery.message().facts().name.clone().unwrap()));
        outbox.told(&delivery, accepted(), now, chance());
    }
    all
}

#[test]
fn what_was_accepted_is_proved_and_never_sent_again() {
    let (mut outbox, chat) = (Outbox::default(), channel("chat"));
    assert_eq!(outbox.put(&chat, notice(1), at(0)), Standing::Waiting { attempts: 0, last: None });
    let delivery = outbox.next(at(1)).unwrap();
    assert_eq!((delivery.attempt(), delivery.message()), (1, &notice(1)));
    assert_eq!(outbox.next(at(1)), None, "one at a time");
    outbox.told(&delivery, accepted(), at(2), chance());
    let Standing::Accepted(proof) = outbox.put(&chat, notice(1), at(3)) else { panic!() };
    assert_eq!((proof.at(), proof.status()), (at(2), 204));
    assert_eq!(outbox.next(at(100_000)), None);
    assert_eq!(outbox.wakes_at(at(100_000)), None);
}

#[test]
fn a_channel_that_is_down_is_asked_ever_more_seldom_and_blocks_no_other() {
    let (mut outbox, dead, alive) = (Outbox::default(), channel("a-dead"), channel("b-alive"));
    for n in 0..5 {
        outbox.put(&dead, notice(n), at(0));
        outbox.put(&alive, notice(n), at(0));
    }
    let mut now = at(0);
    let (mut asked, mut sent) = (Vec::new(), 0);
    while now < at(7_200) {
        while let Some(delivery) = outbox.next(now) {
            if *delivery.channel() == dead {
                asked.push(now.duration_since(at(0)).as_secs());
                outbox.told(&delivery, later("no connection"), now, chance());
            } else {
                sent += 1;
                outbox.told(&delivery, accepted(), now, chance());
            }
        }
        assert_eq!(sent, 5, "all that can be sent is sent at once");
        now = outbox.wakes_at(now).unwrap();
    }
    // Doubling up to a quarter of an hour, for the channel as a whole: its five messages share the attempts.
    assert_eq!(asked, [0, 5, 15, 35, 75, 155, 315, 635, 1_275, 2_175, 3_075, 3_975, 4_875, 5_775, 6_675]);
    assert_eq!(
        outbox.standing(&dead, notice(0).id()),
        Some(Standing::Waiting { attempts: 3, last: Some("no connection".to_owned()) })
    );
    outbox.reopen(&dead, at(7_200));
    assert_eq!(ids(&mut outbox, at(7_200)).len(), 5, "whoever mends a channel waits for nothing");
}

#[test]
fn a_message_that_a_channel_cannot_stomach_goes_behind_the_others() {
    let (mut outbox, chat) = (Outbox::default(), channel("chat"));
    for n in 0..4 {
        outbox.put(&chat, notice(n), at(0));
    }
    let mut sent = Vec::new();
    let mut now = at(0);
    while sent.len() < 3 {
        let delivery = outbox.next(now).unwrap();
        let poison = delivery.message() == &notice(0);
        outbox.told(&delivery, if poison { later("500") } else { accepted() }, now, chance());
        if !poison {
            sent.push(now.duration_since(at(0)).as_secs());
        }
        now = outbox.wakes_at(now).unwrap();
    }
    assert_eq!(sent, [5, 5, 5]);
}

#[test]
fn whoever_asks_for_patience_gets_it_for_an_hour_at_most() {
    let (mut outbox, chat) = (Outbox::default(), channel("chat"));
    outbox.put(&chat, notice(1), at(0));
    let patience =
        |seconds| Outcome::TryAgain { why: "429".to_owned(), wait: Some(SignedDuration::from_secs(seconds)) };
    let delivery = outbox.next(at(0)).unwrap();
    outbox.told(&delivery, patience(120), at(0), Jitter(0));
    outbox.put(&chat, notice(2), at(1));
    assert_eq!(outbox.next(at(119)), None, "it is the channel that is tired, not one message");
    assert_eq!(outbox.wakes_at(at(1)), Some(at(120)));
    let delivery = outbox.next(at(120)).unwrap();
    outbox.told(&delivery, patience(i64::MAX), at(120), Jitter(0));
    assert_eq!(outbox.wakes_at(at(120)), Some(at(3_720)));
    assert!(outbox.next(at(3_720)).is_some());
}

#[test]
fn a_refusal_is_told_and_not_tried_for_ever() {
    let (mut outbox, chat) = (Outbox::default(), channel("chat"));
    outbox.put(&chat, notice(1), at(0));
    let delivery = outbox.next(at(0)).unwrap();
    let why = format!("400\n\u{1b}[2Jno such topic {}", "x".repeat(9_000));
    outbox.told(&delivery, Outcome::Refused { why }, at(1), chance());
    let Some(Standing::Refused { at: when, why }) = outbox.standing(&chat, notice(1).id()) else { panic!() };
    assert_eq!(when, at(1));
    assert!(why.starts_with("400 [2Jno such topic") && why.chars().count() <= 200, "{why}");
    assert!(matches!(outbox.put(&chat, notice(1), at(2)), Standing::Refused { .. }));
    assert_eq!(outbox.next(at(100_000)), None);
    outbox.reopen(&chat, at(100_000));
    assert!(matches!(outbox.put(&chat, notice(1), at(100_000)), Standing::Waiting { .. }));
    assert_eq!(ids(&mut outbox, at(100_000)), ["chat app-1"]);
}

#[test]
fn a_channel_that_is_gone_is_told_of_each_message_and_takes_none() {
    let (mut outbox, chat) = (Outbox::default(), channel("chat"));
    outbox.put(&chat, notice(1), at(0));
    outbox.put(&chat, notice(2), at(0));
    let delivery = outbox.next(at(0)).unwrap();
    outbox.told(&delivery, Outcome::Gone { why: "410".to_owned() }, at(1), chance());
    for n in [1, 2] {
        assert!(matches!(outbox.standing(&chat, notice(n).id()), Some(Standing::Refused { .. })), "{n}");
    }
    assert_eq!(outbox.put(&chat, notice(3), at(2)), Standing::ChannelGone);
    assert_eq!(outbox.next(at(9_999)), None);
    assert_eq!(outbox.channels().next(), Some((&chat, 0, Some("410"))));
    outbox.reopen(&chat, at(10_000));
    assert!(matches!(outbox.put(&chat, notice(3), at(10_000)), Standing::Waiting { .. }));
}

#[test]
fn a_full_queue_drops_digests_and_never_a_notice_and_says_so() {
    let (mut outbox, chat) = (Outbox::default(), channel("chat"));
    outbox.put(&chat, digest(1), at(0));
    outbox.put(&chat, digest(2), at(1));
    for n in 0..MAX_WAITING {
        assert!(matches!(outbox.put(&chat, notice(n), at(2)), Standing::Waiting { .. }), "{n}");
    }
    for n in [1, 2] {
        assert_eq!(outbox.standing(&chat, digest(n).id()), Some(Standing::Dropped { at: at(2) }));
    }
    assert_eq!(outbox.put(&chat, notice(99), at(3)), Standing::NoRoom);
    assert_eq!(outbox.put(&chat, digest(3), at(3)), Standing::NoRoom);
    assert_eq!(outbox.standing(&chat, notice(99).id()), None);
    // Another channel has room, and this one has it again once something is sent.
    assert!(matches!(outbox.put(&channel("mail"), notice(99), at(3)), Standing::Waiting { .. }));
    assert_eq!(ids(&mut outbox, at(4)).len(), MAX_WAITING + 1);
    assert!(matches!(outbox.put(&chat, notice(99), at(5)), Standing::Waiting { .. }));
}

#[test]
fn a_reminder_that_comes_too_late_is_not_sent() {
    let (mut outbox, chat) = (Outbox::default(), channel("chat"));
    outbox.put(&chat, reminder(1, at(60)), at(0));
    let delivery = outbox.next(at(0)).unwrap();
    outbox.told(&delivery, later("down"), at(50), chance());
    assert_eq!(outbox.next(at(60)), None);
    assert_eq!(outbox.standing(&chat, reminder(1, at(60)).id()), Some(Standing::Expired { at: at(60) }));
    // Nor is one that was under way when the process died, once it is lost.
    outbox.put(&chat, reminder(3, at(70)), at(60));
    assert!(outbox.next(at(65)).is_some());
    assert_eq!(outbox.next(at(65) + LOST_AFTER), None);
    // One that is under way at that moment may still be accepted.
    outbox.put(&chat, reminder(2, at(500)), at(490));
    let delivery = outbox.next(at(495)).unwrap();
    assert_eq!(outbox.next(at(501)), None);
    outbox.told(&delivery, accepted(), at(502), chance());
    assert!(matches!(outbox.standing(&chat, reminder(2, at(500)).id()), Some(Standing::Accepted(_))));
}

#[test]
fn what_waits_is_told_in_its_newest_words() {
    let (mut outbox, chat) = (Outbox::default(), channel("chat"));
    outbox.put(&chat, reminder(1, at(600)), at(0));
    outbox.put(&chat, reminder(1, at(900)), at(1));
    let delivery = outbox.next(at(2)).unwrap();
    assert_eq!(delivery.message(), &reminder(1, at(900)));
    outbox.told(&delivery, accepted(), at(3), chance());
    assert_eq!(ids(&mut outbox, at(4)), [""; 0]);
}

/// Each pass puts what it has to tell; a channel that is down must not make each pass write.
#[test]
fn the_same_words_put_again_change_nothing_that_is_remembered() {
    let (mut outbox, chat) = (Outbox::default(), channel("chat"));
    outbox.put(&chat, notice_at(1, at(0)), at(0));
    let delivery = outbox.next(at(0)).unwrap();
    outbox.told(&delivery, later("down"), at(0), chance());
    let before = outbox.clone();
    assert_ne!(notice_at(1, at(60)), notice_at(1, at(0)));
    outbox.put(&chat, notice_at(1, at(60)), at(60));
    assert_eq!(outbox, before);
}

/// The operator dies while a message is under way: nobody knows whether it was read, so it is sent again, under its one id.
#[test]
fn a_restart_sends_what_was_under_way_again_and_nothing_else() {
    let (mut outbox, chat) = (Outbox::default(), channel("chat"));
    outbox.put(&chat, notice(1), at(0));
    outbox.put(&chat, notice(2), at(0));
    let first = outbox.next(at(0)).unwrap();
    outbox.told(&first, accepted(), at(1), chance());
    let second = outbox.next(at(1)).unwrap();
    let text = serde_json::to_string(&outbox).unwrap();
    let mut reread: Outbox = serde_json::from_str(&text).unwrap();
    assert_eq!(reread, outbox);
    assert_eq!(reread.next(at(2)), None);
    assert_eq!(reread.wakes_at(at(2)), Some(at(301)));
    let again = reread.next(at(301)).unwrap();
    assert_eq!((again.message().id(), again.attempt()), (second.message().id(), 2));
    // The answer to the first attempt comes after all: what is accepted is accepted.
    reread.told(&second, accepted(), at(302), chance());
    reread.told(&again, later("duplicate"), at(303), chance());
    assert!(matches!(reread.standing(&chat, notice(2).id()), Some(Standing::Accepted(_))));
    assert_eq!(reread.next(at(100_000)), None);
}

#[test]
fn a_clock_that_was_wrong_silences_nobody() {
    let (mut outbox, chat) = (Outbox::default(), channel("chat"));
    let year = SignedDuration::from_hours(24 * 365);
    outbox.put(&chat, notice(1), at(0) + year);
    let delivery = outbox.next(at(0) + year).unwrap();
    assert_eq!(outbox.next(at(0)).map(|d| d.attempt()), Some(2), "what was under way in the future is lost");
    outbox.told(&delivery, later("down"), at(0) + year, chance());
    assert_eq!(outbox.wakes_at(at(10)), Some(at(10)));
    assert_eq!(outbox.next(at(10)).map(|d| d.attempt()), Some(3));
}

#[test]
fn what_is_taken_back_is_not_sent_and_it_is_known_whether_somebody_may_have_read_it() {
    let (mut outbox, chat) = (Outbox::default(), channel("chat"));
    for n in 1..4 {
        outbox.put(&chat, notice(n), at(0));
    }
    let first = outbox.next(at(0)).unwrap();
    outbox.told(&first, accepted(), at(0), chance());
    let second = outbox.next(at(0)).unwrap();
    outbox.told(&second, later("timed out"), at(0), chance());
    let withdrawn: Vec<bool> = (1..5).map(|n| outbox.withdraw(&chat, notice(n).id())).collect();
    assert_eq!(withdrawn, [true, true, false, false]);
    assert_eq!(outbox.next(at(9_999)), None);
}

#[test]
fn what_nobody_asks_for_again_is_forgotten_and_too_much_is_too() {
    let (mut outbox, chat, old) = (Outbox::default(), channel("chat"), channel("old"));
    outbox.put(&old, notice(1), at(0));
    for n in 0..MAX_SETTLED + 10 {
        let second = i64::try_from(n).unwrap();
        outbox.put(&chat, if n % 100 == 50 { digest(n) } else { notice(n) }, at(second));
        let delivery = outbox.next(at(second)).unwrap();
        if *delivery.channel() == chat {
            outbox.told(&delivery, accepted(), at(second), chance());
        } else {
            let delivery = outbox.next(at(second)).unwrap();
            outbox.told(&delivery, accepted(), at(second), chance());
        }
    }
    let known = |outbox: &Outbox, n: usize| {
        let message = if n % 100 == 50 { digest(n) } else { notice(n) };
        outbox.standing(&chat, message.id()).is_some()
    };
    // Ten too many: the ten digests went first.
    assert!((0..MAX_SETTLED + 10).all(|n| known(&outbox, n) == (n % 100 != 50)));
    outbox.forget(|key| *key != old, |id| id.kind == Kind::Cancelled && id.origin.as_str() == "mark-7");
    assert!(known(&outbox, 7) && !known(&outbox, 8));
    assert_eq!(outbox.channels().count(), 1);
}

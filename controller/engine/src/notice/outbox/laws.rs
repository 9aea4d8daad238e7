//! Laws of the outbox, over whatever may happen to it: any order of putting, sending, answers, deaths and clocks.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::tests::{at, channel, digest, notice, reminder};
use super::*;
use crate::notice::Kind;

#[derive(Clone, Debug)]
enum Event {
    Put {
        channel: usize,
        message: usize,
    },
    /// Sends what is next, and answers so. `None`: the process dies before it can tell.
    Send(Option<Outcome>, u32),
    Pass(i64),
    Restart,
    Withdraw {
        channel: usize,
        message: usize,
    },
    Reopen(usize),
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    let why = || "because".to_owned();
    prop_oneof![
        6 => (200..300_u16).prop_map(|status| Outcome::Accepted { status }),
        6 => prop::option::of(-10..100_000_i64).prop_map(move |wait| Outcome::TryAgain { why: why(), wait: wait.map(SignedDuration::from_secs) }),
        1 => Just(Outcome::Refused { why: why() }),
        1 => Just(Outcome::Gone { why: why() }),
    ]
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        8 => (0..3_usize, 0..90_usize).prop_map(|(channel, message)| Event::Put { channel, message }),
        8 => (prop::option::weighted(0.9, outcomes()), any::<u32>()).prop_map(|(outcome, chance)| Event::Send(outcome, chance)),
        4 => (0..4_000_i64).prop_map(Event::Pass),
        1 => Just(Event::Restart),
        1 => (0..3_usize, 0..90_usize).prop_map(|(channel, message)| Event::Withdraw { channel, message }),
        1 => (0..3_usize).prop_map(Event::Reopen),
    ];
    prop::collection::vec(event, 1..200)
}

fn channels(n: usize) -> ObjectKey {
    channel(&format!("channel-{n}"))
}

/// A third are digests, a few reminders that expire, the others notices.
fn message(n: usize) -> Message {
    match n % 6 {
        0 | 1 => digest(n),
        2 => reminder(n, at(20_000)),
        _ => notice(n),
    }
}

/// What was seen from outside.
#[derive(Default)]
struct Seen {
    accepted: BTreeSet<(ObjectKey, NoticeId)>,
    /// Taken in, and not withdrawn since.
    owed: BTreeSet<(ObjectKey, NoticeId)>,
    /// Before this nothing may be sent there.
    quiet: BTreeMap<ObjectKey, Timestamp>,
}

proptest! {
    #[test]
    fn nothing_is_sent_twice_once_accepted_and_no_notice_is_lost(events in events()) {
        let (mut outbox, mut seen, mut now) = (Outbox::default(), Seen::default(), at(0));
        for event in events {
            match event {
                Event::Put { channel, message: n } => {
                    let (channel, message) = (channels(channel), message(n));
                    let key = (channel.clone(), message.id().clone());
                    match outbox.put(&channel, message, now) {
                        Standing::NoRoom | Standing::ChannelGone => prop_assert!(!seen.owed.contains(&key)),
                        Standing::Accepted(_) => prop_assert!(seen.accepted.contains(&key)),
                        _ => { seen.owed.insert(key); }
                    }
                }
                Event::Send(outcome, chance) => {
                    let Some(delivery) = outbox.next(now) else { continue };
                    let key = (delivery.channel().clone(), delivery.message().id().clone());
                    prop_assert!(!seen.accepted.contains(&key), "{key:?} again");
                    prop_assert!(seen.owed.contains(&key), "{key:?} is owed to nobody");
                    prop_assert!(delivery.message().until().is_none_or(|until| now < until));
                    prop_assert!(seen.quiet.get(&key.0).is_none_or(|until| *until <= now));
                    let Some(outcome) = outcome else { continue };
                    if let Outcome::TryAgain { wait: Some(wait), .. } = outcome {
                        let wait = wait.clamp(SignedDuration::ZERO, LONGEST_PAUSE);
                        seen.quiet.insert(key.0.clone(), now + wait);
                    }
                    if matches!(outcome, Outcome::Accepted { .. }) {
                        seen.accepted.insert(key);
                    }
                    outbox.told(&delivery, outcome, now, Jitter(chance));
                }
                Event::Pass(seconds) => now += SignedDuration::from_secs(seconds),
                Event::Restart => {
                    let text = serde_json::to_string(&outbox).unwrap();
                    let reread: Outbox = serde_json::from_str(&text).unwrap();
                    prop_assert_eq!(&reread, &outbox);
                    outbox = reread;
                }
                Event::Withdraw { channel, message: n } => {
                    let key = (channels(channel), message(n).id().clone());
                    let read = outbox.withdraw(&key.0, &key.1);
                    prop_assert!(read || !seen.accepted.contains(&key));
                    if !seen.accepted.contains(&key) {
                        seen.owed.remove(&key);
                    }
                }
                Event::Reopen(channel) => {
                    outbox.reopen(&channels(channel), now);
                    seen.quiet.remove(&channels(channel));
                    // What was refused may be put again; until then nobody owes it.
                    seen.owed.retain(|(of, id)| *of != channels(channel) || outbox.standing(of, id).is_some());
                }
            }
            for (channel, id) in &seen.owed {
                let standing = outbox.standing(channel, id);
                prop_assert!(standing.is_some(), "{id} is lost");
                let dropped = matches!(standing, Some(Standing::Dropped { .. }));
                prop_assert!(!dropped || id.kind == Kind::Digest, "{id} was dropped");
                let accepted = matches!(standing, Some(Standing::Accepted(_)));
                prop_assert_eq!(accepted, seen.accepted.contains(&(channel.clone(), id.clone())));
            }
            prop_assert!(outbox.channels().all(|(_, waiting, _)| waiting <= MAX_WAITING));
        }
        // Once every channel takes what it is given, all that is owed arrives or says why it does not.
        for n in 0..3 {
            outbox.reopen(&channels(n), now);
        }
        let mut rounds = 0;
        while let Some(wakes) = outbox.wakes_at(now) {
            now = now.max(wakes);
            rounds += 1;
            prop_assert!(rounds < 1_000, "it wakes for nothing");
            while let Some(delivery) = outbox.next(now) {
                outbox.told(&delivery, Outcome::Accepted { status: 200 }, now, Jitter(0));
            }
        }
        prop_assert!(outbox.channels().all(|(_, waiting, _)| waiting == 0));
    }

    /// What a channel is told at what time does not depend on how ill another one is.
    #[test]
    fn a_dead_channel_changes_nothing_for_a_living_one(events in events(), dead in prop::collection::vec(outcomes(), 1..40)) {
        let living = channels(0);
        let mut alone = (Outbox::default(), Vec::new());
        let mut beside = (Outbox::default(), Vec::new());
        let (mut now, mut answers) = (at(0), dead.iter().cycle());
        for n in 0..40 {
            beside.0.put(&channels(1), notice(n), now);
        }
        for event in events {
            match event {
                Event::Put { message: n, .. } => {
                    alone.0.put(&living, message(n), now);
                    beside.0.put(&living, message(n), now);
                }
                Event::Send(Some(outcome), chance) => {
                    for (outbox, sent) in [&mut alone, &mut beside] {
                        while let Some(delivery) = outbox.next(now) {
                            let ill = *delivery.channel() != living;
                            let outcome = if ill { answers.next().unwrap().clone() } else { outcome.clone() };
                            outbox.told(&delivery, outcome, now, Jitter(chance));
                            if !ill {
                                sent.push((now, delivery.message().id().clone()));
                            }
                        }
                    }
                }
                Event::Pass(seconds) => now += SignedDuration::from_secs(seconds),
                Event::Send(None, _) | Event::Restart | Event::Withdraw { .. } | Event::Reopen(_) => {}
            }
        }
        prop_assert_eq!(alone.1, beside.1);
    }
}

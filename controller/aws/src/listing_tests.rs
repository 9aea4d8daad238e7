//! Stories of listings: pages as data, and what the reading says of them.

use super::*;
use proptest::prelude::*;

impl Listed for String {
    fn id(&self) -> &str {
        self
    }
}

fn now() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

fn limits() -> Limits {
    Limits { max_pages: 5, max_items: 6, max_empty_pages: 2, ..Limits::default() }
}

fn page(ids: &[&str], next: Option<&str>) -> Page<String> {
    let items = Some(ids.iter().map(|id| (*id).to_owned()).collect());
    Page { items, nameless: 0, next: next.map(str::to_owned), request_id: None }
}

fn lost() -> Failure {
    Failure::new(FailureKind::Unreachable, "lost")
}

/// Plays pages and failures against a listing until it wants no more.
fn play(events: impl IntoIterator<Item = Result<Page<String>, Failure>>) -> Reading<Vec<String>> {
    let mut listing = Listing::new("ec2 instances 1/eu-west-1".to_owned(), now(), &limits());
    for event in events {
        if listing.next().is_none() {
            break;
        }
        match event {
            Ok(page) => listing.page(page),
            Err(why) => listing.failed(why.into()),
        }
    }
    assert_eq!(listing.next(), None, "the listing is at its end");
    listing.into_reading()
}

#[track_caller]
fn partial(reading: &Reading<Vec<String>>, seen: &[&str], what: &str, kind: FailureKind) {
    assert_eq!(reading.seen, seen);
    let Extent::Partial { at, missing } = &reading.extent else { panic!("{:?}", reading.extent) };
    assert_eq!(*at, now());
    let gap = missing.iter().find(|gap| gap.what == what);
    assert_eq!(gap.map(|gap| gap.why.kind), Some(kind), "{missing:?}");
}

#[test]
fn every_page_to_the_last_is_complete_and_the_token_leads() {
    let mut listing = Listing::new("s".to_owned(), now(), &limits());
    assert_eq!(listing.next(), Some(Ask { token: None, page: 1 }));
    listing.page(page(&["a", "b"], Some("t1")));
    assert_eq!(listing.next(), Some(Ask { token: Some("t1".into()), page: 2 }));
    listing.page(page(&["c"], Some("")));
    assert_eq!(listing.next(), None, "an empty token leads nowhere");
    let reading = listing.into_reading();
    assert_eq!(reading.extent, Extent::Complete { at: now() });
    assert_eq!(reading.seen, ["a", "b", "c"]);
}

#[test]
fn an_empty_account_is_complete() {
    assert_eq!(play([Ok(page(&[], None))]).extent, Extent::Complete { at: now() });
}

#[test]
fn an_answer_without_the_list_itself_is_not_an_empty_account() {
    let silent = Page { items: None, ..page(&[], None) };
    let reading = play([Ok(silent.clone())]);
    let Extent::Failed { why, .. } = &reading.extent else { panic!("{:?}", reading.extent) };
    assert_eq!(why.kind, FailureKind::Malformed);
    let reading = play([Ok(page(&["a"], Some("t"))), Ok(silent)]);
    partial(&reading, &["a"], "page 2 and later", FailureKind::Malformed);
}

#[test]
fn a_first_page_that_does_not_come_is_no_reading() {
    assert_eq!(play([Err(lost())]).extent, Extent::Failed { since: now(), why: lost() });
}

#[test]
fn a_later_page_that_does_not_come_leaves_what_was_seen() {
    let reading = play([Ok(page(&["a"], Some("t1"))), Ok(page(&["b"], Some("t2"))), Err(lost())]);
    partial(&reading, &["a", "b"], "page 3 and later", FailureKind::Unreachable);
}

#[test]
fn an_id_that_comes_twice_means_that_another_may_be_missing() {
    let reading = play([Ok(page(&["a", "b"], Some("t1"))), Ok(page(&["b", "c"], None))]);
    partial(&reading, &["a", "b", "c"], "an unknown share", FailureKind::Malformed);
}

#[test]
fn a_way_that_leads_back_ends() {
    let reading =
        play([Ok(page(&["a"], Some("t1"))), Ok(page(&["b"], Some("t2"))), Ok(page(&["c"], Some("t1")))]);
    partial(&reading, &["a", "b", "c"], "page 4 and later", FailureKind::Malformed);
}

#[test]
fn empty_pages_that_lead_on_are_followed_a_while() {
    let reading = play([Ok(page(&[], Some("t1"))), Ok(page(&["a"], Some("t2"))), Ok(page(&[], None))]);
    assert_eq!(reading.extent, Extent::Complete { at: now() });
    let reading = play((0..9).map(|n| Ok(page(&[], Some(&format!("t{n}"))))));
    partial(&reading, &[], "page 3 and later", FailureKind::Malformed);
}

#[test]
fn limits_end_a_listing_and_say_so() {
    let reading = play((0..9).map(|n| Ok(page(&[&format!("i{n}")], Some(&format!("t{n}"))))));
    partial(&reading, &["i0", "i1", "i2", "i3", "i4"], "page 6 and later", FailureKind::TooLarge);
    let many = ["a", "b", "c", "d", "e", "f", "g"];
    let reading = play([Ok(page(&many, None))]);
    partial(&reading, &many[..6], "page 2 and later", FailureKind::TooLarge);
    let reading = play([Ok(page(&many[..6], None))]);
    assert_eq!(reading.extent, Extent::Complete { at: now() }, "just at the limit nothing is missing");
}

#[test]
fn one_entry_without_an_id_makes_it_partial_and_the_rest_is_kept() {
    let reading = play([Ok(Page { nameless: 1, ..page(&["a"], None) })]);
    partial(&reading, &["a"], "1 without an id", FailureKind::Malformed);
}

#[test]
fn the_last_request_ids_are_kept_and_gaps_are_bounded() {
    let mut listing =
        Listing::new("s".to_owned(), now(), &Limits { max_pages: 100, max_items: 100, ..Limits::default() });
    for n in 0..50 {
        listing.page(Page {
            nameless: 1,
            request_id: Some(format!("r{n}")),
            ..page(&[&n.to_string()], Some(&format!("t{n}")))
        });
    }
    listing.failed(Failed { why: lost(), request_id: Some("r-last".to_owned()) });
    let reading = listing.into_reading();
    assert_eq!(reading.request_ids, ["r46", "r47", "r48", "r49", "r-last"]);
    let Extent::Partial { missing, .. } = reading.extent else { panic!() };
    let what: Vec<&str> = missing.iter().map(|gap| gap.what.as_str()).collect();
    assert_eq!(what, ["page 51 and later", "50 without an id"]);
}

#[test]
fn the_same_trouble_has_the_same_words_each_time() {
    let told = |n: usize| {
        let ids: Vec<String> = (0..n).map(|i| format!("i{i}")).collect();
        let items = Page { items: Some(ids), ..page(&[], Some("t")) };
        play([Ok(items.clone()), Ok(items)]).extent
    };
    let (Extent::Partial { missing: few, .. }, Extent::Partial { missing: many, .. }) = (told(1), told(3))
    else {
        panic!()
    };
    assert_eq!(few, many);
}

#[derive(Clone, Debug)]
enum Mishap {
    None,
    LostAt(usize),
    RepeatedAt(usize),
    SilentAt(usize),
}

fn mishap() -> impl Strategy<Value = Mishap> {
    prop_oneof![
        Just(Mishap::None),
        (0..8_usize).prop_map(Mishap::LostAt),
        (0..8_usize).prop_map(Mishap::RepeatedAt),
        (0..8_usize).prop_map(Mishap::SilentAt),
    ]
}

proptest! {
    /// The law of the whole crate: a listing is complete only if it holds every item there is.
    #[test]
    fn complete_means_all(sizes in prop::collection::vec(0..4_usize, 1..8), mishap in mishap()) {
        let mut truth: Vec<Vec<String>> = Vec::new();
        let mut n = 0;
        for size in &sizes {
            truth.push((n..n + size).map(|i| format!("i{i}")).collect());
            n += size;
        }
        let roomy = Limits { max_pages: 20, max_items: 100, max_empty_pages: 20, ..Limits::default() };
        let mut listing = Listing::new("s".to_owned(), now(), &roomy);
        let mut at = 0;
        while let Some(ask) = listing.next() {
            let number = usize::try_from(ask.page).unwrap() - 1;
            let next = (at + 1 < truth.len()).then(|| format!("t{number}"));
            let told = Page { items: Some(truth[at].clone()), nameless: 0, next, request_id: None };
            match mishap {
                Mishap::LostAt(k) if k == number => listing.failed(lost().into()),
                Mishap::SilentAt(k) if k == number => listing.page(Page { items: None, ..told }),
                Mishap::RepeatedAt(k) if k == number && at > 0 => {
                    // The page before is told again, in place of this one.
                    listing.page(Page { items: Some(truth[at - 1].clone()), ..told });
                    at += 1;
                }
                _ => {
                    listing.page(told);
                    at += 1;
                }
            }
        }
        let reading = listing.into_reading();
        let all = truth.concat();
        prop_assert!(reading.seen.iter().all(|i| all.contains(i)), "nothing is made up");
        if matches!(reading.extent, Extent::Complete { .. }) {
            // A repeated page of nothing tells nothing, and hides only if the page it stood in for held something.
            let hidden = matches!(mishap, Mishap::RepeatedAt(k) if k > 0 && k < truth.len() && truth[k - 1].is_empty());
            prop_assert!(hidden || reading.seen == all, "{:?} of {:?}", reading.seen, all);
        }
        if let Extent::Failed { .. } = reading.extent {
            prop_assert!(reading.seen.is_empty());
        }
    }
}

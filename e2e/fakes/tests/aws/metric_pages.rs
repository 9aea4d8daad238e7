//! Pages of metrics, the limits of a request, and what faults do to it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::prelude::*;
use rollcall_fakes::{
    aws::{Habits, Launch, Load},
    calls::Which,
    faults::{Fault, Pace, Rule},
};
use serde_json::{Value, json};

use crate::client::{ACCOUNT, Client, Play};
use crate::metrics::{DAY, asked, at, of_instance, query};

const FROM: &str = "2026-02-20T00:00:00Z";
const UNTIL: &str = "2026-03-02T00:00:00Z";

/// So many hosts, each busy for as many of the ten days as its number says; and a query for each.
async fn with(hosts: u8) -> (Play, Vec<Value>) {
    let play = Play::start().await;
    let launch = Launch::of("m7g.large").launched_at(at("2026-02-01T00:00:00Z")).count(hosts.into());
    let ids = play.tokyo.launch(&launch).unwrap();
    let queries = ids.iter().enumerate().map(|(n, id)| {
        let days = i64::try_from(n % 11).unwrap();
        let silent = Timestamp::from_second(at(FROM).as_second() + days * DAY).unwrap();
        play.tokyo.set_load(id, silent, None).unwrap();
        query(&format!("q{n}"), "AWS/EC2", "CPUUtilization", ("InstanceId", id), "Maximum", DAY)
    });
    let queries = queries.collect();
    (play, queries)
}

/// All pages of a request that takes so many points a page.
async fn pages(client: &Client, queries: &[Value], size: usize) -> Vec<Value> {
    let mut request = asked(queries, at(FROM), at(UNTIL));
    request["MaxDatapoints"] = json!(size);
    let mut pages = Vec::new();
    for _ in 0..10_000 {
        let page = client.metrics("GetMetricData", &request).await.json();
        request["NextToken"] = page["NextToken"].clone();
        let goes_on = page["NextToken"].is_string();
        pages.push(page);
        if !goes_on {
            return pages;
        }
    }
    panic!("a listing without end");
}

/// Each metric's points and its last status, put together from all pages.
fn together(pages: &[Value]) -> BTreeMap<String, (Vec<i64>, String)> {
    let mut all: BTreeMap<String, (Vec<i64>, String)> = BTreeMap::new();
    for result in pages.iter().flat_map(|page| page["MetricDataResults"].as_array().unwrap()) {
        let (points, status) = all.entry(result["Id"].as_str().unwrap().to_owned()).or_default();
        assert_ne!(status, "Complete", "nothing comes after that");
        points.extend(result["Timestamps"].as_array().unwrap().iter().map(|time| time.as_i64().unwrap()));
        result["StatusCode"].as_str().unwrap().clone_into(status);
    }
    all
}

#[tokio::test]
async fn all_pages_are_all_points_once_whatever_their_size() {
    let (play, queries) = with(23).await;
    let whole = together(&pages(&play.client, &queries, 100_800).await);
    assert_eq!(whole.len(), 23);
    for (n, (points, status)) in (0..23).map(|n| (n, &whole[&format!("q{n}")])) {
        assert_eq!((points.len(), status.as_str()), (n % 11, "Complete"), "q{n}");
    }
    for (size, short_pages) in [(1, false), (7, false), (7, true), (10, false), (100_800, true)] {
        play.aws.set_habits(Habits { unstable_order: true, short_pages });
        let told = pages(&play.client, &queries, size).await;
        let largest = told.iter().map(|page| {
            let results = page["MetricDataResults"].as_array().unwrap().iter();
            results.map(|result| result["Values"].as_array().unwrap().len()).sum::<usize>()
        });
        assert!(largest.max().unwrap() <= size);
        assert_eq!(together(&told), whole, "in pages of {size}");
    }
}

#[tokio::test]
async fn a_token_belongs_to_its_request() {
    let (play, queries) = with(5).await;
    let mut request = asked(&queries, at(FROM), at(UNTIL));
    request["MaxDatapoints"] = json!(3);
    let token = play.client.metrics("GetMetricData", &request).await.json()["NextToken"].clone();
    let mut other = asked(&queries[..3], at(FROM), at(UNTIL));
    other["MaxDatapoints"] = json!(3);
    for token in [token, json!("made-up")] {
        other["NextToken"] = token;
        let answer = play.client.metrics("GetMetricData", &other).await;
        assert_eq!((answer.status, answer.json_code().as_str()), (400, "InvalidNextToken"));
    }
}

#[tokio::test]
async fn a_request_that_breaks_a_rule_is_refused() {
    let (play, queries) = with(1).await;
    let good = || asked(&queries, at(FROM), at(UNTIL));
    let one = || of_instance("i-1", "CPUUtilization", "Maximum", DAY);
    let named = |id: String| json!({"Id": id, "MetricStat": one()["MetricStat"]});
    let with = |queries: Vec<Value>| asked(&queries, at(FROM), at(UNTIL));
    let many = |count| (0..count).map(|n| named(format!("q{n}"))).collect::<Vec<_>>();
    assert_eq!(play.client.metrics("GetMetricData", &with(many(500))).await.status, 200);
    let changed = |field: &str, value: Value| {
        let mut request = good();
        request[field] = value;
        request
    };
    for (story, request) in [
        ("no query", with(vec![])),
        ("501 queries", with(many(501))),
        ("one id twice", with(vec![one(), one()])),
        ("a bad id", with(vec![named("Q0".to_owned())])),
        ("nothing asked for", with(vec![json!({"Id": "q0"})])),
        ("an expression", with(vec![json!({"Id": "q0", "Expression": "q1 * 2"})])),
        ("half a minute", with(vec![of_instance("i-1", "CPUUtilization", "Maximum", 90)])),
        ("a percentile", with(vec![of_instance("i-1", "CPUUtilization", "p99", DAY)])),
        ("no time", changed("StartTime", Value::Null)),
        ("no length", changed("EndTime", json!(at(FROM).as_second()))),
        ("backwards", changed("StartTime", json!(at(UNTIL).as_second() + 1))),
        ("too large a page", changed("MaxDatapoints", json!(100_801))),
        ("an empty page", changed("MaxDatapoints", json!(0))),
    ] {
        let answer = play.client.metrics("GetMetricData", &request).await;
        assert_eq!((answer.status, answer.json_code().as_str()), (400, "ValidationError"), "{story}");
    }
    assert_eq!(play.client.metrics("ListDashboards", &good()).await.json_code(), "InvalidAction");
    let answer = play.client.call("monitoring", "GetMetricData", &[]).await.unwrap();
    assert_eq!(answer.status, 501, "forms are more than the fake knows");
}

#[tokio::test]
async fn refusals_come_in_its_own_words_and_are_counted_under_iam_s_name() {
    let (play, queries) = with(2).await;
    let request = asked(&queries, at(FROM), at(UNTIL));
    let throttle = Fault::Throttle { burst: 0.0, refill_per_second: 0.0, pace: Pace::World };
    for (fault, status, code) in [
        (throttle, 400, "Throttling"),
        (Fault::Denied, 403, "AccessDenied"),
        (Fault::Status { status: 500, body: None }, 500, "InternalFailure"),
        (Fault::Status { status: 503, body: None }, 503, "ServiceUnavailable"),
    ] {
        play.aws.stage().faults.clear();
        play.aws.stage().faults.add(Rule::new("cloudwatch", "GetMetricData", fault)).unwrap();
        let answer = play.client.metrics("GetMetricData", &request).await;
        assert_eq!((answer.status, answer.json_code().as_str()), (status, code));
    }
    play.aws.stage().faults.clear();
    assert!(play.aws.account(ACCOUNT).deny(&play.client.key, &["cloudwatch:Get*"]));
    let answer = play.client.metrics("GetMetricData", &request).await;
    assert!(answer.status == 403 && answer.body.contains("cloudwatch:GetMetricData"), "{}", answer.body);
    let stranger = play.client.with_key("AKIANOBODY", None).metrics("GetMetricData", &request).await;
    assert_eq!((stranger.status, stranger.json_code().as_str()), (403, "InvalidClientTokenId"));
    assert_eq!(play.aws.stage().calls.of("cloudwatch", "GetMetricData"), 6);
}

#[tokio::test]
async fn some_metrics_fail_and_the_others_do_not() {
    let (play, queries) = with(11).await;
    for (status, halves) in [("PartialData", true), ("InternalError", false), ("Forbidden", false)] {
        play.aws.stage().faults.clear();
        let fault = Fault::ItemStatus { items: 3, status: status.to_owned() };
        play.aws.stage().faults.add(Rule::new("cloudwatch", "GetMetricData", fault)).unwrap();
        let told = together(&pages(&play.client, &queries, 100_800).await);
        let failed: Vec<_> = told.iter().filter(|(_, (_, word))| word == status).collect();
        assert_eq!((failed.len(), told.len()), (3, 11));
        for (id, (points, _)) in failed {
            let all: usize = id[1..].parse().unwrap();
            assert_eq!(points.len(), if halves { all / 2 } else { 0 }, "{id}");
        }
    }
    play.aws.stage().faults.clear();
    let remark = Fault::Remark { message: "Maximum number of allowed metrics exceeded".to_owned() };
    play.aws.stage().faults.add(Rule::new("cloudwatch", "GetMetricData", remark)).unwrap();
    let [page] = &pages(&play.client, &queries, 100_800).await[..] else { panic!("one page") };
    assert!(page["Messages"][0]["Value"].as_str().unwrap().contains("exceeded"));
}

#[tokio::test]
async fn a_page_is_repeated_skipped_or_empty() {
    let (play, queries) = with(11).await;
    let whole = together(&pages(&play.client, &queries, 100_800).await);
    let strike = |fault, after| {
        play.aws.stage().faults.clear();
        let rule = Rule::new("cloudwatch", "GetMetricData", fault).after(after).times(1);
        play.aws.stage().faults.add(rule).unwrap();
    };
    strike(Fault::RepeatPage, 1);
    let told = pages(&play.client, &queries, 10).await;
    assert_eq!(told[1]["MetricDataResults"], told[2]["MetricDataResults"]);
    strike(Fault::SkipPage, 1);
    let told: usize = together(&pages(&play.client, &queries, 10).await).values().map(|(p, _)| p.len()).sum();
    let all: usize = whole.values().map(|(points, _)| points.len()).sum();
    assert!((all - 10..all).contains(&told), "{told} of {all}");
    strike(Fault::EmptyAnswer, 0);
    let told = pages(&play.client, &queries, 10).await;
    assert!(told.len() == 1 && told[0]["MetricDataResults"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn calls_and_points_have_their_limits() {
    let (play, queries) = with(1).await;
    play.aws.enforce_rates(true);
    let request = asked(&queries, at(FROM), at(UNTIL));
    let storm = async |request: &Value| {
        for n in 0..10_000 {
            let answer = play.client.metrics("GetMetricData", request).await;
            if answer.status != 200 {
                assert_eq!(answer.json_code(), "Throttling");
                return n;
            }
        }
        panic!("nothing is ever refused");
    };
    assert!(storm(&request).await >= 50);

    play.aws.enforce_rates(true);
    let id = play.tokyo.living().remove(0);
    play.tokyo.set_load(&id, at(FROM), Some(Load::IDLE)).unwrap();
    let long = of_instance(&id, "CPUUtilization", "Maximum", 300);
    let long = asked(&[long], at("2026-02-01T00:00:00Z"), at("2026-03-02T00:00:00Z"));
    let calls = storm(&long).await;
    assert!((10..45).contains(&calls), "8,352 points a call, 90,000 a second: {calls}");
    let throttled = Which { error: Some("Throttling".into()), ..Which::default() };
    assert_eq!(play.aws.stage().calls.matching(&throttled), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// In pages of any size every metric is told, every point once, and only the last part is `Complete`.
    #[test]
    fn pages_of_any_size_are_the_whole(hosts in 1..30u8, size in 1..60usize, short in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (play, queries) = with(hosts).await;
            play.aws.set_habits(Habits { unstable_order: true, short_pages: short });
            let told = together(&pages(&play.client, &queries, size).await);
            assert_eq!(told.len(), usize::from(hosts));
            for (id, (points, status)) in &told {
                let days: usize = id[1..].parse::<usize>().unwrap() % 11;
                assert_eq!((points.iter().collect::<BTreeSet<_>>().len(), points.len()), (days, days));
                assert_eq!(status, "Complete");
            }
        });
    }
}

//! Metrics are made from what hosts do, and from nothing else.

use jiff::{SignedDuration, Timestamp};
use rollcall_fakes::{
    aws::{Launch, Load, ground::db::DbLaunch},
    faults::{Fault, Rule},
};
use serde_json::{Value, json};

use crate::client::{Client, Play, noon};

pub const DAY: i64 = 86_400;

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// One query for a metric by its only dimension.
pub fn query(
    id: &str,
    namespace: &str,
    name: &str,
    dimension: (&str, &str),
    stat: &str,
    period: i64,
) -> Value {
    let dimensions = json!([{"Name": dimension.0, "Value": dimension.1}]);
    let metric = json!({"Namespace": namespace, "MetricName": name, "Dimensions": dimensions});
    json!({"Id": id, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}})
}

pub fn of_instance(id: &str, name: &str, stat: &str, period: i64) -> Value {
    query("q0", "AWS/EC2", name, ("InstanceId", id), stat, period)
}

fn of_database(id: &str, name: &str, stat: &str) -> Value {
    query("q0", "AWS/RDS", name, ("DBInstanceIdentifier", id), stat, DAY)
}

pub fn asked(queries: &[Value], from: Timestamp, until: Timestamp) -> Value {
    json!({
        "MetricDataQueries": queries, "StartTime": from.as_second(), "EndTime": until.as_second(),
        "ScanBy": "TimestampAscending",
    })
}

/// The points of the only result, as days or other texts of their times.
async fn told(client: &Client, query: Value, from: &str, until: &str) -> Vec<(String, f64)> {
    let answer = client.metrics("GetMetricData", &asked(&[query], at(from), at(until))).await.json();
    let [result] = answer["MetricDataResults"].as_array().unwrap().as_slice() else { panic!("{answer}") };
    assert_eq!(result["StatusCode"], "Complete");
    let times = result["Timestamps"].as_array().unwrap().iter();
    let times = times.map(|time| Timestamp::from_second(time.as_i64().unwrap()).unwrap().to_string());
    let values = result["Values"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap());
    times.map(|time| time.replace("T00:00:00Z", "")).zip(values).collect()
}

fn named(points: &[(&str, f64)]) -> Vec<(String, f64)> {
    points.iter().map(|(at, value)| ((*at).to_owned(), *value)).collect()
}

/// A host that was launched on 1 February, and it is noon on 2 March.
async fn with(instance_type: &str) -> (Play, String) {
    let play = Play::start().await;
    let launch = Launch::of(instance_type).launched_at(at("2026-02-01T00:00:00Z"));
    let id = play.tokyo.launch(&launch).unwrap().remove(0);
    (play, id)
}

#[tokio::test]
async fn busy_idle_silent_and_gap_are_told_apart() {
    let (play, id) = with("m7g.large").await;
    for (from, load) in [
        ("2026-02-20T00:00:00Z", Some(Load::IDLE)),
        ("2026-02-22T10:00:00Z", Some(Load { cpu: 90.0, ..Load::BUSY })),
        ("2026-02-22T10:05:00Z", Some(Load::IDLE)),
        ("2026-02-23T00:00:00Z", None),
        ("2026-02-24T12:00:00Z", Some(Load { cpu: 0.0, ..Load::IDLE })),
    ] {
        play.tokyo.set_load(&id, at(from), load).unwrap();
    }
    let days = |name, stat| {
        told(&play.client, of_instance(&id, name, stat, DAY), "2026-02-19T00:00:00Z", "2026-02-25T00:00:00Z")
    };
    let cpu = [
        ("2026-02-19", 60.0),
        ("2026-02-20", 1.25),
        ("2026-02-21", 1.25),
        ("2026-02-22", 90.0),
        ("2026-02-24", 0.0),
    ];
    assert_eq!(days("CPUUtilization", "Maximum").await, named(&cpu));
    let received: Vec<f64> = days("NetworkIn", "Sum").await.into_iter().map(|(_, sum)| sum).collect();
    let idle = 20.0 * 86_400.0;
    let spike = (200_000.0 - 20.0) * 300.0;
    assert_eq!(received, [200_000.0 * 86_400.0, idle, idle, idle + spike, idle / 2.0]);
    let samples: Vec<f64> =
        days("NetworkIn", "SampleCount").await.into_iter().map(|(_, count)| count).collect();
    assert_eq!(samples, [288.0, 288.0, 288.0, 288.0, 144.0]);
}

#[tokio::test]
async fn a_host_that_is_not_there_or_does_not_run_has_no_points() {
    let (play, id) = with("m7g.large").await;
    let cpu = || of_instance(&id, "CPUUtilization", "Maximum", DAY);
    let born = told(&play.client, cpu(), "2026-01-30T00:00:00Z", "2026-02-03T00:00:00Z").await;
    assert_eq!(born, named(&[("2026-02-01", 60.0), ("2026-02-02", 60.0)]));
    play.tokyo.stop(&id).unwrap();
    play.pass(SignedDuration::from_hours(72));
    play.tokyo.start(&id).unwrap();
    play.pass(SignedDuration::from_hours(24));
    let days = told(&play.client, cpu(), "2026-03-01T00:00:00Z", "2026-03-07T00:00:00Z").await;
    let days: Vec<String> = days.into_iter().map(|(day, _)| day).collect();
    assert_eq!(days, ["2026-03-01", "2026-03-02", "2026-03-05", "2026-03-06"]);
}

#[tokio::test]
async fn a_metric_that_is_not_there_is_a_complete_answer_without_points() {
    let (play, id) = with("t2.micro").await;
    let database = play.tokyo.launch_db(&DbLaunch::of("shop", "mysql")).unwrap();
    for query in [
        of_instance(&id, "EBSReadOps", "Sum", DAY),
        of_instance(&id, "NoSuchMetric", "Sum", DAY),
        of_instance("i-nobody", "CPUUtilization", "Sum", DAY),
        query("q0", "AWS/EC2", "CPUUtilization", ("InstanceID", &id), "Sum", DAY),
        query("q0", "AWS/ECS", "CPUUtilization", ("InstanceId", &id), "Sum", DAY),
        of_database(&database, "CPUUtilization", "Sum"),
    ] {
        let points = told(&play.client, query.clone(), "2026-02-20T00:00:00Z", "2026-03-02T00:00:00Z").await;
        assert_eq!(points, [], "{query}");
    }
    let mut two = of_instance(&id, "CPUUtilization", "Maximum", DAY);
    let dimensions = two["MetricStat"]["Metric"]["Dimensions"].as_array_mut().unwrap();
    dimensions.push(json!({"Name": "ImageId", "Value": "ami-1"}));
    assert_eq!(told(&play.client, two, "2026-02-20T00:00:00Z", "2026-03-02T00:00:00Z").await, []);
}

#[tokio::test]
async fn points_come_late_and_are_kept_for_their_time() {
    let (play, id) = with("m7g.large").await;
    let of = |period| of_instance(&id, "CPUUtilization", "Maximum", period);
    let newest = told(&play.client, of(300), "2026-03-02T11:00:00Z", "2026-03-02T12:00:00Z").await;
    assert_eq!(newest.last().unwrap().0, "2026-03-02T11:50:00Z", "five minutes and three: 11:55 is to come");

    // Older than 15 days: five minutes and more; older than 63: hours.
    play.pass(SignedDuration::from_hours(24 * 60));
    let count = async |period, from| told(&play.client, of(period), from, "2026-04-30T00:00:00Z").await.len();
    assert_eq!(count(60, "2026-04-29T00:00:00Z").await, 288, "one every five minutes, whatever is asked for");
    assert_eq!(count(60, "2026-04-01T00:00:00Z").await, 0);
    assert_eq!(count(300, "2026-04-01T00:00:00Z").await, 29 * 288);
    assert_eq!(count(300, "2026-02-10T00:00:00Z").await, 0);
    assert_eq!(count(3_600, "2026-02-10T00:00:00Z").await, 79 * 24);
    assert_eq!(count(DAY, "2026-02-10T00:00:00Z").await, 79);
}

#[tokio::test]
async fn a_stale_read_tells_the_metrics_of_then() {
    let (play, id) = with("m7g.large").await;
    let fault = Fault::StaleRead { seconds: 36 * 3_600 };
    play.aws.stage().faults.add(Rule::new("cloudwatch", "GetMetricData", fault)).unwrap();
    let samples = of_instance(&id, "CPUUtilization", "SampleCount", DAY);
    let days = told(&play.client, samples, "2026-02-27T00:00:00Z", "2026-03-02T00:00:00Z").await;
    let expected = [("2026-02-27", 288.0), ("2026-02-28", 287.0)];
    assert_eq!(days, named(&expected), "it was midnight then, and the last sample of the day was to come");
}

#[tokio::test]
async fn databases_are_told_of_by_their_names() {
    let play = Play::start().await;
    let launch = |name| DbLaunch::of(name, "mysql").created_at(at("2026-02-01T00:00:00Z"));
    play.tokyo.launch_db(&launch("shop")).unwrap();
    play.tokyo.launch_db(&launch("spare")).unwrap();
    play.tokyo.set_db_load("spare", at("2026-02-01T00:00:00Z"), Some(Load::IDLE)).unwrap();
    play.tokyo.rename_db("shop", "shop-old").unwrap();
    play.pass(SignedDuration::from_hours(1));
    play.tokyo.rename_db("spare", "shop").unwrap();
    play.pass(SignedDuration::from_hours(71));
    let days = async |name, metric, stat| {
        told(&play.client, of_database(name, metric, stat), "2026-03-01T00:00:00Z", "2026-03-05T00:00:00Z")
            .await
    };
    let max = async |name| days(name, "DatabaseConnections", "Maximum").await;
    let expected = [("2026-03-01", 40.0), ("2026-03-02", 40.0), ("2026-03-03", 0.0), ("2026-03-04", 0.0)];
    assert_eq!(max("shop").await, named(&expected), "the name had another owner until noon");
    assert_eq!(
        max("shop-old").await,
        named(&[("2026-03-02", 40.0), ("2026-03-03", 40.0), ("2026-03-04", 40.0)])
    );
    let reads = days("shop-old", "ReadIOPS", "Sum").await;
    assert_eq!(reads[1], ("2026-03-03".to_owned(), 40.0 * 1_440.0), "a sample of the rate each minute");
    play.tokyo.stop_db("shop-old").unwrap();
    play.pass(SignedDuration::from_hours(48));
    let after = told(
        &play.client,
        of_database("shop-old", "CPUUtilization", "Maximum"),
        "2026-03-06T00:00:00Z",
        "2026-03-07T00:00:00Z",
    );
    assert_eq!(after.await, []);
}

#[tokio::test]
async fn what_somebody_put_is_told_in_every_statistic() {
    let play = Play::start().await;
    let datum = |minute: i64, value: f64| {
        let timestamp = (noon() - SignedDuration::from_mins(minute)).as_second();
        json!({"MetricName": "Depth", "Dimensions": [{"Name": "Queue", "Value": "a"}], "Timestamp": timestamp, "Value": value})
    };
    let data = [datum(1, 3.0), datum(2, 5.0), datum(70, 100.0)];
    let put = json!({"Namespace": "Shop", "MetricData": data});
    assert_eq!(play.client.metrics("PutMetricData", &put).await.status, 200);
    let hour = async |stat| {
        let query = query("q0", "Shop", "Depth", ("Queue", "a"), stat, 3_600);
        told(&play.client, query, "2026-03-02T11:00:00Z", "2026-03-02T12:00:00Z").await[0].1
    };
    let all = vec![
        hour("Sum").await,
        hour("Average").await,
        hour("Maximum").await,
        hour("Minimum").await,
        hour("SampleCount").await,
    ];
    assert_eq!(all, [8.0, 4.0, 5.0, 3.0, 2.0]);
    let aws = json!({"Namespace": "AWS/EC2", "MetricData": data});
    assert_eq!(play.client.metrics("PutMetricData", &aws).await.json_code(), "InvalidParameterValue");
    let old = json!({"Namespace": "Shop", "MetricData": [datum(60 * 24 * 15, 1.0)]});
    assert_eq!(play.client.metrics("PutMetricData", &old).await.json_code(), "InvalidParameterValue");
}

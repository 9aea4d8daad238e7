//! The `CloudWatch` question: metrics of many hosts in one call (`GetMetricData`).
//!
//! It speaks Smithy RPC v2 in CBOR. What is asked for is in the past and ends at a midnight, so that every answer is of whole
//! days.

use aws_config::SdkConfig;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::config::{Region, retry::RetryPartition};
use aws_sdk_cloudwatch::operation::RequestId;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, ScanBy};
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use rollcall_engine::activity::{Day, Window};
use rollcall_engine::ids::Place;

use crate::activity::{Batch, Query, Told};
use crate::answer::plain_code;
use crate::described::{self, Paged};
use crate::failure::{Question, Refusal, refusal};
use crate::listing::{Ask, Page};
use crate::map;
use crate::proof::{ProvedKeys, Signatures};
use crate::settings::Limits;
use crate::wire::{Protocol, Wire, Wiring};

/// The client in one place.
#[derive(Debug)]
pub(crate) struct Clients {
    pub(crate) wire: Wire,
    metrics: Client,
}

impl Clients {
    pub(crate) fn new(config: &SdkConfig, place: &Place, keys: &ProvedKeys, wiring: &Wiring) -> Self {
        // Its own bucket of retries, as EC2 has: a throttled CloudWatch must not cost us the sight of hosts.
        let retries = RetryPartition::custom(format!("cloudwatch {place}")).build();
        let (operation, per_second) = (MetricsOf::OPERATION, wiring.limits.metric_calls_per_second);
        let signatures = Signatures::Proved(keys.clone());
        let wire = wiring.wire_in(Protocol::Cbor, place, operation, per_second, signatures);
        let config = aws_sdk_cloudwatch::config::Builder::from(config)
            .region(Region::new(place.region.as_str().to_owned()))
            .http_client(wire.http_client())
            .retry_partition(retries);
        Self { metrics: Client::from_conf(config.build()), wire }
    }
}

/// The question for one batch of metrics.
#[derive(Debug)]
pub(crate) struct MetricsOf<'a> {
    pub(crate) batch: &'a Batch<'a>,
    pub(crate) window: Window,
}

impl MetricsOf<'_> {
    pub(crate) const OPERATION: &'static str = "GetMetricData";

    fn queries(&self) -> Vec<MetricDataQuery> {
        let numbered = self.batch.queries().iter().enumerate();
        numbered.map(|(index, query)| one(index, query)).collect()
    }
}

impl Paged for MetricsOf<'_> {
    type Item = Told;

    fn service(&self) -> &'static str {
        "cloudwatch"
    }
    fn operation(&self) -> &'static str {
        Self::OPERATION
    }

    async fn page(
        &self,
        clients: &described::Clients,
        ask: Ask,
        limits: &Limits,
        _at: Timestamp,
        question: &Question<'_>,
    ) -> Result<Page<Told>, Refusal> {
        let (from, until) = self.window.span();
        let request =
            clients.cloudwatch.metrics.get_metric_data().set_metric_data_queries(Some(self.queries()));
        let request = request.start_time(DateTime::from_secs(from.as_second()));
        let request = request.end_time(DateTime::from_secs(until.as_second()));
        let points = i32::try_from(limits.metric_points).unwrap_or(i32::MAX);
        let request = request.scan_by(ScanBy::TimestampAscending).max_datapoints(points);
        let sent = request.set_next_token(ask.token).send().await;
        let answer = sent.map_err(|error| refusal(&error, question))?;
        let request_id = answer.request_id().and_then(plain_code);
        let parts = answer.metric_data_results.as_ref().map(|results| {
            let parts = results.iter().map(|result| Some(map::part(self.batch, result)));
            // A remark about the whole answer makes it one that cannot be relied on.
            let remarks = answer.messages().iter().map(|_| None);
            let told = |(n, part)| Told { key: format!("{}/{n}", ask.page), part };
            parts.chain(remarks).enumerate().map(told).collect()
        });
        Ok(Page { items: parts, nameless: 0, next: answer.next_token, request_id })
    }
}

fn one(index: usize, query: &Query<'_>) -> MetricDataQuery {
    let name = map::metric(query.subject, query.metric);
    let (dimension, value) = name.dimension;
    let metric = Metric::builder()
        .namespace(name.namespace)
        .metric_name(name.name)
        .dimensions(Dimension::builder().name(dimension).value(value).build());
    let period = i32::try_from(Day::LENGTH.as_secs()).unwrap_or(i32::MAX);
    let stat = MetricStat::builder().metric(metric.build()).period(period).stat(name.statistic).build();
    MetricDataQuery::builder().id(Batch::id(index)).metric_stat(stat).build()
}

//! A fake AWS with one account, and the reader of it.

use std::num::NonZeroU32;
use std::time::Duration;

use axum::Router;
use jiff::Timestamp;
use rollcall_aws::{Account, AccountSettings, Connections, Identity, Limits, StaticKeys};
use rollcall_engine::ids::Region;
use rollcall_engine::inventory::{Database, Instance};
use rollcall_engine::reading::{Extent, Failure, Reading};
use rollcall_fakes::aws::ground::db::DbLaunch;
use rollcall_fakes::aws::{Aws, Launch, RegionTruth};
use rollcall_fakes::clock::WorldClock;
use rollcall_fakes::faults::Rule;
use rollcall_fakes::server::{self, Running};
use rollcall_fakes::stage::Stage;

pub const ACCOUNT: &str = "123456789012";
pub const REGION: &str = "ap-northeast-1";
pub const KEY: &str = "AKIAROLLCALLREADER00";
pub const SECRET: &str = "canary-secret-Wf8sQ2";

pub struct World {
    pub aws: Aws,
    pub url: String,
    _server: Running,
}

pub fn now() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

pub fn region() -> Region {
    REGION.into()
}

/// Limits for tests: small pages, and no time lost in waiting.
pub fn quick() -> Limits {
    Limits {
        page_size: 5,
        database_page_size: 20,
        first_backoff: Duration::from_millis(2),
        max_backoff: Duration::from_millis(10),
        calls_per_second: NonZeroU32::new(10_000).unwrap(),
        database_calls_per_second: NonZeroU32::new(10_000).unwrap(),
        metric_calls_per_second: NonZeroU32::new(10_000).unwrap(),
        proof_pause: Duration::ZERO,
        ..Limits::default()
    }
}

impl World {
    pub async fn new() -> Self {
        Self::behind(|router| router).await
    }

    /// A world behind something that meddles with what it says.
    pub async fn behind(meddle: impl FnOnce(Router) -> Router) -> Self {
        let aws = Aws::new(Stage::new(WorldClock::frozen_at(now())));
        aws.account(ACCOUNT).add_key("reader", KEY);
        let server = server::serve(meddle(aws.router())).await.unwrap();
        Self { aws, url: server.url(), _server: server }
    }

    pub fn truth(&self) -> RegionTruth {
        self.aws.account(ACCOUNT).region(REGION)
    }

    /// So many running hosts, launched long ago.
    pub fn fleet(&self, count: u32) -> Vec<String> {
        let launched = "2026-01-01T00:00:00Z".parse().unwrap();
        let launch = Launch::of("t3.small").launched_at(launched).tag("Name", "web");
        let mut ids = self.truth().launch(&launch.count(count)).unwrap();
        ids.sort();
        ids
    }

    /// So many databases, made long ago, named `db-000` and on; answers their ids as the engine knows them.
    pub fn databases(&self, count: usize) -> Vec<String> {
        let created = "2026-01-01T00:00:00Z".parse().unwrap();
        let launch = |n| DbLaunch::of(&format!("db-{n:03}"), "mysql").created_at(created);
        let mut ids: Vec<String> =
            (0..count).map(|n| self.truth().launch_db(&launch(n)).unwrap().to_lowercase()).collect();
        ids.sort();
        ids
    }

    pub fn settings(&self) -> AccountSettings {
        AccountSettings {
            account: ACCOUNT.into(),
            regions: vec![region()],
            identity: Identity::Static(StaticKeys::new(KEY, SECRET, None)),
            assume: None,
            endpoint_url: Some(self.url.clone()),
            limits: quick(),
        }
    }

    pub async fn reader(&self) -> Account {
        reader(self.settings()).await
    }

    pub fn strike(&self, rule: Rule) {
        self.aws.stage().faults.add(rule).unwrap();
    }

    /// How often the fake was asked this.
    pub fn asked(&self, operation: &str) -> u64 {
        let service = match operation {
            _ if operation.starts_with("DescribeDB") => "rds",
            _ if operation.starts_with("Describe") => "ec2",
            "GetMetricData" => "cloudwatch",
            _ => "sts",
        };
        self.aws.stage().calls.of(service, operation)
    }
}

pub async fn reader(settings: AccountSettings) -> Account {
    Account::new(settings, &Connections::default()).await.unwrap()
}

pub fn ids(reading: &Reading<Vec<Instance>>) -> Vec<String> {
    let mut ids: Vec<String> = reading.seen.iter().map(|i| i.id.to_string()).collect();
    ids.sort();
    ids
}

pub fn database_ids(reading: &Reading<Vec<Database>>) -> Vec<String> {
    let mut ids: Vec<String> = reading.seen.iter().map(|d| d.id.to_string()).collect();
    ids.sort();
    ids
}

#[track_caller]
pub fn complete<T: std::fmt::Debug>(reading: &Reading<T>) {
    assert_eq!(reading.extent, Extent::Complete { at: now() });
}

/// Why the reading failed, or is partial; panics when it is complete.
#[track_caller]
pub fn why<T>(reading: &Reading<T>) -> Failure {
    match &reading.extent {
        Extent::Failed { why, .. } => why.clone(),
        Extent::Partial { missing, .. } => missing[0].why.clone(),
        Extent::Complete { .. } => panic!("{} is complete", reading.source),
    }
}

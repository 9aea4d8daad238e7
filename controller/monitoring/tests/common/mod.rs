//! What the tests share: a client in a hurry, and a small fleet in the fake Mackerel.

#![allow(dead_code)] // Each test binary uses its part.

use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rollcall_engine::registry::Registry;
use rollcall_fakes::clock::WorldClock;
use rollcall_fakes::mackerel::{AgentConf, FakeMackerel, HostParam, Org};
use rollcall_fakes::server::Running;
use rollcall_fakes::stage::Stage;
use rollcall_monitoring::endpoint::{EndpointPolicy, SystemLookup};
use rollcall_monitoring::http::{Http, Pace, Patience, Tls};
use rollcall_monitoring::mackerel::{ApiKey, CheckReader, Client, KeySource, MackerelSource};
use rollcall_monitoring::{Depth, RegistrySource};

/// The key of the fake's organisation.
pub const KEY: &str = "canary-3fd1c0b6e5";

pub fn noon() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

pub fn loopback() -> EndpointPolicy {
    EndpointPolicy { allow_http: true, allowed_cidrs: vec!["127.0.0.0/8".parse().unwrap()] }
}

/// Little patience, so that a test of failures takes no minute.
pub fn hasty() -> Patience {
    let ms = Duration::from_millis;
    Patience { attempts: 2, first_pause: ms(1), total: ms(500), attempt: ms(1_000), connect: ms(500) }
}

pub fn fast() -> Pace {
    let many = NonZeroU32::new(100_000).unwrap();
    Pace { per_second: many, burst: many }
}

/// The system's roots are read once; each test makes dozens of clients.
pub fn tls() -> Tls {
    static TLS: OnceLock<Tls> = OnceLock::new();
    TLS.get_or_init(|| Tls::system().unwrap()).clone()
}

pub fn client(url: &str, pace: Pace, patience: Patience) -> Client {
    let http = Http::new(&loopback(), Arc::new(SystemLookup), &tls(), pace, patience).unwrap();
    Client::new(http, loopback().endpoint(url).unwrap())
}

pub fn source_with(url: &str, keys: Arc<dyn KeySource>, calls_per_minute: u32) -> MackerelSource {
    MackerelSource::new(client(url, fast(), hasty()), keys, CheckReader::new(calls_per_minute))
}

pub fn source(url: &str) -> MackerelSource {
    source_with(url, Arc::new(ApiKey::new(KEY).unwrap()), 1_000)
}

/// A fake Mackerel with one organisation, and a source that reads it.
pub struct World {
    pub fake: FakeMackerel,
    pub org: Org,
    pub server: Running,
    pub source: MackerelSource,
}

impl World {
    pub async fn new() -> Self {
        let (fake, org) = FakeMackerel::with_org(Stage::new(WorldClock::frozen_at(noon())), "acme", KEY);
        let server = fake.serve().await.unwrap();
        let source = source(&server.url());
        Self { fake, org, server, source }
    }

    /// The same with a fleet: `hosts` EC2 instances in role `Backlog:app`, each with an agent that runs `checks`.
    pub async fn with_fleet(hosts: usize, checks: &[&str]) -> Self {
        let world = Self::new().await;
        for n in 0..hosts {
            world.add_host(n, checks);
        }
        world
    }

    /// One more of them; answers its id.
    pub fn add_host(&self, n: usize, checks: &[&str]) -> String {
        let param = HostParam::ec2(&format!("app-{n}"), &format!("i-{n:017x}"));
        self.org.edit(|truth| {
            let id = truth.add_host(&param).unwrap();
            truth.agent_starts(&id, AgentConf::new(&["Backlog:app"], checks)).unwrap();
            id
        })
    }

    pub fn now(&self) -> Timestamp {
        self.fake.stage.now()
    }

    pub fn pass(&self, by: SignedDuration) {
        self.fake.stage.clock.advance(by);
    }

    pub async fn read(&mut self) -> Registry {
        let now = self.now();
        self.source.read(now, Depth::Hosts).await
    }

    /// Calls of one operation, `GET /api/v0/hosts`.
    pub fn calls(&self, operation: &str) -> u64 {
        self.fake.stage.calls.of("mackerel", operation)
    }
}

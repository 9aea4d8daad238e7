//! The list of hosts is read as a stream: what it takes depends on what is kept of it, not on how long it is.
//!
//! The allocator of this test counts what the whole process holds, the server included; so the figure is an upper bound.

// A failing test is its way to speak, its helpers' too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use peak_alloc::PeakAlloc;
use rollcall_engine::reading::Extent;
use rollcall_fakes::server::serve;
use rollcall_monitoring::http::Patience;
use rollcall_monitoring::mackerel::{ApiKey, CheckReader, MackerelSource};
use rollcall_monitoring::{Depth, RegistrySource};
use serde_json::json;

#[global_allocator]
static HELD: PeakAlloc = PeakAlloc;

const HOSTS: usize = 20_000;

/// A host as an agent on a machine with 16 cores tells it, over 3 kB; every `@` stands for its number.
static HOST: LazyLock<String> = LazyLock::new(|| {
    let core = json!({"model_name": "Intel(R) Xeon(R) Platinum 8175M CPU at 2.50GHz", "mhz": "2500.000", "core_id": "0",
        "family": "6", "model": "85", "vendor_id": "GenuineIntel", "cache_size": "33792 KB"});
    json!({
        "id": "h@", "name": "app-@", "status": "working", "isRetired": false, "createdAt": 1_700_000_000,
        "customIdentifier": "i-@.ec2.amazonaws.com", "roles": {"Backlog": ["app"]}, "memo": "x".repeat(500),
        "interfaces": [{"name": "eth0", "ipv4Addresses": ["10.0.0.1"]}],
        "meta": {"cpu": vec![core; 16], "cloud": {"provider": "ec2", "metadata": {"instance-id": "i-@"}}}
    })
    .to_string()
});

fn host(n: usize) -> String {
    HOST.replace('@', &format!("{n:08x}"))
}

async fn hosts() -> Response {
    let chunks = (0..=HOSTS).map(|n| {
        let text = match n {
            0 => format!("{{\"hosts\":[{}", host(0)),
            HOSTS => "]}".to_owned(),
            _ => format!(",{}", host(n)),
        };
        Ok::<_, std::io::Error>(Bytes::from(text))
    });
    Body::from_stream(futures::stream::iter(chunks)).into_response()
}

#[tokio::test]
async fn sixty_megabytes_of_hosts_are_read_in_little_more_than_what_is_kept() {
    let body: usize = host(HOSTS / 2).len() * HOSTS;
    assert!(body > 60_000_000, "{body}");
    let router = Router::new()
        .route("/api/v0/hosts", get(hosts))
        .route("/api/v0/services", get(async || r#"{"services":[]}"#))
        .route("/api/v0/monitors", get(async || r#"{"monitors":[]}"#));
    let server = serve(router).await.unwrap();
    let client = common::client(&server.url(), common::fast(), Patience::default());
    let mut source = MackerelSource::new(client, Arc::new(ApiKey::new("k").unwrap()), CheckReader::new(0));

    let before = HELD.current_usage();
    HELD.reset_peak_usage();
    let registry = source.read(Timestamp::UNIX_EPOCH, Depth::Hosts).await;
    let (peak, kept) = (HELD.peak_usage() - before, HELD.current_usage() - before);

    assert!(matches!(registry.hosts.extent, Extent::Complete { .. }), "{:?}", registry.hosts.extent);
    assert_eq!(registry.hosts.seen.len(), HOSTS);
    println!("body {} kB, kept {} kB, peak {} kB", body / 1_000, kept / 1_000, peak / 1_000);
    // A growing vector is copied once into one of twice its size.
    let vector = HOSTS.next_power_of_two() * size_of::<rollcall_engine::registry::Registration>();
    assert!(peak < kept + vector + 4_000_000, "peak {peak}, kept {kept}");
    assert!(peak < body / 2, "peak {peak} of {body}");
}

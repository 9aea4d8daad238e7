//! What the operator serves: metrics and health for machines, the recording for people with a token.
//!
//! Nothing served here changes anything, and every answer is bounded.

mod access;
mod cut;
mod recording;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use kube::Client;
use rollcall_engine::memory::Memory;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::clock::Clock;
use crate::health::Health;
use crate::lease::Standing;
use crate::metrics::Metrics;
use crate::observe::Board;
use crate::settings::Settings;
use crate::sources::Sources;
use crate::watch::{DesiredState, Stores};

/// What the servers show.
#[derive(Clone)]
pub struct Shown {
    /// For token and access reviews.
    pub client: Client,
    /// World time.
    pub clock: Clock,
    /// Readings, for their age.
    pub board: Arc<Board>,
    /// Which lists have come.
    pub stores: Arc<Stores>,
    /// How the loops are.
    pub health: Arc<Health>,
    /// Who counts calls.
    pub sources: Arc<dyn Sources>,
    /// Everything counted.
    pub metrics: Arc<Metrics>,
    /// Which namespace is the library.
    pub settings: Arc<Settings>,
    /// Desired state, parsed.
    pub desired: Arc<DesiredState>,
    /// Memory, while we lead.
    pub remembered: watch::Receiver<Option<Arc<Memory>>>,
    /// Whether this replica is the one to ask.
    pub standing: watch::Receiver<Standing>,
    /// Recordings are made one at a time: each is a pass's work and some MB.
    pub one_at_a_time: Arc<Semaphore>,
}

/// Serves `/metrics`, `/healthz` and `/readyz`.
///
/// # Errors
/// When the listener breaks.
pub async fn observability(listener: TcpListener, shown: Shown) -> anyhow::Result<()> {
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(shown);
    Ok(axum::serve(listener, router).await?)
}

/// Serves `/v1/recording`.
///
/// # Errors
/// When the listener breaks.
pub async fn recording(listener: TcpListener, shown: Shown) -> anyhow::Result<()> {
    let router = Router::new().route("/v1/recording", get(recording::serve)).with_state(shown);
    Ok(axum::serve(listener, router).await?)
}

async fn metrics(State(shown): State<Shown>) -> Response {
    match shown.metrics.encode(&shown.board.snapshot(), shown.sources.calls(), shown.clock.now()) {
        Ok(text) => {
            let content = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, content)], text).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn healthz(State(shown): State<Shown>) -> Response {
    match shown.health.alive() {
        Ok(()) => "alive\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why).into_response(),
    }
}

async fn readyz(State(shown): State<Shown>) -> Response {
    match shown.health.ready(&shown.stores) {
        Ok(what) => what.into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why).into_response(),
    }
}

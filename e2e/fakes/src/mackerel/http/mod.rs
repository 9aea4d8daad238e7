//! The API over HTTP: routes, and for each family of calls one file of thin handlers.

mod alerts;
mod asked;
mod checks;
mod gate;
mod hosts;
mod metadata;
mod metrics;
mod monitors;
mod services;
mod settings;

use axum::{Router, middleware};

use super::FakeMackerel;

/// All routes. Faults, keys and the log of calls lie in the gate before each of them.
pub(super) fn router(fake: &FakeMackerel) -> Router {
    Router::new()
        .merge(hosts::routes())
        .merge(metadata::routes())
        .merge(metrics::routes())
        .merge(services::routes())
        .merge(checks::routes())
        .merge(monitors::routes())
        .merge(alerts::routes())
        .merge(settings::routes())
        .route_layer(middleware::from_fn_with_state(fake.clone(), gate::gate))
        .fallback(gate::not_found)
        .method_not_allowed_fallback(gate::not_found)
        .merge(fake.stage.router())
}

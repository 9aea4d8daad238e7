//! `/monitoring/checks`: the only place where a check's name can be learnt from its id. Old servers lack it.

use axum::{
    Json, Router,
    extract::Path,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    super::{Outcome, Refusal, checks::Report},
    asked::{Answer, Asked, NextId, Query, Sent, success},
};

pub(super) fn routes() -> Router {
    Router::new()
        .route("/api/v0/monitoring/checks", get(list))
        .route("/api/v0/monitoring/checks/{id}", get(read))
        .route("/api/v0/monitoring/checks/report", post(report))
}

fn exists(asked: &Asked) -> Outcome<()> {
    if asked.truth().policy.checks_api { Ok(()) } else { Err(Refusal::not_found("Not found.")) }
}

async fn list(asked: Asked, query: Query) -> Answer {
    exists(&asked)?;
    let monitors = asked.truth().check_monitors.listed();
    let shown = |(id, name): &(std::sync::Arc<str>, std::sync::Arc<str>)| {
        (id.to_string(), json!({"id": id.as_ref(), "name": name.as_ref()}))
    };
    let all: Vec<_> = monitors.iter().map(shown).collect();
    asked.page("checks", &all, &query, NextId::First)
}

async fn read(asked: Asked, Path(id): Path<String>) -> Answer {
    exists(&asked)?;
    let name = asked.truth().check_monitors.name_of(&id);
    let name = name.ok_or_else(|| Refusal::not_found("Check Monitor Not Found."))?;
    Ok(Json(json!({"check": {"id": id, "name": name.as_ref()}})))
}

#[derive(Deserialize)]
struct Reports {
    reports: Vec<Report>,
}

async fn report(asked: Asked, Sent(sent): Sent<Reports>) -> Answer {
    success(asked.org.edit(|truth| truth.report_checks(sent.reports)))
}

//! `/alerts`: paged lists, one alert, memo, closing, logs.

use axum::{
    Json, Router,
    extract::Path,
    routing::{get, post},
};
use serde::Deserialize;

use super::{
    super::alerts::shown,
    asked::{Answer, Asked, NextId, Query, Sent},
};

pub(super) fn routes() -> Router {
    Router::new()
        .route("/api/v0/alerts", get(list))
        .route("/api/v0/alerts/{id}", get(read).put(set_memo))
        .route("/api/v0/alerts/{id}/close", post(close))
        .route("/api/v0/alerts/{id}/logs", get(logs))
}

async fn list(asked: Asked, query: Query) -> Answer {
    asked.org.edit(super::super::Truth::judge_connectivity);
    let all = asked.truth().alerts_listed(query.one("withClosed") == Some("true"));
    asked.page("alerts", &all, &query, NextId::Last)
}

async fn read(asked: Asked, Path(id): Path<String>) -> Answer {
    Ok(Json(shown(asked.truth().alert(&id)?)))
}

async fn logs(asked: Asked, Path(id): Path<String>, query: Query) -> Answer {
    let all = asked.truth().alert_logs(&id)?;
    asked.page("logs", &all, &query, NextId::Last)
}

#[derive(Deserialize)]
struct Memo {
    memo: String,
}

async fn set_memo(asked: Asked, Path(id): Path<String>, Sent(new): Sent<Memo>) -> Answer {
    asked.org.edit(|truth| truth.set_alert_memo(&id, &new.memo)).map(Json)
}

#[derive(Deserialize)]
struct Reason {
    reason: String,
}

async fn close(asked: Asked, Path(id): Path<String>, Sent(why): Sent<Reason>) -> Answer {
    asked.org.edit(|truth| truth.close_alert(&id, &why.reason)).map(Json)
}

//! `/monitors`: lists are `{"monitors"}`, one is `{"monitor"}`, writes answer the bare object.

use axum::{Json, Router, extract::Path, routing::get};
use serde_json::{Value, json};

use super::asked::{Answer, Asked, Sent};

pub(super) fn routes() -> Router {
    Router::new()
        .route("/api/v0/monitors", get(list).post(create))
        .route("/api/v0/monitors/{id}", get(read).put(update).delete(remove))
}

async fn list(asked: Asked) -> Json<Value> {
    let truth = asked.truth();
    asked.list("monitors", truth.monitors().into_iter().cloned())
}

async fn read(asked: Asked, Path(id): Path<String>) -> Answer {
    Ok(Json(json!({"monitor": asked.truth().monitor(&id)?})))
}

async fn create(asked: Asked, Sent(rule): Sent<Value>) -> Answer {
    asked.org.edit(|truth| truth.add_monitor(rule)).map(Value::Object).map(Json)
}

async fn update(asked: Asked, Path(id): Path<String>, Sent(rule): Sent<Value>) -> Answer {
    asked.org.edit(|truth| truth.put_monitor(&id, rule)).map(Value::Object).map(Json)
}

async fn remove(asked: Asked, Path(id): Path<String>) -> Answer {
    asked.org.edit(|truth| truth.delete_monitor(&id)).map(Value::Object).map(Json)
}

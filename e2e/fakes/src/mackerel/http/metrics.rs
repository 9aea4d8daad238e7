//! Metrics of hosts and services, and graph definitions.

use axum::{
    Json, Router,
    extract::Path,
    routing::{delete, get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::{Outcome, Refusal, metrics::Posted},
    asked::{Answer, Asked, Query, Sent, success},
};

pub(super) fn routes() -> Router {
    Router::new()
        .route("/api/v0/tsdb", post(post_host_metrics))
        .route("/api/v0/tsdb/latest", get(latest))
        .route("/api/v0/hosts/{id}/metrics", get(host_metrics))
        .route("/api/v0/hosts/{id}/metric-names", get(host_metric_names))
        .route("/api/v0/services/{service}/tsdb", post(post_service_metrics))
        .route("/api/v0/services/{service}/metrics", get(service_metrics))
        .route("/api/v0/services/{service}/metric-names", get(service_metric_names))
        .route("/api/v0/graph-defs/create", post(create_graphs))
        .route("/api/v0/graph-defs", delete(delete_graph))
}

async fn post_host_metrics(asked: Asked, Sent(posted): Sent<Vec<Posted>>) -> Answer {
    success(asked.org.edit(|truth| truth.post_metrics(&posted)))
}

async fn post_service_metrics(
    asked: Asked,
    Path(service): Path<String>,
    Sent(posted): Sent<Vec<Posted>>,
) -> Answer {
    success(asked.org.edit(|truth| truth.post_service_metrics(&service, &posted)))
}

async fn latest(asked: Asked, query: Query) -> Answer {
    let (mut hosts, names) = (query.all("hostId"), query.all("name"));
    asked.distort(&mut hosts);
    Ok(Json(asked.truth().latest_metrics(&hosts, &names, asked.now())))
}

fn span(query: &Query) -> Outcome<(i64, i64)> {
    Ok((query.seconds("from")?, query.seconds("to")?))
}

async fn host_metrics(asked: Asked, Path(id): Path<String>, query: Query) -> Answer {
    let (name, span) = (query.needed("name")?, span(&query)?);
    asked.truth().host_points(&id, name, span, asked.now()).map(Json)
}

async fn service_metrics(asked: Asked, Path(service): Path<String>, query: Query) -> Answer {
    let (name, span) = (query.needed("name")?, span(&query)?);
    asked.truth().service_points(&service, name, span).map(Json)
}

async fn host_metric_names(asked: Asked, Path(id): Path<String>) -> Answer {
    let names = asked.truth().host(&id)?.metric_names(asked.now());
    Ok(asked.list("names", names.iter().map(AsRef::as_ref)))
}

async fn service_metric_names(asked: Asked, Path(service): Path<String>) -> Answer {
    asked.truth().service_metric_names(&service).map(Json)
}

#[derive(Deserialize)]
struct GraphDef {
    name: String,
    #[serde(flatten)]
    rest: serde_json::Map<String, Value>,
}

async fn create_graphs(asked: Asked, Sent(graphs): Sent<Vec<GraphDef>>) -> Answer {
    if let Some(wrong) = graphs.iter().find(|g| !g.name.starts_with("custom.")) {
        return Err(Refusal::bad(format!("graph name must begin with custom.: {}", wrong.name)));
    }
    asked.org.edit(|truth| {
        truth.graph_defs.extend(graphs.into_iter().map(|g| (g.name, Value::Object(g.rest))));
    });
    Ok(Json(json!({"success": true})))
}

#[derive(Deserialize)]
struct GraphName {
    name: String,
}

async fn delete_graph(asked: Asked, Sent(graph): Sent<GraphName>) -> Answer {
    let gone = asked.org.edit(|truth| truth.graph_defs.remove(&graph.name));
    success(gone.map(drop).ok_or_else(|| Refusal::bad("graph definition does not exist")))
}

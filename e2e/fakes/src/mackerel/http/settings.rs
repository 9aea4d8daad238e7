//! Settings kept whole: downtimes, channels, notification groups, alert group settings, annotations, AWS integrations.

use axum::{
    Json, Router,
    extract::Path,
    routing::{get, post, put},
};
use serde_json::{Value, json};

use super::{
    super::Kind,
    asked::{Answer, Asked, Query, Sent},
};

pub(super) fn routes() -> Router {
    let integrations = "/api/v0/aws-integrations";
    Router::new()
        .merge(documents("downtimes", Kind::Downtimes))
        .merge(documents("channels", Kind::Channels))
        .merge(documents("notification-groups", Kind::NotificationGroups))
        .merge(documents("alert-group-settings", Kind::AlertGroupSettings))
        .merge(writes("graph-annotations", Kind::Annotations))
        .route("/api/v0/graph-annotations", get(annotations))
        .route(integrations, get(list_integrations).post(add_integration))
        .route(
            &format!("{integrations}/{{id}}"),
            get(read_integration).put(put_integration).delete(delete_integration),
        )
        .route("/api/v0/aws-integrations-external-id", post(external_id))
        .route("/api/v0/aws-integrations-excludable-metrics", get(excludable_metrics))
}

/// A kind that is listed whole.
fn documents(path: &str, kind: Kind) -> Router {
    let list = async move |asked: Asked| {
        let all = asked.truth().documents(kind).to_vec();
        asked.list(kind.list_key(), all)
    };
    writes(path, kind).route(&format!("/api/v0/{path}"), get(list))
}

/// Create, overwrite, delete; each answers the document.
fn writes(path: &str, kind: Kind) -> Router {
    let create = async move |asked: Asked, Sent(body): Sent<Value>| -> Answer {
        asked.org.edit(|truth| truth.add_document(kind, body)).map(Value::Object).map(Json)
    };
    let update = async move |asked: Asked, Path(id): Path<String>, Sent(body): Sent<Value>| -> Answer {
        asked.org.edit(|truth| truth.put_document(kind, &id, body)).map(Value::Object).map(Json)
    };
    let remove = async move |asked: Asked, Path(id): Path<String>| -> Answer {
        asked.org.edit(|truth| truth.delete_document(kind, &id)).map(Value::Object).map(Json)
    };
    Router::new()
        .route(&format!("/api/v0/{path}"), post(create))
        .route(&format!("/api/v0/{path}/{{id}}"), put(update).delete(remove))
}

async fn annotations(asked: Asked, query: Query) -> Answer {
    let service = query.needed("service")?;
    let found = asked.truth().annotations(service, query.seconds("from")?, query.seconds("to")?)?;
    Ok(asked.list(Kind::Annotations.list_key(), found))
}

/// The one list whose key is in snake case.
async fn list_integrations(asked: Asked) -> Json<Value> {
    let all = asked.truth().integrations().to_vec();
    asked.list("aws_integrations", all)
}

async fn read_integration(asked: Asked, Path(id): Path<String>) -> Answer {
    Ok(Json(json!(asked.truth().integration(&id)?)))
}

async fn add_integration(asked: Asked, Sent(body): Sent<Value>) -> Answer {
    asked.org.edit(|truth| truth.add_integration(body)).map(Value::Object).map(Json)
}

async fn put_integration(asked: Asked, Path(id): Path<String>, Sent(body): Sent<Value>) -> Answer {
    asked.org.edit(|truth| truth.put_integration(&id, body)).map(Value::Object).map(Json)
}

async fn delete_integration(asked: Asked, Path(id): Path<String>) -> Answer {
    asked.org.edit(|truth| truth.delete_integration(&id)).map(Value::Object).map(Json)
}

async fn external_id(asked: Asked) -> Answer {
    let id = asked.org.edit(super::super::Truth::take_id);
    Ok(Json(json!({"externalId": id})))
}

async fn excludable_metrics(_: Asked) -> Answer {
    Ok(Json(json!({"EC2": ["ec2.cpu.used"], "RDS": ["rds.cpu.used"]})))
}

//! The organisation, services and roles.

use axum::{
    Json, Router,
    extract::Path,
    routing::{delete, get},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::roles::service_json,
    asked::{Answer, Asked, Sent},
};

pub(super) fn routes() -> Router {
    Router::new()
        .route("/api/v0/org", get(org))
        .route("/api/v0/services", get(list).post(create))
        .route("/api/v0/services/{service}", delete(remove))
        .route("/api/v0/services/{service}/roles", get(list_roles).post(create_role))
        .route("/api/v0/services/{service}/roles/{role}", delete(remove_role))
}

async fn org(asked: Asked) -> Json<Value> {
    let truth = asked.truth();
    Json(json!({"name": truth.name, "displayName": truth.display_name}))
}

async fn list(asked: Asked) -> Json<Value> {
    let truth = asked.truth();
    asked.list("services", truth.services.iter().map(|(name, service)| service_json(name, service)))
}

#[derive(Deserialize)]
struct New {
    name: String,
    #[serde(default)]
    memo: String,
}

async fn create(asked: Asked, Sent(new): Sent<New>) -> Answer {
    asked.org.edit(|truth| truth.add_service(&new.name, &new.memo))?;
    Ok(Json(json!({"name": new.name, "memo": new.memo, "roles": []})))
}

async fn remove(asked: Asked, Path(service): Path<String>) -> Answer {
    asked.org.edit(|truth| truth.delete_service(&service)).map(Json)
}

async fn list_roles(asked: Asked, Path(service): Path<String>) -> Answer {
    let truth = asked.truth();
    let roles = truth.service(&service)?.roles.iter();
    Ok(asked.list("roles", roles.map(|(name, role)| json!({"name": name, "memo": role.memo}))))
}

async fn create_role(asked: Asked, Path(service): Path<String>, Sent(new): Sent<New>) -> Answer {
    asked.org.edit(|truth| truth.add_role(&service, &new.name, &new.memo))?;
    Ok(Json(json!({"name": new.name, "memo": new.memo})))
}

async fn remove_role(asked: Asked, Path((service, role)): Path<(String, String)>) -> Answer {
    asked.org.edit(|truth| truth.delete_role(&service, &role)).map(Json)
}

//! Metadata of hosts, services and roles: the same calls below three paths.

use axum::{
    Json, Router,
    extract::{FromRequestParts, RawPathParams},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::get,
};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    super::{Outcome, Owner},
    asked::{Answer, Asked, Sent, success},
};

const HTTP_DATE: &str = "%a, %d %b %Y %H:%M:%S GMT";

pub(super) fn routes() -> Router {
    ["/hosts/{id}", "/services/{service}", "/services/{service}/roles/{role}"].into_iter().fold(
        Router::new(),
        |router, owner| {
            router
                .route(&format!("/api/v0{owner}/metadata"), get(list))
                .route(&format!("/api/v0{owner}/metadata/{{namespace}}"), get(read).put(write).delete(remove))
        },
    )
}

/// Whose metadata a path means, and which.
struct Place {
    owner: Owner,
    namespace: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Place {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, StatusCode> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|_| StatusCode::BAD_REQUEST)?;
        let of = |name: &str| params.iter().find(|(n, _)| *n == name).map(|(_, v)| v.to_owned());
        let owner = match (of("id"), of("service"), of("role")) {
            (Some(id), ..) => Owner::Host(id),
            (_, Some(service), Some(role)) => Owner::Role(service, role),
            (_, service, _) => Owner::Service(service.unwrap_or_default()),
        };
        Ok(Self { owner, namespace: of("namespace").unwrap_or_default() })
    }
}

async fn list(asked: Asked, place: Place) -> Answer {
    Ok(asked.list("metadata", asked.truth().metadata_listed(&place.owner, asked.now())?))
}

async fn read(asked: Asked, place: Place) -> Outcome<Response> {
    let truth = asked.truth();
    let entry = truth.read_metadata(&place.owner, &place.namespace, asked.now())?;
    let at = Timestamp::from_second(entry.modified_at).unwrap_or_default();
    let modified = [(header::LAST_MODIFIED, at.strftime(HTTP_DATE).to_string())];
    Ok((modified, Json(&entry.value)).into_response())
}

async fn write(asked: Asked, place: Place, Sent(value): Sent<Value>) -> Answer {
    success(asked.org.edit(|truth| truth.write_metadata(&place.owner, &place.namespace, value)))
}

async fn remove(asked: Asked, place: Place) -> Answer {
    success(asked.org.edit(|truth| truth.delete_metadata(&place.owner, &place.namespace)))
}

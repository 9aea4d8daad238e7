//! The gate before every call: who asks, what goes wrong, whether the key suffices; then the log.

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, Method, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    super::{ErrorShape, FakeMackerel, Refusal, Rights, SERVICE},
    asked::Asked,
};
use crate::{
    calls::Call,
    faults::{Instead, Strike},
};

const KEY_HEADER: &str = "x-api-key";

pub(super) async fn not_found() -> Response {
    Refusal::not_found("Not found.").answer(ErrorShape::Object)
}

pub(super) async fn gate(
    State(fake): State<FakeMackerel>,
    route: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    let opened = key_of(request.headers()).and_then(|key| fake.open(key));
    let call = Call {
        service: SERVICE.to_owned(),
        operation: format!("{} {}", request.method(), route.as_str()),
        account: opened.as_ref().map(|(org, _)| org.clone()).unwrap_or_default(),
        region: String::new(),
    };
    let strike = fake.stage.strike(&call);
    tokio::time::sleep(strike.latency()).await;
    let refused = replaced(&strike)
        .map_or_else(|| admit(opened.as_ref(), request.method(), route.as_str()).err().map(Err), Some);
    let answer = match refused {
        Some(Ok(response)) => response,
        Some(Err(refusal)) => refusal.into_response(),
        None => answer(&fake, &call.account, &strike, request, next).await,
    };
    let answer = reworded(&fake, &call.account, answer);
    let status = answer.status();
    let error = if status.is_success() { String::new() } else { status.as_u16().to_string() };
    fake.stage.record(call, status.as_u16(), &error, &strike);
    strike.deliver(answer).await
}

async fn answer(
    fake: &FakeMackerel,
    org: &str,
    strike: &Strike,
    mut request: Request,
    next: Next,
) -> Response {
    let at = strike.as_of(fake.stage.now());
    request.extensions_mut().insert(Asked::new(fake.org(org), at, strike.clone()));
    next.run(request).await
}

fn key_of(headers: &HeaderMap) -> Option<&str> {
    headers.get(KEY_HEADER)?.to_str().ok()
}

/// What a fault puts in the answer's place.
fn replaced(strike: &Strike) -> Option<Result<Response, Refusal>> {
    let instead = strike.instead()?;
    if let Some(response) = instead.verbatim() {
        return Some(Ok(response));
    }
    Some(Err(match instead {
        Instead::Throttled => Refusal::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests."),
        Instead::Denied => forbidden(),
        Instead::Status(status, _) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Refusal::new(status, status.canonical_reason().unwrap_or("Error"))
        }
        Instead::Garbage(body) => return Some(Ok(body.into_response())),
    }))
}

fn forbidden() -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, "The API key doesn't have the required permission.")
}

/// An unknown key is 401. One that lacks a right is 403, but 401 on AWS integrations, as documented.
fn admit(opened: Option<&(String, Rights)>, method: &Method, route: &str) -> Result<(), Refusal> {
    let unauthorized =
        || Refusal::new(StatusCode::UNAUTHORIZED, "Authentication failed. Please try with valid Api Key.");
    let (_, rights) = opened.ok_or_else(unauthorized)?;
    let suffices = match (method, rights) {
        (_, Rights::ReadWrite) | (&Method::GET, Rights::Read) => true,
        (&Method::PUT, Rights::Write) => route.ends_with("/role-fullnames"),
        _ => false,
    };
    if suffices {
        Ok(())
    } else if route.starts_with("/api/v0/aws-integrations") {
        Err(unauthorized())
    } else {
        Err(forbidden())
    }
}

/// Refusals take the shape that the organisation's server uses.
fn reworded(fake: &FakeMackerel, org: &str, answer: Response) -> Response {
    match answer.extensions().get::<Refusal>() {
        Some(refusal) if !org.is_empty() => refusal.answer(fake.org(org).truth().policy.error_shape),
        _ => answer,
    }
}

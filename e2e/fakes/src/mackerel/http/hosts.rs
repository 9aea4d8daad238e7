//! `/hosts`: list, read, register, update, status, roles, retirement, metadata, statuses.

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use futures::stream;
use serde::Deserialize;
use serde_json::json;

use super::{
    super::{Host, HostParam, HostStatus, Outcome, Refusal, Truth},
    asked::{Answer, Asked, Query, Sent, success},
};

/// Hosts of one bulk call (API documentation).
const MAX_BULK: usize = 30;
/// Hosts written to the wire at once: some tens of kilobytes.
const HOSTS_PER_CHUNK: usize = 32;

pub(super) fn routes() -> Router {
    Router::new()
        .route("/api/v0/hosts", get(list).post(register))
        .route("/api/v0/hosts.json", get(list))
        .route("/api/v0/hosts/bulk-update-statuses", post(bulk_status))
        .route("/api/v0/hosts/bulk-retire", post(bulk_retire))
        .route("/api/v0/hosts/{id}", get(read).put(update))
        .route("/api/v0/hosts/{id}/status", post(set_status))
        .route("/api/v0/hosts/{id}/role-fullnames", put(set_roles))
        .route("/api/v0/hosts/{id}/retire", post(retire))
        .route("/api/v0/hosts/{id}/monitored-statuses", get(statuses))
        .route("/api/v0/hosts-by-custom-identifier/{identifier}", get(by_identifier))
}

/// Which hosts a list asks for. Retired ones are never listed.
struct Filter {
    statuses: Vec<HostStatus>,
    service: Option<String>,
    roles: Vec<String>,
    name: Option<String>,
    identifier: Option<String>,
}

impl Filter {
    fn of(query: &Query) -> Outcome<Self> {
        let unknown = |word: &String| Refusal::bad(format!("unknown status: {word}"));
        let parse = |word: &String| HostStatus::parse(word).ok_or_else(|| unknown(word));
        let mut statuses: Vec<_> = query.all("status").iter().map(parse).collect::<Outcome<_>>()?;
        if statuses.is_empty() {
            statuses = vec![HostStatus::Working, HostStatus::Standby];
        }
        let text = |name: &str| query.one(name).map(str::to_owned);
        Ok(Self {
            statuses,
            service: text("service"),
            roles: query.all("role"),
            name: text("name"),
            identifier: text("customIdentifier"),
        })
    }

    fn holds(&self, host: &Host) -> bool {
        !host.is_retired()
            && self.statuses.contains(&host.status)
            && self.name.as_ref().is_none_or(|name| *name == host.name)
            && self.identifier.as_ref().is_none_or(|id| Some(id) == host.custom_identifier.as_ref())
            && self.service.as_ref().is_none_or(|service| self.holds_roles(host, service))
    }

    /// Roles are alternatives, and mean nothing without a service.
    fn holds_roles(&self, host: &Host, service: &str) -> bool {
        let any = self.roles.iter().any(|role| host.has_role(service, role));
        if self.roles.is_empty() { host.roles.contains_key(service) } else { any }
    }
}

async fn list(asked: Asked, query: Query) -> Outcome<Response> {
    let filter = Filter::of(&query)?;
    let truth = asked.truth();
    let mut hosts: Vec<Bytes> = truth.hosts().filter(|h| filter.holds(h)).map(Host::rendered).collect();
    asked.distort(&mut hosts);
    Ok(([(header::CONTENT_TYPE, "application/json")], streamed(hosts)).into_response())
}

/// Tens of megabytes for a large fleet: written as they go, never gathered.
fn streamed(hosts: Vec<Bytes>) -> Body {
    let mut rest = hosts.into_iter();
    let mut before: &[u8] = b"{\"hosts\":[";
    let chunks = std::iter::from_fn(move || {
        let chunk: Vec<_> = rest.by_ref().take(HOSTS_PER_CHUNK).collect();
        let mut bytes = Vec::new();
        for host in &chunk {
            bytes.extend_from_slice(before);
            bytes.extend_from_slice(host);
            before = b",";
        }
        (!chunk.is_empty()).then(|| Bytes::from(bytes))
    });
    let opening = Bytes::from_static(b"{\"hosts\":[");
    let mut chunks = chunks.peekable();
    let empty = chunks.peek().is_none().then_some(opening);
    let all = empty.into_iter().chain(chunks).chain([Bytes::from_static(b"]}")]);
    Body::from_stream(stream::iter(all.map(Ok::<_, std::io::Error>)))
}

fn one(host: &Host) -> Response {
    let body = [b"{\"host\":", host.rendered().as_ref(), b"}"].concat();
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn read(asked: Asked, Path(id): Path<String>) -> Outcome<Response> {
    asked.truth().host(&id).map(one)
}

/// With `caseInsensitive=true` the oldest of several matches.
async fn by_identifier(asked: Asked, Path(identifier): Path<String>, query: Query) -> Outcome<Response> {
    let any_case = query.one("caseInsensitive") == Some("true");
    let same = |own: &str| {
        if any_case { own.eq_ignore_ascii_case(&identifier) } else { own == identifier }
    };
    let truth = asked.truth();
    let live = truth.hosts().filter(|h| !h.is_retired());
    let found =
        live.filter(|h| h.custom_identifier.as_deref().is_some_and(same)).min_by_key(|h| h.created_at);
    found.map(one).ok_or_else(|| Refusal::not_found("Host Not Found."))
}

async fn register(asked: Asked, Sent(param): Sent<HostParam>) -> Answer {
    let id = asked.org.edit(|truth| truth.register_host(&param))?;
    Ok(Json(json!({"id": id})))
}

async fn update(asked: Asked, Path(id): Path<String>, Sent(param): Sent<HostParam>) -> Answer {
    asked.org.edit(|truth| truth.put_host(&id, &param))?;
    Ok(Json(json!({"id": id})))
}

#[derive(Deserialize)]
struct NewStatus {
    status: HostStatus,
}

async fn set_status(asked: Asked, Path(id): Path<String>, Sent(new): Sent<NewStatus>) -> Answer {
    success(asked.org.edit(|truth| truth.set_status(&id, new.status)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewRoles {
    role_fullnames: Option<Vec<String>>,
}

async fn set_roles(asked: Asked, Path(id): Path<String>, Sent(new): Sent<NewRoles>) -> Answer {
    let names = new.role_fullnames.unwrap_or_default();
    success(asked.org.edit(|truth| truth.set_roles(&id, &names)))
}

async fn retire(asked: Asked, Path(id): Path<String>) -> Answer {
    success(asked.org.edit(|truth| truth.retire(&id)))
}

#[derive(Deserialize)]
struct Bulk {
    ids: Vec<String>,
    status: Option<HostStatus>,
}

impl Bulk {
    /// 400 over the limit, 404 when any host is unknown; then nothing is changed.
    fn check(&self, truth: &Truth) -> Outcome<()> {
        if self.ids.len() > MAX_BULK {
            return Err(Refusal::bad(format!("at most {MAX_BULK} hosts in one request")));
        }
        if self.ids.iter().any(|id| truth.host(id).is_err()) {
            return Err(Refusal::not_found("Hosts Not Found."));
        }
        Ok(())
    }
}

async fn bulk_status(asked: Asked, Sent(bulk): Sent<Bulk>) -> Answer {
    let status = bulk.status.ok_or_else(|| Refusal::bad("status is missing"))?;
    success(asked.org.edit(|truth| {
        bulk.check(truth)?;
        if bulk.ids.iter().any(|id| truth.host(id).is_ok_and(Host::is_retired)) {
            return Err(Refusal::bad("Host is retired."));
        }
        bulk.ids.iter().try_for_each(|id| truth.set_status(id, status))
    }))
}

async fn bulk_retire(asked: Asked, Sent(bulk): Sent<Bulk>) -> Answer {
    success(asked.org.edit(|truth| {
        bulk.check(truth)?;
        bulk.ids.iter().try_for_each(|id| truth.retire(id))
    }))
}

async fn statuses(asked: Asked, Path(id): Path<String>) -> Answer {
    let statuses = asked.truth().monitored_statuses(&id, asked.now())?;
    Ok(asked.list("monitoredStatuses", statuses))
}

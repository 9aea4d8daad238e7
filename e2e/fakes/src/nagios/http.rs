//! The CGIs over HTTP, as a web server runs them: a password, a query, and what the program says. Every call is logged.

use std::collections::BTreeMap;

use axum::{
    Router,
    extract::{Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{CGIS, FakeNagios, SERVICE, documents, installation::Told};
use crate::{
    calls::Call,
    faults::{Instead, Strike},
};

/// The query of a call.
type Asked = BTreeMap<String, String>;

pub(super) fn router(fake: &FakeNagios) -> Router {
    Router::new().fallback(answer).with_state(fake.clone()).merge(fake.stage.router())
}

async fn answer(State(fake): State<FakeNagios>, asked: Query<Asked>, request: Request) -> Response {
    let cgi = request.uri().path().strip_prefix(CGIS).unwrap_or_default().to_owned();
    let (user, password) = login(request.headers()).unwrap_or_default();
    let sees_all = fake.installation.admits(&user, &password);
    let query = asked.get("query").map(String::as_str).unwrap_or_default();
    let call = Call {
        service: SERVICE.to_owned(),
        operation: format!("{cgi} {query}").trim_end().to_owned(),
        account: if sees_all.is_some() { user.clone() } else { String::new() },
        region: String::new(),
    };
    let strike = fake.stage.strike(&call);
    tokio::time::sleep(strike.latency()).await;
    let now = strike.as_of(fake.stage.now()).as_second();
    let answer = match (replaced(&strike), sees_all) {
        (Some(instead), _) => instead,
        (None, None) => page(StatusCode::UNAUTHORIZED),
        (None, Some(sees_all)) => {
            let caller = Caller { user, sees_all, now, strike: &strike };
            caller.run(&fake, &cgi, &asked)
        }
    };
    let status = answer.status();
    let error = if status.is_success() { String::new() } else { status.as_u16().to_string() };
    fake.stage.record(call, status.as_u16(), &error, &strike);
    strike.deliver(answer).await
}

fn login(headers: &HeaderMap) -> Option<(String, String)> {
    let sent = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(sent).ok()?).ok()?;
    text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

/// What a fault puts in the answer's place, in the words of a web server.
fn replaced(strike: &Strike) -> Option<Response> {
    let instead = strike.instead()?;
    Some(instead.verbatim().unwrap_or_else(|| match instead {
        Instead::Throttled => page(StatusCode::TOO_MANY_REQUESTS),
        Instead::Denied => page(StatusCode::FORBIDDEN),
        Instead::Status(status, _) => {
            page(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
        }
        Instead::Garbage(body) => body.into_response(),
    }))
}

/// A page of the web server's own.
fn page(status: StatusCode) -> Response {
    let title = status.canonical_reason().unwrap_or("Error");
    let html = format!(
        "<!DOCTYPE HTML>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
    );
    let mut response =
        (status, [(header::CONTENT_TYPE, "text/html; charset=iso-8859-1")], html).into_response();
    if status == StatusCode::UNAUTHORIZED {
        let realm = header::HeaderValue::from_static("Basic realm=\"Nagios Access\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
    }
    response
}

/// What a CGI prints.
fn printed(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8"), (header::CACHE_CONTROL, "no-store")], body)
        .into_response()
}

/// Who asks, when, and what strikes the call.
struct Caller<'c> {
    user: String,
    sees_all: bool,
    now: i64,
    strike: &'c Strike,
}

/// One entry of a list: its host or name, its service if it is one, and itself.
type Entry = (String, Option<String>, Value);

impl Caller<'_> {
    fn run(&self, fake: &FakeNagios, cgi: &str, asked: &Asked) -> Response {
        if !["statusjson.cgi", "objectjson.cgi"].contains(&cgi) {
            return page(StatusCode::NOT_FOUND);
        }
        let query = asked.get("query").map(String::as_str).unwrap_or_default();
        let known = match cgi {
            "statusjson.cgi" => &["programstatus", "hostlist", "servicelist", "downtimelist"][..],
            _ => &["hostcount", "servicecount", "hostlist", "servicelist", "contactlist"][..],
        };
        if !query.is_empty() && !known.contains(&query) {
            let message = format!("The query option value '{query}' is invalid.");
            return self.refused(cgi, 6, "Option Value Invalid", &message);
        }
        let number = |key: &str| asked.get(key).map(|text| text.parse::<usize>());
        for (key, least) in [("start", "zero"), ("count", "one")] {
            if number(key).is_some_and(|number| number.is_err()) {
                let message =
                    format!("The {key} option value is invalid. It must be an integer of at least {least}");
                return self.refused(cgi, 6, "Option Value Invalid", &message);
            }
        }
        // It reads its files before it says anything: without a status there is nothing to say.
        let Some(told) = fake.installation.told(self.now) else { return printed("\n".to_owned()) };
        if query.is_empty() {
            return self.refused(cgi, 4, "Option Missing", "Missing validation for object type 0.");
        }
        let page = (number("start").and_then(Result::ok), number("count").and_then(Result::ok));
        let details = asked.get("details").is_some_and(|on| on == "true");
        let data = self.data(cgi, query, details, page, &told);
        let written = if cgi == "statusjson.cgi" { told.written } else { told.truth.started };
        let answer = json!({
            "format_version": 0,
            "result": {
                "query_time": documents::millis(self.now), "cgi": cgi, "user": self.user, "query": query,
                "query_status": "released", "program_start": documents::millis(told.truth.started),
                "last_data_update": documents::millis(written), "type_code": 0, "type_text": "Success", "message": "",
            },
            "data": data,
        });
        printed(format!("{answer:#}\n"))
    }

    /// An error, with status 200 and a page of help.
    fn refused(&self, cgi: &str, code: u8, text: &str, message: &str) -> Response {
        let option = |label: &str| json!({"label": label, "type": "string", "required": [], "optional": [], "depends_on": ""});
        let answer = json!({
            "format_version": 0,
            "result": {"query_time": documents::millis(self.now), "cgi": cgi, "program_start": 0, "type_code": code,
                       "type_text": text, "message": message},
            "data": {"options": {"query": option("Query"), "start": option("Start"), "count": option("Count")}},
        });
        printed(format!("{answer:#}\n"))
    }

    fn data(
        &self,
        cgi: &str,
        query: &str,
        details: bool,
        page: (Option<usize>, Option<usize>),
        told: &Told,
    ) -> Value {
        let (key, value) = match query {
            "programstatus" => return json!({"programstatus": documents::program(&told.truth)}),
            "hostcount" => ("count", json!(self.distorted(self.hosts(cgi, details, told)).len())),
            "servicecount" => ("count", json!(self.distorted(self.services(cgi, details, told)).len())),
            "hostlist" => ("hostlist", listed(self.page(self.hosts(cgi, details, told), page), details, cgi)),
            "servicelist" => {
                let services = self.page(self.services(cgi, details, told), page);
                // It stops where the page is full: hosts before it are there and empty, those behind it are not.
                let last = services.last().filter(|_| page.1 == Some(services.len())).map(|entry| &entry.0);
                let walked = self.seen(told).map(|host| &host.name);
                let walked = walked.take_while(|name| last.is_none_or(|last| *name <= last));
                let walked: Vec<String> = walked.cloned().collect();
                ("servicelist", by_host(walked, services, details, cgi))
            }
            "downtimelist" => ("downtimelist", listed(self.distorted(downtimes(told)), details, cgi)),
            _ => {
                let contacts = told.truth.contacts.iter();
                let entry = contacts.map(|(name, one)| (name.clone(), None, documents::contact(name, one)));
                ("contactlist", listed(self.distorted(entry.collect()), details, cgi))
            }
        };
        let mut selectors = Map::new();
        for (name, number) in [("start", page.0), ("count", page.1)] {
            // A page that begins with the first is no selection.
            if let Some(number) = number.filter(|number| *number > 0) {
                selectors.insert(name.to_owned(), number.into());
            }
        }
        json!({"selectors": selectors, key: value})
    }

    /// Hosts that the caller may see: all, or those that notify him.
    fn seen<'t>(&self, told: &'t Told) -> impl Iterator<Item = &'t super::Host> {
        let truth = &told.truth;
        truth.hosts().filter(move |host| {
            let check = &host.check;
            self.sees_all || truth.recipients(&check.contacts, &check.contact_groups).contains(&self.user)
        })
    }

    fn hosts(&self, cgi: &str, details: bool, told: &Told) -> Vec<Entry> {
        let entry = |host: &super::Host| {
            let status = |at| documents::host_status(host, &told.truth, at);
            let value = match (cgi, details) {
                ("statusjson.cgi", true) => status(told.at),
                ("statusjson.cgi", false) => status(told.at).get("status").cloned().unwrap_or_default(),
                (_, true) => documents::host(host, &told.truth),
                (_, false) => Value::Null,
            };
            (host.name.clone(), None, value)
        };
        self.seen(told).map(entry).collect()
    }

    fn services(&self, cgi: &str, details: bool, told: &Told) -> Vec<Entry> {
        let entry = |host: &super::Host, service: &super::Service| {
            let status = |at| documents::service_status(host, service, &told.truth, at);
            let value = match (cgi, details) {
                ("statusjson.cgi", true) => status(told.at),
                ("statusjson.cgi", false) => status(told.at).get("status").cloned().unwrap_or_default(),
                (_, true) => documents::service(host, service, &told.truth),
                (_, false) => Value::Null,
            };
            (host.name.clone(), Some(service.description.clone()), value)
        };
        self.seen(told)
            .flat_map(|host| host.services.values().map(move |service| entry(host, service)))
            .collect()
    }

    fn distorted(&self, mut entries: Vec<Entry>) -> Vec<Entry> {
        self.strike.distort(&mut entries);
        entries
    }

    /// A page of a list. Faults tell the page before it once more, or the one after it.
    fn page(&self, entries: Vec<Entry>, (start, count): (Option<usize>, Option<usize>)) -> Vec<Entry> {
        let (mut start, count) = (start.unwrap_or(0), count.unwrap_or(usize::MAX));
        if self.strike.repeat_page() {
            start = start.saturating_sub(count);
        }
        if self.strike.skip_page() && start > 0 {
            start = start.saturating_add(count);
        }
        self.distorted(entries.into_iter().skip(start).take(count).collect())
    }
}

/// Downtimes that are not over, the newest first. Nagios tells them to everybody, of hosts that one may not see too.
fn downtimes(told: &Told) -> Vec<Entry> {
    let all = told.truth.downtimes.iter().enumerate();
    let open = all.filter(|(_, one)| one.until > told.at);
    let entry = |(at, one): (usize, &super::Downtime)| {
        ((at + 1).to_string(), None, documents::downtime(at + 1, one, told.at))
    };
    open.map(entry).rev().collect()
}

/// A list by name, or without details: names alone for the configuration, states for the status.
fn listed(entries: Vec<Entry>, details: bool, cgi: &str) -> Value {
    if !details && cgi == "objectjson.cgi" {
        return entries.into_iter().map(|(name, ..)| Value::from(name)).collect();
    }
    Value::Object(entries.into_iter().map(|(name, _, value)| (name, value)).collect())
}

/// Services by host.
fn by_host(hosts: Vec<String>, services: Vec<Entry>, details: bool, cgi: &str) -> Value {
    let is_plain = !details && cgi == "objectjson.cgi";
    let mut of_host: BTreeMap<String, Vec<Entry>> =
        hosts.into_iter().map(|host| (host, Vec::new())).collect();
    for (host, service, value) in services {
        let entry = (service.unwrap_or_default(), None, value);
        of_host.entry(host).or_default().push(entry);
    }
    let all = of_host.into_iter().map(|(host, entries)| {
        let cgi = if is_plain { "objectjson.cgi" } else { "statusjson.cgi" };
        (host, listed(entries, !is_plain, cgi))
    });
    Value::Object(all.collect())
}

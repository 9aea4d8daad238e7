//! Files and answers of 20,000 hosts with 3 services each are read as streams: what it takes depends on what is kept of
//! them, not on how long they are.
//!
//! The allocator of this test counts what the whole process holds, the server included; so the figures are upper bounds.

// A failing test is its way to speak, its helpers' too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, Request};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use peak_alloc::PeakAlloc;
use rollcall_engine::reading::Extent;
use rollcall_fakes::server::serve;
use rollcall_monitoring::endpoint::SystemLookup;
use rollcall_monitoring::http::Http;
use rollcall_monitoring::nagios::{Cgi, Files, Login, NagiosSource, Terms, Way, patience};
use serde_json::{Value, json};

#[global_allocator]
static HELD: PeakAlloc = PeakAlloc;

const HOSTS: usize = 20_000;
const OBJECTS: &str = include_str!("fixtures/nagios/nagios-4.4.6-objects.cache");
const STATUS: &str = include_str!("fixtures/nagios/nagios-4.4.6-status.dat");

/// The first block that begins so.
fn block<'a>(text: &'a str, begin: &str) -> &'a str {
    let from = text.find(begin).unwrap();
    &text[from..from + text[from..].find("\n\t}\n").unwrap() + 4]
}

/// Writes a file with the `first` part, a host block for each host and three service blocks.
fn write(path: &Path, first: &str, host: &str, service: &str, name: &str) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    file.write_all(first.as_bytes()).unwrap();
    for n in 0..HOSTS {
        writeln!(file, "{}", host.replace("i-0abc", &format!("i-{n:017x}"))).unwrap();
    }
    for n in 0..HOSTS {
        for of in ["http", "disk", "load"] {
            let service = service.replace("i-0abc", &format!("i-{n:017x}"));
            writeln!(file, "{}", service.replace(&format!("{name}Serverspec"), &format!("{name}{of}")))
                .unwrap();
        }
    }
}

const THEN: i64 = 1_795_403_915;

/// Reads all, and tells what it held at most and in the end.
async fn read(mut source: NagiosSource) -> (usize, usize) {
    let before = HELD.current_usage();
    HELD.reset_peak_usage();
    let told = source.told(Timestamp::from_second(THEN).unwrap()).await;
    let (peak, kept) = (HELD.peak_usage() - before, HELD.current_usage() - before);
    assert!(matches!(told.hosts.extent, Extent::Complete { .. }), "{:?}", told.hosts.extent);
    assert!(matches!(told.services.extent, Extent::Complete { .. }), "{:?}", told.services.extent);
    assert_eq!((told.hosts.seen.len(), told.services.seen.len()), (HOSTS, 3 * HOSTS));
    (peak, kept)
}

// One after the other: they share the allocator that counts.
#[tokio::test]
async fn a_hundred_megabytes_are_read_in_little_more_than_what_is_kept() {
    by_files().await;
    by_cgis().await;
}

async fn by_files() {
    let folder = tempfile::tempdir().unwrap();
    let (objects, status) = (folder.path().join("objects.cache"), folder.path().join("status.dat"));
    let first = &OBJECTS[..OBJECTS.find("define host {").unwrap()];
    let (host, service) = (block(OBJECTS, "define host {"), block(OBJECTS, "define service {"));
    write(&objects, first, host, service, "service_description\t");
    let first = &STATUS[..STATUS.find("hoststatus {").unwrap()];
    let (host, service) = (block(STATUS, "hoststatus {"), block(STATUS, "servicestatus {"));
    write(&status, first, host, service, "service_description=");
    let size = std::fs::metadata(&status).unwrap().len() + std::fs::metadata(&objects).unwrap().len();
    assert!(size > 150_000_000, "{size}");

    let (peak, kept) = read(NagiosSource::new(
        Way::Files(Files { within: folder.path().to_owned(), objects, status }),
        Terms::default(),
    ))
    .await;
    println!("files {} kB, kept {} kB, peak {} kB", size / 1_000, kept / 1_000, peak / 1_000);
    // Both halves are held until they are joined.
    assert!(peak < 3 * kept + 4_000_000, "peak {peak}, kept {kept}");
    assert!((peak as u64) < size / 2, "peak {peak} of {size}");
}

/// The entry of a list's fixture, with `@` for the host and `%` for the service.
fn template(cgi: &str, list: &str) -> String {
    let fixture = match (cgi, list) {
        ("objectjson", "hostlist") => include_str!("fixtures/nagios/objectjson-hostlist-details.json"),
        ("objectjson", _) => include_str!("fixtures/nagios/objectjson-servicelist-details.json"),
        (_, "hostlist") => include_str!("fixtures/nagios/statusjson-hostlist-enumerate.json"),
        _ => include_str!("fixtures/nagios/statusjson-servicelist-details.json"),
    };
    let mut entry = serde_json::from_str::<Value>(fixture).unwrap()["data"][list]["i-0abc"].clone();
    if list == "hostlist" {
        entry["name"] = json!("@");
    } else {
        entry = entry["http"].clone();
        (entry["host_name"], entry["description"]) = (json!("@"), json!("%"));
    }
    serde_json::to_string_pretty(&entry).unwrap()
}

/// An answer that is made while it is sent.
fn answer(cgi: &str, query: &BTreeMap<String, String>) -> Response {
    let result = json!({"query_time": THEN * 1_000, "user": "rollcall", "type_code": 0, "program_start": 1,
        "last_data_update": THEN * 1_000});
    let whole = |key: &str, value: Value| json!({"result": result, "data": {key: value}}).to_string();
    let list = query["query"].as_str();
    match list {
        "programstatus" => whole(list, json!({"version": "4"})).into_response(),
        "hostcount" => whole("count", json!(HOSTS)).into_response(),
        "servicecount" => whole("count", json!(3 * HOSTS)).into_response(),
        "hostlist" | "servicelist" => {
            let number = |key: &str| query[key].parse::<usize>().unwrap();
            let (from, template) = (number("start"), template(cgi, list));
            let services = list == "servicelist";
            let to = (from + number("count")).min(if services { 3 * HOSTS } else { HOSTS });
            let first = format!("{{\"result\":{result},\"data\":{{\"{list}\":{{");
            let entries = (from..to).map(move |n| entry(&template, n, services, n == from));
            let end = if services && to > from { "}}}}" } else { "}}}" };
            let parts = std::iter::once(first).chain(entries).chain([end.to_owned()]);
            let parts = parts.map(|part| Ok::<_, std::io::Error>(Bytes::from(part)));
            Body::from_stream(futures::stream::iter(parts)).into_response()
        }
        other => whole(other, json!({})).into_response(),
    }
}

/// The n-th entry; a host's object is opened with its first service on this page, and closed before the next host's.
fn entry(template: &str, n: usize, services: bool, first: bool) -> String {
    if !services {
        let host = format!("i-{n:017x}");
        let comma = if first { "" } else { "," };
        return format!("{comma}\"{host}\": {}", template.replace('@', &host));
    }
    let (host, service) = (format!("i-{:017x}", n / 3), ["http", "disk", "load"][n % 3]);
    let before = match (first, n % 3) {
        (true, _) => format!("\"{host}\":{{"),
        (false, 0) => format!("}},\"{host}\":{{"),
        _ => ",".to_owned(),
    };
    format!("{before}\"{service}\": {}", template.replace('@', &host).replace('%', service))
}

async fn by_cgis() {
    let router =
        Router::new().fallback(async |Query(query): Query<BTreeMap<String, String>>, request: Request| {
            answer(if request.uri().path().contains("object") { "objectjson" } else { "statusjson" }, &query)
        });
    let server = serve(router).await.unwrap();
    let http =
        Http::new(&common::loopback(), Arc::new(SystemLookup), &common::tls(), common::fast(), patience());
    let base = common::loopback().endpoint(&server.url()).unwrap();
    let cgi = Cgi::new(http.unwrap(), base, Arc::new(Login::new("rollcall", "p").unwrap()));
    let (peak, kept) = read(NagiosSource::new(Way::Cgi(Box::new(cgi)), Terms::default())).await;
    let size =
        ["objectjson", "statusjson"].map(|cgi| template(cgi, "servicelist").len()).iter().sum::<usize>()
            * 3
            * HOSTS;
    assert!(size > 100_000_000, "{size}");
    println!("services {} kB, kept {} kB, peak {} kB", size / 1_000, kept / 1_000, peak / 1_000);
    assert!(peak < 3 * kept + 8_000_000, "peak {peak}, kept {kept}");
    assert!(peak < size * 3 / 4, "peak {peak} of {size}");
}

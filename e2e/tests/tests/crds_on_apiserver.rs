//! The kinds on a real API server: it takes our CRDs and examples, refuses what the rules refuse with their very
//! messages, agrees with the offline reader on every attack, and shows people what they were promised.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test speaks by panicking"
)]

#[path = "../../../crds/tests/common/attacks.rs"]
mod attacks;
#[path = "../../../crds/tests/common/rule_files.rs"]
mod rule_files;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use attacks::attacks;
use http::{Method, Request};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{Client, Error};
use rollcall_harness::controlplane::{ControlPlane, Options};
use rule_files::{Case, Expect, cases};
use serde_json::Value;
use tokio::sync::OnceCell;

static CRDS: LazyLock<Vec<CustomResourceDefinition>> = LazyLock::new(rollcall_crds::all_crds);

/// The repository's `crds` folder.
fn crds() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crds").canonicalize().unwrap()
}

/// One control plane for all tests of this file, with the CRDs established and the namespaces in place.
async fn cluster() -> &'static ControlPlane {
    static SHARED: OnceCell<ControlPlane> = OnceCell::const_new();
    SHARED.get_or_init(start).await
}

async fn start() -> ControlPlane {
    let options =
        Options { manifests: vec![crds().join("yaml")], controllers: Vec::new(), ..Options::default() };
    let plane = ControlPlane::start(options).await.unwrap();
    for namespace in ["backlog", "rules", "full"] {
        plane.kubectl(&["create", "namespace", namespace]).await.unwrap().ok().unwrap();
    }
    plane
}

/// Where objects of this kind live: `/apis/…/namespaces/rules/environments`.
fn collection(object: &Value) -> String {
    let kind = object["kind"].as_str().unwrap();
    let crd = CRDS.iter().find(|crd| crd.spec.names.kind == kind).unwrap();
    let namespace =
        object["metadata"]["namespace"].as_str().map(|n| format!("namespaces/{n}/")).unwrap_or_default();
    format!("/apis/rollcall.dev/v1alpha1/{namespace}{}", crd.spec.names.plural)
}

/// What the API server answers when it reads strictly, as kubectl has it do: the object, or why not.
async fn send(client: &Client, method: Method, path: &str, object: &Value) -> Result<Value, String> {
    let request = Request::builder()
        .method(method)
        .uri(format!("{path}fieldValidation=Strict"))
        .header("content-type", "application/json")
        .body(object.to_string().into_bytes())
        .unwrap();
    client.request::<Value>(request).await.map_err(|error| match error {
        Error::Api(status) => status.message,
        other => panic!("{path}: no answer: {other}"),
    })
}

async fn create(client: &Client, object: &Value) -> Result<Value, String> {
    send(client, Method::POST, &format!("{}?", collection(object)), object).await
}

async fn create_dry(client: &Client, object: &Value) -> Result<Value, String> {
    send(client, Method::POST, &format!("{}?dryRun=All&", collection(object)), object).await
}

/// Replaces the stored object of that name.
async fn update(client: &Client, object: &Value) -> Result<Value, String> {
    let path = format!("{}/{}", collection(object), object["metadata"]["name"].as_str().unwrap());
    let stored: Value = client.request(Request::get(&path).body(Vec::new()).unwrap()).await.unwrap();
    let mut object = object.clone();
    object["metadata"]["resourceVersion"] = stored["metadata"]["resourceVersion"].clone();
    send(client, Method::PUT, &format!("{path}?"), &object).await
}

#[tokio::test]
async fn every_rule_example_meets_the_fate_it_expects() {
    let client = cluster().await.client().await.unwrap();
    let cases = cases(crds().join("tests/rules").to_str().unwrap());
    for case in &cases {
        judge(case, stored_or_refused(&client, case).await);
    }
    assert!(cases.len() > 80, "only {} examples", cases.len());
}

async fn stored_or_refused(client: &Client, case: &Case) -> Result<Value, String> {
    match case.old {
        Some(_) => update(client, &case.object).await,
        None => create(client, &case.object).await,
    }
}

fn judge(case: &Case, answer: Result<Value, String>) {
    match (&case.expect, answer) {
        (Expect::Accepted, Ok(_)) => {}
        (Expect::Refused { field, message, server }, Err(said)) => {
            let expected = server.as_ref().unwrap_or(message);
            assert!(
                said.contains(field) && said.contains(expected),
                "{}: expected {field}: {expected}; {said}",
                case.title
            );
        }
        (Expect::Accepted, Err(said)) => panic!("{}: {said}", case.title),
        (Expect::Refused { .. }, Ok(_)) => panic!("{}: was stored", case.title),
    }
}

/// The offline reader refuses every one of these (`crds/tests/hostile.rs`); were the server milder anywhere, a
/// reviewed plan and an applied tree would differ.
#[tokio::test]
async fn the_api_server_refuses_every_attack_that_plain_files_refuse() {
    let client = cluster().await.client().await.unwrap();
    let (mut count, mut disagreements) = (0, Vec::new());
    for crd in &*CRDS {
        let crd = serde_json::to_value(crd).unwrap();
        let file = format!("tests/full/{}.yaml", crd["spec"]["names"]["singular"].as_str().unwrap());
        let text = fs::read_to_string(crds().join(file)).unwrap();
        let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        for full in serde_saphyr::from_multiple::<Value>(&text).unwrap() {
            create_dry(&client, &full).await.unwrap();
            for attack in attacks(schema, &full) {
                match create_dry(&client, &attack.object).await {
                    _ if attack.only_offline => {}
                    Err(said) if keys_as_fields(&said).contains(&attack.field) => {}
                    Err(said) => disagreements.push(format!("{}: {said}", attack.what)),
                    Ok(_) => disagreements.push(format!("{}: would be stored", attack.what)),
                }
                count += 1;
            }
        }
    }
    assert!(disagreements.is_empty(), "{disagreements:#?}");
    assert!(count > 1_000, "only {count} attacks");
}

/// The API server writes a map's key now as `matchTags.Product`, now as `matchTags[Product]`.
fn keys_as_fields(message: &str) -> String {
    let mut plain = String::new();
    let mut parts = message.split('[');
    plain.push_str(parts.next().unwrap_or_default());
    for part in parts {
        match part.split_once(']') {
            Some((key, rest)) if key.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                plain.extend([".", key, rest]);
            }
            _ => plain.extend(["[", part]),
        }
    }
    plain
}

/// Null is absence for the API server: it is stored as if the line were not there.
#[tokio::test]
async fn a_null_is_not_stored() {
    let client = cluster().await.client().await.unwrap();
    let text = fs::read_to_string(crds().join("tests/full/environment.yaml")).unwrap();
    let mut full: Value = serde_saphyr::from_str(&text).unwrap();
    full["spec"]["owner"] = Value::Null;
    let stored = create_dry(&client, &full).await.unwrap();
    assert!(stored["spec"].get("owner").is_none(), "{stored}");
}

#[tokio::test]
async fn the_examples_are_taken_and_shown_as_promised() {
    let plane = cluster().await;
    let kubectl = async |args: &[&str]| plane.kubectl(args).await.unwrap().ok().unwrap();
    let examples = crds().join("examples");
    for crd in &*CRDS {
        let file = examples.join(format!("{}.yaml", crd.spec.names.singular.as_ref().unwrap()));
        let file = file.to_str().unwrap();
        kubectl(&["apply", "--server-side", "--validate=strict", "-f", file]).await;
        // As the older way still stores the whole object in an annotation.
        kubectl(&["apply", "--dry-run=server", "--server-side=false", "--validate=strict", "-f", file]).await;
    }

    let environments = kubectl(&["-n", "backlog", "get", "rcenv"]).await;
    let columns = "NAME HOSTS COVERED MISSING UNKNOWN BASELINE GHOSTS UNUSED SOURCES COMPLIANT";
    assert_eq!(words(environments.lines().next().unwrap()), columns);
    let all = kubectl(&["-n", "backlog", "get", "rollcall", "-o", "name"]).await;
    let namespaced = all.lines().filter(|name| !name.starts_with("cloudaccount")).count();
    assert_eq!(namespaced, 9, "the category shows all kinds: {all}");

    let explained = kubectl(&["explain", "rcenv.spec.settleMinutes"]).await;
    assert!(explained.contains("Settling") && explained.contains("<integer>"), "{explained}");
    let explained = kubectl(&["explain", "rchost"]).await;
    assert!(explained.contains("Written by Rollcall only"), "{explained}");
}

#[tokio::test]
async fn hosts_are_selected_by_what_people_ask_for() {
    let plane = cluster().await;
    let kubectl = async |args: &[&str]| plane.kubectl(args).await.unwrap().ok().unwrap();
    let text = fs::read_to_string(crds().join("examples/host.yaml"))
        .unwrap()
        .replace("namespace: backlog", "namespace: rules");
    let apply = async |more: &[&str]| {
        let args = [&["apply", "--server-side", "--field-manager=test", "-f", "-"], more].concat();
        plane.kubectl_with(&args, &text).await.unwrap().ok().unwrap()
    };
    apply(&[]).await;
    apply(&["--subresource=status"]).await;
    let hosts = kubectl(&["-n", "rules", "get", "rchost", "i-0123456789abcdef0"]).await;
    assert_eq!(words(hosts.lines().next().unwrap()), "NAME HOST ENV DUTY STATE CHECKS TOP-FINDING UP");
    assert!(hosts.contains("jp1-app-9") && hosts.contains("13/14"), "{hosts}");
    for (selector, found) in [
        ("status.environment=jp1,status.state=Active,spec.service=EC2", 1),
        ("status.environment=jp2", 0),
        ("status.state=Gone", 0),
    ] {
        let names =
            kubectl(&["-n", "rules", "get", "rchost", "--field-selector", selector, "-o", "name"]).await;
        let names = names.lines().filter(|name| name.ends_with("i-0123456789abcdef0")).count();
        assert_eq!(names, found, "{selector}");
    }
}

fn words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

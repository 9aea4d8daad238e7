//! A fake Mackerel with one organisation, served, on a clock that stands still until it is moved.

use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, Method};
use rollcall_fakes::{
    clock::WorldClock,
    mackerel::{FakeMackerel, Org, Outcome, Truth},
    server::Running,
    stage::Stage,
};
use serde_json::Value;

pub const KEY: &str = "read-and-write";
/// Noon of a Monday.
pub const NOON: &str = "2026-03-02T12:00:00Z";

pub struct World {
    pub fake: FakeMackerel,
    pub org: Org,
    pub server: Running,
    http: Client,
}

impl World {
    pub async fn new() -> Self {
        let noon: Timestamp = NOON.parse().unwrap();
        let (fake, org) = FakeMackerel::with_org(Stage::new(WorldClock::frozen_at(noon)), "acme", KEY);
        let server = fake.serve().await.unwrap();
        // Only one provider can be installed, and all tests share the process.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { fake, org, server, http: Client::new() }
    }

    /// Epoch seconds of the world.
    pub fn now(&self) -> i64 {
        self.fake.stage.now().as_second()
    }

    pub fn pass(&self, minutes: i64) {
        self.fake.stage.clock.advance(SignedDuration::from_mins(minutes));
    }

    /// A change that must succeed.
    pub fn set<R>(&self, change: impl FnOnce(&mut Truth) -> Outcome<R>) -> R {
        self.org.edit(change).unwrap()
    }

    pub fn ask(&self, method: Method, path: &str, key: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}/api/v0{path}", self.server.url())).header("X-Api-Key", key)
    }

    /// Status and JSON (null when the body is none) of a call with the usual key.
    pub async fn call(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let mut request = self.ask(method, path, KEY);
        if !body.is_null() {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or_default())
    }

    /// The answer of a GET that must succeed.
    pub async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.call(Method::GET, path, Value::Null).await;
        assert_eq!(status, 200, "GET {path}: {answer}");
        answer
    }

    pub async fn get_status(&self, path: &str) -> u16 {
        self.call(Method::GET, path, Value::Null).await.0
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::POST, path, body).await
    }

    pub async fn put(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::PUT, path, body).await
    }

    pub async fn delete(&self, path: &str) -> (u16, Value) {
        self.call(Method::DELETE, path, Value::Null).await
    }

    /// The names of the listed hosts.
    pub async fn names(&self, path: &str) -> Vec<String> {
        texts(&self.get(path).await["hosts"], "name")
    }
}

/// One text field of each item of a list.
pub fn texts(list: &Value, field: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item[field].as_str().unwrap_or("-").to_owned()).collect()
}

//! What the API server's audit log says: who asked for what, and what was answered.
//!
//! This is how tests count writes: at the server, where nobody can forget to count. It must never be
//! read as the order of events: a line is written when its request ends.

use std::path::Path;

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// The policy unless a test brings its own: who asked for what, without bodies. The control plane's own
/// looks and everybody's health probes are left out; its writes are in.
pub const METADATA_POLICY: &str = r#"{
  "apiVersion": "audit.k8s.io/v1",
  "kind": "Policy",
  "omitStages": ["RequestReceived", "ResponseStarted"],
  "rules": [
    {"level": "None", "nonResourceURLs": ["/healthz*", "/livez*", "/readyz*"]},
    {"level": "None", "verbs": ["get", "list", "watch"],
     "users": ["system:apiserver", "system:kube-controller-manager"]},
    {"level": "Metadata"}
  ]
}"#;

/// One answered request.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEvent {
    /// Who the server took the caller for: the impersonated user where there is one. A service account is
    /// `system:serviceaccount:NAMESPACE:NAME`.
    pub user: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; for a path that
    /// is no resource the HTTP method in small letters.
    pub verb: String,
    /// API group; empty for the core group and for paths that are no resource.
    pub group: String,
    /// Plural, like `environments`; empty for paths that are no resource.
    pub resource: String,
    /// Like `status`.
    pub subresource: Option<String>,
    /// `None` for what has no namespace.
    pub namespace: Option<String>,
    /// `None` for lists, and for a `create` whose name is only in its body.
    pub name: Option<String>,
    /// HTTP status of the answer; 0 when there was none.
    pub code: u16,
    /// When the server received the request, by the machine's clock.
    pub received: Timestamp,
    /// Path and query, as asked.
    pub uri: String,
    /// The body, when the policy's level is `Request` or higher.
    pub request: Option<Value>,
}

impl AuditEvent {
    /// Whether the request changed, or tried to change, what is stored. Questions in the form of a `create`
    /// (token and access reviews, tokens) and dry runs are none.
    #[must_use]
    pub fn is_write(&self) -> bool {
        let changes = ["create", "update", "patch", "delete", "deletecollection"];
        let question = ["authentication.k8s.io", "authorization.k8s.io"].contains(&self.group.as_str())
            || self.subresource.as_deref() == Some("token");
        changes.contains(&self.verb.as_str())
            && !self.resource.is_empty()
            && !question
            && !self.uri.contains("dryRun=All")
    }
}

/// Every answered request in the log at `path`, in the log's order. A last line that is still being
/// written is left for the next call.
pub(super) fn read(path: &Path) -> Result<Vec<AuditEvent>> {
    let about = || format!("audit log {}", path.display());
    let text = match std::fs::read(path) {
        // The server makes the file with its first line.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.with_context(about)?,
    };
    let mut events = Vec::new();
    for (index, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if !line.ends_with(b"\n") {
            break;
        }
        let line: Line = serde_json::from_slice(line)
            .with_context(|| format!("{}, line {}: expected an audit event", about(), index + 1))?;
        if line.stage == "ResponseComplete" {
            events.push(line.into());
        }
    }
    Ok(events)
}

/// `audit.k8s.io/v1` Event, as far as we read it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    stage: String,
    verb: String,
    #[serde(rename = "requestURI")]
    request_uri: String,
    user: User,
    impersonated_user: Option<User>,
    #[serde(default)]
    object_ref: ObjectRef,
    #[serde(default)]
    response_status: ResponseStatus,
    request_received_timestamp: Timestamp,
    request_object: Option<Value>,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    username: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ObjectRef {
    api_group: String,
    resource: String,
    subresource: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ResponseStatus {
    code: u16,
}

impl From<Line> for AuditEvent {
    fn from(line: Line) -> Self {
        Self {
            user: line.impersonated_user.unwrap_or(line.user).username,
            verb: line.verb,
            group: line.object_ref.api_group,
            resource: line.object_ref.resource,
            subresource: line.object_ref.subresource,
            namespace: line.object_ref.namespace,
            name: line.object_ref.name,
            code: line.response_status.code,
            received: line.request_received_timestamp,
            uri: line.request_uri,
            request: line.request_object,
        }
    }
}

//! Secrets, read by name at the moment of use, with `get` only: never listed, never watched, never kept.

use k8s_openapi::api::core::v1 as core;
use kube::{Api, Client};
use rollcall_engine::fleet::{Kind, Problem};
use rollcall_engine::ids::ObjectKey;
use rollcall_engine::reading::{Failure, FailureKind};

use crate::calls::{CallError, bounded};
use crate::settings::Settings;
use crate::sources::Secret;

/// Who wants which Secret, for messages.
pub struct Wanted<'a> {
    /// Kind of the object that names it.
    pub kind: Kind,
    /// That object.
    pub object: &'a ObjectKey,
    /// The field that names it.
    pub field: &'static str,
    /// Namespace of the Secret.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Keys that it must have.
    pub keys: &'a [&'a str],
}

/// Why there is no Secret: as a failed reading, and, where a person must act, as a problem of the object.
#[derive(Clone, Debug, PartialEq)]
pub struct NoSecret {
    /// For the reading.
    pub failure: Failure,
    /// For the object.
    pub problem: Option<Problem>,
}

/// Reads one Secret.
///
/// # Errors
/// Names the object, the field, what was expected and found, and the command that helps.
pub async fn read(client: &Client, settings: &Settings, wanted: &Wanted<'_>) -> Result<Secret, NoSecret> {
    let api: Api<core::Secret> = Api::namespaced(client.clone(), wanted.namespace);
    let found = match bounded(api.get(wanted.name)).await {
        Ok(found) => found,
        Err(error) if error.code() == Some(403) => return Err(wanted.forbidden(settings)),
        Err(error) if error.is_not_found() => return Err(wanted.missing()),
        Err(error) => return Err(wanted.unreadable(&error)),
    };
    let data = found.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect();
    let secret = Secret::new(data);
    match wanted.keys.iter().find(|key| secret.get(key).is_none_or(str::is_empty)) {
        Some(key) => Err(wanted.lacks(key, &secret)),
        None => Ok(secret),
    }
}

impl Wanted<'_> {
    fn forbidden(&self, settings: &Settings) -> NoSecret {
        self.mistake(
            "SecretForbidden",
            &format!(
                "{}: Secret {}/{} may not be read. Allow it: kubectl create rolebinding {role} -n {} --clusterrole={role} --serviceaccount={}:{}",
                self.field, self.namespace, self.name, self.namespace, settings.namespace, settings.service_account,
                role = settings.secret_role,
            ),
        )
    }

    fn missing(&self) -> NoSecret {
        let keys: Vec<String> = self.keys.iter().map(|key| format!("--from-literal={key}=…")).collect();
        self.mistake(
            "SecretNotFound",
            &format!(
                "{}: expected Secret {}/{}, found none. Create it: kubectl create secret generic {} -n {} {}",
                self.field,
                self.namespace,
                self.name,
                self.name,
                self.namespace,
                keys.join(" "),
            ),
        )
    }

    fn lacks(&self, key: &str, secret: &Secret) -> NoSecret {
        let found: Vec<&str> = secret.keys().take(10).collect();
        self.mistake(
            "SecretKeyMissing",
            &format!(
                "{}: expected key {key:?} with text in Secret {}/{}, found keys {found:?}. Add it, or name another key.",
                self.field, self.namespace, self.name,
            ),
        )
    }

    fn mistake(&self, reason: &str, message: &str) -> NoSecret {
        NoSecret {
            failure: Failure::new(FailureKind::Misconfigured, message),
            problem: Some(Problem {
                kind: self.kind,
                namespace: self.object.namespace.to_string(),
                name: self.object.name.to_string(),
                reason: reason.to_owned(),
                message: message.to_owned(),
            }),
        }
    }

    /// The API server's trouble, not the user's.
    fn unreadable(&self, error: &CallError) -> NoSecret {
        let message = format!("Secret {}/{}: {}", self.namespace, self.name, error.kind());
        NoSecret { failure: Failure::new(FailureKind::Unreachable, message), problem: None }
    }
}

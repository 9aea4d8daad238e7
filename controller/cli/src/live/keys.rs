//! Where a single look takes the Secrets that objects name: from a folder that holds them as files, else from the environment as the
//! tools of each source do. A key that may be another one's is not used: it would call hosts missing that are not.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use rollcall_engine::fleet::{Account, Endpoint, Fleet, NeededSecret, System};
use rollcall_engine::reading::{Failure, FailureKind};
use rollcall_monitoring::mackerel::DEFAULT_ENDPOINT;
use rollcall_operator::sources::{Secret, Secrets};

use crate::ways::Ways;

/// mkr's own variable.
const MACKEREL: &str = "MACKEREL_APIKEY";
/// No Secret holds more: Kubernetes allows 1 MiB.
const MOST_BYTES: u64 = 1024 * 1024;
/// No Secret has more.
const MOST_KEYS: usize = 100;

/// Where keys come from.
pub(super) struct Keys<'a> {
    folder: Option<&'a Path>,
    operator_namespace: &'a str,
    /// Of the environment.
    mackerel: Option<String>,
    /// Secrets with a Mackerel's key that the systems in use name: the environment can stand for one of them only.
    named: BTreeSet<(String, String, String)>,
    /// Other addresses than Mackerel's own were allowed by name.
    allows_others: bool,
}

impl<'a> Keys<'a> {
    pub(super) fn new(ways: &'a Ways, fleet: &Fleet) -> Self {
        let used = fleet.used_systems().into_iter().filter_map(|key| fleet.system(key));
        Self {
            folder: ways.live.secrets.as_deref(),
            operator_namespace: ways.operator_namespace(),
            mackerel: std::env::var(MACKEREL).ok().filter(|key| !key.trim().is_empty()),
            named: used.filter_map(named_by).collect(),
            allows_others: ways.live.allow_http || !ways.live.allowed_cidr.is_empty(),
        }
    }

    /// The Secret of an account; `None`: the AWS credentials of the environment, which STS proves to be of this account.
    pub(super) fn of_account(&self, account: &Account) -> Result<Option<Secret>, Failure> {
        match account.observe.as_ref().and_then(|observe| observe.secret_ref.as_ref()) {
            Some(named) => self.in_folder(self.operator_namespace, &named.name),
            None => Ok(None),
        }
    }

    /// The Secrets of a monitoring system.
    pub(super) fn of_system(&self, system: &System) -> Result<Secrets, Failure> {
        let named = system.secrets().into_iter();
        named.map(|needed| Ok((needed.name.to_owned(), self.needed(system, &needed)?))).collect()
    }

    fn needed(&self, system: &System, needed: &NeededSecret<'_>) -> Result<Secret, Failure> {
        let (namespace, name, field) = (&*system.key.namespace, needed.name, needed.field);
        if let Some(secret) = self.in_folder(namespace, name)? {
            return Ok(secret);
        }
        let lacks = |what: &str| {
            misconfigured(format!(
                "{field}: expected Secret {namespace}/{name} as a folder below --secrets, {what}"
            ))
        };
        let Some(key) = mackerel_key(needed, system) else { return Err(lacks("found none")) };
        match &self.mackerel {
            None => Err(lacks(&format!("or its key in {MACKEREL}, found neither"))),
            Some(_) if self.named.len() > 1 => {
                Err(lacks(&format!("found {MACKEREL} alone, which may be any of {} keys", self.named.len())))
            }
            Some(_) if !self.is_bound(system) => Err(lacks(&format!(
                "found {MACKEREL} alone, which may be another organisation's or reach another address; name the organisation in \
                 spec.mackerel.organization, and leave out spec.mackerel.apiURL or allow it (--allowed-cidr, --allow-http)"
            ))),
            Some(value) => Ok(Secret::new([(key, value.clone().into_bytes())].into())),
        }
    }

    /// Is it sure whose key is asked for, and where it goes? Objects come from a tree that somebody else may have written.
    fn is_bound(&self, system: &System) -> bool {
        let Endpoint::Mackerel(mackerel) = &system.endpoint else { return false };
        let is_usual =
            mackerel.api_url.as_deref().is_none_or(|url| url.trim_end_matches('/') == DEFAULT_ENDPOINT);
        mackerel.organization.is_some() && (is_usual || self.allows_others)
    }

    /// The files of `NAMESPACE/NAME`, if there is such a folder.
    fn in_folder(&self, namespace: &str, name: &str) -> Result<Option<Secret>, Failure> {
        let Some(folder) = self.folder else { return Ok(None) };
        if ![namespace, name].into_iter().all(is_name) {
            return Err(misconfigured(format!(
                "Secret {namespace}/{name}: expected names that a folder can have"
            )));
        }
        let folder = folder.join(namespace).join(name);
        match files(&folder) {
            Ok(data) => Ok(Some(Secret::new(data))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(misconfigured(format!("{}: {error}", folder.display()))),
        }
    }
}

/// Namespace and name of the Secret with the key of a Mackerel, and the key in it.
fn named_by(system: &System) -> Option<(String, String, String)> {
    let Endpoint::Mackerel(mackerel) = &system.endpoint else { return None };
    let secret = &mackerel.api_key_secret;
    Some((system.key.namespace.to_string(), secret.name.clone(), secret.key.clone()))
}

/// The key in the Secret under which a Mackerel's key is, for which the environment may stand.
fn mackerel_key(needed: &NeededSecret<'_>, system: &System) -> Option<String> {
    let Endpoint::Mackerel(mackerel) = &system.endpoint else { return None };
    (needed.name == mackerel.api_key_secret.name).then(|| mackerel.api_key_secret.key.clone())
}

/// A Kubernetes name, which leads nowhere else.
fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
    !text.is_empty() && text.bytes().all(plain) && !text.contains("..") && !text.starts_with('.')
}

/// Every file of a folder by its name, as Kubernetes mounts a Secret; hidden ones are its own.
fn files(folder: &Path) -> std::io::Result<BTreeMap<String, Vec<u8>>> {
    let mut data = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || !entry.path().is_file() {
            continue;
        }
        let mut bytes = Vec::new();
        std::fs::File::open(entry.path())?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MOST_BYTES {
            let message =
                format!("{}: expected at most {MOST_BYTES} bytes, found more", entry.path().display());
            return Err(std::io::Error::other(message));
        }
        data.insert(name, bytes);
        if data.len() > MOST_KEYS {
            return Err(std::io::Error::other(format!(
                "expected a Secret, found more than {MOST_KEYS} files"
            )));
        }
    }
    Ok(data)
}

fn misconfigured(message: String) -> Failure {
    Failure::new(FailureKind::Misconfigured, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_file_of_objects_leads_nowhere_else() {
        for name in ["mackerel", "aws.prod-1"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "..", "a/b", "../x", ".hidden", "a..b", "Über"] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn a_secret_is_read_as_kubernetes_mounts_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("..data")).unwrap();
        std::fs::write(folder.path().join("api-key"), "k\n").unwrap();
        std::fs::write(folder.path().join(".hidden"), "x").unwrap();
        let secret = Secret::new(files(folder.path()).unwrap());
        assert_eq!((secret.get("api-key"), secret.keys().count()), (Some("k"), 1));
        assert_eq!(files(&folder.path().join("none")).unwrap_err().kind(), ErrorKind::NotFound);
    }
}

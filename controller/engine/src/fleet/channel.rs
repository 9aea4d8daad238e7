//! `NotificationChannel`, parsed, and which of them an environment names.

use std::collections::BTreeMap;
use std::sync::Arc;

use rollcall_crds::v1alpha1 as api;

use super::desired::Kind;
use super::problem::{Fault, Problems};
use super::system::NeededSecret;
use crate::ids::ObjectKey;
use crate::notice::Language;

/// Where notices go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// The object.
    pub key: ObjectKey,
    /// The language in which it is written to.
    pub language: Language,
    /// The key of the Secret, in the namespace of the object, that holds the receiver's URL.
    pub url: api::SecretKey,
    /// The one that holds the secrets which sign.
    pub signing: api::SecretKey,
}

impl Channel {
    /// Every Secret that a delivery needs.
    #[must_use]
    pub fn secrets(&self) -> [NeededSecret<'_>; 2] {
        [needed("spec.webhook.urlSecret", &self.url), needed("spec.webhook.signingSecret", &self.signing)]
    }
}

fn needed<'a>(field: &'static str, secret: &'a api::SecretKey) -> NeededSecret<'a> {
    NeededSecret { field, name: &secret.name, keys: vec![&secret.key] }
}

/// Parses all channels; `None`: one that cannot even be read.
pub(crate) fn parse(
    specs: &[api::NotificationChannel],
    unreadable: impl Iterator<Item = ObjectKey>,
) -> BTreeMap<ObjectKey, Option<Arc<Channel>>> {
    let mut channels: BTreeMap<ObjectKey, Option<Arc<Channel>>> = unreadable.map(|key| (key, None)).collect();
    for spec in specs {
        let key = super::key_of(spec.metadata.namespace.as_ref(), spec.metadata.name.as_ref());
        let api::Webhook { url_secret, signing_secret } = spec.spec.webhook.clone();
        let language = match spec.spec.language {
            api::MessageLanguage::English => Language::En,
            api::MessageLanguage::Japanese => Language::Ja,
        };
        let channel = Channel { key: key.clone(), language, url: url_secret, signing: signing_secret };
        channels.insert(key, Some(Arc::new(channel)));
    }
    channels
}

/// The channels that an environment names. One that is not there is a fault, and the others are told.
pub(crate) fn named(
    key: &ObjectKey,
    spec: &api::EnvironmentSpec,
    channels: &BTreeMap<&str, &Option<Arc<Channel>>>,
    problems: &mut Problems,
) -> Vec<Arc<Channel>> {
    let mut named = Vec::new();
    for (index, name) in spec.notifications.iter().enumerate() {
        let field = format!("spec.notifications[{index}]");
        match channels.get(name.as_str()) {
            Some(Some(channel)) => named.push(Arc::clone(channel)),
            Some(None) => {
                let message = format!(
                    "{field}: NotificationChannel {name:?} has a problem of its own; see its condition Ready: kubectl get rcnotify -A"
                );
                problems.add(Kind::Environment, key, Fault::new("ReferenceNotReady", message));
            }
            None => {
                let places = "in this namespace or the library";
                let fault = Fault::not_found(&field, Kind::NotificationChannel, name, places);
                problems.add(Kind::Environment, key, fault);
            }
        }
    }
    named
}

//! Exemptions as commands write them: the same fields as the object, and beside each host the name that people know.

use std::collections::BTreeMap;
use std::sync::Arc;

use rollcall_crds::v1alpha1::{Exemption, ExemptionType, FindingMatch};
use rollcall_engine::ids::{HostId, ObjectKey};
use serde::Serialize;
use serde_saphyr::Commented;

use crate::write::{self, plain};

/// An Exemption as a file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a, M> {
    api_version: &'static str,
    kind: &'static str,
    metadata: &'a M,
    spec: Spec<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Spec<'a> {
    #[serde(rename = "type")]
    type_: ExemptionType,
    #[serde(rename = "match")]
    match_: &'a FindingMatch,
    reason: &'a str,
    approver: &'a str,
    expires: &'a str,
    hosts: Vec<Commented<&'a str>>,
}

/// One Exemption as a YAML document.
///
/// # Errors
/// None that can be provoked: the serializer takes all strings.
pub fn document(exemption: &Exemption, names: &BTreeMap<HostId, Arc<str>>) -> anyhow::Result<String> {
    let spec = &exemption.spec;
    let name_of = |host: &str| names.get(&HostId::new(host)).map(|name| plain(name)).unwrap_or_default();
    let hosts = spec.hosts.iter().flatten().map(|host| Commented(host.as_str(), name_of(host))).collect();
    let document = Document {
        api_version: "rollcall.dev/v1alpha1",
        kind: "Exemption",
        metadata: &exemption.metadata,
        spec: Spec {
            type_: spec.type_,
            match_: &spec.match_,
            reason: &spec.reason,
            approver: &spec.approver,
            expires: &spec.expires,
            hosts,
        },
    };
    Ok(serde_saphyr::to_string(&document)?)
}

/// The namespace and name of an Exemption.
pub fn key_of(exemption: &Exemption) -> Option<ObjectKey> {
    let metadata = &exemption.metadata;
    Some(ObjectKey::new(metadata.namespace.as_deref()?, metadata.name.as_deref()?))
}

/// What an Exemption takes as its approver.
///
/// # Errors
/// When it is no name of 1 to 128 characters.
pub fn approver(text: &str) -> Result<String, String> {
    words(text, 128, "a name")
}

/// What an Exemption takes as its reason.
///
/// # Errors
/// When it is no text of 1 to 1,024 characters.
pub fn reason(text: &str) -> Result<String, String> {
    words(text, 1_024, "a reason")
}

fn words(text: &str, most: usize, what: &str) -> Result<String, String> {
    let text = text.trim();
    let length = text.chars().count();
    if (1..=most).contains(&length) && !text.chars().any(char::is_control) && write::can_stand(text) {
        return Ok(text.to_owned());
    }
    Err(format!("expected {what} of 1 to {most} characters without control characters, found {length}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_must_answer_for_it() {
        assert_eq!(approver(" k.tanaka "), Ok("k.tanaka".to_owned()));
        for nobody in ["", "  ", "a\u{7}b", &"x".repeat(129)] {
            assert!(approver(nobody).unwrap_err().starts_with("expected a name of 1 to 128"), "{nobody:?}");
        }
        assert_eq!(reason(&"理".repeat(1_024)).map(|text| text.chars().count()), Ok(1_024));
        assert!(reason("two\nlines").is_err());
    }
}

//! What a host is registered or updated with: the body of `POST` and `PUT /hosts`.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::{error::Outcome, roles::RoleFullname};

/// What `POST` and `PUT /hosts` take; clients send `null` for what they leave out.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostParam {
    /// Host name.
    pub name: String,
    /// Host metadata.
    pub meta: Map<String, Value>,
    /// The name people gave it.
    #[serde(default, deserialize_with = "filled")]
    pub display_name: Option<String>,
    /// `null` and `""` mean none, and PUT then **overwrites with none**.
    #[serde(default, deserialize_with = "filled")]
    pub custom_identifier: Option<String>,
    /// Notes.
    #[serde(default)]
    pub memo: Option<String>,
    /// Network interfaces.
    #[serde(default)]
    pub interfaces: Option<Vec<Map<String, Value>>>,
    /// `Service:role`, to be **added**.
    #[serde(default)]
    pub role_fullnames: Option<Vec<String>>,
    /// The **whole** list of checks; `null` is an empty list.
    #[serde(default)]
    pub checks: Option<Vec<CheckParam>>,
}

/// A check in [`HostParam`].
#[derive(Clone, Debug, Deserialize)]
pub struct CheckParam {
    /// Its name.
    pub name: String,
    /// Notes.
    #[serde(default)]
    pub memo: Option<String>,
}

fn filled<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.filter(|text| !text.is_empty()))
}

impl HostParam {
    /// A host with this name and nothing else.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            meta: Map::new(),
            display_name: None,
            custom_identifier: None,
            memo: None,
            interfaces: None,
            role_fullnames: None,
            checks: None,
        }
    }

    /// A host as the agent on an EC2 instance registers it: identifier and `meta.cloud`.
    #[must_use]
    pub fn ec2(name: &str, instance_id: &str) -> Self {
        let metadata = json!({"instance-id": instance_id, "local-hostname": name, "hostname": name});
        Self::named(name)
            .custom_identifier(&format!("{instance_id}.ec2.amazonaws.com"))
            .meta("cloud", json!({"provider": "ec2", "metadata": metadata}))
    }

    /// The same with this identifier.
    #[must_use]
    pub fn custom_identifier(self, identifier: &str) -> Self {
        Self { custom_identifier: Some(identifier.to_owned()), ..self }
    }

    /// The same in these roles (`Service:role`) too.
    #[must_use]
    pub fn roles(mut self, fullnames: &[&str]) -> Self {
        self.role_fullnames.get_or_insert_default().extend(fullnames.iter().map(ToString::to_string));
        self
    }

    /// The same with these checks too.
    #[must_use]
    pub fn checks(mut self, names: &[&str]) -> Self {
        let check = |name: &&str| CheckParam { name: (*name).to_owned(), memo: None };
        self.checks.get_or_insert_default().extend(names.iter().map(check));
        self
    }

    /// The same with one more entry in `meta`.
    #[must_use]
    pub fn meta(mut self, key: &str, value: Value) -> Self {
        self.meta.insert(key.to_owned(), value);
        self
    }

    pub(super) fn roles_wanted(&self) -> Outcome<Vec<RoleFullname>> {
        self.role_fullnames.iter().flatten().map(|name| RoleFullname::parse(name)).collect()
    }

    /// The plural form of the addresses wins; the singular one then shows its first.
    pub(super) fn interfaces_shown(&self) -> Vec<Value> {
        let shown = |interface: &Map<String, Value>| {
            let mut shown = interface.clone();
            for (plural, singular) in [("ipv4Addresses", "ipAddress"), ("ipv6Addresses", "ipv6Address")] {
                let first = interface.get(plural).and_then(|list| list.get(0)).cloned();
                if let Some(first) = first {
                    shown.insert(singular.to_owned(), first);
                }
            }
            Value::Object(shown)
        };
        self.interfaces.iter().flatten().map(shown).collect()
    }
}

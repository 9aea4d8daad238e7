//! One newtype per kind of id, so that no name can be taken for another (Atlassian lost 775 sites to an API
//! that took a site id and an app id alike).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the text as it is.
            #[must_use]
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(Arc::from(text.as_ref()))
            }
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(Arc::from(text))
            }
        }
    };
}

id!(
    /// An EC2 instance id (`i-0abc`) or the `DbiResourceId` of a database in lower case (`db-0abc`; see
    /// [`HostId::of_database`]). AWS re-uses neither, and their prefixes keep them apart. It is also the name of the
    /// `Host` object.
    HostId
);
id!(
    /// The `DbClusterResourceId` of a DB cluster (`cluster-0ABC`): never re-used by AWS.
    ClusterId
);
id!(
    /// The twelve digits of an AWS account.
    AccountId
);
id!(
    /// The name of a `CloudAccount` object.
    AccountName
);
id!(
    /// An AWS region, `ap-northeast-1`.
    Region
);
id!(
    /// The name of a `HostRole` object.
    RoleName
);
id!(
    /// The id of a host in a monitoring system.
    RegistrationId
);
id!(
    /// The name under which a check is known in a monitoring system, `check-disk`.
    CheckName
);

id!(
    /// The mark of one retirement: its `metadata.uid`. An approval, a tag or a backup that bears it can mean no other one.
    Mark
);
id!(
    /// A person as the API server knows them (`userInfo.username`).
    User
);

/// Characters of a `DbiResourceId`: AWS's have 29; an object's name may have 63 wherever it stands.
const MAX_DATABASE_ID: usize = 63;

impl HostId {
    /// The id of the database with this `DbiResourceId`: the same in lower case, because it names an object.
    /// `None` for what cannot be one: AWS's are `db-` and then capitals and digits.
    #[must_use]
    pub fn of_database(resource_id: &str) -> Option<Self> {
        let rest = resource_id.strip_prefix("db-")?;
        let plain = rest.bytes().all(|b| b.is_ascii_alphanumeric());
        let fits = !rest.is_empty() && resource_id.len() <= MAX_DATABASE_ID;
        (plain && fits).then(|| Self::from(resource_id.to_ascii_lowercase()))
    }

    /// Is it a database's id, and not an instance's?
    #[must_use]
    pub fn is_database(&self) -> bool {
        self.as_str().starts_with("db-")
    }
}

/// A namespaced Rollcall object: `namespace/name`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ObjectKey {
    /// Kubernetes namespace.
    pub namespace: Arc<str>,
    /// Object name.
    pub name: Arc<str>,
}

impl ObjectKey {
    /// A key from its two parts.
    #[must_use]
    pub fn new(namespace: impl AsRef<str>, name: impl AsRef<str>) -> Self {
        Self { namespace: Arc::from(namespace.as_ref()), name: Arc::from(name.as_ref()) }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl From<ObjectKey> for String {
    fn from(key: ObjectKey) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for ObjectKey {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match text.split_once('/') {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() => {
                Ok(Self::new(namespace, name))
            }
            _ => Err(format!("{text:?} is not NAMESPACE/NAME")),
        }
    }
}

/// Where hosts live: one account in one region. The unit of inventory, of quota and of memory shards.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Place {
    /// The AWS account.
    pub account: AccountId,
    /// The region.
    pub region: Region,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        place.to_string()
    }
}

impl TryFrom<String> for Place {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match text.split_once('/') {
            Some((account, region)) => Ok(Self { account: account.into(), region: region.into() }),
            None => Err(format!("{text:?} is not ACCOUNT/REGION")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_database_is_named_by_its_resource_id_in_lower_case() {
        let of = |id: &str| HostId::of_database(id).map(|id| id.to_string());
        assert_eq!(of("db-M5ENSHXFPU6XHZ4G4ZEI5QIO2U").as_deref(), Some("db-m5enshxfpu6xhz4g4zei5qio2u"));
        for not_one in
            ["", "db-", "DB-ABC", "i-0abc", "cluster-ABC", "db-A/B", "db-A B", "db-A.B", "db-é", "db-A\0"]
        {
            assert_eq!(of(not_one), None, "{not_one}");
        }
        assert_eq!(of(&format!("db-{}", "A".repeat(60))).map(|id| id.len()), Some(63));
        assert_eq!(of(&format!("db-{}", "A".repeat(61))), None);
    }

    proptest! {
        /// Whatever becomes the id of a database can name an object, and is no instance's.
        #[test]
        fn an_id_of_a_database_can_name_an_object(text in "(db-|i-|DB-)?\\PC{0,70}") {
            if let Some(id) = HostId::of_database(&text) {
                let bytes = id.as_str().as_bytes();
                prop_assert!(bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-'));
                prop_assert!(bytes.len() <= 63 && bytes.last() != Some(&b'-'));
                prop_assert!(id.is_database() && id.as_str().eq_ignore_ascii_case(&text));
            }
        }
    }
}

//! What a monitoring system says it knows: registered hosts, monitors, checks, last metrics.
//! Neutral between systems: nothing here speaks HTTP, and a second system needs no second shape.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ids::{CheckName, RegistrationId};
use crate::reading::{Failure, FailureKind, Reading};

/// All listings of one monitoring system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Registry {
    /// Which product it is.
    pub product: Product,
    /// The organisation whose registrations these are, by its name there; `None` where the product has no such notion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<Reading<String>>,
    /// The switches of the whole program; `None` where the product has no such notion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Reading<Program>>,
    /// Whom alerts reach, where that is a listing of its own; `None` where each check tells it, or nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notifications: Option<Reading<Notifications>>,
    /// Registered hosts, in all statuses.
    pub hosts: Reading<Vec<Registration>>,
    /// Services and the roles defined under each.
    pub services: Reading<BTreeMap<String, Vec<String>>>,
    /// Monitors, in the system's order.
    pub monitors: Reading<Vec<Monitor>>,
    /// Checks that run for hosts.
    #[serde(default, skip_serializing_if = "Checks::is_empty")]
    pub checks: Checks,
    /// The newest metric of each host; a host that is not in a complete reading's map has none. A system that keeps no
    /// metrics fails it as [`NotSupported`](crate::reading::FailureKind::NotSupported), as it does any listing that it
    /// does not have.
    pub last_metric: Reading<BTreeMap<RegistrationId, Timestamp>>,
}

/// The checks that run for hosts, in the way the product tells them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Checks {
    /// One listing of all checks of all hosts, each with how it runs. A host that is not in the map has none.
    Listed(Reading<BTreeMap<RegistrationId, Vec<Check>>>),
    /// Names, asked host by host, so that each answer has its own time. A host that is not in the map was never asked.
    ByHost(BTreeMap<RegistrationId, Reading<Vec<CheckName>>>),
}

impl Default for Checks {
    fn default() -> Self {
        Self::ByHost(BTreeMap::new())
    }
}

impl Checks {
    /// Nobody was ever asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::ByHost(all) if all.is_empty())
    }

    /// The answers of hosts, where they are asked one by one.
    #[must_use]
    pub fn by_host(&self) -> &BTreeMap<RegistrationId, Reading<Vec<CheckName>>> {
        static NOBODY: BTreeMap<RegistrationId, Reading<Vec<CheckName>>> = BTreeMap::new();
        match self {
            Self::ByHost(all) => all,
            Self::Listed(_) => &NOBODY,
        }
    }

    /// The answers of hosts that are asked one by one, to add to or take from; none where one listing tells all.
    pub fn by_host_mut(&mut self) -> Option<&mut BTreeMap<RegistrationId, Reading<Vec<CheckName>>>> {
        match self {
            Self::ByHost(all) => Some(all),
            Self::Listed(_) => None,
        }
    }

    /// When the checks of a host were read.
    #[must_use]
    pub fn at(&self, registration: &RegistrationId) -> Option<Timestamp> {
        match self {
            Self::ByHost(all) => all.get(registration)?.at(),
            Self::Listed(all) => all.at(),
        }
    }
}

/// One check of one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// Its name there.
    pub name: CheckName,
    /// How it runs.
    #[serde(flatten)]
    pub run: Run,
}

/// How something is checked, and whether anybody hears of it. `None` means "not told", never "no".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The system runs it by itself, or takes its results from outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_run: Option<bool>,
    /// Its next result should have come before it was read; none when nothing says when one should.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_late: Option<bool>,
    /// Its problems notify.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notifies: Option<bool>,
    /// It is in a downtime, in which nobody is notified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_downtime: Option<bool>,
    /// When its downtime ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downtime_until: Option<Timestamp>,
    /// Who is notified of its problems: contacts that may be notified, and their groups. Shared: a fleet has a handful.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_by: Option<Recipients>,
}

/// Names of those who are notified, sorted.
pub type Recipients = Arc<[Arc<str>]>;

/// The switches of a whole program. `None` means "not told", never "no".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Program {
    /// Anybody is notified of anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notifies: Option<bool>,
    /// Hosts are checked, or results for them taken from outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks_hosts: Option<bool>,
    /// Services are checked, or results for them taken from outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks_services: Option<bool>,
}

/// Whom alerts reach: groups that are told of them, and the channels that carry them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notifications {
    /// Groups.
    pub groups: Vec<NotificationGroup>,
    /// Channels.
    pub channels: Vec<Channel>,
}

/// A group that is told of alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotificationGroup {
    /// Its id there.
    pub id: String,
    /// It is told of every alert, unless another group that is told says otherwise.
    #[serde(default)]
    pub is_default: bool,
    /// It is told of critical alerts alone.
    #[serde(default)]
    pub only_critical: bool,
    /// Monitors of whose alerts it is told, by id. Checks of agents have ids too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub monitors: Vec<Routed>,
    /// Services of whose hosts' alerts it is told, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Routed>,
    /// Groups that it tells in turn, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Channels that it uses, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
}

/// Something of whose alerts a group is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Routed {
    /// Id of a monitor, or name of a service.
    pub of: String,
    /// The default group is not told then.
    #[serde(default)]
    pub skips_default: bool,
}

/// A channel that carries alerts to somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Channel {
    /// Its id there.
    pub id: String,
    /// Its name there.
    pub name: String,
    /// It is not suspended, and carries alerts.
    pub carries_alerts: bool,
}

/// Monitoring products.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Product {
    /// Mackerel (mackerel.io).
    Mackerel,
    /// Nagios 4, and what writes its files as Nagios does.
    Nagios,
}

impl Product {
    /// The name people use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mackerel => "Mackerel",
            Self::Nagios => "Nagios",
        }
    }

    /// Why a listing that the product does not have cannot be read: the same words whoever tells it.
    #[must_use]
    pub fn has_no(self, listing: &str) -> Failure {
        Failure::new(FailureKind::NotSupported, format!("{} has no {listing}", self.as_str()))
    }
}

/// One registered host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Registration {
    /// Its id there.
    pub id: RegistrationId,
    /// Its name there.
    pub name: String,
    /// Mackerel's custom identifier, lower-cased: `i-0abc.ec2.amazonaws.com`, an RDS endpoint, a load balancer's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_identifier: Option<String>,
    /// The instance id its agent reports about itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
    /// What it seems to be, in the system's words: `ec2`, `elb`, `rds`, `gce`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Its status there; `Working` where the product has no such notion.
    pub status: RegistrationStatus,
    /// How the host itself is checked, where the product checks hosts as it checks services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Box<Run>>,
    /// Custom variables that name an instance, by upper-case name without the leading underscore. Others are not kept:
    /// people hold passwords in them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// Roles it has there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Scope>,
    /// Addresses it reports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IpAddr>,
    /// When it was registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}

impl Registration {
    /// The instance that its custom identifier names. Mackerel's agent on EC2 sends `i-0abc.ec2.amazonaws.com`; case may
    /// differ (docs/mackerel.md, "custom identifiers").
    #[must_use]
    pub fn identified_instance(&self) -> Option<String> {
        let identifier = self.custom_identifier.as_ref()?.to_lowercase();
        instance_id(identifier.strip_suffix(".ec2.amazonaws.com")?)
    }
    /// The endpoint of RDS that its custom identifier names, in lower case: so Mackerel's AWS integration names databases.
    #[must_use]
    pub fn identified_endpoint(&self) -> Option<String> {
        let identifier = self.custom_identifier.as_ref()?.trim().to_lowercase();
        RDS_DOMAINS.iter().any(|domain| identifier.ends_with(domain)).then_some(identifier)
    }
    /// The instance that its agent reports itself to run on.
    #[must_use]
    pub fn reported_instance(&self) -> Option<String> {
        instance_id(&self.instance_id.as_ref()?.trim().to_lowercase())
    }

    /// The instance that a custom variable names: `i-0abc`, or the provider id `aws:///ap-northeast-1/i-0abc`.
    #[must_use]
    pub fn variable_instance(&self, variable: &str) -> Option<String> {
        named_instance(self.variables.get(variable)?)
    }
}

/// Where RDS's endpoints are, in all partitions that name them publicly.
const RDS_DOMAINS: [&str; 2] = [".rds.amazonaws.com", ".rds.amazonaws.com.cn"];

/// The instance that a text names: `i-0abc`, or the provider id `aws:///ap-northeast-1/i-0abc`.
#[must_use]
pub fn named_instance(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    instance_id(text.rsplit('/').next()?)
}

/// The text, if it is an instance id.
fn instance_id(text: &str) -> Option<String> {
    let hex = text.strip_prefix("i-")?;
    (!hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit())).then(|| text.to_owned())
}

/// Whether a registered host is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RegistrationStatus {
    /// Watched, and alerts notify.
    Working,
    /// Watched, and alerts do not notify.
    Standby,
    /// Not watched for now.
    Maintenance,
    /// Not watched: switched off.
    Poweroff,
    /// A status this version does not know.
    Unknown,
}

impl RegistrationStatus {
    /// Does the system watch a host of this status? `None`: we do not know.
    #[must_use]
    pub fn is_watched(self) -> Option<bool> {
        match self {
            Self::Working | Self::Standby => Some(true),
            Self::Maintenance | Self::Poweroff => Some(false),
            Self::Unknown => None,
        }
    }
    /// The wire spelling.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Standby => "standby",
            Self::Maintenance => "maintenance",
            Self::Poweroff => "poweroff",
            Self::Unknown => "unknown",
        }
    }
}

/// A service, or one role of it: what a host belongs to and what a monitor is scoped to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scope {
    /// Service name.
    pub service: String,
    /// Role name; without it the whole service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

impl Scope {
    /// Does a host with these roles fall into this scope?
    #[must_use]
    pub fn holds(&self, roles: &[Scope]) -> bool {
        roles.iter().any(|r| r.service == self.service && (self.role.is_none() || self.role == r.role))
    }
}

/// One monitor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Monitor {
    /// Its id there.
    pub id: String,
    /// Its name there; a connectivity monitor may have none.
    #[serde(default)]
    pub name: String,
    /// What it looks at.
    pub watches: Watches,
    /// Hosts it covers; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<Scope>,
    /// Hosts it leaves out, even when a scope holds them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excludes: Vec<Scope>,
    /// Switched off without an end.
    #[serde(default)]
    pub muted: bool,
}

impl Monitor {
    /// Does it cover a host with these roles? Mute is judged apart.
    #[must_use]
    pub fn covers(&self, roles: &[Scope]) -> bool {
        (self.scopes.is_empty() || self.scopes.iter().any(|s| s.holds(roles)))
            && !self.excludes.iter().any(|s| s.holds(roles))
    }
}

/// The service that a monitor belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OfService {
    /// Not told: a recording from before it was read.
    #[default]
    Untold,
    /// None.
    None,
    /// This one.
    Of(String),
}

/// What a monitor looks at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Watches {
    /// A metric of each host in scope.
    #[serde(rename_all = "camelCase")]
    HostMetric {
        /// `disk%`
        metric: String,
        /// Alerts above or below.
        direction: Direction,
        /// Value of a warning.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        warning: Option<f64>,
        /// Value of a critical alert.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        critical: Option<f64>,
    },
    /// Hosts that no longer answer.
    Connectivity,
    /// An address, asked from outside.
    External {
        /// What it asks for.
        url: Url,
        /// The service it belongs to, whose notification groups are told of it.
        #[serde(default)]
        service: OfService,
    },
    /// Something that is not about single hosts: `service`, `expression`, `query`, `anomalyDetection`, or a type this version does not know.
    Other(String),
}

/// An address that is asked for, in the one spelling that all spellings of it share: scheme and host in lower case, no port
/// where it is the usual one, a path. It is kept and recorded, so it holds no secret: no user, no password, and of what
/// stands behind `?`, where people put tokens, only a digest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Url(Box<str>);

impl Url {
    /// An address of HTTP. What stands behind `#` never reaches a server, and is no part of it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut url = url::Url::parse(text.trim()).ok()?;
        if !url.has_host() || !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        url.set_fragment(None);
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        if let Some(query) = url.query() {
            let digest = Sha256::digest(query.as_bytes());
            let mut short = "sha256:".to_owned();
            for byte in digest.iter().take(8) {
                // Writing to text does not fail.
                let _ = write!(short, "{byte:02x}");
            }
            url.set_query(Some(&short));
        }
        Some(Self(url.as_str().into()))
    }

    /// The one spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// On which side of the threshold a monitor alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// Alerts when the value is greater.
    Above,
    /// Alerts when the value is less.
    Below,
}

#[cfg(test)]
mod tests {
    use super::Url;

    #[test]
    fn one_address_has_one_spelling() {
        let spelled = |text| Url::parse(text).map(|url| url.as_str().to_owned());
        for same in
            ["https://jp1.example.com/", "HTTPS://JP1.example.com", "https://jp1.example.com:443/#top"]
        {
            assert_eq!(spelled(same).as_deref(), Some("https://jp1.example.com/"), "{same}");
        }
        let token = spelled("https://ops:secret@jp1.example.com/?token=secret").unwrap_or_default();
        assert!(
            token.starts_with("https://jp1.example.com/?sha256:") && !token.contains("secret"),
            "{token}"
        );
        for other in [
            "https://jp1.example.com/?token=other",
            "https://jp1.example.com/login",
            "http://jp1.example.com/",
            "https://jp1.example.com:8443/",
        ] {
            assert_ne!(spelled(other).as_deref(), Some("https://jp1.example.com/"), "{other}");
        }
        for none in ["", "jp1.example.com", "ftp://jp1.example.com/", "https://", "mailto:a@b"] {
            assert_eq!(spelled(none), None, "{none}");
        }
    }
}

//! Findings, their stable codes, and the causes that group them.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use rollcall_crds::v1alpha1::Severity;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountName, CheckName, HostId, ObjectKey, RegistrationId, RoleName};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $title:literal;)*) => {
        /// Stable codes: a code never changes its meaning and is never used again.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }
        impl Code {
            /// All codes, in order.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];
            /// The code of this spelling, `RC0102`.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Code::$name),)* _ => None }
            }
            /// `RC0102`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }
            /// The finding in half a sentence.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => $title,)* }
            }
        }
    };
}

codes! {
    /// A running host is not registered in a system where every host must be.
    NotRegistered = "RC0101", "host is not registered in a monitoring system";
    /// Nothing watches what a required check asks for.
    CheckMissing = "RC0102", "required check is missing on a host";
    /// Registered, but no metric arrives.
    Silent = "RC0103", "registered host sends no data";
    /// What would watch it is muted, or the host's status there switches watching off.
    Muted = "RC0104", "monitoring of a host is muted";
    /// A monitor exists but does not really cover the host: out of scope, threshold absent or too lax.
    Weak = "RC0105", "monitor exists but does not cover the host";
    /// Roles in the monitoring system differ from the roles the host plays.
    RoleMismatch = "RC0106", "roles in the monitoring system differ";
    /// A running host has a status there that its role does not allow.
    WrongStatus = "RC0107", "status in the monitoring system is not allowed";
    /// A host that is not running is still watched as if it were.
    StoppedButWatched = "RC0108", "stopped host is still watched";
    /// Something watches what a required check asks for, and its alerts do not reach whom they must.
    Unheard = "RC0109", "alerts of a required check do not reach whom they must";
    /// A new host was not in order when its settling time ended.
    NotReadyInTime = "RC0110", "new host is not ready in time";
    /// A registration of a host that is proved gone.
    Ghost = "RC0201", "registration of a host that is gone";
    /// Registrations that match no host Rollcall knows.
    Stranger = "RC0202", "registration that matches no host";
    /// One host is registered more than once in one system.
    Duplicate = "RC0203", "host is registered more than once";
    /// A check or monitor that no `RequiredCheck` asks for.
    Unrequired = "RC0204", "check that nobody requires";
    /// A registration that matches several hosts; all rows that depend on it are unknown.
    Ambiguous = "RC0205", "registration matches several hosts";
    /// Something of AWS is otherwise than a required check asserts.
    AssertionFailed = "RC0301", "something is otherwise than a required check asserts";
    /// It runs, and was quiet on every day that its environment's rule looks at.
    Unused = "RC0401", "host looks unused";
    /// Stopped for a long time.
    LongStopped = "RC0402", "host has been stopped for long";
    /// No environment claims the host.
    Unclaimed = "RC0403", "host belongs to no environment";
    /// Fewer hosts of a role than wanted.
    UnderCount = "RC0404", "fewer hosts of a role than wanted";
    /// More hosts of a role than wanted.
    OverCount = "RC0405", "more hosts of a role than wanted";
    /// Two environments claim the host.
    Contested = "RC0406", "host is claimed by two environments";
    /// The inventory of a place cannot be read completely.
    InventoryBlind = "RC0501", "inventory cannot be read";
    /// A listing of a monitoring system cannot be read completely.
    RegistryBlind = "RC0502", "monitoring system cannot be read";
    /// The source lacks a listing that a required check needs.
    NotVerifiable = "RC0503", "required check cannot be verified here";
    /// A monitoring system notifies nobody of anything, or checks nothing.
    SystemOff = "RC0504", "monitoring system is switched off as a whole";
    /// What hosts do cannot be read completely.
    ActivityBlind = "RC0505", "activity of hosts cannot be read";
    /// The review date of a required check has passed.
    ReviewOverdue = "RC0601", "review of a required check is overdue";
    /// An exemption has passed its end.
    ExemptionExpired = "RC0602", "exemption has expired";
    /// Nobody answers for an environment.
    NoOwner = "RC0603", "environment has no owner";
    /// A required check uses a parameter that the environment does not set.
    ParameterMissing = "RC0604", "environment lacks a parameter";
    /// A name exists both here and in the library; the local one wins.
    Shadowed = "RC0605", "name hides one of the library";
    /// A running host plays no duty: nobody knows why it exists.
    NoDuty = "RC0606", "host plays no duty";
    /// A tag names a role that no `HostRole` describes.
    UnknownRole = "RC0607", "tag names an unknown role";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Subject {
    /// A host.
    Host(HostId),
    /// A registration in a monitoring system.
    Registration(RegistrationId),
    /// A monitor of a monitoring system, by id.
    Monitor(String),
    /// A role of an environment.
    Role(RoleName),
    /// A check by the name it has in a monitoring system.
    Check(CheckName),
    /// The object itself (environment, check, exemption, system, account).
    Itself,
}

/// One thing that is wrong with one subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Its code.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about.
    pub subject: Subject,
    /// The name people know the subject by, freed of control characters and cut to 64.
    pub subject_name: Arc<str>,
    /// The environment it belongs to, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<ObjectKey>,
    /// The account it belongs to, if it belongs to no environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountName>,
    /// The `RequiredCheck` it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<ObjectKey>,
    /// The `MonitoringSystem` it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<ObjectKey>,
    /// The role through which the requirement came: causes group by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleName>,
    /// Expected and found, in one line, without the subject's name: many findings share one text.
    pub message: Arc<str>,
    /// What to do, naming only commands that exist.
    pub fix: Arc<str>,
    /// Since when it has been so.
    pub since: Timestamp,
    /// Who excuses it.
    #[serde(default, skip_serializing_if = "Excuse::is_none")]
    pub excuse: Excuse,
}

impl Finding {
    /// The order in which findings are listed: code, environment, subject, and what else tells them apart.
    #[must_use]
    pub fn in_order(&self, other: &Self) -> Ordering {
        (self.code.cmp(&other.code))
            .then_with(|| self.environment.cmp(&other.environment))
            .then_with(|| self.subject.cmp(&other.subject))
            .then_with(|| self.system.cmp(&other.system))
            .then_with(|| self.check.cmp(&other.check))
            .then_with(|| self.role.cmp(&other.role))
            .then_with(|| self.message.cmp(&other.message))
    }
}

/// Whether somebody accepted a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Excuse {
    /// Nobody: it is open.
    #[default]
    None,
    /// An Exemption of type Accepted.
    Exempt(ObjectKey),
    /// An Exemption of type Baseline.
    Baseline(ObjectKey),
}

impl Excuse {
    /// Is the finding open?
    #[must_use]
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

/// Findings with one common reason, in one sentence: what people look at first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// Code of its findings.
    pub code: Code,
    /// The worst severity among them.
    pub severity: Severity,
    /// The check they are about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// The system they are about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The role they came through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleName>,
    /// How many open findings it stands for.
    pub open: usize,
    /// How many of its findings are excused.
    pub excused: usize,
    /// The cause in one sentence: `"check-ntp" on 0 of 171 linux hosts`.
    pub message: String,
    /// What to do about it.
    pub fix: String,
    /// Since when the oldest of them has been so.
    pub since: Timestamp,
    /// Some names, at most 5.
    pub examples: Vec<String>,
}

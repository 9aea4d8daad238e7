//! `MonitoringSystem`, parsed: how to reach it and how what it calls a host joins to a host.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use regex::Regex;
use rollcall_crds::v1alpha1 as api;

use super::account::Account;
use super::desired::Kind;
use super::problem::{Fault, Problems};
use super::selector::pattern;
use crate::ids::{AccountName, ObjectKey};
use crate::registry::Product;

/// One monitoring system.
#[derive(Clone, Debug)]
pub struct System {
    /// The object.
    pub key: ObjectKey,
    /// How to reach it.
    pub endpoint: Endpoint,
    /// Authorities to trust besides the system's: a key of a Secret in the namespace of the object.
    pub authority: Option<api::SecretKey>,
    /// Without any metric for longer than this, a registered host is silent.
    pub silence: SignedDuration,
    /// Accounts to which every instance that is registered here belongs, by somebody's word; empty: nobody gave it.
    pub(crate) only_accounts: Vec<AccountName>,
    /// Rules in order; `Err`: they cannot be understood, so nothing can be joined.
    pub(crate) join: Result<Vec<JoinRule>, String>,
}

/// A Secret in the namespace of a system's object that its reader needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeededSecret<'a> {
    /// The field that names it.
    pub field: &'static str,
    /// Its name.
    pub name: &'a str,
    /// Keys that it must have.
    pub keys: Vec<&'a str>,
}

impl System {
    /// Every Secret that is needed to read it.
    #[must_use]
    pub fn secrets(&self) -> Vec<NeededSecret<'_>> {
        let of_endpoint = match &self.endpoint {
            Endpoint::Mackerel(mackerel) => Some(NeededSecret {
                field: "spec.mackerel.apiKeySecret",
                name: &mackerel.api_key_secret.name,
                keys: vec![&mackerel.api_key_secret.key],
            }),
            Endpoint::Nagios(Nagios { way: NagiosWay::Cgi { login, .. }, .. }) => Some(NeededSecret {
                field: "spec.nagios.basicAuthSecret",
                name: &login.name,
                keys: vec!["username", "password"],
            }),
            Endpoint::Nagios(Nagios { way: NagiosWay::Files(_), .. }) => None,
        };
        let authority = self.authority.as_ref().map(|authority| NeededSecret {
            field: "spec.caSecret",
            name: &authority.name,
            keys: vec![&authority.key],
        });
        of_endpoint.into_iter().chain(authority).collect()
    }
}

/// How to reach a monitoring system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A Mackerel organisation; its key is a Secret in the namespace of the object.
    Mackerel(api::MackerelSystem),
    /// A Nagios.
    Nagios(Nagios),
}

/// How to reach a Nagios.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nagios {
    /// By what it is read.
    pub way: NagiosWay,
    /// One unit of time in its configuration.
    pub interval_length: SignedDuration,
}

/// By what a Nagios is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NagiosWay {
    /// Its JSON CGIs; the login and a private authority are Secrets in the namespace of the object.
    Cgi {
        /// Address of the folder with the CGIs.
        url: String,
        /// The Secret with `username` and `password`.
        login: api::SecretName,
    },
    /// Its files, where the admin allows them.
    Files(api::NagiosFiles),
}

impl Endpoint {
    /// Which product it is.
    #[must_use]
    pub fn product(&self) -> Product {
        match self {
            Self::Mackerel(_) => Product::Mackerel,
            Self::Nagios(_) => Product::Nagios,
        }
    }

    /// The organisation whose registrations are meant, if the object names it.
    #[must_use]
    pub fn organization(&self) -> Option<&str> {
        match self {
            Self::Mackerel(mackerel) => mackerel.organization.as_deref(),
            Self::Nagios(_) => None,
        }
    }
}

/// One way to tell which host a registration speaks of.
#[derive(Clone, Debug)]
pub(crate) enum JoinRule {
    /// Its custom identifier is the host's.
    CustomIdentifier,
    /// Its agent reports the host's instance id.
    InstanceId,
    /// Its name, taken apart, is the host's Name tag.
    Name(Regex),
    /// One of its addresses is one of the host's.
    Address,
    /// A custom variable of it holds the host's instance id; upper case, without the underscore.
    CustomVariable(Box<str>),
}

/// Parses all systems. One without a known product is left out; its name stays known.
pub(crate) fn parse(
    specs: &[api::MonitoringSystem],
    accounts: &BTreeMap<AccountName, Account>,
    problems: &mut Problems,
) -> BTreeMap<ObjectKey, System> {
    let mut systems = BTreeMap::new();
    for spec in specs {
        let key = super::key_of(spec.metadata.namespace.as_ref(), spec.metadata.name.as_ref());
        let endpoint = match endpoint(&spec.spec) {
            Ok(endpoint) => endpoint,
            Err(fault) => {
                problems.add(Kind::MonitoringSystem, &key, fault);
                continue;
            }
        };
        let join = parse_join(spec.spec.join.as_deref(), endpoint.product()).map_err(|faults| {
            let first = faults.first().map(|fault| fault.message().to_owned()).unwrap_or_default();
            for fault in faults {
                problems.add(Kind::MonitoringSystem, &key, fault);
            }
            first
        });
        let silence = SignedDuration::from_mins(i64::from(spec.spec.silent_minutes.max(1)));
        let only_accounts = only_accounts(&key, &spec.spec, accounts, problems);
        let authority = spec.spec.ca_secret.clone();
        systems.insert(key.clone(), System { key, endpoint, authority, silence, only_accounts, join });
    }
    systems
}

/// The accounts that are vouched for. A name that leads to none vouches for nothing: the instance may be in that account.
fn only_accounts(
    key: &ObjectKey,
    spec: &api::MonitoringSystemSpec,
    accounts: &BTreeMap<AccountName, Account>,
    problems: &mut Problems,
) -> Vec<AccountName> {
    let named: Vec<AccountName> =
        spec.only_accounts.iter().flatten().map(|name| name.as_str().into()).collect();
    let unknown: Vec<&AccountName> = named.iter().filter(|name| !accounts.contains_key(*name)).collect();
    for name in &unknown {
        let fault = Fault::not_found(
            "spec.onlyAccounts",
            Kind::CloudAccount,
            name.as_str(),
            "that can be understood",
        );
        problems.add(Kind::MonitoringSystem, key, fault);
    }
    if unknown.is_empty() { named } else { Vec::new() }
}

fn endpoint(spec: &api::MonitoringSystemSpec) -> Result<Endpoint, Fault> {
    match (&spec.mackerel, &spec.nagios) {
        (Some(mackerel), None) => Ok(Endpoint::Mackerel(mackerel.clone())),
        (None, Some(nagios)) => nagios_endpoint(nagios).map(Endpoint::Nagios),
        (mackerel, nagios) => {
            let found = if mackerel.is_some() && nagios.is_some() { "both" } else { "none" };
            let message = format!(
                "spec: expected one of the blocks mackerel and nagios, found {found}; say how to reach the system"
            );
            Err(Fault::new("NoEndpoint", message))
        }
    }
}

fn nagios_endpoint(spec: &api::NagiosSystem) -> Result<Nagios, Fault> {
    let way = match (&spec.status_url, &spec.basic_auth_secret, &spec.files) {
        (Some(url), Some(login), None) => NagiosWay::Cgi { url: url.clone(), login: login.clone() },
        (None, None, Some(files)) => NagiosWay::Files(files.clone()),
        _ => {
            let message = "spec.nagios: expected statusURL with basicAuthSecret, or files, found neither or parts of both; say \
                           how to read it";
            return Err(Fault::new("NoEndpoint", message));
        }
    };
    let interval_length = SignedDuration::from_secs(i64::from(spec.interval_length_seconds.max(1)));
    Ok(Nagios { way, interval_length })
}

fn parse_join(rules: Option<&[api::JoinRule]>, product: Product) -> Result<Vec<JoinRule>, Vec<Fault>> {
    let Some(rules) = rules else {
        return Ok(match product {
            Product::Mackerel => vec![JoinRule::CustomIdentifier, JoinRule::InstanceId],
            Product::Nagios => vec![JoinRule::CustomVariable("INSTANCE_ID".into())],
        });
    };
    let mut parsed = Vec::new();
    let mut faults = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        match JoinRule::parse(rule, &format!("spec.join[{index}]")) {
            Ok(rule) => parsed.push(rule),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(parsed) } else { Err(faults) }
}

impl JoinRule {
    fn parse(rule: &api::JoinRule, field: &str) -> Result<Self, Fault> {
        match rule.by {
            api::JoinBy::CustomIdentifier => Ok(Self::CustomIdentifier),
            api::JoinBy::InstanceID => Ok(Self::InstanceId),
            api::JoinBy::Address => Ok(Self::Address),
            api::JoinBy::CustomVariable => {
                let name = rule.variable.as_deref().unwrap_or("_INSTANCE_ID");
                Ok(Self::CustomVariable(name.trim_start_matches('_').to_uppercase().into()))
            }
            api::JoinBy::Name => {
                let regex =
                    pattern(rule.pattern.as_deref().unwrap_or_default(), &format!("{field}.pattern"))?;
                if regex.capture_names().flatten().any(|group| group == "name") {
                    Ok(Self::Name(regex))
                } else {
                    Err(Fault::new(
                        "BadPattern",
                        format!(
                            "{field}.pattern: expected a group called name, for example ^(?<name>[a-z0-9-]+)$, found {:?}",
                            rule.pattern
                        ),
                    ))
                }
            }
        }
    }
}

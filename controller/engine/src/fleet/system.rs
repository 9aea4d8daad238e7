//! `MonitoringSystem`, parsed: how to reach it and how what it calls a host joins to a host.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use regex::Regex;
use rollcall_crds::v1alpha1 as api;

use super::desired::Kind;
use super::problem::{Fault, Problems};
use super::selector::pattern;
use crate::ids::ObjectKey;
use crate::registry::Product;

/// One monitoring system.
#[derive(Clone, Debug)]
pub struct System {
    /// The object.
    pub key: ObjectKey,
    /// How to reach it.
    pub endpoint: Endpoint,
    /// Without any metric for longer than this, a registered host is silent.
    pub silence: SignedDuration,
    /// Rules in order; `Err`: they cannot be understood, so nothing can be joined.
    pub(crate) join: Result<Vec<JoinRule>, String>,
}

/// How to reach a monitoring system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A Mackerel organisation; its key is a Secret in the namespace of the object.
    Mackerel(api::MackerelSystem),
}

impl Endpoint {
    /// Which product it is.
    #[must_use]
    pub fn product(&self) -> Product {
        match self {
            Self::Mackerel(_) => Product::Mackerel,
        }
    }

    /// The organisation whose registrations are meant, if the object names it.
    #[must_use]
    pub fn organization(&self) -> Option<&str> {
        match self {
            Self::Mackerel(mackerel) => mackerel.organization.as_deref(),
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
}

/// Parses all systems. One without a known product is left out; its name stays known.
pub(crate) fn parse(specs: &[api::MonitoringSystem], problems: &mut Problems) -> BTreeMap<ObjectKey, System> {
    let mut systems = BTreeMap::new();
    for spec in specs {
        let key = super::key_of(spec.metadata.namespace.as_ref(), spec.metadata.name.as_ref());
        let Some(mackerel) = &spec.spec.mackerel else {
            let fault = Fault::new(
                "NoEndpoint",
                "spec: expected the block mackerel, found none; say how to reach the system",
            );
            problems.add(Kind::MonitoringSystem, &key, fault);
            continue;
        };
        let join = parse_join(spec.spec.join.as_deref()).map_err(|faults| {
            let first = faults.first().map(|fault| fault.message().to_owned()).unwrap_or_default();
            for fault in faults {
                problems.add(Kind::MonitoringSystem, &key, fault);
            }
            first
        });
        let silence = SignedDuration::from_mins(i64::from(spec.spec.silent_minutes.max(1)));
        systems.insert(
            key.clone(),
            System { key, endpoint: Endpoint::Mackerel(mackerel.clone()), silence, join },
        );
    }
    systems
}

fn parse_join(rules: Option<&[api::JoinRule]>) -> Result<Vec<JoinRule>, Vec<Fault>> {
    let Some(rules) = rules else { return Ok(vec![JoinRule::CustomIdentifier, JoinRule::InstanceId]) };
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

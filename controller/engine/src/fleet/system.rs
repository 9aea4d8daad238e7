//! `MonitoringSystem`, parsed: how to reach it and how what it calls a host joins to a host.

use jiff::SignedDuration;
use rollcall_crds::v1alpha1 as api;

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
}

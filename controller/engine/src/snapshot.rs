//! All readings of one pass. In memory only; a file of them, with memory and desired state, is a recording.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::activity::Activity;
use crate::ids::{ObjectKey, Place};
use crate::inventory::Inventory;
use crate::registry::Registry;

/// Everything the sources said, shared by reference: a pass copies nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// One inventory per account and region.
    #[serde(default)]
    pub inventories: BTreeMap<Place, Arc<Inventory>>,
    /// One registry per `MonitoringSystem` object; objects that reach the same system share one.
    #[serde(default)]
    pub registries: BTreeMap<ObjectKey, Arc<Registry>>,
    /// What hosts did, per account and region in which somebody looks for unused ones.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub activities: BTreeMap<Place, Arc<Activity>>,
}

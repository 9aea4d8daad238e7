//! The databases of a region: instances, clusters, snapshots, and their groups of parameters, options and subnets.
//!
//! Instances and clusters are kept under the ids that never change, and name each other by them: the names that
//! people give may change at any time. Nothing here asks whether somebody may do what is done.

mod birth;
mod cluster;
mod cluster_life;
mod engine;
mod groups;
mod instance;
mod launch;
mod life;
mod parameters;
mod snapshot;
mod status;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use self::{
    cluster::{DbCluster, Member},
    cluster_life::FAILING_OVER,
    engine::service,
    groups::{OptionGroup, SubnetGroup},
    instance::{DbChange, DbInstance, DbSettings},
    launch::{ClusterLaunch, DbLaunch},
    life::{
        AUTOMATIC_RESTART, CREATING, DELETING, MODIFYING, REBOOTING, RENAMING, STARTING, STOPPING, UPGRADING,
    },
    parameters::{APPLYING, ApplyMethod, Parameter, ParameterGroup, Scope, Source},
    snapshot::{SNAPSHOTTING, Snapshot},
    status::{ApplyStatus, DbStatus, OptionStatus},
};
use super::mint::scatter;
use crate::aws::{error::AwsError, history::History};

/// All databases of one region of one account.
#[derive(Debug)]
pub struct Databases {
    /// The part of every endpoint's name that is the same in the whole region of the account.
    pub domain: String,
    /// Instances by `DbiResourceId`.
    pub instances: BTreeMap<String, History<DbInstance>>,
    /// Clusters by `DbClusterResourceId`.
    pub clusters: BTreeMap<String, History<DbCluster>>,
    /// Parameter groups of instances and of clusters, by name.
    pub parameter_groups: BTreeMap<(Scope, String), History<ParameterGroup>>,
    /// Option groups by name.
    pub option_groups: BTreeMap<String, History<OptionGroup>>,
    /// Subnet groups by name.
    pub subnet_groups: BTreeMap<String, History<SubnetGroup>>,
    /// Snapshots by name.
    pub snapshots: BTreeMap<String, History<Snapshot>>,
}

impl Databases {
    /// None yet, in this region of this account.
    #[must_use]
    pub fn new(account: &str, region: &str) -> Self {
        let fold = |sum: u64, byte: u8| scatter(sum ^ u64::from(byte));
        let spread = account.bytes().chain(region.bytes()).fold(0, fold);
        Self {
            domain: format!("c{:011x}", spread & 0xfff_ffff_ffff),
            instances: BTreeMap::new(),
            clusters: BTreeMap::new(),
            parameter_groups: BTreeMap::new(),
            option_groups: BTreeMap::new(),
            subnet_groups: BTreeMap::new(),
            snapshots: BTreeMap::new(),
        }
    }

    /// All instances at this time.
    pub fn instances_at(&self, at: Timestamp) -> impl Iterator<Item = &DbInstance> {
        self.instances.values().filter_map(move |h| h.at(at))
    }

    /// All clusters at this time.
    pub fn clusters_at(&self, at: Timestamp) -> impl Iterator<Item = &DbCluster> {
        self.clusters.values().filter_map(move |h| h.at(at))
    }

    /// The instance of this name at this time; names do not care for case.
    ///
    /// # Errors
    /// `DBInstanceNotFound`.
    pub fn instance(&self, name: &str, at: Timestamp) -> Result<&DbInstance, AwsError> {
        let found = self.instances_at(at).find(|i| i.name.eq_ignore_ascii_case(name));
        found
            .ok_or_else(|| AwsError::not_found("DBInstanceNotFound", format!("DBInstance {name} not found.")))
    }

    /// The cluster of this name at this time; names do not care for case.
    ///
    /// # Errors
    /// `DBClusterNotFoundFault`.
    pub fn cluster(&self, name: &str, at: Timestamp) -> Result<&DbCluster, AwsError> {
        let found = self.clusters_at(at).find(|c| c.name.eq_ignore_ascii_case(name));
        let unknown =
            || AwsError::not_found("DBClusterNotFoundFault", format!("DBCluster {name} not found."));
        found.ok_or_else(unknown)
    }

    /// The name at this time of the instance with this `DbiResourceId`.
    #[must_use]
    pub fn instance_name(&self, resource_id: &str, at: Timestamp) -> Option<&str> {
        self.instances.get(resource_id)?.at(at).map(|i| i.name.as_str())
    }

    /// The name at this time of the cluster with this `DbClusterResourceId`.
    #[must_use]
    pub fn cluster_name(&self, resource_id: &str, at: Timestamp) -> Option<&str> {
        self.clusters.get(resource_id)?.at(at).map(|c| c.name.as_str())
    }

    /// Names of the read replicas of the instance with this `DbiResourceId`.
    pub fn replicas_of<'a>(&'a self, resource_id: &'a str, at: Timestamp) -> impl Iterator<Item = &'a str> {
        let replicates = move |i: &&DbInstance| i.replica_of.as_deref() == Some(resource_id);
        self.instances_at(at).filter(replicates).map(|i| i.name.as_str())
    }

    /// Changes an instance from now on and for what is planned.
    ///
    /// # Errors
    /// `DBInstanceNotFound`.
    pub fn change_instance(
        &mut self,
        name: &str,
        at: Timestamp,
        change: impl Fn(&mut DbInstance),
    ) -> Result<(), AwsError> {
        let id = self.instance(name, at)?.resource_id.clone();
        if let Some(history) = self.instances.get_mut(&id) {
            history.change(at, change);
        }
        Ok(())
    }

    /// Changes a cluster from now on and for what is planned.
    ///
    /// # Errors
    /// `DBClusterNotFoundFault`.
    pub fn change_cluster(
        &mut self,
        name: &str,
        at: Timestamp,
        change: impl Fn(&mut DbCluster),
    ) -> Result<(), AwsError> {
        let id = self.cluster(name, at)?.resource_id.clone();
        if let Some(history) = self.clusters.get_mut(&id) {
            history.change(at, change);
        }
        Ok(())
    }

    /// Forgets what ceased to be before `then`.
    pub fn forget_before(&mut self, then: Timestamp) {
        self.instances.retain(|_, history| !history.gone_before(then));
        self.clusters.retain(|_, history| !history.gone_before(then));
        self.snapshots.retain(|_, history| !history.gone_before(then));
    }
}

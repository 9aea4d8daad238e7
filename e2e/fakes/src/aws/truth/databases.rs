//! The same for databases: they are named by their present `DBInstanceIdentifier` or `DBClusterIdentifier`.

use super::RegionTruth;
use crate::aws::{
    error::AwsError,
    ground::db::{
        ApplyMethod, ClusterLaunch, DbChange, DbCluster, DbInstance, DbLaunch, DbStatus, OptionGroup,
        ParameterGroup, Scope, Snapshot, SubnetGroup,
    },
};

impl RegionTruth {
    /// Makes a database instance; answers its `DbiResourceId`.
    ///
    /// # Errors
    /// For a name that is taken, and for a group, cluster, source, zone or engine that is not there.
    pub fn launch_db(&self, launch: &DbLaunch) -> Result<String, AwsError> {
        self.change(|region, mint, now| {
            region.forget_old(now);
            region.launch_db(mint, launch, now)
        })
    }

    /// Makes a cluster with its members, the writer first; answers its `DbClusterResourceId`.
    ///
    /// # Errors
    /// As [`RegionTruth::launch_db`].
    pub fn launch_cluster(&self, launch: &ClusterLaunch) -> Result<String, AwsError> {
        self.change(|region, mint, now| {
            region.forget_old(now);
            region.launch_cluster(mint, launch, now)
        })
    }

    /// Makes a parameter group for instances or for clusters, with nothing set.
    ///
    /// # Errors
    /// For a name that is taken.
    pub fn create_parameter_group(&self, scope: Scope, name: &str, family: &str) -> Result<(), AwsError> {
        let group = ParameterGroup::new(name, family, name);
        self.change(|region, _, now| region.dbs.create_parameter_group(scope, group, now))
    }

    /// Sets a parameter of a group: who is in it applies it, or waits for a restart.
    ///
    /// # Errors
    /// For an unknown group, and for a parameter that needs a restart and is to be in force at once.
    pub fn set_parameter(
        &self,
        scope: Scope,
        group: &str,
        parameter: (&str, &str),
        method: ApplyMethod,
    ) -> Result<(), AwsError> {
        self.change(|region, _, now| region.dbs.set_parameter(scope, group, parameter, method, now))
    }

    /// Makes an option group.
    ///
    /// # Errors
    /// For a name that is taken.
    pub fn create_option_group(&self, group: OptionGroup) -> Result<(), AwsError> {
        self.change(|region, _, now| region.dbs.create_option_group(group, now))
    }

    /// Makes a subnet group.
    ///
    /// # Errors
    /// For a name that is taken.
    pub fn create_subnet_group(&self, group: SubnetGroup) -> Result<(), AwsError> {
        self.change(|region, _, now| region.dbs.create_subnet_group(group, now))
    }

    /// Takes a snapshot of an instance, by hand or, when `automated`, as AWS does every day.
    ///
    /// # Errors
    /// For an unknown instance, or a name that is taken.
    pub fn snapshot_db(&self, instance: &str, snapshot: &str, automated: bool) -> Result<(), AwsError> {
        self.change(|region, _, now| region.dbs.snapshot(instance, snapshot, automated, now))
    }

    /// Changes class, storage, version, standby or name, now or in the maintenance window.
    ///
    /// # Errors
    /// For an unknown instance, as all below; for a new name that is taken.
    pub fn modify_db(&self, instance: &str, change: DbChange, now: bool) -> Result<(), AwsError> {
        self.change(|region, _, at| region.dbs.modify(instance, change, now, at))
    }

    /// Renames an instance, now: everything but its `DbiResourceId` is new after a minute.
    ///
    /// # Errors
    /// As [`RegionTruth::modify_db`].
    pub fn rename_db(&self, instance: &str, new: &str) -> Result<(), AwsError> {
        self.modify_db(instance, DbChange { name: Some(new.to_owned()), ..DbChange::default() }, true)
    }

    /// Lets the maintenance window of an instance come.
    ///
    /// # Errors
    /// For an unknown instance.
    pub fn maintain_db(&self, instance: &str) -> Result<(), AwsError> {
        self.change(|region, _, now| region.dbs.maintain(instance, now))
    }

    /// Restarts an instance; with `failover` its standby takes over.
    ///
    /// # Errors
    /// For an unknown instance.
    pub fn reboot_db(&self, instance: &str, failover: bool) -> Result<(), AwsError> {
        self.change(|region, _, now| region.dbs.reboot(instance, failover, now))
    }

    /// Stops an instance until somebody, or AWS after seven days, starts it.
    ///
    /// # Errors
    /// For an unknown instance.
    pub fn stop_db(&self, instance: &str) -> Result<(), AwsError> {
        self.change(|region, _, now| region.dbs.stop(instance, now))
    }

    /// Starts a stopped instance.
    ///
    /// # Errors
    /// For an unknown instance.
    pub fn start_db(&self, instance: &str) -> Result<(), AwsError> {
        self.change(|region, _, now| region.dbs.start(instance, now))
    }

    /// Deletes an instance, protected or not.
    ///
    /// # Errors
    /// For an unknown instance.
    pub fn delete_db(&self, instance: &str) -> Result<(), AwsError> {
        self.change(|region, _, now| region.dbs.delete(instance, now))
    }

    /// Lets something befall an instance, for good: failed, storage-full…
    ///
    /// # Errors
    /// For an unknown instance.
    pub fn befall_db(&self, instance: &str, status: DbStatus) -> Result<(), AwsError> {
        self.change(|region, _, now| region.dbs.befall(instance, status, now))
    }

    /// Changes anything of an instance, from now on and for what is planned.
    ///
    /// # Errors
    /// For an unknown instance.
    pub fn change_db(&self, instance: &str, change: impl Fn(&mut DbInstance)) -> Result<(), AwsError> {
        self.change(|region, _, now| region.dbs.change_instance(instance, now, change))
    }

    /// Changes anything of a cluster, from now on and for what is planned.
    ///
    /// # Errors
    /// For an unknown cluster, as all below.
    pub fn change_cluster(&self, cluster: &str, change: impl Fn(&mut DbCluster)) -> Result<(), AwsError> {
        self.change(|region, _, now| region.dbs.change_cluster(cluster, now, change))
    }

    /// Moves the writer of a cluster, to this member or to the next in line, within half a minute.
    ///
    /// # Errors
    /// For an unknown cluster, or a target that is no member.
    pub fn fail_over(&self, cluster: &str, target: Option<&str>) -> Result<(), AwsError> {
        self.change(|region, _, now| region.dbs.failover(cluster, target, now))
    }

    /// Stops a cluster and its members.
    ///
    /// # Errors
    /// For an unknown cluster.
    pub fn stop_cluster(&self, cluster: &str) -> Result<(), AwsError> {
        self.change(|region, _, now| region.dbs.stop_cluster(cluster, now))
    }

    /// Starts a stopped cluster and its members.
    ///
    /// # Errors
    /// For an unknown cluster.
    pub fn start_cluster(&self, cluster: &str) -> Result<(), AwsError> {
        self.change(|region, _, now| region.dbs.start_cluster(cluster, now))
    }

    /// Deletes a cluster and its members, protected or not.
    ///
    /// # Errors
    /// For an unknown cluster.
    pub fn delete_cluster(&self, cluster: &str) -> Result<(), AwsError> {
        self.change(|region, _, now| region.dbs.delete_cluster(cluster, now))
    }

    /// The instance as it is.
    #[must_use]
    pub fn db(&self, instance: &str) -> Option<DbInstance> {
        self.read(|region, now| region.dbs.instance(instance, now).ok().cloned())
    }

    /// All instances, of whatever engine, in order of their `DbiResourceId`.
    #[must_use]
    pub fn dbs(&self) -> Vec<DbInstance> {
        self.read(|region, now| region.dbs.instances_at(now).cloned().collect())
    }

    /// The cluster as it is.
    #[must_use]
    pub fn cluster(&self, cluster: &str) -> Option<DbCluster> {
        self.read(|region, now| region.dbs.cluster(cluster, now).ok().cloned())
    }

    /// All clusters, in order of their `DbClusterResourceId`.
    #[must_use]
    pub fn clusters(&self) -> Vec<DbCluster> {
        self.read(|region, now| region.dbs.clusters_at(now).cloned().collect())
    }

    /// The name of the member of a cluster that takes writes now.
    #[must_use]
    pub fn writer(&self, cluster: &str) -> Option<String> {
        self.read(|region, now| {
            let writer = region.dbs.cluster(cluster, now).ok()?.writer()?;
            region.dbs.instance_name(writer, now).map(str::to_owned)
        })
    }

    /// All snapshots, in order of their names.
    #[must_use]
    pub fn snapshots(&self) -> Vec<Snapshot> {
        self.read(|region, now| region.dbs.snapshots.values().filter_map(|h| h.at(now)).cloned().collect())
    }
}

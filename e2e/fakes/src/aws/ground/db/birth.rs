//! How databases come into the world, each with the groups that it needs and a course from creating to available.

use jiff::Timestamp;

use super::{
    ApplyStatus, CREATING, ClusterLaunch, DbChange, DbCluster, DbInstance, DbLaunch, DbStatus, Member,
    OptionGroup, OptionStatus, ParameterGroup, Scope, SubnetGroup, engine::Engine,
};
use crate::{
    aws::{
        error::AwsError,
        ground::{Mint, Region},
        history::History,
    },
    clock::later,
};

/// The subnet group of who names none: all subnets of the region.
const DEFAULT_SUBNETS: &str = "default";

impl Region {
    /// Makes a database instance; answers its `DbiResourceId`.
    ///
    /// # Errors
    /// AWS's `…NotFound` for groups, a cluster or a source that are not there; `DBInstanceAlreadyExists`;
    /// `InvalidParameterValue` for an unknown zone or engine.
    pub fn launch_db(
        &mut self,
        mint: &mut Mint,
        launch: &DbLaunch,
        now: Timestamp,
    ) -> Result<String, AwsError> {
        let at = launch.created_at.unwrap_or(now);
        self.dbs.must_be_free(&launch.name, now)?;
        let instance = self.draft_db(mint, launch, at, now)?;
        let (id, cluster) = (instance.resource_id.clone(), instance.cluster.clone());
        let available = DbInstance { status: DbStatus::Available, ..instance.clone() };
        let mut history = History::born(at, instance);
        history.plan(later(at, CREATING), Some(available));
        self.dbs.instances.insert(id.clone(), history);
        if let Some(history) = cluster.and_then(|cluster| self.dbs.clusters.get_mut(&cluster)) {
            history.change(at, |c| {
                let parameters = ApplyStatus::InSync;
                c.members.push(Member { instance: id.clone(), writer: c.members.is_empty(), parameters });
            });
        }
        Ok(id)
    }

    /// Makes a cluster and its members; answers its `DbClusterResourceId`.
    ///
    /// # Errors
    /// As [`Region::launch_db`]; `DBClusterAlreadyExistsFault`.
    pub fn launch_cluster(
        &mut self,
        mint: &mut Mint,
        launch: &ClusterLaunch,
        now: Timestamp,
    ) -> Result<String, AwsError> {
        let at = launch.created_at.unwrap_or(now);
        if self.dbs.cluster(&launch.name, now).is_ok() {
            return Err(AwsError::bad_request("DBClusterAlreadyExistsFault", "DB Cluster already exists"));
        }
        let cluster = self.draft_cluster(mint, launch, at, now)?;
        let (id, zones) = (cluster.resource_id.clone(), cluster.zones.clone());
        let available = DbCluster { status: DbStatus::Available, ..cluster.clone() };
        let mut history = History::born(at, cluster);
        history.plan(later(at, CREATING), Some(available));
        self.dbs.clusters.insert(id.clone(), history);
        for (name, zone) in launch.members.iter().zip(zones.into_iter().cycle()) {
            let mut member = DbLaunch::of(name, &launch.engine);
            (member.cluster, member.zone) = (Some(launch.name.clone()), Some(zone));
            member.created_at = launch.created_at;
            member.settings.tags.clone_from(&launch.tags);
            self.launch_db(mint, &member, now)?;
        }
        Ok(id)
    }

    fn draft_db(
        &mut self,
        mint: &mut Mint,
        launch: &DbLaunch,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<DbInstance, AwsError> {
        let engine = Engine::named(&launch.engine)?;
        let (zone, _) = self.zone(launch.zone.as_deref())?;
        let cluster = launch.cluster.as_ref().map(|c| self.dbs.cluster(c, now)).transpose()?.cloned();
        let source = launch.replica_of.as_ref().map(|s| self.dbs.instance(s, now)).transpose()?;
        let source = source.map(|s| s.resource_id.clone());
        let own_version = launch.engine_version.as_deref().unwrap_or(engine.version);
        let version = cluster.as_ref().map_or(own_version, |c| &c.engine_version).to_owned();
        let mut settings = launch.settings.clone();
        let mut subnet_group = launch.subnet_group.clone();
        if let Some(cluster) = &cluster {
            (settings.storage, settings.storage_type) = (1, "aurora".to_owned());
            settings.encrypted = cluster.encrypted;
            settings.groups.clone_from(&cluster.groups);
            subnet_group = Some(cluster.subnet_group.clone());
        }
        let family = engine.family(&version);
        let secondary =
            self.subnets.keys().find(|other| **other != zone).filter(|_| settings.multi_az).cloned();
        settings.groups = self.groups_or_default(&settings.groups);
        let option_group = match (&launch.option_group, &cluster) {
            (_, Some(_)) => None,
            (given, None) => Some(self.option_group_of(given.as_deref(), engine, &version, (at, now))?),
        };
        Ok(DbInstance {
            resource_id: mint.resource_id("db"),
            name: launch.name.to_ascii_lowercase(),
            engine: launch.engine.clone(),
            engine_version: version,
            status: DbStatus::Creating,
            created: at,
            zone,
            secondary_zone: secondary,
            port: launch.port.unwrap_or(engine.port),
            parameter_group: self.parameter_group_of(
                Scope::Instance,
                launch.parameter_group.as_deref(),
                &family,
                (at, now),
            )?,
            parameters: ApplyStatus::InSync,
            option_group,
            options: OptionStatus::InSync,
            subnet_group: self.subnet_group_of(subnet_group.as_deref(), (at, now))?,
            cluster: cluster.map(|c| c.resource_id),
            replica_of: source,
            pending: DbChange::default(),
            restarts: None,
            settings,
        })
    }

    fn draft_cluster(
        &mut self,
        mint: &mut Mint,
        launch: &ClusterLaunch,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<DbCluster, AwsError> {
        let engine = Engine::named(&launch.engine)?;
        let version = launch.engine_version.as_deref().unwrap_or(engine.version).to_owned();
        let family = engine.family(&version);
        let given = launch.parameter_group.as_deref();
        let parameter_group = self.parameter_group_of(Scope::Cluster, given, &family, (at, now))?;
        let subnet_group = self.subnet_group_of(launch.subnet_group.as_deref(), (at, now))?;
        let subnets = &self.dbs.subnet_group(&subnet_group, now)?.subnets;
        Ok(DbCluster {
            resource_id: mint.resource_id("cluster"),
            name: launch.name.to_ascii_lowercase(),
            engine: launch.engine.clone(),
            engine_version: version,
            status: DbStatus::Creating,
            created: at,
            port: engine.port,
            parameter_group,
            zones: subnets.iter().map(|(zone, _)| zone.clone()).collect(),
            subnet_group,
            groups: self.groups_or_default(&launch.groups),
            members: vec![],
            encrypted: launch.encrypted,
            protected: launch.protected,
            iam: launch.iam,
            backup_days: 7,
            restarts: None,
            tags: launch.tags.clone(),
        })
    }

    fn groups_or_default(&self, given: &[String]) -> Vec<String> {
        if given.is_empty() { vec![self.group.id.clone()] } else { given.to_vec() }
    }

    /// The group given, which must be there, or the family's default one, which is made when it is first used,
    /// as old as who uses it.
    fn parameter_group_of(
        &mut self,
        scope: Scope,
        given: Option<&str>,
        family: &str,
        (at, now): (Timestamp, Timestamp),
    ) -> Result<String, AwsError> {
        let default = format!("default.{family}");
        if let Some(given) = given.filter(|given| *given != default) {
            return self.dbs.parameter_group(scope, given, now).map(|g| g.name.clone());
        }
        if self.dbs.parameter_group(scope, &default, now).is_err() {
            let description = format!("Default parameter group for {family}");
            let group = ParameterGroup::new(&default, family, &description);
            self.dbs.create_parameter_group(scope, group, at)?;
        }
        Ok(default)
    }

    fn option_group_of(
        &mut self,
        given: Option<&str>,
        engine: Engine,
        version: &str,
        (at, now): (Timestamp, Timestamp),
    ) -> Result<String, AwsError> {
        let default = engine.default_option_group(version);
        if let Some(given) = given.filter(|given| *given != default) {
            return self.dbs.option_group(given, now).map(|g| g.name.clone());
        }
        if self.dbs.option_group(&default, now).is_err() {
            let group = OptionGroup {
                name: default.clone(),
                description: format!("Default option group for {}", engine.name),
                engine: engine.name.to_owned(),
                major_version: engine.major_version(version),
                options: vec![],
            };
            self.dbs.create_option_group(group, at)?;
        }
        Ok(default)
    }

    fn subnet_group_of(
        &mut self,
        given: Option<&str>,
        (at, now): (Timestamp, Timestamp),
    ) -> Result<String, AwsError> {
        let name = given.unwrap_or(DEFAULT_SUBNETS);
        if name == DEFAULT_SUBNETS && self.dbs.subnet_group(name, now).is_err() {
            let group = SubnetGroup {
                name: DEFAULT_SUBNETS.to_owned(),
                description: "All subnets of the region".to_owned(),
                vpc: self.vpc.clone(),
                subnets: self.subnets.iter().map(|(zone, id)| (zone.clone(), id.clone())).collect(),
            };
            self.dbs.create_subnet_group(group, at)?;
        }
        self.dbs.subnet_group(name, now).map(|g| g.name.clone())
    }
}

//! Making databases and their groups, as far as the conformance suite needs it.

use super::{change, render};
use crate::aws::{
    error::AwsError,
    front::Asked,
    ground::db::{ClusterLaunch, DbLaunch, DbSettings, OptionGroup, ParameterGroup, Scope, SubnetGroup},
    request::Params,
    xml::Xml,
};

pub fn instance(asked: &Asked<'_>) -> Result<String, AwsError> {
    let params = asked.params;
    let text = |name: &str| params.get(name).map(str::to_owned);
    params.need("DBInstanceClass")?;
    let launch = DbLaunch {
        name: params.need("DBInstanceIdentifier")?.to_owned(),
        engine: params.need("Engine")?.to_owned(),
        engine_version: text("EngineVersion"),
        zone: text("AvailabilityZone"),
        port: number(params, "Port")?,
        parameter_group: text("DBParameterGroupName"),
        option_group: text("OptionGroupName"),
        subnet_group: text("DBSubnetGroupName"),
        cluster: text("DBClusterIdentifier"),
        settings: settings(params, DbSettings { encrypted: false, ..DbSettings::default() })?,
        ..DbLaunch::default()
    };
    launched(asked, &launch)
}

/// A replica is as its source, where the request does not say otherwise.
pub fn replica(asked: &Asked<'_>) -> Result<String, AwsError> {
    let params = asked.params;
    let source = params.need("SourceDBInstanceIdentifier")?;
    let of = super::look(asked, |region| region.dbs.instance(source, asked.now).cloned())?;
    let inherited = DbSettings { protected: false, multi_az: false, tags: [].into(), ..of.settings };
    let launch = DbLaunch {
        name: params.need("DBInstanceIdentifier")?.to_owned(),
        engine: of.engine,
        engine_version: Some(of.engine_version),
        parameter_group: Some(of.parameter_group),
        option_group: of.option_group,
        replica_of: Some(source.to_owned()),
        settings: settings(params, inherited)?,
        ..DbLaunch::default()
    };
    launched(asked, &launch)
}

fn launched(asked: &Asked<'_>, launch: &DbLaunch) -> Result<String, AwsError> {
    change(asked, |region, mint| {
        let id = region.launch_db(mint, launch, asked.now)?;
        let mut xml = Xml::default();
        if let Some(made) = region.dbs.instances.get(&id).and_then(|h| h.at(asked.now)) {
            xml.nest("DBInstance", |xml| render::instance(xml, region, made, asked.now));
        }
        Ok(xml.finish())
    })
}

fn settings(params: &Params, default: DbSettings) -> Result<DbSettings, AwsError> {
    let text = |name: &str, default: String| params.get(name).map_or(default, str::to_owned);
    let flag =
        |name: &str, default: bool| if params.get(name).is_some() { params.flag(name) } else { default };
    let groups = params.list("VpcSecurityGroupIds.VpcSecurityGroupId");
    Ok(DbSettings {
        class: text("DBInstanceClass", default.class),
        storage: number(params, "AllocatedStorage")?.unwrap_or(default.storage),
        storage_type: text("StorageType", default.storage_type),
        encrypted: flag("StorageEncrypted", default.encrypted),
        multi_az: flag("MultiAZ", default.multi_az),
        username: text("MasterUsername", default.username),
        protected: flag("DeletionProtection", default.protected),
        public: flag("PubliclyAccessible", default.public),
        iam: flag("EnableIAMDatabaseAuthentication", default.iam),
        auto_minor_upgrade: flag("AutoMinorVersionUpgrade", default.auto_minor_upgrade),
        backup_days: number(params, "BackupRetentionPeriod")?.unwrap_or(default.backup_days),
        monitoring_interval: number(params, "MonitoringInterval")?.unwrap_or(default.monitoring_interval),
        ca: text("CACertificateIdentifier", default.ca),
        maintenance_window: text("PreferredMaintenanceWindow", default.maintenance_window),
        backup_window: text("PreferredBackupWindow", default.backup_window),
        groups: if groups.is_empty() { default.groups } else { groups },
        promotion_tier: number(params, "PromotionTier")?.unwrap_or(default.promotion_tier),
        tags: if params.get("Tags.Tag.1.Key").is_some() { tags(params)? } else { default.tags },
    })
}

pub fn cluster(asked: &Asked<'_>) -> Result<String, AwsError> {
    let params = asked.params;
    let text = |name: &str| params.get(name).map(str::to_owned);
    let launch = ClusterLaunch {
        name: params.need("DBClusterIdentifier")?.to_owned(),
        engine: params.need("Engine")?.to_owned(),
        engine_version: text("EngineVersion"),
        parameter_group: text("DBClusterParameterGroupName"),
        subnet_group: text("DBSubnetGroupName"),
        groups: params.list("VpcSecurityGroupIds.VpcSecurityGroupId"),
        encrypted: params.flag("StorageEncrypted"),
        protected: params.flag("DeletionProtection"),
        iam: params.flag("EnableIAMDatabaseAuthentication"),
        tags: tags(params)?,
        ..ClusterLaunch::default()
    };
    change(asked, |region, mint| {
        let id = region.launch_cluster(mint, &launch, asked.now)?;
        let mut xml = Xml::default();
        if let Some(made) = region.dbs.clusters.get(&id).and_then(|h| h.at(asked.now)) {
            xml.nest("DBCluster", |xml| render::cluster(xml, region, made, asked.now));
        }
        Ok(xml.finish())
    })
}

pub fn parameter_group(asked: &Asked<'_>, scope: Scope) -> Result<String, AwsError> {
    let (params, (_, member)) = (asked.params, render::group_names(scope));
    let name = params.need(&format!("{member}Name"))?;
    let family = params.need("DBParameterGroupFamily")?;
    let group = ParameterGroup::new(name, family, params.need("Description")?);
    change(asked, |region, _| {
        region.dbs.create_parameter_group(scope, group.clone(), asked.now)?;
        let mut xml = Xml::default();
        xml.nest(member, |xml| render::parameter_group(xml, region, scope, &group));
        Ok(xml.finish())
    })
}

pub fn option_group(asked: &Asked<'_>) -> Result<String, AwsError> {
    let params = asked.params;
    let group = OptionGroup {
        name: params.need("OptionGroupName")?.to_owned(),
        description: params.need("OptionGroupDescription")?.to_owned(),
        engine: params.need("EngineName")?.to_owned(),
        major_version: params.need("MajorEngineVersion")?.to_owned(),
        options: vec![],
    };
    change(asked, |region, _| {
        region.dbs.create_option_group(group.clone(), asked.now)?;
        let mut xml = Xml::default();
        xml.nest("OptionGroup", |xml| render::option_group(xml, region, &group));
        Ok(xml.finish())
    })
}

pub fn subnet_group(asked: &Asked<'_>) -> Result<String, AwsError> {
    let params = asked.params;
    let name = params.need("DBSubnetGroupName")?.to_ascii_lowercase();
    let description = params.need("DBSubnetGroupDescription")?.to_owned();
    let wanted = params.list("SubnetIds.SubnetIdentifier");
    change(asked, |region, _| {
        let zone_of = |id: &String| {
            let found = region.subnets.iter().find(|(_, subnet)| *subnet == id);
            let unknown =
                || AwsError::bad_request("InvalidSubnet", format!("The subnet ID '{id}' does not exist"));
            found.map(|(zone, id)| (zone.clone(), id.clone())).ok_or_else(unknown)
        };
        let subnets = wanted.iter().map(zone_of).collect::<Result<_, _>>()?;
        let group = SubnetGroup { name, description, vpc: region.vpc.clone(), subnets };
        region.dbs.create_subnet_group(group.clone(), asked.now)?;
        let mut xml = Xml::default();
        xml.nest("DBSubnetGroup", |xml| render::subnet_group(xml, region, &group));
        Ok(xml.finish())
    })
}

pub fn snapshot(asked: &Asked<'_>) -> Result<String, AwsError> {
    let (params, now) = (asked.params, asked.now);
    let (name, of) = (params.need("DBSnapshotIdentifier")?, params.need("DBInstanceIdentifier")?);
    change(asked, |region, _| {
        region.dbs.snapshot(of, name, false, now)?;
        let mut xml = Xml::default();
        if let Some(made) = region.dbs.snapshots.get(name).and_then(|h| h.at(now)) {
            xml.nest("DBSnapshot", |xml| render::snapshot(xml, region, made));
        }
        Ok(xml.finish())
    })
}

fn tags(params: &Params) -> Result<std::collections::BTreeMap<String, String>, AwsError> {
    let tag = |p: &Params| Ok((p.need("Key")?.to_owned(), p.get("Value").unwrap_or_default().to_owned()));
    params.structures("Tags.Tag").iter().map(tag).collect()
}

/// A whole number that must fit.
pub fn number<T: TryFrom<i64>>(params: &Params, name: &str) -> Result<Option<T>, AwsError> {
    let fit = |n| T::try_from(n).map_err(|_| AwsError::value(format!("Invalid value {n} for {name}")));
    params.number(name)?.map(fit).transpose()
}

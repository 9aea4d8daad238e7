//! `ModifyDBInstance`, as far as it goes here, and settings of parameter groups.

use super::{change, create::number, render};
use crate::aws::{
    error::AwsError,
    front::Asked,
    ground::db::{ApplyMethod, ApplyStatus, DbChange, DbStatus, Scope},
    xml::Xml,
};

/// The most parameters of one request (`ModifyDBParameterGroup`).
const MAX_PARAMETERS: usize = 20;

pub fn instance(asked: &Asked<'_>) -> Result<String, AwsError> {
    let (params, now) = (asked.params, asked.now);
    let name = params.need("DBInstanceIdentifier")?;
    let text = |name: &str| params.get(name).map(str::to_owned);
    let wish = DbChange {
        name: text("NewDBInstanceIdentifier"),
        class: text("DBInstanceClass"),
        storage: number(params, "AllocatedStorage")?,
        engine_version: text("EngineVersion"),
        multi_az: params.get("MultiAZ").map(|_| params.flag("MultiAZ")),
    };
    let protected = params.get("DeletionProtection").map(|_| params.flag("DeletionProtection"));
    let group = params.get("DBParameterGroupName");
    change(asked, |region, _| {
        if region.dbs.instance(name, now)?.status != DbStatus::Available {
            let message = format!("Database instance {name} is not in available state.");
            return Err(AwsError::bad_request("InvalidDBInstanceState", message));
        }
        let group = group.map(|g| region.dbs.parameter_group(Scope::Instance, g, now)).transpose()?;
        let group = group.map(|g| g.name.clone());
        region.dbs.change_instance(name, now, |i| {
            i.settings.protected = protected.unwrap_or(i.settings.protected);
            if let Some(group) = group.as_ref().filter(|group| **group != i.parameter_group) {
                i.parameter_group.clone_from(group);
                i.parameters = ApplyStatus::PendingReboot;
            }
        })?;
        let id = region.dbs.instance(name, now)?.resource_id.clone();
        if !wish.is_empty() {
            region.dbs.modify(name, wish, params.flag("ApplyImmediately"), now)?;
        }
        let mut xml = Xml::default();
        if let Some(changed) = region.dbs.instances.get(&id).and_then(|h| h.at(now)) {
            xml.nest("DBInstance", |xml| render::instance(xml, region, changed, now));
        }
        Ok(xml.finish())
    })
}

pub fn parameters(asked: &Asked<'_>, scope: Scope) -> Result<String, AwsError> {
    let member = format!("{}Name", render::group_names(scope).1);
    let name = asked.params.need(&member)?;
    let wishes = asked.params.structures("Parameters.Parameter");
    if wishes.is_empty() || wishes.len() > MAX_PARAMETERS {
        return Err(AwsError::value(format!("Between 1 and {MAX_PARAMETERS} parameters can be set at once")));
    }
    change(asked, |region, _| {
        for wish in &wishes {
            let parameter = (wish.need("ParameterName")?, wish.need("ParameterValue")?);
            let method = match wish.need("ApplyMethod")? {
                "immediate" => ApplyMethod::Immediate,
                "pending-reboot" => ApplyMethod::PendingReboot,
                other => return Err(AwsError::value(format!("Invalid apply method: {other}"))),
            };
            region.dbs.set_parameter(scope, name, parameter, method, asked.now)?;
        }
        let mut xml = Xml::default();
        xml.text(&member, name);
        Ok(xml.finish())
    })
}

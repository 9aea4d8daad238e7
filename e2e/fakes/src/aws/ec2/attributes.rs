//! `DescribeInstanceAttribute` and `ModifyInstanceAttribute`: what `DescribeInstances` does not show.

use super::{change, instances, look};
use crate::aws::{
    error::AwsError,
    front::Asked,
    ground::{Group, Instance, State},
    xml::Xml,
};

pub fn describe(asked: &Asked<'_>) -> Result<String, AwsError> {
    let id = asked.params.need("InstanceId")?.to_owned();
    let attribute = asked.params.need("Attribute")?;
    instances::check_ids(std::slice::from_ref(&id))?;
    let as_of = asked.strike.as_of(asked.now);
    look(asked, |region| {
        let instance = region.instance(&id, as_of)?;
        let mut xml = Xml::default();
        xml.text("instanceId", &id);
        write(&mut xml, instance, attribute)?;
        Ok(xml.finish())
    })
}

fn write(xml: &mut Xml, i: &Instance, attribute: &str) -> Result<(), AwsError> {
    let value = match attribute {
        "disableApiTermination" => Some(i.termination_protected.to_string()),
        "disableApiStop" => Some(i.stop_protected.to_string()),
        "instanceType" => Some(i.instance_type.clone()),
        "instanceInitiatedShutdownBehavior" if i.shutdown_terminates => Some("terminate".to_owned()),
        "instanceInitiatedShutdownBehavior" => Some("stop".to_owned()),
        "userData" => i.user_data.clone(),
        other => {
            let message = format!("Value ({other}) for parameter attribute is invalid. Unknown attribute.");
            return Err(AwsError::value(message));
        }
    };
    xml.nest(attribute, |xml| {
        xml.maybe("value", value);
    });
    Ok(())
}

pub fn modify(asked: &Asked<'_>) -> Result<String, AwsError> {
    let params = asked.params;
    let id = params.need("InstanceId")?.to_owned();
    instances::check_ids(std::slice::from_ref(&id))?;
    let value = |name: &str| params.get(&format!("{name}.Value")).map(str::to_owned);
    let flag = |name: &str| value(name).map(|v| v.eq_ignore_ascii_case("true"));
    let (termination, stop) = (flag("DisableApiTermination"), flag("DisableApiStop"));
    let groups = params.list("GroupId");
    let (new_type, shutdown) = (value("InstanceType"), value("InstanceInitiatedShutdownBehavior"));
    change(asked, |region, _| {
        let state = region.instance(&id, asked.now)?.state;
        if new_type.is_some() && state != State::Stopped {
            let message = format!("The instance '{id}' is not in the 'stopped' state.");
            return Err(AwsError::bad_request("IncorrectInstanceState", message));
        }
        let groups: Vec<Group> = groups
            .iter()
            .map(|id| region.security_group(id, asked.now))
            .map(|group| group.map(|g| Group { id: g.id.clone(), name: g.name.clone() }))
            .collect::<Result<_, _>>()?;
        region.change_instance(&id, asked.now, |i| {
            if !groups.is_empty() {
                i.groups.clone_from(&groups);
            }
            i.termination_protected = termination.unwrap_or(i.termination_protected);
            i.stop_protected = stop.unwrap_or(i.stop_protected);
            i.shutdown_terminates = shutdown.as_ref().map_or(i.shutdown_terminates, |s| s == "terminate");
            i.instance_type = new_type.clone().unwrap_or_else(|| i.instance_type.clone());
        })
    })?;
    let mut xml = Xml::default();
    xml.flag("return", true);
    Ok(xml.finish())
}

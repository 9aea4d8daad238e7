//! `StartInstances`, `StopInstances`, `TerminateInstances`, with AWS's guards.
//!
//! One bad id and nothing is done. One protected host and a stop does nothing; a terminate still ends the
//! hosts of the zones that hold no protected one, and yet answers with an error (`TerminateInstances`, AWS's own example).

use std::collections::BTreeSet;

use super::{change, instances, look, render};
use crate::aws::{
    error::AwsError,
    front::Asked,
    ground::{Instance, Lifecycle, Mint, Region, RootDevice, State},
    xml::Xml,
};

pub fn start(asked: &Asked<'_>) -> Result<String, AwsError> {
    transition(asked, may_start, |region, mint, id| region.start(mint, id, asked.now))
}

pub fn stop(asked: &Asked<'_>) -> Result<String, AwsError> {
    transition(asked, may_stop, |region, _, id| region.stop(id, asked.now))
}

pub fn terminate(asked: &Asked<'_>) -> Result<String, AwsError> {
    let named = named(asked)?;
    let protected: Vec<&Instance> = named.iter().filter(|i| may_terminate(i).is_err()).collect();
    let spared: BTreeSet<&str> = protected.iter().map(|i| i.zone.as_str()).collect();
    let doomed: Vec<&Instance> = named.iter().filter(|i| !spared.contains(i.zone.as_str())).collect();
    change(asked, |region, _| doomed.iter().try_for_each(|i| region.terminate(&i.id, asked.now)))?;
    match protected.first() {
        Some(first) => Err(may_terminate(first).err().unwrap_or_else(|| AwsError::of_status(500))),
        None => changes(asked, &named),
    }
}

fn transition(
    asked: &Asked<'_>,
    guard: fn(&Instance) -> Result<(), AwsError>,
    go: impl Fn(&mut Region, &mut Mint, &str) -> Result<(), AwsError>,
) -> Result<String, AwsError> {
    let named = named(asked)?;
    named.iter().try_for_each(guard)?;
    change(asked, |region, mint| named.iter().try_for_each(|i| go(region, mint, &i.id)))?;
    changes(asked, &named)
}

/// The named instances as they are; all of them, or an error.
fn named(asked: &Asked<'_>) -> Result<Vec<Instance>, AwsError> {
    let ids = asked.params.list("InstanceId");
    if ids.is_empty() {
        return Err(AwsError::missing("InstanceId"));
    }
    instances::check_ids(&ids)?;
    look(asked, |region| {
        let unknown = |id: &&String| region.instance(id, asked.now).is_err();
        let unknown: Vec<&str> = ids.iter().filter(unknown).map(String::as_str).collect();
        if !unknown.is_empty() {
            return Err(Instance::unknown(&unknown));
        }
        ids.iter().map(|id| region.instance(id, asked.now).cloned()).collect()
    })
}

fn may_start(i: &Instance) -> Result<(), AwsError> {
    unmanaged(i)?;
    match i.state {
        State::Stopped | State::Running | State::Pending => Ok(()),
        _ => Err(state_forbids(i, "started")),
    }
}

fn may_stop(i: &Instance) -> Result<(), AwsError> {
    unmanaged(i)?;
    if i.state.is_ending() {
        return Err(state_forbids(i, "stopped"));
    }
    let refused = |code, message| Err(AwsError::bad_request(code, message));
    if i.root == RootDevice::InstanceStore {
        let message =
            format!("The instance '{}' does not have an 'ebs' root device type and cannot be stopped", i.id);
        return refused("UnsupportedOperation", message);
    }
    if i.lifecycle == Lifecycle::Spot {
        let message = format!(
            "You can't stop the Spot Instance '{}' because it is associated with a one-time Spot Instance request. You can only stop Spot Instances associated with persistent Spot Instance requests.",
            i.id
        );
        return refused("UnsupportedOperation", message);
    }
    if i.stop_protected {
        return Err(protected(i, "stopped", "disableApiStop"));
    }
    Ok(())
}

fn may_terminate(i: &Instance) -> Result<(), AwsError> {
    unmanaged(i)?;
    if i.termination_protected && !i.state.is_ending() {
        return Err(protected(i, "terminated", "disableApiTermination"));
    }
    Ok(())
}

/// A managed instance is left to its service. The code is (m): AWS documents the refusal, not its name.
fn unmanaged(i: &Instance) -> Result<(), AwsError> {
    let Some(service) = &i.managed_by else { return Ok(()) };
    let message = format!("The instance '{}' is managed by {service}, which alone may change it", i.id);
    Err(AwsError::bad_request("OperationNotPermitted", message))
}

fn protected(i: &Instance, done: &str, attribute: &str) -> AwsError {
    let id = &i.id;
    let message = format!(
        "The instance '{id}' may not be {done}. Modify its '{attribute}' instance attribute and try again."
    );
    AwsError::bad_request("OperationNotPermitted", message)
}

fn state_forbids(i: &Instance, done: &str) -> AwsError {
    let message = format!("The instance '{}' is not in a state from which it can be {done}.", i.id);
    AwsError::bad_request("IncorrectInstanceState", message)
}

/// What became of the named instances, beside what they were.
fn changes(asked: &Asked<'_>, before: &[Instance]) -> Result<String, AwsError> {
    look(asked, |region| {
        let mut xml = Xml::default();
        xml.list("instancesSet", before, |xml, was| {
            let now = region.instance(&was.id, asked.now).map_or(State::Terminated, |i| i.state);
            xml.text("instanceId", &was.id);
            render::state(xml, "currentState", now);
            render::state(xml, "previousState", was.state);
        });
        Ok(xml.finish())
    })
}

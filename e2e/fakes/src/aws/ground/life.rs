//! What happens to instances once they are there: stop, start, terminate, and what only nature does.
//!
//! Each takes world time and writes the whole course ahead. Whether somebody may do it is not asked here.

use jiff::{SignedDuration, Timestamp};

use super::{Instance, Mint, Region, State};
use crate::{aws::error::AwsError, clock::later};

/// From pending to running; usual for a small Linux host.
pub const PENDING: SignedDuration = SignedDuration::from_secs(20);
/// From stopping to stopped; usual for a small Linux host.
pub const STOPPING: SignedDuration = SignedDuration::from_secs(40);
/// From shutting-down to terminated.
pub const SHUTTING_DOWN: SignedDuration = SignedDuration::from_secs(30);
/// How long a terminated instance is still listed: "approximately one hour" (`TerminateInstances`).
pub const TERMINATED_VISIBLE: SignedDuration = SignedDuration::from_hours(1);
/// How long after it was last listed the truth still remembers an instance.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

const USER: (&str, &str) =
    ("Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated shutdown");
const GUEST: (&str, &str) =
    ("Client.InstanceInitiatedShutdown", "Client.InstanceInitiatedShutdown: Instance initiated shutdown");

impl Region {
    /// Stops an instance by a user's request. Nothing happens to one that is stopped or stopping.
    ///
    /// # Errors
    /// `InvalidInstanceID.NotFound`.
    pub fn stop(&mut self, id: &str, at: Timestamp) -> Result<(), AwsError> {
        self.halt(id, at, USER, &format!("User initiated ({})", gmt(at)))
    }

    /// Starts a stopped instance, with a new launch time and a new public address if it has none of its own.
    /// Nothing happens to one that runs.
    ///
    /// # Errors
    /// `InvalidInstanceID.NotFound`.
    pub fn start(&mut self, mint: &mut Mint, id: &str, at: Timestamp) -> Result<(), AwsError> {
        let instance = self.instance(id, at)?;
        if instance.state != State::Stopped {
            return Ok(());
        }
        let address = self.address_of(id, at).map(|a| a.ip);
        let mut pending = instance.clone();
        pending.public_ip = address.or_else(|| pending.auto_public.then(|| mint.public_ip()));
        pending.state = State::Pending;
        pending.launched = at;
        pending.transition_reason.clear();
        pending.state_reason = None;
        let running = Instance { state: State::Running, ..pending.clone() };
        self.course(id, at, pending, [(PENDING, Some(running))]);
        Ok(())
    }

    /// Terminates an instance by a user's request. Nothing happens to one that is ending.
    ///
    /// # Errors
    /// `InvalidInstanceID.NotFound`.
    pub fn terminate(&mut self, id: &str, at: Timestamp) -> Result<(), AwsError> {
        self.end(id, at, USER, &format!("User initiated ({})", gmt(at)))
    }

    /// The guest shuts itself down: the instance stops, or terminates if that is its shutdown behaviour.
    ///
    /// # Errors
    /// `InvalidInstanceID.NotFound`.
    pub fn guest_shutdown(&mut self, id: &str, at: Timestamp) -> Result<(), AwsError> {
        if self.instance(id, at)?.shutdown_terminates {
            self.end(id, at, GUEST, "")
        } else {
            self.halt(id, at, GUEST, "")
        }
    }

    /// The instance is gone from one moment to the next, without a trace: what a wrong account, a lost region
    /// or a purge looks like.
    ///
    /// # Errors
    /// `InvalidInstanceID.NotFound`.
    pub fn vanish(&mut self, id: &str, at: Timestamp) -> Result<(), AwsError> {
        self.instance(id, at)?;
        if let Some(history) = self.instances.get_mut(id) {
            history.turn(at, None);
        }
        Ok(())
    }

    /// Forgets instances that were last listed more than a day ago, so that a long demo does not grow for ever.
    pub fn forget_old(&mut self, now: Timestamp) {
        let then = now.checked_sub(REMEMBERED).unwrap_or(Timestamp::MIN);
        self.instances.retain(|_, history| !history.gone_before(then));
        self.volumes.retain(|_, history| !history.gone_before(then));
        self.addresses.retain(|_, history| !history.gone_before(then));
        self.dbs.forget_before(then);
        self.loads.retain(|id, _| self.instances.contains_key(id) || self.dbs.instances.contains_key(id));
    }

    fn halt(
        &mut self,
        id: &str,
        at: Timestamp,
        why: (&'static str, &'static str),
        reason: &str,
    ) -> Result<(), AwsError> {
        let instance = self.instance(id, at)?;
        if !matches!(instance.state, State::Pending | State::Running) {
            return Ok(());
        }
        let mut stopping = instance.clone();
        stopping.state = State::Stopping;
        stopping.state_reason = Some(why);
        reason.clone_into(&mut stopping.transition_reason);
        let address = self.address_of(id, at).map(|a| a.ip);
        let stopped = Instance { state: State::Stopped, public_ip: address, ..stopping.clone() };
        self.course(id, at, stopping, [(STOPPING, Some(stopped))]);
        Ok(())
    }

    fn end(
        &mut self,
        id: &str,
        at: Timestamp,
        why: (&'static str, &'static str),
        reason: &str,
    ) -> Result<(), AwsError> {
        let instance = self.instance(id, at)?;
        if instance.state.is_ending() {
            return Ok(());
        }
        let mut leaving = instance.clone();
        leaving.state = State::ShuttingDown;
        leaving.state_reason = Some(why);
        reason.clone_into(&mut leaving.transition_reason);
        self.let_go(&leaving, later(at, SHUTTING_DOWN));
        let gone = stripped(leaving.clone());
        self.course(
            id,
            at,
            leaving,
            [(SHUTTING_DOWN, Some(gone)), (SHUTTING_DOWN + TERMINATED_VISIBLE, None)],
        );
        Ok(())
    }

    /// Volumes die or are freed, and addresses are freed, when their instance is terminated.
    fn let_go(&mut self, instance: &Instance, at: Timestamp) {
        for device in &instance.devices {
            let Some(history) = self.volumes.get_mut(&device.volume) else { continue };
            let freed = history.at(at).cloned().map(|mut volume| {
                volume.attachment = None;
                volume
            });
            history.plan(at, freed.filter(|_| !device.delete_on_termination));
        }
        if let Some(allocation) = self.address_of(&instance.id, at).map(|a| a.id.clone())
            && let Some(history) = self.addresses.get_mut(&allocation)
            && let Some(mut address) = history.at(at).cloned()
        {
            address.association = None;
            history.plan(at, Some(address));
        }
    }

    fn course<const N: usize>(
        &mut self,
        id: &str,
        at: Timestamp,
        now: Instance,
        then: [(SignedDuration, Option<Instance>); N],
    ) {
        if let Some(history) = self.instances.get_mut(id) {
            history.turn(at, Some(now));
            for (after, version) in then {
                history.plan(later(at, after), version);
            }
        }
    }
}

/// A terminated instance keeps its name and tags, and loses its place in the network and its disks.
fn stripped(instance: Instance) -> Instance {
    Instance {
        state: State::Terminated,
        vpc: None,
        subnet: None,
        interface: None,
        private_ip: None,
        public_ip: None,
        groups: vec![],
        devices: vec![],
        ..instance
    }
}

/// `2026-03-02 12:00:00 GMT`, as EC2 writes it into reasons.
fn gmt(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S GMT").to_string()
}

//! What may happen while people watch: single moments of a Monday, for the demo and for stories.
//!
//! Each changes the ground truth as the world would, at the world's present time, and nothing else.

use anyhow::Context as _;
use rollcall_fakes::aws::Launch;
use rollcall_fakes::mackerel::{AgentConf, text};

use crate::hosts::{ENVIRONMENTS, instance_type, short};
use crate::{Backlog, Tree, folder};

impl Backlog {
    /// Somebody launches one more host of a duty, well tagged; nothing runs on it yet. Answers its name.
    ///
    /// # Errors
    /// When there is no such environment, or the fake refuses.
    pub fn a_host_joins(&mut self, environment: &str, duty: &str) -> anyhow::Result<String> {
        let plan = ENVIRONMENTS.iter().find(|plan| plan.name == environment);
        let plan = plan.with_context(|| format!("there is no environment {environment}"))?;
        let named = |number: usize| format!("{environment}-{}-{number}", short(duty));
        let free = (1..1_000).find(|number| !self.hosts.contains_key(&named(*number))).unwrap_or_default();
        let name = named(free);
        let launch =
            Launch::of(instance_type(duty)).tag("Name", &name).tag("Env", environment).tag("Role", duty);
        self.launch(&name, plan, &launch)?;
        Ok(name)
    }

    /// Provisioning is done: the host's agent registers it, with the role and the checks that the tree asks of it.
    ///
    /// # Errors
    /// When the fleet has no such host, or the fake refuses.
    pub fn its_agent_starts(&mut self, name: &str) -> anyhow::Result<()> {
        let site = self.truth(name)?.environment.clone();
        let duty = duty_of(name).with_context(|| format!("{name} plays no duty"))?;
        let checks = Tree::read(&folder())?.check_names(duty, &site);
        self.register(name, duty, &checks)
    }

    /// A host's agent is killed: no metric arrives from now on.
    ///
    /// # Errors
    /// When the host is not registered.
    pub fn its_agent_dies(&self, name: &str) -> anyhow::Result<()> {
        let id = self.registration(name)?;
        Ok(self.org.edit(|truth| truth.agent_stops(&id, false))?)
    }

    /// The agent is started again, as it was configured.
    ///
    /// # Errors
    /// When the host is not registered.
    pub fn its_agent_comes_back(&self, name: &str) -> anyhow::Result<()> {
        let id = self.registration(name)?;
        self.org.edit(|truth| {
            let host = truth.host(&id)?;
            let checks: Vec<String> = host.checks.iter().map(|check| check.name.to_string()).collect();
            let roles = host.roles.iter();
            let roles: Vec<String> = roles
                .flat_map(|(service, roles)| roles.iter().map(move |role| format!("{service}:{role}")))
                .collect();
            truth.agent_starts(&id, AgentConf { roles, checks, ..AgentConf::default() })?;
            Ok(())
        })
    }

    /// A host is terminated and its registration retired, in good order.
    ///
    /// # Errors
    /// When the fleet has no such host, or a fake refuses.
    pub fn a_host_leaves(&mut self, name: &str) -> anyhow::Result<()> {
        let host = self.truth(name)?.clone();
        self.region_of(name)?.terminate(&host.instance)?;
        if let Some(id) = host.registration {
            self.org.edit(|truth| -> anyhow::Result<()> {
                truth.agent_stops(&id, false)?;
                Ok(truth.retire(&id)?)
            })?;
        }
        self.hosts.remove(name);
        Ok(())
    }

    /// Somebody mutes the monitor of this name, or lets it speak again.
    ///
    /// # Errors
    /// When there is no such monitor.
    pub fn a_monitor_is_muted(&self, name: &str, mute: bool) -> anyhow::Result<()> {
        self.org.edit(|truth| {
            let monitor = truth.monitors().into_iter().find(|monitor| text(monitor, "name") == name);
            let id = text(monitor.with_context(|| format!("there is no monitor {name}"))?, "id").to_owned();
            Ok(truth.mute_monitor(&id, mute)?)
        })
    }

    fn registration(&self, name: &str) -> anyhow::Result<String> {
        self.truth(name)?.registration.clone().with_context(|| format!("{name} is not registered"))
    }
}

/// Why a host of the fleet exists, by its name: `jp1-dav-2` is a webdav; `dev-tanaka` nobody knows.
#[must_use]
pub fn duty_of(name: &str) -> Option<&'static str> {
    let mut parts = name.split('-');
    let (_environment, part, number) = (parts.next()?, parts.next()?, parts.next()?);
    number.parse::<usize>().ok()?;
    let instances = ENVIRONMENTS.iter().flat_map(|plan| plan.duties.iter().map(|(duty, _)| *duty));
    let mut duties = instances.chain(["db"]);
    duties.find(|duty| short(duty) == part)
}

//! Simulated agents: they post metrics each minute, update their host each hour, and report checks that change.
//!
//! What they do to the API's state is what `mackerel-agent` does; a test drives the real one beside them.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    checks::{CheckReport, CheckStatus},
    error::{Outcome, Refusal},
    host_params::CheckParam,
    hosts::HostStatus,
    metrics::Feed,
    roles::RoleFullname,
    truth::Truth,
};

/// Between two posts of metrics (mackerel-agent).
const POST_SECONDS: i64 = 60;
/// Between two updates of the host (mackerel-agent).
const UPDATE_SECONDS: i64 = 3_600;
/// Ended feeds that a host keeps: enough to tell when it was last heard.
const MAX_FEEDS: usize = 4;

/// What an agent's configuration file says.
#[derive(Clone, Debug, Default)]
pub struct AgentConf {
    /// `Service:role`; the agent **adds** them at each update, so that a role taken away comes back.
    pub roles: Vec<String>,
    /// Names of its checks.
    pub checks: Vec<String>,
    /// What it posts; `loadavg5` when empty.
    pub metrics: Vec<(String, f64)>,
    /// The status set when the agent is stopped properly.
    pub on_stop: Option<HostStatus>,
}

impl AgentConf {
    /// An agent with these roles and checks that posts `loadavg5`.
    #[must_use]
    pub fn new(roles: &[&str], checks: &[&str]) -> Self {
        let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        Self { roles: owned(roles), checks: owned(checks), ..Self::default() }
    }
}

/// Running agents by host id, each with the time of its next update.
#[derive(Clone, Debug, Default)]
pub(super) struct Agents {
    running: BTreeMap<Arc<str>, (Arc<AgentConf>, i64)>,
    next: Option<i64>,
}

impl Agents {
    pub(super) fn are_due(&self, now: i64) -> bool {
        self.next.is_some_and(|next| next <= now)
    }

    fn start(&mut self, host: &str, conf: AgentConf, next: i64) {
        self.running.insert(host.into(), (Arc::new(conf), next));
        self.next = Some(self.next.map_or(next, |earliest| earliest.min(next)));
    }

    fn stop(&mut self, host: &str) -> Option<Arc<AgentConf>> {
        let stopped = self.running.remove(host);
        self.reckon();
        stopped.map(|(conf, _)| conf)
    }

    /// The agents that are due, which are then due again an hour from `now`.
    fn take_due(&mut self, now: i64) -> Vec<(Arc<str>, Arc<AgentConf>)> {
        let mut due = vec![];
        for (host, (conf, next)) in &mut self.running {
            if *next <= now {
                *next = now + UPDATE_SECONDS;
                due.push((host.clone(), conf.clone()));
            }
        }
        self.reckon();
        due
    }

    fn reckon(&mut self) {
        self.next = self.running.values().map(|(_, next)| *next).min();
    }
}

impl Truth {
    /// An agent starts on a host: it adds its roles, sets the whole list of checks, reports each OK and posts from now on.
    ///
    /// # Errors
    /// 404 for an unknown host, 400 for an invalid role or check name.
    pub fn agent_starts(&mut self, host: &str, conf: AgentConf) -> Outcome<()> {
        self.end_feed(host, POST_SECONDS)?;
        self.apply_conf(host, &conf)?;
        for check in &conf.checks {
            self.check_turns(host, check, CheckStatus::Ok, "OK")?;
        }
        let values = match conf.metrics.as_slice() {
            [] => vec![("loadavg5".into(), 0.5)],
            named => named.iter().map(|(name, value)| (name.as_str().into(), *value)).collect(),
        };
        let now = self.now();
        self.feed(host, Feed { every: POST_SECONDS, from: now, until: None, values })?;
        Arc::make_mut(&mut self.agents).start(host, conf, now + UPDATE_SECONDS);
        Ok(())
    }

    /// The agent stops: metrics end. A proper stop sets the status of its configuration; a crash or a lost machine does not.
    ///
    /// # Errors
    /// 404 for an unknown host.
    pub fn agent_stops(&mut self, host: &str, properly: bool) -> Outcome<()> {
        self.end_feed(host, POST_SECONDS)?;
        let stopped = Arc::make_mut(&mut self.agents).stop(host);
        match stopped.and_then(|conf| conf.on_stop).filter(|_| properly) {
            Some(status) => self.set_status(host, status),
            None => Ok(()),
        }
    }

    /// A check of a host turns to this status now, as its agent would report it.
    ///
    /// # Errors
    /// As [`Truth::report_check`].
    pub fn check_turns(
        &mut self,
        host: &str,
        check: &str,
        status: CheckStatus,
        message: &str,
    ) -> Outcome<()> {
        let report = CheckReport { status, message: message.into(), occurred_at: self.now() };
        self.report_check(host, check, &report, 1)
    }

    /// The hourly updates that are due. An agent whose host was retired is refused, and goes on regardless.
    pub(super) fn update_agents(&mut self) {
        let now = self.now();
        for (host, conf) in Arc::make_mut(&mut self.agents).take_due(now) {
            let _ = self.apply_conf(&host, &conf);
        }
    }

    fn apply_conf(&mut self, host: &str, conf: &AgentConf) -> Outcome<()> {
        if self.host(host)?.is_retired() {
            return Err(Refusal::bad("Host is retired."));
        }
        let roles: Vec<_> =
            conf.roles.iter().map(|name| RoleFullname::parse(name)).collect::<Outcome<_>>()?;
        self.add_roles(host, &roles)?;
        let checks: Vec<_> =
            conf.checks.iter().map(|name| CheckParam { name: name.clone(), memo: None }).collect();
        self.set_checks(host, &checks)
    }

    pub(super) fn feed(&mut self, host: &str, feed: Feed) -> Outcome<()> {
        let feeds = &mut self.host_mut(host)?.feeds;
        feeds.push(feed);
        if feeds.len() > MAX_FEEDS {
            feeds.remove(0);
        }
        Ok(())
    }

    /// Ends what posts to a host at this pace, if anything does.
    pub(super) fn end_feed(&mut self, host: &str, every: i64) -> Outcome<()> {
        let now = self.now();
        let open = |f: &&mut Feed| f.every == every && f.until.is_none();
        self.host_mut(host)?.feeds.iter_mut().filter(open).for_each(|f| f.until = Some(now));
        Ok(())
    }
}

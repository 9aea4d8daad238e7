//! Simulated agents: they post metrics each minute, update their host each hour, and report checks that change.
//!
//! What they do to the API's state is what `mackerel-agent` does; a test drives the real one beside them.

use std::collections::BTreeMap;

use super::{
    checks::{CheckReport, CheckStatus},
    error::Outcome,
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

/// Running agents by host id.
#[derive(Clone, Debug, Default)]
pub(super) struct Agents {
    running: BTreeMap<String, (AgentConf, i64)>,
    next: Option<i64>,
}

impl Agents {
    pub(super) fn are_due(&self, now: i64) -> bool {
        self.next.is_some_and(|next| next <= now)
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
        self.agents.running.insert(host.to_owned(), (conf, now + UPDATE_SECONDS));
        self.agents.reckon();
        Ok(())
    }

    /// The agent stops: metrics end. A proper stop sets the status of its configuration; a crash or a lost machine does not.
    ///
    /// # Errors
    /// 404 for an unknown host.
    pub fn agent_stops(&mut self, host: &str, properly: bool) -> Outcome<()> {
        self.end_feed(host, POST_SECONDS)?;
        let stopped = self.agents.running.remove(host);
        self.agents.reckon();
        match stopped.and_then(|(conf, _)| conf.on_stop).filter(|_| properly) {
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
        let due = self.agents.running.iter().filter(|(_, (_, next))| *next <= now);
        let due: Vec<_> = due.map(|(host, (conf, _))| (host.clone(), conf.clone())).collect();
        for (host, conf) in due {
            let _ = self.apply_conf(&host, &conf);
            self.agents.running.insert(host, (conf, now + UPDATE_SECONDS));
        }
        self.agents.reckon();
    }

    fn apply_conf(&mut self, host: &str, conf: &AgentConf) -> Outcome<()> {
        self.live_host_mut(host)?;
        for name in &conf.roles {
            let role = RoleFullname::parse(name)?;
            self.ensure_role(&role);
            self.host_mut(host)?.join(&role);
        }
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

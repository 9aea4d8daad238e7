//! Checks: what agents report as OK or not, under names that only `/monitoring/checks` tells.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    alerts::NewAlert,
    error::{Outcome, Refusal},
    host_params::CheckParam,
    truth::Truth,
};

/// Reports whose check ran longer ago than this are ignored (API documentation, check monitoring).
const TOO_OLD_SECONDS: i64 = 6 * 3600;
/// Reports in one call (API documentation, check monitoring).
const MAX_REPORTS: usize = 100;
/// Characters of a message (API documentation; the agent cuts at this length).
const MAX_MESSAGE: usize = 1_024;

/// How a check went, or how a monitor sees a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CheckStatus {
    /// All is well.
    Ok,
    /// Over the first threshold.
    Warning,
    /// Over the second threshold.
    Critical,
    /// The check could not tell.
    Unknown,
}

/// Which checks share an id. The documentation does not say, so clients must join by id and group by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CheckIds {
    /// All checks of one name in the organisation.
    #[default]
    PerName,
    /// None: each host's check has its own.
    PerHost,
}

/// A check of a host.
#[derive(Clone, Debug)]
pub struct HostCheck {
    /// The id that `monitored-statuses` shows.
    pub monitor_id: Arc<str>,
    /// The name in the agent's configuration.
    pub name: Arc<str>,
    /// Notes.
    pub memo: Option<Arc<str>>,
    /// The last report; a check that never reported has no status to show.
    pub report: Option<CheckReport>,
    /// Reports in a row that were not OK.
    failures: u32,
}

/// What a check last reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckReport {
    /// How it went.
    pub status: CheckStatus,
    /// What the check printed.
    pub message: Arc<str>,
    /// Epoch seconds at which it ran.
    pub occurred_at: i64,
}

/// A check monitor of the organisation, and how many hosts have it.
#[derive(Clone, Debug)]
struct Registered {
    id: Arc<str>,
    hosts: usize,
}

/// Check monitors by host (empty when shared) and name.
#[derive(Clone, Debug, Default)]
pub(super) struct CheckMonitors(BTreeMap<(String, Arc<str>), Registered>);

impl CheckMonitors {
    /// Id and name of each, in order of id.
    pub(super) fn listed(&self) -> Vec<(Arc<str>, Arc<str>)> {
        let mut all: Vec<_> = self.0.iter().map(|((_, name), r)| (r.id.clone(), name.clone())).collect();
        all.sort_unstable();
        all
    }

    pub(super) fn name_of(&self, id: &str) -> Option<Arc<str>> {
        self.0.iter().find(|(_, r)| r.id.as_ref() == id).map(|((_, name), _)| name.clone())
    }
}

/// One report of `POST /monitoring/checks/report`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    source: Source,
    name: String,
    status: CheckStatus,
    message: String,
    occurred_at: i64,
    #[serde(default)]
    max_check_attempts: Option<u32>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    #[serde(rename = "type")]
    kind: String,
    host_id: String,
}

impl Truth {
    /// Makes `wanted` the whole list of a host's checks. Others are deleted, except those with an open alert.
    ///
    /// # Errors
    /// 404 for an unknown host, 400 for an invalid name.
    pub(super) fn set_checks(&mut self, id: &str, wanted: &[CheckParam]) -> Outcome<()> {
        for check in wanted {
            check_name(&check.name)?;
        }
        let kept = |check: &HostCheck| wanted.iter().any(|w| w.name == check.name.as_ref());
        let gone = |check: &&HostCheck| !kept(check) && !self.has_open_alert(id, &check.monitor_id);
        let gone: Vec<_> = self.host(id)?.checks.iter().filter(gone).map(|c| c.name.clone()).collect();
        for name in gone {
            self.drop_check(id, &name)?;
        }
        for check in wanted {
            let at = self.ensure_check(id, &check.name)?;
            let memo: Option<Arc<str>> = check.memo.as_deref().filter(|m| !m.is_empty()).map(Arc::from);
            if self.host(id)?.checks.get(at).is_some_and(|own| own.memo != memo) {
                self.host_mut(id)?.checks.get_mut(at).into_iter().for_each(|own| own.memo.clone_from(&memo));
            }
        }
        Ok(())
    }

    /// A check of a host reports; one it did not have is created, as `mkr wrap` relies on. Opens an alert when it is not OK
    /// on a monitored host for the `attempts`th time in a row, and closes it when it is OK.
    ///
    /// # Errors
    /// 404 for an unknown host; 400 for a retired one, an invalid name or a message that is too long.
    pub fn report_check(
        &mut self,
        host: &str,
        name: &str,
        report: &CheckReport,
        attempts: u32,
    ) -> Outcome<()> {
        check_name(name)?;
        if report.message.chars().count() > MAX_MESSAGE {
            return Err(Refusal::bad(format!("message of check {name} is over {MAX_MESSAGE} characters")));
        }
        self.live_host_mut(host)?;
        if report.occurred_at < self.now() - TOO_OLD_SECONDS {
            return Ok(());
        }
        let at = self.ensure_check(host, name)?;
        let monitored = self.host(host)?.status.is_monitored();
        let Some(check) = self.host_mut(host)?.checks.get_mut(at) else {
            return Ok(());
        };
        if check.report.as_ref().is_some_and(|last| report.occurred_at <= last.occurred_at) {
            return Ok(());
        }
        check.failures = if report.status == CheckStatus::Ok { 0 } else { check.failures + 1 };
        let alarming = check.failures >= attempts.max(1);
        let monitor_id = check.monitor_id.to_string();
        check.report = Some(report.clone());
        if report.status == CheckStatus::Ok {
            self.close_alerts(
                |a| a.host_id.as_deref() == Some(host) && a.monitor_id == monitor_id,
                "monitoring",
            );
        } else if alarming && monitored {
            self.open_alert(NewAlert {
                status: report.status,
                kind: "check",
                monitor_id,
                host_id: Some(host.to_owned()),
                value: None,
                message: Some(report.message.to_string()),
                opened_at: self.now(),
            });
        }
        Ok(())
    }

    pub(super) fn report_checks(&mut self, reports: Vec<Report>) -> Outcome<()> {
        if reports.len() > MAX_REPORTS {
            return Err(Refusal::bad(format!("at most {MAX_REPORTS} reports in one request")));
        }
        for Report { source, name, status, message, occurred_at, max_check_attempts } in reports {
            if source.kind != "host" {
                return Err(Refusal::bad(format!("unknown source type: {}", source.kind)));
            }
            let report = CheckReport { status, message: message.into(), occurred_at };
            self.report_check(&source.host_id, &name, &report, max_check_attempts.unwrap_or(1))?;
        }
        Ok(())
    }

    /// Where the check of this name stands in the host's list; it is created when missing.
    fn ensure_check(&mut self, host: &str, name: &str) -> Outcome<usize> {
        let spot = self.host(host)?.checks.binary_search_by(|c| c.name.as_ref().cmp(name));
        let Err(at) = spot else {
            return Ok(spot.unwrap_or_default());
        };
        let key = self.check_key(host, name);
        if !self.check_monitors.0.contains_key(&key) {
            let id = self.take_id().into();
            Arc::make_mut(&mut self.check_monitors).0.insert(key.clone(), Registered { id, hosts: 0 });
        }
        // Names and ids are shared with the registry: a million checks cost pointers, not strings.
        if let Some((key, registered)) = Arc::make_mut(&mut self.check_monitors).0.range_mut(key..).next() {
            registered.hosts += 1;
            let check = HostCheck {
                monitor_id: registered.id.clone(),
                name: key.1.clone(),
                memo: None,
                report: None,
                failures: 0,
            };
            self.host_mut(host)?.checks.insert(at, check);
        }
        Ok(at)
    }

    /// Takes a check from a host, and forgets the monitor with its last host.
    pub(super) fn drop_check(&mut self, host: &str, name: &str) -> Outcome<()> {
        let checks = &mut self.host_mut(host)?.checks;
        let Ok(at) = checks.binary_search_by(|c| c.name.as_ref().cmp(name)) else {
            return Ok(());
        };
        checks.remove(at);
        let key = self.check_key(host, name);
        let CheckMonitors(monitors) = Arc::make_mut(&mut self.check_monitors);
        if let Some(registered) = monitors.get_mut(&key) {
            registered.hosts -= 1;
            if registered.hosts == 0 {
                monitors.remove(&key);
            }
        }
        Ok(())
    }

    fn check_key(&self, host: &str, name: &str) -> (String, Arc<str>) {
        let scope = match self.policy.check_ids {
            CheckIds::PerName => String::new(),
            CheckIds::PerHost => host.to_owned(),
        };
        (scope, name.into())
    }
}

fn check_name(name: &str) -> Outcome<()> {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if !name.is_empty() && name.bytes().all(word) {
        return Ok(());
    }
    Err(Refusal::bad(format!("invalid check name: {name}")))
}

/// A check as `monitored-statuses` shows it: by id, without its name.
pub(super) fn status_json(check: &HostCheck) -> Option<Value> {
    let report = check.report.as_ref()?;
    let mut detail = json!({"type": "check", "message": report.message.as_ref()});
    if let (Some(memo), Some(fields)) = (&check.memo, detail.as_object_mut()) {
        fields.insert("memo".to_owned(), memo.as_ref().into());
    }
    Some(json!({"monitorId": check.monitor_id.as_ref(), "status": report.status, "detail": detail}))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::{
        clock::WorldClock,
        mackerel::{HostParam, Org},
    };

    /// What may happen to the checks of one of three hosts.
    #[derive(Clone, Debug)]
    enum Step {
        List(usize, Vec<u8>),
        Report(usize, u8, bool),
        Retire(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let host = 0_usize..3;
        let step = prop_oneof![
            4 => (host.clone(), prop::collection::vec(0_u8..4, 0..4)).prop_map(|(h, c)| Step::List(h, c)),
            4 => (host.clone(), 0_u8..4, any::<bool>()).prop_map(|(h, c, ok)| Step::Report(h, c, ok)),
            1 => host.prop_map(Step::Retire),
        ];
        prop::collection::vec(step, 1..30)
    }

    fn take(truth: &mut Truth, hosts: &[String], step: &Step, at: i64) {
        let name = |check: &u8| format!("check-{check}");
        // A step on a retired host is refused, which is part of the story.
        let _ = match step {
            Step::List(host, checks) => {
                let checks = checks.iter().map(|c| CheckParam { name: name(c), memo: None }).collect();
                truth.put_host(&hosts[*host], &HostParam { checks: Some(checks), ..HostParam::named("web") })
            }
            Step::Report(host, check, ok) => {
                let status = if *ok { CheckStatus::Ok } else { CheckStatus::Critical };
                let report = CheckReport { status, message: "".into(), occurred_at: at };
                truth.report_check(&hosts[*host], &name(check), &report, 1)
            }
            Step::Retire(host) => truth.retire(&hosts[*host]),
        };
    }

    proptest! {
        /// The monitors that are listed are those that hosts have: none is lost, none is left over.
        #[test]
        fn the_list_of_check_monitors_is_what_hosts_have(steps in steps(), per_host in any::<bool>()) {
            let org = Org::new("acme", WorldClock::frozen_at("2026-03-02T12:00:00Z".parse().unwrap()));
            if per_host {
                org.edit(|t| t.policy.check_ids = CheckIds::PerHost);
            }
            let web = HostParam::named("web");
            let hosts: Vec<_> = (0..3).map(|_| org.edit(|t| t.add_host(&web)).unwrap()).collect();
            for (n, step) in steps.iter().enumerate() {
                org.edit(|t| take(t, &hosts, step, t.now() + i64::try_from(n).unwrap()));
                let truth = org.truth();
                let checks = truth.hosts().flat_map(|h| h.checks.iter());
                let held: BTreeSet<_> = checks.map(|c| (c.monitor_id.clone(), c.name.clone())).collect();
                let listed: BTreeSet<_> = truth.check_monitors.listed().into_iter().collect();
                prop_assert_eq!(held, listed, "after {:?}", step);
            }
        }
    }
}

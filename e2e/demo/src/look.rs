//! What Rollcall says, read from the API as anybody reads it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result};
use kube::api::ListParams;
use kube::{Api, Client};
use rollcall_crds::v1alpha1::{
    CauseStatus, Environment, EnvironmentSummary, Host, RequiredCheck, Retirement, RetirementState,
};
use rollcall_harness::wait::{Look, until};
use rollcall_harness::world::TEAM;

/// An hour of the world is a minute here; nothing the demo waits for takes two.
const PATIENCE: Duration = Duration::from_mins(3);

/// Reads statuses.
#[derive(Clone)]
pub struct Eyes {
    client: Client,
}

/// A host's columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostFace {
    /// `Settling`, `Active`…
    pub state: String,
    /// `12/14`
    pub checks: String,
    /// The worst finding, or what it waits for.
    pub top: String,
}

impl Eyes {
    /// Eyes that see through this client.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// Waits until a host's columns are as `wanted`; `None` means that it has no object.
    ///
    /// # Errors
    /// When they do not become so in time.
    pub async fn host(
        &self,
        id: &str,
        what: &str,
        wanted: impl Fn(Option<&HostFace>) -> bool,
    ) -> Result<HostFace> {
        let hosts = Api::<Host>::namespaced(self.client.clone(), TEAM);
        until(format!("host {id} {what}"), PATIENCE, async || {
            let face = hosts.get_opt(id).await?.map(|host| face(&host));
            Ok(if wanted(face.as_ref()) {
                Look::There(face.unwrap_or_default())
            } else {
                Look::NotYet(format!("{face:?}"))
            })
        })
        .await
    }

    /// Waits until an environment's columns are as `wanted`.
    ///
    /// # Errors
    /// When they do not become so in time.
    pub async fn environment(
        &self,
        name: &str,
        what: &str,
        wanted: impl Fn(&EnvironmentSummary) -> bool,
    ) -> Result<Environment> {
        let environments = Api::<Environment>::namespaced(self.client.clone(), TEAM);
        until(format!("environment {name} {what}"), PATIENCE, async || {
            let environment = environments.get(name).await?;
            let summary =
                environment.status.as_ref().and_then(|status| status.summary.clone()).unwrap_or_default();
            Ok(if wanted(&summary) { Look::There(environment) } else { Look::NotYet(format!("{summary:?}")) })
        })
        .await
    }

    /// Waits until a cause of findings of this code about a required check stands in an environment's status, and tells it.
    ///
    /// # Errors
    /// When none comes in time.
    pub async fn cause(&self, environment: &str, code: &str, check: &str) -> Result<String> {
        let environments = Api::<Environment>::namespaced(self.client.clone(), TEAM);
        until(format!("environment {environment} has a cause {code} about {check}"), PATIENCE, async || {
            let causes = environments.get(environment).await?.status.unwrap_or_default().causes;
            let is_it = |cause: &&CauseStatus| cause.code == code && cause.message.contains(check);
            Ok(match causes.iter().find(is_it) {
                Some(cause) => Look::There(cause.message.clone()),
                None => Look::NotYet(format!("{} other causes", causes.len())),
            })
        })
        .await
    }

    /// Waits until there are retirements of exactly these hosts, in these states, and tells the message of each.
    ///
    /// # Errors
    /// When they do not become so in time.
    pub async fn retirements(
        &self,
        what: &str,
        wanted: &BTreeMap<String, RetirementState>,
    ) -> Result<BTreeMap<String, String>> {
        let retirements = Api::<Retirement>::namespaced(self.client.clone(), TEAM);
        until(what, PATIENCE, async || {
            let all = retirements.list(&ListParams::default()).await?.items;
            let told = all.into_iter().filter_map(|one| one.status);
            let told: Vec<_> = told.filter_map(|is| Some((is.name?, is.state?, is.message))).collect();
            let states: BTreeMap<_, _> = told.iter().map(|(name, is, _)| (name.clone(), *is)).collect();
            if states != *wanted {
                return Ok(Look::NotYet(format!("{told:?}")));
            }
            let messages = told.into_iter().map(|(name, _, message)| (name, message.unwrap_or_default()));
            Ok(Look::There(messages.collect()))
        })
        .await
    }

    /// `0/171`: on how many hosts a required check is covered, of those it applies to.
    ///
    /// # Errors
    /// When there is no such check, or it has no status.
    pub async fn check(&self, name: &str) -> Result<String> {
        // The team's, or the library's.
        let named = ListParams::default().fields(&format!("metadata.name={name}"));
        let found = Api::<RequiredCheck>::all(self.client.clone()).list(&named).await?;
        let check = found.items.into_iter().next().with_context(|| format!("no required check {name}"))?;
        let summary =
            check.status.and_then(|status| status.summary).with_context(|| format!("{name}: no status"))?;
        Ok(format!("{}/{}", summary.covered, summary.applies))
    }

    /// Waits until [`Self::check`] says something else than `before`.
    ///
    /// # Errors
    /// When it does not.
    pub async fn check_changes(&self, name: &str, before: &str) -> Result<String> {
        until(format!("required check {name} changes"), PATIENCE, async || {
            let now = self.check(name).await?;
            Ok(if now == before { Look::NotYet(now) } else { Look::There(now) })
        })
        .await
    }
}

fn face(host: &Host) -> HostFace {
    let Some(status) = &host.status else { return HostFace::default() };
    let summary = status.summary.clone().unwrap_or_default();
    let state = status.state.map(|state| format!("{state:?}")).unwrap_or_default();
    HostFace { state, checks: summary.checks, top: summary.top_finding }
}

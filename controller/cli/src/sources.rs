//! The outside world as the operator, and a single look, ask for it: its small traits over the crates that speak to AWS and to
//! monitoring systems. Translation only; what is wrong with a Secret is said in the words of who must mend it.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rollcall_aws::{AccountSettings, AssumeRole, CallCount, Connections, Identity, Limits, StaticKeys};
use rollcall_engine::activity::{Activity, Wanted, Window};
use rollcall_engine::fleet::{Account, Channel, System};
use rollcall_engine::ids::Region;
use rollcall_engine::inventory::{
    Address, Asked, Asserted, Database, DatabaseCluster, Instance, Inventory, Volume,
};
use rollcall_engine::notice::Message;
use rollcall_engine::notice::outbox::Outcome;
use rollcall_engine::reading::{Failure, FailureKind, Reading};
use rollcall_monitoring::endpoint::EndpointPolicy;
use rollcall_monitoring::http::Pace;
use rollcall_operator::sources::{
    AccountReader, Calls, Fingerprint, RegistryReader, Secret, Secrets, Sources,
};

use crate::monitoring::{self, Monitoring};

/// AWS and the monitoring systems, reached under one policy and at one pace.
pub struct Outside {
    connections: Connections,
    monitoring: Monitoring,
}

impl Outside {
    /// Nothing is connected yet. `checks_per_minute` is what may be spent, of `pace`, on asking host by host.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(policy: EndpointPolicy, pace: Pace, checks_per_minute: u32) -> anyhow::Result<Self> {
        let connections = Connections::new(Limits::default().connect_time);
        Ok(Self { connections, monitoring: Monitoring::new(policy, pace, checks_per_minute)? })
    }

    /// Objects may name files of Nagios in this folder.
    pub fn with_nagios_files(self, folder: Option<PathBuf>) -> Self {
        Self { monitoring: self.monitoring.with_nagios_files(folder), ..self }
    }
}

#[async_trait]
impl Sources for Outside {
    async fn account(
        &self,
        account: &Account,
        secret: Option<&Secret>,
    ) -> Result<Arc<dyn AccountReader>, Failure> {
        let observe = account.observe.as_ref();
        let settings = AccountSettings {
            account: account.id.clone(),
            regions: account.regions.clone(),
            identity: secret.map_or(Ok(Identity::Ambient), static_keys)?,
            assume: observe.and_then(|o| {
                let role_arn = o.role_arn.clone()?;
                Some(AssumeRole { role_arn, external_id: o.external_id.clone() })
            }),
            endpoint_url: None,
            limits: Limits::default(),
        };
        Ok(Arc::new(Aws(rollcall_aws::Account::new(settings, &self.connections).await?)))
    }

    async fn registry(&self, system: &System, secrets: &Secrets) -> Result<Box<dyn RegistryReader>, Failure> {
        self.monitoring.reader(system, secrets)
    }

    fn fingerprint(&self, system: &System, secrets: &Secrets) -> Fingerprint {
        monitoring::fingerprint(system, secrets)
    }

    async fn deliver(&self, channel: &Channel, secrets: &Secrets, message: &Message) -> Outcome {
        self.monitoring.deliver(channel, secrets, message).await
    }

    fn calls(&self) -> Vec<Calls> {
        let line = |call: CallCount| Calls {
            source: format!("aws {}", call.place),
            operation: call.operation,
            outcome: call.failure.map_or("Answered", FailureKind::as_str),
            count: call.count,
        };
        self.connections.calls().into_iter().map(line).collect()
    }
}

/// Twice as many at once as in a second, as [`Pace::default`] has it.
pub fn pace(calls_per_second: u32) -> Pace {
    let of = |calls| NonZeroU32::new(calls).unwrap_or(NonZeroU32::MIN);
    Pace { per_second: of(calls_per_second), burst: of(calls_per_second.saturating_mul(2)) }
}

fn static_keys(secret: &Secret) -> Result<Identity, Failure> {
    let need = |key: &str| {
        secret.get(key).filter(|value| !value.is_empty()).ok_or_else(|| {
            let found = secret.keys().collect::<Vec<_>>().join(", ");
            let message = format!(
                "spec.observe.secretRef: expected the key {key} in the Secret, found {}; `kubectl create secret generic` \
                 takes --from-literal={key}=…",
                if found.is_empty() { "none" } else { &found }
            );
            Failure::new(FailureKind::Misconfigured, message)
        })
    };
    let token = secret.get("aws_session_token").filter(|token| !token.is_empty()).map(str::to_owned);
    Ok(Identity::Static(StaticKeys::new(need("aws_access_key_id")?, need("aws_secret_access_key")?, token)))
}

struct Aws(rollcall_aws::Account);

#[async_trait]
impl AccountReader for Aws {
    async fn instances(&self, region: &Region, now: Timestamp) -> Reading<Vec<Instance>> {
        self.0.read_instances(region, now).await
    }
    async fn volumes(&self, region: &Region, now: Timestamp) -> Reading<Vec<Volume>> {
        self.0.read_volumes(region, now).await
    }
    async fn addresses(&self, region: &Region, now: Timestamp) -> Reading<Vec<Address>> {
        self.0.read_addresses(region, now).await
    }
    async fn databases(&self, region: &Region, now: Timestamp) -> Reading<Vec<Database>> {
        self.0.read_databases(region, now).await
    }
    async fn clusters(&self, region: &Region, now: Timestamp) -> Reading<Vec<DatabaseCluster>> {
        self.0.read_clusters(region, now).await
    }
    async fn activity(&self, region: &Region, wanted: &[Wanted], window: Window, now: Timestamp) -> Activity {
        self.0.read_activity(region, wanted, window, now).await
    }
    async fn asserted(
        &self,
        region: &Region,
        known: &Inventory,
        asked: &Asked,
        keep: Duration,
        now: Timestamp,
    ) -> Asserted {
        self.0.read_asked(region, Some(known), asked, keep, now).await
    }
}

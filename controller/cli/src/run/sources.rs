//! The outside world as the operator asks for it: its small traits over the crates that speak to AWS and to
//! monitoring systems. Translation only; what is wrong with a Secret is said in the words of who must mend it.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use rollcall_aws::{AccountSettings, AssumeRole, CallCount, Connections, Identity, Limits, StaticKeys};
use rollcall_engine::fleet::{Account, Endpoint};
use rollcall_engine::ids::{Region, RegistrationId};
use rollcall_engine::inventory::{Address, Database, DatabaseCluster, Instance, Volume};
use rollcall_engine::reading::{Failure, FailureKind, Reading};
use rollcall_engine::registry::Registry;
use rollcall_monitoring::endpoint::{EndpointPolicy, SystemLookup};
use rollcall_monitoring::http::{Http, Pace, Patience, Tls};
use rollcall_monitoring::mackerel::{
    ApiKey, CHECK_CALLS_PER_MINUTE, CheckReader, Client, DEFAULT_ENDPOINT, KeySource, MackerelSource,
};
use rollcall_monitoring::{Depth, RegistrySource as _};
use rollcall_operator::sources::{
    AccountReader, Calls, Fingerprint, Proofs, RegistryReader, Secret, Sources,
};
use sha2::{Digest as _, Sha256};

/// AWS and the monitoring systems, reached under one policy and at one pace.
pub struct Outside {
    connections: Connections,
    policy: EndpointPolicy,
    tls: Tls,
    pace: Pace,
}

impl Outside {
    /// Nothing is connected yet.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(policy: EndpointPolicy, pace: Pace) -> anyhow::Result<Self> {
        let connections = Connections::new(Limits::default().connect_time);
        Ok(Self { connections, policy, tls: Tls::system()?, pace })
    }

    fn http(&self) -> Result<Http, Failure> {
        Http::new(&self.policy, Arc::new(SystemLookup), &self.tls, self.pace, Patience::default()).map_err(
            |why| Failure::new(FailureKind::Misconfigured, format!("the HTTP client cannot be made: {why}")),
        )
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

    async fn registry(
        &self,
        endpoint: &Endpoint,
        secret: &Secret,
    ) -> Result<Box<dyn RegistryReader>, Failure> {
        let Endpoint::Mackerel(mackerel) = endpoint;
        let url = mackerel.api_url.as_deref().unwrap_or(DEFAULT_ENDPOINT);
        let base = self.policy.endpoint(url).map_err(|why| {
            Failure::new(FailureKind::Misconfigured, format!("spec.mackerel.apiURL: {why}"))
        })?;
        let key = mackerel_key(&mackerel.api_key_secret.name, &mackerel.api_key_secret.key, secret)?;
        let client = Client::new(self.http()?, base);
        let source =
            MackerelSource::new(client, Arc::new(Held(key)), CheckReader::new(CHECK_CALLS_PER_MINUTE));
        Ok(Box::new(Mackerel(source)))
    }

    fn fingerprint(&self, endpoint: &Endpoint, secret: &Secret) -> Fingerprint {
        let Endpoint::Mackerel(mackerel) = endpoint;
        let mut hash = Sha256::new_with_prefix(b"rollcall source\0");
        hash.update(mackerel.api_url.as_deref().unwrap_or(DEFAULT_ENDPOINT).trim_end_matches('/'));
        hash.update(b"\0");
        hash.update(secret.get(&mackerel.api_key_secret.key).unwrap_or_default());
        Fingerprint(hash.finalize().into())
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

fn mackerel_key(name: &str, key: &str, secret: &Secret) -> Result<ApiKey, Failure> {
    let Some(text) = secret.get(key) else {
        let found = secret.keys().collect::<Vec<_>>().join(", ");
        let message = format!(
            "spec.mackerel.apiKeySecret: expected the key {key} in Secret {name}, found {}",
            if found.is_empty() { "none" } else { &found }
        );
        return Err(Failure::new(FailureKind::Misconfigured, message));
    };
    ApiKey::new(text)
}

/// A key that the operator read for this reader; it makes a new reader when the Secret changes.
struct Held(ApiKey);

#[async_trait]
impl KeySource for Held {
    async fn key(&self) -> Result<ApiKey, Failure> {
        Ok(self.0.clone())
    }
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
}

struct Mackerel(MackerelSource);

#[async_trait]
impl RegistryReader for Mackerel {
    fn remember(&mut self, registrations: BTreeSet<RegistrationId>) {
        self.0.remember(registrations);
    }
    async fn read(&mut self, now: Timestamp, proofs: Proofs) -> Registry {
        let depth = match proofs {
            Proofs::Renew => Depth::Hosts,
            Proofs::Spare => Depth::Listings,
        };
        self.0.read(now, depth).await
    }
}

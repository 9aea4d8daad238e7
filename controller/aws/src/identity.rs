//! Where credentials come from: the machine or a Secret, and then, if asked for, a role in the account.
//!
//! They are cached and renewed by the SDK, once per account for all its clients. They must never be printed.

use std::time::Duration;

use aws_config::{AppName, BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_ec2::config::{IdentityCache, Region, retry::RetryPartition};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use rollcall_engine::ids::Place;

use crate::proof::Signatures;
use crate::settings::{AccountSettings, AssumeRole, Identity, Limits, SESSION_NAME};
use crate::wire::{Wire, Wiring};

/// The name by which AWS's logs know our calls.
const APP_NAME: &str = "rollcall";

/// The SDK's behaviour we have tested. Pinned, so that an update of the SDK changes nothing by itself.
fn behaviour() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// What all clients of one account have in common: credentials, retries, timeouts, endpoint.
pub(crate) async fn sdk_config(settings: &AccountSettings, place: &Place, wiring: &Wiring) -> SdkConfig {
    let limits = &settings.limits;
    // Credential sources on this machine (metadata services, web identity) answer no documents of ours, so they take
    // the plain connection. Their number of calls is the SDK's business: a few an hour.
    let connector = wiring.connections.connector();
    let http = aws_smithy_runtime_api::client::http::http_client_fn(move |_, _| connector.clone());
    let mut loader = aws_config::defaults(behaviour())
        .region(Region::new(place.region.as_str().to_owned()))
        .http_client(http)
        .retry_config(retries(limits))
        .timeout_config(timeouts(limits))
        .identity_cache(
            IdentityCache::lazy()
                // Time enough for a throttled AssumeRole with its retries; the SDK's default is five seconds.
                .load_timeout(limits.call_time + Duration::from_secs(1))
                .buffer_time(limits.renew_ahead)
                .build(),
        );
    if let Ok(name) = AppName::new(APP_NAME) {
        loader = loader.app_name(name);
    }
    if let Identity::Static(keys) = &settings.identity {
        loader = loader.credentials_provider(keys.credentials());
    }
    if let Some(url) = &settings.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    let base = loader.load().await;
    let Some(role) = &settings.assume else {
        return base;
    };
    let wire = wiring.wire(place, "AssumeRole", limits.calls_per_second, Signatures::Any);
    let provider = RoleSession { sts: sts_client(&base, &wire, place), role: role.clone() };
    base.into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build()
}

/// An STS client on this wire, with retries that no other account can use up.
pub(crate) fn sts_client(config: &SdkConfig, wire: &Wire, place: &Place) -> aws_sdk_sts::Client {
    let config = aws_sdk_sts::config::Builder::from(config)
        .http_client(wire.http_client())
        .retry_partition(RetryPartition::custom(format!("sts {place}")).build())
        .build();
    aws_sdk_sts::Client::from_conf(config)
}

fn retries(limits: &Limits) -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(limits.attempts)
        .with_initial_backoff(limits.first_backoff)
        .with_max_backoff(limits.max_backoff)
}

fn timeouts(limits: &Limits) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(limits.connect_time)
        .operation_attempt_timeout(limits.attempt_time)
        .operation_timeout(limits.call_time)
        .build()
}

/// Sessions of a role, taken on when the SDK's cache wants one.
///
/// aws-config has a provider for this, but no way to give it a retry partition: its retries come from one bucket
/// for the whole process, where one throttled account starves all others.
struct RoleSession {
    sts: aws_sdk_sts::Client,
    role: AssumeRole,
}

impl std::fmt::Debug for RoleSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RoleSession({:?})", self.role)
    }
}

impl RoleSession {
    async fn open(&self) -> provider::Result {
        let AssumeRole { role_arn, external_id } = &self.role;
        let opened = self
            .sts
            .assume_role()
            .role_arn(role_arn)
            .role_session_name(SESSION_NAME)
            .set_external_id(external_id.clone())
            .send()
            .await
            .map_err(CredentialsError::provider_error)?;
        let incomplete = || CredentialsError::unhandled("AssumeRole answered without credentials");
        let session = opened.credentials.ok_or_else(incomplete)?;
        let expiry = session.expiration.try_into().map_err(|_| incomplete())?;
        Ok(Credentials::new(
            session.access_key_id,
            session.secret_access_key,
            Some(session.session_token),
            Some(expiry),
            "rollcall-role",
        ))
    }
}

impl ProvideCredentials for RoleSession {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.open())
    }
}

//! The HTTPS client that all accounts share: one connection pool, one set of trusted roots.
//!
//! Its TLS is rustls on ring, chosen explicitly: the process must never depend on a default provider.

use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpConnector};

use crate::calls::{CallCount, CallLog};
use crate::settings::Limits;

/// The shared client. Clones share its connections. It belongs to the tokio runtime that first used it.
#[derive(Clone, Debug)]
pub struct Connections {
    connector: SharedHttpConnector,
    /// Outlives the reader of an account, which is made anew whenever its Secret changes.
    pub(crate) log: CallLog,
}

impl Connections {
    /// A client with the machine's trusted roots (`SSL_CERT_FILE`) and proxies (`HTTPS_PROXY`, `NO_PROXY`).
    #[must_use]
    pub fn new(connect_time: Duration) -> Self {
        let settings = HttpConnectorSettings::builder().connect_timeout(connect_time).build();
        let connector = Connector::builder()
            .connector_settings(settings)
            .proxy_config(ProxyConfig::from_env())
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build();
        Self { connector: SharedHttpConnector::new(connector), log: CallLog::default() }
    }

    /// Attempts of all accounts so far, by place, operation and outcome.
    #[must_use]
    pub fn calls(&self) -> Vec<CallCount> {
        self.log.counts()
    }

    pub(crate) fn connector(&self) -> SharedHttpConnector {
        self.connector.clone()
    }
}

impl Default for Connections {
    fn default() -> Self {
        Self::new(Limits::default().connect_time)
    }
}

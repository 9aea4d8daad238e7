//! The HTTPS client that all accounts share: one connection pool, one set of trusted roots.
//!
//! Its TLS is rustls on ring, chosen explicitly: the process must never depend on a default provider.

use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpConnector};

use crate::settings::Limits;

/// The shared client. Clones share its connections. It belongs to the tokio runtime that first used it.
#[derive(Clone, Debug)]
pub struct Connections(SharedHttpConnector);

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
        Self(SharedHttpConnector::new(connector))
    }

    pub(crate) fn connector(&self) -> SharedHttpConnector {
        self.0.clone()
    }
}

impl Default for Connections {
    fn default() -> Self {
        Self::new(Limits::default().connect_time)
    }
}

//! A real Kubernetes control plane: etcd, kube-apiserver and kube-controller-manager of `e2e/controlplane`,
//! each start with a folder, a port and a certificate authority of its own, ready in seconds.
//!
//! It must never be reachable from outside the machine, never touch the developer's kubeconfig, and never
//! outlive the process that started it.
//!
//! Tests of one file may share one (each in namespaces of its own), which saves seconds and 500 MB:
//! ```no_run
//! use rollcall_harness::controlplane::{ControlPlane, Options};
//! use tokio::sync::OnceCell;
//!
//! async fn cluster() -> &'static ControlPlane {
//!     static SHARED: OnceCell<ControlPlane> = OnceCell::const_new();
//!     SHARED.get_or_init(|| async { ControlPlane::start(Options::default()).await.unwrap() }).await
//! }
//! ```
//! A static is never dropped; the servers end, and remove the folder, when the test process does. Clients
//! are not to be shared: each test takes [`ControlPlane::client`] for itself, since a client dies with the
//! async runtime it was made in. Tests that count all writes, or change cluster-wide objects, start their own.
//!
//! `ROLLCALL_KEEP=1` keeps the folder with all logs; its path is in [`ControlPlane::folder`].

mod audit;
mod kubeconfig;
mod kubectl;
mod locate;
mod options;
mod server;
mod start;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use kube::{Api, Client};

pub use audit::{AuditEvent, METADATA_POLICY};
pub use kubectl::Output;
pub use locate::locate;
pub use options::{CONTROLLERS, Options};

use server::Server;

/// How long a service account's token holds: longer than any test, shorter than a leak would matter.
const TOKEN_SECONDS: i64 = 24 * 3600;

/// How often something awaited is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A running control plane. It ends when this value is dropped, and also when the process ends in any
/// other way.
pub struct ControlPlane {
    /// In the order in which they end.
    servers: Vec<Server>,
    binary: PathBuf,
    url: String,
    folder: PathBuf,
    /// Removes `folder`; `None` when it is kept.
    sweep: Option<tempfile::TempDir>,
}

impl ControlPlane {
    /// Starts a control plane and waits until it answers `/readyz` and its controllers work. Builds the
    /// binary first when [`locate`] has to.
    ///
    /// # Errors
    /// When the build fails, a server ends early or is not ready in time; the error quotes the logs' ends.
    pub async fn start(options: Options) -> Result<Self> {
        start::start(options).await
    }

    /// The folder of this control plane: data, keys, kubeconfigs, one log per server, the audit log.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// `https://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The processes that must be gone after the end.
    #[must_use]
    pub fn process_ids(&self) -> Vec<u32> {
        self.servers.iter().map(Server::id).collect()
    }

    /// The multi-call binary: its first argument names the program.
    #[must_use]
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// The administrator's kubeconfig (user `admin`, group `system:masters`), for kubectl, Helm and
    /// `kube::Config`.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.join("admin.kubeconfig")
    }

    /// A new client as administrator.
    ///
    /// # Errors
    /// When the kubeconfig cannot be read.
    pub async fn client(&self) -> Result<Client> {
        kubeconfig::client(&self.kubeconfig()).await
    }

    /// Runs kubectl as administrator. A refusal is an [`Output`] without success, not an error.
    ///
    /// # Errors
    /// When kubectl cannot run or does not end within two minutes.
    pub async fn kubectl(&self, args: &[&str]) -> Result<Output> {
        self.kubectl_with(args, "").await
    }

    /// As [`Self::kubectl`], with `input` as standard input: `kubectl_with(&["apply", "-f", "-"], yaml)`.
    ///
    /// # Errors
    /// As [`Self::kubectl`].
    pub async fn kubectl_with(&self, args: &[&str], input: &str) -> Result<Output> {
        kubectl::run(&self.binary, &self.folder, &self.kubeconfig(), args, input).await
    }

    /// A new kubeconfig that holds a token of the service account and nothing else, so that a client has
    /// exactly the rights its chart gives it. The account must exist.
    ///
    /// # Errors
    /// When the API server grants no token or the file cannot be written.
    pub async fn kubeconfig_for_service_account(&self, namespace: &str, name: &str) -> Result<PathBuf> {
        let token = service_account_token(self.client().await?, namespace, name).await?;
        let path = self.folder.join(format!("{namespace}.{name}.kubeconfig"));
        kubeconfig::write(&path, &self.url, &self.authority(), name, &token)?;
        Ok(path)
    }

    /// A new client with the rights of the service account.
    ///
    /// # Errors
    /// As [`Self::kubeconfig_for_service_account`].
    pub async fn client_for_service_account(&self, namespace: &str, name: &str) -> Result<Client> {
        kubeconfig::client(&self.kubeconfig_for_service_account(namespace, name).await?).await
    }

    /// Every answered request so far that the audit policy wants. A request's line may be written a moment
    /// after its answer: to wait for one use [`Self::audit_until`]; to see that there is none, wait a second.
    ///
    /// # Errors
    /// When the audit log cannot be read or is off.
    pub fn audit_events(&self) -> Result<Vec<AuditEvent>> {
        ensure!(
            self.folder.join(start::AUDIT_POLICY).exists(),
            "Options.audit_policy: expected a policy, found None; without it the server logs no requests"
        );
        audit::read(&self.folder.join(start::AUDIT_LOG))
    }

    /// The first audit event that `wanted` likes, waiting for it up to `within`.
    ///
    /// # Errors
    /// When none comes, or as [`Self::audit_events`].
    pub async fn audit_until(
        &self,
        within: Duration,
        wanted: impl Fn(&AuditEvent) -> bool,
    ) -> Result<AuditEvent> {
        let deadline = tokio::time::Instant::now() + within;
        loop {
            if let Some(found) = self.audit_events()?.into_iter().find(&wanted) {
                return Ok(found);
            }
            if tokio::time::Instant::now() > deadline {
                bail!("no such audit event within {} s; see {}", within.as_secs(), start::AUDIT_LOG);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Ends all servers and waits until they are gone. Dropping does the same without telling of failures.
    ///
    /// # Errors
    /// When a process cannot be ended.
    pub fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn authority(&self) -> PathBuf {
        start::authority(&self.folder)
    }

    fn end(&mut self) -> Result<()> {
        for server in &mut self.servers {
            server.cut_lifeline();
        }
        for mut server in self.servers.drain(..) {
            let id = server.id();
            server.end().with_context(|| format!("cannot end process {id}"))?;
        }
        Ok(())
    }
}

/// A token of a service account, granted by the API server as it grants them to pods.
///
/// # Errors
/// When the account does not exist or the API server grants no token.
pub(crate) async fn service_account_token(client: Client, namespace: &str, name: &str) -> Result<String> {
    let request = TokenRequest {
        spec: Some(TokenRequestSpec {
            expiration_seconds: Some(TOKEN_SECONDS),
            ..TokenRequestSpec::default()
        }),
        ..TokenRequest::default()
    };
    let granted = Api::<ServiceAccount>::namespaced(client, namespace)
        .create_token_request(name, &PostParams::default(), &request)
        .await
        .with_context(|| format!("token for service account {namespace}/{name}"))?;
    granted
        .status
        .and_then(|status| status.token)
        .with_context(|| format!("service account {namespace}/{name}: expected a token, found none"))
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        // Nobody is left to tell; and each server is ended once more by its own drop.
        drop(self.end());
    }
}

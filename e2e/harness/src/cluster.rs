//! A Kubernetes cluster to play in: a control plane of our own, or one that exists already.
//!
//! In a cluster that exists it must never touch anything that it did not make itself.

mod objects;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use kube::config::{
    AuthInfo, Context as KubeContext, KubeConfigOptions, Kubeconfig, NamedAuthInfo, NamedContext,
};
use kube::{Client, Config};
use tokio::process::Command;

use crate::controlplane::{self, ControlPlane, Output};
use objects::Made;

/// A cluster, with the administrator's rights.
pub struct Cluster {
    plane: Option<ControlPlane>,
    kubeconfig: Kubeconfig,
    path: PathBuf,
    folder: PathBuf,
    /// Removes `folder` where the control plane does not do it.
    _sweep: Option<tempfile::TempDir>,
    made: Vec<Made>,
}

impl Cluster {
    /// A control plane of our own; it ends with this value.
    ///
    /// # Errors
    /// As [`ControlPlane::start`].
    pub async fn own(options: controlplane::Options) -> Result<Self> {
        let plane = ControlPlane::start(options).await?;
        let path = plane.kubeconfig();
        let kubeconfig = Kubeconfig::read_from(&path)?;
        // Below the control plane's own folder, which is removed even when we are killed.
        let folder = plane.folder().join("clients");
        std::fs::create_dir(&folder)?;
        Ok(Self { plane: Some(plane), kubeconfig, path, folder, _sweep: None, made: Vec::new() })
    }

    /// The current context of a kubeconfig. What is made in it is removed by [`Self::clean_up`] only: nothing
    /// is removed when this value is dropped.
    ///
    /// # Errors
    /// When the file cannot be read or has no current context.
    pub fn existing(path: &Path) -> Result<Self> {
        let about = || format!("kubeconfig {}", path.display());
        let kubeconfig = Kubeconfig::read_from(path).with_context(about)?;
        kubeconfig.current_context.as_ref().with_context(|| format!("{}: no current-context", about()))?;
        let sweep = private_folder()?;
        let folder = sweep.path().to_owned();
        Ok(Self {
            plane: None,
            kubeconfig,
            path: path.to_owned(),
            folder,
            _sweep: Some(sweep),
            made: Vec::new(),
        })
    }

    /// The control plane, when it is our own.
    #[must_use]
    pub fn plane(&self) -> Option<&ControlPlane> {
        self.plane.as_ref()
    }

    /// A folder for files about this cluster, which goes with it. They may hold tokens.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The administrator's kubeconfig.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.path
    }

    /// The address of its API, for people.
    #[must_use]
    pub fn server(&self) -> String {
        self.connection().and_then(|cluster| cluster.server).unwrap_or_else(|| "an unnamed server".to_owned())
    }

    /// A new client as administrator; it works in the async runtime it was made in.
    ///
    /// # Errors
    /// When the kubeconfig leads nowhere.
    pub async fn client(&self) -> Result<Client> {
        let config =
            Config::from_custom_kubeconfig(self.kubeconfig.clone(), &KubeConfigOptions::default()).await;
        let config = config.with_context(|| format!("kubeconfig {}", self.path.display()))?;
        Ok(Client::try_from(config)?)
    }

    /// A new kubeconfig that holds a token of the service account and nothing else, so that a client has
    /// exactly the rights its chart gives it. The account must exist.
    ///
    /// # Errors
    /// When the API server grants no token or the file cannot be written.
    pub async fn kubeconfig_for_service_account(&self, namespace: &str, name: &str) -> Result<PathBuf> {
        let token = self.token_of(namespace, name).await?;
        let cluster = self.connection().context("the kubeconfig's current context names no cluster")?;
        let alone = Kubeconfig {
            current_context: Some(name.to_owned()),
            contexts: vec![NamedContext {
                name: name.to_owned(),
                context: Some(KubeContext {
                    cluster: "cluster".to_owned(),
                    user: Some(name.to_owned()),
                    ..KubeContext::default()
                }),
                ..NamedContext::default()
            }],
            clusters: vec![kube::config::NamedCluster {
                name: "cluster".to_owned(),
                cluster: Some(cluster),
                ..kube::config::NamedCluster::default()
            }],
            auth_infos: vec![NamedAuthInfo {
                name: name.to_owned(),
                auth_info: Some(AuthInfo { token: Some(token.into()), ..AuthInfo::default() }),
                ..NamedAuthInfo::default()
            }],
            ..Kubeconfig::default()
        };
        let path = self.folder.join(format!("{namespace}.{name}.kubeconfig"));
        std::fs::write(&path, serde_json::to_vec(&alone)?)?;
        Ok(path)
    }

    /// Runs kubectl as administrator: that of the control plane, else the one on `PATH`. A refusal is an
    /// [`Output`] without success, not an error.
    ///
    /// # Errors
    /// When kubectl cannot run.
    pub async fn kubectl(&self, args: &[&str]) -> Result<Output> {
        match &self.plane {
            Some(plane) => plane.kubectl(args).await,
            None => self.kubectl_on_path(args).await,
        }
    }

    async fn kubectl_on_path(&self, args: &[&str]) -> Result<Output> {
        let ran =
            Command::new("kubectl").args(args).env("KUBECONFIG", &self.path).kill_on_drop(true).output();
        let ran = ran
            .await
            .context("kubectl: expected it on PATH, because KUBECONFIG names a cluster that exists")?;
        Ok(Output {
            success: ran.status.success(),
            code: ran.status.code(),
            stdout: String::from_utf8_lossy(&ran.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&ran.stderr).into_owned(),
        })
    }

    /// The words with which a person in another terminal calls kubectl for this cluster: a script in
    /// [`Self::folder`] where the cluster is our own, so that nobody's kubeconfig changes.
    ///
    /// # Errors
    /// When the script cannot be written.
    pub fn kubectl_command(&self) -> Result<String> {
        use std::os::unix::fs::PermissionsExt as _;
        let Some(plane) = &self.plane else { return Ok("kubectl".to_owned()) };
        let path = self.folder.join("kubectl");
        let script = format!(
            "#!/bin/sh\nKUBECONFIG='{}' KUBECACHEDIR='{}' KUBERC=off exec '{}' kubectl \"$@\"\n",
            self.path.display(),
            self.folder.join("kubectl-cache").display(),
            plane.binary().display(),
        );
        std::fs::write(&path, script)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700))?;
        Ok(path.display().to_string())
    }

    /// A bearer token of a service account, which must exist.
    ///
    /// # Errors
    /// When the API server grants none.
    pub async fn token_of(&self, namespace: &str, name: &str) -> Result<String> {
        controlplane::service_account_token(self.client().await?, namespace, name).await
    }

    /// The cluster that the current context names.
    fn connection(&self) -> Option<kube::config::Cluster> {
        let current = self.kubeconfig.current_context.as_ref()?;
        let context = self.kubeconfig.contexts.iter().find(|context| context.name == *current)?;
        let name = &context.context.as_ref()?.cluster;
        self.kubeconfig.clusters.iter().find(|cluster| cluster.name == *name)?.cluster.clone()
    }
}

/// For files that hold tokens: only we may look into it.
fn private_folder() -> Result<tempfile::TempDir> {
    use std::os::unix::fs::PermissionsExt as _;
    let private = std::fs::Permissions::from_mode(0o700);
    Ok(tempfile::Builder::new().prefix("rollcall-cluster-").permissions(private).tempdir()?)
}

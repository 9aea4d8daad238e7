//! Starts the three servers in their order and waits until what a test leans on works.
//!
//! A start that failed must leave nothing running and must say which server failed, in its own words.

use std::fs::Permissions;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use k8s_openapi::api::core::v1::{ConfigMap, ServiceAccount};
use kube::{Api, Client};
use tokio::time::{Instant, sleep, timeout};

use super::server::Server;
use super::{ControlPlane, LOOK_EVERY, Options, kubeconfig, locate};

pub(super) const AUDIT_LOG: &str = "audit.log";
pub(super) const AUDIT_POLICY: &str = "audit-policy.yaml";
const CONTROLLERS_KUBECONFIG: &str = "kube-controller-manager.kubeconfig";
const SIGNING_KEY: &str = "service-account.key";
const TOKENS: &str = "tokens.csv";

/// etcd needs no port: a socket in its own folder cannot collide. The path is relative, because a socket's
/// absolute path may be too long for the kernel (104 to 108 bytes).
const ETCD: &str = "unix://etcd.sock";
const ETCD_PEER: &str = "unix://etcd-peer.sock";

/// Between choosing a free port and the API server's listening, somebody else may take it.
const PORT_ATTEMPTS: u32 = 5;

/// The authority of the API server's certificate, which it makes itself when it starts.
pub(super) fn authority(folder: &Path) -> PathBuf {
    folder.join("apiserver.crt")
}

pub(super) async fn start(options: Options) -> Result<ControlPlane> {
    let binary = tokio::task::spawn_blocking(locate).await??;
    let mut plane = scratch(binary)?;
    let deadline = Instant::now() + options.ready_within;
    let tokens = write_keys(&plane, &options)?;
    let etcd = start_etcd(&plane)?;
    // The last to end.
    plane.servers.push(etcd);
    start_apiserver(&mut plane, &options, &tokens.admin, deadline).await?;
    apply(&plane, &options.manifests).await?;
    if !options.controllers.is_empty() {
        start_controllers(&mut plane, &options, &tokens.controllers, deadline).await?;
    }
    Ok(plane)
}

/// A control plane without servers, in a folder of its own.
fn scratch(binary: PathBuf) -> Result<ControlPlane> {
    let sweep = tempfile::Builder::new()
        .prefix("rollcall-controlplane-")
        // It holds tokens.
        .permissions(Permissions::from_mode(0o700))
        .tempdir()?;
    let keep = std::env::var_os("ROLLCALL_KEEP").is_some_and(|value| !value.is_empty());
    let (folder, sweep) = if keep { (sweep.keep(), None) } else { (sweep.path().to_path_buf(), Some(sweep)) };
    Ok(ControlPlane { servers: Vec::new(), binary, url: String::new(), folder, sweep })
}

struct Tokens {
    admin: String,
    controllers: String,
}

/// Writes what the API server reads at its start: who may come in, its signing key, the audit policy.
fn write_keys(plane: &ControlPlane, options: &Options) -> Result<Tokens> {
    let folder = &plane.folder;
    let tokens = Tokens { admin: secret(), controllers: secret() };
    let csv = format!(
        "{},admin,admin,\"system:masters\"\n{},system:kube-controller-manager,controllers,\"system:masters\"\n",
        tokens.admin, tokens.controllers
    );
    std::fs::write(folder.join(TOKENS), csv)?;
    if let Some(policy) = &options.audit_policy {
        std::fs::write(folder.join(AUDIT_POLICY), policy)?;
    }
    let written = std::process::Command::new(&plane.binary)
        .arg("service-account-key")
        .arg(folder.join(SIGNING_KEY))
        .output()
        .with_context(|| format!("cannot run {}", plane.binary.display()))?;
    ensure!(written.status.success(), "service-account-key: {}", String::from_utf8_lossy(&written.stderr));
    Ok(tokens)
}

/// A token that another user of this machine cannot guess: 128 bits of the standard library's hash seed.
fn secret() -> String {
    let half = || RandomState::new().build_hasher().finish();
    let fresh = RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", half() ^ fresh, half())
}

fn start_etcd(plane: &ControlPlane) -> Result<Server> {
    let args = [
        "--data-dir=etcd".to_owned(),
        format!("--listen-client-urls={ETCD}"),
        format!("--advertise-client-urls={ETCD}"),
        format!("--listen-peer-urls={ETCD_PEER}"),
        format!("--initial-advertise-peer-urls={ETCD_PEER}"),
        format!("--initial-cluster=default={ETCD_PEER}"),
        // Nobody misses this data after a power cut, and tests write a lot.
        "--unsafe-no-fsync".to_owned(),
        "--log-level=warn".to_owned(),
    ];
    Server::start(&plane.binary, "etcd", &plane.folder, &args, plane.sweep.is_some())
}

async fn start_apiserver(
    plane: &mut ControlPlane,
    options: &Options,
    token: &str,
    deadline: Instant,
) -> Result<()> {
    for _ in 0..PORT_ATTEMPTS {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        plane.url = format!("https://127.0.0.1:{port}");
        let args = apiserver_args(options, port);
        let server = Server::start(&plane.binary, "kube-apiserver", &plane.folder, &args, false)?;
        kubeconfig::write(&plane.kubeconfig(), &plane.url, &plane.authority(), "admin", token)?;
        plane.servers.insert(0, server);
        match wait_until_ready(plane, deadline).await {
            Err(error) if format!("{error:#}").contains("address already in use") => plane.servers.remove(0),
            ended => return ended,
        };
    }
    bail!("kube-apiserver: no free port in {PORT_ATTEMPTS} attempts")
}

fn apiserver_args(options: &Options, port: u16) -> Vec<String> {
    let mut args = vec![
        format!("--etcd-servers={ETCD}"),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        "--cert-dir=.".to_owned(),
        // Nothing routes to it; the server refuses to publish a loopback address as an endpoint.
        "--endpoint-reconciler-type=none".to_owned(),
        "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
        "--authorization-mode=RBAC".to_owned(),
        format!("--token-auth-file={TOKENS}"),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--service-account-key-file={SIGNING_KEY}"),
        format!("--service-account-signing-key-file={SIGNING_KEY}"),
        "--profiling=false".to_owned(),
    ];
    if options.audit_policy.is_some() {
        args.push(format!("--audit-policy-file={AUDIT_POLICY}"));
        args.push(format!("--audit-log-path={AUDIT_LOG}"));
        // Megabytes. The default of 100 would start a new file, and a soak test would lose count.
        args.push("--audit-log-maxsize=4096".to_owned());
    }
    args.extend(options.apiserver_flags.iter().cloned());
    args
}

/// Waits for `/readyz`, and for nothing when a server has ended.
async fn wait_until_ready(plane: &mut ControlPlane, deadline: Instant) -> Result<()> {
    loop {
        check_alive(plane)?;
        // The certificate may not be written yet, or only half.
        let answer = match plane.client().await {
            Ok(client) => readyz(&client).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(()) => return Ok(()),
            Err(error) => look_again(plane, deadline, "kube-apiserver is not ready", &error).await?,
        }
    }
}

async fn readyz(client: &Client) -> Result<()> {
    let request = http::Request::get("/readyz").body(Vec::new())?;
    timeout(std::time::Duration::from_secs(5), client.request_text(request)).await??;
    Ok(())
}

/// Applies manifests as the administrator and waits until the kinds among them are served.
async fn apply(plane: &ControlPlane, manifests: &[PathBuf]) -> Result<()> {
    for manifest in manifests {
        let path = manifest.to_str().with_context(|| format!("{}: no UTF-8", manifest.display()))?;
        plane
            .kubectl(&["apply", "--server-side", "--recursive", "-f", path])
            .await?
            .ok()
            .with_context(|| format!("Options.manifests: {path}"))?;
    }
    if !manifests.is_empty() {
        plane
            .kubectl(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"])
            .await?
            .ok()
            .context("Options.manifests: expected every CRD to be established")?;
    }
    Ok(())
}

async fn start_controllers(
    plane: &mut ControlPlane,
    options: &Options,
    token: &str,
    deadline: Instant,
) -> Result<()> {
    let path = plane.folder.join(CONTROLLERS_KUBECONFIG);
    kubeconfig::write(&path, &plane.url, &plane.authority(), "system:kube-controller-manager", token)?;
    let args = [
        format!("--kubeconfig={CONTROLLERS_KUBECONFIG}"),
        format!("--controllers={}", options.controllers.join(",")),
        "--leader-elect=false".to_owned(),
        // No port: nobody asks it for metrics or health.
        "--secure-port=0".to_owned(),
        format!("--service-account-private-key-file={SIGNING_KEY}"),
        "--root-ca-file=apiserver.crt".to_owned(),
        "--min-resync-period=1m".to_owned(),
        // A test deletes a namespace of hundreds of objects and waits for it.
        "--kube-api-qps=500".to_owned(),
        "--kube-api-burst=1000".to_owned(),
    ];
    let server = Server::start(&plane.binary, "kube-controller-manager", &plane.folder, &args, false)?;
    plane.servers.insert(0, server);
    wait_for_controllers(plane, options, deadline).await
}

/// The controllers tell nobody when they work; what two of them make for every namespace does.
async fn wait_for_controllers(plane: &mut ControlPlane, options: &Options, deadline: Instant) -> Result<()> {
    let client = plane.client().await?;
    let accounts = Api::<ServiceAccount>::namespaced(client.clone(), "default");
    let maps = Api::<ConfigMap>::namespaced(client, "default");
    let on = |name: &str| options.controllers.iter().any(|controller| controller == name);
    loop {
        check_alive(plane)?;
        let account = !on("serviceaccount-controller") || accounts.get_opt("default").await?.is_some();
        let root = !on("root-ca-certificate-publisher-controller")
            || maps.get_opt("kube-root-ca.crt").await?.is_some();
        if account && root {
            return Ok(());
        }
        let missing =
            anyhow::anyhow!("default/ServiceAccount default: {account}, ConfigMap kube-root-ca.crt: {root}");
        look_again(plane, deadline, "the controllers do not work yet", &missing).await?;
    }
}

fn check_alive(plane: &mut ControlPlane) -> Result<()> {
    plane.servers.iter_mut().try_for_each(Server::check_alive)
}

/// Waits a moment, or gives up with the ends of all logs when the time is over.
async fn look_again(plane: &ControlPlane, deadline: Instant, what: &str, last: &anyhow::Error) -> Result<()> {
    if Instant::now() > deadline {
        let tails: Vec<String> = plane.servers.iter().map(Server::tail).collect();
        bail!("{what} within Options.ready_within; last answer: {last:#}\n{}", tails.join("\n"));
    }
    sleep(LOOK_EVERY).await;
    Ok(())
}

//! `rollcall run`: wires the operator to AWS and Mackerel. All decisions about wiring are here, none about hosts.
// Help texts are printed as they stand: backticks would be noise in a terminal.
#![allow(clippy::doc_markdown)]

mod logs;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use ipnet::IpNet;
use rollcall_monitoring::endpoint::EndpointPolicy;
use rollcall_monitoring::mackerel::CHECK_CALLS_PER_MINUTE;
use rollcall_operator::Settings;

use crate::CLEAN;
use crate::sources::{Outside, pace};

/// Arguments of `rollcall run`. The cluster is the one the pod runs in, else that of KUBECONFIG.
#[derive(Debug, Parser)]
pub struct RunArgs {
    /// The operator's own namespace: its lease, its memory, and the Secrets of CloudAccounts.
    #[arg(long, env = "ROLLCALL_NAMESPACE", default_value = "rollcall")]
    namespace: String,
    /// Who this replica is in the lease; no two may share it. Default: the host's name.
    #[arg(long, env = "HOSTNAME", default_value = "rollcall")]
    identity: String,
    /// Our service account, for the role bindings that messages print.
    #[arg(long, default_value = "rollcall")]
    service_account: String,
    /// Namespace whose roles, checks and systems every namespace sees.
    #[arg(long, value_name = "NAMESPACE")]
    library_namespace: Option<String>,
    /// Seconds (world time) between two readings of an account's instances and databases.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    inventory_seconds: u64,
    /// Seconds (world time) between two readings of a monitoring system.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    registry_seconds: u64,
    /// Seconds (machine time) between two writes of one part of memory: whoever is killed forgets no more than that.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    memory_seconds: u64,
    /// Calls per second to one monitoring system, all together.
    #[arg(long, default_value_t = 5, value_name = "CALLS", value_parser = clap::value_parser!(u32).range(1..=1000))]
    registry_calls_per_second: u32,
    /// A private range that MonitoringSystems may reach; repeatable. Public addresses over https always may.
    #[arg(long, value_name = "CIDR")]
    allowed_cidr: Vec<IpNet>,
    /// Let MonitoringSystems use http: API keys then travel unencrypted.
    #[arg(long)]
    allow_http: bool,
    /// The folder in which MonitoringSystems may name files of Nagios. Without it, none.
    #[arg(long, value_name = "DIR")]
    nagios_files: Option<PathBuf>,
    /// Where /metrics, /healthz and /readyz are served.
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    http_address: SocketAddr,
    /// Where /v1/recording is served; callers send their Kubernetes token, so keep it on loopback and port-forward.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    recording_address: SocketAddr,
    /// How to write logs.
    #[arg(long, value_enum, default_value_t = LogFormat::Json)]
    log_format: LogFormat,
    /// What to log, in the style of RUST_LOG.
    #[arg(long, env = "RUST_LOG", default_value = "info", value_name = "FILTER")]
    log: String,
    /// Base URL of a fake world whose clock decisions follow. Not in a release build.
    #[cfg(feature = "test-clock")]
    #[arg(long, value_name = "URL")]
    world_clock: Option<String>,
}

/// Log formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    Json,
    /// For people.
    Human,
}

/// Runs until told to stop.
///
/// # Errors
/// When the operator cannot start, or must not go on.
pub fn run(args: RunArgs) -> anyhow::Result<u8> {
    logs::start(args.log_format, &args.log)?;
    // kube and reqwest take the process's provider; the AWS client brings the same one explicitly.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("a TLS provider was already there");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("tokio")?;
    runtime.block_on(operate(args))?;
    Ok(CLEAN)
}

async fn operate(args: RunArgs) -> anyhow::Result<()> {
    let policy = EndpointPolicy { allow_http: args.allow_http, allowed_cidrs: args.allowed_cidr.clone() };
    let sources = Outside::new(policy, pace(args.registry_calls_per_second), CHECK_CALLS_PER_MINUTE)?;
    let sources = Arc::new(sources.with_nagios_files(args.nagios_files.clone()));
    let cluster =
        kube::Config::infer().await.context("expected to run in a cluster, or KUBECONFIG to name one")?;
    rollcall_operator::run(cluster, settings(args), sources, stopped()).await
}

fn settings(args: RunArgs) -> Settings {
    let mut settings = Settings::new(args.namespace, args.identity);
    // The chart names both after its release.
    settings.secret_role = format!("{}-tenant-secrets", args.service_account);
    settings.service_account = args.service_account;
    settings.library_namespace = args.library_namespace;
    settings.inventory_interval = Duration::from_secs(args.inventory_seconds);
    settings.registry_interval = Duration::from_secs(args.registry_seconds);
    settings.memory_interval = Duration::from_secs(args.memory_seconds);
    settings.observability_address = args.http_address;
    settings.recording_address = args.recording_address;
    #[cfg(feature = "test-clock")]
    {
        settings.world_clock = args.world_clock;
    }
    settings
}

/// Ends when a person or the kubelet asks us to.
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = terminate.recv() => {},
            _ = tokio::signal::ctrl_c() => {},
        },
        Err(error) => {
            tracing::warn!(%error, "SIGTERM cannot be listened to; only Ctrl-C stops this process properly");
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

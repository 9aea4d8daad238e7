//! The recording of a running operator: its pod is found by the chart's labels, a port of it forwarded through the API server,
//! and `/v1/recording` asked over it with the caller's own token, which decides what they may see.
//!
//! Nothing is written to the cluster (but a token when one was asked for), and nothing is asked for twice.

mod ask;
mod pods;
mod token;

use std::error::Error as _;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use kube::config::KubeConfigOptions;
use kube::{Client, Config};
use rollcall_engine::recording::Recording;
use tokio::net::TcpStream;

use crate::ways::{ClusterArgs, Ways};
use ask::Answer;

/// All of it: the operator may let a caller wait for 20 s, and 20,000 hosts are some MB.
const WITHIN: Duration = Duration::from_mins(2);

/// Has the operator make a recording of this moment.
///
/// # Errors
/// When there is no way to an operator, it refuses, or what it answers is no recording that this version reads.
pub fn fetch(ways: &Ways) -> anyhow::Result<Recording> {
    // kube takes the process's provider. It fails only when there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("tokio")?;
    let bytes = runtime.block_on(async {
        let within = || format!("expected a recording within {} s, found none", WITHIN.as_secs());
        tokio::time::timeout(WITHIN, recording(ways)).await.with_context(within)?
    })?;
    Recording::from_slice(&bytes).context("what the operator answered")
}

async fn recording(ways: &Ways) -> anyhow::Result<Vec<u8>> {
    let args = &ways.cluster;
    if let (Some(address), Some(file)) = (args.operator_address, &args.token_file) {
        // No API server is needed.
        return direct(address, &token::of_file(file)?).await;
    }
    let mut config = config(args).await?;
    let own = token::own(&mut config).await?;
    let client = Client::try_from(config).context("a client for the cluster")?;
    let token = token::shown(args, own, &client).await?;
    match args.operator_address {
        Some(address) => direct(address, &token).await,
        None => pods::ask(client, ways.operator_namespace(), &token).await,
    }
}

/// The operator at an address of this machine.
async fn direct(address: std::net::SocketAddr, token: &token::Bearer) -> anyhow::Result<Vec<u8>> {
    let stream = TcpStream::connect(address).await.with_context(|| {
        format!(
            "--operator-address: expected an operator at {address}; does it run, or kubectl port-forward?"
        )
    })?;
    match ask::recording(stream, token).await? {
        Answer::Recording(bytes) => Ok(bytes),
        Answer::Elsewhere { why, .. } => anyhow::bail!("the operator at {address}: {why}"),
    }
}

async fn config(args: &ClusterArgs) -> anyhow::Result<Config> {
    let mut config = match &args.context {
        Some(context) => {
            let options =
                KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
            Config::from_kubeconfig(&options).await.with_context(|| format!("--context {context}"))?
        }
        // kube tells both ways it tried, one within the other; the kubeconfig is the one that a person can mend.
        None => Config::infer().await.map_err(|error| {
            let why = error.source().map(ToString::to_string).unwrap_or_default();
            anyhow!(
                "expected a kubeconfig (KUBECONFIG, ~/.kube/config), or to be in a pod, found neither: {why}"
            )
        })?,
    };
    config.connect_timeout = Some(rollcall_operator::calls::CALL_TIMEOUT);
    config.default_retry = false;
    Ok(config)
}

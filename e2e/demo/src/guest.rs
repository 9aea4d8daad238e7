//! The demo as a guest in a cluster that exists: it says what it will make, makes nothing where something like it is
//! there already, and removes everything at the end.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::ListParams;
use kube::{Api, Client};
use rollcall_backlog::LIBRARY;
use rollcall_harness::cluster::Cluster;
use rollcall_harness::world::{TEAM, World};

/// The operator's own namespace here: an installed Rollcall has another.
const NAMESPACE: &str = "rollcall-demo";

/// The world in this cluster, nothing made yet; or nothing at all when its owner said no.
///
/// # Errors
/// When something that the demo would make is there already: it may be in use.
pub async fn open(kubeconfig: &Path) -> Result<Option<World>> {
    let cluster = Cluster::existing(kubeconfig)?;
    println!("KUBECONFIG names the cluster {}.", cluster.server());
    vacant(&cluster.client().await?).await?;
    println!(
        "The demo makes there: the definitions of rollcall.dev, the namespaces {NAMESPACE}, {TEAM} and {LIBRARY},\nand rights \
         for its service account. It removes them at the end. (Unset KUBECONFIG for an API server of its own.)"
    );
    if !agreed().await? {
        return Ok(None);
    }
    // The fakes and the operator listen on this machine's loopback: the cluster needs no way to us.
    Ok(Some(World::in_cluster(cluster, NAMESPACE).await?))
}

async fn vacant(client: &Client) -> Result<()> {
    let definitions = Api::<CustomResourceDefinition>::all(client.clone());
    let found = definitions.list_metadata(&ListParams::default()).await?.items;
    let found = found.into_iter().filter_map(|definition| definition.metadata.name);
    let ours: Vec<String> = found.filter(|name| name.ends_with(".rollcall.dev")).collect();
    ensure!(
        ours.is_empty(),
        "expected a cluster without definitions of rollcall.dev, found {}: Rollcall is installed there, or an earlier \
         demo was killed; choose another cluster, or unset KUBECONFIG",
        ours.join(", ")
    );
    for name in [NAMESPACE, TEAM, LIBRARY] {
        let namespace = Api::<Namespace>::all(client.clone()).get_metadata_opt(name).await?;
        ensure!(
            namespace.is_none(),
            "expected no namespace {name} in this cluster, found one; choose another cluster"
        );
    }
    Ok(())
}

/// A person is asked; a script has decided by setting KUBECONFIG.
async fn agreed() -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Ok(true);
    }
    print!("Go on? [y/N] ");
    std::io::stdout().flush()?;
    // A thread of its own, which nobody waits for: Ctrl-C is an answer too.
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut answer = String::new();
        tell.send(std::io::stdin().lock().read_line(&mut answer).map(|_| answer))
    });
    let answer = told.await??;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

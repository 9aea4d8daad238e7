//! The world before the operator comes: everything is in the cluster, and can be removed again.
#![expect(clippy::unwrap_used, reason = "the lint spares test functions, not what they share")]

use rollcall_harness::cluster::Cluster;
use rollcall_harness::controlplane::{ControlPlane, Options};
use rollcall_harness::world::World;

#[tokio::test]
async fn the_teams_tree_is_in_the_cluster_and_its_mackerel_is_the_fake() {
    let world = World::start().await.unwrap();
    let listed = world.cluster.kubectl(&["get", "-o", "name", "-A", "rcenv,rcacct,rccheck"]).await.unwrap();
    let count = |kind: &str| listed.stdout.lines().filter(|name| name.starts_with(kind)).count();
    assert_eq!((count("environment"), count("cloudaccount"), count("requiredcheck")), (7, 2, 47));
    let url = ["get", "rcmon", "mackerel", "-n", "backlog", "-o", "jsonpath={.spec.mackerel.apiURL}"];
    assert_eq!(world.cluster.kubectl(&url).await.unwrap().ok().unwrap(), world.mackerel_url());
    assert!(world.setup("one").kubeconfig.is_file());
}

#[tokio::test]
async fn a_cluster_that_existed_is_left_as_it_was() {
    let plane = ControlPlane::start(Options::default()).await.unwrap();
    let cluster = Cluster::existing(&plane.kubeconfig()).unwrap();
    plane.kubectl(&["create", "namespace", "mine"]).await.unwrap().ok().unwrap();
    let before = made(&plane).await;

    let mut world = World::in_cluster(cluster, "rollcall-demo").await.unwrap();
    world.install().await.unwrap();
    assert!(made(&plane).await.len() > before.len());
    let folder = world.cluster.folder().to_owned();
    world.clean_up().await.unwrap();

    assert_eq!(made(&plane).await, before);
    assert!(!folder.exists(), "tokens are gone");
}

/// Names of all cluster-wide objects of the kinds that we make.
async fn made(plane: &ControlPlane) -> Vec<String> {
    let args = ["get", "-o", "name", "ns,crd,clusterrole,clusterrolebinding"];
    sorted(&plane.kubectl(&args).await.unwrap().ok().unwrap())
}

fn sorted(lines: &str) -> Vec<String> {
    let mut names: Vec<String> = lines.lines().map(str::to_owned).collect();
    names.sort();
    names
}

//! A control plane with the CRDs, the rights of `rollcall_operator::rbac`, a small team, and replicas of the operator
//! in this process.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::DynamicObject;
use kube::{Api, Client, Config};
use rollcall_crds::v1alpha1 as api;
use rollcall_harness::controlplane::{AuditEvent, ControlPlane, Options};
use rollcall_harness::wait::{Look, until};
use rollcall_operator::rbac::{self, Scope};
use rollcall_operator::{Listeners, Settings, run_on};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};
use tokio::task::JoinHandle;

use super::script::{ACCOUNT, Script};

/// The operator's namespace.
pub const HOME: &str = "rollcall";
pub const TEAM: &str = "team";
pub const REGION: &str = "ap-northeast-1";
/// Where the scripted Mackerel is.
pub const MACKEREL: &str = "https://mackerel.test";
/// The key of the scripted Mackerel. It must never be seen anywhere else.
pub const CANARY: &str = "canary-5fd2c1";

/// Long enough for two cores that also compile.
pub const SOON: Duration = Duration::from_mins(1);

/// Control planes at one time: each is some 400 MB, and stories wait more than they work.
static TURNS: Semaphore = Semaphore::const_new(3);

pub struct Stage {
    pub plane: ControlPlane,
    pub client: Client,
    pub script: Script,
    _turn: SemaphorePermit<'static>,
}

impl Stage {
    /// An empty team: the namespaces, the operator's rights, one account.
    pub async fn empty() -> Result<Self> {
        let turn = TURNS.acquire().await?;
        let logs = tracing_subscriber::fmt().with_env_filter(
            std::env::var("RUST_LOG").unwrap_or_else(|_| "rollcall_operator=info,warn".to_owned()),
        );
        // Another test of this process may have set it.
        let _ = logs.with_test_writer().try_init();
        let yaml = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crds/yaml").canonicalize()?;
        let options = Options { manifests: vec![yaml], controllers: Vec::new(), ..Options::default() };
        let plane = ControlPlane::start(options).await?;
        let client = plane.client().await?;
        let stage = Self { plane, client, script: Script::default(), _turn: turn };
        stage.apply(&rights()).await?;
        stage.apply(&[account(&[REGION], &json!({}))]).await?;
        Ok(stage)
    }

    /// A team with one environment, one role and a monitoring system that knows every host.
    pub async fn team(hosts: usize) -> Result<Self> {
        let stage = Self::empty().await?;
        stage.apply(&team(TEAM)).await?;
        stage.hosts(TEAM, hosts);
        Ok(stage)
    }

    /// So many hosts are there and registered, of the environment that the team of this namespace has.
    pub fn hosts(&self, team: &str, hosts: usize) {
        let ids: Vec<String> = (0..hosts).map(|number| host_id(team, number)).collect();
        let environment = environment_of(team);
        self.script.place(REGION, |place| {
            place.instances.retain(|instance| instance.tags.get("Env") != Some(&*environment));
            place.instances.extend(ids.iter().map(|id| super::script::instance(id, &environment)));
        });
        self.script.system(MACKEREL, |system| {
            let mark = host_id(team, 0)[..6].to_owned();
            system.hosts.retain(|host| !host.name.contains(&mark));
            system.hosts.extend(ids.iter().map(|id| super::script::registration(id)));
        });
    }

    pub async fn apply(&self, objects: &[Value]) -> Result<()> {
        let text: Vec<String> = objects.iter().map(Value::to_string).collect();
        self.plane
            .kubectl_with(&["apply", "--server-side", "--force-conflicts", "-f", "-"], &text.join("\n---\n"))
            .await?
            .ok()?;
        Ok(())
    }

    /// Starts a replica that runs under this service account, at a test's pace.
    pub async fn replica(&self, name: &str, tune: impl FnOnce(&mut Settings)) -> Result<Replica> {
        let kubeconfig = self.plane.kubeconfig_for_service_account(HOME, name).await?;
        let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
        let cluster = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        let mut settings = Settings::new(HOME, name);
        settings.inventory_interval = Duration::from_secs(1);
        settings.registry_interval = Duration::from_secs(1);
        settings.standby_interval = Duration::from_secs(2);
        settings.tick = Duration::from_secs(1);
        settings.first_answer_grace = Duration::from_secs(3);
        settings.lease.duration = Duration::from_secs(6);
        settings.lease.renew_within = Duration::from_secs(4);
        settings.lease.retry = Duration::from_millis(500);
        tune(&mut settings);
        let listeners = Listeners { observability: listener().await?, recording: listener().await? };
        let (observability, recording) =
            (listeners.observability.local_addr()?, listeners.recording.local_addr()?);
        let (stop, stopped) = oneshot::channel::<()>();
        // A replica that is forgotten goes on until its handle is dropped.
        let shutdown = async { drop(stopped.await) };
        let sources = Arc::new(self.script.clone());
        let task = tokio::spawn(run_on(listeners, cluster, settings, sources, shutdown));
        Ok(Replica { stop: Some(stop), task, observability, recording })
    }

    /// The status of an object of the team, once `good` likes it.
    pub async fn status<K>(&self, name: &str, good: impl Fn(&Value) -> bool) -> Result<Value>
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        self.status_in::<K>(TEAM, name, good).await
    }

    pub async fn status_in<K>(
        &self,
        namespace: &str,
        name: &str,
        good: impl Fn(&Value) -> bool,
    ) -> Result<Value>
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        let resource = kube::api::ApiResource::erase::<K>(&());
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), namespace, &resource);
        let what = format!("{} {namespace}/{name} is as expected", resource.kind);
        until(what, SOON, async || {
            let Some(object) = api.get_opt(name).await? else {
                return Ok(Look::NotYet("no object".to_owned()));
            };
            let status = object.data["status"].clone();
            Ok(if good(&status) { Look::There(status) } else { Look::NotYet(format!("{status:#}")) })
        })
        .await
    }

    /// Changes an object of the team as a person would.
    pub async fn patch<K>(&self, name: &str, change: &Value) -> Result<()>
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), TEAM, &kube::api::ApiResource::erase::<K>(&()));
        api.patch(name, &kube::api::PatchParams::default(), &kube::api::Patch::Merge(change)).await?;
        Ok(())
    }

    /// Deletes an object of the team.
    pub async fn delete<K>(&self, name: &str) -> Result<()>
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), TEAM, &kube::api::ApiResource::erase::<K>(&()));
        api.delete(name, &kube::api::DeleteParams::default()).await?;
        Ok(())
    }

    /// Hosts of the team that have a status.
    pub async fn told_hosts(&self, namespace: &str) -> Result<usize> {
        let hosts: Api<api::Host> = Api::namespaced(self.client.clone(), namespace);
        let hosts = hosts.list(&kube::api::ListParams::default()).await?;
        Ok(hosts.items.iter().filter(|host| host.status.as_ref().is_some_and(|s| s.state.is_some())).count())
    }

    /// Writes of a replica so far, its lease left out.
    pub fn writes(&self, replica: &str) -> Result<Vec<AuditEvent>> {
        let user = format!("system:serviceaccount:{HOME}:{replica}");
        let events = self.plane.audit_events()?.into_iter();
        Ok(events.filter(|e| e.user == user && e.is_write() && e.resource != "leases").collect())
    }

    /// Waits until a replica has written nothing for three seconds; the audit log is a moment behind.
    pub async fn quiet(&self, replica: &str) -> Result<usize> {
        let (mut count, mut since) = (0, tokio::time::Instant::now());
        until(format!("{replica} is quiet"), SOON, async || {
            let now = self.writes(replica)?.len();
            if now != count {
                (count, since) = (now, tokio::time::Instant::now());
            }
            Ok(Look::that(since.elapsed() > Duration::from_secs(3), || format!("{now} writes")))
        })
        .await?;
        Ok(count)
    }
}

/// A replica in this process.
pub struct Replica {
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<()>>,
    pub observability: SocketAddr,
    pub recording: SocketAddr,
}

impl Replica {
    /// As SIGTERM does.
    pub async fn stop(mut self) -> Result<()> {
        drop(self.stop.take());
        (&mut self.task).await.context("the replica panicked")?
    }

    /// As SIGKILL does: nothing is flushed, the lease is not given back.
    pub async fn kill(self) {
        self.task.abort();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    pub async fn get(&self, path: &str) -> Result<(u16, String)> {
        let answer = reqwest::get(format!("http://{}{path}", self.observability)).await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    /// Waits until `/readyz` begins with this.
    pub async fn says(&self, wanted: &str) -> Result<()> {
        until(format!("readyz says {wanted}"), SOON, async || {
            let (_, text) = self.get("/readyz").await?;
            Ok(Look::that(text.contains(wanted), || text))
        })
        .await
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listener() -> Result<TcpListener> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?)
}

/// The id of a host of the team of this namespace, as long as AWS makes them.
pub fn host_id(team: &str, number: usize) -> String {
    format!("i-{}{number:013x}", if team == TEAM { "07ea" } else { "0a1f" })
}

/// The environment of the team of this namespace.
pub fn environment_of(team: &str) -> String {
    if team == TEAM { "jp1".to_owned() } else { format!("{team}1") }
}

/// Namespaces, two service accounts, and for both exactly the rights that the operator says it uses.
fn rights() -> Vec<Value> {
    let namespace = |name: &str| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    let subjects: Vec<Value> =
        ["a", "b"].map(|name| json!({"kind": "ServiceAccount", "name": name, "namespace": HOME})).into();
    let group = "rbac.authorization.k8s.io";
    let version = format!("{group}/v1");
    let mut objects = vec![namespace(HOME), namespace(TEAM), namespace("rival")];
    for name in ["a", "b"] {
        objects.push(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": HOME}}));
    }
    objects.push(json!({"apiVersion": version, "kind": "ClusterRole", "metadata": {"name": "rollcall"},
        "rules": rbac::rules(Scope::Cluster)}));
    objects
        .push(json!({"apiVersion": version, "kind": "ClusterRoleBinding", "metadata": {"name": "rollcall"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "rollcall"}, "subjects": subjects}));
    objects.push(
        json!({"apiVersion": version, "kind": "Role", "metadata": {"name": "rollcall", "namespace": HOME},
        "rules": rbac::rules(Scope::OwnNamespace)}),
    );
    objects.push(json!({"apiVersion": version, "kind": "RoleBinding", "metadata": {"name": "rollcall", "namespace": HOME},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "rollcall"}, "subjects": subjects}));
    objects.push(
        json!({"apiVersion": version, "kind": "ClusterRole", "metadata": {"name": "rollcall-tenant-secrets"},
        "rules": rbac::rules(Scope::TenantNamespace)}),
    );
    objects.push(json!({"apiVersion": version, "kind": "RoleBinding",
        "metadata": {"name": "rollcall-tenant-secrets", "namespace": TEAM},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "rollcall-tenant-secrets"}, "subjects": subjects}));
    objects
}

/// The account, which lets every namespace of this file claim.
pub fn account(regions: &[&str], more: &Value) -> Value {
    let grants: Vec<Value> = [TEAM, "rival"]
        .map(|name| json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}))
        .into();
    let mut spec = json!({"accountID": ACCOUNT, "regions": regions, "grants": grants});
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"apiVersion": "rollcall.dev/v1alpha1", "kind": "CloudAccount", "metadata": {"name": "prod"}, "spec": spec})
}

pub fn object(kind: &str, namespace: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "rollcall.dev/v1alpha1", "kind": kind,
        "metadata": {"namespace": namespace, "name": name}, "spec": spec})
}

pub fn environment(namespace: &str, name: &str) -> Value {
    object(
        "Environment",
        namespace,
        name,
        &json!({
            "accounts": [{"name": "prod"}], "selector": {"anyOf": [{"matchTags": {"Env": [name]}}]},
            "owner": {"name": "sre"}, "settleMinutes": 0, "roles": {"fromTag": {"key": "Role"}},
            "monitoring": [{"system": "mackerel", "hosts": "All"}],
        }),
    )
}

pub fn system(namespace: &str, name: &str, url: &str) -> Value {
    let spec = json!({"mackerel": {"apiURL": url, "apiKeySecret": {"name": "mackerel", "key": "api-key"}}});
    object("MonitoringSystem", namespace, name, &spec)
}

pub fn secret(namespace: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": namespace, "name": "mackerel"},
        "stringData": {"api-key": CANARY}})
}

/// One environment, the role that its hosts' tag names, one system and its key.
pub fn team(namespace: &str) -> Vec<Value> {
    vec![
        secret(namespace),
        system(namespace, "mackerel", MACKEREL),
        object("HostRole", namespace, "app", &json!({"type": "Duty"})),
        environment(namespace, &environment_of(namespace)),
    ]
}

/// `True Fresh`, `False Denied`, … of a condition, or `none`.
pub fn condition(status: &Value, type_: &str) -> String {
    let found =
        status["conditions"].as_array().and_then(|list| list.iter().find(|c| c["type"] == type_).cloned());
    found.map_or("none".to_owned(), |c| {
        format!("{} {}", c["status"].as_str().unwrap_or_default(), c["reason"].as_str().unwrap_or_default())
    })
}

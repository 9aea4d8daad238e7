//! The operator's pods, found by the labels of the chart, and a port of one of them, forwarded through the API server: the
//! recording is served on the pod's loopback alone.

use std::collections::BTreeSet;

use anyhow::{Context as _, anyhow, bail};
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::{Api, Client};
use rollcall_engine::text::{clean, few};
use rollcall_operator::calls::{CALL_TIMEOUT, CallError, bounded};

use super::ask::{self, Answer};
use super::token::Bearer;

/// What the chart labels its pods with.
const LABEL: &str = "app.kubernetes.io/name=rollcall";
/// The port where the chart has the recording served.
const PORT: u16 = 8081;
/// More pods than this are no replicas.
const MOST_PODS: usize = 10;

/// The recording of the replica that holds the lease, whichever of them knows it.
///
/// # Errors
/// When no pod can be found or reached, or the operator refuses.
pub async fn ask(client: Client, namespace: &str, token: &Bearer) -> anyhow::Result<Vec<u8>> {
    let api: Api<Pod> = Api::namespaced(client, namespace);
    let mut left = running(&api, namespace).await?;
    let mut last = anyhow!("nobody was asked");
    // Each replica is asked once: the holder as soon as one of them names it.
    while let Some(name) = left.pop() {
        match of_pod(&api, namespace, &name, token).await {
            Ok(Answer::Recording(bytes)) => return Ok(bytes),
            Ok(Answer::Elsewhere { holder, why }) => {
                last = anyhow!("pod {namespace}/{name}: {why}");
                if let Some(at) = left.iter().position(|pod| Some(pod) == holder.as_ref()) {
                    let holder = left.remove(at);
                    left.push(holder);
                }
            }
            Err(Refused::ByOperator(error)) => return Err(error),
            Err(Refused::Unreachable(error)) => last = error,
        }
    }
    Err(last)
}

/// Names of pods that run, in reverse order.
async fn running(api: &Api<Pod>, namespace: &str) -> anyhow::Result<Vec<String>> {
    let pods = match bounded(api.list(&ListParams::default().labels(LABEL))).await {
        Ok(pods) => pods.items,
        Err(error) if error.code() == Some(403) => bail!(
            "expected the right to list pods in namespace {namespace}, found that you have it not; the operator is reached \
             through its pod: ask for the verbs get and list on pods, get and create on pods/portforward there"
        ),
        Err(error) => return Err(error).with_context(|| format!("pods of namespace {namespace}")),
    };
    let phase = |pod: &Pod| pod.status.as_ref().and_then(|status| status.phase.clone()).unwrap_or_default();
    let is_up = |pod: &&Pod| phase(pod) == "Running" && pod.metadata.deletion_timestamp.is_none();
    let up: BTreeSet<String> =
        pods.iter().filter(is_up).filter_map(|pod| pod.metadata.name.clone()).collect();
    if !up.is_empty() {
        return Ok(up.into_iter().take(MOST_PODS).rev().collect());
    }
    let found: Vec<String> = pods
        .iter()
        .map(|pod| {
            format!("{} {}", clean(pod.metadata.name.as_deref().unwrap_or_default()), clean(&phase(pod)))
        })
        .collect();
    if found.is_empty() {
        bail!(
            "expected a running pod with the label {LABEL} in namespace {namespace}, found none; name the operator's \
             namespace with --operator-namespace, or, when it runs outside the cluster, its address with --operator-address"
        )
    }
    bail!(
        "expected a running pod of the operator in namespace {namespace}, found {}; see kubectl describe pods -n {namespace} -l \
         {LABEL}",
        few(&found, found.len(), MOST_PODS)
    )
}

/// Why a pod brought nothing.
enum Refused {
    /// Another one would say the same.
    ByOperator(anyhow::Error),
    /// Another one may be reached.
    Unreachable(anyhow::Error),
}

async fn of_pod(api: &Api<Pod>, namespace: &str, name: &str, token: &Bearer) -> Result<Answer, Refused> {
    let about = format!("port {PORT} of pod {namespace}/{name}");
    let forwarded = bounded(api.portforward(name, &[PORT])).await;
    let mut forwarded = forwarded.map_err(|error| match error.code() {
        Some(403) => Refused::ByOperator(anyhow!(
            "expected the right to forward ports of pods in namespace {namespace}, found that you have it not; ask for the \
             verbs get and create on pods/portforward there"
        )),
        _ => Refused::Unreachable(unforwarded(error, &about)),
    })?;
    let (Some(stream), Some(trouble)) = (forwarded.take_stream(PORT), forwarded.take_error(PORT)) else {
        return Err(Refused::Unreachable(anyhow!("{about} was not forwarded")));
    };
    let answer = ask::recording(stream, token).await;
    let Err(error) = answer else { return answer.map_err(Refused::ByOperator) };
    if !error.chain().any(|cause| cause.downcast_ref::<hyper::Error>().is_some()) {
        return Err(Refused::ByOperator(error));
    }
    // The pod's side says why, if it is that which broke.
    let trouble = tokio::time::timeout(CALL_TIMEOUT, trouble).await.ok().flatten();
    let why = trouble.map_or_else(|| format!("{error:#}"), |trouble| clean(&trouble).to_string());
    Err(Refused::Unreachable(anyhow!(
        "{about} cannot be reached: {why}; does an operator of this version run there?"
    )))
}

fn unforwarded(error: CallError, about: &str) -> anyhow::Error {
    anyhow::Error::from(error).context(format!("{about} cannot be forwarded"))
}

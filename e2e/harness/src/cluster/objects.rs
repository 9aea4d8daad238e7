//! Objects that we make in a cluster: applied from manifests, remembered, and removed again.
//!
//! It must never remove an object that it did not make.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::discovery::{ApiCapabilities, ApiResource, Scope, pinned_kind};
use kube::{Api, Client};
use serde_json::Value;

use super::Cluster;
use crate::wait::{Look, until};

/// Who made them, for the API server's bookkeeping of fields.
const FIELD_MANAGER: &str = "rollcall-harness";

/// A new kind is served within a second or so.
const SERVED_WITHIN: Duration = Duration::from_secs(30);

/// Deleting a namespace means deleting hundreds of objects first.
const REMOVED_WITHIN: Duration = Duration::from_mins(2);

/// What others hang on: made first, and waited for when it is removed.
const GROUNDS: [&str; 2] = ["CustomResourceDefinition", "Namespace"];

/// An object that did not exist before.
#[derive(Clone, Debug)]
pub(super) struct Made {
    resource: ApiResource,
    namespace: Option<String>,
    name: String,
}

impl Cluster {
    /// Applies every document of the file, or of the YAML and JSON files below the folder, after `change` has
    /// had its way with each.
    ///
    /// # Errors
    /// When a file cannot be read or the API server refuses an object.
    pub async fn apply_files(&mut self, path: &Path, change: impl Fn(&mut Value)) -> Result<()> {
        let mut documents = Vec::new();
        for file in manifests(path)? {
            let about = || file.display().to_string();
            let text = std::fs::read_to_string(&file).with_context(about)?;
            documents.extend(parse(&text).with_context(about)?);
        }
        documents.iter_mut().for_each(change);
        self.apply(documents).await
    }

    /// Applies every document of this YAML.
    ///
    /// # Errors
    /// When it is no YAML or the API server refuses an object.
    pub async fn apply_yaml(&mut self, yaml: &str) -> Result<()> {
        self.apply(parse(yaml)?).await
    }

    /// Applies objects: definitions and namespaces first, because the others need them.
    ///
    /// # Errors
    /// When the API server refuses one.
    pub async fn apply(&mut self, objects: Vec<Value>) -> Result<()> {
        let client = self.client().await?;
        let is_ground = |object: &Value| GROUNDS.iter().any(|kind| object["kind"] == *kind);
        let (grounds, rest): (Vec<_>, Vec<_>) = objects.into_iter().partition(is_ground);
        for object in grounds.into_iter().chain(rest) {
            self.apply_one(&client, object).await?;
        }
        Ok(())
    }

    async fn apply_one(&mut self, client: &Client, object: Value) -> Result<()> {
        let object: DynamicObject = serde_json::from_value(object)?;
        let types = object.types.clone().context("an object without apiVersion and kind")?;
        let name =
            object.metadata.name.clone().with_context(|| format!("a {} without a name", types.kind))?;
        let about = || format!("{} {name}", types.kind);
        let kind = GroupVersionKind::try_from(&types).with_context(about)?;
        let (resource, capabilities) = served(client, &kind).await?;
        let namespace = (capabilities.scope == Scope::Namespaced)
            .then(|| object.metadata.namespace.clone().unwrap_or_else(|| "default".to_owned()));
        let api = api(client, &resource, namespace.as_deref());
        let is_new = api.get_metadata_opt(&name).await.with_context(about)?.is_none();
        let parameters = PatchParams::apply(FIELD_MANAGER).force();
        api.patch(&name, &parameters, &Patch::Apply(&object)).await.with_context(about)?;
        if is_new {
            self.made.push(Made { resource, namespace, name: name.clone() });
        }
        if kind.kind == "CustomResourceDefinition" {
            established(client, &name).await?;
        }
        Ok(())
    }

    /// Removes what was made here, the last first, and waits until it is gone. A control plane of our own goes
    /// with everything in it; nothing is removed there.
    ///
    /// # Errors
    /// When the API server refuses, or something is still there after minutes.
    pub async fn clean_up(&mut self) -> Result<()> {
        if self.plane().is_some() {
            return Ok(());
        }
        let client = self.client().await?;
        while let Some(made) = self.made.pop() {
            let api = api(&client, &made.resource, made.namespace.as_deref());
            let about = format!("{} {}", made.resource.kind, made.name);
            match api.delete(&made.name, &DeleteParams::default()).await {
                // Gone with its namespace or its definition.
                Err(kube::Error::Api(status)) if status.code == 404 => continue,
                deleted => drop(deleted.with_context(|| about.clone())?),
            }
            if GROUNDS.contains(&made.resource.kind.as_str()) {
                until(format!("{about} is gone"), REMOVED_WITHIN, async || {
                    let left = api.get_metadata_opt(&made.name).await?;
                    Ok(Look::that(left.is_none(), || "still there".to_owned()))
                })
                .await?;
            }
        }
        Ok(())
    }
}

fn parse(yaml: &str) -> Result<Vec<Value>> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(yaml)?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
}

fn api(client: &Client, resource: &ApiResource, namespace: Option<&str>) -> Api<DynamicObject> {
    match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, resource),
        None => Api::all_with(client.clone(), resource),
    }
}

/// The resource of a kind, waiting for one that was defined a moment ago.
async fn served(client: &Client, kind: &GroupVersionKind) -> Result<(ApiResource, ApiCapabilities)> {
    until(format!("kind {} is served", kind.kind), SERVED_WITHIN, async || {
        Ok(match pinned_kind(client, kind).await {
            Ok(found) => Look::There(found),
            Err(error) => Look::NotYet(error.to_string()),
        })
    })
    .await
}

async fn established(client: &Client, name: &str) -> Result<()> {
    let definitions = Api::<CustomResourceDefinition>::all(client.clone());
    until(format!("definition {name} is established"), SERVED_WITHIN, async || {
        let status = definitions.get(name).await?.status;
        let conditions = status.and_then(|status| status.conditions).unwrap_or_default();
        let established = conditions.iter().any(|c| c.type_ == "Established" && c.status == "True");
        Ok(Look::that(established, || format!("{conditions:?}")))
    })
    .await
}

/// The file, or all YAML and JSON files below the folder, in the order of their paths.
fn manifests(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).with_context(|| path.display().to_string())? {
        let entry = entry?.path();
        if entry.is_dir() {
            files.extend(manifests(&entry)?);
        } else if entry
            .extension()
            .is_some_and(|end| ["yaml", "yml", "json"].iter().any(|known| end == *known))
        {
            files.push(entry);
        }
    }
    files.sort();
    Ok(files)
}

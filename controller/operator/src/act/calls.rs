//! The writes themselves: server-side apply by one manager for what is wholly ours, deletes with a precondition.

use std::sync::Arc;

use kube::api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions};
use kube::{Api, Client, Resource};
use rollcall_crds::v1alpha1 as api;
use rollcall_crds::v1alpha1::{HostSpec, HostStatus};
use rollcall_engine::fleet::Kind;
use rollcall_engine::ids::ObjectKey;
use serde_json::{Value, json};

use super::Budget;
use crate::calls::{CallError, bounded};
use crate::status::{HostWrite, ObjectWrite, RetirementWrite};
use crate::watch::meaning;

/// The one manager of every field we write. Others never own a status of ours, so its conflicts are forced.
pub const FIELD_MANAGER: &str = "rollcall";

/// Writes, each call of it within its budget and its time.
#[derive(Clone)]
pub struct Calls {
    client: Client,
    budget: Arc<Budget>,
}

/// What the API server holds after the write of a Host object.
pub enum HostNow {
    /// This, and its status means that.
    There(Box<DynamicObject>, Option<u64>),
    /// Nothing.
    Gone,
}

impl Calls {
    /// Writes through this client, within this budget.
    #[must_use]
    pub fn new(client: Client, budget: Arc<Budget>) -> Self {
        Self { client, budget }
    }

    /// Writes the status of an object that people wrote. The caller has spent the budget for it.
    ///
    /// # Errors
    /// What the API server says.
    pub async fn object(&self, write: &ObjectWrite) -> Result<DynamicObject, CallError> {
        let resource = resource(write.kind);
        // The uid makes the API server refuse another object under the same name.
        let mut metadata = metadata(&write.key);
        metadata.as_object_mut().map(|fields| fields.insert("uid".to_owned(), write.uid.clone().into()));
        let body = body(&resource, &metadata, "status", &write.status);
        self.apply_status(&resource, &write.key, &body).await
    }

    /// Writes one Host object. The caller has spent the budget for the first call of it.
    ///
    /// # Errors
    /// What the API server says.
    pub async fn host(&self, write: &HostWrite) -> Result<HostNow, CallError> {
        match write {
            HostWrite::Create { key, spec, status } => {
                self.create(key, spec).await?;
                self.budget.spend().await;
                self.tell(key, status).await
            }
            HostWrite::Tell { key, status } => self.tell(key, status).await,
            HostWrite::Delete { key, resource_version } => self.delete(key, *resource_version).await,
        }
    }

    /// Writes one Retirement, each time with the version that was read. The caller has spent the budget for it. Gives the object
    /// as it is now; none once it is gone.
    ///
    /// # Errors
    /// What the API server says; a conflict when somebody was faster.
    pub async fn retirement(&self, write: &RetirementWrite) -> Result<Option<DynamicObject>, CallError> {
        let resource = resource(Kind::Retirement);
        let api = self.api(&resource, write.key());
        let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        match write {
            RetirementWrite::Create { key, spec } => {
                let mut object = DynamicObject::new(&key.name, &resource).within(&key.namespace);
                object.data = json!({"spec": spec});
                bounded(api.create(&params, &object)).await.map(Some)
            }
            RetirementWrite::Replace { key, uid, resource_version, spec, status, .. } => {
                let mut object = DynamicObject::new(&key.name, &resource).within(&key.namespace);
                object.metadata.uid = Some(uid.clone());
                object.metadata.resource_version = Some(resource_version.to_string());
                object.data = json!({"spec": spec, "status": status});
                bounded(api.replace_status(&key.name, &params, &object)).await.map(Some)
            }
            RetirementWrite::Delete { key, uid, resource_version } => {
                let preconditions = Preconditions {
                    resource_version: Some(resource_version.to_string()),
                    uid: Some(uid.clone()),
                };
                let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
                match bounded(api.delete(&key.name, &params)).await {
                    Ok(_) => Ok(None),
                    Err(error) if error.is_not_found() => Ok(None),
                    Err(error) => Err(error),
                }
            }
        }
    }

    async fn create(&self, key: &ObjectKey, spec: &HostSpec) -> Result<(), CallError> {
        let resource = host_resource();
        let body = body(&resource, &metadata(key), "spec", spec);
        let params = PatchParams::apply(FIELD_MANAGER).force();
        bounded(self.api(&resource, key).patch(&key.name, &params, &Patch::Apply(&body))).await?;
        Ok(())
    }

    async fn tell(&self, key: &ObjectKey, status: &HostStatus) -> Result<HostNow, CallError> {
        let resource = host_resource();
        let body = body(&resource, &metadata(key), "status", status);
        match self.apply_status(&resource, key, &body).await {
            Ok(object) => Ok(HostNow::There(Box::new(object), Some(meaning(status)))),
            // Somebody deleted it meanwhile: the next pass makes it again.
            Err(error) if error.is_not_found() => Ok(HostNow::Gone),
            Err(error) => Err(error),
        }
    }

    async fn delete(&self, key: &ObjectKey, resource_version: u64) -> Result<HostNow, CallError> {
        let preconditions = Preconditions { resource_version: Some(resource_version.to_string()), uid: None };
        let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
        match bounded(self.api(&host_resource(), key).delete(&key.name, &params)).await {
            Ok(_) => Ok(HostNow::Gone),
            Err(error) if error.is_not_found() => Ok(HostNow::Gone),
            Err(error) => Err(error),
        }
    }

    async fn apply_status(
        &self,
        resource: &ApiResource,
        key: &ObjectKey,
        body: &Value,
    ) -> Result<DynamicObject, CallError> {
        let params = PatchParams::apply(FIELD_MANAGER).force();
        bounded(self.api(resource, key).patch_status(&key.name, &params, &Patch::Apply(body))).await
    }

    fn api(&self, resource: &ApiResource, key: &ObjectKey) -> Api<DynamicObject> {
        if key.namespace.is_empty() {
            Api::all_with(self.client.clone(), resource)
        } else {
            Api::namespaced_with(self.client.clone(), &key.namespace, resource)
        }
    }
}

fn metadata(key: &ObjectKey) -> Value {
    if key.namespace.is_empty() {
        json!({"name": key.name})
    } else {
        json!({"name": key.name, "namespace": key.namespace})
    }
}

fn body(resource: &ApiResource, metadata: &Value, field: &str, content: &impl serde::Serialize) -> Value {
    json!({"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, field: content})
}

fn host_resource() -> ApiResource {
    erase::<api::Host>()
}

fn resource(kind: Kind) -> ApiResource {
    match kind {
        Kind::CloudAccount => erase::<api::CloudAccount>(),
        Kind::Environment => erase::<api::Environment>(),
        Kind::HostRole => erase::<api::HostRole>(),
        Kind::RequiredCheck => erase::<api::RequiredCheck>(),
        Kind::MonitoringSystem => erase::<api::MonitoringSystem>(),
        Kind::Exemption => erase::<api::Exemption>(),
        Kind::RetirementPolicy => erase::<api::RetirementPolicy>(),
        Kind::Retirement => erase::<api::Retirement>(),
        Kind::NotificationChannel => erase::<api::NotificationChannel>(),
    }
}

fn erase<K: Resource<DynamicType = ()>>() -> ApiResource {
    ApiResource::erase::<K>(&())
}

//! The kinds that people write, as the watches and statuses see them.

use std::fmt::Debug;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::Resource;
use kube::core::object::HasStatus;
use rollcall_crds::v1alpha1 as api;
use rollcall_engine::fleet::Kind;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A kind that people write and on which we keep a status.
pub trait Watched:
    Resource<DynamicType = ()>
    + HasStatus<Status = Self::Told>
    + DeserializeOwned
    + Clone
    + Debug
    + Send
    + Sync
    + 'static
{
    /// Its name in problems.
    const KIND: Kind;
    /// Its status.
    type Told: Told;
}

/// A status with conditions.
pub trait Told: Clone + Debug + Default + PartialEq + Serialize + Send + Sync + 'static {
    /// Its conditions.
    fn conditions(&self) -> &[Condition];
    /// Its conditions.
    fn conditions_mut(&mut self) -> &mut Vec<Condition>;
}

macro_rules! watched {
    ($($kind:ident, $status:ident;)*) => {$(
        impl Watched for api::$kind {
            const KIND: Kind = Kind::$kind;
            type Told = api::$status;
        }
        impl Told for api::$status {
            fn conditions(&self) -> &[Condition] {
                &self.conditions
            }
            fn conditions_mut(&mut self) -> &mut Vec<Condition> {
                &mut self.conditions
            }
        }
    )*};
}

watched! {
    CloudAccount, CloudAccountStatus;
    Environment, EnvironmentStatus;
    HostRole, HostRoleStatus;
    RequiredCheck, RequiredCheckStatus;
    MonitoringSystem, MonitoringSystemStatus;
    Exemption, ExemptionStatus;
    RetirementPolicy, RetirementPolicyStatus;
    Retirement, RetirementStatus;
    NotificationChannel, NotificationChannelStatus;
}

//! Version `v1alpha1`: one file per kind. Names are settled for ever; fields grow with what acts on them.

// These comments are what `kubectl explain` prints: kinds stand there without backticks, as in Kubernetes' own.
#![allow(clippy::doc_markdown)]
// Clippy reads `type_` of two printer columns as one attribute given twice.
#![allow(clippy::duplicated_attributes)]

mod assertion;
mod cloudaccount;
mod environment;
mod exemption;
mod host;
mod hostrole;
mod monitoringsystem;
mod notificationchannel;
mod requiredcheck;
mod retirement;
mod retirementpolicy;
mod selector;

/// A Kubernetes object name (DNS subdomain). A reference that cannot name any object is refused at once
/// instead of becoming a "not found" later.
const NAME: &str = "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$";
/// A namespace (DNS label).
const NAMESPACE: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
/// An AWS region such as `ap-northeast-1` or `us-gov-west-1`.
const REGION: &str = "^[a-z]{2}(-[a-z]+)+-[0-9]+$";
/// An AWS account id.
const ACCOUNT_ID: &str = "^[0-9]{12}$";
/// A day, `YYYY-MM-DD`. Not `format: date`: with it the API server takes a list of any texts for a day.
const DAY: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";
/// The rule that sorts out 30 February.
const IS_A_DAY: &str = "!format.date().validate(self).hasValue()";

pub use assertion::*;
pub use cloudaccount::*;
pub use environment::*;
pub use exemption::*;
pub use host::*;
pub use hostrole::*;
pub use monitoringsystem::*;
pub use notificationchannel::*;
pub use requiredcheck::*;
pub use retirement::*;
pub use retirementpolicy::*;
pub use selector::*;

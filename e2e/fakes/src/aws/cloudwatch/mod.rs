//! The actions of `CloudWatch` that Rollcall's reader and its tests use: reading metrics, and putting some of one's own.
//!
//! Of metrics of AWS's own there are those of instances and databases that the reader asks for, made from the ground truth.
//! Expressions (metric math, Metrics Insights) are refused, `LabelOptions` are ignored.

mod pages;
mod put;
mod query;

use super::{
    error::AwsError,
    front::Asked,
    ground::{Mint, Region},
    service::Service,
};
pub use pages::{Answer, Told};

const VERSION: &str = "2010-08-01";

/// What is answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// Metrics.
    Metrics(Answer),
    /// Nothing but that it is done.
    Done,
}

/// Answers one action.
///
/// # Errors
/// AWS's refusals.
pub fn answer(asked: &Asked<'_>) -> Result<Reply, AwsError> {
    asked.admit(Service::CloudWatch)?;
    match asked.call.operation.as_str() {
        "GetMetricData" => pages::get(asked).map(Reply::Metrics),
        "PutMetricData" => put::put(asked).map(|()| Reply::Done),
        other => Err(AwsError::action(other, VERSION)),
    }
}

/// Reads the region that the request is for.
fn look<T>(asked: &Asked<'_>, read: impl FnOnce(&Region) -> T) -> Result<T, AwsError> {
    let ground = asked.aws.ground().read();
    let region = ground.look(&asked.call.account, &asked.call.region).ok_or_else(AwsError::invalid_token)?;
    Ok(read(region))
}

/// Changes the region that the request is for.
fn change(asked: &Asked<'_>, write: impl FnOnce(&mut Region, &mut Mint)) {
    let mut ground = asked.aws.ground().write();
    let (region, mint) = ground.region(&asked.call.account, &asked.call.region);
    write(region, mint);
}

/// The refusal of a request that breaks a rule of the API's model.
fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("ValidationError", message)
}

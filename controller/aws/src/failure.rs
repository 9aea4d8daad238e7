//! The SDK's errors as failures that people can act on.
//!
//! A message names the operation, the place, AWS's code and a next step. The same trouble has the same words each time,
//! because messages end up in statuses that must not change with every poll: so no request id (readings keep those
//! apart), page or duration. It never repeats AWS's own sentence or a body: a refused signature quotes session
//! tokens, a parse error quotes megabytes.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::RequestId;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use rollcall_engine::ids::Place;
use rollcall_engine::reading::{Failure, FailureKind};

use crate::answer::{BadAnswer, plain_code};
use crate::proof::Unproved;

/// What was asked, for the message.
#[derive(Clone, Debug)]
pub(crate) struct Question<'a> {
    pub(crate) service: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) place: &'a Place,
    /// The principal that STS proved, when it did.
    pub(crate) principal: Option<String>,
}

/// Why a call brought nothing.
#[derive(Clone, Debug)]
pub(crate) enum Refusal {
    /// The request was held back: STS has not proved these credentials yet.
    Unproved,
    /// It failed for good.
    Failed(Failed),
}

/// A failure, with what AWS's support will ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) why: Failure,
    pub(crate) request_id: Option<String>,
}

impl From<Failure> for Failed {
    fn from(why: Failure) -> Self {
        Self { why, request_id: None }
    }
}

/// The category of a refusal by HTTP status and AWS's code.
///
/// Codes: "Error codes for the Amazon EC2 API", the common errors of the STS, RDS and `CloudWatch` APIs, and the SDK's own list
/// of throttles.
pub(crate) fn kind_of(status: u16, code: Option<&str>) -> FailureKind {
    match (code.unwrap_or_default(), status) {
        (
            "RequestLimitExceeded"
            | "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "TooManyRequestsException"
            | "SlowDown"
            | "BandwidthLimitExceeded"
            | "EC2ThrottledException"
            | "PriorRequestNotComplete",
            _,
        )
        | (_, 429) => FailureKind::Throttled,
        (
            "UnauthorizedOperation"
            | "AuthFailure"
            | "InvalidClientTokenId"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "RequestExpired"
            | "OptInRequired"
            | "AccessDenied"
            | "AccessDeniedException"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException"
            | "MissingAuthenticationToken"
            | "IncompleteSignature"
            | "InvalidAccessKeyId"
            | "Blocked"
            | "PendingVerification"
            | "RegionDisabledException",
            _,
        )
        | (_, 401 | 403) => FailureKind::Denied,
        ("InvalidAction" | "UnknownParameter" | "UnsupportedOperation", _) => FailureKind::NotSupported,
        (_, 400..=599) => FailureKind::SourceError,
        _ => FailureKind::Malformed,
    }
}

/// An SDK error as a refusal.
pub(crate) fn refusal<E>(error: &SdkError<E, HttpResponse>, asked: &Question<'_>) -> Refusal
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if cause::<Unproved>(error).is_some() {
        return Refusal::Unproved;
    }
    if let Some(failed) = credentials(error, asked) {
        return Refusal::Failed(failed);
    }
    let request_id = error.request_id().and_then(plain_code);
    Refusal::Failed(Failed { why: describe(&found(error), asked), request_id })
}

/// What came back.
struct Found {
    kind: FailureKind,
    code: Option<String>,
    status: Option<u16>,
    words: Option<String>,
}

fn found<E>(error: &SdkError<E, HttpResponse>) -> Found
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let of_kind = |kind| Found { kind, code: None, status: None, words: None };
    if let Some(bad) = cause::<BadAnswer>(error) {
        return Found { words: Some(bad.to_string()), ..of_kind(bad.kind()) };
    }
    match error {
        SdkError::ServiceError(refused) => {
            let status = refused.raw().status().as_u16();
            let code = refused.err().code().and_then(plain_code);
            // A refusal with status 200 is the SDK's way to say that it could not read the answer.
            let words = (status < 300).then(|| "it holds a value that the SDK cannot read".to_owned());
            Found { kind: kind_of(status, code.as_deref()), code, status: Some(status), words }
        }
        // The words of a parse error quote what it could not parse, so there are none here.
        SdkError::ResponseError(unread) if unread.raw().status().is_success() => {
            of_kind(FailureKind::Malformed)
        }
        SdkError::ResponseError(unread) => {
            let status = unread.raw().status().as_u16();
            Found { status: Some(status), ..of_kind(kind_of(status, None)) }
        }
        SdkError::TimeoutError(_) => of_kind(FailureKind::TimedOut),
        SdkError::DispatchFailure(lost) if lost.is_timeout() => of_kind(FailureKind::TimedOut),
        SdkError::DispatchFailure(lost) if lost.is_io() => of_kind(FailureKind::Unreachable),
        // What is left is never AWS's word: a bad endpoint URL, a request that could not be signed.
        _ => of_kind(FailureKind::Misconfigured),
    }
}

/// Failing to get credentials is a failure of its own, with another operation's name on it.
fn credentials<E>(error: &SdkError<E, HttpResponse>, asked: &Question<'_>) -> Option<Failed>
where
    E: Error + 'static,
{
    let why = cause::<CredentialsError>(error)?;
    let sts = |operation| Question { service: "sts", operation, principal: None, ..asked.clone() };
    if let Some(role) = cause::<SdkError<AssumeRoleError, HttpResponse>>(why) {
        return failed(refusal(role, &sts("AssumeRole")));
    }
    if let Some(role) = cause::<SdkError<AssumeRoleWithWebIdentityError, HttpResponse>>(why) {
        return failed(refusal(role, &sts("AssumeRoleWithWebIdentity")));
    }
    let (kind, what) = match why {
        CredentialsError::CredentialsNotLoaded(_) => (FailureKind::Misconfigured, "found no credentials"),
        CredentialsError::ProviderTimedOut(_) => (FailureKind::TimedOut, "got no credentials in time"),
        CredentialsError::InvalidConfiguration(_) => {
            (FailureKind::Misconfigured, "found credentials that are set up wrongly")
        }
        _ => (FailureKind::Denied, "could not get credentials"),
    };
    let place = asked.place;
    let message = format!(
        "account {place}: {what}. Next step: give the operator's pod an identity (IRSA, Pod Identity), or keys in the \
         Secret that CloudAccount spec.observe.secretRef names"
    );
    Some(Failure::new(kind, message).into())
}

fn failed(refusal: Refusal) -> Option<Failed> {
    match refusal {
        Refusal::Failed(failed) => Some(failed),
        Refusal::Unproved => None,
    }
}

fn describe(found: &Found, asked: &Question<'_>) -> Failure {
    let Question { service, operation, place, principal } = asked;
    let facts: Vec<String> =
        found.code.iter().cloned().chain(found.status.map(|s| format!("HTTP {s}"))).collect();
    let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
    let says = match found.kind {
        FailureKind::Throttled => "was throttled",
        FailureKind::Denied => "was denied",
        FailureKind::TimedOut => "got no answer in time",
        FailureKind::Unreachable => "found no connection, or it broke",
        FailureKind::Malformed => "got an answer that cannot be believed",
        FailureKind::TooLarge => "got too large an answer",
        FailureKind::NotSupported => "is not supported there",
        FailureKind::Misconfigured => "could not be sent",
        _ => "failed at AWS",
    };
    let words = found.words.as_ref().map(|w| format!(": {w}")).unwrap_or_default();
    let step = next_step(found, service, operation, place, principal.as_deref());
    Failure::new(found.kind, format!("{service} {operation} {place} {says}{facts}{words}. Next step: {step}"))
}

fn next_step(
    found: &Found,
    service: &str,
    operation: &str,
    place: &Place,
    principal: Option<&str>,
) -> String {
    let whom =
        principal.map_or_else(|| "the CloudAccount's identity".to_owned(), |p| p.chars().take(180).collect());
    match (found.kind, found.code.as_deref()) {
        (FailureKind::Denied, Some("OptInRequired" | "RegionDisabledException")) => {
            format!("enable {} in the account, or take it out of spec.regions", place.region)
        }
        (FailureKind::Denied, Some("RequestExpired" | "SignatureDoesNotMatch")) => {
            "check the secret key, and the clock of the node".to_owned()
        }
        // They say so in regions that are off; elsewhere STS would have refused the credentials before.
        (FailureKind::Denied, Some("AuthFailure")) => region_is_off(place),
        (FailureKind::Denied, Some("InvalidClientTokenId" | "UnrecognizedClientException"))
            if matches!(service, "rds" | "cloudwatch") =>
        {
            region_is_off(place)
        }
        (
            FailureKind::Denied,
            Some(
                "InvalidClientTokenId"
                | "ExpiredToken"
                | "ExpiredTokenException"
                | "UnrecognizedClientException"
                | "InvalidAccessKeyId"
                | "MissingAuthenticationToken",
            ),
        ) => {
            "AWS does not take these credentials: renew the Secret or the identity they come from".to_owned()
        }
        (FailureKind::Denied, _) if operation.starts_with("AssumeRole") => {
            "let the role's trust policy name the operator's identity, and its sts:ExternalId equal \
             spec.observe.externalID"
                .to_owned()
        }
        (FailureKind::Denied, _) => format!("allow {whom} {service}:{operation} on Resource \"*\""),
        (FailureKind::Throttled, _) => {
            "none, the next poll tries again; if it stays, see who else uses up this account's API quota"
                .to_owned()
        }
        (FailureKind::Unreachable | FailureKind::TimedOut | FailureKind::Malformed, _) => {
            format!("check egress and proxies from the operator to {service} in {}", place.region)
        }
        (FailureKind::TooLarge, _) => "tell us: this is more than the reader is built for".to_owned(),
        (FailureKind::NotSupported, _) => {
            format!("check that AWS_ENDPOINT_URL names a current API of {service}")
        }
        (FailureKind::Misconfigured, _) => "check spec.regions and AWS_ENDPOINT_URL".to_owned(),
        (_, Some("InvalidPaginationToken" | "InvalidNextToken")) => {
            "none, the next poll starts afresh".to_owned()
        }
        (_, Some("InvalidParameterValue")) if operation.ends_with("Parameters") => {
            "see whether the parameter group's name can be one: letters, digits, hyphens, periods".to_owned()
        }
        // All that RDS is given otherwise is a size and the marker of the page before.
        (_, Some("InvalidParameterValue")) if service == "rds" => {
            "none, the next poll starts afresh".to_owned()
        }
        _ if found.status.is_some_and(|s| s < 500) => {
            "report this with the request id: AWS does not understand our question".to_owned()
        }
        _ => "none, the next poll tries again; see the AWS Health Dashboard".to_owned(),
    }
}

fn region_is_off(place: &Place) -> String {
    let region = &place.region;
    format!("STS knows these credentials, so enable {region} in the account, or take it out of spec.regions")
}

/// The first error of this type among an error and its causes.
fn cause<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

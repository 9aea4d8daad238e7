//! AWS's refusals: an HTTP status, a code that clients match on, and a sentence.
//!
//! Codes and sentences are AWS's own where we know them: the EC2 API reference's "Error codes" page, and
//! answers quoted in public issue threads. What we only believe is marked (m) where it is raised.

use std::fmt;

use axum::http::StatusCode;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsError {
    /// The HTTP status.
    pub status: StatusCode,
    /// The code, for example `InvalidInstanceID.NotFound`.
    pub code: &'static str,
    /// The sentence for people.
    pub message: String,
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.code, self.status.as_u16(), self.message)
    }
}

impl std::error::Error for AwsError {}

impl AwsError {
    /// A client error, 400.
    #[must_use]
    pub fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, message: message.into() }
    }

    /// What is asked for is not there, 404: the newer services' way.
    #[must_use]
    pub fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, code, message: message.into() }
    }

    /// Whoever asks is not let in, 403.
    #[must_use]
    pub fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::FORBIDDEN, code, message: message.into() }
    }

    /// `InvalidClientTokenId`: what STS and RDS say where EC2 says `AuthFailure`.
    #[must_use]
    pub fn invalid_token() -> Self {
        Self::forbidden("InvalidClientTokenId", "The security token included in the request is invalid.")
    }

    /// `InvalidParameterValue`.
    #[must_use]
    pub fn value(message: impl Into<String>) -> Self {
        Self::bad_request("InvalidParameterValue", message)
    }

    /// `InvalidParameterCombination`.
    #[must_use]
    pub fn combination(message: impl Into<String>) -> Self {
        Self::bad_request("InvalidParameterCombination", message)
    }

    /// `MissingParameter`.
    #[must_use]
    pub fn missing(parameter: &str) -> Self {
        Self::bad_request("MissingParameter", format!("The request must contain the parameter {parameter}"))
    }

    /// `InvalidAction`: the fake does not know this action.
    #[must_use]
    pub fn action(action: &str, version: &str) -> Self {
        Self::bad_request(
            "InvalidAction",
            format!(
                "The action {action} is not valid for this web service. (version {version}; the fake knows only what Rollcall uses)"
            ),
        )
    }

    /// EC2's `RequestLimitExceeded`.
    #[must_use]
    pub fn throttled() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: "RequestLimitExceeded",
            message: "Request limit exceeded.".to_owned(),
        }
    }

    /// EC2's `AuthFailure`: nobody knows these credentials.
    #[must_use]
    pub fn auth_failure() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            code: "AuthFailure",
            message: "AWS was not able to validate the provided access credentials".to_owned(),
        }
    }

    /// EC2's `UnauthorizedOperation`.
    #[must_use]
    pub fn unauthorized(caller: &str, action: &str) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            code: "UnauthorizedOperation",
            message: format!(
                "You are not authorized to perform this operation. User: {caller} is not authorized to perform: {action} with an explicit deny in an identity-based policy"
            ),
        }
    }

    /// STS's and RDS's `AccessDenied`.
    #[must_use]
    pub fn access_denied(caller: &str, action: &str, resource: &str) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            code: "AccessDenied",
            message: format!("User: {caller} is not authorized to perform: {action} on resource: {resource}"),
        }
    }

    /// `DryRunOperation`: it would have been done.
    #[must_use]
    pub fn dry_run() -> Self {
        Self {
            status: StatusCode::PRECONDITION_FAILED,
            code: "DryRunOperation",
            message: "Request would have succeeded, but DryRun flag is set.".to_owned(),
        }
    }

    /// What a service says with this status when it has nothing better to say.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (code, message) = if status == StatusCode::SERVICE_UNAVAILABLE {
            ("Unavailable", "The service is unavailable. Please try again shortly.")
        } else {
            ("InternalError", "An internal error has occurred")
        };
        Self { status, code, message: message.to_owned() }
    }
}

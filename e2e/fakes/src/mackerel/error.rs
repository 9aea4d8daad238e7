//! A refusal, as the API words it: `{"error":{"message":"…"}}`, or `{"error":"…"}` on older endpoints.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

/// Why a call, or a change by the typed API, was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {message}")]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// The message in the body.
    pub message: String,
}

/// How refusals are worded on the wire. Clients must read both and fall back on the status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorShape {
    /// `{"error":{"message":"…"}}`
    #[default]
    Object,
    /// `{"error":"…"}`
    Text,
}

impl Refusal {
    /// A refusal with this status.
    #[must_use]
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// 400.
    #[must_use]
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 404.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// The answer in this shape.
    #[must_use]
    pub fn answer(&self, shape: ErrorShape) -> Response {
        let body = match shape {
            ErrorShape::Object => json!({"error": {"message": self.message}}),
            ErrorShape::Text => json!({"error": self.message}),
        };
        (self.status, Json(body)).into_response()
    }
}

impl IntoResponse for Refusal {
    /// The answer in the usual shape; the gate rewords it for organisations that use another.
    fn into_response(self) -> Response {
        let mut response = self.answer(ErrorShape::default());
        response.extensions_mut().insert(self);
        response
    }
}

/// What a change or a question gives, or why not.
pub type Outcome<T> = Result<T, Refusal>;

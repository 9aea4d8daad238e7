//! The wire between one SDK client and AWS: every attempt passes here, retries too.
//!
//! On the way out it holds back requests whose credentials STS has not proved to belong to the right account, and
//! keeps to our own rate. On the way in it takes only whole answers of bounded size, and counts what happened.

use std::num::NonZeroU32;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::retry::ErrorKind;
use rollcall_engine::ids::Place;
use rollcall_engine::reading::FailureKind;

use crate::answer::{self, BadAnswer};
use crate::calls::{Allowance, CallLog};
use crate::cbor;
use crate::connections::Connections;
use crate::failure::kind_of;
use crate::pace::Pace;
use crate::proof::Signatures;
use crate::settings::Limits;

/// What one operation in one place shares over all its attempts. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Wire(Arc<Line>);

#[derive(Debug)]
struct Line {
    inner: SharedHttpConnector,
    place: Place,
    operation: &'static str,
    protocol: Protocol,
    max_answer_bytes: usize,
    pace: Pace,
    log: CallLog,
    signatures: Signatures,
}

/// What a service answers in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// XML with the operation's name on it: EC2, RDS, STS.
    Xml,
    /// A map of CBOR: `CloudWatch`.
    Cbor,
}

/// What all wires of an account have in common.
#[derive(Clone, Debug)]
pub(crate) struct Wiring {
    pub(crate) connections: Connections,
    pub(crate) limits: Limits,
}

impl Wiring {
    /// A wire for one operation of a service that answers in XML, at most so many calls a second.
    pub(crate) fn wire(
        &self,
        place: &Place,
        operation: &'static str,
        per_second: NonZeroU32,
        signatures: Signatures,
    ) -> Wire {
        self.wire_in(Protocol::Xml, place, operation, per_second, signatures)
    }

    /// The same of a service that answers in `protocol`.
    pub(crate) fn wire_in(
        &self,
        protocol: Protocol,
        place: &Place,
        operation: &'static str,
        per_second: NonZeroU32,
        signatures: Signatures,
    ) -> Wire {
        Wire(Arc::new(Line {
            inner: self.connections.connector(),
            place: place.clone(),
            operation,
            protocol,
            max_answer_bytes: self.limits.max_answer_bytes,
            pace: Pace::new(per_second),
            log: self.connections.log.clone(),
            signatures,
        }))
    }
}

impl Wire {
    /// This wire as the HTTP client of an SDK client. It must be used for its one operation only.
    pub(crate) fn http_client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }

    pub(crate) fn allowance(&self) -> Allowance {
        let Line { place, operation, pace, .. } = &*self.0;
        let (tokens, per_second) = (pace.tokens(), pace.per_second());
        Allowance { place: place.clone(), operation, tokens, per_second }
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let line = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move { line.carry(request).await })
    }
}

type Carried = Result<(HttpResponse, Option<FailureKind>), (ConnectorError, FailureKind)>;

impl Line {
    async fn carry(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        self.signatures.admit(&request).map_err(|unproved| ConnectorError::other(unproved.into(), None))?;
        self.pace.turn().await;
        let underway = self.log.begin(&self.place, self.operation);
        let (result, failure) = match self.exchange(request).await {
            Ok((response, failure)) => (Ok(response), failure),
            Err((error, kind)) => (Err(error), Some(kind)),
        };
        underway.ended(failure);
        result
    }

    /// The answer with how to count it; a refusal is an answer too, which the SDK reads and may retry.
    async fn exchange(&self, request: HttpRequest) -> Carried {
        let mut response = self.inner.call(request).await.map_err(lost)?;
        let body = read_whole(response.take_body(), self.max_answer_bytes).await;
        let body = body.map_err(|e| lost(ConnectorError::io(e.into())))?.map_err(disbelieved)?;
        if !response.status().is_success() {
            let kind = kind_of(response.status().as_u16(), self.error_code(&body).as_deref());
            *response.body_mut() = SdkBody::from(body);
            return Ok((response, Some(kind)));
        }
        *response.body_mut() = self.believed(body).map_err(disbelieved)?;
        Ok((response, None))
    }

    fn believed(&self, body: Vec<u8>) -> Result<SdkBody, BadAnswer> {
        match self.protocol {
            Protocol::Xml => answer::whole(body, &format!("{}Response", self.operation)).map(SdkBody::from),
            Protocol::Cbor => cbor::whole(body).map(SdkBody::from),
        }
    }

    fn error_code(&self, body: &[u8]) -> Option<String> {
        match self.protocol {
            Protocol::Xml => answer::error_code(body),
            Protocol::Cbor => cbor::error_code(body),
        }
    }
}

/// Reads a body to its end, but no further than `limit` bytes.
///
/// The outer error is the connection's, the inner one ours.
async fn read_whole(
    body: SdkBody,
    limit: usize,
) -> Result<Result<Vec<u8>, BadAnswer>, aws_smithy_types::byte_stream::error::Error> {
    let mut stream = ByteStream::new(body);
    let mut whole = Vec::new();
    while let Some(part) = stream.try_next().await? {
        if whole.len() + part.len() > limit {
            return Ok(Err(BadAnswer::TooLarge { limit }));
        }
        whole.extend_from_slice(&part);
    }
    Ok(Ok(whole))
}

fn lost(error: ConnectorError) -> (ConnectorError, FailureKind) {
    let kind = if error.is_timeout() { FailureKind::TimedOut } else { FailureKind::Unreachable };
    (error, kind)
}

/// What was altered on the way may come whole the next time; what is too large will be too large again.
fn disbelieved(bad: BadAnswer) -> (ConnectorError, FailureKind) {
    let kind = bad.kind();
    let retry = (kind != FailureKind::TooLarge).then_some(ErrorKind::TransientError);
    (ConnectorError::other(bad.into(), retry), kind)
}

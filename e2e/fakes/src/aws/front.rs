//! The one front door: reads a request, finds out who calls, lets the faults strike, and gives it to its service.
//!
//! Every request is counted, whatever becomes of it, and every answer carries a request id.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::Response,
};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    Aws, cloudwatch,
    dialect::Dialect,
    ec2,
    error::AwsError,
    ground::Mint,
    identity::{Caller, Stranger},
    rates::Listing,
    rds,
    request::{Params, Signed},
    service::Service,
    sts,
};
use crate::{
    calls::Call,
    faults::{Instead, Strike},
};

/// The longest request body.
const MAX_BODY: usize = 1 << 20;

/// One request on its way: what it asks, for whom, and what strikes it.
pub struct Asked<'a> {
    /// The fake.
    pub aws: &'a Aws,
    /// Service, operation, account and region.
    pub call: &'a Call,
    /// Its parameters, where it is a form.
    pub params: &'a Params,
    /// What it says, where it is none.
    pub body: &'a Value,
    /// Who calls.
    pub caller: &'a Caller,
    /// What strikes it.
    pub strike: &'a Strike,
    /// World time.
    pub now: Timestamp,
}

impl Asked<'_> {
    /// What AWS asks before anything else of a bounded request: is the region on, are there tokens left, is it allowed.
    ///
    /// # Errors
    /// The service's refusal.
    pub(super) fn admit(&self, service: Service) -> Result<(), AwsError> {
        let call = self.call;
        if self.aws.ground().read().look(&call.account, &call.region).is_none() {
            return Err(AwsError::invalid_token());
        }
        if !self.aws.rates().allow(call, Listing::Bounded, 0) {
            return Err(service.throttled());
        }
        if self.caller.is_denied(&format!("{}:{}", service.name(), call.operation)) {
            return Err(service.denied(&self.caller.arn, call));
        }
        Ok(())
    }
}

/// The router of the front door: every path, so that a client's base path does not matter.
pub fn router(aws: Aws) -> Router {
    Router::new().fallback(enter).with_state(aws)
}

async fn enter(State(aws): State<Aws>, request: Request) -> Response {
    let signed = Signed::of(request.headers());
    let service = service_of(signed.as_ref());
    let said = match Said::read(request).await {
        Ok(said) => said,
        Err((dialect, error)) => return refuse(service, &dialect, &error, &request_id(&aws)),
    };
    let caller = aws.ground().read().identities.caller(signed.as_ref(), Timestamp::now());
    let call = call_of(signed.as_ref(), &said, caller.as_ref().ok());
    let strike = aws.stage().strike(&call);
    tokio::time::sleep(strike.latency()).await;

    let id = request_id(&aws);
    let outcome = answer(&aws, service, &call, &said, caller, &strike);
    let (error, response) = match outcome {
        Ok(Answer::Xml(inner)) => ("", service.wrap(&call.operation, &inner, &id)),
        Ok(Answer::Reply(reply)) => ("", said.dialect.write(&reply, &id)),
        Ok(Answer::Verbatim(response)) => ("", response),
        Err(error) => (error.code, refuse(service, &said.dialect, &error, &id)),
    };
    aws.stage().record(call, response.status().as_u16(), error, &strike);
    strike.deliver(response).await
}

/// What a request says, in its dialect.
struct Said {
    dialect: Dialect,
    params: Params,
    body: Value,
}

impl Said {
    async fn read(request: Request) -> Result<Self, (Dialect, AwsError)> {
        let (parts, body) = request.into_parts();
        let dialect = Dialect::of(&parts);
        let query = parts.uri.query().unwrap_or_default().to_owned();
        match Self::of(&dialect, body, &query).await {
            Ok((params, body)) => Ok(Self { dialect, params, body }),
            Err(error) => Err((dialect, error)),
        }
    }

    async fn of(dialect: &Dialect, body: Body, query: &str) -> Result<(Params, Value), AwsError> {
        let too_long = |_| AwsError::bad_request("MalformedQueryString", "The request body is too long");
        let body = to_bytes(body, MAX_BODY).await.map_err(too_long)?;
        if dialect.operation().is_some() {
            return Ok((Params::default(), dialect.read(&body)?));
        }
        let params = Params::parse(if body.is_empty() { query.as_bytes() } else { &body })?;
        Ok((params, Value::Null))
    }
}

fn refuse(service: Service, dialect: &Dialect, error: &AwsError, id: &str) -> Response {
    if dialect.operation().is_some() { dialect.refuse(error, id) } else { service.refuse(error, id) }
}

enum Answer {
    Xml(String),
    Reply(cloudwatch::Reply),
    Verbatim(Response),
}

fn answer(
    aws: &Aws,
    service: Service,
    call: &Call,
    said: &Said,
    caller: Result<Caller, Stranger>,
    strike: &Strike,
) -> Result<Answer, AwsError> {
    if let Some(instead) = strike.instead() {
        return replaced(service, call, caller.ok().as_ref(), &instead);
    }
    if Service::named(&call.service).is_none() {
        return Err(AwsError::of_status(501));
    }
    let caller = caller.map_err(|stranger| service.turn_away(stranger))?;
    let Said { dialect, params, body } = said;
    let asked = Asked { aws, call, params, body, caller: &caller, strike, now: aws.stage().now() };
    match (service, dialect) {
        (Service::Ec2, Dialect::Query) => ec2::answer(&asked).map(Answer::Xml),
        (Service::Rds, Dialect::Query) => rds::answer(&asked).map(Answer::Xml),
        (Service::Sts, Dialect::Query) => sts::answer(&asked).map(Answer::Xml),
        (Service::CloudWatch, Dialect::Json(_) | Dialect::Cbor(_)) => {
            cloudwatch::answer(&asked).map(Answer::Reply)
        }
        // AWS speaks to the older services in forms alone; CloudWatch takes forms too, which is more than the fake does.
        _ => Err(AwsError::of_status(501)),
    }
}

fn replaced(
    service: Service,
    call: &Call,
    caller: Option<&Caller>,
    instead: &Instead,
) -> Result<Answer, AwsError> {
    if let Some(response) = instead.verbatim() {
        return Ok(Answer::Verbatim(response));
    }
    let who = caller.map_or("anonymous", |c| c.arn.as_str());
    Err(match instead {
        Instead::Throttled => service.throttled(),
        Instead::Denied => service.denied(who, call),
        Instead::Status(status, _) => service.failed(*status),
        Instead::Garbage(_) => service.failed(500),
    })
}

fn call_of(signed: Option<&Signed>, said: &Said, caller: Option<&Caller>) -> Call {
    let signed = |field: fn(&Signed) -> &String| signed.map(field).cloned().unwrap_or_default();
    let service = signed(|s| &s.service);
    Call {
        service: Service::named(&service).map_or(service, |known| known.name().to_owned()),
        operation: said.dialect.operation().or(said.params.get("Action")).unwrap_or_default().to_owned(),
        account: caller.map(|c| c.account.clone()).unwrap_or_default(),
        region: signed(|s| &s.region),
    }
}

/// Unsigned and foreign requests are answered in EC2's shape.
fn service_of(signed: Option<&Signed>) -> Service {
    signed.and_then(|s| Service::named(&s.service)).unwrap_or(Service::Ec2)
}

fn request_id(aws: &Aws) -> String {
    Mint::request_id(aws.next_number())
}

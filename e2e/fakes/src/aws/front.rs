//! The one front door: reads a request, finds out who calls, lets the faults strike, and gives it to its service.
//!
//! Every request is counted, whatever becomes of it, and every answer carries a request id.

use axum::{
    Router,
    body::to_bytes,
    extract::{Request, State},
    response::Response,
};
use jiff::Timestamp;

use super::{
    Aws, ec2,
    error::AwsError,
    ground::Mint,
    identity::{Caller, Stranger},
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
    /// Its parameters.
    pub params: &'a Params,
    /// Who calls.
    pub caller: &'a Caller,
    /// What strikes it.
    pub strike: &'a Strike,
    /// World time.
    pub now: Timestamp,
}

/// The router of the front door: every path, so that a client's base path does not matter.
pub fn router(aws: Aws) -> Router {
    Router::new().fallback(enter).with_state(aws)
}

async fn enter(State(aws): State<Aws>, request: Request) -> Response {
    let signed = Signed::of(request.headers());
    let params = match params(request).await {
        Ok(params) => params,
        Err(error) => return service_of(signed.as_ref()).refuse(&error, &request_id(&aws)),
    };
    let caller = aws.ground().read().identities.caller(signed.as_ref(), Timestamp::now());
    let call = call_of(signed.as_ref(), &params, caller.as_ref().ok());
    let strike = aws.stage().strike(&call);
    tokio::time::sleep(strike.latency()).await;

    let id = request_id(&aws);
    let service = service_of(signed.as_ref());
    let outcome = answer(&aws, service, &call, &params, caller, &strike);
    let (error, response) = match outcome {
        Ok(Answer::Xml(inner)) => ("", service.wrap(&call.operation, &inner, &id)),
        Ok(Answer::Verbatim(response)) => ("", response),
        Err(error) => (error.code, service.refuse(&error, &id)),
    };
    aws.stage().record(call, response.status().as_u16(), error, &strike);
    strike.deliver(response).await
}

enum Answer {
    Xml(String),
    Verbatim(Response),
}

fn answer(
    aws: &Aws,
    service: Service,
    call: &Call,
    params: &Params,
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
    let asked = Asked { aws, call, params, caller: &caller, strike, now: aws.stage().now() };
    let inner = match service {
        Service::Ec2 => ec2::answer(&asked),
        Service::Rds => rds::answer(&asked),
        Service::Sts => sts::answer(&asked),
    };
    inner.map(Answer::Xml)
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

async fn params(request: Request) -> Result<Params, AwsError> {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let too_long = |_| AwsError::bad_request("MalformedQueryString", "The request body is too long");
    let body = to_bytes(request.into_body(), MAX_BODY).await.map_err(too_long)?;
    Params::parse(if body.is_empty() { query.as_bytes() } else { &body })
}

fn call_of(signed: Option<&Signed>, params: &Params, caller: Option<&Caller>) -> Call {
    let signed = |field: fn(&Signed) -> &String| signed.map(field).cloned().unwrap_or_default();
    Call {
        service: signed(|s| &s.service),
        operation: params.get("Action").unwrap_or_default().to_owned(),
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

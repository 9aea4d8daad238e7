//! The one front door: reads a request, finds out who calls, lets the faults strike, and gives it to its service.
//!
//! Every request is counted, whatever becomes of it, and every answer carries a request id.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;

use super::{
    Aws, ec2,
    error::AwsError,
    ground::Mint,
    identity::{Caller, Stranger},
    request::{Params, Signed},
    sts,
    xml::Xml,
};
use crate::{
    calls::Call,
    faults::{Instead, Strike},
};

/// The longest request body.
const MAX_BODY: usize = 1 << 20;

/// A service by the name in the credential scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    Ec2,
    Sts,
}

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
    if !["ec2", "sts"].contains(&call.service.as_str()) {
        return Err(AwsError::of_status(501));
    }
    let caller = caller.map_err(|stranger| service.turn_away(stranger))?;
    let asked = Asked { aws, call, params, caller: &caller, strike, now: aws.stage().now() };
    let inner = match service {
        Service::Ec2 => ec2::answer(&asked),
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
    let action = format!("{}:{}", call.service, call.operation);
    Err(match (instead, service) {
        (Instead::Throttled, Service::Ec2) => AwsError::throttled(),
        (Instead::Throttled, Service::Sts) => AwsError::bad_request("Throttling", "Rate exceeded"),
        (Instead::Denied, Service::Ec2) => AwsError::unauthorized(who, &action),
        (Instead::Denied, Service::Sts) => AwsError::access_denied(who, &action, "*"),
        (Instead::Status(status, _), _) => AwsError::of_status(*status),
        (Instead::Garbage(_), _) => AwsError::of_status(500),
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
    if signed.is_some_and(|s| s.service == "sts") { Service::Sts } else { Service::Ec2 }
}

fn request_id(aws: &Aws) -> String {
    Mint::request_id(aws.next_number())
}

impl Service {
    fn turn_away(self, stranger: Stranger) -> AwsError {
        let sts = |code, message: &str| AwsError {
            status: StatusCode::FORBIDDEN,
            code,
            message: message.to_owned(),
        };
        match (self, stranger) {
            (Service::Ec2, Stranger::Unsigned) => AwsError::missing("AWSAccessKeyId"),
            (Service::Ec2, Stranger::Unknown) => AwsError::auth_failure(),
            (Service::Ec2, Stranger::Expired) => {
                AwsError::bad_request("RequestExpired", "Request has expired.")
            }
            (Service::Sts, Stranger::Unsigned) => {
                sts("MissingAuthenticationToken", "Request is missing Authentication Token")
            }
            (Service::Sts, Stranger::Unknown) => {
                sts("InvalidClientTokenId", "The security token included in the request is invalid.")
            }
            (Service::Sts, Stranger::Expired) => {
                sts("ExpiredToken", "The security token included in the request is expired")
            }
        }
    }

    fn wrap(self, action: &str, inner: &str, id: &str) -> Response {
        let mut xml = Xml::with_capacity(inner.len() + 512);
        xml.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        xml.raw(&format!("<{action}Response xmlns=\"{}\">", self.namespace()));
        match self {
            Service::Ec2 => xml.text("requestId", id).raw(inner),
            Service::Sts => xml.nest(&format!("{action}Result"), |xml| {
                xml.raw(inner);
            }),
        };
        if self == Service::Sts {
            xml.nest("ResponseMetadata", |xml| {
                xml.text("RequestId", id);
            });
        }
        xml.raw(&format!("</{action}Response>"));
        xml_response(StatusCode::OK, xml.finish(), id)
    }

    fn refuse(self, error: &AwsError, id: &str) -> Response {
        let mut xml = Xml::default();
        xml.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        match self {
            Service::Ec2 => xml.nest("Response", |xml| {
                xml.nest("Errors", |xml| {
                    xml.nest("Error", |xml| {
                        xml.text("Code", error.code).text("Message", &error.message);
                    });
                });
                xml.text("RequestID", id);
            }),
            Service::Sts => xml.nest("ErrorResponse", |xml| {
                let kind = if error.status.is_server_error() { "Receiver" } else { "Sender" };
                xml.nest("Error", |xml| {
                    xml.text("Type", kind).text("Code", error.code).text("Message", &error.message);
                });
                xml.text("RequestId", id);
            }),
        };
        xml_response(error.status, xml.finish(), id)
    }

    fn namespace(self) -> &'static str {
        match self {
            Service::Ec2 => "http://ec2.amazonaws.com/doc/2016-11-15/",
            Service::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
        }
    }
}

fn xml_response(status: StatusCode, body: String, id: &str) -> Response {
    let mut response = (status, Body::from(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml;charset=UTF-8"));
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static("x-amzn-requestid"), id);
    }
    response
}

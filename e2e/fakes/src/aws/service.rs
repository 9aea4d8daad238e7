//! What differs from service to service at the front door: the frame of an answer, and the words of a refusal.
//!
//! It never decides whether to refuse; that is the front's and each service's own business.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{error::AwsError, identity::Stranger, xml::Xml};
use crate::calls::Call;

/// A service by the name in the credential scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// EC2.
    Ec2,
    /// RDS, whose API also tells of Neptune and of `DocumentDB`.
    Rds,
    /// STS.
    Sts,
    /// `CloudWatch`.
    CloudWatch,
}

impl Service {
    /// The service of this name, if the fake has it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "ec2" => Some(Service::Ec2),
            "rds" => Some(Service::Rds),
            "sts" => Some(Service::Sts),
            // The name in signatures; IAM says `cloudwatch`.
            "monitoring" | "cloudwatch" => Some(Service::CloudWatch),
            _ => None,
        }
    }

    /// Its name, as IAM says it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Service::Ec2 => "ec2",
            Service::Rds => "rds",
            Service::Sts => "sts",
            Service::CloudWatch => "cloudwatch",
        }
    }

    /// The refusal of somebody unknown.
    #[must_use]
    pub fn turn_away(self, stranger: Stranger) -> AwsError {
        match (self, stranger) {
            (Service::Ec2, Stranger::Unsigned) => AwsError::missing("AWSAccessKeyId"),
            (Service::Ec2, Stranger::Unknown) => AwsError::auth_failure(),
            (Service::Ec2, Stranger::Expired) => {
                AwsError::bad_request("RequestExpired", "Request has expired.")
            }
            (Service::Rds | Service::Sts | Service::CloudWatch, Stranger::Unsigned) => {
                AwsError::forbidden("MissingAuthenticationToken", "Request is missing Authentication Token")
            }
            (Service::Rds | Service::Sts | Service::CloudWatch, Stranger::Unknown) => {
                AwsError::invalid_token()
            }
            (Service::Rds | Service::Sts | Service::CloudWatch, Stranger::Expired) => {
                AwsError::forbidden("ExpiredToken", "The security token included in the request is expired")
            }
        }
    }

    /// The refusal of one call too many.
    #[must_use]
    pub fn throttled(self) -> AwsError {
        match self {
            Service::Ec2 => AwsError::throttled(),
            Service::Rds | Service::Sts | Service::CloudWatch => {
                AwsError::bad_request("Throttling", "Rate exceeded")
            }
        }
    }

    /// The refusal of somebody known who may not.
    #[must_use]
    pub fn denied(self, who: &str, call: &Call) -> AwsError {
        let action = format!("{}:{}", call.service, call.operation);
        match self {
            Service::Ec2 => AwsError::unauthorized(who, &action),
            Service::Rds => {
                let resource = format!("arn:aws:rds:{}:{}:*", call.region, call.account);
                AwsError::access_denied(who, &action, &resource)
            }
            Service::Sts | Service::CloudWatch => AwsError::access_denied(who, &action, "*"),
        }
    }

    /// What the service says with this status when it has nothing better to say. RDS and `CloudWatch` have words of their own
    /// ("Common errors" of their API references).
    #[must_use]
    pub fn failed(self, status: u16) -> AwsError {
        let error = AwsError::of_status(status);
        let code = match (self, error.code) {
            (Service::Rds | Service::CloudWatch, "Unavailable") => "ServiceUnavailable",
            (Service::Rds | Service::CloudWatch, "InternalError") => "InternalFailure",
            (_, code) => code,
        };
        AwsError { code, ..error }
    }

    /// An answer in its frame.
    #[must_use]
    pub fn wrap(self, action: &str, inner: &str, id: &str) -> Response {
        let mut xml = Xml::with_capacity(inner.len() + 512);
        xml.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        xml.raw(&format!("<{action}Response xmlns=\"{}\">", self.namespace()));
        match self {
            Service::Ec2 => xml.text("requestId", id).raw(inner),
            Service::Rds | Service::Sts | Service::CloudWatch => xml
                .nest(&format!("{action}Result"), |xml| {
                    xml.raw(inner);
                })
                .nest("ResponseMetadata", |xml| {
                    xml.text("RequestId", id);
                }),
        };
        xml.raw(&format!("</{action}Response>"));
        xml_response(StatusCode::OK, xml.finish(), id)
    }

    /// A refusal in its frame.
    #[must_use]
    pub fn refuse(self, error: &AwsError, id: &str) -> Response {
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
            Service::Rds | Service::Sts | Service::CloudWatch => {
                xml.raw(&format!("<ErrorResponse xmlns=\"{}\">", self.namespace()));
                let kind = if error.status.is_server_error() { "Receiver" } else { "Sender" };
                xml.nest("Error", |xml| {
                    xml.text("Type", kind).text("Code", error.code).text("Message", &error.message);
                });
                xml.text("RequestId", id).raw("</ErrorResponse>")
            }
        };
        xml_response(error.status, xml.finish(), id)
    }

    fn namespace(self) -> &'static str {
        match self {
            Service::Ec2 => "http://ec2.amazonaws.com/doc/2016-11-15/",
            Service::Rds => "http://rds.amazonaws.com/doc/2014-10-31/",
            Service::CloudWatch => "http://monitoring.amazonaws.com/doc/2010-08-01/",
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

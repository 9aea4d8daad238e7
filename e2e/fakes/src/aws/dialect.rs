//! How a request is written, and its answer: as a form with XML for an answer, as JSON, or as CBOR.
//!
//! `CloudWatch` takes the newer two: Smithy RPC v2 in CBOR, which the Rust SDK speaks, and AWS JSON 1.0, which botocore speaks.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header, request},
    response::{IntoResponse, Response},
};
use minicbor::{Decoder, Encoder, data::Tag, data::Type};
use serde_json::{Value, json};

use super::{
    cloudwatch::{Answer, Reply},
    error::AwsError,
};

/// Where RPC v2 finds the operations of `CloudWatch`.
const PATH: &str = "/service/GraniteServiceVersion20100801/operation/";
/// How AWS JSON names them (`X-Amz-Target`).
const TARGET: &str = "GraniteServiceVersion20100801.";
/// The tag of a moment in seconds since 1970 (RFC 8949, 3.4.2).
const EPOCH: Tag = Tag::new(1);
/// No request of ours is nested deeper.
const MAX_DEPTH: usize = 16;

/// How a request is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// A form; the operation is in it.
    Query,
    /// AWS JSON 1.0 of this operation.
    Json(String),
    /// RPC v2 in CBOR of this operation.
    Cbor(String),
}

impl Dialect {
    /// The dialect of a request.
    #[must_use]
    pub fn of(parts: &request::Parts) -> Self {
        let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        if let Some(operation) = parts.uri.path().strip_prefix(PATH) {
            Self::Cbor(operation.to_owned())
        } else if let Some(operation) = target.and_then(|target| target.strip_prefix(TARGET)) {
            Self::Json(operation.to_owned())
        } else {
            Self::Query
        }
    }

    /// The operation, where the request's head tells it.
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        match self {
            Self::Query => None,
            Self::Json(operation) | Self::Cbor(operation) => Some(operation),
        }
    }

    /// What a body says; nothing in a form, which is read elsewhere.
    ///
    /// # Errors
    /// `SerializationException`.
    pub fn read(&self, body: &[u8]) -> Result<Value, AwsError> {
        let unread = || AwsError::bad_request("SerializationException", "The body cannot be read");
        match self {
            Self::Query => Ok(Value::Null),
            Self::Json(_) => serde_json::from_slice(body).map_err(|_| unread()),
            Self::Cbor(_) => {
                let mut decoder = Decoder::new(body);
                let value = value(&mut decoder, 0).ok_or_else(unread)?;
                if decoder.position() == body.len() { Ok(value) } else { Err(unread()) }
            }
        }
    }

    /// An answer.
    #[must_use]
    pub fn write(&self, reply: &Reply, id: &str) -> Response {
        let body = match (self, reply) {
            (Self::Cbor(_), Reply::Metrics(answer)) => cbor(answer),
            (Self::Cbor(_), Reply::Done) => vec![0xa0],
            (_, Reply::Metrics(answer)) => json(answer).to_string().into_bytes(),
            (_, Reply::Done) => b"{}".to_vec(),
        };
        self.respond(StatusCode::OK, body, id)
    }

    /// A refusal. Its code is told in the body, and as the older Query protocol tells it in a head of its own.
    #[must_use]
    pub fn refuse(&self, error: &AwsError, id: &str) -> Response {
        let code = format!("com.amazonaws.cloudwatch#{}", error.code);
        let body = match self {
            Self::Cbor(_) => written(|encoder| {
                encoder.map(2)?.str("__type")?.str(&code)?.str("message")?.str(&error.message)?.ok()
            }),
            _ => json!({"__type": code, "message": error.message}).to_string().into_bytes(),
        };
        let mut response = self.respond(error.status, body, id);
        let kind = if error.status.is_server_error() { "Receiver" } else { "Sender" };
        if let Ok(value) = HeaderValue::from_str(&format!("{};{kind}", error.code)) {
            response.headers_mut().insert(HeaderName::from_static("x-amzn-query-error"), value);
        }
        response
    }

    fn respond(&self, status: StatusCode, body: Vec<u8>, id: &str) -> Response {
        let mut response = (status, Body::from(body)).into_response();
        let headers = response.headers_mut();
        let is_cbor = matches!(self, Self::Cbor(_));
        let kind = if is_cbor { "application/cbor" } else { "application/x-amz-json-1.0" };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        if is_cbor {
            let protocol = HeaderName::from_static("smithy-protocol");
            headers.insert(protocol, HeaderValue::from_static("rpc-v2-cbor"));
        }
        if let Ok(id) = HeaderValue::from_str(id) {
            headers.insert(HeaderName::from_static("x-amzn-requestid"), id);
        }
        response
    }
}

/// One item of CBOR as JSON would say it; moments are seconds. None for what no request of ours holds.
fn value(decoder: &mut Decoder<'_>, depth: usize) -> Option<Value> {
    if depth > MAX_DEPTH {
        return None;
    }
    match decoder.datatype().ok()? {
        Type::Map | Type::MapIndef => {
            let fields = pairs(decoder, depth)?;
            Some(Value::Object(fields.into_iter().collect()))
        }
        Type::Array | Type::ArrayIndef => {
            let length = decoder.array().ok()?;
            let mut items = Vec::new();
            while more(decoder, length, items.len())? {
                items.push(value(decoder, depth + 1)?);
            }
            Some(Value::Array(items))
        }
        Type::Tag => (decoder.tag().ok()? == EPOCH).then(|| value(decoder, depth + 1))?,
        Type::String | Type::StringIndef => text(decoder).map(Value::String),
        Type::Bool => decoder.bool().ok().map(Value::Bool),
        Type::Null => decoder.null().ok().map(|()| Value::Null),
        Type::F16 | Type::F32 | Type::F64 => decoder.f64().ok().map(|number| json!(number)),
        _ => decoder.i64().ok().map(|number| json!(number)),
    }
}

fn pairs(decoder: &mut Decoder<'_>, depth: usize) -> Option<Vec<(String, Value)>> {
    let length = decoder.map().ok()?;
    let mut fields = Vec::new();
    while more(decoder, length, fields.len())? {
        fields.push((text(decoder)?, value(decoder, depth + 1)?));
    }
    Some(fields)
}

/// Does the list or map go on? Those without a length end with a break.
fn more(decoder: &mut Decoder<'_>, length: Option<u64>, read: usize) -> Option<bool> {
    match length {
        Some(length) => Some((read as u64) < length),
        None if decoder.datatype().ok()? == Type::Break => decoder.skip().ok().map(|()| false),
        None => Some(true),
    }
}

fn text(decoder: &mut Decoder<'_>) -> Option<String> {
    decoder.str_iter().ok()?.collect::<Result<String, _>>().ok()
}

type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

fn written(write: impl FnOnce(&mut Encoder<Vec<u8>>) -> Written) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    // Cannot fail: the sink is a Vec.
    let _ = write(&mut encoder);
    encoder.into_writer()
}

fn cbor(answer: &Answer) -> Vec<u8> {
    written(|encoder| {
        encoder.begin_map()?.str("MetricDataResults")?.array(answer.results.len() as u64)?;
        for result in &answer.results {
            encoder.map(5)?.str("Id")?.str(&result.id)?.str("Label")?.str(&result.label)?;
            encoder.str("Timestamps")?.array(result.points.len() as u64)?;
            for (at, _) in &result.points {
                encoder.tag(EPOCH)?.i64(at.as_second())?;
            }
            encoder.str("Values")?.array(result.points.len() as u64)?;
            for (_, value) in &result.points {
                encoder.f64(*value)?;
            }
            encoder.str("StatusCode")?.str(&result.status)?;
        }
        if let Some(next) = &answer.next {
            encoder.str("NextToken")?.str(next)?;
        }
        encoder.str("Messages")?.array(answer.messages.len() as u64)?;
        for message in &answer.messages {
            encoder.map(2)?.str("Code")?.str("Remark")?.str("Value")?.str(message)?;
        }
        encoder.end()?.ok()
    })
}

fn json(answer: &Answer) -> Value {
    let results = answer.results.iter().map(|result| {
        let times: Vec<i64> = result.points.iter().map(|(at, _)| at.as_second()).collect();
        let values: Vec<f64> = result.points.iter().map(|(_, value)| *value).collect();
        json!({"Id": result.id, "Label": result.label, "Timestamps": times, "Values": values, "StatusCode": result.status})
    });
    let messages = answer.messages.iter().map(|message| json!({"Code": "Remark", "Value": message}));
    let mut told =
        json!({"MetricDataResults": results.collect::<Vec<_>>(), "Messages": messages.collect::<Vec<_>>()});
    if let (Some(next), Some(fields)) = (&answer.next, told.as_object_mut()) {
        fields.insert("NextToken".to_owned(), json!(next));
    }
    told
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::aws::cloudwatch::Told;

    fn answer() -> Answer {
        let at = Timestamp::from_second(1_772_323_200).unwrap();
        let told = |id: &str, points: Vec<(Timestamp, f64)>| Told {
            id: id.to_owned(),
            label: "環境".to_owned(),
            points,
            status: "Complete".to_owned(),
        };
        Answer {
            results: vec![told("q0", vec![(at, 0.5), (at, 3.0)]), told("q1", vec![])],
            next: Some("on".to_owned()),
            messages: vec!["look out".to_owned()],
        }
    }

    #[test]
    fn both_dialects_say_the_same() {
        for answer in [answer(), Answer::default()] {
            let said = Dialect::Cbor("GetMetricData".to_owned()).read(&cbor(&answer)).unwrap();
            let mut other = json(&answer);
            // JSON does not tell 3 from 3.0, and CBOR does.
            assert_eq!(said.to_string().len(), other.to_string().len());
            let mut said = said;
            said.sort_all_objects();
            other.sort_all_objects();
            assert_eq!(said, other);
        }
    }

    #[test]
    fn a_request_may_be_written_in_any_way_that_cbor_has() {
        let long = written(|e| {
            e.begin_map()?.begin_str()?.str("Start")?.str("Time")?.end()?;
            e.tag(EPOCH)?
                .f64(1.5)?
                .str("Ids")?
                .begin_array()?
                .u8(1)?
                .i8(-1)?
                .null()?
                .bool(true)?
                .end()?
                .end()?
                .ok()
        });
        let read = |body: &[u8]| Dialect::Cbor(String::new()).read(body);
        assert_eq!(read(&long).unwrap(), json!({"StartTime": 1.5, "Ids": [1, -1, null, true]}));
        let deep = vec![0x81; 10_000];
        for bad in [&long[..long.len() - 1], &[long.as_slice(), &[0]].concat(), &deep, b"<html>", &[]] {
            assert_eq!(read(bad).unwrap_err().code, "SerializationException");
        }
    }
}

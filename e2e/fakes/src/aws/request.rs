//! A Query-protocol request: its parameters by name, its lists by number, and who it says it comes from.
//!
//! The signature is **not** checked: the access key and region are read from the credential scope of the
//! `SigV4` `Authorization` header and believed. A test of wrong secrets needs the real AWS.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, header::AUTHORIZATION};

use super::error::AwsError;

/// The most parameters of one request; AWS's own limit is on bytes.
const MAX_PARAMETERS: usize = 10_000;

/// The parameters of a request, form- or query-encoded.
#[derive(Clone, Debug, Default)]
pub struct Params(BTreeMap<String, String>);

/// `Filter.N`: a name and the values of which one must match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// For example `tag:environment`.
    pub name: String,
    /// Values, with `*` and `?` as wildcards.
    pub values: Vec<String>,
}

impl Params {
    /// Reads `a=b&c=d`. Of a name given twice the first counts.
    ///
    /// # Errors
    /// `MalformedQueryString` when there are too many parameters.
    pub fn parse(encoded: &[u8]) -> Result<Self, AwsError> {
        let mut params = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(encoded) {
            if params.len() == MAX_PARAMETERS {
                return Err(AwsError::bad_request("MalformedQueryString", "Too many parameters"));
            }
            params.entry(name.into_owned()).or_insert_with(|| value.into_owned());
        }
        Ok(Self(params))
    }

    /// One parameter, if given.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// One parameter that must be given.
    ///
    /// # Errors
    /// `MissingParameter`.
    pub fn need(&self, name: &str) -> Result<&str, AwsError> {
        self.get(name).filter(|v| !v.is_empty()).ok_or_else(|| AwsError::missing(name))
    }

    /// A yes-or-no parameter; absent is no.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|v| v.eq_ignore_ascii_case("true"))
    }

    /// A whole number, if given.
    ///
    /// # Errors
    /// `InvalidParameterValue` when it is no number.
    pub fn number(&self, name: &str) -> Result<Option<i64>, AwsError> {
        let parse = |v: &str| {
            v.parse().map_err(|_| {
                AwsError::value(format!("Value ({v}) for parameter {name} is invalid. Expecting an integer"))
            })
        };
        self.get(name).map(parse).transpose()
    }

    /// `Name.1`, `Name.2`, … in order; a gap ends the list.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<String> {
        (1..).map_while(|n| self.get(&format!("{name}.{n}")).map(str::to_owned)).collect()
    }

    /// The structures `Name.1.*`, `Name.2.*`, … in order, each as parameters of its own.
    #[must_use]
    pub fn structures(&self, name: &str) -> Vec<Params> {
        let under = |n: usize| {
            let prefix = format!("{name}.{n}.");
            let own = self.0.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix));
            let own: BTreeMap<_, _> =
                own.map(|(k, v)| (k.strip_prefix(&prefix).unwrap_or(k).to_owned(), v.clone())).collect();
            (!own.is_empty()).then_some(Params(own))
        };
        (1..).map_while(under).collect()
    }

    /// `Filter.N.Name` with `Filter.N.Value.M`.
    ///
    /// # Errors
    /// `FilterLimitExceeded` for more than 200 values in a call or a value of more than 255 characters, AWS's limits.
    pub fn filters(&self) -> Result<Vec<Filter>, AwsError> {
        let filter = |p: &Params| Ok(Filter { name: p.need("Name")?.to_owned(), values: p.list("Value") });
        let filters: Vec<Filter> =
            self.structures("Filter").iter().map(filter).collect::<Result<_, AwsError>>()?;
        let values = || filters.iter().flat_map(|f| &f.values);
        if values().count() > 200 {
            let message = "The maximum number of filter values specified on a single call is 200";
            return Err(AwsError::bad_request("FilterLimitExceeded", message));
        }
        if values().any(|v| v.chars().count() > 255) {
            let message = "The maximum length for a filter value is 255 characters";
            return Err(AwsError::bad_request("FilterLimitExceeded", message));
        }
        Ok(filters)
    }
}

/// Who a request says it comes from: the credential scope, and the session token if any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The access key id.
    pub key: String,
    /// The region of the scope.
    pub region: String,
    /// The service of the scope, for example `ec2`.
    pub service: String,
    /// The `X-Amz-Security-Token` header.
    pub session_token: Option<String>,
}

impl Signed {
    /// Reads `Authorization: AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let authorization = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (_, rest) = authorization.split_once("Credential=")?;
        let scope = rest.split(',').next()?.trim();
        let mut parts = scope.rsplit('/').skip(1);
        let (service, region) = (parts.next()?, parts.next()?);
        let key = parts.nth(1)?;
        let token = headers.get("x-amz-security-token").and_then(|t| t.to_str().ok());
        Some(Self {
            key: key.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            session_token: token.map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_structures_and_filters() {
        let encoded = b"InstanceId.1=i-1&InstanceId.2=i-2&InstanceId.4=lost&Filter.1.Name=tag%3Aenv&Filter.1.Value.1=%E7%92%B0%E5%A2%83&DryRun=true&TagSpecification.1.Tag.1.Key=a&TagSpecification.1.Tag.2.Key=b";
        let params = Params::parse(encoded).unwrap();
        assert_eq!(params.list("InstanceId"), ["i-1", "i-2"]);
        assert_eq!(
            params.filters().unwrap(),
            [Filter { name: "tag:env".into(), values: vec!["環境".into()] }]
        );
        assert!(params.flag("DryRun"));
        let specs = params.structures("TagSpecification");
        assert_eq!(specs[0].structures("Tag").len(), 2);
        assert_eq!(params.need("ImageId").unwrap_err().code, "MissingParameter");
    }

    #[test]
    fn filters_have_limits() {
        let many: Vec<String> = (1..=201).map(|n| format!("&Filter.1.Value.{n}=x")).collect();
        let many = many.concat();
        let long = "x".repeat(256);
        for body in
            [format!("Filter.1.Name=vpc-id{many}"), format!("Filter.1.Name=vpc-id&Filter.1.Value.1={long}")]
        {
            let params = Params::parse(body.as_bytes()).unwrap();
            assert_eq!(params.filters().unwrap_err().code, "FilterLimitExceeded");
        }
    }

    #[test]
    fn the_scope_tells_key_region_and_service() {
        let mut headers = HeaderMap::new();
        assert_eq!(Signed::of(&headers), None);
        let scope = "AWS4-HMAC-SHA256 Credential=AKIA1/20260302/eu-west-1/ec2/aws4_request, SignedHeaders=host, Signature=0";
        headers.insert(AUTHORIZATION, scope.parse().unwrap());
        let signed = Signed::of(&headers).unwrap();
        assert_eq!(
            (signed.key.as_str(), signed.region.as_str(), signed.service.as_str()),
            ("AKIA1", "eu-west-1", "ec2")
        );
        headers.insert(AUTHORIZATION, "Basic abc".parse().unwrap());
        assert_eq!(Signed::of(&headers), None);
    }
}

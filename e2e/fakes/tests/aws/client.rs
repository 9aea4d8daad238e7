//! A client of the Query protocol as small as can be: a form, a credential scope, and tags cut out of the answer.

use jiff::{SignedDuration, Timestamp};
use rollcall_fakes::{
    aws::{Aws, RegionTruth},
    clock::WorldClock,
    server::Running,
    stage::Stage,
};

pub const ACCOUNT: &str = "111122223333";
pub const REGION: &str = "ap-northeast-1";
const KEY: &str = "AKIAROLLCALL";

/// A fake with one account and one key, its clock standing at noon, and who asks it.
pub struct Play {
    pub aws: Aws,
    pub tokyo: RegionTruth,
    pub client: Client,
    _server: Running,
}

pub fn noon() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

impl Play {
    pub async fn start() -> Self {
        let aws = Aws::new(Stage::new(WorldClock::frozen_at(noon())));
        let account = aws.account(ACCOUNT);
        account.add_key("reader", KEY);
        let server = aws.serve().await.unwrap();
        let client = Client::new(&server.url());
        Self { tokyo: account.region(REGION), aws, client, _server: server }
    }

    pub fn pass_minutes(&self, minutes: i64) {
        self.pass(SignedDuration::from_mins(minutes));
    }

    pub fn pass(&self, time: SignedDuration) {
        self.aws.stage().clock.advance(time);
    }
}

#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    pub key: String,
    pub token: Option<String>,
    pub region: String,
}

pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Client {
    pub fn new(url: &str) -> Self {
        // reqwest asks for a TLS provider even where plain HTTP is spoken.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            http: reqwest::Client::new(),
            url: url.to_owned(),
            key: KEY.to_owned(),
            token: None,
            region: REGION.to_owned(),
        }
    }

    pub fn with_key(&self, key: &str, token: Option<&str>) -> Self {
        Self { key: key.to_owned(), token: token.map(str::to_owned), ..self.clone() }
    }

    pub fn in_region(&self, region: &str) -> Self {
        Self { region: region.to_owned(), ..self.clone() }
    }

    pub async fn ec2(&self, action: &str, params: &[(&str, &str)]) -> Answer {
        self.call("ec2", action, params).await.unwrap()
    }

    pub async fn rds(&self, action: &str, params: &[(&str, &str)]) -> Answer {
        self.call("rds", action, params).await.unwrap()
    }

    pub async fn sts(&self, action: &str, params: &[(&str, &str)]) -> Answer {
        self.call("sts", action, params).await.unwrap()
    }

    /// Metrics, in AWS JSON.
    pub async fn metrics(&self, action: &str, body: &serde_json::Value) -> Answer {
        let target = format!("GraniteServiceVersion20100801.{action}");
        let request = self.http.post(&self.url).header("authorization", self.scope("monitoring"));
        let request = request.header("x-amz-target", target).body(body.to_string());
        let response = request.send().await.unwrap();
        Answer { status: response.status().as_u16(), body: response.text().await.unwrap() }
    }

    fn scope(&self, service: &str) -> String {
        let (key, region) = (&self.key, &self.region);
        format!(
            "AWS4-HMAC-SHA256 Credential={key}/20260302/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0"
        )
    }

    pub async fn call(
        &self,
        service: &str,
        action: &str,
        params: &[(&str, &str)],
    ) -> Result<Answer, reqwest::Error> {
        let form: Vec<(&str, &str)> =
            [("Action", action)].into_iter().chain(params.iter().copied()).collect();
        let mut request = self.http.post(&self.url).header("authorization", self.scope(service)).form(&form);
        if let Some(token) = &self.token {
            request = request.header("x-amz-security-token", token);
        }
        let response = request.send().await?;
        Ok(Answer { status: response.status().as_u16(), body: response.text().await? })
    }

    /// Names of all databases, page by page; each page as a list of its own.
    pub async fn db_pages(&self, size: Option<usize>) -> Vec<Vec<String>> {
        let (mut pages, mut marker) = (vec![], None::<String>);
        let size = size.map(|n| n.to_string());
        for _ in 0..10_000 {
            let mut params = vec![];
            params.extend(size.as_deref().map(|n| ("MaxRecords", n)));
            params.extend(marker.as_deref().map(|m| ("Marker", m)));
            let answer = self.rds("DescribeDBInstances", &params).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            pages.push(answer.all("DBInstanceIdentifier"));
            marker = answer.one("Marker");
            if marker.is_none() {
                return pages;
            }
        }
        panic!("a listing without end");
    }

    /// Ids of all instances, page by page; each page as a list of its own.
    pub async fn pages(&self, size: Option<usize>, more: &[(&str, &str)]) -> Vec<Vec<String>> {
        let (mut pages, mut token) = (vec![], None::<String>);
        let size = size.map(|n| n.to_string());
        for _ in 0..10_000 {
            let mut params = more.to_vec();
            params.extend(size.as_deref().map(|n| ("MaxResults", n)));
            params.extend(token.as_deref().map(|t| ("NextToken", t)));
            let answer = self.ec2("DescribeInstances", &params).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            pages.push(answer.all("instanceId"));
            token = answer.one("nextToken");
            if token.is_none() {
                return pages;
            }
        }
        panic!("a listing without end");
    }
}

impl Answer {
    /// The texts of all elements of this name.
    pub fn all(&self, name: &str) -> Vec<String> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let after = self.body.split(&open).skip(1);
        after.map(|rest| rest.split(&close).next().unwrap().to_owned()).collect()
    }

    /// The text of the first element of this name.
    pub fn one(&self, name: &str) -> Option<String> {
        self.all(name).into_iter().next()
    }

    /// What an answer in JSON says.
    pub fn json(&self) -> serde_json::Value {
        assert_eq!(self.status, 200, "{}", self.body);
        serde_json::from_str(&self.body).unwrap()
    }

    /// The error code of an answer in JSON, or empty.
    pub fn json_code(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        let code = body["__type"].as_str().unwrap_or_default();
        code.rsplit('#').next().unwrap_or_default().to_owned()
    }

    /// The error code, or empty.
    pub fn code(&self) -> String {
        if self.status == 200 { String::new() } else { self.one("Code").unwrap_or_default() }
    }
}

//! Which addresses may be called: the rules for URLs that teams write into custom resources.
//!
//! A team names the URL, and this process calls it from inside the cluster with a secret in its hand. So a URL must never
//! lead to an address that the platform's administrator did not mean to open: every name is resolved once per connection,
//! by our own resolver, and the connection goes to exactly the address that was judged. There is no second look-up for a
//! changed DNS answer to slip into, no redirect, no proxy.

mod address;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

pub use address::{Special, reached, special};

/// No URL is longer than this, in bytes.
pub const MAX_URL: usize = 2_048;
/// No more addresses of one name are looked at; the first ones count.
const MAX_ADDRESSES: usize = 16;

/// The administrator's word on what may be called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointPolicy {
    /// Plain http is allowed too. Keys then travel in the clear: for tests and demos.
    pub allow_http: bool,
    /// Ranges that may be called although they are not public. A metadata service is opened only by a range of exactly
    /// its own address, never by a wider one.
    pub allowed_cidrs: Vec<IpNet>,
}

/// Why a URL is refused. Never repeats the URL, which may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It is not a URL, or not one with a host.
    #[error("expected an absolute URL like https://api.mackerelio.com/, found something else: {0}")]
    NotAUrl(String),
    /// Too long.
    #[error("expected a URL of at most {MAX_URL} bytes, found {0}")]
    TooLong(usize),
    /// Another scheme.
    #[error("expected https, found {0}; the platform's administrator may allow http")]
    Scheme(String),
    /// `user:password@`.
    #[error("expected no user name or password in the URL: put the secret into a Secret and name that")]
    UserInfo,
    /// `?query` or `#fragment`.
    #[error("expected a base URL without `?` and `#`: the calls append their own path and query")]
    QueryOrFragment,
    /// An address that is not public, written out.
    #[error(
        "expected a public address, found {host} ({special}); the platform's administrator may add it to the allowed ranges"
    )]
    Address {
        /// The host as written.
        host: String,
        /// What it is.
        special: Special,
    },
}

/// A base URL that passed the rules. Its host cannot change any more.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

impl Endpoint {
    /// The URL of a path below the base; each segment is escaped, so that none can leave it.
    #[must_use]
    pub fn at(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// Its host, for messages.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The whole base URL, which holds no secret.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

/// The whole URL to which something is sent, checked. What comes after its host is often a secret and is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Target(Url);

/// A part of a URL that has at least so many characters may be a token; `api` and `hooks` are none.
const MAY_BE_TOKEN: usize = 8;

impl Target {
    /// Its host, for messages.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    pub(crate) fn url(&self) -> &Url {
        &self.0
    }

    /// The text without what comes after the host, as a whole or in parts, should somebody have echoed it.
    pub(crate) fn removed_from(&self, text: &str) -> String {
        let (path, query) = (self.0.path(), self.0.query().unwrap_or_default());
        let pairs = self.0.query_pairs().flat_map(|(key, value)| [key.into_owned(), value.into_owned()]);
        let raw = [format!("{path}?{query}"), path.to_owned(), query.to_owned()].into_iter();
        let segments = path.split('/').chain(query.split(['&', '='])).map(ToOwned::to_owned);
        let mut parts: Vec<String> =
            raw.chain(segments).chain(pairs).filter(|part| part.len() >= MAY_BE_TOKEN).collect();
        parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
        parts.iter().fold(text.to_owned(), |text, part| text.replace(part.as_str(), "[url]"))
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({}://{}/…)", self.0.scheme(), self.host())
    }
}

impl EndpointPolicy {
    /// Checks a base URL. Addresses written out are judged here, names when they are resolved.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn endpoint(&self, text: &str) -> Result<Endpoint, EndpointError> {
        let mut url = self.judged(text)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(EndpointError::QueryOrFragment);
        }
        // One spelling for one place: `https://a/x` and `https://a/x/` are the same base.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("");
        }
        Ok(Endpoint(url))
    }

    /// Checks a URL that is called as it is written, under the same rules. It may have a query: where notices go, that is often
    /// where the token stands.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn target(&self, text: &str) -> Result<Target, EndpointError> {
        let mut url = self.judged(text.trim())?;
        // Nobody sends it.
        url.set_fragment(None);
        Ok(Target(url))
    }

    /// What holds for every URL, whatever comes after its host.
    fn judged(&self, text: &str) -> Result<Url, EndpointError> {
        if text.len() > MAX_URL {
            return Err(EndpointError::TooLong(text.len()));
        }
        let url = Url::parse(text).map_err(|e| EndpointError::NotAUrl(e.to_string()))?;
        match url.scheme() {
            "https" => {}
            "http" if self.allow_http => {}
            other => return Err(EndpointError::Scheme(other.to_owned())),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::UserInfo);
        }
        if url.host().is_none() {
            return Err(EndpointError::NotAUrl("it has no host".to_owned()));
        }
        self.judge_literal(&url)?;
        Ok(url)
    }

    /// Judges the host of a URL if it is an address written out, which no resolver ever sees. A name passes.
    ///
    /// # Errors
    /// When the address must not be called.
    pub(crate) fn judge_literal(&self, url: &Url) -> Result<(), EndpointError> {
        let address = match url.host() {
            Some(Host::Ipv4(four)) => IpAddr::V4(four),
            Some(Host::Ipv6(six)) => IpAddr::V6(six),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        match self.refuses(address) {
            Some(special) => {
                Err(EndpointError::Address { host: url.host_str().unwrap_or_default().to_owned(), special })
            }
            None => Ok(()),
        }
    }

    /// Why this address must not be called, or `None` when it may be.
    #[must_use]
    pub fn refuses(&self, address: IpAddr) -> Option<Special> {
        let special = special(address)?;
        let reached = reached(address);
        let opens = |net: &IpNet| {
            let exact = net.prefix_len() == net.max_prefix_len();
            (net.contains(&address) || net.contains(&reached)) && (special != Special::Metadata || exact)
        };
        if self.allowed_cidrs.iter().any(opens) { None } else { Some(special) }
    }
}

/// Turns a name into addresses. The system's resolver, but in tests.
#[async_trait]
pub trait Lookup: Send + Sync + 'static {
    /// All addresses of `host`.
    ///
    /// # Errors
    /// When it has none, or nobody could be asked.
    async fn addresses(&self, host: &str) -> std::io::Result<Vec<IpAddr>>;
}

/// The system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn addresses(&self, host: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|a| a.ip()).collect())
    }
}

/// The resolver of our connections: hands out judged addresses only, and the connection goes to one of them.
pub(crate) struct Guarded {
    policy: EndpointPolicy,
    lookup: Arc<dyn Lookup>,
}

/// A name that leads only to addresses that must not be called. Does not tell which: a team must not learn by trial what
/// names mean inside the cluster.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{host} leads to {special} addresses only; the platform's administrator may add them to the allowed ranges"
)]
pub(crate) struct NameRefused {
    host: String,
    special: Special,
}

impl Guarded {
    pub(crate) fn new(policy: EndpointPolicy, lookup: Arc<dyn Lookup>) -> Self {
        Self { policy, lookup }
    }
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, lookup) = (self.policy.clone(), self.lookup.clone());
        Box::pin(async move {
            let host = name.as_str();
            let found = lookup.addresses(host).await?;
            let found: Vec<_> = found.into_iter().take(MAX_ADDRESSES).collect();
            let allowed: Vec<_> =
                found.iter().copied().filter(|address| policy.refuses(*address).is_none()).collect();
            match found.iter().find_map(|address| policy.refuses(*address)) {
                Some(special) if allowed.is_empty() => {
                    Err(NameRefused { host: host.to_owned(), special }.into())
                }
                // Port 0: reqwest puts the URL's.
                _ => Ok(Box::new(allowed.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs),
            }
        })
    }
}

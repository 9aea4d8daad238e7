//! Readers of monitoring systems, for the operator and for a single look: address, login and authorities of an object, made into a source.
//! Translation only; what is wrong with a Secret is said in the words of who must mend it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use jiff::Timestamp;
use rollcall_crds::v1alpha1 as api;
use rollcall_engine::fleet::{Channel, Endpoint, Nagios, NagiosWay, System};
use rollcall_engine::ids::RegistrationId;
use rollcall_engine::notice::Message;
use rollcall_engine::notice::outbox::Outcome;
use rollcall_engine::reading::{Failure, FailureKind};
use rollcall_engine::registry::Registry;
use rollcall_monitoring::endpoint::{self, EndpointPolicy, SystemLookup};
use rollcall_monitoring::http::{Http, Pace, Patience, Tls};
use rollcall_monitoring::mackerel::{
    ApiKey, CheckReader, Client, DEFAULT_ENDPOINT, KeySource, MackerelSource,
};
use rollcall_monitoring::nagios::{self, Cgi, Files, Login, NagiosSource, Terms, Way};
use rollcall_monitoring::notify::{self, Channel as _, SigningSecrets, Webhook};
use rollcall_monitoring::{Depth, RegistrySource};
use rollcall_operator::sources::{Fingerprint, Proofs, RegistryReader, Secrets};
use sha2::{Digest as _, Sha256};

/// Monitoring systems, reached under one policy and at one pace.
pub struct Monitoring {
    policy: EndpointPolicy,
    tls: Tls,
    pace: Pace,
    checks_per_minute: u32,
    /// The folder whose files objects may name; without it, none.
    nagios_files: Option<PathBuf>,
    /// By which notices are sent, once there is one.
    messenger: OnceLock<Arc<Http>>,
}

impl Monitoring {
    /// Nothing is connected yet.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(policy: EndpointPolicy, pace: Pace, checks_per_minute: u32) -> anyhow::Result<Self> {
        Ok(Self {
            policy,
            tls: Tls::system()?,
            pace,
            checks_per_minute,
            nagios_files: None,
            messenger: OnceLock::new(),
        })
    }

    /// Objects may name files of Nagios in this folder.
    pub fn with_nagios_files(self, folder: Option<PathBuf>) -> Self {
        Self { nagios_files: folder, ..self }
    }

    /// A reader of one system.
    ///
    /// # Errors
    /// `Misconfigured` for an address that is not allowed, and for a Secret that holds no key, login or certificate.
    pub fn reader(&self, system: &System, secrets: &Secrets) -> Result<Box<dyn RegistryReader>, Failure> {
        let tls = self.tls(system, secrets)?;
        match &system.endpoint {
            Endpoint::Mackerel(mackerel) => self.mackerel(mackerel, &tls, secrets),
            Endpoint::Nagios(nagios) => self.nagios(nagios, &tls, secrets),
        }
    }

    /// Tries once to deliver a message. What people must mend is said in their words, and tried again when they have.
    pub async fn deliver(&self, channel: &Channel, secrets: &Secrets, message: &Message) -> Outcome {
        match self.webhook(channel, secrets) {
            Ok(webhook) => webhook.deliver(message, Timestamp::now()).await,
            Err(failure) => Outcome::TryAgain { why: failure.message, wait: None },
        }
    }

    fn webhook(&self, channel: &Channel, secrets: &Secrets) -> Result<Webhook, Failure> {
        let field = "spec.webhook.urlSecret";
        let url = need(secrets, &channel.url.name, &channel.url.key, field)?;
        // Where it leads is a secret: only the rule that it breaks is told.
        let target = self.policy.target(url).map_err(|why| misconfigured(&format!("{field}: {why}")))?;
        let field = "spec.webhook.signingSecret";
        let signing = need(secrets, &channel.signing.name, &channel.signing.key, field)?;
        let signing =
            SigningSecrets::new(signing).map_err(|why| misconfigured(&format!("{field}: {why}")))?;
        let http = if let Some(http) = self.messenger.get() {
            Arc::clone(http)
        } else {
            let http = Arc::new(self.http(&self.tls, notify::patience())?);
            Arc::clone(self.messenger.get_or_init(|| http))
        };
        Ok(Webhook::new(http, target, Arc::new(signing)))
    }

    fn mackerel(
        &self,
        spec: &api::MackerelSystem,
        tls: &Tls,
        secrets: &Secrets,
    ) -> Result<Box<dyn RegistryReader>, Failure> {
        let url = spec.api_url.as_deref().unwrap_or(DEFAULT_ENDPOINT);
        let base = self.base(url, "spec.mackerel.apiURL")?;
        let secret = &spec.api_key_secret;
        let key = need(secrets, &secret.name, &secret.key, "spec.mackerel.apiKeySecret")?;
        let client = Client::new(self.http(tls, Patience::default())?, base);
        let key = Arc::new(Held(ApiKey::new(key)?));
        let source = MackerelSource::new(client, key, CheckReader::new(self.checks_per_minute));
        Ok(Box::new(Reader(source)))
    }

    fn nagios(
        &self,
        nagios: &Nagios,
        tls: &Tls,
        secrets: &Secrets,
    ) -> Result<Box<dyn RegistryReader>, Failure> {
        let way = match &nagios.way {
            NagiosWay::Cgi { url, login } => self.cgi(url, &login.name, tls, secrets)?,
            NagiosWay::Files(files) => Way::Files(self.files(files)?),
        };
        let terms = Terms { interval_length: nagios.interval_length, ..Terms::default() };
        Ok(Box::new(Reader(NagiosSource::new(way, terms))))
    }

    fn cgi(&self, url: &str, secret: &str, tls: &Tls, secrets: &Secrets) -> Result<Way, Failure> {
        let base = self.base(url, "spec.nagios.statusURL")?;
        let field = "spec.nagios.basicAuthSecret";
        let login =
            Login::new(need(secrets, secret, "username", field)?, need(secrets, secret, "password", field)?)?;
        Ok(Way::Cgi(Box::new(Cgi::new(self.http(tls, nagios::patience())?, base, Arc::new(login)))))
    }

    fn files(&self, files: &api::NagiosFiles) -> Result<Files, Failure> {
        let Some(within) = self.nagios_files.clone() else {
            return Err(misconfigured(
                "spec.nagios.files: expected a folder whose files may be named, found none allowed here; the platform admin \
                 allows one with --nagios-files (the chart's nagiosFiles.claimName)",
            ));
        };
        let path = |text: &str| PathBuf::from(text);
        Ok(Files { within, objects: path(&files.object_cache_file), status: path(&files.status_file) })
    }

    fn base(&self, url: &str, field: &str) -> Result<endpoint::Endpoint, Failure> {
        self.policy.endpoint(url).map_err(|why| misconfigured(&format!("{field}: {why}")))
    }

    fn http(&self, tls: &Tls, patience: Patience) -> Result<Http, Failure> {
        Http::new(&self.policy, Arc::new(SystemLookup), tls, self.pace, patience)
            .map_err(|why| misconfigured(&format!("the HTTP client cannot be made: {why}")))
    }

    fn tls(&self, system: &System, secrets: &Secrets) -> Result<Tls, Failure> {
        let Some(authority) = &system.authority else { return Ok(self.tls.clone()) };
        let pem = need(secrets, &authority.name, &authority.key, "spec.caSecret")?;
        Tls::with_authority(pem.as_bytes()).map_err(|why| {
            misconfigured(&format!(
                "spec.caSecret: key {} in Secret {}: {why}",
                authority.key, authority.name
            ))
        })
    }
}

/// What makes two objects the same source.
pub fn fingerprint(system: &System, secrets: &Secrets) -> Fingerprint {
    let mut hash = Sha256::new_with_prefix(b"rollcall source\0");
    let mut add = |text: &str| {
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    };
    add(system.endpoint.product().as_str());
    match &system.endpoint {
        Endpoint::Mackerel(spec) => {
            add(spec.api_url.as_deref().unwrap_or(DEFAULT_ENDPOINT).trim_end_matches('/'));
        }
        Endpoint::Nagios(nagios) => {
            match &nagios.way {
                NagiosWay::Cgi { url, .. } => add(url.trim_end_matches('/')),
                NagiosWay::Files(files) => {
                    add(&files.object_cache_file);
                    add(&files.status_file);
                }
            }
            add(&nagios.interval_length.as_secs().to_string());
        }
    }
    for needed in system.secrets() {
        add(needed.field);
        for key in needed.keys {
            add(secrets.get(needed.name, key).unwrap_or_default());
        }
    }
    Fingerprint(hash.finalize().into())
}

fn need<'a>(secrets: &'a Secrets, name: &str, key: &str, field: &str) -> Result<&'a str, Failure> {
    secrets.get(name, key).filter(|text| !text.is_empty()).ok_or_else(|| {
        misconfigured(&format!("{field}: expected the key {key} with text in Secret {name}, found none"))
    })
}

fn misconfigured(message: &str) -> Failure {
    Failure::new(FailureKind::Misconfigured, message)
}

/// A key that the operator read for this reader; it makes a new reader when the Secret changes.
struct Held(ApiKey);

#[async_trait]
impl KeySource for Held {
    async fn key(&self) -> Result<ApiKey, Failure> {
        Ok(self.0.clone())
    }
}

struct Reader<S>(S);

#[async_trait]
impl<S: RegistrySource> RegistryReader for Reader<S> {
    fn remember(&mut self, registrations: BTreeSet<RegistrationId>) {
        self.0.remember(registrations);
    }
    async fn read(&mut self, now: Timestamp, proofs: Proofs) -> Registry {
        let depth = match proofs {
            Proofs::Renew => Depth::Hosts,
            Proofs::Spare => Depth::Listings,
        };
        self.0.read(now, depth).await
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a failing test speaks by panicking")]
mod tests {
    use std::path::Path;

    use rollcall_engine::fleet::{Desired, Fleet};
    use rollcall_engine::reading::Extent;

    use super::*;

    /// A Nagios whose files lie in this folder.
    fn fleet(folder: &Path) -> Fleet {
        let path = |name: &str| folder.join(name).display().to_string();
        let object = serde_json::json!({
            "apiVersion": "rollcall.dev/v1alpha1", "kind": "MonitoringSystem",
            "metadata": {"name": "nagios", "namespace": "backlog"},
            "spec": {"nagios": {"intervalLengthSeconds": 1, "files": {
                "objectCacheFile": path("nagios-4.4.6-objects.cache"), "statusFile": path("nagios-4.4.6-status.dat"),
            }}},
        });
        let systems = vec![serde_json::from_value(object).unwrap()];
        let (fleet, problems) = Fleet::parse(&Desired { systems, ..Desired::default() });
        assert_eq!(problems, []);
        fleet
    }

    fn reader(allowed: Option<&Path>) -> Result<Box<dyn RegistryReader>, Failure> {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../monitoring/tests/fixtures/nagios");
        let fixtures = fixtures.canonicalize().unwrap();
        let fleet = fleet(&fixtures);
        let system = fleet.systems().next().unwrap();
        assert_eq!(system.secrets(), [], "files need none");
        let monitoring = Monitoring::new(EndpointPolicy::default(), Pace::default(), 60).unwrap();
        let allowed = allowed.map(|below| fixtures.join(below));
        monitoring.with_nagios_files(allowed).reader(system, &Secrets::default())
    }

    async fn read(allowed: &Path) -> Registry {
        let then = Timestamp::from_second(1_795_403_915).unwrap();
        reader(Some(allowed)).unwrap_or_else(|why| panic!("{why:?}")).read(then, Proofs::Renew).await
    }

    #[tokio::test]
    async fn files_are_read_in_the_folder_that_is_allowed_and_nowhere_else() {
        let registry = read(Path::new(".")).await;
        assert!(matches!(registry.hosts.extent, Extent::Complete { .. }), "{:?}", registry.hosts.extent);
        assert!(!registry.hosts.seen.is_empty());

        let Extent::Failed { why, .. } = read(Path::new("../../../src")).await.hosts.extent else {
            panic!("files elsewhere were read")
        };
        assert!(
            why.kind == FailureKind::Misconfigured && why.message.contains("which is elsewhere"),
            "{why:?}"
        );

        let Err(why) = reader(None) else { panic!("nobody allowed a folder") };
        assert!(why.message.contains("--nagios-files"), "{why:?}");
    }
}

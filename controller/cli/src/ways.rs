//! Where a recording is, and the options that it takes to get one that is in no file. Arguments only: nothing is reached from here.
// Help texts are printed as they stand: backticks would be noise in a terminal.
#![allow(clippy::doc_markdown)]

use std::ffi::OsString;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use ipnet::IpNet;
use rollcall_engine::text::argument;

// clap has a heading last until the next one, so each option names its own.
const CLUSTER: &str = "With --on cluster";
const LIVE: &str = "With --on live";

/// Where a recording is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum On {
    /// In a file.
    File(PathBuf),
    /// With the operator of a cluster. A file of that name is `./cluster`.
    Cluster,
    /// Nowhere yet: it is made by looking once. A file of that name is `./live`.
    Live,
}

impl From<OsString> for On {
    fn from(text: OsString) -> Self {
        match text.to_str() {
            Some("cluster") => Self::Cluster,
            Some("live") => Self::Live,
            _ => Self::File(text.into()),
        }
    }
}

/// What it takes to get a recording that is in no file.
#[derive(Debug, Default, Args)]
pub struct Ways {
    /// The operator's namespace, in which its pods and the Secrets of accounts are. Without it, rollcall.
    #[arg(long, value_name = "NAMESPACE", help_heading = "With --on cluster or live")]
    pub operator_namespace: Option<String>,
    #[command(flatten)]
    pub cluster: ClusterArgs,
    #[command(flatten)]
    pub live: LiveArgs,
}

/// Which operator is asked, and with whose rights.
#[derive(Debug, Default, Args)]
pub struct ClusterArgs {
    /// The context of the kubeconfig. Without it, the current one; in a pod, that of the pod.
    #[arg(long, help_heading = CLUSTER, value_name = "NAME")]
    pub context: Option<String>,
    /// Where an operator on this machine, or a forwarded port, listens: 127.0.0.1:8081. Without it, a port of the operator's
    /// pod is forwarded.
    #[arg(long, help_heading = CLUSTER, value_name = "ADDRESS", value_parser = loopback)]
    pub operator_address: Option<SocketAddr>,
    /// A file with the bearer token to show the operator. Without it, the one that the kubeconfig gives you.
    #[arg(long, help_heading = CLUSTER, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Show the operator a token of this service account, made for ten minutes, instead of yours.
    #[arg(long, help_heading = CLUSTER, value_name = "NAMESPACE/NAME", conflicts_with = "token_file")]
    pub service_account: Option<ServiceAccount>,
}

/// A service account's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Its namespace.
    pub namespace: String,
    /// Its name there.
    pub name: String,
}

impl FromStr for ServiceAccount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains('/') => {
                Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
            }
            _ => Err(format!("expected NAMESPACE/NAME, such as backlog/recorder, found {text:?}")),
        }
    }
}

/// A token must not travel unencrypted, and the operator speaks plain HTTP.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let expected = || format!("expected an address of this machine, such as 127.0.0.1:8081, found {text:?}");
    let address: SocketAddr = text.parse().map_err(|_| expected())?;
    if address.ip().is_loopback() { Ok(address) } else { Err(expected()) }
}

/// How sources are reached, and with what keys.
#[derive(Debug, Default, Args)]
pub struct LiveArgs {
    /// A folder with the Secrets that the objects name, as files NAMESPACE/NAME/KEY. For an account whose Secret is not in it
    /// the AWS credentials of the environment are used, for a Mackerel MACKEREL_APIKEY.
    #[arg(long, help_heading = LIVE, value_name = "DIR")]
    pub secrets: Option<PathBuf>,
    /// A private range that MonitoringSystems may be in; repeatable. Public addresses over https always may.
    #[arg(long, help_heading = LIVE, value_name = "CIDR")]
    pub allowed_cidr: Vec<IpNet>,
    /// Calls per second to one monitoring system, all together. Without it, 5.
    #[arg(long, help_heading = LIVE, value_name = "CALLS", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub registry_calls_per_second: Option<u32>,
    /// Let MonitoringSystems use http: keys then travel unencrypted.
    #[arg(long, help_heading = LIVE)]
    pub allow_http: bool,
    /// The folder in which MonitoringSystems may name files of Nagios. Without it, none.
    #[arg(long, help_heading = LIVE, value_name = "DIR")]
    pub nagios_files: Option<PathBuf>,
}

impl Ways {
    /// What was given of it, as it was given: the word of `--on` that it belongs to, the option and its value.
    fn given(&self) -> Vec<(&'static str, &'static str, Option<String>)> {
        let (cluster, live) = (&self.cluster, &self.live);
        let path = |path: &PathBuf| path.display().to_string();
        let account = |account: &ServiceAccount| format!("{}/{}", account.namespace, account.name);
        let mut given = vec![
            ("cluster", "--context", cluster.context.clone()),
            ("cluster", "--operator-address", cluster.operator_address.map(|address| address.to_string())),
            ("cluster", "--token-file", cluster.token_file.as_ref().map(path)),
            ("cluster", "--service-account", cluster.service_account.as_ref().map(account)),
            ("live", "--secrets", live.secrets.as_ref().map(path)),
            ("live", "--nagios-files", live.nagios_files.as_ref().map(path)),
            (
                "live",
                "--registry-calls-per-second",
                live.registry_calls_per_second.map(|calls| calls.to_string()),
            ),
        ];
        given.extend(
            live.allowed_cidr.iter().map(|range| ("live", "--allowed-cidr", Some(range.to_string()))),
        );
        given.retain(|(_, _, value)| value.is_some());
        if live.allow_http {
            given.push(("live", "--allow-http", None));
        }
        given
    }

    /// The namespace of the operator: the chart's own name for it when nobody says otherwise.
    #[cfg(feature = "operator")]
    pub fn operator_namespace(&self) -> &str {
        self.operator_namespace.as_deref().unwrap_or("rollcall")
    }

    /// Refuses what would say nothing about this input, rather than ignoring it.
    ///
    /// # Errors
    /// When an option of another `--on` was given.
    pub fn suits(&self, on: &On) -> anyhow::Result<()> {
        let word = match on {
            On::File(_) => {
                anyhow::ensure!(
                    self.operator_namespace.is_none(),
                    "--operator-namespace: expected --on cluster or --on live beside it, found the name of a file"
                );
                ""
            }
            On::Cluster => "cluster",
            On::Live => "live",
        };
        match self.given().iter().find(|(of, ..)| *of != word) {
            Some((of, option, _)) => {
                anyhow::bail!("{option}: expected --on {of} beside it, found another --on")
            }
            None => Ok(()),
        }
    }
}

/// The arguments that name this input again, for commands that people are to copy.
pub fn spoken(on: &On, ways: &Ways) -> String {
    let on = match on {
        On::File(path) => path.display().to_string(),
        On::Cluster => "cluster".to_owned(),
        On::Live => "live".to_owned(),
    };
    let mut spoken = format!("--on {}", argument(&on));
    if let Some(namespace) = &ways.operator_namespace {
        let _ = write!(spoken, " --operator-namespace {}", argument(namespace));
    }
    for (_, option, value) in ways.given() {
        spoken.push(' ');
        spoken.push_str(option);
        if let Some(value) = value {
            let _ = write!(spoken, " {}", argument(&value));
        }
    }
    spoken
}

//! `rollcall run` as a child process: what a pod of the chart runs, with the same rights, on loopback.
//!
//! It must never outlive the process that started it, and must never be found stale: see [`binary`].

mod binary;
mod process;

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

pub use binary::binary;
use process::Process;

use crate::wait::{Look, until};

/// Ready means: listening, connected to the API server, watches filled. Tests share the machine with compilers.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// What one replica is told. Everything it reaches is named here; it inherits no environment variable that
/// could lead it to a real cloud or cluster.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Its name: identity in the lease, and name of its log.
    pub name: String,
    /// Whose rights it has.
    pub kubeconfig: PathBuf,
    /// Its own namespace.
    pub namespace: String,
    /// The fake AWS, whose world clock it follows too.
    pub aws_url: String,
    /// World seconds between two readings of instances, and of a monitoring system.
    pub every_seconds: u32,
    /// Its log is for machines, an object a line.
    pub logs_json: bool,
    /// More arguments.
    pub arguments: Vec<String>,
    /// Where its log is written.
    pub folder: PathBuf,
}

/// A running replica. Dropping it kills it; when a test fails the end of its log is printed.
pub struct Operator {
    process: Process,
    name: String,
    http: u16,
    recording: u16,
}

impl Operator {
    /// Starts a replica and waits until it is ready.
    ///
    /// # Errors
    /// When the binary cannot be built, or it ends early or is not ready in time; the error quotes its log.
    pub async fn start(setup: &Setup) -> Result<Self> {
        let mut operator = Self::launch(setup).await?;
        operator.ready().await?;
        Ok(operator)
    }

    /// Starts a replica without waiting for it.
    ///
    /// # Errors
    /// When the binary cannot be built or started.
    pub async fn launch(setup: &Setup) -> Result<Self> {
        let binary = tokio::task::spawn_blocking(binary).await??;
        let (http, recording) = (free_port()?, free_port()?);
        let process = Process::start(
            &binary,
            &arguments(setup, http, recording),
            &environment(setup),
            &setup.folder.join(format!("{}.log", setup.name)),
        )?;
        Ok(Self { process, name: setup.name.clone(), http, recording })
    }

    /// Waits until it says that it is ready.
    ///
    /// # Errors
    /// When it ended, or is not ready in time.
    pub async fn ready(&mut self) -> Result<()> {
        let url = format!("{}/readyz", self.http_url());
        let what = format!("{} is ready", self.name);
        let waited = until(what, READY_WITHIN, async || {
            self.process.check_alive()?;
            Ok(match reqwest::get(&url).await {
                Ok(answer) if answer.status().is_success() => Look::There(()),
                Ok(answer) => Look::NotYet(format!("{url}: {}", answer.status())),
                Err(error) => Look::NotYet(format!("{url}: {error}")),
            })
        });
        waited.await.with_context(|| self.process.tail())
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Its log so far.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn log(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.process.log())?)
    }

    /// The file its log is written to.
    #[must_use]
    pub fn log_file(&self) -> &Path {
        self.process.log()
    }

    /// Base address of its metrics and health.
    #[must_use]
    pub fn http_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.http)
    }

    /// Its metrics in the text format.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn metrics(&self) -> Result<String> {
        let answer = reqwest::get(format!("{}/metrics", self.http_url())).await?;
        Ok(answer.error_for_status()?.text().await?)
    }

    /// Its last recording, unpacked (JSON), cut to what the caller that this bearer token names may see.
    ///
    /// # Errors
    /// When it does not answer, or not with a recording; the error quotes its words.
    pub async fn recording(&self, token: &str) -> Result<Vec<u8>> {
        let url = format!("http://127.0.0.1:{}/v1/recording", self.recording);
        let answer = reqwest::Client::new().get(&url).bearer_auth(token).send().await?;
        let status = answer.status();
        let bytes = answer.bytes().await?;
        ensure!(status.is_success(), "{url}: {status}: {}", String::from_utf8_lossy(&bytes));
        Ok(bytes.to_vec())
    }

    /// Asks it to end, as Kubernetes does, and waits until it has.
    ///
    /// # Errors
    /// When it does not end in time or not with success; the error quotes its log.
    pub async fn stop(mut self) -> Result<()> {
        let status =
            tokio::task::spawn_blocking(move || self.process.terminate().map(|s| (s, self.process.tail())));
        match status.await?? {
            (status, _) if status.success() => Ok(()),
            (status, tail) => bail!("expected exit code 0 after SIGTERM, found {status}\n{tail}"),
        }
    }

    /// Kills it without warning (SIGKILL) and waits until it is gone.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(mut self) -> Result<()> {
        self.process.kill()
    }

    /// An error that quotes its log when it has ended by itself.
    ///
    /// # Errors
    /// That one.
    pub fn check_alive(&mut self) -> Result<()> {
        self.process.check_alive()
    }
}

fn arguments(setup: &Setup, http: u16, recording: u16) -> Vec<String> {
    let every = setup.every_seconds.to_string();
    let fixed = [
        ("--namespace", setup.namespace.as_str()),
        ("--identity", &setup.name),
        ("--inventory-seconds", &every),
        ("--registry-seconds", &every),
        // Stories wait for what is remembered to be written, and kill whom they want afterwards.
        ("--memory-seconds", "1"),
        // The default is courtesy towards a server of others; this one is ours, and the checks of 200 hosts are 200 calls.
        ("--registry-calls-per-second", "200"),
        ("--allowed-cidr", "127.0.0.0/8"),
        ("--log-format", if setup.logs_json { "json" } else { "human" }),
        ("--http-address", &format!("127.0.0.1:{http}")),
        ("--recording-address", &format!("127.0.0.1:{recording}")),
        ("--world-clock", &setup.aws_url),
    ];
    let mut arguments = vec!["run".to_owned(), "--allow-http".to_owned()];
    arguments.extend(fixed.iter().map(|(name, value)| format!("{name}={value}")));
    arguments.extend(setup.arguments.iter().cloned());
    arguments
}

fn environment(setup: &Setup) -> Vec<(String, String)> {
    let kept = ["PATH", "HOME", "TMPDIR", "RUST_LOG", "RUST_BACKTRACE"];
    let mut environment: Vec<(String, String)> =
        kept.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?))).collect();
    let mut set = |name: &str, value: &str| environment.push((name.to_owned(), value.to_owned()));
    set("KUBECONFIG", &setup.kubeconfig.to_string_lossy());
    set("AWS_ENDPOINT_URL", &setup.aws_url);
    // Nothing but the Secrets of the accounts may lead into an account.
    set("AWS_EC2_METADATA_DISABLED", "true");
    set("NO_COLOR", "1");
    environment
}

/// A port that was free a moment ago. Somebody may take it meanwhile; then the operator says so and ends.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

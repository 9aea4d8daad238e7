//! Runs the kubectl of the same version as the API server, untouched by the caller's own kubectl settings.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// No kubectl call of a test waits longer; `kubectl wait` and `delete` would do so for ever.
const LIMIT: Duration = Duration::from_mins(2);

/// What a kubectl call left behind.
#[derive(Clone, Debug)]
pub struct Output {
    /// Whether it exited with 0.
    pub success: bool,
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// Standard output of a call that must succeed.
    ///
    /// # Errors
    /// Quotes standard error when the call failed.
    pub fn ok(self) -> Result<String> {
        anyhow::ensure!(
            self.success,
            "kubectl failed (exit code {:?}): {}",
            self.code,
            self.stderr.trim_end()
        );
        Ok(self.stdout)
    }
}

/// Runs kubectl with `kubeconfig`, its caches in `folder`, and `input` as standard input.
pub(super) async fn run(
    binary: &Path,
    folder: &Path,
    kubeconfig: &Path,
    args: &[&str],
    input: &str,
) -> Result<Output> {
    let about = || format!("kubectl {}", args.join(" "));
    let mut child = Command::new(binary)
        .arg("kubectl")
        .args(args)
        .env("KUBECONFIG", kubeconfig)
        // The cache is keyed by address, and our ports come round again with other CRDs behind them.
        .env("KUBECACHEDIR", folder.join("kubectl-cache"))
        .env("KUBERC", "off")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(about)?;
    let mut stdin = child.stdin.take().context("kubectl: no standard input")?;
    let feed = async move {
        // A kubectl that does not read ends before it is fed: its exit code tells, not the broken pipe.
        drop(stdin.write_all(input.as_bytes()).await);
    };
    let ran = async { tokio::join!(feed, child.wait_with_output()).1 };
    let output = tokio::time::timeout(LIMIT, ran)
        .await
        .with_context(|| format!("{}: no end within {LIMIT:?}", about()))?
        .with_context(about)?;
    Ok(Output {
        success: output.status.success(),
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

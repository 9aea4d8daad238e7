//! One server process of the control plane: how it starts, what it logs, how it ends.
//!
//! A server must never outlive whoever started it, not even after SIGKILL: it holds the reading end of a
//! pipe (its *lifeline*) and ends when the kernel closes the other end, which only we hold.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How long a server may take to end by itself after its lifeline is cut; then it is killed.
const END_WITHIN: Duration = Duration::from_secs(5);

/// How much of a log an error quotes.
const TAIL_BYTES: usize = 3_000;

/// A running server.
pub(super) struct Server {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts program `name` of the multi-call binary with `folder` as its working folder. The process that
    /// is told to `sweep` also removes `folder` when its lifeline is cut, for the times when we cannot.
    pub(super) fn start(
        binary: &Path,
        name: &'static str,
        folder: &Path,
        args: &[String],
        sweep: bool,
    ) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = Command::new(binary);
        command
            .arg(name)
            .args(args)
            .current_dir(folder)
            .env("CONTROLPLANE_LIFELINE", "stdin")
            .env_remove("CONTROLPLANE_SWEEP")
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output);
        if sweep {
            command.env("CONTROLPLANE_SWEEP", folder);
        }
        let child = command.spawn().with_context(|| format!("cannot start {name} ({})", binary.display()))?;
        Ok(Self { name, child, log })
    }

    /// The process id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// An error that quotes the log's end when the server has ended by itself.
    pub(super) fn check_alive(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("{} ended early ({status})\n{}", self.name, self.tail()),
        }
    }

    /// The end of the log, with a heading.
    pub(super) fn tail(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let from = text.len().saturating_sub(TAIL_BYTES);
        let end = String::from_utf8_lossy(text.get(from..).unwrap_or_default());
        format!("--- end of {} ---\n{}", self.log.display(), end.trim_end())
    }

    /// Cuts the lifeline without waiting, so that several servers can end side by side.
    pub(super) fn cut_lifeline(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Ends the process and waits until it is gone.
    pub(super) fn end(&mut self) -> std::io::Result<ExitStatus> {
        self.cut_lifeline();
        let deadline = Instant::now() + END_WITHIN;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.child.kill()?;
        self.child.wait()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nobody is left to tell: `ControlPlane::stop` is the way to hear of a failure.
        drop(self.end());
    }
}

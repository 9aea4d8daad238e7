//! One child process with its log, and the end of it.
//!
//! It must never outlive whoever started it, not even after SIGKILL: a shell beside it holds the reading end of a
//! pipe whose other end only we hold, and kills it when that end closes.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How long it may take to end after SIGTERM: Kubernetes' own patience.
const END_WITHIN: Duration = Duration::from_secs(30);

/// How much of a log an error quotes.
const TAIL_BYTES: usize = 6_000;

pub(super) struct Process {
    child: Child,
    /// Waits for the end of its standard input, then kills the child.
    guard: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `binary` with these and no other environment variables; both its outputs go to `log`, which is
    /// continued when it is there.
    pub(super) fn start(
        binary: &Path,
        arguments: &[String],
        environment: &[(String, String)],
        log: &Path,
    ) -> Result<Self> {
        let output = File::options().create(true).append(true).open(log);
        let output = output.with_context(|| format!("cannot write {}", log.display()))?;
        let child = Command::new(binary)
            .args(arguments)
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // Ctrl-C in a terminal is for us, who end it in good order.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let guard = guard(child.id())?;
        Ok(Self { child, guard, log: log.to_owned() })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    /// The end of the log, with a heading.
    pub(super) fn tail(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let from = text.len().saturating_sub(TAIL_BYTES);
        let end = String::from_utf8_lossy(text.get(from..).unwrap_or_default());
        format!("--- end of {} ---\n{}", self.log.display(), end.trim_end())
    }

    /// An error that quotes the log when the process has ended.
    pub(super) fn check_alive(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("it ended early ({status})\n{}", self.tail()),
        }
    }

    /// SIGTERM, and wait.
    pub(super) fn terminate(&mut self) -> Result<ExitStatus> {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        anyhow::ensure!(told.success(), "cannot send SIGTERM to process {}", self.child.id());
        let deadline = Instant::now() + END_WITHIN;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("no end within {} s of SIGTERM\n{}", END_WITHIN.as_secs(), self.tail())
    }

    /// SIGKILL, and wait.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

/// A shell that kills the process of this id when our end of its standard input closes.
fn guard(id: u32) -> Result<Child> {
    // `read` returns at the end of its input; we never write to it.
    let script = format!("read _; kill -KILL {id} 2>/dev/null");
    Command::new("sh")
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .context("cannot start sh")
}

impl Drop for Process {
    fn drop(&mut self) {
        // The guard first: once the child is reaped its id may belong to somebody else.
        drop(self.guard.kill());
        drop(self.guard.wait());
        drop(self.kill());
        if std::thread::panicking() {
            eprintln!("{}", self.tail());
        }
    }
}

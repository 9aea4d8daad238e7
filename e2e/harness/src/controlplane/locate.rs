//! Finds the control plane's binary, building it when this machine has none yet.
//!
//! It must never download a binary: what tests run against is built from pinned sources.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Names a built binary; no build is tried then.
const BINARY: &str = "ROLLCALL_CONTROLPLANE";

/// The path of the multi-call binary of `e2e/controlplane`.
///
/// Takes it from the environment variable `ROLLCALL_CONTROLPLANE`, else from `build.sh`, which answers at
/// once when its cache has the binary and else builds for 10 to 25 minutes, with progress on standard error.
///
/// # Errors
/// When the named file is missing, or when the build fails (its own words are on standard error).
pub fn locate() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os(BINARY).map(PathBuf::from) {
        ensure!(
            named.is_file(),
            "{BINARY}: expected a file, found nothing at {}; unset it to have the control plane built",
            named.display()
        );
        // The servers run in a folder of their own, where a relative path would lead nowhere.
        return named.canonicalize().with_context(|| format!("{BINARY}: {}", named.display()));
    }
    let script = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../controlplane/build.sh"));
    let built = Command::new(&script)
        .stdin(Stdio::null())
        // Inherited, so that ten silent minutes do not look like a hang.
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {}", script.display()))?;
    ensure!(built.status.success(), "{} failed ({}); see its messages above", script.display(), built.status);
    let printed = String::from_utf8(built.stdout).context("build.sh: expected a path, found no UTF-8")?;
    let path = printed.lines().last().map(PathBuf::from).unwrap_or_default();
    ensure!(path.is_file(), "build.sh: expected the path of the binary as last line, found {printed:?}");
    Ok(path)
}

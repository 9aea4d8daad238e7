//! Finds the binary `rollcall` with the test clock, building it when it is missing or stale.
//!
//! It must never run a binary older than the sources: a green test of yesterday's operator is worse than none.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};

/// Names a built binary; no build is tried then.
const BINARY: &str = "ROLLCALL_BIN";

/// The path of the binary.
///
/// Takes it from the environment variable `ROLLCALL_BIN`, else has cargo build it with the features of `make test`
/// into the target folder that holds this very program: a second when it is fresh, and up to 20 minutes when the AWS
/// SDK was never compiled there, with cargo's words on standard error.
///
/// # Errors
/// When the named file is missing, or when the build fails.
pub fn binary() -> Result<PathBuf> {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    if let Some(found) = FOUND.get() {
        return Ok(found.clone());
    }
    let found = match std::env::var_os(BINARY).map(PathBuf::from) {
        Some(named) => {
            ensure!(
                named.is_file(),
                "{BINARY}: expected a file, found nothing at {}; unset it to have it built",
                named.display()
            );
            named
        }
        None => build()?,
    };
    Ok(FOUND.get_or_init(|| found).clone())
}

fn build() -> Result<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = target_folder()?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(&cargo)
        // The very selection of `make test` (.cargo/config.toml).
        .args(["programs", "--quiet"])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(&workspace)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("cannot run {}", cargo.display()))?;
    ensure!(status.success(), "cargo programs failed ({status}); see its words above");
    let binary = target.join("debug/rollcall");
    ensure!(binary.is_file(), "expected the binary at {}, found nothing", binary.display());
    Ok(binary)
}

/// `TARGET/debug/deps/test-…` and `TARGET/debug/rollcall-demo` both lie below `TARGET/debug`.
fn target_folder() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let debug = program.ancestors().find(|folder| folder.ends_with("debug"));
    let target = debug.and_then(Path::parent).map(Path::to_owned);
    target.with_context(|| {
        format!("{}: expected a program below a folder debug; name the binary in {BINARY}", program.display())
    })
}

//! What tests of the command line share: the binary, the recording of the first team's Monday morning, and golden files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub fn monday() -> PathBuf {
    root().join("e2e/demo/backlog.recording.json.gz")
}

/// Exit code, standard output and standard error.
pub fn rollcall(arguments: &[&str]) -> (i32, String, String) {
    let ran =
        Command::new(env!("CARGO_BIN_EXE_rollcall")).args(arguments).current_dir(root()).env_clear().output();
    let ran = ran.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (ran.status.code().unwrap(), text(ran.stdout), text(ran.stderr))
}

/// On a recording, which is the last argument of every command here.
pub fn on(recording: &Path, arguments: &[&str]) -> (i32, String, String) {
    rollcall(&[arguments, &["--on", &recording.display().to_string()]].concat())
}

pub fn settle(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens").join(name);
    if std::env::var_os("UPDATE").is_some_and(|v| v == "1") {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    let known = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, known, "{name} has changed; run UPDATE=1 cargo test -p rollcall --no-default-features");
}

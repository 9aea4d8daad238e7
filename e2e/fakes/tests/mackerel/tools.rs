//! The unmodified `mkr` and `mackerel-agent`: built once by `e2e/tools/build.sh`, run against a fake.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

/// The folder of the tools; the first caller builds them when the cache has none.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/build.sh");
        // Its progress is on stderr; the tools' folder is the last line it prints.
        let built = Command::new(&script).stderr(Stdio::inherit()).output().unwrap();
        assert!(built.status.success(), "{} failed", script.display());
        let printed = String::from_utf8(built.stdout).unwrap();
        PathBuf::from(printed.lines().last().unwrap())
    })
}

/// An empty folder of this test's own.
pub fn workplace(test: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&place);
    std::fs::create_dir_all(&place).unwrap();
    place
}

//! The demo as a newcomer meets it: it tells what the README shows, and whichever way it ends it leaves nothing behind.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test speaks by panicking")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rollcall_harness::operator::binary;

/// One round takes two minutes on a calm machine.
const ROUND_WITHIN: Duration = Duration::from_mins(8);
const END_WITHIN: Duration = Duration::from_mins(1);

/// A demo that runs, in a folder for temporary files of its own.
struct Demo {
    child: Child,
    lines: mpsc::Receiver<String>,
    folder: tempfile::TempDir,
}

impl Demo {
    fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_rollcall-demo"))
            .args(arguments)
            .env_remove("KUBECONFIG")
            .env("ROLLCALL_BIN", binary().unwrap())
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (tell, lines) = mpsc::channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Self { child, lines, folder }
    }

    /// Everything it prints until it says this, or ends.
    fn until(&self, words: &str, within: Duration) -> Vec<String> {
        let deadline = Instant::now() + within;
        let mut heard = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            heard.push(line);
            if heard.last().is_some_and(|line| line.contains(words)) {
                return heard;
            }
        }
        panic!("{words:?} was not said within {within:?}; heard:\n{}", heard.join("\n"));
    }

    fn end(mut self) -> (ExitStatus, tempfile::TempDir) {
        let deadline = Instant::now() + END_WITHIN;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, self.folder);
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Processes that live in this folder or were told of it.
fn processes_of(folder: &Path) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok).map(|entry| entry.path());
    let is_numbered =
        |path: &PathBuf| path.file_name().is_some_and(|n| n.to_string_lossy().parse::<u32>().is_ok());
    let belongs = |process: &PathBuf| {
        let told = fs::read(process.join("environ")).unwrap_or_default();
        let told = String::from_utf8_lossy(&told).contains(&*folder.to_string_lossy());
        told || fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder))
    };
    let command = |process: PathBuf| {
        String::from_utf8_lossy(&fs::read(process.join("cmdline")).unwrap_or_default()).into()
    };
    processes.filter(is_numbered).filter(belongs).map(command).collect()
}

fn nothing_is_left(folder: &Path) {
    let left: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "files are left: {left:?}");
    // What was asked to end may take a moment.
    let deadline = Instant::now() + END_WITHIN;
    while !processes_of(folder).is_empty() {
        assert!(Instant::now() < deadline, "processes are left: {:#?}", processes_of(folder));
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// `Mon 01:59  ` is the world's time, which depends on how fast the machine is.
fn without_time(line: &str) -> &str {
    let is_time = |time: &str| {
        time.as_bytes().iter().map(u8::is_ascii_digit).collect::<Vec<_>>()
            == [false, false, false, false, true, true, false, true, true, false, false]
    };
    match line.split_at_checked(11) {
        Some((time, rest)) if is_time(time) => rest,
        _ => line,
    }
}

#[test]
fn one_round_tells_what_the_readme_shows_and_leaves_nothing_behind() {
    let demo = Demo::start(&["--once"]);
    let heard = demo.until("The demo ends.", ROUND_WITHIN);
    let (status, folder) = demo.end();
    assert!(status.success(), "{status}\n{}", heard.join("\n"));
    nothing_is_left(folder.path());

    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let block = readme.split_once("```console test=demo\n$ make demo\n").unwrap().1;
    let shown = block.split_once("```").unwrap().0;
    let mut told = heard.iter().map(|line| without_time(line.trim_end()));
    for line in shown.lines().map(without_time).filter(|line| !matches!(*line, "" | "[...]")) {
        assert!(
            told.any(|told| told == line.trim_end()),
            "the README shows {line:?}, which the demo does not say, or not there:\n{}",
            heard.join("\n")
        );
    }
    // Paths are as long as they are.
    let wide = heard.iter().find(|line| line.chars().count() > 100 && !line.contains('/'));
    assert_eq!(wide, None);
}

#[test]
fn ctrl_c_ends_it_and_leaves_nothing_behind() {
    let demo = Demo::start(&[]);
    demo.until("writes down what it sees", ROUND_WITHIN);
    assert!(!processes_of(demo.folder.path()).is_empty(), "the control plane and the operator run");
    let told = Command::new("kill").args(["-INT", &demo.child.id().to_string()]).status().unwrap();
    assert!(told.success());
    let (status, folder) = demo.end();
    assert!(status.success(), "{status}");
    nothing_is_left(folder.path());
}

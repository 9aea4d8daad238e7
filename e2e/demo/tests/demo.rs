//! The demo as a newcomer meets it: it tells what the README shows, and whichever way it ends it leaves nothing behind.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test speaks by panicking"
)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rollcall_harness::controlplane::{ControlPlane, Options};
use rollcall_harness::operator::binary;

/// One round, and the days after it, take three minutes on a calm machine.
const ROUND_WITHIN: Duration = Duration::from_mins(12);
const END_WITHIN: Duration = Duration::from_mins(1);

/// A demo that runs, in a folder for temporary files of its own.
struct Demo {
    child: Child,
    lines: mpsc::Receiver<String>,
    folder: tempfile::TempDir,
}

impl Demo {
    fn start(arguments: &[&str]) -> Self {
        Self::with(arguments, &[])
    }

    fn with(arguments: &[&str], environment: &[(&str, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_rollcall-demo"))
            .args(arguments)
            .env_remove("KUBECONFIG")
            .env("ROLLCALL_BIN", binary().unwrap())
            .env("TMPDIR", folder.path())
            .envs(environment.iter().map(|(name, value)| (name, value)))
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

    /// As Ctrl-C does.
    fn interrupt(&self) {
        let told = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
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

/// In a cluster of somebody else, whose kubeconfig holds no token but a program that gives one.
#[tokio::test(flavor = "multi_thread")]
async fn as_a_guest_it_shows_the_morning_and_removes_all_that_it_made() {
    let plane = ControlPlane::start(Options::default()).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = without_token(&plane.kubeconfig(), home.path());
    let before = everything(&plane).await;
    let path = format!("{}:{}", plane.binary().parent().unwrap().display(), std::env::var("PATH").unwrap());
    let environment = [("KUBECONFIG", kubeconfig.display().to_string()), ("PATH", path)];
    let demo = tokio::task::spawn_blocking(move || {
        let demo = Demo::with(&[], &environment);
        demo.until("From here on a minute of the world", ROUND_WITHIN);
        demo.interrupt();
        demo.end()
    });
    let (status, folder) = demo.await.unwrap();
    assert!(status.success(), "{status}");
    nothing_is_left(folder.path());
    assert_eq!(everything(&plane).await, before);
}

/// The same administrator, told apart by what a program prints.
fn without_token(kubeconfig: &Path, folder: &Path) -> PathBuf {
    let mut config: serde_json::Value =
        serde_json::to_value(kube::config::Kubeconfig::read_from(kubeconfig).unwrap()).unwrap();
    let token = config["users"][0]["user"]["token"].as_str().unwrap().to_owned();
    let credential = serde_json::json!({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": {"token": token}});
    fs::write(folder.join("credential"), credential.to_string()).unwrap();
    config["users"][0]["user"] = serde_json::json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1",
        "command": "cat", "args": [folder.join("credential")], "interactiveMode": "Never"}});
    let path = folder.join("kubeconfig");
    fs::write(&path, config.to_string()).unwrap();
    path
}

/// Names of all that a guest could leave behind.
async fn everything(plane: &ControlPlane) -> String {
    let kinds = "customresourcedefinitions,namespaces,clusterroles,clusterrolebindings";
    plane.kubectl(&["get", kinds, "-o", "name"]).await.unwrap().ok().unwrap()
}

#[test]
fn ctrl_c_ends_it_and_leaves_nothing_behind() {
    let demo = Demo::start(&[]);
    demo.until("writes down what it sees", ROUND_WITHIN);
    assert!(!processes_of(demo.folder.path()).is_empty(), "the control plane and the operator run");
    demo.interrupt();
    let (status, folder) = demo.end();
    assert!(status.success(), "{status}");
    nothing_is_left(folder.path());
}

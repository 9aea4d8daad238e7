//! The README does what it says: offline blocks are run and their output compared to the letter (`UPDATE=1` writes it
//! again), blocks for a cluster and for the operator are run on the real control plane, and the demo's block by the demo's
//! own test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test speaks by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rollcall_harness::controlplane::{ControlPlane, Options};
use rollcall_harness::operator::binary;
use rollcall_harness::wait::{Look, until};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A fenced block: its info string, and commands with the output shown below each.
struct Block {
    info: String,
    commands: Vec<(String, String)>,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => open = Some(Block { info: info.to_owned(), commands: Vec::new() }),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                if let Some(command) = line.strip_prefix("$ ") {
                    block.commands.push((command.to_owned(), String::new()));
                } else {
                    let (_, output) = block.commands.last_mut().expect("output before a command");
                    output.push_str(line);
                    output.push('\n');
                }
            }
            (None, None) => {}
        }
    }
    blocks
}

/// Runs a command line of the README in the root of the repository, on this test's own build folder.
fn shell(command: &str, env: &[(&str, String)]) -> (String, i32) {
    let target =
        std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| root().join("target").display().to_string());
    let command = command.replace("target/debug/rollcall", &format!("{target}/light/debug/rollcall"));
    // A build folder of its own: the running test holds the lock of the usual one's caller.
    let command = if command.starts_with("cargo build") {
        format!("CARGO_TARGET_DIR={target}/light {command}")
    } else {
        command
    };
    let mut shell = Command::new("bash");
    shell.args(["-o", "pipefail", "-c", &command]).current_dir(root()).env("NO_COLOR", "1");
    for (name, value) in env {
        shell.env(name, value);
    }
    let done = shell.output().unwrap();
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    let code = done.status.code().unwrap_or(-1);
    assert!(code <= 1, "`{command}` ended with {code}:\n{text}{}", String::from_utf8_lossy(&done.stderr));
    (text, code)
}

#[test]
fn offline_blocks_print_what_they_show() {
    let path = root().join("README.md");
    let mut text = fs::read_to_string(&path).unwrap();
    let mut ran = 0;
    for block in blocks(&text).iter().filter(|block| block.info == "console test=offline") {
        for (command, shown) in &block.commands {
            let (printed, _) = shell(command, &[]);
            ran += 1;
            if std::env::var_os("UPDATE").is_some() {
                text = text.replace(&format!("$ {command}\n{shown}"), &format!("$ {command}\n{printed}"));
            } else {
                assert_eq!(&printed, shown, "`{command}` prints something else; run `make generate`");
            }
        }
    }
    assert!(ran >= 2, "the README's first block is run");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, text).unwrap();
    }
}

#[test]
fn every_block_of_commands_is_run_by_a_test() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let infos: Vec<String> = blocks(&text).into_iter().map(|block| block.info).collect();
    assert_eq!(infos, ["offline", "demo", "cluster", "operator"].map(|test| format!("console test={test}")));
}

#[tokio::test(flavor = "multi_thread")]
async fn cluster_and_operator_blocks_work_on_a_real_api_server() {
    let plane = ControlPlane::start(Options::default()).await.unwrap();
    let tools = Command::new(root().join("e2e/tools/build.sh")).output().unwrap();
    let tools = String::from_utf8(tools.stdout).unwrap().lines().last().unwrap().to_owned();
    let kubectl = plane.binary().parent().unwrap().display().to_string();
    let path = format!("{kubectl}:{tools}:{}", std::env::var("PATH").unwrap());
    let env = [("PATH", path), ("KUBECONFIG", plane.kubeconfig().display().to_string())];
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let mut ran = 0;
    for block in blocks(&text).iter().filter(|block| block.info == "console test=cluster") {
        for (command, _) in &block.commands {
            let (printed, code) = shell(command, &env);
            assert_eq!(code, 0, "`{command}`:\n{printed}");
            ran += 1;
        }
    }
    assert!(ran >= 5, "the install block is run");
    let (environments, _) = shell("kubectl get rcenv -A --no-headers", &env);
    assert_eq!(environments.lines().count(), 7, "{environments}");

    for block in blocks(&text).iter().filter(|block| block.info == "console test=operator") {
        let [(build, _), (run, _), (look, _)] = block.commands.as_slice() else { panic!("three commands") };
        assert_eq!(build, "cargo build --release -p rollcall", "the test's own build is of the same sources");
        let operator = Replica::start(run.strip_prefix("target/release/rollcall ").unwrap(), &env);
        // The example's keys open nothing: that is what everybody must be told, and nothing else.
        until("every object says why it cannot be read", Duration::from_mins(3), async || {
            let (shown, _) = shell(look, &env);
            let is_told = |line: &&str| line.contains("Unreachable") || line.contains("Denied");
            let told = shown.lines().filter(is_told).count();
            let (environments, _) = shell("kubectl get rcenv -A --no-headers", &env);
            let blind = environments.lines().filter(is_told).filter(|line| line.contains(" - ")).count();
            // Two accounts and Mackerel besides.
            Ok(Look::that(blind == 7 && told >= 10, || shown))
        })
        .await
        .unwrap();
        operator.stop();
    }
}

/// The operator as the README starts it.
struct Replica(Child);

impl Replica {
    fn start(arguments: &str, env: &[(&str, String)]) -> Self {
        let child = Command::new(binary().unwrap())
            .args(arguments.split_whitespace())
            // Neither a port of this machine nor a cloud is anybody's who reads the README.
            .args(["--http-address=127.0.0.1:0", "--recording-address=127.0.0.1:0"])
            .envs(env.iter().map(|(name, value)| (name, value)))
            .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }

    fn stop(mut self) {
        let told = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().unwrap();
        assert!(told.success());
        let status = self.0.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        // An error says that it has ended.
        drop(self.0.kill());
    }
}

#[test]
fn every_make_target_of_the_readme_exists() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    for (at, _) in text.match_indices("make ") {
        let target: String = text[at + 5..].chars().take_while(char::is_ascii_lowercase).collect();
        if matches!(target.as_str(), "" | "sure" | "it") {
            continue;
        }
        assert!(makefile.contains(&format!("\n{target}:")), "make {target}");
    }
}

//! Reads `crds/tests/rules`: what the API must accept and refuse. Shared, as a file, by the offline test here
//! and the test on a real API server, so that both judge the very same objects.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// One object of a rule file.
pub struct Case {
    /// File and name, for messages.
    pub title: String,
    /// The object as written.
    pub object: Value,
    /// The accepted object that it updates.
    pub old: Option<Value>,
    /// What must happen.
    pub expect: Expect,
}

/// What must happen to an object.
pub enum Expect {
    /// It is stored.
    Accepted,
    /// It is refused.
    Refused {
        /// The field that the refusal must name.
        field: String,
        /// What the refusal must say.
        message: String,
        /// What the API server says instead, where it has words of its own.
        server: Option<String>,
    },
}

/// All cases of all files below `folder`, in order.
pub fn cases(folder: &str) -> Vec<Case> {
    files(Path::new(folder)).iter().flat_map(|file| in_file(file)).collect()
}

/// All rule files below a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .into_iter()
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .collect()
}

fn in_file(path: &Path) -> Vec<Case> {
    let text = fs::read_to_string(path).unwrap();
    let objects: Vec<Value> =
        serde_saphyr::from_multiple(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut accepted: HashMap<String, Value> = HashMap::new();
    let mut cases = Vec::new();
    for object in objects {
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        let old = accepted.get(&name).cloned();
        let expect = expectation(&object, path);
        if matches!(expect, Expect::Accepted) {
            accepted.insert(name.clone(), object.clone());
        }
        let title = format!("{}: {name}", path.display());
        cases.push(Case { title, object, old, expect });
    }
    assert!(
        !accepted.is_empty() && accepted.len() < cases.len(),
        "{}: one accepted and one refused",
        path.display()
    );
    cases
}

fn expectation(object: &Value, path: &Path) -> Expect {
    let said = |key: &str| object["metadata"]["annotations"][key].as_str().map(str::to_owned);
    let must =
        |key: &str| said(key).unwrap_or_else(|| panic!("{}: annotation {key} is missing", path.display()));
    match must("expect").as_str() {
        "accepted" => Expect::Accepted,
        "refused" => {
            Expect::Refused { field: must("field"), message: must("message"), server: said("server") }
        }
        other => panic!("{}: expect: expected accepted or refused, found {other}", path.display()),
    }
}

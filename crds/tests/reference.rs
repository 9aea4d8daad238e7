//! `docs/reference/crds` is generated from the schemas: this test fails when they drift apart, and
//! `UPDATE=1 cargo test -p rollcall-crds --test reference` writes the folder again.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing test speaks by panicking")]

#[path = "reference/limits.rs"]
mod limits;
#[path = "reference/page.rs"]
mod page;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/crds")
}

/// What the folder should hold, by file name.
fn generated() -> BTreeMap<String, String> {
    let crds: Vec<Value> =
        rollcall_crds::all_crds().iter().map(|crd| serde_json::to_value(crd).unwrap()).collect();
    let page = |crd: &Value| {
        let name = crd["spec"]["names"]["singular"].as_str().unwrap();
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/{name}.yaml"));
        (format!("{name}.md"), page::of_kind(crd, &fs::read_to_string(example).unwrap()))
    };
    let mut pages: BTreeMap<String, String> = crds.iter().map(page).collect();
    pages.insert("README.md".to_owned(), page::index(&crds));
    pages
}

/// What the folder holds, by file name.
fn committed() -> BTreeMap<String, String> {
    let files = fs::read_dir(folder()).unwrap().map(Result::unwrap);
    files.map(|f| (f.file_name().into_string().unwrap(), fs::read_to_string(f.path()).unwrap())).collect()
}

fn write(generated: &BTreeMap<String, String>) {
    fs::create_dir_all(folder()).unwrap();
    for stale in committed().keys().filter(|name| !generated.contains_key(*name)) {
        fs::remove_file(folder().join(stale)).unwrap();
    }
    for (name, text) in generated {
        fs::write(folder().join(name), text).unwrap();
    }
}

#[test]
fn the_pages_are_what_the_schemas_say() {
    let generated = generated();
    if std::env::var_os("UPDATE").is_some_and(|v| v == "1") {
        write(&generated);
    }
    let committed = committed();
    let names = |of: &BTreeMap<String, String>| of.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&committed), names(&generated), "docs/reference/crds holds other files");
    for (name, text) in &generated {
        assert!(
            &committed[name] == text,
            "docs/reference/crds/{name} differs from the schema; \
             run UPDATE=1 cargo test -p rollcall-crds --test reference"
        );
    }
}

/// The generator itself, on a kind with one of everything. The page is kept by hand: it says what a reader is owed.
#[test]
fn a_page_says_everything_that_its_schema_says() {
    let beside = |file: &str| {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(file)).unwrap()
    };
    let crd: Value = serde_saphyr::from_str(&beside("thing.yaml")).unwrap();
    assert_eq!(page::of_kind(&crd, "kind: Thing\n"), beside("thing.md"));
}

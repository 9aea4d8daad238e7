//! The rights that the documents ask for are those that the reader uses: none is missing, and none is too many.

use std::collections::BTreeSet;
use std::path::Path;

use rollcall_engine::inventory::Asked;

use crate::activity::{read, three};
use crate::assertions::everything;
use crate::world::{World, now, region};

fn document(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
}

/// The actions that a whole reading of one place asked for, as IAM calls them. Who we are may be asked without any.
async fn used(asked: &Asked) -> BTreeSet<String> {
    let world = World::new().await;
    world.reader().await.read_place(&region(), None, asked, now()).await;
    let calls = world.aws.stage().calls.counts().into_iter().map(|count| count.call);
    calls
        .filter(|call| call.service != "sts")
        .map(|call| format!("{}:{}", call.service, call.operation))
        .collect()
}

/// The actions that reading what hosts did asks for beyond listing them.
async fn used_by_activity() -> BTreeSet<String> {
    let world = World::new().await;
    world.fleet(1);
    read(&world.reader().await, &three()).await;
    let calls = world.aws.stage().calls.counts().into_iter().map(|count| count.call);
    let calls = calls.filter(|call| call.service == "cloudwatch");
    calls.map(|call| format!("{}:{}", call.service, call.operation)).collect()
}

#[tokio::test]
async fn the_policy_that_we_ask_admins_for_is_what_we_use() {
    let guide = document("docs/how-to/grant-accounts.md");
    let (_, rest) = guide.split_once("```json").unwrap();
    let (policy, _) = rest.split_once("```").unwrap();
    let policy: serde_json::Value = serde_json::from_str(policy).unwrap();
    let granted = |statement: usize| -> BTreeSet<String> {
        let actions = policy["Statement"][statement]["Action"].as_array().unwrap();
        actions.iter().map(|a| a.as_str().unwrap().to_owned()).collect()
    };
    let always = used(&Asked::default()).await;
    assert_eq!(granted(0), always, "without assertions");
    let with_assertions = used(&everything()).await;
    assert_eq!(granted(1), &with_assertions - &always, "only with them");
    assert_eq!(granted(2), used_by_activity().await, "only where somebody asks who is unused");
    assert_eq!(policy["Statement"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn every_document_that_lists_our_rights_lists_them_all() {
    let (always, with_assertions) = (used(&Asked::default()).await, used(&everything()).await);
    let with_lean = used_by_activity().await;
    for path in ["README.md", "SECURITY.md"] {
        assert!(
            with_lean.iter().all(|a| document(path).contains(&format!("`{a}`"))),
            "{path}: {with_lean:?}"
        );
    }
    // The tutorial asserts nothing.
    for (path, used) in
        [("README.md", &with_assertions), ("SECURITY.md", &with_assertions), ("docs/tutorial.md", &always)]
    {
        let text = document(path);
        let missing: Vec<&String> = used.iter().filter(|a| !text.contains(&format!("`{a}`"))).collect();
        assert!(missing.is_empty(), "{path}: {missing:?}");
    }
}

//! Answers, whole and not, and the laws of cutting them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// All entries as `keys value`, fed in chunks of `step` bytes, and how it ended.
fn cut(document: &[u8], depth: usize, step: usize) -> (Vec<String>, Result<(), NotAnAnswer>) {
    let mut entries = Entries::of("list", depth);
    let mut told = vec![];
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    for chunk in document.chunks(step.max(1)) {
        let each = |entry: Entry<'_>| {
            told.push(match entry {
                Entry::Head(bytes) => format!("head {}", text(bytes)),
                Entry::Whole(keys, bytes) => format!("{} {}", text(&keys.join(&b'/')), text(bytes)),
                Entry::TooLong => "TOO LONG".to_owned(),
            });
        };
        if let Err(error) = entries.feed(chunk, each) {
            return (told, Err(error));
        }
    }
    (told, entries.finish())
}

#[test]
fn documents() {
    for (depth, document, entries, whole) in [
        (1, r#"{"result":{"a":1},"data":{"selectors":{},"list":{}}}"#, vec![r#"head {"a":1}"#], true),
        (
            1,
            r#"{"data":{"list":{"a":{"x":"}"},"b\"":2 , "c":[3]},"z":0}}"#,
            vec![r#"a {"x":"}"}"#, "b\\\" 2", "c [3]"],
            true,
        ),
        (2, r#"{"data":{"list":{"a":{"x":{},"y":1},"b":{}}}}"#, vec!["a/x {}", "a/y 1"], true),
        (1, r#"{"list":{"a":1},"data":{"list":{"b":2}}}"#, vec!["b 2"], true),
        (
            1,
            r#"{"data":{"other":{"list":{"a":1}},"list":{"b":{"list":{"c":1}}}}}"#,
            vec![r#"b {"list":{"c":1}}"#],
            true,
        ),
        (1, "{\"data\":{\"list\":{\"a\":\"\u{1b}[1m\\q\"}}}", vec!["a \"\u{1b}[1m\\q\""], true),
        // From here on: not whole.
        (1, r#"{"data":{"list":{"a":1}}"#, vec!["a 1"], false),
        (1, r#"{"data":{"list":{"a":1"#, vec![], false),
        (1, r#"{"data":{"list":[]}}"#, vec![], false),
        (2, r#"{"data":{"list":{"a":1}}}"#, vec![], false),
        (1, r#"{"data":{"options":{}}}"#, vec![], false),
        (1, r#"{"data":{"list":{"a":1,}}}"#, vec!["a 1"], false),
        (1, r#"{"data":{"list":{"a":1 "b":2}}}"#, vec!["a 1"], false),
        (1, r#"{"data":{"list":{}}}}"#, vec![], false),
        (1, "{}", vec![], false),
        (1, "[]", vec![], false),
        (1, "", vec![], false),
    ] {
        for step in [1, 3, usize::MAX >> 1] {
            let (told, end) = cut(document.as_bytes(), depth, step);
            let entries: Vec<_> = entries.iter().map(ToString::to_string).collect();
            assert_eq!((told, end.is_ok()), (entries, whole), "{document}: {end:?}");
        }
    }
}

#[test]
fn what_is_no_answer_is_named() {
    let end = |document: &str| cut(document.as_bytes(), 1, 2).1.unwrap_err();
    assert_eq!(end(""), NotAnAnswer::Empty);
    assert_eq!(end("\n \n"), NotAnAnswer::Empty);
    assert_eq!(end("\n<!DOCTYPE html><title>Login</title>"), NotAnAnswer::Html);
    assert_eq!(end("{\"data\""), NotAnAnswer::CutShort(7));
    assert_eq!(end("{\"data\":{\"help\":{}}}"), NotAnAnswer::Missing("list"));
}

#[test]
fn what_is_too_long_is_passed_over_and_the_next_entry_is_read() {
    let long = "x".repeat(MAX_ELEMENT + 10);
    let document = format!("{{\"data\":{{\"list\":{{\"a\":\"{long}\",\"{long}\":1,\"b\":7}}}}}}");
    let (told, end) = cut(document.as_bytes(), 1, 4_096);
    assert_eq!((told, end), (vec!["TOO LONG".into(), "TOO LONG".into(), "b 7".into()], Ok(())));
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn document(items: &[(String, Value)], beside: &Value) -> Value {
    let list: serde_json::Map<_, _> = items.iter().cloned().collect();
    json!({"format_version": beside, "result": beside, "data": {"selectors": beside, "list": list, "z": beside}})
}

proptest! {
    #[test]
    fn agrees_with_a_whole_parse(
        items in prop::collection::vec((any::<String>(), any_value()), 0..5),
        beside in any_value(), step in 1_usize..40, pretty: bool,
    ) {
        let document = document(&items, &beside);
        let text = if pretty { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) }.unwrap();
        let mut entries = Entries::of("list", 1);
        let mut told = serde_json::Map::new();
        for chunk in text.as_bytes().chunks(step) {
            entries.feed(chunk, |entry| if let Entry::Whole([key], value) = entry {
                let key = [&b"\""[..], key, b"\""].concat();
                told.insert(serde_json::from_slice(&key).unwrap(), serde_json::from_slice(value).unwrap());
            }).unwrap();
        }
        prop_assert_eq!(entries.finish(), Ok(()));
        prop_assert_eq!(&Value::Object(told), &document["data"]["list"]);
    }

    #[test]
    fn cut_anywhere_is_never_whole(
        items in prop::collection::vec((any::<String>(), any_value()), 0..3), at in any::<prop::sample::Index>(),
    ) {
        let text = document(&items, &json!({"a": 1})).to_string();
        let (_, end) = cut(&text.as_bytes()[..at.index(text.len())], 1, 7);
        prop_assert!(end.is_err());
    }

    #[test]
    fn any_bytes_at_all_give_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200), depth in 1_usize..3) {
        let _ = cut(&bytes, depth, 5);
    }

    #[test]
    fn nearly_json_gives_an_answer_that_does_not_depend_on_chunks(text in r#"[\{\}\[\],:"\\a1 ]{0,60}"#) {
        let document = format!("{{\"data\":{{\"list\":{text}");
        prop_assert_eq!(cut(document.as_bytes(), 2, 1), cut(document.as_bytes(), 2, 1_000));
    }
}

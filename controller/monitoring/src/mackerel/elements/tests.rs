//! Documents, whole and not, and the laws of cutting them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// All elements as text, fed in chunks of `step` bytes, and how it ended.
fn cut(document: &[u8], step: usize) -> (Vec<String>, Result<(), NotAList>) {
    let mut elements = Elements::of("hosts");
    let mut told = vec![];
    for chunk in document.chunks(step.max(1)) {
        let each = |element: Element<'_>| {
            told.push(match element {
                Element::Whole(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                Element::TooLong => "TOO LONG".to_owned(),
            });
        };
        if let Err(error) = elements.feed(chunk, each) {
            return (told, Err(error));
        }
    }
    (told, elements.finish())
}

#[test]
fn documents() {
    for (document, elements, whole) in [
        (r#"{"hosts":[]}"#, vec![], true),
        (" {\r\n\t\"hosts\" : [ ] } \n", vec![], true),
        (
            r#"{"hosts":[{"a":"]},{"},[1,[2]],"x\"]",-1.5e3,null]}"#,
            vec![r#"{"a":"]},{"}"#, "[1,[2]]", r#""x\"]""#, "-1.5e3", "null"],
            true,
        ),
        (r#"{"a":1,"b":"}","c":{"hosts":[9]},"hosts":[ 1 , 2 ],"z":null}"#, vec!["1", "2"], true),
        (r#"{"hosts":[1],"hosts":[2]}"#, vec!["1", "2"], true),
        (r#"{"hosts":[{"a":\}]}"#, vec![r#"{"a":\}"#], true),
        (r#"{"\"hosts":[1],"hosts\\":[2],"hosts":[3]}"#, vec!["3"], true),
        // From here on: not whole.
        (r#"{"hosts":[1,2"#, vec!["1"], false),
        (r#"{"hosts":[1,2]"#, vec!["1", "2"], false),
        (r#"{"hosts":[1,2]}}"#, vec!["1", "2"], false),
        (r#"{"hosts":[1 2]}"#, vec!["1"], false),
        (r#"{"hosts":[1,]}"#, vec!["1"], false),
        (r#"{"hosts":[,1]}"#, vec![], false),
        (r#"{"hosts":[{}{}]}"#, vec!["{}"], false),
        (r#"{"hosts":null}"#, vec![], false),
        (r#"{"hosts":{}}"#, vec![], false),
        (r#"{"error":{"message":"no"}}"#, vec![], false),
        ("{}", vec![], false),
        ("[]", vec![], false),
        ("", vec![], false),
        ("<html>", vec![], false),
        ("\u{feff}{\"hosts\":[]}", vec![], false),
        (r#"{,"hosts":[]}"#, vec![], false),
        (r#"{"hosts":[],}"#, vec![], false),
        (r#"{"hosts" []}"#, vec![], false),
    ] {
        for step in [1, 3, usize::MAX >> 1] {
            let (told, end) = cut(document.as_bytes(), step);
            assert_eq!(
                (told, end.is_ok()),
                (elements.iter().map(ToString::to_string).collect(), whole),
                "{document}: {end:?}"
            );
        }
    }
}

#[test]
fn a_monstrous_element_is_passed_over_and_the_next_one_is_read() {
    let long = format!("{{\"hosts\":[\"{}\",7]}}", "x".repeat(MAX_ELEMENT + 10));
    assert_eq!(cut(long.as_bytes(), 4_096), (vec!["TOO LONG".into(), "7".into()], Ok(())));
}

#[test]
fn what_was_expected_and_found_is_said_without_the_document() {
    let say = |document: &str| cut(document.as_bytes(), 1).1.unwrap_err().to_string();
    assert_eq!(say("<html>secret</html>"), "expected `{` at byte 0, found `<`");
    assert_eq!(say("\u{0}"), "expected `{` at byte 0, found byte 0x00");
    assert_eq!(say("{\"hosts\":["), "the document ended too early, after 10 bytes");
    assert_eq!(say("{\"x\":1}"), "expected a list under \"hosts\", found none");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn agrees_with_a_whole_parse(items in prop::collection::vec(any_json(), 0..6), beside in any_json(), step in 1_usize..40, pretty: bool) {
        let document = json!({"before": beside.clone(), "hosts": items.clone(), "after": beside});
        let text = if pretty { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) }.unwrap();
        let (told, end) = cut(text.as_bytes(), step);
        prop_assert_eq!(end, Ok(()));
        let told: Vec<Value> = told.iter().map(|t| serde_json::from_str(t).unwrap()).collect();
        prop_assert_eq!(told, items);
    }

    #[test]
    fn cut_anywhere_is_never_whole(items in prop::collection::vec(any_json(), 0..4), at in any::<prop::sample::Index>()) {
        let text = json!({"hosts": items}).to_string();
        let (_, end) = cut(&text.as_bytes()[..at.index(text.len())], 7);
        prop_assert!(end.is_err());
    }

    #[test]
    fn any_bytes_at_all_give_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200), step in 1_usize..20) {
        let _ = cut(&bytes, step);
    }

    #[test]
    fn nearly_json_gives_an_answer_that_does_not_depend_on_chunks(text in r#"[\{\}\[\],:"\\a1 ]{0,60}"#) {
        let document = format!("{{\"hosts\":{text}");
        prop_assert_eq!(cut(document.as_bytes(), 1), cut(document.as_bytes(), 1_000));
    }
}

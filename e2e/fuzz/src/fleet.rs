//! What the engine parses in custom resources: templates, patterns, selectors, dates, parameters, addresses.
//!
//! The API server has let the objects pass, but recordings hold what an older Rollcall's let pass: any text may be anywhere.

use std::sync::LazyLock;

use rollcall_engine::fleet::{Desired, Fleet};
use serde_json::Value;

use crate::laws::draw;
use crate::manifest;

/// One object of each kind in which every field is set, as JSON.
static ALL: LazyLock<Value> = LazyLock::new(|| {
    let full = concat!(
        include_str!("../../../crds/tests/full/cloudaccount.yaml"),
        "\n---\n",
        include_str!("../../../crds/tests/full/environment.yaml"),
        "\n---\n",
        include_str!("../../../crds/tests/full/exemption.yaml"),
        "\n---\n",
        include_str!("../../../crds/tests/full/hostrole.yaml"),
        "\n---\n",
        include_str!("../../../crds/tests/full/monitoringsystem.yaml"),
        "\n---\n",
        include_str!("../../../crds/tests/full/requiredcheck.yaml"),
    );
    let read = manifest::read(full.as_bytes());
    assert!(read.errors.is_empty(), "{:?}", read.errors);
    serde_json::to_value(Desired::of(read.objects)).unwrap_or_default()
});

/// More changes than this are no other case, and slow.
const MAX_CHANGES: usize = 16;

/// Each line of the input, `NUMBER TEXT`, puts its text, or the JSON that it is, in the place of the leaf of that number.
pub(crate) fn fleet(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut all = ALL.clone();
    for line in text.lines().take(MAX_CHANGES) {
        let Some((number, text)) = line.split_once(' ') else { continue };
        let value = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
        let mut number = number.parse().unwrap_or(usize::MAX);
        put(&mut all, &mut number, &value);
    }
    let Ok(desired) = serde_json::from_value::<Desired>(all) else { return };
    let (_, problems) = Fleet::parse(&desired);
    // Parsing costs most of the time here: every fourth input is parsed twice.
    if draw(data, 4) == 0 {
        assert_eq!(problems, Fleet::parse(&desired).1);
    }
    for problem in problems {
        assert!(problem.reason.chars().all(|c| c.is_ascii_alphanumeric()), "{problem}");
    }
}

/// Counts leaves down to the one of this number, and puts the value there; says whether it did.
fn put(place: &mut Value, number: &mut usize, value: &Value) -> bool {
    match place {
        Value::Object(fields) => fields.values_mut().any(|field| put(field, number, value)),
        Value::Array(elements) => elements.iter_mut().any(|element| put(element, number, value)),
        leaf if *number == 0 => {
            *leaf = value.clone();
            true
        }
        _ => {
            *number -= 1;
            false
        }
    }
}

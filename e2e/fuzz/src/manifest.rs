//! Plain files of custom resources, as people keep them in Git.

use rollcall_crds::manifest::{Manifests, Object};
use rollcall_engine::fleet::{Desired, Fleet};
use serde_json::Value;

use crate::laws::draw;

/// An error is a line to read; the same bound as in `crds/tests/hostile.rs`.
const LONGEST_ERROR_BYTES: usize = 1_500;

/// Files are read the same each time, every fault is a line that can be read, what is accepted is accepted again when it is
/// written again, and the engine takes it whatever it says.
pub(crate) fn manifest(data: &[u8]) {
    let manifests = read(data);
    let errors: Vec<String> = manifests.errors.iter().map(ToString::to_string).collect();
    for error in &errors {
        assert!(error.len() <= LONGEST_ERROR_BYTES && !error.chars().any(char::is_control), "{error:?}");
    }
    // Reading costs most of the time here: every fourth input is read twice.
    if draw(data, 4) == 0 {
        let again = read(data);
        assert_eq!(errors, again.errors.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(manifests.objects, again.objects);
    }
    for found in &manifests.objects {
        let written = written(&found.object).unwrap_or_default();
        let again = read(written.to_string().as_bytes());
        assert!(again.errors.is_empty(), "{written}: {:?}", again.errors);
        let object = again.objects.first().map(|found| &found.object);
        assert_eq!(object, Some(&found.object), "{written}");
    }
    let desired = Desired::of(manifests.objects);
    assert_eq!(Fleet::parse(&desired).1, Fleet::parse(&desired).1);
}

pub(crate) fn read(text: &[u8]) -> Manifests {
    let mut manifests = Manifests::new("default");
    manifests.read("fuzzed.yaml", text);
    manifests
}

fn written(object: &Object) -> Option<Value> {
    match object {
        Object::CloudAccount(object) => serde_json::to_value(object).ok(),
        Object::Environment(object) => serde_json::to_value(object).ok(),
        Object::HostRole(object) => serde_json::to_value(object).ok(),
        Object::RequiredCheck(object) => serde_json::to_value(object).ok(),
        Object::MonitoringSystem(object) => serde_json::to_value(object).ok(),
        Object::Exemption(object) => serde_json::to_value(object).ok(),
        Object::RetirementPolicy(object) => serde_json::to_value(object).ok(),
        Object::Retirement(object) => serde_json::to_value(object).ok(),
        Object::NotificationChannel(object) => serde_json::to_value(object).ok(),
        Object::Host(object) => serde_json::to_value(object).ok(),
        Object::Namespace { name, labels } => Some(serde_json::json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels},
        })),
    }
}

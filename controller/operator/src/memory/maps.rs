//! How a shard lies in `ConfigMap`s. A small one is one map; a big one is a head with its first part and more maps for
//! the rest, under the names of a *slot*. A new state goes into the other slot and counts only once the head, written
//! last, names it: a crash in between leaves the old state whole.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::ObjectMeta;
use serde::{Deserialize, Serialize};

use super::MemoryError;
use super::shard::{Encoded, ShardId};

/// Bytes per map. etcd takes 1.5 MB; base64 makes a third more, and etcd's own headroom is not ours to spend.
pub(super) const PART: usize = 700 * 1024;

/// The label that marks heads and parts.
pub(super) const LABEL: &str = "rollcall.dev/memory";

/// The label that says whose memory it is: the name of the lease.
pub(super) const OWNER: &str = "rollcall.dev/memory-of";

/// The version of this layout.
const FORMAT: u32 = 1;

const HEAD: &str = "head";
const DATA: &str = "shard.json.gz";

/// What a head says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Head {
    format: u32,
    /// Which shard it is.
    pub shard: String,
    /// Where the parts after the first are.
    pub slot: Slot,
    /// How many parts there are, the head's own included.
    pub parts: usize,
    /// Digest of the whole, unpacked.
    pub digest: String,
}

/// One of two places for parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Slot {
    A,
    B,
}

impl Slot {
    pub(super) fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    fn letter(self) -> char {
        match self {
            Self::A => 'a',
            Self::B => 'b',
        }
    }
}

pub(super) fn head_name(owner: &str, id: &ShardId) -> String {
    format!("{owner}-memory-{}", id.slug())
}

pub(super) fn part_name(head: &str, slot: Slot, part: usize) -> String {
    format!("{head}-{}{part}", slot.letter())
}

/// A shard as maps: the parts, to be written first, and the head.
pub(super) fn maps(owner: &str, id: &ShardId, encoded: &Encoded, slot: Slot) -> (Vec<ConfigMap>, ConfigMap) {
    let name = head_name(owner, id);
    let mut chunks = encoded.bytes.chunks(PART);
    let first = chunks.next().unwrap_or_default();
    let parts: Vec<ConfigMap> = (1..)
        .zip(chunks)
        .map(|(number, chunk)| map(owner, part_name(&name, slot, number), "part", chunk))
        .collect();
    let head = Head {
        format: FORMAT,
        shard: id.to_string(),
        slot,
        parts: parts.len() + 1,
        digest: encoded.digest.clone(),
    };
    let mut object = map(owner, name, "head", first);
    let text = serde_json::to_string(&head).unwrap_or_default();
    object.data = Some(BTreeMap::from([(HEAD.to_owned(), text)]));
    (parts, object)
}

fn map(owner: &str, name: String, role: &str, bytes: &[u8]) -> ConfigMap {
    let labels = [(LABEL.to_owned(), role.to_owned()), (OWNER.to_owned(), owner.to_owned())];
    ConfigMap {
        metadata: ObjectMeta { name: Some(name), labels: Some(labels.into()), ..ObjectMeta::default() },
        binary_data: Some([(DATA.to_owned(), ByteString(bytes.to_vec()))].into()),
        ..ConfigMap::default()
    }
}

/// What the head of a shard says.
pub(super) fn read_head(map: &ConfigMap) -> Result<(ShardId, Head), MemoryError> {
    let text = map.data.as_ref().and_then(|data| data.get(HEAD));
    let text = text.ok_or_else(|| unreadable(map, format!("expected data.{HEAD}, found none")))?;
    let head: Head = serde_json::from_str(text).map_err(|e| unreadable(map, format!("data.{HEAD}: {e}")))?;
    if head.format != FORMAT {
        return Err(unreadable(
            map,
            format!(
                "expected format {FORMAT}, found {}: a newer Rollcall wrote it; run that version",
                head.format
            ),
        ));
    }
    let id = ShardId::parse(&head.shard).map_err(|why| unreadable(map, format!("data.{HEAD}: {why}")))?;
    Ok((id, head))
}

/// The bytes that a map holds.
pub(super) fn bytes(map: &ConfigMap) -> Result<&[u8], MemoryError> {
    let bytes = map.binary_data.as_ref().and_then(|data| data.get(DATA));
    bytes
        .map(|bytes| bytes.0.as_slice())
        .ok_or_else(|| unreadable(map, format!("expected binaryData[{DATA:?}], found none")))
}

pub(super) fn unreadable(map: &ConfigMap, why: String) -> MemoryError {
    MemoryError::Unreadable { object: map.metadata.name.clone().unwrap_or_default(), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_of_two_megabytes_is_three_maps_and_comes_back_whole() {
        let encoded =
            Encoded { bytes: (0..2_000_000_u32).map(|n| (n % 251) as u8).collect(), digest: "d".to_owned() };
        let (parts, head) = maps("rollcall", &ShardId::Healed, &encoded, Slot::B);
        let (id, told) = read_head(&head).unwrap();
        assert_eq!((id, told.parts, told.slot), (ShardId::Healed, 3, Slot::B));
        let mut whole = bytes(&head).unwrap().to_vec();
        for (number, part) in (1..).zip(&parts) {
            let name = part_name(head.metadata.name.as_deref().unwrap(), Slot::B, number);
            assert_eq!(part.metadata.name.as_deref(), Some(name.as_str()));
            whole.extend_from_slice(bytes(part).unwrap());
        }
        assert_eq!(whole, encoded.bytes);
    }

    #[test]
    fn a_newer_format_is_refused_by_name() {
        let (_, mut head) =
            maps("rollcall", &ShardId::Healed, &Encoded { bytes: vec![], digest: String::new() }, Slot::A);
        let text = r#"{"format":2,"shard":"healed","slot":"a","parts":1,"digest":""}"#;
        head.data = Some([(HEAD.to_owned(), text.to_owned())].into());
        let error = read_head(&head).unwrap_err().to_string();
        assert!(error.contains("expected format 1, found 2"), "{error}");
    }
}

//! Memory in shards and back. Pure; the same memory gives the same shards with the same digests.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::io::{self, Read as _, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use rollcall_engine::ids::{HostId, ObjectKey, Place};
use rollcall_engine::memory::{EnvironmentMemory, Memory, PlaceMemory, SystemMemory};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

/// More than this no shard may hold unpacked: 20,000 hosts need a tenth.
const MAX_UNPACKED: u64 = 128 * 1024 * 1024;

/// Which part of memory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShardId {
    /// One account and region.
    Place(Place),
    /// One monitoring system.
    System(ObjectKey),
    /// One environment.
    Environment(ObjectKey),
    /// All baselines.
    Healed,
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(place) => write!(f, "place {place}"),
            Self::System(key) => write!(f, "system {key}"),
            Self::Environment(key) => write!(f, "environment {key}"),
            Self::Healed => f.write_str("healed"),
        }
    }
}

impl ShardId {
    /// The shard of this name.
    ///
    /// # Errors
    /// When it is not one that [`fmt::Display`] writes.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(' ') {
            None if text == "healed" => Ok(Self::Healed),
            Some(("place", place)) => Place::try_from(place.to_owned()).map(Self::Place),
            Some(("system", key)) => ObjectKey::try_from(key.to_owned()).map(Self::System),
            Some(("environment", key)) => ObjectKey::try_from(key.to_owned()).map(Self::Environment),
            _ => Err(format!("{text:?} is no shard")),
        }
    }

    /// A short name that may stand in the name of an object, the same for ever.
    #[must_use]
    pub fn slug(&self) -> String {
        let kind = match self {
            Self::Place(_) => "place",
            Self::System(_) => "system",
            Self::Environment(_) => "environment",
            Self::Healed => "healed",
        };
        format!("{kind}-{}", hex(&Sha256::digest(self.to_string())).get(..12).unwrap_or_default())
    }
}

/// One shard as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// gzip of JSON.
    pub bytes: Vec<u8>,
    /// SHA-256 of the JSON, in hex: another version of the packer changes the bytes, not this.
    pub digest: String,
}

/// All shards that this memory needs.
#[must_use]
pub fn ids(memory: &Memory) -> BTreeSet<ShardId> {
    let mut ids: BTreeSet<ShardId> = memory.places.keys().cloned().map(ShardId::Place).collect();
    ids.extend(memory.systems.keys().cloned().map(ShardId::System));
    ids.extend(memory.environments.keys().cloned().map(ShardId::Environment));
    ids.extend((!memory.healed.is_empty()).then_some(ShardId::Healed));
    ids
}

/// Do both remember the same in this shard? Much cheaper than packing it.
#[must_use]
pub fn is_same(a: &Memory, b: &Memory, id: &ShardId) -> bool {
    match id {
        ShardId::Place(place) => a.places.get(place) == b.places.get(place),
        ShardId::System(key) => a.systems.get(key) == b.systems.get(key),
        ShardId::Environment(key) => a.environments.get(key) == b.environments.get(key),
        ShardId::Healed => a.healed == b.healed,
    }
}

/// Packs one shard; `None` when the memory has nothing of it.
///
/// # Errors
/// Only when the value has no JSON form.
pub fn encode(memory: &Memory, id: &ShardId) -> io::Result<Option<Encoded>> {
    match id {
        ShardId::Place(place) => memory.places.get(place).map(pack).transpose(),
        ShardId::System(key) => memory.systems.get(key).map(pack).transpose(),
        ShardId::Environment(key) => memory.environments.get(key).map(pack).transpose(),
        ShardId::Healed => (!memory.healed.is_empty()).then(|| pack(&memory.healed)).transpose(),
    }
}

/// Unpacks one shard into the memory.
///
/// # Errors
/// Says what was expected and found.
pub fn decode(memory: &mut Memory, id: &ShardId, stored: &Encoded) -> Result<(), String> {
    match id {
        ShardId::Place(place) => {
            let shard: PlaceMemory = unpack(stored)?;
            memory.places.insert(place.clone(), shard);
        }
        ShardId::System(key) => {
            let shard: SystemMemory = unpack(stored)?;
            memory.systems.insert(key.clone(), shard);
        }
        ShardId::Environment(key) => {
            let shard: EnvironmentMemory = unpack(stored)?;
            memory.environments.insert(key.clone(), shard);
        }
        ShardId::Healed => {
            let shard: BTreeMap<ObjectKey, BTreeSet<HostId>> = unpack(stored)?;
            memory.healed = shard;
        }
    }
    Ok(())
}

fn pack<T: Serialize>(shard: &T) -> io::Result<Encoded> {
    let mut tee = Tee { digest: Sha256::new(), packed: GzEncoder::new(Vec::new(), Compression::default()) };
    serde_json::to_writer(&mut tee, shard)?;
    Ok(Encoded { bytes: tee.packed.finish()?, digest: hex(&tee.digest.finalize()) })
}

fn unpack<T: DeserializeOwned>(stored: &Encoded) -> Result<T, String> {
    let mut json = Vec::new();
    let unpacked = GzDecoder::new(stored.bytes.as_slice()).take(MAX_UNPACKED).read_to_end(&mut json);
    unpacked.map_err(|error| format!("expected gzip, found {error}"))?;
    let digest = hex(&Sha256::digest(&json));
    if digest != stored.digest {
        return Err(format!("expected the digest {}, found {digest}", stored.digest));
    }
    serde_json::from_slice(&json).map_err(|error| format!("expected memory of this version, found {error}"))
}

/// Packs and digests in one go: the JSON of a big place is some MB that need not exist as a whole.
struct Tee {
    digest: Sha256,
    packed: GzEncoder<Vec<u8>>,
}

impl Write for Tee {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.packed.write(bytes)?;
        self.digest.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.packed.flush()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Cannot fail: the sink is a String.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use rollcall_engine::memory::HostMemory;

    use super::*;

    fn memory() -> Memory {
        let mut memory = Memory::default();
        let place: Place = "123456789012/ap-northeast-1".to_owned().try_into().unwrap();
        let host = serde_json::from_str::<HostMemory>(r#"{"firstSeen":"2026-11-01T00:00:00Z"}"#).unwrap();
        memory.places.entry(place).or_default().hosts.insert("i-0a".into(), host);
        let key = ObjectKey::new("team", "mackerel");
        memory
            .systems
            .entry(key.clone())
            .or_default()
            .registrations
            .insert("i-0a".into(), vec!["3yAYEDLXKL5".into()]);
        memory
            .environments
            .entry(ObjectKey::new("team", "jp1"))
            .or_default()
            .weekly_hosts
            .insert("2026-W47".into(), 34);
        memory.healed.entry(ObjectKey::new("team", "first-morning")).or_default().insert("i-0a".into());
        memory
    }

    #[test]
    fn every_shard_comes_back_as_it_was() {
        let before = memory();
        let mut after = Memory::default();
        for id in ids(&before) {
            let id = ShardId::parse(&id.to_string()).unwrap();
            decode(&mut after, &id, &encode(&before, &id).unwrap().unwrap()).unwrap();
        }
        assert_eq!(after, before);
        assert_eq!(ids(&before).len(), 4);
    }

    #[test]
    fn a_bit_that_turned_is_told_and_not_believed() {
        let before = memory();
        let stored = encode(&before, &ShardId::Healed).unwrap().unwrap();
        let mut cut = stored.clone();
        cut.bytes.truncate(stored.bytes.len() / 2);
        assert!(
            decode(&mut Memory::default(), &ShardId::Healed, &cut).unwrap_err().starts_with("expected gzip")
        );
        let other = Encoded { digest: "00".to_owned(), ..stored.clone() };
        assert!(decode(&mut Memory::default(), &ShardId::Healed, &other).unwrap_err().contains("digest"));
        let key = ShardId::Place("1/x".to_owned().try_into().unwrap());
        let foreign = decode(&mut Memory::default(), &key, &Encoded { ..stored });
        // A shard under another's name may parse (all fields are optional), but never with hosts it does not hold.
        assert!(foreign.is_ok() || foreign.unwrap_err().contains("memory of this version"));
    }
}

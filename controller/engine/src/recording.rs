//! A recording: desired state, readings and memory of one moment, as a file. `plan`, bug reports and the demo run on it.
//!
//! Bytes in, bytes out: this module reads and writes no file. A recording never holds a secret.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fleet::Desired;
use crate::leaving::Departure;
use crate::memory::Memory;
use crate::snapshot::Snapshot;

/// The version of the format that this code writes. A reader refuses a newer one and names both.
pub const FORMAT: u32 = 1;

/// No recording may be larger than this once inflated: 20,000 hosts need about 60 MB, and a small gzip file
/// can pretend to hold anything.
pub const MAX_INFLATED_BYTES: u64 = 512 * 1024 * 1024;

/// The first two bytes of any gzip file (RFC 1952, 2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// One moment of a fleet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recording {
    /// Format version, [`FORMAT`].
    pub rollcall_recording: u32,
    /// World time of the moment: decisions on this recording are made at this `now`.
    pub now: Timestamp,
    /// Custom resources; may be empty when they come from files instead.
    #[serde(default)]
    pub desired: Desired,
    /// All readings.
    pub snapshot: Snapshot,
    /// Memory before the pass.
    #[serde(default)]
    pub memory: Memory,
    /// How retirements stood; `None` where nobody recorded that: then it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub departures: Option<Vec<Departure>>,
    /// What it was cut to for whoever took it; `None` when nothing was left out but what no recording holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_to: Option<Cut>,
}

/// What is left of a recording that was made for somebody who may not read everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cut {
    /// Namespaces whose environments they may read: hosts, registrations and memory of others are left out.
    pub namespaces: BTreeSet<String>,
    /// Whether `CloudAccount`s are whole: else identities and grants of others are left out.
    pub accounts: bool,
}

/// Why bytes are not a recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// Not gzip although it begins like it, or cut short.
    #[error("recording: gzip: {0}; take it again: rollcall record")]
    Gzip(std::io::Error),
    /// Larger than [`MAX_INFLATED_BYTES`].
    #[error("recording: more than {MAX_INFLATED_BYTES} bytes once inflated; record fewer namespaces")]
    TooLarge,
    /// Valid JSON, but not one of ours.
    #[error(
        "recording: field rollcallRecording: expected the format version {FORMAT}, found none; is this what rollcall record has written?"
    )]
    NotARecording,
    /// Written by a newer Rollcall.
    #[error(
        "recording: field rollcallRecording: this Rollcall reads format {FORMAT} and older, the file has format {found}; use the Rollcall that wrote it, or a newer one"
    )]
    Newer {
        /// The version in the file.
        found: u32,
    },
    /// Not JSON, or a field is not what it should be; says line, column and field.
    #[error("recording: {0}")]
    Json(#[from] serde_json::Error),
}

/// Only the version, so that a newer format is named as such before anything else of it is looked at.
#[derive(Deserialize)]
struct Version {
    #[serde(rename = "rollcallRecording")]
    version: Option<u32>,
}

impl Recording {
    /// Reads a recording from JSON or gzipped JSON.
    ///
    /// # Errors
    /// When the bytes are no recording, a newer one, or too large; the error says where.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, RecordingError> {
        if bytes.starts_with(&GZIP_MAGIC) {
            return Self::from_json(&inflate(bytes, MAX_INFLATED_BYTES)?);
        }
        if bytes.len() as u64 > MAX_INFLATED_BYTES {
            return Err(RecordingError::TooLarge);
        }
        Self::from_json(bytes)
    }

    fn from_json(json: &[u8]) -> Result<Self, RecordingError> {
        match serde_json::from_slice::<Version>(json)?.version {
            None => Err(RecordingError::NotARecording),
            Some(found) if found > FORMAT => Err(RecordingError::Newer { found }),
            Some(_) => Ok(serde_json::from_slice(json)?),
        }
    }

    /// The recording as JSON, indented: people read and compare it.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        // Cannot fail: the types hold only strings, numbers and maps with string keys, and a Vec never refuses bytes.
        let mut json = serde_json::to_vec_pretty(self).unwrap_or_default();
        json.push(b'\n');
        json
    }

    /// The same, gzipped: a tenth of the size.
    #[must_use]
    pub fn to_gzip(&self) -> Vec<u8> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        // Cannot fail: the sink is a Vec.
        let _ = gzip.write_all(&self.to_vec());
        gzip.finish().unwrap_or_default()
    }
}

/// Inflates gzip, and refuses to hold more than `limit` bytes.
fn inflate(bytes: &[u8], limit: u64) -> Result<Vec<u8>, RecordingError> {
    let mut json = Vec::new();
    let read =
        MultiGzDecoder::new(bytes).take(limit + 1).read_to_end(&mut json).map_err(RecordingError::Gzip)?;
    if read as u64 > limit { Err(RecordingError::TooLarge) } else { Ok(json) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_file_cannot_pretend_to_hold_everything() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&vec![b' '; 100_000]).unwrap();
        let bomb = gzip.finish().unwrap();
        assert!(bomb.len() < 2_000);
        assert_eq!(inflate(&bomb, 100_000).unwrap().len(), 100_000);
        assert!(matches!(inflate(&bomb, 99_999), Err(RecordingError::TooLarge)));
    }
}

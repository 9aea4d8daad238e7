//! Reads all of memory at the begin of a term. All or nothing: a shard that cannot be read stops everything.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::ListParams;
use rollcall_engine::memory::Memory;

use super::MemoryError;
use super::maps::{self, Head, LABEL, OWNER};
use super::shard::{self, Encoded, ShardId};
use crate::calls::bounded;

/// Maps a page: each may be some 700 KiB.
const PAGE: u32 = 8;

/// Memory as it is stored.
#[derive(Debug, Default)]
pub struct Loaded {
    /// What is remembered.
    pub memory: Arc<Memory>,
    /// Where each shard lies.
    pub(super) stored: BTreeMap<ShardId, Stored>,
}

/// Where a shard lies, and in which state we have last seen it.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub resource_version: String,
    pub head: Head,
    pub bytes: usize,
}

/// Reads memory of this owner (the name of the lease).
///
/// # Errors
/// When the API server cannot be asked, or a shard cannot be read.
pub async fn load(api: &Api<ConfigMap>, owner: &str) -> Result<Loaded, MemoryError> {
    let mut memory = Memory::default();
    let mut stored = BTreeMap::new();
    let mut params = ListParams::default().labels(&format!("{LABEL}=head,{OWNER}={owner}")).limit(PAGE);
    loop {
        let page = bounded(api.list(&params)).await;
        let page = page.map_err(|source| MemoryError::Call { object: "list".to_owned(), source })?;
        for map in &page.items {
            let (id, place) = take(api, map, &mut memory).await?;
            stored.insert(id, place);
        }
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(Loaded { memory: Arc::new(memory), stored }),
        }
    }
}

/// Reads one shard into the memory.
async fn take(
    api: &Api<ConfigMap>,
    map: &ConfigMap,
    memory: &mut Memory,
) -> Result<(ShardId, Stored), MemoryError> {
    let (id, head) = maps::read_head(map)?;
    let name = map.metadata.name.clone().unwrap_or_default();
    let mut bytes = maps::bytes(map)?.to_vec();
    for part in 1..head.parts {
        let part = maps::part_name(&name, head.slot, part);
        let found = bounded(api.get(&part)).await;
        let found = found.map_err(|source| MemoryError::Call { object: part, source })?;
        bytes.extend_from_slice(maps::bytes(&found)?);
    }
    let encoded = Encoded { bytes, digest: head.digest.clone() };
    shard::decode(memory, &id, &encoded).map_err(|why| maps::unreadable(map, why))?;
    let resource_version = map.metadata.resource_version.clone().unwrap_or_default();
    Ok((id, Stored { resource_version, head, bytes: encoded.bytes.len() }))
}

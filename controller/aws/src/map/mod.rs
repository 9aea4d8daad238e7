//! EC2's types as the engine's: cut to what decisions use, and never failing on one odd entry.

mod instance;
mod owner;
mod storage;

use aws_sdk_ec2::types::Tag;
use rollcall_engine::inventory::Tags;

pub(crate) use instance::instance;
pub(crate) use storage::{address, volume};

/// Tags as they are, hostile ones too: who shows them cleans them. A tag without a key says nothing.
fn tags(tags: Option<Vec<Tag>>) -> Tags {
    tags.unwrap_or_default()
        .into_iter()
        .filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())))
        .collect()
}

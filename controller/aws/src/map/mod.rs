//! AWS's types as the engine's: cut to what decisions use, and never failing on one odd entry.

mod cluster;
mod database;
mod groups;
mod instance;
mod metric;
mod owner;
mod security;
mod shared;
mod storage;

use aws_smithy_types::DateTime;
use jiff::Timestamp;
use rollcall_engine::inventory::Tags;

pub(crate) use cluster::cluster;
pub(crate) use database::database;
pub(crate) use groups::{parameter, subnet_group};
pub(crate) use instance::instance;
pub(crate) use metric::{metric, part};
pub(crate) use security::security_group;
pub(crate) use shared::Shared;
pub(crate) use storage::{address, volume};

/// Characters of one of AWS's own words (a status, a class, a version); theirs have 50 at most.
const MAX_WORD: usize = 64;

/// EC2's tags.
fn tags(tags: Option<Vec<aws_sdk_ec2::types::Tag>>) -> Tags {
    keyed(tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)))
}

/// RDS's tags.
fn database_tags(tags: Option<Vec<aws_sdk_rds::types::Tag>>) -> Tags {
    keyed(tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)))
}

/// Tags as they are, hostile ones too: who shows them cleans them. A tag without a key says nothing.
fn keyed(tags: impl Iterator<Item = (Option<String>, Option<String>)>) -> Tags {
    tags.filter_map(|(key, value)| Some((key?, value.unwrap_or_default()))).collect()
}

fn text(text: Option<&str>) -> Option<String> {
    text.filter(|t| !t.is_empty()).map(str::to_owned)
}

/// One of AWS's words, cut: whoever feeds us may send any. None is the empty word, which means nothing.
fn word(word: Option<&str>) -> String {
    word.unwrap_or_default().chars().take(MAX_WORD).collect()
}

fn moment(time: &DateTime) -> Option<Timestamp> {
    Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok()
}

//! The same for what hosts do.

use jiff::Timestamp;

use super::RegionTruth;
use crate::aws::{error::AwsError, ground::Load};

impl RegionTruth {
    /// From `from` on an instance does this; `None` is silence: it runs, and `CloudWatch` hears nothing of it. What is not
    /// planted is [`Load::BUSY`].
    ///
    /// # Errors
    /// For an unknown id.
    pub fn set_load(&self, id: &str, from: Timestamp, load: Option<Load>) -> Result<(), AwsError> {
        self.change(|region, _, now| {
            region.instance(id, now)?;
            region.loads.entry(id.to_owned()).or_default().set(from, load);
            Ok(())
        })
    }

    /// The same for a database.
    ///
    /// # Errors
    /// For an unknown name.
    pub fn set_db_load(&self, name: &str, from: Timestamp, load: Option<Load>) -> Result<(), AwsError> {
        self.change(|region, _, now| {
            let id = region.dbs.instance(name, now)?.resource_id.clone();
            region.loads.entry(id).or_default().set(from, load);
            Ok(())
        })
    }
}

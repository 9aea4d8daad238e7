//! Sentences and keys that many findings share are stored once.

use std::collections::HashSet;
use std::sync::Arc;

/// Texts, each once.
#[derive(Debug, Default)]
pub(super) struct Phrases(HashSet<Arc<str>>);

impl Phrases {
    /// The one copy of this text.
    pub(super) fn share(&mut self, text: impl AsRef<str>) -> Arc<str> {
        if let Some(known) = self.0.get(text.as_ref()) {
            return Arc::clone(known);
        }
        let text: Arc<str> = Arc::from(text.as_ref());
        self.0.insert(Arc::clone(&text));
        text
    }
}

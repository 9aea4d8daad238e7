//! Holds one value for one taker; a newer one replaces it. What a pass wants written is worth nothing once the next
//! pass has spoken.

use parking_lot::Mutex;
use tokio::sync::Notify;

/// One value, the latest.
pub struct Mailbox<T> {
    value: Mutex<Option<T>>,
    filled: Notify,
}

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        Self { value: Mutex::new(None), filled: Notify::new() }
    }
}

impl<T> Mailbox<T> {
    /// Puts a value in; the one that was there is lost.
    pub fn put(&self, value: T) {
        *self.value.lock() = Some(value);
        self.filled.notify_one();
    }

    /// Takes the value, as soon as there is one. Nothing is lost when the call is given up.
    pub async fn take(&self) -> T {
        loop {
            if let Some(value) = self.value.lock().take() {
                return value;
            }
            self.filled.notified().await;
        }
    }
}

//! The roll call: who is there, who is watched as required, what is superfluous.
//!
//! [`roll_call`] is the whole decision. Its output is values only; the shell turns them into statuses, the CLI
//! into text, and both say the same.

mod output;

pub use output::*;

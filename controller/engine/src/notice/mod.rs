//! What people are told about a host on its way out, and once a week about a fleet: values in, text in their language out.
//!
//! Pure: nothing here sends anything. [`Notice`] and [`Digest`] become a [`Message`], which is all that a channel is given;
//! [`outbox`] decides when it is sent, and holds the proof that it was accepted. A message holds no secret, for nothing that
//! goes into one knows any; names from outside are cleaned and cut; commands are whole or not there at all, for half a command is
//! another command. What is not known is told as not known.

mod digest;
mod id;
mod message;
pub mod outbox;
mod told;
mod words;

pub use digest::{
    Blind, BlindNow, Blindness, Digest, Excess, Hosts, Prices, RetiredHost, Reviews, Staying, StaysFor,
    Unused, UnusedCause, UnusedHosts, Waits, Week,
};
pub use id::{BadId, Kind, NoticeId, Origin};
pub use message::{
    BadCommand, Command, Facts, Language, MAX_COMMAND, MAX_LINE, MAX_LINES, MAX_TITLE, Message,
};
pub use told::{
    About, Cancelled, Evidence, FinalAct, HowItStands, News, NotRestored, Notice, Peak, Proposed, Reminder,
    Retired, Way, WhatWasDone, WhyCancelled,
};

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

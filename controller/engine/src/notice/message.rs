//! What a channel is given: a title and some lines, all of them short enough for any channel there is, and a few facts for machines.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::NoticeId;
use crate::ids::HostId;
use crate::text;

/// Characters of a title: a header of Slack takes no more.
pub const MAX_TITLE: usize = 150;
/// Characters of a line.
pub const MAX_LINE: usize = 500;
/// Lines of a message. With [`MAX_LINE`] this is more than any of them needs.
pub const MAX_LINES: usize = 60;
/// Characters of a command.
pub const MAX_COMMAND: usize = 400;

/// The language of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

impl Language {
    /// As in a `lang` attribute.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ja => "ja",
        }
    }
}

/// A command that somebody can paste into a shell: one line, whole. Words from outside that stand in it are quoted by
/// [`text::argument`] before they come here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Command(Arc<str>);

/// What cannot be pasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a command: expected one line of at most {MAX_COMMAND} visible characters, found something else")]
pub struct BadCommand;

impl Command {
    /// This command.
    ///
    /// # Errors
    /// When it is empty, long, or holds a character that a person would not see or that ends the line.
    pub fn new(command: &str) -> Result<Self, BadCommand> {
        let mut buffer = [0; 4];
        // A name as it may be shown is one that comes out of cleaning as it went in; it cuts, so characters go in one by one.
        let visible = |c: char| c == ' ' || *text::clean(c.encode_utf8(&mut buffer)) == *c.to_string();
        let fits = (1..=MAX_COMMAND).contains(&command.chars().count()) && command.trim() == command;
        if fits && command.chars().all(visible) { Ok(Self(Arc::from(command))) } else { Err(BadCommand) }
    }

    /// The command.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Command {
    type Error = BadCommand;
    fn try_from(text: String) -> Result<Self, BadCommand> {
        Self::new(&text)
    }
}

impl From<Command> for String {
    fn from(command: Command) -> Self {
        command.0.to_string()
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What machines may want of a message without reading its text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// The environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Arc<str>>,
    /// The host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostId>,
    /// Its name, as it may be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Arc<str>>,
    /// No act comes earlier than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Keeps the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Command>,
    /// Brings it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Command>,
}

/// One message, ready to be sent. Made of a [`super::Notice`] or a [`super::Digest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    id: NoticeId,
    made: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    language: Language,
    title: String,
    lines: Vec<String>,
    facts: Facts,
}

/// Title and lines as they were written, not yet cut.
pub(super) struct Text {
    pub title: String,
    pub lines: Vec<String>,
}

impl Message {
    /// A message of these words, brought within the limits.
    pub(super) fn new(
        id: NoticeId,
        made: Timestamp,
        until: Option<Timestamp>,
        language: Language,
        text: &Text,
        facts: Facts,
    ) -> Self {
        let title = cut(&text.title, MAX_TITLE);
        let lines = text.lines.iter().take(MAX_LINES).map(|line| cut(line, MAX_LINE)).collect();
        Self { id, made, until, language, title, lines, facts }
    }

    /// The name of the event.
    #[must_use]
    pub fn id(&self) -> &NoticeId {
        &self.id
    }

    /// When it was written.
    #[must_use]
    pub fn made(&self) -> Timestamp {
        self.made
    }

    /// When it is of no use any more.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// Its language.
    #[must_use]
    pub fn language(&self) -> Language {
        self.language
    }

    /// One line that says it all: at most [`MAX_TITLE`] characters.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The rest: at most [`MAX_LINES`] lines of at most [`MAX_LINE`] characters.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// For machines.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Does it say the same as this one, whenever that was written?
    pub(super) fn says_the_same_as(&self, other: &Self) -> bool {
        Self { made: other.made, ..self.clone() } == *other
    }

    /// Title and lines as one text.
    #[must_use]
    pub fn text(&self) -> String {
        std::iter::once(self.title.as_str())
            .chain(self.lines.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join("\n")
    }
}

fn cut(line: &str, at_most: usize) -> String {
    if line.chars().nth(at_most).is_none() {
        return line.to_owned();
    }
    line.chars().take(at_most.saturating_sub(1)).chain(['…']).collect()
}

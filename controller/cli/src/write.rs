//! Writes files for people: each as a whole or not at all, and over nothing that exists unless that was asked for.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::{Builder, NamedTempFile};

use crate::terminal;

/// No more paths than this are named in an error; the rest is counted.
const MOST_NAMED: usize = 10;

/// Columns of comments, breaking at spaces.
const COMMENT_WIDTH: usize = 100;

/// A file to be written.
#[derive(Debug)]
pub struct File {
    /// Where.
    pub path: PathBuf,
    /// All of it.
    pub content: String,
}

/// What becomes of files.
#[derive(Debug)]
pub enum Delivery {
    /// They are written.
    Write {
        /// Over those that exist.
        over: bool,
        /// What helps when one stands in the way.
        hint: &'static str,
    },
    /// They are printed as one YAML stream.
    Print,
}

/// Writes one file of any bytes.
///
/// # Errors
/// As [`all`].
pub fn one(path: &Path, content: &[u8], over: bool, hint: &str) -> anyhow::Result<()> {
    all(&[(path, content)], OWN, over, hint)
}

/// Refuses to write where something exists, unless that was asked for (`hint` says what would help).
///
/// # Errors
/// When it does.
pub fn refuse_existing<'p>(
    paths: impl IntoIterator<Item = &'p Path>,
    over: bool,
    hint: &str,
) -> anyhow::Result<()> {
    let in_the_way: Vec<String> = paths
        .into_iter()
        .filter(|path| !over && exists(path))
        .map(|path| path.display().to_string())
        .collect();
    if in_the_way.is_empty() {
        return Ok(());
    }
    let more = in_the_way.len().saturating_sub(MOST_NAMED);
    let named = in_the_way.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    anyhow::bail!("nothing was written, for this exists: {named}{more}; {hint}");
}

/// Writes or prints files, and tells about it where that does not mix with them.
///
/// # Errors
/// As [`all`].
pub fn deliver(files: &[File], how: &Delivery, about: &str) -> anyhow::Result<()> {
    match how {
        Delivery::Write { over, hint } => {
            let files: Vec<(&Path, &[u8])> =
                files.iter().map(|file| (file.path.as_path(), file.content.as_bytes())).collect();
            all(&files, SHARED, *over, hint)?;
            anstream::print!("{about}");
        }
        Delivery::Print => {
            for file in files {
                anstream::print!("---\n{}{}", heading(&file.path), file.content);
            }
            anstream::eprint!("{about}");
        }
    }
    Ok(())
}

/// Where a printed file would stand, if it has a place.
fn heading(path: &Path) -> String {
    if path.as_os_str().is_empty() { String::new() } else { format!("# {}\n", path.display()) }
}

/// Takes the name, or else the first with a number behind it that can be taken: `disk`, `disk-2`, `disk-3`.
pub fn take_name(name: &str, mut take: impl FnMut(&str) -> bool) -> String {
    let mut wish = name.to_owned();
    let mut number = 2;
    while !take(&wish) {
        wish = format!("{name}-{number}");
        number += 1;
    }
    wish
}

/// Writes all files; before the first appears, every one is on disk under a temporary name beside its place.
///
/// # Errors
/// When a file exists and `over` is not said, before anything is written; or when the file system refuses.
fn all(files: &[(&Path, &[u8])], mode: u32, over: bool, hint: &str) -> anyhow::Result<()> {
    refuse_existing(files.iter().map(|(path, _)| *path), over, hint)?;
    let written: anyhow::Result<Vec<NamedTempFile>> =
        files.iter().map(|(path, content)| beside(path, content, mode)).collect();
    for (temporary, (path, _)) in written?.into_iter().zip(files) {
        let persisted = if over { temporary.persist(path) } else { temporary.persist_noclobber(path) };
        persisted.map_err(|error| error.error).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// Adds `text` to the comments that a YAML file begins with. Whatever it holds, it stays a comment.
pub fn comment(out: &mut String, text: &str) {
    terminal::wrap(out, "# ", "#   ", &plain(text), COMMENT_WIDTH);
}

/// Text as it can stand in a comment: a control character, a line break of any kind, and what YAML forbids become spaces.
pub fn plain(text: &str) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
    text.chars().map(|c| if breaks(c) || is_forbidden(c) { ' ' } else { c }).collect()
}

/// Can a text stand in a YAML file, escaped as it may be?
pub fn can_stand(text: &str) -> bool {
    !text.chars().any(is_forbidden)
}

/// Characters that no escape brings into a YAML stream as we write it (YAML 1.2.2, 5.1, c-printable).
fn is_forbidden(c: char) -> bool {
    matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// Anything at all, a dangling link too.
fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// What others may read of a file of a tree is the umask's matter.
const SHARED: u32 = 0o666;
/// A recording tells addresses, roles and what is not watched: it is its owner's alone.
const OWN: u32 = 0o600;

/// Writes a file beside its place, under a name that no tree takes for a manifest.
fn beside(path: &Path, content: &[u8], mode: u32) -> anyhow::Result<NamedTempFile> {
    let about = || path.display().to_string();
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).with_context(about)?;
    let mut builder = Builder::new();
    builder.prefix(".rollcall-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    let mut temporary = builder.tempfile_in(folder).with_context(about)?;
    temporary.write_all(content).with_context(about)?;
    temporary.as_file().sync_all().with_context(about)?;
    Ok(temporary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_stays_one() {
        let mut out = String::new();
        comment(&mut out, "a\nkind: Secret\r\u{85}b\u{2028}c\u{fffe}");
        assert_eq!(out, "# a kind: Secret b c\n");
    }

    #[test]
    fn one_file_in_the_way_stops_all_of_them_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("new/a.yaml"), folder.path().join("b.yaml"));
        fs::write(&b, "mine").unwrap();
        let files: [(&Path, &[u8]); 2] = [(&a, b"a"), (&b, b"b")];
        let refused = all(&files, SHARED, false, "say --force").unwrap_err().to_string();
        assert!(refused.starts_with("nothing was written") && refused.contains("b.yaml"), "{refused}");
        assert!(!a.exists());
        assert_eq!(fs::read_to_string(&b).unwrap(), "mine");
        all(&files, SHARED, true, "").unwrap();
        assert_eq!(fs::read_to_string(&a).unwrap() + &fs::read_to_string(&b).unwrap(), "ab");
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 2, "a temporary file was left behind: {left:?}");
    }
}

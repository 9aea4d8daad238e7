//! Reading by files: `objects.cache` and `status.dat`, of Nagios and of Icinga 2's compatibility writers.
//!
//! Opens files for reading, and nothing else. A file that is being written, was cut, is another one or is yesterday's never
//! yields a shorter list that looks whole: `status.dat` has no end mark, so only its agreement with `objects.cache` proves it.

mod blocks;
mod lines;
mod objects;
mod status;

use std::fs::{File, Metadata};
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Component, Path, PathBuf};

use jiff::Timestamp;
use rollcall_engine::reading::{Failure, FailureKind};

use super::join;
use super::record::{Gathered, Objects, Terms};
use super::told::Told;
use status::StatusFile;

/// Bytes that are read at once.
const AT_ONCE: usize = 262_144;

/// Where the files are. Both belong to one program: `object_cache_file` and `status_file` of one `nagios.cfg`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The folder that both must lie in, wherever links lead: whoever names files in an object must not choose among all
    /// that the reader may open.
    pub within: PathBuf,
    /// `objects.cache`.
    pub objects: PathBuf,
    /// `status.dat`.
    pub status: PathBuf,
}

impl Files {
    /// Reads both, status first: a host that was added in between is then in the configuration alone, which is a gap, and
    /// never in neither. Blocks; belongs on a thread that may.
    pub(super) fn told(&self, source: &str, terms: &Terms, now: Timestamp) -> Told {
        match self.gathered(terms, now) {
            Ok(gathered) => join::told(source, now, terms, gathered),
            Err(why) => join::failed(source, now, &why),
        }
    }

    fn gathered(&self, terms: &Terms, now: Timestamp) -> Result<Gathered, Failure> {
        let next = "Nagios removes it when it stops, by a broken configuration too: see whether it runs";
        let mut status = Opened::new(&self.within, &self.status, (FailureKind::Unreachable, next))?;
        let next = "check the path: object_cache_file in nagios.cfg";
        let mut objects = Opened::new(&self.within, &self.objects, (FailureKind::Misconfigured, next))?;
        let (mut of_status, mut of_objects) =
            (status::read(&mut status.reader), objects::read(&mut objects.reader));
        if let Some(why) = status.changed(false) {
            of_status.cut(&why);
        }
        if let Some(why) = objects.changed(true) {
            cut(&mut of_objects, &why);
        }
        gather(of_objects, of_status, terms, now)
            .map_err(|why| Failure::new(why.kind, format!("{}: {}", shown(&self.status), why.message)))
    }
}

/// What two files say, wherever their bytes come from: for tests, and for snapshots that were taken elsewhere.
pub fn from_bytes(
    objects: impl BufRead,
    status: impl BufRead,
    source: &str,
    terms: &Terms,
    now: Timestamp,
) -> Told {
    match gather(objects::read(objects), status::read(status), terms, now) {
        Ok(gathered) => join::told(source, now, terms, gathered),
        Err(why) => join::failed(source, now, &why),
    }
}

fn gather(
    mut objects: Objects,
    status: StatusFile,
    terms: &Terms,
    now: Timestamp,
) -> Result<Gathered, Failure> {
    let StatusFile { program, statuses, contacts } = status;
    let program = program?;
    terms.fresh(program.updated, now, "the status file")?;
    for (name, (of_hosts, of_services)) in contacts {
        match objects.contacts.seen.get_mut(&name) {
            Some(contact) => (contact.of_hosts.now, contact.of_services.now) = (of_hosts, of_services),
            None => objects.contacts.odd.count("contacts with a configuration", &name),
        }
    }
    // Icinga 2 runs without hosts, so that two whole files that agree on none are believed.
    Ok(Gathered { program, objects, statuses, nobody: None })
}

impl StatusFile {
    fn cut(&mut self, why: &Failure) {
        self.statuses.hosts.cut.get_or_insert_with(|| why.clone());
        self.statuses.services.cut.get_or_insert_with(|| why.clone());
        self.statuses.downtimes.cut.get_or_insert_with(|| why.clone());
    }
}

fn cut(objects: &mut Objects, why: &Failure) {
    objects.hosts.cut.get_or_insert_with(|| why.clone());
    objects.services.cut.get_or_insert_with(|| why.clone());
    objects.contacts.cut.get_or_insert_with(|| why.clone());
}

/// A file, and what it was when it was opened.
struct Opened<'a> {
    path: &'a Path,
    reader: BufReader<File>,
    was: Metadata,
}

impl<'a> Opened<'a> {
    /// Opens a plain file within a folder; a FIFO would keep us waiting for ever. `missing`: what it means when it is not there.
    fn new(within: &Path, path: &'a Path, missing: (FailureKind, &str)) -> Result<Self, Failure> {
        let refused = |error: &std::io::Error| match error.kind() {
            ErrorKind::NotFound => Failure::new(
                missing.0,
                format!("expected the file {}, found none; {}", shown(path), missing.1),
            ),
            ErrorKind::PermissionDenied => Failure::new(
                FailureKind::Denied,
                format!("expected a file that may be read, found {}: {error}", shown(path)),
            ),
            _ => Failure::new(FailureKind::Unreachable, format!("{}: {error}", shown(path))),
        };
        let folder = within.canonicalize().map_err(|error| {
            let message = format!("expected the folder {}, which the admin allows: {error}", shown(within));
            Failure::new(FailureKind::Misconfigured, message)
        })?;
        // What is named elsewhere is never looked at, so that nobody learns whether it is there. Links in the folder are
        // its owner's.
        let outside = || {
            let message = format!(
                "expected a file in the folder {}, which the admin allows, found {}, which is elsewhere",
                shown(within),
                shown(path)
            );
            Failure::new(FailureKind::Misconfigured, message)
        };
        if !(path.starts_with(within) || path.starts_with(&folder))
            || path.components().any(|part| part == Component::ParentDir)
        {
            return Err(outside());
        }
        let real = path.canonicalize().map_err(|e| refused(&e))?;
        if !real.starts_with(&folder) {
            return Err(outside());
        }
        let plain = std::fs::metadata(&real).map_err(|e| refused(&e))?.is_file();
        if !plain {
            let message = format!("expected a plain file, found something else: {}", shown(path));
            return Err(Failure::new(FailureKind::Misconfigured, message));
        }
        let file = File::open(&real).map_err(|e| refused(&e))?;
        let was = file.metadata().map_err(|e| refused(&e))?;
        Ok(Self { path, reader: BufReader::with_capacity(AT_ONCE, file), was })
    }

    /// Why what was read cannot be one state of the file. `status.dat` is replaced by a new one every few seconds, and what
    /// we hold is then still whole; a new `objects.cache` means a reload, and `stays` says that it must not.
    fn changed(&self, stays: bool) -> Option<Failure> {
        let same =
            |is: &Metadata| is.len() == self.was.len() && is.modified().ok() == self.was.modified().ok();
        let held = self.reader.get_ref().metadata().is_ok_and(|is| same(&is));
        let there = !stays || std::fs::metadata(self.path).is_ok_and(|is| same(&is));
        let message = format!(
            "expected {} to stay as it is, found it written meanwhile; the next poll heals this",
            shown(self.path)
        );
        (!(held && there)).then(|| Failure::new(FailureKind::Malformed, message))
    }
}

/// A path for people, of bounded length.
fn shown(path: &Path) -> String {
    path.display().to_string().chars().take(160).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MISSING: (FailureKind, &str) = (FailureKind::Unreachable, "");

    #[test]
    fn a_file_that_is_written_while_it_is_read_is_not_one_state() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("objects.cache");
        for (text, stays, changed) in [
            (None, true, false),
            (Some("define host {\n}\n"), false, true),
            (Some(""), false, true),
            (Some("define host {\n}\n"), true, true),
        ] {
            std::fs::write(&path, "# as it was\n").unwrap();
            let opened = Opened::new(folder.path(), &path, MISSING).unwrap();
            if let Some(text) = text {
                std::fs::write(&path, text).unwrap();
            }
            assert_eq!(opened.changed(stays).is_some(), changed, "{text:?}");
        }
    }

    #[test]
    fn a_new_status_in_its_place_leaves_the_old_one_whole_and_a_new_configuration_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let (path, new) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&path, "old").unwrap();
        let opened = Opened::new(folder.path(), &path, MISSING).unwrap();
        std::fs::write(&new, "newer").unwrap();
        std::fs::rename(&new, &path).unwrap();
        assert!(opened.changed(false).is_none());
        assert!(opened.changed(true).is_some());
    }
}

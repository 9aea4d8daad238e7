//! Names of checks as numbers, and lists of them stored once: hosts of one role run the same checks, and a fleet
//! of 20,000 has a handful of different lists. Where a system tells how its checks run, a list also holds how they stand.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use super::plan::Wanted;
use super::reasons::Reasons;
use super::registries::SystemView;
use super::stand::{Stage, Stand};
use crate::ids::CheckName;
use crate::registry::{Check, Recipients};

/// Lists of names that a new one is compared with.
const RECENT: usize = 8;

/// The names seen in one system. Names that checks look for have the numbers of [`Wanted::names`].
#[derive(Debug, Default)]
pub(super) struct NameBook<'a> {
    numbers: HashMap<&'a str, u32>,
    names: Vec<&'a str>,
    lists: Vec<NameList>,
    /// Numbers of lists by what they hold.
    by_content: HashMap<Vec<Run>, u32>,
    /// Those who are notified, by number.
    recipients: Vec<&'a Recipients>,
    by_recipients: HashMap<&'a Recipients, u32>,
    /// Numbers of lists by where they were read: each is looked at once.
    by_address: HashMap<usize, u32>,
    /// The lists of names alone that were looked at last, oldest first, with their numbers.
    recent: VecDeque<(&'a [CheckName], u32)>,
}

/// The checks of one registration as they were told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Told<'a> {
    /// By their names alone.
    Names(&'a [CheckName]),
    /// With how they run, as it was at a time.
    Checks(&'a [Check], Timestamp),
}

/// One check of a list, in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Run {
    name: u32,
    stand: Stand,
    /// Who hears of it, if that is told.
    heard_by: Option<u32>,
}

/// One list of names.
#[derive(Debug)]
struct NameList {
    /// Sorted by name, each once.
    entries: Vec<Run>,
    /// The same as names, once somebody remembers it.
    shared: Option<Arc<[CheckName]>>,
}

impl<'a> NameBook<'a> {
    pub(super) fn new(wanted: &Wanted<'a>) -> Self {
        let mut names: Vec<(&str, u32)> =
            wanted.names.iter().map(|(name, number)| (*name, *number)).collect();
        names.sort_by_key(|(_, number)| *number);
        Self {
            numbers: wanted.names.clone(),
            names: names.into_iter().map(|(name, _)| name).collect(),
            ..Self::default()
        }
    }

    /// The number of a list that this system tells.
    pub(super) fn list(&mut self, told: Told<'a>, system: &SystemView<'_>, reasons: &mut Reasons) -> u32 {
        match told {
            Told::Names(names) => self.named(names),
            Told::Checks(checks, at) => self.once(checks, |book| {
                let stage = Stage::of_services(&system.system.key, at, system.program());
                book.add(checks.iter().map(|check| {
                    (&check.name, Stand::of(&check.run, stage, reasons), check.run.heard_by.as_ref())
                }))
            }),
        }
    }

    /// The number of a list of names alone.
    fn named(&mut self, names: &'a [CheckName]) -> u32 {
        self.once(names, |book| {
            book.known(names).unwrap_or_else(|| {
                let list = book.add(names.iter().map(|name| (name, Stand::Runs, None)));
                if book.recent.len() == RECENT {
                    book.recent.pop_front();
                }
                book.recent.push_back((names, list));
                list
            })
        })
    }

    /// Looks at a list where it was read only once.
    fn once<T>(&mut self, told: &[T], look: impl FnOnce(&mut Self) -> u32) -> u32 {
        // Empty lists may share an address with anything.
        let address = if told.is_empty() { 0 } else { told.as_ptr().addr() };
        if let Some(list) = self.by_address.get(&address) {
            return *list;
        }
        let list = look(self);
        self.by_address.insert(address, list);
        list
    }

    /// The number of a list that equals one of the last: comparing names costs a tenth of looking each of them up.
    fn known(&self, names: &[CheckName]) -> Option<u32> {
        self.recent.iter().find(|(known, _)| *known == names).map(|(_, list)| *list)
    }

    fn add(&mut self, told: impl Iterator<Item = (&'a CheckName, Stand, Option<&'a Recipients>)>) -> u32 {
        let mut entries: Vec<Run> = told
            .map(|(name, stand, heard_by)| Run {
                name: self.number(name.as_str()),
                stand,
                heard_by: heard_by.map(|heard_by| self.recipients(heard_by)),
            })
            .collect();
        entries.sort_unstable();
        entries.dedup_by_key(|entry| entry.name);
        let next = u32::try_from(self.lists.len()).unwrap_or(u32::MAX);
        let list = *self.by_content.entry(entries.clone()).or_insert(next);
        if list == next {
            self.lists.push(NameList { entries, shared: None });
        }
        list
    }

    fn recipients(&mut self, heard_by: &'a Recipients) -> u32 {
        let next = u32::try_from(self.recipients.len()).unwrap_or(u32::MAX);
        let number = *self.by_recipients.entry(heard_by).or_insert(next);
        if number == next {
            self.recipients.push(heard_by);
        }
        number
    }

    fn number(&mut self, name: &'a str) -> u32 {
        let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(name).or_insert(next);
        if number == next {
            self.names.push(name);
        }
        number
    }

    /// How the check of this number stands on a list, and who hears of it if that is told, if it is there.
    pub(super) fn stand(&self, list: u32, number: u32) -> Option<(Stand, Option<&'a Recipients>)> {
        let entries = &self.lists.get(list as usize)?.entries;
        let at = entries.binary_search_by_key(&number, |entry| entry.name).ok()?;
        let entry = entries.get(at)?;
        let heard_by = entry.heard_by.and_then(|number| self.recipients.get(number as usize).copied());
        Some((entry.stand, heard_by))
    }

    /// The numbers of the names on a list, sorted.
    pub(super) fn numbers(&self, list: u32) -> impl Iterator<Item = u32> {
        let entries = self.lists.get(list as usize).map_or(&[][..], |list| &list.entries);
        entries.iter().map(|entry| entry.name)
    }

    /// The name of a number.
    pub(super) fn name(&self, number: u32) -> &'a str {
        self.names.get(number as usize).copied().unwrap_or_default()
    }

    /// The names of a list, sorted: the one copy of them, and the remembered one while it is the same.
    pub(super) fn shared(
        &mut self,
        names: &'a [CheckName],
        old: Option<&Arc<[CheckName]>>,
    ) -> Arc<[CheckName]> {
        let number = self.named(names) as usize;
        let Some(list) = self.lists.get_mut(number) else { return Arc::from([]) };
        let shared = list.shared.get_or_insert_with(|| {
            let mut names = names.to_vec();
            names.sort();
            names.dedup();
            old.filter(|old| ***old == *names).map_or_else(|| Arc::from(names), Arc::clone)
        });
        Arc::clone(shared)
    }
}

//! Names of checks as numbers, and lists of them stored once: hosts of one role run the same checks, and a fleet
//! of 20,000 has a handful of different lists.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::plan::Wanted;
use crate::ids::CheckName;

/// Lists of names that a new one is compared with.
const RECENT: usize = 8;

/// The names seen in one system. Names that checks look for have the numbers of [`Wanted::names`].
#[derive(Debug, Default)]
pub(super) struct NameBook<'a> {
    numbers: HashMap<&'a str, u32>,
    names: Vec<&'a str>,
    lists: Vec<NameList>,
    /// Numbers of lists by what they hold.
    by_content: HashMap<Vec<u32>, u32>,
    /// Numbers of lists by where they were read: each is looked at once.
    by_address: HashMap<usize, u32>,
    /// The lists that were looked at last, oldest first, with their numbers.
    recent: VecDeque<(&'a [CheckName], u32)>,
}

/// One list of names.
#[derive(Debug)]
struct NameList {
    /// Sorted, each once.
    numbers: Vec<u32>,
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

    /// The number of a list.
    pub(super) fn list(&mut self, names: &'a [CheckName]) -> u32 {
        // Empty lists may share an address with anything.
        let address = if names.is_empty() { 0 } else { names.as_ptr().addr() };
        if let Some(list) = self.by_address.get(&address) {
            return *list;
        }
        let list = self.known(names).unwrap_or_else(|| self.look_at(names));
        self.by_address.insert(address, list);
        list
    }

    /// The number of a list that equals one of the last: comparing names costs a tenth of looking each of them up.
    fn known(&self, names: &[CheckName]) -> Option<u32> {
        self.recent.iter().find(|(known, _)| *known == names).map(|(_, list)| *list)
    }

    fn look_at(&mut self, names: &'a [CheckName]) -> u32 {
        let mut numbers: Vec<u32> = names.iter().map(|name| self.number(name.as_str())).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let next = u32::try_from(self.lists.len()).unwrap_or(u32::MAX);
        let list = *self.by_content.entry(numbers.clone()).or_insert(next);
        if list == next {
            self.lists.push(NameList { numbers, shared: None });
        }
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((names, list));
        list
    }

    fn number(&mut self, name: &'a str) -> u32 {
        let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(name).or_insert(next);
        if number == next {
            self.names.push(name);
        }
        number
    }

    /// The numbers of the names on a list, sorted.
    pub(super) fn numbers(&self, list: u32) -> &[u32] {
        self.lists.get(list as usize).map_or(&[], |list| &list.numbers)
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
        let number = self.list(names) as usize;
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

//! Pages: an order, a size, and a token that leads on and belongs to its request.
//!
//! A listing's order is a scatter of ids under a seed that the first page draws and the token carries. So the
//! order differs from listing to listing, and hosts that come and go between two pages neither shift nor
//! repeat the others: every item that was there all the time is listed exactly once.

use std::{
    fmt::Write,
    hash::{DefaultHasher, Hash, Hasher},
};

use super::{Habits, front::Asked};
use crate::faults::Strike;

/// The place of an item in a listing: its group's (the reservation's), then its own.
type Place = (u64, u64);

/// One page of a listing.
#[derive(Debug)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The token that leads on; none on the last page.
    pub next: Option<String>,
}

/// The token was made for another request, or by nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadToken;

/// Where a listing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cursor {
    seed: u64,
    after: Option<Place>,
}

/// How a request wants its pages.
#[derive(Debug)]
pub struct Paging {
    size: Option<usize>,
    cursor: Cursor,
    request: u64,
    number: u64,
    habits: Habits,
}

impl Paging {
    /// A page of at most `size` items, everything when absent, from where `token` leads. `what` is all that the token
    /// is bound to beside the operation, account and region.
    ///
    /// # Errors
    /// [`BadToken`], which each service words in its own way.
    pub fn of(
        asked: &Asked<'_>,
        size: Option<usize>,
        token: Option<&str>,
        what: &str,
    ) -> Result<Self, BadToken> {
        let request = hash(&(asked.call, what));
        let number = asked.aws.next_number();
        let habits = asked.aws.habits();
        let seed = if habits.unstable_order { number } else { 0 };
        let cursor = match token.filter(|t| !t.is_empty()) {
            Some(token) => Cursor::read(token, request)?,
            None => Cursor { seed, after: None },
        };
        Ok(Self { size, cursor, request, number, habits })
    }

    /// Cuts this request's page out of all items; `key` gives an item's group and its own id.
    pub fn cut<'a, T>(
        &self,
        items: impl Iterator<Item = &'a T>,
        key: impl Fn(&'a T) -> (&'a str, &'a str),
        strike: &Strike,
    ) -> Page<&'a T> {
        let seed = self.cursor.seed;
        let placed = items.map(|item| {
            let (group, own) = key(item);
            ((hash(&(seed, group)), hash(&(seed, own))), item)
        });
        let mut rest: Vec<(Place, &T)> = placed.filter(|(place, _)| self.is_ahead(*place)).collect();
        rest.sort_unstable_by_key(|(place, _)| *place);

        let size = self.size.map_or(rest.len(), |max| self.shortened(max));
        let told = if strike.skip_page() { size.saturating_mul(2) } else { size };
        let more = told < rest.len();
        let last = told.min(rest.len()).checked_sub(1).and_then(|n| rest.get(n)).map(|(place, _)| *place);
        let next = Cursor { seed, after: last.or(self.cursor.after) };
        let next = match (strike.repeat_page(), strike.empty()) {
            (_, true) => None,
            (true, false) => Some(self.cursor),
            (false, false) => more.then_some(next),
        };
        rest.truncate(size);
        let mut items: Vec<&T> = rest.into_iter().map(|(_, item)| item).collect();
        strike.distort(&mut items);
        Page { items, next: next.map(|cursor| cursor.write(self.request)) }
    }

    fn is_ahead(&self, place: Place) -> bool {
        self.cursor.after.is_none_or(|after| place > after)
    }

    /// A page may come short, even empty, when that is AWS's habit; another number cuts elsewhere, so it ends.
    fn shortened(&self, max: usize) -> usize {
        if !self.habits.short_pages {
            return max;
        }
        let choice = hash(&("short", self.number));
        usize::try_from(choice % (max as u64 + 1)).unwrap_or(max)
    }
}

impl Paging {
    /// The order's seed.
    pub(super) fn seed(&self) -> u64 {
        self.cursor.seed
    }

    /// Where the page begins, as [`Self::lead_on`] was told; none for the first page.
    pub(super) fn after(&self) -> Option<(u64, u64)> {
        self.cursor.after
    }

    /// How many of `all` go on the page.
    pub(super) fn size(&self, all: usize) -> usize {
        self.shortened(self.size.map_or(all, |max| max.min(all)))
    }

    /// The token that leads to a page that begins there, for listings that count otherwise than by items.
    pub(super) fn lead_on(&self, after: (u64, u64)) -> String {
        Cursor { seed: self.cursor.seed, after: Some(after) }.write(self.request)
    }
}

impl Cursor {
    /// Opaque to clients: five numbers in hexadecimal, the last a check over the others.
    fn write(self, request: u64) -> String {
        let (group, own) = self.after.unwrap_or_default();
        let fields = [self.seed, u64::from(self.after.is_some()), group, own, request];
        let mut token = String::with_capacity(96);
        for field in fields.into_iter().chain([hash(&fields)]) {
            // Writing to a string cannot fail.
            let _ = write!(token, "{field:016x}");
        }
        token
    }

    fn read(token: &str, request: u64) -> Result<Self, BadToken> {
        let field = |n: usize| u64::from_str_radix(token.get(n * 16..(n + 1) * 16)?, 16).ok();
        let fields = (|| Some([field(0)?, field(1)?, field(2)?, field(3)?, field(4)?]))();
        match fields {
            Some(fields @ [seed, moved, group, own, made_for])
                if token.len() == 96 && field(5) == Some(hash(&fields)) && made_for == request =>
            {
                Ok(Self { seed, after: (moved == 1).then_some((group, own)) })
            }
            _ => Err(BadToken),
        }
    }
}

pub(super) fn hash(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

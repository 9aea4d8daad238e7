//! Pages in RDS's words: `MaxRecords`, `Marker`, and how it refuses them.

use crate::aws::{error::AwsError, front::Asked, paging::Paging, xml::Xml};

/// Items of a page that asks for no size.
const DEFAULT: i64 = 100;

/// Where a listing stands in its answer: `DBInstances` of `DBInstance`.
pub type Names = (&'static str, &'static str);

/// One page of a listing, with the marker that leads on. `id` tells an item from the others; `what` is all that the
/// marker is bound to beside the operation, account and region.
///
/// # Errors
/// `InvalidParameterValue` for a size outside of 20 to 100, or a marker that belongs to another request.
pub fn of<'a, T: 'a>(
    asked: &Asked<'_>,
    what: &str,
    items: impl Iterator<Item = &'a T>,
    id: impl Fn(&'a T) -> &'a str,
    (list, member): Names,
    mut write: impl FnMut(&mut Xml, &'a T),
) -> Result<String, AwsError> {
    let max = asked.params.number("MaxRecords")?.unwrap_or(DEFAULT);
    let size = usize::try_from(max).ok().filter(|n| (20..=100).contains(n));
    let size = size.ok_or_else(|| {
        AwsError::value(format!("Invalid value {max} for MaxRecords. Must be between 20 and 100"))
    })?;
    let paging = Paging::of(asked, Some(size), asked.params.get("Marker"), what);
    // The sentence is (m).
    let paging = paging.map_err(|_| AwsError::value("The request included an invalid Marker."))?;
    let page = paging.cut(items, |item| (id(item), id(item)), asked.strike);
    let mut xml = Xml::with_capacity(page.items.len() * 3_000);
    xml.members(list, member, page.items, &mut write);
    xml.maybe("Marker", page.next);
    Ok(xml.finish())
}

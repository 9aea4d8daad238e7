//! Pages in EC2's words: `MaxResults`, `NextToken`, and how it refuses them.

use crate::aws::{error::AwsError, front::Asked, paging::Paging};

/// Reads `MaxResults` and `NextToken`. `ids` is what AWS calls the parameter that names the items, `instancesSet`,
/// where the request uses it: that forbids a page size. `what` is all else that the token is bound to.
///
/// # Errors
/// `InvalidParameterCombination`, `InvalidParameterValue`, `InvalidPaginationToken`.
pub fn of(asked: &Asked<'_>, ids: Option<&str>, what: &str) -> Result<Paging, AwsError> {
    let size = asked.params.number("MaxResults")?;
    if let (Some(ids), Some(_)) = (ids, size) {
        let message = format!("The parameter {ids} cannot be used with the parameter maxResults");
        return Err(AwsError::combination(message));
    }
    let size = size.map(page_size).transpose()?;
    Paging::of(asked, size, asked.params.get("NextToken"), what).map_err(|_| {
        let message = "The specified pagination token is not valid or is expired.";
        AwsError::bad_request("InvalidPaginationToken", message)
    })
}

/// 5 to 1000, as EC2's listings take it.
fn page_size(max: i64) -> Result<usize, AwsError> {
    let refused = |bound| {
        let message =
            format!("Value ( {max} ) for parameter maxResults is invalid. Expecting a value {bound}.");
        Err(AwsError::value(message))
    };
    match usize::try_from(max) {
        Ok(size @ 5..=1000) => Ok(size),
        Ok(1001..) => refused("less than or equal to 1000"),
        _ => refused("greater than 5"),
    }
}

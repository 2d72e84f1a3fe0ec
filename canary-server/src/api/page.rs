//! Long lists, a page at a time: `limit`, `cursor`, and a `Link` to the next page.

use super::problem::{ApiError, Kind};

/// Items of a page when nobody says how many.
const DEFAULT: i64 = 100;
/// Most items of a page.
const MOST: i64 = 1000;

/// Checks the wished number of items.
pub(crate) fn limit(wish: Option<i64>) -> Result<usize, ApiError> {
    within("limit", wish.unwrap_or(DEFAULT), MOST)
}

/// Checks a number from 1 to `most`.
pub(crate) fn within(name: &str, wish: i64, most: i64) -> Result<usize, ApiError> {
    if (1..=most).contains(&wish) {
        // The range makes this exact.
        return Ok(wish as usize);
    }
    let detail = format!("parameter `{name}` is {wish}, it must be from 1 to {most}");
    Err(ApiError::new(Kind::InvalidParameter, detail))
}

/// The `Link` header that leads to the next page.
pub(crate) fn next(
    path: &str,
    filters: &[(&str, Option<&str>)],
    cursor: &str,
    limit: usize,
) -> String {
    let mut query = String::new();
    let filters = filters.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
    for (name, value) in filters.chain([("cursor", cursor)]) {
        query.push_str(&format!("{name}={}&", encode(value)));
    }
    format!("<{path}?{query}limit={limit}>; rel=\"next\"")
}

/// A cursor that cannot be read.
pub(crate) fn bad_cursor(cursor: &str) -> ApiError {
    let shown: String = cursor.chars().take(64).collect();
    let detail =
        format!("parameter `cursor` is `{shown}`, take it from the Link of the page before");
    ApiError::new(Kind::InvalidParameter, detail)
}

/// A text as a part of a URL.
pub(crate) fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

//! The `Idempotency-Key` header: it makes every POST safe to send twice.

use super::problem::{ApiError, Kind};
use crate::ingest::IdempotencyKey;

/// Most characters of a key.
const LIMIT: usize = 255;

/// Checks the key of a request, if it has one.
pub(crate) fn key(
    operation: &'static str,
    header: Option<String>,
    fingerprint: u64,
) -> Result<Option<IdempotencyKey>, ApiError> {
    let Some(key) = header else { return Ok(None) };
    let length = key.chars().count();
    if length == 0 || length > LIMIT || key.chars().any(char::is_control) {
        let detail = format!(
            "header `Idempotency-Key` has {length} characters, it needs 1 to {LIMIT} visible ones"
        );
        return Err(ApiError::new(Kind::InvalidParameter, detail));
    }
    Ok(Some(IdempotencyKey { operation, key, fingerprint }))
}

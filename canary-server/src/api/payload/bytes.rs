//! The bytes of a body, packed or not.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use futures_util::StreamExt as _;
use poem::http::header;
use poem::{Request, RequestBody};

use crate::api::problem::{ApiError, Kind};
use crate::buffers::Buffer;

/// How many times the limit is read of a body that is too large: who is still sending does not hear
/// an answer.
const MOST_DRAINED: usize = 4;

/// Bytes that a body is given room for before any of them came.
const MOST_ANNOUNCED: usize = 1 << 20;

/// Refuses what announces itself as something else.
pub(crate) fn check_content_type(request: &Request, accepted: &[&str]) -> Result<(), ApiError> {
    let Some(content_type) = request.content_type() else { return Ok(()) };
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let is_json = |essence: &str| {
        essence.to_ascii_lowercase().starts_with("application/") && essence.ends_with("+json")
    };
    if accepted.iter().any(|accepted| essence.eq_ignore_ascii_case(accepted)) || is_json(essence) {
        return Ok(());
    }
    let accepted = accepted.join("` or `");
    let detail =
        format!("`Content-Type: {essence}` is not read here, send `Content-Type: {accepted}`");
    Err(ApiError::new(Kind::UnsupportedMediaType, detail))
}

/// Reads a whole body, unpacked if it is gzip; `limit` is in bytes, packed and unpacked.
pub(crate) async fn read_body(
    request: &Request,
    body: &mut RequestBody,
    limit: usize,
) -> Result<Buffer<u8>, ApiError> {
    read_packed(request, body, limit).await?.unpack()
}

/// A whole body as it came.
pub(crate) struct Packed {
    bytes: Buffer<u8>,
    is_gzip: bool,
    limit: usize,
}

/// Reads a whole body as it comes; `limit` is in bytes, packed and unpacked.
pub(crate) async fn read_packed(
    request: &Request,
    body: &mut RequestBody,
    limit: usize,
) -> Result<Packed, ApiError> {
    let is_gzip = match request.header(header::CONTENT_ENCODING) {
        None => false,
        Some(encoding) if encoding.eq_ignore_ascii_case("identity") => false,
        Some(encoding) if encoding.eq_ignore_ascii_case("gzip") => true,
        Some(other) => {
            let detail = format!(
                "`Content-Encoding: {other}` is not read here, send `Content-Encoding: gzip` or none"
            );
            return Err(ApiError::new(Kind::UnsupportedMediaType, detail));
        }
    };
    let body = body.take().map_err(|error| ApiError::internal(&error))?;
    let announced = request.header(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    let mut bytes = Buffer::with_capacity(announced.unwrap_or(0).min(MOST_ANNOUNCED));
    let mut length = 0;
    let mut parts = std::pin::pin!(body.into_bytes_stream());
    while let Some(part) = parts.next().await {
        let part = part.map_err(|error| {
            ApiError::new(Kind::NotJson, format!("the body ended too early: {error}"))
        })?;
        length += part.len();
        if length > limit.saturating_mul(MOST_DRAINED) {
            break;
        }
        if length <= limit {
            bytes.extend_from_slice(&part);
        }
    }
    if length > limit {
        return Err(too_large(limit));
    }
    Ok(Packed { bytes, is_gzip, limit })
}

impl Packed {
    /// Bytes to go through at most, roughly: gzip packs a thousand to one where it can.
    pub(crate) fn weight(&self) -> usize {
        if self.is_gzip { self.bytes.len().saturating_mul(1024) } else { self.bytes.len() }
    }

    /// The bytes as they were before they were packed.
    pub(crate) fn unpack(self) -> Result<Buffer<u8>, ApiError> {
        let Self { bytes: packed, is_gzip, limit } = self;
        if !is_gzip {
            return Ok(packed);
        }
        let mut bytes = Buffer::with_capacity(packed.len().saturating_mul(4).min(limit));
        MultiGzDecoder::new(&packed[..])
            .take(limit as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| ApiError::new(Kind::BadGzip, error.to_string()))?;
        if bytes.len() > limit { Err(too_large(limit)) } else { Ok(bytes) }
    }
}

fn too_large(limit: usize) -> ApiError {
    let detail = format!("the body has more than {limit} bytes, which is the limit of this path");
    ApiError::new(Kind::BodyTooLarge, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = "application/json";
    const NDJSON: &str = "application/x-ndjson";

    /// What is said to a sender of this header.
    fn refused(content_type: Option<&str>, accepted: &[&str]) -> Option<(String, String)> {
        let request = match content_type {
            Some(content_type) => Request::builder().content_type(content_type).finish(),
            None => Request::builder().finish(),
        };
        check_content_type(&request, accepted).err().map(ApiError::code_and_detail)
    }

    #[test]
    fn what_announces_itself_as_json_or_as_nothing_is_read() {
        let json = [JSON, "Application/JSON; charset=utf-8", "application/geo+json"];
        for content_type in json.map(Some).into_iter().chain([None]) {
            assert_eq!(refused(content_type, &[JSON]), None, "{content_type:?}");
        }
        assert_eq!(refused(Some(NDJSON), &[JSON, NDJSON]), None);
    }

    #[test]
    fn another_content_type_is_named_beside_those_that_are_read() {
        let cases = [
            (
                "application/x-www-form-urlencoded",
                &[JSON, NDJSON][..],
                "`Content-Type: application/x-www-form-urlencoded` is not read here, \
                 send `Content-Type: application/json` or `application/x-ndjson`",
            ),
            (
                "text/plain; charset=utf-8",
                &[JSON],
                "`Content-Type: text/plain` is not read here, \
                 send `Content-Type: application/json`",
            ),
        ];
        for (content_type, accepted, want) in cases {
            let code = "unsupported_media_type".to_owned();
            assert_eq!(refused(Some(content_type), accepted), Some((code, want.to_owned())));
        }
    }
}

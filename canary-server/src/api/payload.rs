//! Bodies: read as bytes, parsed by serde straight into their shape, described in OpenAPI all the
//! same.
//!
//! A body without a Content-Type is taken for JSON, as CanaryPy's clients send theirs.

mod bytes;
mod rendered;

use poem::{Request, RequestBody};
use poem_openapi::payload::{ParsePayload, Payload};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_path_to_error::{Path, Segment};
use siphasher::sip::SipHasher24;

pub(crate) use self::bytes::{Packed, check_content_type, read_body, read_packed};
pub(crate) use self::rendered::Rendered;
use super::problem::{ApiError, FieldError, Kind};

/// Largest body of a single object, in bytes, packed and unpacked.
pub(crate) const OBJECT_LIMIT: usize = 1 << 20;

/// A body that is one JSON object.
pub(crate) trait Body: DeserializeOwned + Type {
    /// The fields that must be there, to tell of all that are missing at once.
    const REQUIRED: &'static [&'static str];
}

/// A body that was read.
pub(crate) struct JsonBody<T> {
    pub(crate) value: T,
    /// A hash of the bytes, to tell two requests with the same idempotency key apart.
    pub(crate) fingerprint: u64,
}

impl<T: Body> Payload for JsonBody<T> {
    const CONTENT_TYPE: &'static str = "application/json";

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: Body> ParsePayload for JsonBody<T> {
    const IS_REQUIRED: bool = true;

    async fn from_request(request: &Request, body: &mut RequestBody) -> poem::Result<Self> {
        check_content_type(request, &["application/json"])?;
        let bytes = read_body(request, body, OBJECT_LIMIT).await?;
        Ok(Self { value: parse(&bytes)?, fingerprint: fingerprint(&bytes) })
    }
}

impl<'a, T: Body> ApiExtractor<'a> for JsonBody<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        <Self as Payload>::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content_type = Self::CONTENT_TYPE;
        let content = vec![MetaMediaType { content_type, schema: Self::schema_ref() }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        <Self as ParsePayload>::from_request(request, body).await
    }
}

/// A hash of the bytes of a request.
pub(crate) fn fingerprint(bytes: &[u8]) -> u64 {
    SipHasher24::new().hash(bytes)
}

/// Reads one JSON object; only if that fails is it asked where and why.
pub(crate) fn parse<T: Body>(bytes: &[u8]) -> Result<T, ApiError> {
    // Serde would take an array for a struct, by the order of its fields.
    match bytes.trim_ascii_start().first() {
        Some(b'{') => serde_json::from_slice(bytes).map_err(|error| explain::<T>(bytes, &error)),
        None => Err(ApiError::new(Kind::NotJson, "the body is empty, it must be a JSON object")),
        Some(_) => Err(not_json(bytes)
            .unwrap_or_else(|| ApiError::new(Kind::Invalid, "the body must be a JSON object"))),
    }
}

/// Where and why some bytes are not JSON; nothing if they are.
pub(crate) fn not_json(bytes: &[u8]) -> Option<ApiError> {
    if bytes.trim_ascii().is_empty() {
        return Some(ApiError::new(Kind::NotJson, "the body is empty, it must be JSON"));
    }
    let detail = match serde_json::from_slice::<IgnoredAny>(bytes) {
        Err(error) => error.to_string(),
        // What is passed over may be no text.
        Ok(_) => std::str::from_utf8(bytes).err()?.to_string(),
    };
    Some(ApiError::new(Kind::NotJson, format!("the body is not JSON: {detail}")))
}

fn explain<T: Body>(bytes: &[u8], error: &serde_json::Error) -> ApiError {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes) else {
        // What is JSON may still be more than can be held: a number beyond all, half a character.
        let beyond = || ApiError::new(Kind::Invalid, format!("the body cannot be read: {error}"));
        return not_json(bytes).unwrap_or_else(beyond);
    };
    let missing = |field: &&&str| value.get(**field).is_none_or(serde_json::Value::is_null);
    let mut errors: Vec<FieldError> = T::REQUIRED.iter().filter(missing).map(required).collect();
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    if let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        let (path, text) = (error.path().to_string(), plain_text(&error.inner().to_string()));
        let is_told = errors.iter().any(|told| {
            let field = told.pointer.trim_start_matches('/');
            path == field || text == format!("missing field `{field}`")
        });
        if !is_told {
            let is_whole = path == "." || text.starts_with("unknown field");
            let detail = if is_whole { text } else { format!("{path}: {text}") };
            errors.push(FieldError { pointer: pointer(error.path()), detail });
        }
    }
    ApiError::invalid(errors)
}

fn required(field: &&str) -> FieldError {
    FieldError { pointer: format!("/{field}"), detail: format!("{field} is missing") }
}

/// `policy.min_signals` as a JSON pointer; names may have dots.
fn pointer(path: &Path) -> String {
    let part = |segment: &Segment| match segment {
        Segment::Map { key } | Segment::Enum { variant: key } => format!("/{}", escaped(key)),
        Segment::Seq { index } => format!("/{index}"),
        Segment::Unknown => String::new(),
    };
    path.iter().map(part).collect()
}

/// A name as a part of a JSON pointer, RFC 6901.
pub(crate) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// What serde says, without the place, and with the nearest name for an unknown one.
pub(crate) fn plain_text(message: &str) -> String {
    let text = message.split(" at line ").next().unwrap_or(message);
    let mut names = text.split('`').skip(1).step_by(2);
    match (text.starts_with("unknown field"), names.next()) {
        (true, Some(unknown)) => {
            let known: Vec<&str> = names.collect();
            let nearest =
                known.iter().min_by_key(|known| strsim::damerau_levenshtein(known, unknown));
            match nearest {
                Some(nearest) => format!(
                    "unknown field `{unknown}`, did you mean `{nearest}`? Known are {}",
                    known.join(", ")
                ),
                None => format!("unknown field `{unknown}`"),
            }
        }
        _ => text.to_owned(),
    }
}

/// Collects the values of a body that cannot be accepted.
#[derive(Debug, Default)]
pub(crate) struct Checks(Vec<FieldError>);

impl Checks {
    /// Takes a value, or notes why not.
    pub(crate) fn take<T, E: ToString>(&mut self, field: &str, value: Result<T, E>) -> Option<T> {
        match value {
            Ok(value) => Some(value),
            Err(error) => {
                let pointer = format!("/{field}");
                self.0.push(FieldError { pointer, detail: error.to_string() });
                None
            }
        }
    }

    /// The values together, if all were taken.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, ApiError> {
        value.filter(|_| self.0.is_empty()).ok_or_else(|| ApiError::invalid(self.0))
    }
}

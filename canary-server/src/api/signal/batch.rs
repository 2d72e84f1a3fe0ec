//! A batch of signals: a JSON array or NDJSON, each element read on its own, so that a bad one does
//! not keep the good ones out.

use canary_core::time::Timestamp;
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::types::Type as _;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde_json::value::RawValue;

use super::SignalBody;
use crate::api::payload::{check_content_type, fingerprint, parse, read_body};
use crate::api::problem::{ApiError, Kind};
use crate::app::App;
use crate::buffers::Buffer;
use crate::ingest::{NewSignal, Rejected};

/// Most signals of a batch.
const MOST: usize = 10_000;

/// Largest batch in bytes, packed and unpacked.
const LIMIT: usize = 32 << 20;

const NDJSON: &str = "application/x-ndjson";
const JSON: &str = "application/json";

/// The bytes of a batch.
pub(super) struct BatchBody {
    bytes: Buffer<u8>,
    is_ndjson: bool,
    pub(super) fingerprint: u64,
}

impl<'a> ApiExtractor<'a> for BatchBody {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        Vec::<SignalBody>::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let array = MetaMediaType { content_type: JSON, schema: Vec::<SignalBody>::schema_ref() };
        let lines = MetaMediaType { content_type: NDJSON, schema: SignalBody::schema_ref() };
        let description = Some("1 to 10 000 signals: a JSON array, or one object per line.");
        Some(MetaRequest { description, content: vec![array, lines], required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        check_content_type(request, &[JSON, NDJSON])?;
        let is_ndjson = request
            .content_type()
            .is_some_and(|kind| kind.to_ascii_lowercase().starts_with(NDJSON));
        let bytes = read_body(request, body, LIMIT).await?;
        let fingerprint = fingerprint(&bytes);
        Ok(Self { bytes, is_ndjson, fingerprint })
    }
}

impl BatchBody {
    /// The signals that can be stored, and why the others cannot.
    pub(super) fn parse(
        &self,
        app: &App,
        now: Timestamp,
    ) -> Result<(Vec<NewSignal>, Vec<Rejected>), ApiError> {
        let elements = self.elements()?;
        if elements.is_empty() || elements.len() > MOST {
            let count = elements.len();
            let detail = format!("the batch has {count} signals, it must have from 1 to {MOST}");
            return Err(ApiError::new(Kind::Invalid, detail));
        }
        let (mut signals, mut rejected) = (Vec::with_capacity(elements.len()), Vec::new());
        for (index, element) in elements.into_iter().enumerate() {
            let read = parse::<SignalBody>(element);
            match read.and_then(|signal| signal.parse(app, now)) {
                Ok(signal) => signals.push(signal),
                Err(error) => {
                    let (code, detail) = error.code_and_detail();
                    rejected.push(Rejected { index: index as u64, code, detail });
                }
            }
        }
        Ok((signals, rejected))
    }

    /// The bytes of each element.
    fn elements(&self) -> Result<Vec<&[u8]>, ApiError> {
        if self.is_ndjson {
            let lines = self.bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
            // One more than allowed is enough to refuse them.
            return Ok(lines.filter(|line| !line.is_empty()).take(MOST + 1).collect());
        }
        let elements: Vec<&RawValue> = serde_json::from_slice(&self.bytes).map_err(|error| {
            if error.is_data() {
                ApiError::new(Kind::Invalid, "the body must be a JSON array of signals")
            } else {
                ApiError::new(Kind::NotJson, format!("the body is not JSON: {error}"))
            }
        })?;
        Ok(elements.into_iter().map(|element| element.get().as_bytes()).collect())
    }
}

//! Bodies of readings on their way to the commit.

use std::sync::Arc;

use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::Type as _;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, Object};
use serde::Serialize;

use super::body::{NewDeviceReadingBody, NewReadingBody};
use super::take::{Taken, Taking};
use crate::api::payload::{Packed, check_content_type, fingerprint, read_packed};
use crate::api::problem::ApiError;
use crate::api::{heavy, idempotency, wrong_receipt};
use crate::app::App;
use crate::ingest::{Receipt, Rejected, Work};
use crate::readings::Readings;

/// Largest body in bytes, packed and unpacked.
const LIMIT: usize = 32 << 20;

/// Bytes that are read among the other requests; more of them on a thread of their own.
const LIGHT: usize = 64 << 10;

const NDJSON: &str = "application/x-ndjson";
const JSON: &str = "application/json";

/// What became of several readings.
#[derive(Debug, Serialize, Object)]
#[oai(rename = "ReadingOutcome")]
pub(in crate::api) struct OutcomeBody {
    /// Readings that are durable now; those that were before are among them.
    pub(in crate::api) accepted: u64,
    /// Readings that were not stored, and why.
    pub(in crate::api) rejected: Vec<Rejected>,
}

/// Many readings, each of a device that it names.
pub(in crate::api) struct BulkBody(Upload);

/// One reading of the device of the path, or many.
pub(in crate::api) struct DeviceBody(Upload);

/// Readings as bytes.
struct Upload {
    packed: Packed,
    is_ndjson: bool,
}

/// What was asked for beside the body.
pub(in crate::api) struct Ask {
    pub(in crate::api) operation: &'static str,
    /// The header `Idempotency-Key`.
    pub(in crate::api) key: Option<String>,
}

/// What was stored.
pub(in crate::api) struct Stored {
    /// Whether it was one object alone.
    pub(in crate::api) is_single: bool,
    pub(in crate::api) outcome: OutcomeBody,
}

impl BulkBody {
    /// Stores the readings; returns once they are durable.
    pub(in crate::api) async fn store(self, app: &Arc<App>, ask: Ask) -> Result<Stored, ApiError> {
        self.0.store(app, ask, None).await
    }
}

impl DeviceBody {
    /// Stores the readings of a device; returns once they are durable.
    pub(in crate::api) async fn store(
        self,
        app: &Arc<App>,
        ask: Ask,
        device: String,
    ) -> Result<Stored, ApiError> {
        self.0.store(app, ask, Some(device)).await
    }
}

/// A body that was read.
struct Read {
    taken: Taken,
    is_single: bool,
    fingerprint: u64,
}

impl Upload {
    async fn read(
        request: &Request,
        body: &mut RequestBody,
        accepted: &[&str],
    ) -> poem::Result<Self> {
        check_content_type(request, accepted)?;
        let is_ndjson = request
            .content_type()
            .is_some_and(|kind| kind.to_ascii_lowercase().starts_with(NDJSON));
        Ok(Self { packed: read_packed(request, body, LIMIT).await?, is_ndjson })
    }

    async fn store(
        self,
        app: &Arc<App>,
        ask: Ask,
        device: Option<String>,
    ) -> Result<Stored, ApiError> {
        let Ask { operation, key } = ask;
        let (is_heavy, is_keyed) = (self.packed.weight() > LIGHT, key.is_some());
        let (readings, now_s) = (app.readings.clone(), app.clock.now().as_seconds());
        let take = move || self.take(&readings, now_s, device.as_deref(), is_keyed);
        let Read { taken, is_single, fingerprint } = heavy::run(is_heavy, take).await??;
        let key = idempotency::key(operation, key, fingerprint)?;
        let Taken { points, rejected } = taken;
        let receipt = app.ingest.submit(Work::Readings { points, rejected }, key).await?;
        let Receipt::Readings { accepted, rejected } = receipt else {
            return Err(wrong_receipt(&receipt));
        };
        Ok(Stored { is_single, outcome: OutcomeBody { accepted, rejected } })
    }

    fn take(
        self,
        readings: &Readings,
        now_s: u32,
        device: Option<&str>,
        is_keyed: bool,
    ) -> Result<Read, ApiError> {
        let bytes = self.packed.unpack()?;
        // One key may serve several devices only by mistake: the device is part of the request.
        let fingerprint =
            || fingerprint(&bytes) ^ device.map_or(0, |device| fingerprint(device.as_bytes()));
        let fingerprint = if is_keyed { fingerprint() } else { 0 };
        let is_array = bytes.trim_ascii_start().first() == Some(&b'[');
        let is_single = device.is_some() && !is_array;
        let taking = Taking::new(&bytes, device, readings, now_s);
        let taken = if self.is_ndjson {
            taking.lines()
        } else if is_single {
            taking.object()
        } else {
            taking.array()
        };
        Ok(Read { taken: taken?, is_single, fingerprint })
    }
}

impl<'a> ApiExtractor<'a> for BulkBody {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        Vec::<NewReadingBody>::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let schema = Vec::<NewReadingBody>::schema_ref();
        let array = MetaMediaType { content_type: JSON, schema };
        let lines = MetaMediaType { content_type: NDJSON, schema: NewReadingBody::schema_ref() };
        let description = Some("1 to 100 000 readings: a JSON array, or one object per line.");
        Some(MetaRequest { description, content: vec![array, lines], required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Upload::read(request, body, &[JSON, NDJSON]).await.map(Self)
    }
}

impl<'a> ApiExtractor<'a> for DeviceBody {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        Vec::<NewDeviceReadingBody>::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let one_of =
            vec![NewDeviceReadingBody::schema_ref(), Vec::<NewDeviceReadingBody>::schema_ref()];
        let either = MetaSchema { one_of, ..MetaSchema::ANY };
        let schema = MetaSchemaRef::Inline(Box::new(either));
        let content = vec![MetaMediaType { content_type: JSON, schema }];
        let description = Some("One reading, or an array of 1 to 100 000 of them.");
        Some(MetaRequest { description, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Upload::read(request, body, &[JSON]).await.map(Self)
    }
}

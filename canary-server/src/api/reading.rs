//! Readings of all devices: many at once, and summed up.

mod answer;
mod body;
mod filter;
mod scan;
mod take;
mod upload;

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Query};

pub(super) use self::answer::{
    QuartilesBody, ReadingBody, Statistics, SummaryBody, ValueBody, parse_device,
};
use self::filter::AllDevicesFilters;
pub(super) use self::filter::{FilterBody, Filters, ListFilters, StatisticFilters, SummaryFilters};
use self::upload::BulkBody;
pub(super) use self::upload::{Ask, DeviceBody, OutcomeBody};
use super::Tag;
use super::payload::Rendered;
use super::problem::ApiError;
use crate::app::App;

/// Readings of all devices.
pub(crate) struct ReadingApi(pub(crate) Arc<App>);

#[OpenApi(tag = "Tag::Readings")]
impl ReadingApi {
    /// Report up to 100 000 readings of any devices
    ///
    /// A JSON array, or one object per line as `application/x-ndjson`; gzip is accepted. Answers
    /// once the accepted ones are durable; each rejected one is named by its place, counted from 0
    /// (in NDJSON, blank lines do not count). Devices may send again what they have sent: the same
    /// device, type, time and value is stored once. Quickest to read is JSON without blanks, with
    /// the fields in the order of the schema.
    #[oai(path = "/readings", method = "post", operation_id = "create_readings")]
    async fn create(
        &self,
        /// Makes it safe to send the request twice: the second is answered like the first.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: BulkBody,
    ) -> Result<Rendered<OutcomeBody>, ApiError> {
        let ask = Ask { operation: "create_readings", key: key.0 };
        let stored = body.store(&self.0, ask).await?;
        Rendered::of(&stored.outcome)
    }

    /// Sum up the readings of all devices
    ///
    /// Of one type, and of one version or of all: what a release does to the devices that run it
    /// shows in comparison. 404 if there is no reading in the range.
    #[oai(path = "/readings/summary", method = "get", operation_id = "get_readings_summary")]
    async fn summary(
        &self,
        /// The type of readings; needed, here or in the body.
        #[oai(name = "type")]
        kind: Query<Option<String>>,
        /// Only readings of this version.
        version: Query<Option<String>>,
        /// The first second, since 1970; from the beginning if absent.
        start: Query<Option<i64>>,
        /// The last second, included; to the end if absent.
        end: Query<Option<i64>>,
        /// Bins of a histogram, 1 to 100; no histogram if absent.
        bins: Query<Option<i64>>,
        body: FilterBody<AllDevicesFilters>,
    ) -> Result<Rendered<SummaryBody>, ApiError> {
        let query = Filters {
            kind: kind.0,
            version: version.0,
            start: start.0,
            end: end.0,
            bins: bins.0,
            ..Filters::default()
        };
        let filters = query.or(body.filters);
        let statistics = Statistics::of_all(&self.0, &filters).await?;
        Rendered::of(&statistics.summary_body(filters.bins)?)
    }
}

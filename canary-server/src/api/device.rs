//! Devices: their readings, one by one and in lists.

mod list;
mod statistics;

use std::sync::Arc;

use poem_openapi::param::{Header, Path, Query};
use poem_openapi::{ApiResponse, OpenApi};

pub(super) use self::statistics::StatisticsApi;
use super::Tag;
use super::payload::Rendered;
use super::problem::ApiError;
use super::reading::{Ask, DeviceBody, FilterBody, Filters, ListFilters, OutcomeBody, ReadingBody};
use crate::app::App;

#[derive(ApiResponse)]
enum ReadingCreated {
    /// The reading is durable, now or since it came first.
    #[oai(status = 201)]
    One(Rendered<String>),
    /// Those of an array that were accepted are durable.
    #[oai(status = 200)]
    Several(Rendered<OutcomeBody>),
}

#[derive(ApiResponse)]
enum Readings {
    /// Readings in the order of time.
    #[oai(status = 200)]
    Page(
        Rendered<Vec<ReadingBody>>,
        /// Leads to the next page; absent on the last.
        #[oai(header = "Link")]
        Option<String>,
    ),
}

/// Readings of a device.
pub(crate) struct DeviceApi(pub(crate) Arc<App>);

#[OpenApi(tag = "Tag::Readings")]
impl DeviceApi {
    /// Report a reading of a device
    ///
    /// Answers once the reading is durable. The same type, time and value again is stored once.
    /// An array of readings is taken as well, each on its own; each rejected one is named by its
    /// place, counted from 0.
    #[oai(
        path = "/devices/:device/readings",
        method = "post",
        operation_id = "create_device_reading"
    )]
    async fn create(
        &self,
        /// The device, 1 to 128 visible characters; mostly a UUID.
        device: Path<String>,
        /// Makes it safe to send the request twice: the second is answered like the first.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: DeviceBody,
    ) -> Result<ReadingCreated, ApiError> {
        let ask = Ask { operation: "create_device_reading", key: key.0 };
        let stored = body.store(&self.0, ask, device.0).await?;
        Ok(match stored.is_single {
            true => ReadingCreated::One(Rendered::written("\"success\"")),
            false => ReadingCreated::Several(Rendered::of(&stored.outcome)?),
        })
    }

    /// List the readings of a device
    ///
    /// In the order of time; of the same time in that of the declaration of their types, then of
    /// their values.
    #[oai(
        path = "/devices/:device/readings",
        method = "get",
        operation_id = "list_device_readings"
    )]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of its own in the document")]
    async fn list(
        &self,
        /// The device.
        device: Path<String>,
        /// Only readings of this type.
        #[oai(name = "type")]
        kind: Query<Option<String>>,
        /// The first second, since 1970; from the beginning if absent.
        start: Query<Option<i64>>,
        /// The last second, included; to the end if absent.
        end: Query<Option<i64>>,
        /// Readings of a page, 1 to 100 000, 10 000 if absent.
        limit: Query<Option<i64>>,
        /// Where the page begins, from the `Link` of the page before.
        cursor: Query<Option<String>>,
        body: FilterBody<ListFilters>,
    ) -> Result<Readings, ApiError> {
        let query = Filters {
            kind: kind.0,
            start: start.0,
            end: end.0,
            limit: limit.0,
            cursor: cursor.0,
            ..Filters::default()
        };
        let (page, link) = list::page(&self.0, device.0, &query.or(body.filters)).await?;
        Ok(Readings::Page(page, link))
    }
}

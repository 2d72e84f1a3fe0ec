//! Statistics of a device.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use crate::api::Tag;
use crate::api::payload::Rendered;
use crate::api::problem::ApiError;
use crate::api::reading::{
    FilterBody, Filters, QuartilesBody, ReadingBody, StatisticFilters, Statistics, SummaryBody,
    SummaryFilters, ValueBody,
};
use crate::app::App;

/// Statistics of a device.
pub(crate) struct StatisticsApi(pub(crate) Arc<App>);

#[OpenApi(tag = "Tag::Readings")]
impl StatisticsApi {
    /// Show the smallest value of a device
    ///
    /// Of several readings with it the newest. 404 if there is no reading in the range.
    #[oai(
        path = "/devices/:device/readings/min",
        method = "get",
        operation_id = "get_device_minimum"
    )]
    async fn min(
        &self,
        /// The device.
        device: Path<String>,
        /// The type of readings; needed, here or in the body.
        #[oai(name = "type")]
        kind: Query<Option<String>>,
        /// The first second, since 1970; from the beginning if absent.
        start: Query<Option<i64>>,
        /// The last second, included; to the end if absent.
        end: Query<Option<i64>>,
        body: FilterBody<StatisticFilters>,
    ) -> Result<Rendered<ReadingBody>, ApiError> {
        let statistics = self.sum_up(device.0, kind.0, start.0, end.0, body).await?;
        Rendered::of(&statistics.min()?)
    }

    /// Show the greatest value of a device
    ///
    /// Of several readings with it the newest. 404 if there is no reading in the range.
    #[oai(
        path = "/devices/:device/readings/max",
        method = "get",
        operation_id = "get_device_maximum"
    )]
    async fn max(
        &self,
        /// The device.
        device: Path<String>,
        /// The type of readings; needed, here or in the body.
        #[oai(name = "type")]
        kind: Query<Option<String>>,
        /// The first second, since 1970; from the beginning if absent.
        start: Query<Option<i64>>,
        /// The last second, included; to the end if absent.
        end: Query<Option<i64>>,
        body: FilterBody<StatisticFilters>,
    ) -> Result<Rendered<ReadingBody>, ApiError> {
        let statistics = self.sum_up(device.0, kind.0, start.0, end.0, body).await?;
        Rendered::of(&statistics.max()?)
    }

    /// Show the middle value of a device
    ///
    /// Of an even count the mean of the two in the middle, with the time of the lower one. 404 if there is
    /// no reading in the range.
    #[oai(
        path = "/devices/:device/readings/median",
        method = "get",
        operation_id = "get_device_median"
    )]
    async fn median(
        &self,
        /// The device.
        device: Path<String>,
        /// The type of readings; needed, here or in the body.
        #[oai(name = "type")]
        kind: Query<Option<String>>,
        /// The first second, since 1970; from the beginning if absent.
        start: Query<Option<i64>>,
        /// The last second, included; to the end if absent.
        end: Query<Option<i64>>,
        body: FilterBody<StatisticFilters>,
    ) -> Result<Rendered<ReadingBody>, ApiError> {
        let statistics = self.sum_up(device.0, kind.0, start.0, end.0, body).await?;
        Rendered::of(&statistics.median()?)
    }

    /// Show the mean of a device
    ///
    /// Null if there is no reading in the range.
    #[oai(
        path = "/devices/:device/readings/mean",
        method = "get",
        operation_id = "get_device_mean"
    )]
    async fn mean(
        &self,
        /// The device.
        device: Path<String>,
        /// The type of readings; needed, here or in the body.
        #[oai(name = "type")]
        kind: Query<Option<String>>,
        /// The first second, since 1970; from the beginning if absent.
        start: Query<Option<i64>>,
        /// The last second, included; to the end if absent.
        end: Query<Option<i64>>,
        body: FilterBody<StatisticFilters>,
    ) -> Result<Rendered<ValueBody>, ApiError> {
        let statistics = self.sum_up(device.0, kind.0, start.0, end.0, body).await?;
        Rendered::of(&statistics.mean())
    }

    /// Show the most frequent value of a device
    ///
    /// The smallest of several. Null if there is no reading in the range.
    #[oai(
        path = "/devices/:device/readings/mode",
        method = "get",
        operation_id = "get_device_mode"
    )]
    async fn mode(
        &self,
        /// The device.
        device: Path<String>,
        /// The type of readings; needed, here or in the body.
        #[oai(name = "type")]
        kind: Query<Option<String>>,
        /// The first second, since 1970; from the beginning if absent.
        start: Query<Option<i64>>,
        /// The last second, included; to the end if absent.
        end: Query<Option<i64>>,
        body: FilterBody<StatisticFilters>,
    ) -> Result<Rendered<ValueBody>, ApiError> {
        let statistics = self.sum_up(device.0, kind.0, start.0, end.0, body).await?;
        Rendered::of(&statistics.mode())
    }

    /// Show the quartiles of a device
    ///
    /// Tukey's hinges: the medians of both halves, the median counted in both if the count is odd. 404
    /// if there is no reading in the range.
    #[oai(
        path = "/devices/:device/readings/quartiles",
        method = "get",
        operation_id = "get_device_quartiles"
    )]
    async fn quartiles(
        &self,
        /// The device.
        device: Path<String>,
        /// The type of readings; needed, here or in the body.
        #[oai(name = "type")]
        kind: Query<Option<String>>,
        /// The first second, since 1970; from the beginning if absent.
        start: Query<Option<i64>>,
        /// The last second, included; to the end if absent.
        end: Query<Option<i64>>,
        body: FilterBody<StatisticFilters>,
    ) -> Result<Rendered<QuartilesBody>, ApiError> {
        let statistics = self.sum_up(device.0, kind.0, start.0, end.0, body).await?;
        Rendered::of(&statistics.quartiles()?)
    }

    /// Show everything about the readings of a device
    ///
    /// All statistics of one type at once, and a histogram if `bins` are asked for. 404 if there is
    /// no reading in the range.
    #[oai(
        path = "/devices/:device/readings/summary",
        method = "get",
        operation_id = "get_device_summary"
    )]
    async fn summary(
        &self,
        /// The device.
        device: Path<String>,
        /// The type of readings; needed, here or in the body.
        #[oai(name = "type")]
        kind: Query<Option<String>>,
        /// The first second, since 1970; from the beginning if absent.
        start: Query<Option<i64>>,
        /// The last second, included; to the end if absent.
        end: Query<Option<i64>>,
        /// Bins of a histogram, 1 to 100; no histogram if absent.
        bins: Query<Option<i64>>,
        body: FilterBody<SummaryFilters>,
    ) -> Result<Rendered<SummaryBody>, ApiError> {
        let (kind, start, end, bins) = (kind.0, start.0, end.0, bins.0);
        let query = Filters { kind, start, end, bins, ..Filters::default() };
        let filters = query.or(body.filters);
        let statistics = Statistics::of_device(&self.0, device.0, &filters).await?;
        Rendered::of(&statistics.summary_body(filters.bins)?)
    }
}

impl StatisticsApi {
    async fn sum_up(
        &self,
        device: String,
        kind: Option<String>,
        start: Option<i64>,
        end: Option<i64>,
        body: FilterBody<StatisticFilters>,
    ) -> Result<Statistics, ApiError> {
        let query = Filters { kind, start, end, ..Filters::default() };
        Statistics::of_device(&self.0, device, &query.or(body.filters)).await
    }
}

//! Which readings are asked for: in the query, or in a JSON body on GET; the query wins field by
//! field.

use std::marker::PhantomData;

use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, Object};
use serde::Deserialize;

use crate::api::number;
use crate::api::payload::{Body, OBJECT_LIMIT, check_content_type, parse, read_body};
use crate::api::problem::{ApiError, Kind};
use crate::readings::{Readings, Span, TypeId};

const JSON: &str = "application/json";

/// Everything that can be asked for; each path knows some of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::api) struct Filters {
    pub(in crate::api) kind: Option<String>,
    pub(in crate::api) version: Option<String>,
    pub(in crate::api) start: Option<i64>,
    pub(in crate::api) end: Option<i64>,
    pub(in crate::api) limit: Option<i64>,
    pub(in crate::api) cursor: Option<String>,
    pub(in crate::api) bins: Option<i64>,
}

impl Filters {
    /// Takes from `other` what is not here.
    pub(in crate::api) fn or(self, other: Self) -> Self {
        Self {
            kind: self.kind.or(other.kind),
            version: self.version.or(other.version),
            start: self.start.or(other.start),
            end: self.end.or(other.end),
            limit: self.limit.or(other.limit),
            cursor: self.cursor.or(other.cursor),
            bins: self.bins.or(other.bins),
        }
    }

    /// The seconds from `start` to `end` that readings can have; `None` if there are none.
    pub(in crate::api) fn span(&self) -> Option<Span> {
        let last = i64::from(u32::MAX);
        let (start, end) = (self.start.unwrap_or(0).max(0), self.end.unwrap_or(last).min(last));
        // Both are within 0 to the last second if there is one between them.
        (start <= end).then_some(Span { start: start as u32, end: end as u32 })
    }

    /// The type that is asked for, if any, with its name.
    pub(in crate::api) fn find_type(
        &self,
        readings: &Readings,
    ) -> Result<Option<(TypeId, String)>, ApiError> {
        let Some(name) = &self.kind else { return Ok(None) };
        let names = readings.names();
        match names.type_id(name) {
            Some(id) => Ok(Some((id, name.clone()))),
            None => {
                let name: String = name.chars().take(64).collect();
                let declared = names.listed();
                let detail = format!("type `{name}` is unknown, declared are {declared}");
                Err(ApiError::new(Kind::UnknownType, detail))
            }
        }
    }

    /// The type where one is needed.
    pub(in crate::api) fn need_type(
        &self,
        readings: &Readings,
    ) -> Result<(TypeId, String), ApiError> {
        self.find_type(readings)?.ok_or_else(|| {
            let declared = readings.names().listed();
            let detail = format!("parameter `type` is missing, declared are {declared}");
            ApiError::new(Kind::UnknownType, detail)
        })
    }
}

/// Filters of a statistic of a device.
#[derive(Debug, Deserialize, Object)]
#[oai(rename = "StatisticFilters")]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct StatisticFilters {
    /// The type of readings.
    #[oai(rename = "type")]
    #[serde(rename = "type")]
    kind: Option<String>,
    /// The first second, since 1970.
    #[serde(default, deserialize_with = "number::read_seconds")]
    start: Option<i64>,
    /// The last second.
    #[serde(default, deserialize_with = "number::read_seconds")]
    end: Option<i64>,
}

/// Filters of the summary of a device.
#[derive(Debug, Deserialize, Object)]
#[oai(rename = "SummaryFilters")]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct SummaryFilters {
    /// The type of readings.
    #[oai(rename = "type")]
    #[serde(rename = "type")]
    kind: Option<String>,
    /// The first second, since 1970.
    #[serde(default, deserialize_with = "number::read_seconds")]
    start: Option<i64>,
    /// The last second.
    #[serde(default, deserialize_with = "number::read_seconds")]
    end: Option<i64>,
    /// Bins of the histogram, 1 to 100.
    bins: Option<i64>,
}

/// Filters of the summary of all devices.
#[derive(Debug, Deserialize, Object)]
#[oai(rename = "AllDevicesFilters")]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct AllDevicesFilters {
    /// The type of readings.
    #[oai(rename = "type")]
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Only readings of this version.
    version: Option<String>,
    /// The first second, since 1970.
    #[serde(default, deserialize_with = "number::read_seconds")]
    start: Option<i64>,
    /// The last second.
    #[serde(default, deserialize_with = "number::read_seconds")]
    end: Option<i64>,
    /// Bins of the histogram, 1 to 100.
    bins: Option<i64>,
}

/// Filters of a list.
#[derive(Debug, Deserialize, Object)]
#[oai(rename = "ListFilters")]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ListFilters {
    /// The type of readings; all if absent.
    #[oai(rename = "type")]
    #[serde(rename = "type")]
    kind: Option<String>,
    /// The first second, since 1970.
    #[serde(default, deserialize_with = "number::read_seconds")]
    start: Option<i64>,
    /// The last second.
    #[serde(default, deserialize_with = "number::read_seconds")]
    end: Option<i64>,
    /// Readings of a page.
    limit: Option<i64>,
    /// Where the page begins.
    cursor: Option<String>,
}

impl From<StatisticFilters> for Filters {
    fn from(StatisticFilters { kind, start, end }: StatisticFilters) -> Self {
        Self { kind, start, end, ..Self::default() }
    }
}

impl From<SummaryFilters> for Filters {
    fn from(SummaryFilters { kind, start, end, bins }: SummaryFilters) -> Self {
        Self { kind, start, end, bins, ..Self::default() }
    }
}

impl From<AllDevicesFilters> for Filters {
    fn from(of: AllDevicesFilters) -> Self {
        let AllDevicesFilters { kind, version, start, end, bins } = of;
        Self { kind, version, start, end, bins, ..Self::default() }
    }
}

impl From<ListFilters> for Filters {
    fn from(ListFilters { kind, start, end, limit, cursor }: ListFilters) -> Self {
        Self { kind, start, end, limit, cursor, ..Self::default() }
    }
}

impl Body for StatisticFilters {
    const REQUIRED: &'static [&'static str] = &[];
}

impl Body for SummaryFilters {
    const REQUIRED: &'static [&'static str] = &[];
}

impl Body for AllDevicesFilters {
    const REQUIRED: &'static [&'static str] = &[];
}

impl Body for ListFilters {
    const REQUIRED: &'static [&'static str] = &[];
}

/// Filters in a body, that may be empty; described as a `T`.
pub(in crate::api) struct FilterBody<T> {
    pub(in crate::api) filters: Filters,
    shape: PhantomData<fn() -> T>,
}

impl<'a, T: Body + Into<Filters>> ApiExtractor<'a> for FilterBody<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: JSON, schema: T::schema_ref() }];
        let description = Some("The same as the query, which wins field by field.");
        Some(MetaRequest { description, content, required: false })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let bytes = read_body(request, body, OBJECT_LIMIT).await?;
        let mut filters = Filters::default();
        if !bytes.trim_ascii().is_empty() {
            check_content_type(request, &[JSON])?;
            filters = parse::<T>(&bytes)?.into();
        }
        Ok(Self { filters, shape: PhantomData })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_cut_to_the_seconds_that_there_are() {
        let last = i64::from(u32::MAX);
        let span = |start, end| Some(Span { start, end });
        let cases = [
            (None, None, span(0, u32::MAX)),
            (Some(-5), Some(7), span(0, 7)),
            (Some(7), Some(7), span(7, 7)),
            (Some(i64::MIN), Some(i64::MAX), span(0, u32::MAX)),
            (Some(8), Some(7), None),
            (None, Some(-1), None),
            (Some(last + 1), None, None),
            (Some(last), Some(last + 1), span(u32::MAX, u32::MAX)),
        ];
        for (start, end, want) in cases {
            let filters = Filters { start, end, ..Filters::default() };
            assert_eq!(filters.span(), want, "{start:?} {end:?}");
        }
    }

    #[test]
    fn the_first_wins_field_by_field() {
        let query = Filters { start: Some(1), ..Filters::default() };
        let body = Filters { start: Some(2), end: Some(3), ..Filters::default() };
        let want = Filters { start: Some(1), end: Some(3), ..Filters::default() };
        assert_eq!(query.or(body), want);
    }
}

//! Answers about readings, each as the API writes it.

use canary_core::reading::Device;
use canary_core::stats::{Accuracy, Observed, Summary};
use poem_openapi::Object;
use serde::Serialize;

use super::filter::Filters;
use crate::api::problem::{ApiError, Kind};
use crate::api::{number, page};
use crate::app::App;
use crate::readings::Summed;

/// Most bins of a histogram.
const MOST_BINS: i64 = 100;

/// A value that a device measured.
#[derive(Debug, Serialize, Object)]
#[oai(rename = "Reading")]
pub(in crate::api) struct ReadingBody {
    /// When it was measured, in seconds since 1970.
    date_created: i64,
    /// The device; absent in answers about all devices.
    #[serde(skip_serializing_if = "Option::is_none")]
    device_uuid: Option<String>,
    /// The name of its type.
    #[oai(rename = "type")]
    #[serde(rename = "type")]
    kind: String,
    /// What was measured.
    #[serde(serialize_with = "number::write")]
    value: f64,
    /// The version of what ran on the device, if it was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// By which part of itself the value may be off; absent if it is exact.
    #[serde(skip_serializing_if = "Option::is_none")]
    relative_error: Option<f64>,
    /// True if readings that are no longer kept were asked for by less than the hour: then their
    /// whole hours are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    rounded_to_hours: Option<bool>,
}

/// A mean or a mode.
#[derive(Debug, Serialize, Object)]
#[oai(rename = "Value")]
pub(in crate::api) struct ValueBody {
    /// Null if there is no reading.
    #[serde(serialize_with = "number::write_option")]
    value: Option<f64>,
    /// Of a mode that is not exact: it is the point of the fullest bin, whose values lie within this
    /// part of it. Absent if the value is exact.
    #[serde(skip_serializing_if = "Option::is_none")]
    relative_error: Option<f64>,
    /// True if readings that are no longer kept were asked for by less than the hour: then their
    /// whole hours are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    rounded_to_hours: Option<bool>,
}

/// Tukey's hinges: the medians of both halves, the median counted in both if the count is odd.
#[derive(Debug, Serialize, Object)]
#[oai(rename = "Quartiles")]
pub(in crate::api) struct QuartilesBody {
    /// The median of the lower half.
    #[serde(serialize_with = "number::write")]
    quartile_1: f64,
    /// The median of the upper half.
    #[serde(serialize_with = "number::write")]
    quartile_3: f64,
    /// By which part of themselves the values may be off; absent if they are exact.
    #[serde(skip_serializing_if = "Option::is_none")]
    relative_error: Option<f64>,
    /// True if readings that are no longer kept were asked for by less than the hour: then their
    /// whole hours are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    rounded_to_hours: Option<bool>,
}

/// How many readings lie in a stretch of values.
#[derive(Debug, Serialize, Object)]
#[oai(rename = "Bin")]
struct BinBody {
    /// The smallest value that is counted here.
    #[serde(serialize_with = "number::write")]
    minimum: f64,
    /// Whole numbers: the greatest value that is counted here. Others: where the next bin begins;
    /// the last bin holds its maximum as well.
    #[serde(serialize_with = "number::write")]
    maximum: f64,
    /// How many there are.
    count: u64,
}

/// Everything about readings of one type.
#[derive(Debug, Serialize, Object)]
#[oai(rename = "Summary")]
pub(in crate::api) struct SummaryBody {
    /// The device; absent in answers about all devices.
    #[serde(skip_serializing_if = "Option::is_none")]
    device_uuid: Option<String>,
    /// The version, if only its readings were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// The name of the type.
    #[oai(rename = "type")]
    #[serde(rename = "type")]
    kind: String,
    /// How many readings.
    count: u64,
    /// The smallest value, and when it was measured last; always exact.
    min: ReadingBody,
    /// The greatest value, and when it was measured last; always exact.
    max: ReadingBody,
    /// The middle value; of an even count the mean of the two in the middle, with the time of the
    /// lower one.
    median: ReadingBody,
    /// The sum of all values by their count.
    #[serde(serialize_with = "number::write_option")]
    mean: Option<f64>,
    /// The value that was measured most often, the smallest of several.
    #[serde(serialize_with = "number::write_option")]
    mode: Option<f64>,
    /// The median of the lower half.
    #[serde(serialize_with = "number::write")]
    quartile_1: f64,
    /// The median of the upper half.
    #[serde(serialize_with = "number::write")]
    quartile_3: f64,
    /// The variance of a sample; null below two readings.
    #[serde(serialize_with = "number::write_option")]
    variance: Option<f64>,
    /// Whether median, mode and quartiles are exact.
    exact: bool,
    /// By which part of themselves median and quartiles may be off if they are not; the mode is then
    /// the point of the fullest bin of this width.
    #[serde(skip_serializing_if = "Option::is_none")]
    relative_error: Option<f64>,
    /// How the values are spread, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    histogram: Option<Vec<BinBody>>,
    /// True if readings that are no longer kept were asked for by less than the hour: then their
    /// whole hours are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    rounded_to_hours: Option<bool>,
}

/// Readings of one type, summed up: the answer to every question about them.
pub(in crate::api) struct Statistics {
    device: Option<Device>,
    version: Option<String>,
    kind: String,
    /// `None` if there is no reading.
    summed: Option<Summed>,
}

impl Statistics {
    /// Of a device.
    pub(in crate::api) async fn of_device(
        app: &App,
        device: String,
        filters: &Filters,
    ) -> Result<Self, ApiError> {
        let device = parse_device(device)?;
        let (id, kind) = filters.need_type(&app.readings)?;
        let summed = match filters.span() {
            Some(span) => app.readings.sum_up(&app.store, device.as_str(), id, span).await?,
            None => None,
        };
        Ok(Self { device: Some(device), version: None, kind, summed: unless_empty(summed) })
    }

    /// Of all devices.
    pub(in crate::api) async fn of_all(app: &App, filters: &Filters) -> Result<Self, ApiError> {
        let (id, kind) = filters.need_type(&app.readings)?;
        let version = filters.version.clone();
        let only = version.as_deref();
        let summed = match filters.span() {
            Some(span) => app.readings.sum_up_all(&app.store, id, only, span).await?,
            None => None,
        };
        Ok(Self { device: None, version, kind, summed: unless_empty(summed) })
    }

    pub(in crate::api) fn min(&self) -> Result<ReadingBody, ApiError> {
        self.reading(Summary::min, None)
    }

    pub(in crate::api) fn max(&self) -> Result<ReadingBody, ApiError> {
        self.reading(Summary::max, None)
    }

    pub(in crate::api) fn median(&self) -> Result<ReadingBody, ApiError> {
        self.reading(Summary::median, self.relative_error())
    }

    pub(in crate::api) fn mean(&self) -> ValueBody {
        let value = self.summary().and_then(Summary::mean);
        ValueBody { value, relative_error: None, rounded_to_hours: self.rounded_to_hours() }
    }

    pub(in crate::api) fn mode(&self) -> ValueBody {
        let value = self.summary().and_then(Summary::mode);
        let relative_error = self.relative_error();
        ValueBody { value, relative_error, rounded_to_hours: self.rounded_to_hours() }
    }

    pub(in crate::api) fn quartiles(&self) -> Result<QuartilesBody, ApiError> {
        let hinges = self.summary().and_then(Summary::hinges);
        let hinges = hinges.ok_or_else(|| self.no_readings())?;
        Ok(QuartilesBody {
            quartile_1: hinges.lower,
            quartile_3: hinges.upper,
            relative_error: self.relative_error(),
            rounded_to_hours: self.rounded_to_hours(),
        })
    }

    /// All of the above; `bins` of a histogram, if it is wanted.
    pub(in crate::api) fn summary_body(&self, bins: Option<i64>) -> Result<SummaryBody, ApiError> {
        let bins = bins.map(|bins| page::within("bins", bins, MOST_BINS)).transpose()?;
        let summed = self.summed.as_ref().ok_or_else(|| self.no_readings())?;
        let summary = &summed.summary;
        let QuartilesBody { quartile_1, quartile_3, relative_error, .. } = self.quartiles()?;
        let histogram = bins.map(|bins| {
            let bins = summary.histogram(bins as u16).into_iter();
            bins.map(|bin| BinBody { minimum: bin.minimum, maximum: bin.maximum, count: bin.count })
                .collect()
        });
        Ok(SummaryBody {
            device_uuid: self.device_uuid(),
            version: self.version.clone(),
            kind: self.kind.clone(),
            count: summary.count(),
            min: self.min()?,
            max: self.max()?,
            median: self.median()?,
            mean: summary.mean(),
            mode: summary.mode(),
            quartile_1,
            quartile_3,
            variance: summary.variance(),
            exact: relative_error.is_none(),
            relative_error,
            histogram,
            rounded_to_hours: self.rounded_to_hours(),
        })
    }

    fn reading(
        &self,
        of: fn(&Summary) -> Option<Observed>,
        relative_error: Option<f64>,
    ) -> Result<ReadingBody, ApiError> {
        let observed = self.summary().and_then(of).ok_or_else(|| self.no_readings())?;
        Ok(ReadingBody {
            date_created: observed.newest,
            device_uuid: self.device_uuid(),
            kind: self.kind.clone(),
            value: observed.value,
            version: None,
            relative_error,
            rounded_to_hours: self.rounded_to_hours(),
        })
    }

    fn summary(&self) -> Option<&Summary> {
        self.summed.as_ref().map(|summed| &summed.summary)
    }

    fn device_uuid(&self) -> Option<String> {
        self.device.as_ref().map(ToString::to_string)
    }

    fn relative_error(&self) -> Option<f64> {
        match self.summary()?.accuracy() {
            Accuracy::Exact => None,
            Accuracy::Relative(error) => Some(error),
        }
    }

    fn rounded_to_hours(&self) -> Option<bool> {
        self.summed.as_ref().filter(|summed| summed.is_rounded).map(|_| true)
    }

    fn no_readings(&self) -> ApiError {
        let Self { device, version, kind, .. } = self;
        let mut detail = match device {
            Some(device) => format!("device `{device}` has no reading of type `{kind}`"),
            None => format!("no device has a reading of type `{kind}`"),
        };
        if let Some(version) = version {
            detail.push_str(&format!(" and version `{version}`"));
        }
        ApiError::new(Kind::NoReadings, detail + " in this range")
    }
}

fn unless_empty(summed: Option<Summed>) -> Option<Summed> {
    summed.filter(|summed| !summed.summary.is_empty())
}

/// The device of a path.
pub(in crate::api) fn parse_device(device: String) -> Result<Device, ApiError> {
    Device::parse(device).map_err(|error| ApiError::parameter("device", &error))
}

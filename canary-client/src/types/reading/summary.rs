//! What many readings say together.

use serde::{Deserialize, Serialize};

use super::StoredReading;

/// All statistics of some readings; values are in the unit of their type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReadingSummary {
    /// The device; `None` if they are of all devices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_uuid: Option<String>,
    /// The version that was asked for; `None` if they are of all versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The name of their type.
    #[serde(rename = "type")]
    pub reading_type: String,
    /// How many they are, at least 1.
    pub count: u64,
    /// The lowest one; of several the newest.
    pub min: StoredReading,
    /// The highest one; of several the newest.
    pub max: StoredReading,
    /// The middle one; of an even count the mean of the two in the middle, with the fields of the
    /// lower one.
    pub median: StoredReading,
    /// The arithmetic mean.
    #[serde(serialize_with = "super::number")]
    pub mean: f64,
    /// The most frequent value; of several the smallest.
    #[serde(serialize_with = "super::number")]
    pub mode: f64,
    /// The median of the lower half, the median itself in it if the count is odd (Tukey's hinge).
    #[serde(serialize_with = "super::number")]
    pub quartile_1: f64,
    /// The median of the upper half, the median itself in it if the count is odd (Tukey's hinge).
    #[serde(serialize_with = "super::number")]
    pub quartile_3: f64,
    /// The variance, in the square of the unit; `None` if they are too few to have one.
    #[serde(default)]
    pub variance: Option<f64>,
    /// Whether all of these are exact.
    pub exact: bool,
    /// The part of itself by which a value that is not exact may be off at most: 0.01 is 1 %;
    /// `None` if all are exact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_error: Option<f64>,
    /// Whether readings that are no longer kept were asked for by less than the hour: then their
    /// whole hours are counted.
    #[serde(default, skip_serializing_if = "is_false")]
    pub rounded_to_hours: bool,
    /// How the values are spread, the lowest first; empty unless it was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub histogram: Vec<Bin>,
}

const fn is_false(value: &bool) -> bool {
    !*value
}

/// One bar of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Bin {
    /// Where it begins.
    #[serde(serialize_with = "super::number")]
    pub minimum: f64,
    /// Where it ends.
    #[serde(serialize_with = "super::number")]
    pub maximum: f64,
    /// How many values are in it.
    pub count: u64,
}

/// The medians of the two halves, in the unit of the type (Tukey's hinges).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Quartiles {
    /// The median of the lower half.
    #[serde(serialize_with = "super::number")]
    pub quartile_1: f64,
    /// The median of the upper half.
    #[serde(serialize_with = "super::number")]
    pub quartile_3: f64,
}

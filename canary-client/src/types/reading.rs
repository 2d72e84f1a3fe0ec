//! Readings: typed values that devices measure in time.

use serde::{Deserialize, Serialize, Serializer};

use super::signal::Rejection;
use crate::error::FieldError;

pub(crate) mod declared;
pub(crate) mod filter;
pub(crate) mod summary;

/// One value that a device measured.
///
/// The same reading (device, type, second and value) is stored once, however often it is sent: a
/// reading with a [`date_created`](Self::date_created) can always be sent again.
///
/// # Examples
///
/// ```
/// use canary_client::Reading;
///
/// let now = Reading::new("greenhouse-7", "temperature", 22);
/// let then = Reading::new("greenhouse-7", "conductivity_ms_per_cm", 1.85)
///     .date_created(1_935_835_200)
///     .version("1.5.0");
/// # let _ = (now, then);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[must_use = "a reading counts once it is sent"]
pub struct Reading {
    device_uuid: String,
    #[serde(rename = "type")]
    reading_type: String,
    #[serde(serialize_with = "number")]
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_created: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

impl Reading {
    /// A value in the unit of its type, measured when it is sent.
    ///
    /// `device` is 1 to 128 visible characters. The value must be finite and in the range of the
    /// type; types of whole numbers take whole numbers only.
    pub fn new(
        device: impl Into<String>,
        reading_type: impl Into<String>,
        value: impl Into<f64>,
    ) -> Self {
        Self {
            device_uuid: device.into(),
            reading_type: reading_type.into(),
            value: value.into(),
            date_created: None,
            version: None,
        }
    }

    /// When it was measured, in whole seconds since 1970 began (UTC); the time of its arrival at the
    /// server if not set.
    ///
    /// Equal values of one device, type and second are one reading if the time is set, and as many
    /// as were sent (up to 16) if not.
    pub fn date_created(mut self, epoch_s: i64) -> Self {
        self.date_created = Some(epoch_s);
        self
    }

    /// The version that the device ran when it measured.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Whether it has a time: one that comes again is then the same reading.
    pub(crate) const fn has_date(&self) -> bool {
        self.date_created.is_some()
    }

    /// What JSON has no words for.
    pub(crate) fn check(&self) -> Result<(), FieldError> {
        if self.value.is_finite() {
            return Ok(());
        }
        let detail = format!("must be a finite number, got {}", self.value);
        Err(FieldError { pointer: "/value".to_owned(), detail })
    }

    pub(crate) fn device(&self) -> &str {
        &self.device_uuid
    }

    /// What is said of it where the path names the device.
    pub(crate) fn without_device(&self) -> Unaddressed<'_> {
        let Self { reading_type, value, date_created, version, .. } = self;
        Unaddressed { reading_type, value: *value, date_created: *date_created, version }
    }
}

/// A reading without its device.
#[derive(Serialize)]
pub(crate) struct Unaddressed<'a> {
    #[serde(rename = "type")]
    reading_type: &'a str,
    #[serde(serialize_with = "number")]
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_created: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: &'a Option<String>,
}

/// A reading as the server has it, or a value that stands for many.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredReading {
    /// When it was measured, in whole seconds since 1970 began (UTC).
    pub date_created: i64,
    /// The device that measured it; empty where all devices were summed up.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub device_uuid: String,
    /// The name of its type.
    #[serde(rename = "type")]
    pub reading_type: String,
    /// What was measured, in the unit of the type.
    #[serde(serialize_with = "number")]
    pub value: f64,
    /// The version that the device ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The part of itself by which the value may be off: 0.01 is 1 %; `None` if it is exact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_error: Option<f64>,
}

impl From<StoredReading> for Reading {
    fn from(stored: StoredReading) -> Self {
        Self {
            device_uuid: stored.device_uuid,
            reading_type: stored.reading_type,
            value: stored.value,
            date_created: Some(stored.date_created),
            version: stored.version,
        }
    }
}

/// What became of many readings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReadingsOutcome {
    /// How many are on the server's disk, those among them that it had before.
    pub accepted: u64,
    /// Those that were not stored, in the order in which they were given.
    pub rejected: Vec<Rejection>,
}

/// Writes whole numbers without a fraction: types of whole numbers take `22`, and `22.0` says
/// nothing more.
fn number<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    // Up to here every whole number is a float, and the other way round.
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= WHOLE {
        return serializer.serialize_i64(*value as i64);
    }
    serializer.serialize_f64(*value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_values_are_written_as_whole_numbers() {
        let cases = [
            (22.0, "22"),
            (-40.0, "-40"),
            (-0.0, "0"),
            (0.5, "0.5"),
            (9_007_199_254_740_992.0, "9007199254740992"),
            (1e300, "1e+300"),
        ];
        for (value, want) in cases {
            let line = serde_json::to_string(&Reading::new("d", "t", value)).unwrap();
            assert_eq!(line, format!(r#"{{"device_uuid":"d","type":"t","value":{want}}}"#));
        }
    }

    #[test]
    fn a_stored_reading_can_be_sent_to_another_server() {
        let line =
            r#"{"device_uuid":"d","type":"t","value":1.5,"date_created":17,"version":"1.5.0"}"#;
        let stored: StoredReading = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&Reading::from(stored)).unwrap(), line);
    }
}

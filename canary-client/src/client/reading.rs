//! What devices measure: sending it, listing it, and what it says together.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Client, Listing, Target, batch};
use crate::error::{Error, Result};
use crate::transport::{Body, Request};
use crate::types::reading::declared::{NewReadingType, ReadingType};
use crate::types::reading::filter::{FleetFilter, ReadingFilter};
use crate::types::reading::summary::{Quartiles, ReadingSummary};
use crate::types::reading::{Reading, ReadingsOutcome, StoredReading};

/// The server's word for statistics of nothing.
const NO_READINGS: &str = "no_readings";

/// `{value}`, a statistic that is no reading.
#[derive(Deserialize)]
struct Statistic {
    value: Option<f64>,
}

/// # What devices measure
///
/// That there are no readings is an answer, and no error: it is `None`.
impl Client {
    /// Sends one reading. When this returns, the reading is on the server's disk.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the type is not known or the value not
    /// acceptable. After [`Error::TimedOut`] and
    /// [`Error::Unreachable`] it is unknown whether the reading was
    /// stored: one with a date of the caller's can be sent again.
    pub fn send_reading(&self, reading: &Reading) -> Result<()> {
        reading.check().map_err(batch::refused)?;
        // A date makes repeating safe; a key would only cost the server a row more.
        let key = if reading.has_date() { None } else { Some(batch::new_key()) };
        let body = Body::json(&reading.without_device(), key);
        let target = Target::of(&["devices", reading.device(), "readings"])?;
        self.ask(&Request::post(target.0, body)).map(drop)
    }

    /// Sends many readings, in requests of at most 100 000, compressed. At most one
    /// request is held in memory, and what was rejected; `readings` may be without end.
    ///
    /// A reading that is not acceptable does not keep the others from being stored; it is in
    /// [`ReadingsOutcome::rejected`].
    ///
    /// # Errors
    ///
    /// When a request does not get through, sending stops there; the requests before it are
    /// stored. Readings with dates of the caller's can all be sent again.
    pub fn send_readings(
        &self,
        readings: impl IntoIterator<Item = Reading>,
    ) -> Result<ReadingsOutcome> {
        let outcome = batch::send(self, &Target::of(&["readings"])?, readings.into_iter())?;
        Ok(ReadingsOutcome { accepted: outcome.accepted, rejected: outcome.rejected })
    }

    /// The readings that fit, in the order of time; further pages are fetched as they are needed.
    pub fn readings(&self, filter: &ReadingFilter) -> Listing<StoredReading> {
        Listing::new(self.clone(), device_readings(filter, None))
    }

    /// The lowest reading, of several the newest.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the type is missing or not known, or the end
    /// is before the start. The other statistics fail in the same way.
    pub fn reading_min(&self, filter: &ReadingFilter) -> Result<Option<StoredReading>> {
        self.find(&device_readings(filter, Some("min"))?)
    }

    /// The highest reading, of several the newest.
    ///
    /// # Errors
    ///
    /// As [`reading_min`](Self::reading_min).
    pub fn reading_max(&self, filter: &ReadingFilter) -> Result<Option<StoredReading>> {
        self.find(&device_readings(filter, Some("max"))?)
    }

    /// The reading in the middle; of an even count the mean of the two in the middle, with the
    /// other fields of the lower one.
    ///
    /// # Errors
    ///
    /// As [`reading_min`](Self::reading_min).
    pub fn reading_median(&self, filter: &ReadingFilter) -> Result<Option<StoredReading>> {
        self.find(&device_readings(filter, Some("median"))?)
    }

    /// The arithmetic mean, in the unit of the type.
    ///
    /// # Errors
    ///
    /// As [`reading_min`](Self::reading_min).
    pub fn reading_mean(&self, filter: &ReadingFilter) -> Result<Option<f64>> {
        let statistic: Statistic = self.get(&device_readings(filter, Some("mean"))?)?;
        Ok(statistic.value)
    }

    /// The most frequent value, in the unit of the type; of several the smallest.
    ///
    /// # Errors
    ///
    /// As [`reading_min`](Self::reading_min).
    pub fn reading_mode(&self, filter: &ReadingFilter) -> Result<Option<f64>> {
        let statistic: Statistic = self.get(&device_readings(filter, Some("mode"))?)?;
        Ok(statistic.value)
    }

    /// The medians of the lower and of the upper half.
    ///
    /// # Errors
    ///
    /// As [`reading_min`](Self::reading_min).
    pub fn quartiles(&self, filter: &ReadingFilter) -> Result<Option<Quartiles>> {
        self.find(&device_readings(filter, Some("quartiles"))?)
    }

    /// All statistics at once, with a histogram of 1 to 100 `bins` if that is not `None`.
    ///
    /// # Errors
    ///
    /// As [`reading_min`](Self::reading_min), and if there are to be more bins.
    pub fn summary(
        &self,
        filter: &ReadingFilter,
        bins: Option<u16>,
    ) -> Result<Option<ReadingSummary>> {
        self.find(&with_bins(device_readings(filter, Some("summary"))?, bins))
    }

    /// All statistics over all devices, with a histogram of 1 to 100 `bins` if that is not `None`.
    ///
    /// # Errors
    ///
    /// As [`summary`](Self::summary).
    pub fn fleet_summary(
        &self,
        filter: &FleetFilter,
        bins: Option<u16>,
    ) -> Result<Option<ReadingSummary>> {
        let target = Target::of(&["readings", "summary"])?
            .query("type", Some(&filter.reading_type))
            .query("version", filter.version.as_deref());
        self.find(&with_bins(in_time(target, filter.start, filter.end), bins))
    }

    /// Declares a type of readings, or changes what is said about it.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] if it has readings and another range,
    /// [`Error::Invalid`] if a value is not acceptable.
    pub fn declare_reading_type(&self, reading_type: &NewReadingType) -> Result<ReadingType> {
        reading_type.check().map_err(batch::refused)?;
        let target = Target::of(&["reading-type", reading_type.name()])?;
        self.read(&self.ask(&Request::put(target.0, Body::json(reading_type, None)))?)
    }

    /// The types of readings that are declared.
    ///
    /// # Errors
    ///
    /// Only those of the way.
    pub fn reading_types(&self) -> Result<Vec<ReadingType>> {
        self.get(&Target::of(&["reading-type"])?)
    }

    /// Asks for something that may be of no readings.
    fn find<T: DeserializeOwned>(&self, target: &Target) -> Result<Option<T>> {
        match self.get(target) {
            Err(Error::NotFound { code, .. }) if code == NO_READINGS => Ok(None),
            found => found.map(Some),
        }
    }
}

/// The readings of a device, or a statistic of them.
fn device_readings(filter: &ReadingFilter, statistic: Option<&str>) -> Result<Target> {
    let path = ["devices", filter.device.as_str(), "readings"];
    let path: Vec<_> = path.into_iter().chain(statistic).collect();
    let target = Target::of(&path)?.query("type", filter.reading_type.as_deref());
    Ok(in_time(target, filter.start, filter.end))
}

fn in_time(target: Target, start: Option<i64>, end: Option<i64>) -> Target {
    let [start, end] = [start, end].map(|epoch_s| epoch_s.map(|epoch_s| epoch_s.to_string()));
    target.query("start", start.as_deref()).query("end", end.as_deref())
}

fn with_bins(target: Target, bins: Option<u16>) -> Target {
    target.query("bins", bins.map(|bins| bins.to_string()).as_deref())
}

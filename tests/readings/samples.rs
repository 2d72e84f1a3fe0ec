//! Readings as JSON: for what of a request is taken, and how it comes back.

use serde_json::{Value, json};

use crate::{Answer, Http};

/// A device.
pub const DEVICE: &str = "6f1c0a52-5b0e-4c3e-9a44-0d0c4a1a7c11";

/// Where the readings of [`DEVICE`] are sent and listed.
pub const READINGS: &str = "/devices/6f1c0a52-5b0e-4c3e-9a44-0d0c4a1a7c11/readings";

/// A temperature of the device that the path names; `at` in seconds since 1970.
#[must_use]
pub fn temperature(value: i64, at: i64) -> Value {
    json!({"type": "temperature", "value": value, "date_created": at})
}

/// A temperature of a device that it names itself; each number gives another second, and a value
/// from 0 to 100.
#[must_use]
pub fn reading(device: usize, number: usize) -> Value {
    json!({
        "device_uuid": format!("device-{device}"), "type": "temperature", "value": number % 101,
        "date_created": 1_600_000_000 + number,
    })
}

/// So many different temperatures, of seven devices by turns.
#[must_use]
pub fn readings(count: usize) -> Vec<Value> {
    (0..count).map(|number| reading(number % 7, number)).collect()
}

impl Http {
    /// Sends readings that name their devices, as an array, whatever the answer.
    ///
    /// # Panics
    ///
    /// If there is no answer.
    #[must_use]
    pub fn post_readings(&self, readings: &[Value]) -> Answer {
        self.post("/readings", &json!(readings))
    }

    /// Sends a reading of [`DEVICE`], or an array of them, whatever the answer.
    ///
    /// # Panics
    ///
    /// If there is no answer.
    #[must_use]
    pub fn post_of_device(&self, body: &Value) -> Answer {
        self.post(READINGS, body)
    }

    /// The first page of the readings of [`DEVICE`].
    ///
    /// # Panics
    ///
    /// If they are not told.
    #[must_use]
    #[track_caller]
    pub fn list_of_device(&self) -> Value {
        self.get(READINGS).expect(200)
    }

    /// How many temperatures of all devices are counted.
    ///
    /// # Panics
    ///
    /// If it is not told.
    #[must_use]
    #[track_caller]
    pub fn count_temperatures(&self) -> u64 {
        let answer = self.get("/readings/summary?type=temperature");
        if answer.status == 404 {
            return 0;
        }
        answer.expect(200)["count"].as_u64().expect("a count")
    }
}

//! Readings as they come in: the objects, and what each is answered with if it is refused.

use poem_openapi::Object;
use serde::Deserialize;

use crate::api::number;
use crate::api::payload::{Body, parse};
use crate::api::problem::{ApiError, FieldError, Kind};
use crate::readings::{Given, Refusal};

/// A value that a device measured.
#[derive(Debug, Deserialize, Object)]
#[oai(rename = "NewReading")]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NewReadingBody {
    /// The device, 1 to 128 visible characters; mostly a UUID.
    device_uuid: String,
    /// The name of a declared type, for example `temperature`.
    #[oai(rename = "type")]
    #[serde(rename = "type")]
    kind: String,
    /// A number as the type has them.
    #[serde(deserialize_with = "number::read")]
    value: f64,
    /// When it was measured, in whole seconds since 1970; the time of arrival if absent.
    #[serde(default, deserialize_with = "number::read_seconds")]
    date_created: Option<i64>,
    /// The version of what runs on the device, to compare versions by; 1 to 128 visible characters.
    version: Option<String>,
}

impl Body for NewReadingBody {
    const REQUIRED: &'static [&'static str] = &["device_uuid", "type", "value"];
}

/// A value that the device of the path measured.
#[derive(Debug, Deserialize, Object)]
#[oai(rename = "NewDeviceReading")]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NewDeviceReadingBody {
    /// The name of a declared type, for example `temperature`.
    #[oai(rename = "type")]
    #[serde(rename = "type")]
    kind: String,
    /// A number as the type has them.
    #[serde(deserialize_with = "number::read")]
    value: f64,
    /// When it was measured, in whole seconds since 1970; the time of arrival if absent.
    #[serde(default, deserialize_with = "number::read_seconds")]
    date_created: Option<i64>,
    /// The version of what runs on the device, to compare versions by; 1 to 128 visible characters.
    version: Option<String>,
}

impl Body for NewDeviceReadingBody {
    const REQUIRED: &'static [&'static str] = &["type", "value"];
}

/// Reads any JSON object as a reading, of `device` if the object is not to name one.
pub(super) fn parse_reading(
    bytes: &[u8],
    device: Option<&str>,
) -> Result<NewReadingBody, ApiError> {
    let Some(device) = device else { return parse(bytes) };
    let NewDeviceReadingBody { kind, value, date_created, version } = parse(bytes)?;
    Ok(NewReadingBody { device_uuid: device.to_owned(), kind, value, date_created, version })
}

impl NewReadingBody {
    pub(super) fn given(&self) -> Given<'_> {
        Given {
            device: &self.device_uuid,
            kind: &self.kind,
            value: self.value,
            date_created: self.date_created,
            version: self.version.as_deref(),
        }
    }
}

/// Why a reading was refused, for the one who sent it.
pub(super) fn refused(refusal: &Refusal, is_device_in_path: bool) -> ApiError {
    let text = refusal.to_string();
    let at = |pointer: &str, detail: String| vec![FieldError { pointer: pointer.into(), detail }];
    match refusal {
        Refusal::UnknownType { .. } => {
            ApiError::with_errors(Kind::UnknownType, text.clone(), at("/type", text))
        }
        Refusal::TooManySeries { .. } => ApiError::new(Kind::Conflict, text),
        Refusal::TooOld { .. } => {
            ApiError::with_errors(Kind::TooOld, text.clone(), at("/date_created", text))
        }
        Refusal::Value { field: "device", error } if is_device_in_path => {
            ApiError::parameter("device", error)
        }
        Refusal::Value { field: "device", .. } => {
            ApiError::invalid(at("/device_uuid", text.replacen("device", "device_uuid", 1)))
        }
        Refusal::Value { field: "version", .. } => {
            ApiError::invalid(at("/version", text.replacen("semver_version", "version", 1)))
        }
        Refusal::Value { field, .. } => ApiError::invalid(at(&format!("/{field}"), text)),
    }
}

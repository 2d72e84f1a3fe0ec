//! Types of readings: what a value means.

use serde::{Deserialize, Serialize};

use crate::error::FieldError;

/// A type of readings as it is declared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReadingType {
    /// Its name, which readings give as their type.
    pub name: String,
    /// What its values are measured in.
    #[serde(default)]
    pub unit: String,
    /// The lowest value that is accepted.
    #[serde(serialize_with = "super::number")]
    pub minimum: f64,
    /// The highest value that is accepted.
    #[serde(serialize_with = "super::number")]
    pub maximum: f64,
    /// Whether only whole numbers are accepted.
    pub integer: bool,
}

/// A type of readings to declare.
///
/// # Examples
///
/// ```
/// use canary_client::NewReadingType;
///
/// let pressure = NewReadingType::new("pressure", "hPa", 300, 1100);
/// let steps = NewReadingType::new("steps", "1", 0, 100_000).integer(true);
/// # let _ = (pressure, steps);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[must_use]
pub struct NewReadingType {
    // The path names it.
    #[serde(skip)]
    name: String,
    unit: String,
    #[serde(serialize_with = "super::number")]
    minimum: f64,
    #[serde(serialize_with = "super::number")]
    maximum: f64,
    integer: bool,
}

impl NewReadingType {
    /// Values from `minimum` to `maximum`, both included, fractions allowed.
    pub fn new(
        name: impl Into<String>,
        unit: impl Into<String>,
        minimum: impl Into<f64>,
        maximum: impl Into<f64>,
    ) -> Self {
        Self {
            name: name.into(),
            unit: unit.into(),
            minimum: minimum.into(),
            maximum: maximum.into(),
            integer: false,
        }
    }

    /// Whether only whole numbers are accepted. Their statistics can be exact whatever their
    /// number.
    pub fn integer(mut self, integer: bool) -> Self {
        self.integer = integer;
        self
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The first bound that JSON has no words for.
    pub(crate) fn check(&self) -> Result<(), FieldError> {
        for (pointer, bound) in [("/minimum", self.minimum), ("/maximum", self.maximum)] {
            if !bound.is_finite() {
                let detail = format!("must be a finite number, got {bound}");
                return Err(FieldError { pointer: pointer.to_owned(), detail });
            }
        }
        Ok(())
    }
}

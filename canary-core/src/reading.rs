//! Readings: typed values of devices, in time.
//!
//! A type says which values there are: whole numbers or any numbers, from a minimum to a maximum.
//! Two readings are the same if device, type, time and value are; a device that sends one twice
//! has sent it once.

use crate::stats::Domain;
use crate::value::{ValueError, check_range, checked_text};

checked_text!(
    /// What takes readings, by the name it goes by; a UUID for most, and any other name as well.
    Device,
    "device",
    128,
    check_text,
    Visible
);

checked_text!(
    /// The name of a type of readings, for example `temperature`.
    TypeName,
    "type",
    64,
    check_text,
    Visible
);

checked_text!(
    /// What the values of a type are measured in, for example `°C`; may be empty.
    Unit,
    "unit",
    32,
    check_optional_text,
    OneLine
);

/// The last second of a reading: 2106-02-07T06:28:15Z.
pub const LAST_SECOND: u32 = u32::MAX;

/// Largest whole number that a value can be, either way: beyond it neighbours can no longer be told
/// apart.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_991.0;

/// Checks the time of a reading, in whole seconds since 1970.
///
/// # Errors
///
/// [`ValueError::OutOfRange`] for times before 1970 or after [`LAST_SECOND`].
pub fn check_seconds(what: &'static str, seconds: i64) -> Result<u32, ValueError> {
    u32::try_from(seconds).map_err(|_| ValueError::OutOfRange {
        what,
        value: seconds as f64,
        minimum: 0.0,
        maximum: f64::from(LAST_SECOND),
        unit: " seconds since 1970",
    })
}

/// A type of readings as it was declared.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadingType {
    /// Its name.
    pub name: TypeName,
    /// What its values are measured in.
    pub unit: Unit,
    minimum: f64,
    maximum: f64,
    is_integer: bool,
}

impl ReadingType {
    /// Declares a type whose values lie from `minimum` to `maximum`, both included.
    ///
    /// # Errors
    ///
    /// [`ValueError`] if a limit is not finite, the minimum is above the maximum, or the values are
    /// whole numbers and a limit is not, or lies beyond 2⁵³ − 1.
    ///
    /// # Examples
    ///
    /// ```
    /// use canary_core::reading::{ReadingType, TypeName, Unit};
    ///
    /// let name = TypeName::parse("temperature")?;
    /// let temperature = ReadingType::declare(name, Unit::parse("°C")?, 0.0, 100.0, true)?;
    /// assert_eq!(temperature.check(22.0), Ok(22.0));
    /// assert_eq!(
    ///     temperature.check(22.5).unwrap_err().to_string(),
    ///     "value is 22.5, type `temperature` takes whole numbers"
    /// );
    /// # Ok::<(), canary_core::value::ValueError>(())
    /// ```
    pub fn declare(
        name: TypeName,
        unit: Unit,
        minimum: f64,
        maximum: f64,
        is_integer: bool,
    ) -> Result<Self, ValueError> {
        let largest = if is_integer { LARGEST_WHOLE } else { f64::MAX };
        let minimum = check_range("minimum", minimum, -largest, largest, "")?;
        let maximum = check_range("maximum", maximum, minimum, largest, "")?;
        if is_integer {
            check_whole("minimum", minimum, &name)?;
            check_whole("maximum", maximum, &name)?;
        }
        // Zero has one sign, so that equal values are the same value.
        Ok(Self { name, unit, minimum: minimum + 0.0, maximum: maximum + 0.0, is_integer })
    }

    /// Smallest value.
    #[must_use]
    pub const fn minimum(&self) -> f64 {
        self.minimum
    }

    /// Largest value.
    #[must_use]
    pub const fn maximum(&self) -> f64 {
        self.maximum
    }

    /// Whether values are whole numbers.
    #[must_use]
    pub const fn is_integer(&self) -> bool {
        self.is_integer
    }

    /// Whether the values of another declaration are the same; names and units may differ.
    #[must_use]
    pub fn has_values_of(&self, other: &Self) -> bool {
        let values = |of: &Self| (of.minimum, of.maximum, of.is_integer);
        values(self) == values(other)
    }

    /// Checks a value of this type.
    ///
    /// # Errors
    ///
    /// [`ValueError`] if it is not finite, not whole where it must be, or out of range.
    pub fn check(&self, value: f64) -> Result<f64, ValueError> {
        if self.is_integer && value.is_finite() {
            check_whole("value", value, &self.name)?;
        }
        // Zero has one sign.
        Ok(check_range("value", value, self.minimum, self.maximum, "")? + 0.0)
    }

    /// How its values are summed up.
    #[must_use]
    pub fn domain(&self) -> Domain {
        if self.is_integer {
            // Whole and within 2⁵³: exact.
            Domain::of_integers(self.minimum as i64, self.maximum as i64)
        } else {
            Domain::Continuous
        }
    }
}

fn check_whole(what: &'static str, value: f64, name: &TypeName) -> Result<(), ValueError> {
    if value.fract() == 0.0 {
        return Ok(());
    }
    Err(ValueError::NotWhole { what, value, name: name.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declare(minimum: f64, maximum: f64, is_integer: bool) -> Result<ReadingType, String> {
        let name = TypeName::parse("load").unwrap();
        ReadingType::declare(name, Unit::parse("").unwrap(), minimum, maximum, is_integer)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn values_are_refused_with_their_limits() {
        let whole = declare(-5.0, 100.0, true).unwrap();
        let any = declare(-0.5, 0.5, false).unwrap();
        let cases = [
            (&whole, -5.0, None),
            (&whole, 100.0, None),
            (&whole, 100.5, Some("value is 100.5, type `load` takes whole numbers")),
            (&whole, 101.0, Some("value is 101, it must be from -5 to 100")),
            (&whole, f64::NAN, Some("value must be a finite number, got NaN")),
            (&any, 0.25, None),
            (&any, 0.75, Some("value is 0.75, it must be from -0.5 to 0.5")),
            (&any, f64::INFINITY, Some("value must be a finite number, got inf")),
        ];
        for (of, value, want) in cases {
            let got = of.check(value).err().map(|error| error.to_string());
            assert_eq!(got.as_deref(), want, "{value}");
        }
        assert!(any.check(-0.0).unwrap().is_sign_positive());
    }

    #[test]
    fn a_declaration_must_make_sense() {
        let cases = [
            (1.0, 0.0, false, "maximum is 0, it must be from 1 to "),
            (0.5, 2.0, true, "minimum is 0.5, type `load` takes whole numbers"),
            (f64::NAN, 2.0, false, "minimum must be a finite number, got NaN"),
            (
                0.0,
                1e16,
                true,
                "maximum is 10000000000000000, it must be from 0 to 9007199254740991",
            ),
        ];
        for (minimum, maximum, is_integer, want) in cases {
            let error = declare(minimum, maximum, is_integer).unwrap_err();
            assert!(error.starts_with(want), "{error}");
        }
    }

    #[test]
    fn times_are_seconds_that_fit() {
        assert_eq!(check_seconds("date_created", 1_357_020_000), Ok(1_357_020_000));
        let error = check_seconds("date_created", 1_357_020_000_000).unwrap_err();
        assert_eq!(
            error.to_string(),
            "date_created is 1357020000000, it must be from 0 to 4294967295 seconds since 1970"
        );
    }
}

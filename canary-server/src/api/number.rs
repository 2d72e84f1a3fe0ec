//! Numbers as readings have them: whole ones are written without a fraction, and read with one.

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};
use serde::ser::Serializer;

/// Beyond it neighbours can no longer be told apart, 2⁵³.
const MOST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// Writes a number: 22, not 22.0.
pub(super) fn write<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if number.fract() == 0.0 && number.abs() <= MOST_WHOLE {
        serializer.serialize_i64(*number as i64)
    } else {
        serializer.serialize_f64(*number)
    }
}

/// Writes a number or null.
pub(super) fn write_option<S: Serializer>(
    number: &Option<f64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match number {
        Some(number) => write(number, serializer),
        None => serializer.serialize_none(),
    }
}

/// Reads any number.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    deserializer.deserialize_f64(Any)
}

/// Reads seconds since 1970, or null; 1.0 is 1.
pub(super) fn read_seconds<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<i64>, D::Error> {
    deserializer.deserialize_option(Seconds)
}

struct Any;

impl Visitor<'_> for Any {
    type Value = f64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number")
    }

    fn visit_f64<E>(self, number: f64) -> Result<f64, E> {
        Ok(number)
    }

    fn visit_i64<E>(self, number: i64) -> Result<f64, E> {
        Ok(number as f64)
    }

    fn visit_u64<E>(self, number: u64) -> Result<f64, E> {
        Ok(number as f64)
    }
}

struct Seconds;

impl<'de> Visitor<'de> for Seconds {
    type Value = Option<i64>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("whole seconds since 1970")
    }

    fn visit_none<E>(self) -> Result<Option<i64>, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Option<i64>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_i64(self)
    }

    fn visit_i64<E>(self, seconds: i64) -> Result<Option<i64>, E> {
        Ok(Some(seconds))
    }

    fn visit_u64<E>(self, seconds: u64) -> Result<Option<i64>, E> {
        Ok(Some(i64::try_from(seconds).unwrap_or(i64::MAX)))
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<Option<i64>, E> {
        if seconds.fract() == 0.0 {
            // Far beyond all times it stays at the greatest, which is out of range as well.
            return Ok(Some(seconds as i64));
        }
        Err(E::invalid_value(serde::de::Unexpected::Float(seconds), &self))
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Serialize)]
    struct Written(#[serde(serialize_with = "write")] f64);

    #[derive(Deserialize)]
    struct Read(#[serde(deserialize_with = "read_seconds")] Option<i64>);

    #[test]
    fn whole_numbers_have_no_fraction() {
        let cases = [
            (22.0, "22"),
            (-40.0, "-40"),
            (-0.0, "0"),
            (48.5, "48.5"),
            (0.1, "0.1"),
            (9_007_199_254_740_992.0, "9007199254740992"),
            (1e300, "1e+300"),
            (1e-300, "1e-300"),
        ];
        for (number, want) in cases {
            assert_eq!(serde_json::to_string(&Written(number)).unwrap(), want);
        }
    }

    #[test]
    fn seconds_are_whole_numbers() {
        let cases = [
            ("0", Some(Some(0))),
            ("-1", Some(Some(-1))),
            ("1357020000.0", Some(Some(1_357_020_000))),
            ("1e9", Some(Some(1_000_000_000))),
            ("99999999999999999999", Some(Some(i64::MAX))),
            ("null", Some(None)),
            ("1.5", None),
            ("\"1\"", None),
            ("true", None),
        ];
        for (text, want) in cases {
            let read: Option<Read> = serde_json::from_str(text).ok();
            assert_eq!(read.map(|read| read.0), want, "{text}");
        }
    }
}

//! Moments as people and files write them.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// A moment in RFC 3339, as a date and time without zone (which is UTC), or in epoch seconds.
pub(crate) fn timestamp(text: &str) -> Result<Timestamp, String> {
    let text = text.trim();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    if let Ok(time) = text.parse::<DateTime>()
        && let Ok(zoned) = time.to_zoned(TimeZone::UTC)
    {
        return Ok(zoned.timestamp());
    }
    let refuse = || format!("must be RFC 3339 or epoch seconds, got `{text}`");
    let seconds: f64 = text.parse().map_err(|_| refuse())?;
    if !seconds.is_finite() {
        return Err(refuse());
    }
    // A float holds the microseconds of our time, and no more.
    Timestamp::from_microsecond((seconds * 1e6).round() as i64).map_err(|_| refuse())
}

/// A microsecond since 1970 began (UTC) in RFC 3339; as the number that it is if no calendar has it.
pub(crate) fn rfc_3339_micros(epoch_micros: i64) -> String {
    Timestamp::from_microsecond(epoch_micros)
        .map_or_else(|_| epoch_micros.to_string(), |timestamp| timestamp.to_string())
}

/// A moment in RFC 3339 to the second, for people; another text as it is.
pub(crate) fn to_the_second(rfc_3339: &str) -> String {
    rfc_3339.parse::<Timestamp>().map_or_else(
        |_| rfc_3339.to_owned(),
        |time| self::rfc_3339(time.as_microsecond().div_euclid(1_000_000)),
    )
}

/// How long something may take, in seconds: `90`, `90s`, `10m`, `2h` or `1d`.
pub(crate) fn duration_s(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let unit = text.trim_start_matches(|character: char| !character.is_ascii_alphabetic());
    let number = &text[..text.len() - unit.len()];
    let seconds = match unit {
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => 0.0,
    };
    match number.trim().parse::<f64>() {
        Ok(number) if seconds > 0.0 && number.is_finite() => Ok(number * seconds),
        _ => Err(format!("must be seconds, or of the form 90s, 10m, 2h or 1d, got `{text}`")),
    }
}

/// The second that a moment is in, in seconds since 1970 began (UTC).
pub(crate) fn epoch_s(text: &str) -> Result<i64, String> {
    // The common form first: the others take longer to be told apart.
    if let Ok(seconds) = text.trim().parse() {
        return Ok(seconds);
    }
    Ok(timestamp(text)?.as_microsecond().div_euclid(1_000_000))
}

/// A second since 1970 began (UTC) in RFC 3339; as the number that it is if no calendar has it.
pub(crate) fn rfc_3339(epoch_s: i64) -> String {
    Timestamp::from_second(epoch_s)
        .map_or_else(|_| epoch_s.to_string(), |timestamp| timestamp.to_string())
}

/// Whether this is a date and nothing else; jiff would pass over a time behind it.
pub(crate) fn is_date(text: &str) -> bool {
    let text = text.trim();
    let is_plain = |character: char| character.is_ascii_digit() || character == '-';
    // A number is one of seconds, even if a calendar could read it.
    text.chars().all(is_plain) && text.parse::<i64>().is_err() && text.parse::<Date>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_every_form() {
        let cases = [
            ("2031-05-07T10:00:00Z", Some("2031-05-07T10:00:00Z")),
            ("2031-05-07T12:00:00+02:00", Some("2031-05-07T10:00:00Z")),
            ("2031-05-07 10:00:00.5", Some("2031-05-07T10:00:00.5Z")),
            ("2031-05-07", Some("2031-05-07T00:00:00Z")),
            ("1700000000", Some("2023-11-14T22:13:20Z")),
            (" 1700000000.25 ", Some("2023-11-14T22:13:20.25Z")),
            ("yesterday", None),
            ("NaN", None),
            ("1e300", None),
        ];
        for (text, want) in cases {
            let time = timestamp(text).ok().map(|time| time.to_string());
            assert_eq!(time.as_deref(), want, "{text}");
        }
    }

    #[test]
    fn people_see_seconds() {
        assert_eq!(to_the_second("2031-05-07T10:00:00.999999Z"), "2031-05-07T10:00:00Z");
        assert_eq!(to_the_second("2031-05-07T10:00:00Z"), "2031-05-07T10:00:00Z");
        assert_eq!(to_the_second("soon"), "soon");
    }

    #[test]
    fn durations_have_units_or_are_seconds() {
        let cases = [
            ("90", Some(90.0)),
            ("90s", Some(90.0)),
            ("10m", Some(600.0)),
            ("10 min", Some(600.0)),
            ("1.5h", Some(5_400.0)),
            ("30d", Some(2_592_000.0)),
            ("-1m", Some(-60.0)),
            ("", None),
            ("m", None),
            ("10w", None),
            ("1e999", None),
            ("ten minutes", None),
            ("10€", None),
        ];
        for (text, want) in cases {
            assert_eq!(duration_s(text).ok(), want, "{text}");
        }
        let refused = duration_s("10w").unwrap_err();
        assert_eq!(refused, "must be seconds, or of the form 90s, 10m, 2h or 1d, got `10w`");
    }

    #[test]
    fn a_second_is_the_one_that_the_moment_is_in() {
        let cases = [
            ("1700000000", Ok(1_700_000_000)),
            ("2023-11-14T22:13:20.75Z", Ok(1_700_000_000)),
            ("-0.5", Ok(-1)),
            ("-7", Ok(-7)),
            ("soon", Err("must be RFC 3339 or epoch seconds, got `soon`".to_owned())),
        ];
        for (text, want) in cases {
            assert_eq!(epoch_s(text), want, "{text}");
        }
        assert_eq!(rfc_3339(1_700_000_000), "2023-11-14T22:13:20Z");
        assert_eq!(rfc_3339(i64::MAX), "9223372036854775807");
    }
}

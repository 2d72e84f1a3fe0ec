//! Moments as people and files write them.

use jiff::Timestamp;
use jiff::civil::DateTime;
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

//! Moments as the API writes them: RFC 3339, in UTC.

use canary_core::time::Timestamp;

/// Reads RFC 3339; a value without zone is UTC.
pub(crate) fn parse(what: &str, text: &str) -> Result<Timestamp, String> {
    let with_zone = text.parse::<jiff::Timestamp>();
    let moment = with_zone.or_else(|_| {
        let local: jiff::civil::DateTime = text.parse()?;
        local.to_zoned(jiff::tz::TimeZone::UTC).map(|zoned| zoned.timestamp())
    });
    moment.map(|moment| Timestamp::from_micros(moment.as_microsecond())).map_err(|_| {
        let shown: String = text.chars().take(64).collect();
        format!("{what} `{shown}` is not a time, write it as RFC 3339: 2026-01-31T12:00:00Z")
    })
}

/// Writes RFC 3339 in UTC.
pub(crate) fn show(moment: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(moment.as_micros())
        .map_or_else(|_| String::new(), |moment| moment.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_and_without_zone_and_written_in_utc() {
        let cases = [
            ("2023-01-01T10:30:00Z", "2023-01-01T10:30:00Z"),
            ("2023-01-01T10:30:00", "2023-01-01T10:30:00Z"),
            ("2023-01-01T10:30:00.123456", "2023-01-01T10:30:00.123456Z"),
            ("2023-01-01T10:30:00+02:00", "2023-01-01T08:30:00Z"),
            ("2023-01-01 10:30:00", "2023-01-01T10:30:00Z"),
        ];
        for (text, want) in cases {
            assert_eq!(show(parse("release_date", text).unwrap()), want, "{text}");
        }
        assert_eq!(
            parse("release_date", "tomorrow").unwrap_err(),
            "release_date `tomorrow` is not a time, write it as RFC 3339: 2026-01-31T12:00:00Z"
        );
    }
}

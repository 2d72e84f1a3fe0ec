//! `--start` and `--end`: which readings are meant, by their time.

use canary_client::ReadingFilter;
use clap::Args;

use crate::command::time;

/// From when to when.
#[derive(Debug, Args)]
pub(super) struct Period {
    /// Only readings from this second on, in RFC 3339 or epoch seconds; a date alone, as in
    /// 2031-05-07, is the beginning of that day (UTC)
    #[arg(long, value_name = "TIME", value_parser = time::epoch_s, allow_negative_numbers = true)]
    pub(super) start: Option<i64>,
    /// Only readings up to this second, itself included; a date alone is the end of that day,
    /// 23:59:59 (UTC)
    #[arg(long, value_name = "TIME", value_parser = last_second, allow_negative_numbers = true)]
    pub(super) end: Option<i64>,
}

impl Period {
    /// The readings of a device in this time.
    pub(super) fn of(&self, device: &str, reading_type: Option<&str>) -> ReadingFilter {
        let mut filter = ReadingFilter::new(device);
        if let Some(name) = reading_type {
            filter = filter.reading_type(name);
        }
        if let Some(epoch_s) = self.start {
            filter = filter.start(epoch_s);
        }
        if let Some(epoch_s) = self.end {
            filter = filter.end(epoch_s);
        }
        filter
    }
}

/// The second that a moment is in, of a date without a time its last, in seconds since 1970 began
/// (UTC).
fn last_second(text: &str) -> Result<i64, String> {
    // A day of UTC has as many seconds as any other.
    const REST_OF_THE_DAY: i64 = 86_400 - 1;
    let first = time::epoch_s(text)?;
    Ok(if time::is_date(text) { first + REST_OF_THE_DAY } else { first })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_may_be_open_at_both_ends() {
        let of = |start, end| Period { start, end }.of("d", Some("wind"));
        let wind = ReadingFilter::new("d").reading_type("wind");
        assert_eq!(of(None, None), wind);
        assert_eq!(of(Some(1), Some(2)), wind.start(1).end(2));
    }

    #[test]
    fn a_date_alone_is_the_whole_day_from_its_start_to_its_end() {
        let cases = [
            ("2013-06-30", "2013-06-30T00:00:00Z", "2013-06-30T23:59:59Z"),
            (" 2012-02-29 ", "2012-02-29T00:00:00Z", "2012-02-29T23:59:59Z"),
            ("1969-12-31", "1969-12-31T00:00:00Z", "1969-12-31T23:59:59Z"),
        ];
        for (text, start, end) in cases {
            assert_eq!(time::epoch_s(text).map(time::rfc_3339), Ok(start.to_owned()), "{text}");
            assert_eq!(last_second(text).map(time::rfc_3339), Ok(end.to_owned()), "{text}");
        }
    }

    #[test]
    fn an_end_with_a_time_is_that_second() {
        let texts = [
            "2013-06-30T00:00:00Z",
            "2013-06-30T02:00:00+02:00",
            "2013-06-30 00:00",
            "2013-06-30T00:00:00.5Z",
            "1372550400",
            "-7",
            "20130630",
        ];
        for text in texts {
            assert_eq!(last_second(text), time::epoch_s(text), "{text}");
        }
        for text in ["2013-06-31", "2013-06", "30.06.2013", "tomorrow"] {
            let want = format!("must be RFC 3339 or epoch seconds, got `{text}`");
            assert_eq!(last_second(text), Err(want));
        }
    }
}

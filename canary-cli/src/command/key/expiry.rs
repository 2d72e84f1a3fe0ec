//! When a key expires, as people write it.

use std::time::Duration;

use canary_core::time::Timestamp;

use crate::command::time;
use crate::failure::Failure;

/// The longest that a key can be made for, in days: a hundred years, or never.
const LONGEST_D: u64 = 36_500;

/// When a key expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// Then.
    At(Timestamp),
    /// So long after its making.
    In(Duration),
}

impl Expiry {
    /// The moment for a key that is made now.
    pub(super) fn after(self, now: Timestamp) -> Result<Timestamp, Failure> {
        match self {
            Self::In(duration) => Ok(now.after(duration)),
            Self::At(moment) if moment > now => Ok(moment),
            Self::At(moment) => {
                let moment = time::rfc_3339_micros(moment.as_micros());
                Err(Failure::usage(format!("--expires {moment} is not in the future")))
            }
        }
    }
}

/// Reads a moment in RFC 3339, a date, or a duration with its unit. A number alone could be either,
/// and is neither.
pub(super) fn parse(text: &str) -> Result<Expiry, String> {
    let text = text.trim();
    let refused = || format!("must be a time in RFC 3339, a date, or as 90d or 12h, got `{text}`");
    if text.parse::<f64>().is_ok() {
        return Err(refused());
    }
    if let Ok(seconds) = time::duration_s(text) {
        let longest = Duration::from_secs(LONGEST_D * 86_400);
        let duration = Duration::try_from_secs_f64(seconds).ok();
        let fit = duration.filter(|duration| !duration.is_zero() && *duration <= longest);
        let unfit = || format!("must be more than nothing and at most {LONGEST_D}d, got `{text}`");
        return fit.map(Expiry::In).ok_or_else(unfit);
    }
    let moment = time::timestamp(text).map_err(|_| refused())?;
    Ok(Expiry::At(Timestamp::from_micros(moment.as_microsecond())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_expires_at_a_time_or_after_one() {
        let days = |count: u64| Ok(Expiry::In(Duration::from_secs(count * 86_400)));
        let at = |seconds| Ok(Expiry::At(Timestamp::from_seconds(seconds)));
        let cases = [
            ("90d", days(90)),
            (" 36500 d ", days(36_500)),
            ("36h", Ok(Expiry::In(Duration::from_secs(129_600)))),
            ("2023-11-14T22:13:20Z", at(1_700_000_000)),
            ("2023-11-14T23:13:20+01:00", at(1_700_000_000)),
            ("2023-11-14", at(1_699_920_000)),
        ];
        for (text, want) in cases {
            assert_eq!(parse(text), want, "{text}");
        }
        for unfit in ["90", "1700000000", "20231114", "0d", "-1d", "36501d", "never", "10w", ""] {
            let refused = parse(unfit).unwrap_err();
            assert!(refused.ends_with(&format!(", got `{unfit}`")), "{refused}");
        }
    }

    #[test]
    fn a_key_is_not_made_for_the_past() {
        let now = Timestamp::from_seconds(1_700_000_000);
        assert_eq!(
            Expiry::In(Duration::from_secs(5)).after(now),
            Ok(Timestamp::from_seconds(1_700_000_005))
        );
        let next = Timestamp::from_micros(now.as_micros() + 1);
        assert_eq!(Expiry::At(next).after(now), Ok(next));
        let refused = Expiry::At(now).after(now).unwrap_err();
        let want = "error: --expires 2023-11-14T22:13:20Z is not in the future\n";
        assert_eq!((refused.exit_code(), refused.text().as_str()), (2, want));
    }
}

//! When to repeat a call, and how long to wait before: pure, so that it is tested as a table.

use std::time::Duration;

use crate::error::Error;

/// The wait before the first repetition; each further one doubles it.
const FIRST: Duration = Duration::from_millis(200);
/// No wait of our own is longer.
const LONGEST: Duration = Duration::from_secs(5);
/// A server that wants to be left alone for longer gets its wish: the call ends.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(30);

/// How long to wait before the call is made again, or that it must not be.
///
/// `attempt` counts the attempts so far from 0; `chance` is from 0 to 1 and takes up to half of
/// the wait away.
pub(crate) fn wait_before_repeating(error: &Error, attempt: u32, chance: f64) -> Option<Duration> {
    let retry_after = match error {
        Error::Unreachable { .. } | Error::Server { status: 502 | 504, .. } => Duration::ZERO,
        Error::Busy { retry_after, .. } => retry_after.unwrap_or_default(),
        _ => return None,
    };
    if retry_after > LONGEST_RETRY_AFTER {
        return None;
    }
    let doubled = FIRST.saturating_mul(2_u32.saturating_pow(attempt)).min(LONGEST);
    let jittered = doubled.mul_f64(1.0 - chance.clamp(0.0, 1.0) / 2.0);
    Some(jittered.max(retry_after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy(retry_after_s: u64) -> Error {
        Error::Busy { retry_after: Some(Duration::from_secs(retry_after_s)), detail: String::new() }
    }

    fn server(status: u16) -> Error {
        Error::Server { status, detail: String::new(), request_id: None }
    }

    #[test]
    fn waits_double_and_jitter_only_shortens_them() {
        let lost = Error::Unreachable { url: String::new(), reason: String::new() };
        let late = Error::TimedOut { url: String::new(), after: Duration::ZERO };
        let gone = Error::NotFound { code: String::new(), detail: String::new() };
        let cases = [
            ("first", &lost, 0, 0.0, Some(200)),
            ("second", &lost, 1, 0.0, Some(400)),
            ("third", &lost, 2, 0.0, Some(800)),
            ("jitter takes up to half", &lost, 2, 1.0, Some(400)),
            ("never longer than 5 s", &lost, 40, 0.0, Some(5000)),
            ("a proxy without its server", &server(502), 0, 0.0, Some(200)),
            ("a proxy that waited too long", &server(504), 0, 0.0, Some(200)),
            ("a fault is not repeated", &server(500), 0, 0.0, None),
            ("Retry-After is a lower bound", &busy(2), 0, 1.0, Some(2000)),
            ("our own wait may be longer", &busy(0), 0, 0.0, Some(200)),
            ("a long Retry-After is not waited for", &busy(31), 0, 0.0, None),
            ("time that is used up", &late, 0, 0.0, None),
            ("a refusal", &gone, 0, 0.0, None),
        ];
        for (name, error, attempt, chance, want_ms) in cases {
            let want = want_ms.map(Duration::from_millis);
            assert_eq!(wait_before_repeating(error, attempt, chance), want, "{name}");
        }
    }
}

//! Numbers as a sentence has them: short, and never rounded to somebody's favour.

use crate::band::Share;
use crate::value::Plain;

/// "2 days", "1 day", "0.5 days", or shorter units below an hour.
pub(super) fn days(days: f64) -> String {
    let seconds = days * 86_400.0;
    match seconds {
        _ if days == 1.0 => "1 day".to_owned(),
        _ if seconds < 120.0 => format!("{} s", Plain((seconds * 10.0).round() / 10.0)),
        _ if seconds < 7_200.0 => format!("{} min", Plain((seconds / 6.0).round() / 10.0)),
        _ => format!("{} days", Plain((days * 100.0).round() / 100.0)),
    }
}

/// A p-value with two digits, rounded up so that it is never claimed too small: "≤ 0.0038".
pub(super) fn at_most(p_value: f64) -> String {
    const SMALLEST: f64 = 1e-9;
    if p_value < SMALLEST {
        return format!("< {SMALLEST}");
    }
    let digits = 1 - p_value.log10().floor() as i32;
    let scale = 10_f64.powi(digits);
    // A hair below the next step is that step: 0.01 must not become 0.011 by rounding.
    let rounded = (p_value * scale - 1e-9).ceil() / scale;
    format!("≤ {}", (rounded * 1e12).round() / 1e12)
}

/// "3.2 of the 20", for evidence as its logarithm and the chance of a wrong verdict that it must
/// come to; never rounded up to what is needed.
pub(super) fn evidence_of(log_e: f64, alpha: f64) -> String {
    // 1 / 0.05 may come out a hair above 20.
    let needed = (10.0 / alpha - 1e-6).ceil() / 10.0;
    let evidence = (log_e.exp() * 10.0).floor() / 10.0;
    format!("{} of the {}", Plain(evidence), Plain(needed))
}

/// "20 %", with one digit behind the point where there is one.
pub(crate) fn percent(share: Share) -> String {
    format!("{} %", Plain((share.as_f64() * 1000.0).round() / 10.0))
}

/// A number of any size, with four digits behind the point or four that are not 0.
pub(super) fn few_digits(value: f64) -> String {
    match value.abs() {
        0.0 | 1.0..1e15 => Plain(value).to_string(),
        1e-9..1.0 => {
            let digits = 3 - value.abs().log10().floor() as i32;
            let shown = format!("{value:.*}", digits.max(0) as usize);
            shown.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => format!("{value:.3e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_are_rounded_up_to_two_digits() {
        let cases = [
            (1.0, "≤ 1"),
            (0.01, "≤ 0.01"),
            (0.003_733, "≤ 0.0038"),
            (0.000_010_01, "≤ 0.000011"),
            (1e-12, "< 0.000000001"),
            (0.0, "< 0.000000001"),
        ];
        for (p_value, want) in cases {
            assert_eq!(at_most(p_value), want);
        }
    }

    #[test]
    fn evidence_is_never_rounded_up_to_what_is_needed() {
        let cases = [
            (1.0, 0.05, "1 of the 20"),
            (3.29, 0.05, "3.2 of the 20"),
            (19.999, 0.05, "19.9 of the 20"),
            (33.33, 0.03, "33.3 of the 33.4"),
            (99.99, 0.01, "99.9 of the 100"),
            (123.45, 1e-9, "123.4 of the 1000000000"),
        ];
        for (evidence, alpha, want) in cases {
            assert_eq!(evidence_of(f64::ln(evidence), alpha), want);
        }
    }

    #[test]
    fn limits_keep_the_digits_that_matter() {
        let cases = [
            (0.0, "0"),
            (240.0, "240"),
            (-152.370_000_000_01, "-152.37"),
            (0.5, "0.5"),
            (0.000_012_345, "0.00001234"),
            (-0.000_2, "-0.0002"),
            (1e-30, "1.000e-30"),
            (2.5e20, "2.500e20"),
        ];
        for (value, want) in cases {
            assert_eq!(few_digits(value), want);
        }
    }
}

//! Two means, compared once, without the assumption of equal variances.

use statrs::function::beta::checked_beta_reg;

use super::normal_above;
use crate::stats::Summary;

/// What a comparison of means needs to know of one arm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// How many values.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// Their variance, divided by the count − 1.
    pub variance: f64,
}

impl Sample {
    /// Of the values that a summary has seen; `None` of fewer than two.
    #[must_use]
    pub fn of(summary: &Summary) -> Option<Self> {
        Some(Self { count: summary.count(), mean: summary.mean()?, variance: summary.variance()? })
    }
}

/// Welch's test and interval for the difference of two means.
///
/// From [Welch 1947](https://doi.org/10.1093/biomet/34.1-2.28).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Welch {
    /// The canary's mean less the baseline's, in the unit of the values.
    pub difference: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// The difference in standard errors.
    pub t: f64,
    /// Degrees of freedom, at least 1.
    pub df: f64,
    /// Chance of a difference that large in either direction if the means are equal, 0 to 1.
    pub p_two_sided: f64,
}

impl Welch {
    /// Compares two samples.
    ///
    /// `None` if one of them has fewer than two values, or no value differs from another.
    #[must_use]
    pub fn of(canary: &Sample, baseline: &Sample) -> Option<Self> {
        if canary.count.min(baseline.count) < 2 {
            return None;
        }
        let part = |sample: &Sample| sample.variance / sample.count as f64;
        let (ours, others) = (part(canary), part(baseline));
        let square = ours + others;
        // As shares of the sum, so that no square leaves the range of floats.
        let squared =
            |part: f64, sample: &Sample| (part / square).powi(2) / (sample.count - 1) as f64;
        let df = 1.0 / (squared(ours, canary) + squared(others, baseline));
        let (difference, standard_error) = (canary.mean - baseline.mean, square.sqrt());
        let t = difference / standard_error;
        (t.is_finite() && df.is_finite()).then(|| Self {
            difference,
            standard_error,
            t,
            df,
            p_two_sided: 2.0 * student_above(t.abs(), df),
        })
    }

    /// The interval that holds the true difference of the means with this confidence, above 0 and
    /// below 1; `None` for any other.
    #[must_use]
    pub fn interval(&self, confidence: f64) -> Option<(f64, f64)> {
        let half = student_quantile((1.0 - confidence) / 2.0, self.df)? * self.standard_error;
        Some((self.difference - half, self.difference + half))
    }
}

/// Degrees of freedom above which Student's curve is the normal one with one correction, to 1e-10.
const NEARLY_NORMAL: f64 = 1e5;

/// The part of Student's curve with `df` degrees of freedom above `t`, which is at least 0.
fn student_above(t: f64, df: f64) -> f64 {
    if df > NEARLY_NORMAL {
        let density = (-t * t / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
        return normal_above(t) + density * (t.powi(3) + t) / (4.0 * df);
    }
    // The incomplete beta function of the smaller part, so that little is lost at either end.
    let square = t * t;
    let inner = square / (df + square);
    let tail = if !inner.is_finite() {
        0.0
    } else if inner < 0.5 {
        1.0 - checked_beta_reg(0.5, df / 2.0, inner).unwrap_or(0.0)
    } else {
        checked_beta_reg(df / 2.0, 0.5, df / (df + square)).unwrap_or(0.0)
    };
    tail.clamp(0.0, 1.0) / 2.0
}

/// The point above which Student's curve has `part` of its mass, by halving to the last digits.
fn student_quantile(part: f64, df: f64) -> Option<f64> {
    if !(part > 0.0 && part < 0.5) {
        return None;
    }
    let (mut low, mut high) = (0.0, 1.0);
    while student_above(high, df) > part {
        (low, high) = (high, high * 2.0);
        if high > 1e300 {
            return None;
        }
    }
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if student_above(middle, df) > part {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(f64::midpoint(low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two-sided, from 40-digit arithmetic.
    #[test]
    fn the_tail_of_students_curve_is_that_of_long_arithmetic() {
        let cases = [
            (2.0, 1e4, 0.045_527_260_661_435_44),
            (0.5, 5e4, 0.617_077_277_853_458_4),
            (5.0, 99_999.0, 5.742_701_775_410_716e-7),
            (3.0, 2e5, 0.002_700_128_462_776_79),
            (12.0, 3.5, 0.000_574_534_192_856_127_9),
            (0.01, 7.0, 0.992_300_317_643_621_8),
            (1.96, 1e6, 0.049_996_067_585_269_79),
            (40.0, 1.0, 0.015_912_179_824_051_63),
        ];
        for (t, df, want) in cases {
            let got = 2.0 * student_above(t, df);
            assert!((got - want).abs() < 1e-10, "t {t}, {df} degrees: {got}");
        }
        assert_eq!(student_above(0.0, 5.0), 0.5);
        assert_eq!(student_above(f64::MAX, 5.0), 0.0);
    }

    #[test]
    fn the_interval_holds_the_published_quantiles() {
        let test =
            |df| Welch { difference: 2.0, standard_error: 1.0, t: 2.0, df, p_two_sided: 0.05 };
        let cases = [
            (10.0, 0.95, 2.228_139),
            (1.0, 0.99, 63.656_74),
            (3e5, 0.95, 1.959_97),
            (30.0, 0.5, 0.682_756),
        ];
        for (df, confidence, half) in cases {
            let (low, high) = test(df).interval(confidence).unwrap();
            assert!((high - 2.0 - half).abs() < 1e-4 && (2.0 - low - half).abs() < 1e-4, "{df}");
        }
        for wrong in [0.0, 1.0, f64::NAN, 2.0] {
            assert_eq!(test(5.0).interval(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn there_is_nothing_to_compare_without_a_spread() {
        let sample = |count, variance| Sample { count, mean: 3.0, variance };
        assert_eq!(Welch::of(&sample(1, 1.0), &sample(9, 1.0)), None);
        assert_eq!(Welch::of(&sample(9, 0.0), &sample(9, 0.0)), None);
        let one_sided = Welch::of(&sample(9, 0.0), &sample(9, 1.0)).unwrap();
        assert_eq!((one_sided.df, one_sided.p_two_sided), (8.0, 1.0));
        let huge = Welch::of(&sample(u64::MAX, 1e300), &sample(2, 1e-300)).unwrap();
        assert!(huge.df > 1e18 && huge.interval(0.99).is_some());
    }
}

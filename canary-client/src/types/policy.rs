//! Policies: how a canary is judged, and what follows when there is nothing to judge by.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Declares a setting that is a word.
macro_rules! words {
    (
        $(#[$doc:meta])* $name:ident,
        $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant),+
        }

        impl $name {
            /// The word of the API.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }
    };
}

words!(
    /// Which rule judges the canary against its threshold.
    ThresholdRule,
    /// A test of the success rate that stays valid however often one looks; the default.
    Threshold = "threshold",
    /// The plain success percentage once [`Policy::min_signals`] are in; it promises nothing about
    /// false alarms.
    Ratio = "ratio"
);
words!(
    /// What happens at the end of the period to a canary that nothing speaks against and that is
    /// not proven good.
    AtEnd,
    /// It becomes stable; the default.
    Promote = "promote",
    /// It stays a canary until it is proven good, or somebody decides.
    Hold = "hold",
    /// It is taken back.
    Rollback = "rollback"
);
words!(
    /// What happens at the end of the period to a canary with too few signals.
    OnInsufficient,
    /// It stays a canary until there are enough; the default.
    Hold = "hold",
    /// It becomes stable, unproven.
    Promote = "promote",
    /// It is taken back.
    Rollback = "rollback"
);
words!(
    /// What happens to a running canary when a newer release is registered.
    OnSupersede,
    /// It is promoted if it is judged healthy and a stable release exists, else superseded; the
    /// default.
    PromoteIfHealthy = "promote_if_healthy",
    /// It is superseded, whatever it showed.
    Abort = "abort",
    /// The newer release is refused.
    Reject = "reject"
);
words!(
    /// Which values of a measurement or reading are bad.
    Direction,
    /// High ones, as of a latency.
    HighIsBad = "high_is_bad",
    /// Low ones, as of a throughput.
    LowIsBad = "low_is_bad"
);

/// How a canary is judged.
///
/// In a request, what is not set is as the product's own policy says, and where that says nothing
/// as it is for a team that sets nothing; each setting's default is that one. In an answer it is
/// the policy in full, as fields; `None` is a setting that is off.
///
/// The server checks the ranges: a value out of its range is
/// [`Error::Invalid`](crate::Error::Invalid).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use canary_client::{AtEnd, Direction, NewRelease, Policy};
///
/// let policy = Policy::default()
///     .alpha(0.01)
///     .early_promotion(true)
///     .min_signals(30)
///     .at_end(AtEnd::Hold)
///     .report_within(Duration::from_secs(600))
///     .judge_measurement("latency_ms", Direction::HighIsBad);
/// assert_eq!(policy.alpha, Some(0.01));
/// let canary = NewRelease::new("https://registry.example/etl", "1.5.0").policy(policy);
/// # let _ = canary;
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
#[must_use]
pub struct Policy {
    /// The rule for the threshold, see [`Self::rule`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The chance of a false rollback, see [`Self::alpha`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    /// The threshold's part of it, see [`Self::alpha_floor`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha_floor: Option<f64>,
    /// The measurements' part of it, see [`Self::alpha_measurements`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha_measurements: Option<f64>,
    /// The ratio of the odds of failing that is fine, see [`Self::rho0`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rho0: Option<f64>,
    /// Whether a proven canary is promoted early, see [`Self::early_promotion`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_promotion: Option<bool>,
    /// The ratio that must not count as proven good, see [`Self::rho`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rho: Option<f64>,
    /// The failure rate that counts as good, see [`Self::q`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<f64>,
    /// The chance of a false proof, see [`Self::beta`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta: Option<f64>,
    /// The share that stays with the stable version, see [`Self::holdback`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holdback: Option<f64>,
    /// How many signals make a verdict, see [`Self::min_signals`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_signals: Option<u32>,
    /// What follows for the unproven, see [`Self::at_end`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_end: Option<String>,
    /// What follows with fewer signals, see [`Self::on_insufficient`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_insufficient: Option<String>,
    /// What a newer release does, see [`Self::on_supersede`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_supersede: Option<String>,
    /// Seconds within which a run must be reported, see [`Self::report_within`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report_within: Option<f64>,
    /// Whether every run of one instance counts, see [`Self::count_repeats`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count_repeats: Option<bool>,
    /// Measurements that are judged, and which of their values are bad, see
    /// [`Self::judge_measurement`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measurements: Option<BTreeMap<String, String>>,
    /// Types of readings that are judged, and which of their values are bad, see
    /// [`Self::judge_reading`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readings: Option<BTreeMap<String, String>>,
}

impl Policy {
    /// The rule for the threshold; [`ThresholdRule::Threshold`] by default.
    pub fn rule(mut self, rule: ThresholdRule) -> Self {
        self.rule = Some(rule.as_str().to_owned());
        self
    }

    /// The chance of rolling back a canary that is not worse, over its whole life, 1e-9 to 0.5;
    /// 0.05 by default. All rules share it.
    pub fn alpha(mut self, chance: f64) -> Self {
        self.alpha = Some(chance);
        self
    }

    /// What the test against the threshold gets of [`alpha`](Self::alpha), 0 to 0.5; a fifth of it
    /// by default, 0 switches the test off.
    pub fn alpha_floor(mut self, chance: f64) -> Self {
        self.alpha_floor = Some(chance);
        self
    }

    /// What measurements and readings get of [`alpha`](Self::alpha), together, 0 to 0.5; half of
    /// what the threshold leaves by default. The comparison of failures with the stable version
    /// gets the rest.
    pub fn alpha_measurements(mut self, chance: f64) -> Self {
        self.alpha_measurements = Some(chance);
        self
    }

    /// The highest ratio of the canary's odds of failing to those of the stable version that is
    /// fine, 0.01 to 100; 1 ("not worse") by default.
    pub fn rho0(mut self, ratio: f64) -> Self {
        self.rho0 = Some(ratio);
        self
    }

    /// Whether a canary that is proven good is promoted before its period is over; no by default.
    pub fn early_promotion(mut self, is_early: bool) -> Self {
        self.early_promotion = Some(is_early);
        self
    }

    /// The ratio of the odds of failing that must not count as proven good, 1.5 to 100; 2 by
    /// default.
    pub fn rho(mut self, ratio: f64) -> Self {
        self.rho = Some(ratio);
        self
    }

    /// A failure rate below which a canary counts as proven good whatever the stable version does,
    /// above 0 and below 1; none by default.
    pub fn q(mut self, failure_rate: f64) -> Self {
        self.q = Some(failure_rate);
        self
    }

    /// The chance of calling a canary proven good that is not, 1e-9 to 0.5; 0.05 by default.
    pub fn beta(mut self, chance: f64) -> Self {
        self.beta = Some(chance);
        self
    }

    /// The share of the runs that stays with the stable version until the verdict, 0 to 0.9; 0 by
    /// default. Where everybody gets the canary there is nothing to compare it with.
    pub fn holdback(mut self, share: f64) -> Self {
        self.holdback = Some(share);
        self
    }

    /// How many judged runs of the canary make a verdict at the end of its period, 0 to 1 000 000;
    /// 1 by default.
    pub fn min_signals(mut self, count: u32) -> Self {
        self.min_signals = Some(count);
        self
    }

    /// What follows at the end of the period when nothing speaks against the canary and it is not
    /// proven good; [`AtEnd::Promote`] by default.
    pub fn at_end(mut self, action: AtEnd) -> Self {
        self.at_end = Some(action.as_str().to_owned());
        self
    }

    /// What follows at the end of the period with fewer than [`min_signals`](Self::min_signals);
    /// [`OnInsufficient::Hold`] by default.
    pub fn on_insufficient(mut self, action: OnInsufficient) -> Self {
        self.on_insufficient = Some(action.as_str().to_owned());
        self
    }

    /// What a newer release does to this one while it runs; [`OnSupersede::PromoteIfHealthy`] by
    /// default.
    pub fn on_supersede(mut self, action: OnSupersede) -> Self {
        self.on_supersede = Some(action.as_str().to_owned());
        self
    }

    /// Within which time a run must be reported, else it counts as failed, 1 s to 30 days; never by
    /// default.
    pub fn report_within(mut self, time: Duration) -> Self {
        self.report_within = Some(time.as_secs_f64());
        self
    }

    /// Whether every run of one instance counts; no by default: then its runs count once in each
    /// block of ten, so that retries of one fault are one failure.
    pub fn count_repeats(mut self, is_counted: bool) -> Self {
        self.count_repeats = Some(is_counted);
        self
    }

    /// Compares a measurement of signals with that of the stable version; at most 16 of them, none
    /// by default. In a release it takes the place of all that the product's policy names.
    pub fn judge_measurement(mut self, name: impl Into<String>, direction: Direction) -> Self {
        let judged = self.measurements.get_or_insert_default();
        judged.insert(name.into(), direction.as_str().to_owned());
        self
    }

    /// Compares readings of a type with those of devices that run the stable version; at most 16
    /// types, none by default. In a release it takes the place of all that the product's policy
    /// names.
    pub fn judge_reading(mut self, reading_type: impl Into<String>, direction: Direction) -> Self {
        let judged = self.readings.get_or_insert_default();
        judged.insert(reading_type.into(), direction.as_str().to_owned());
        self
    }
}

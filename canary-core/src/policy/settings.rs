//! What somebody sets of a policy, and the checks that need more than one setting.

use std::collections::BTreeMap;

use super::{
    AtEnd, Chances, HoldBack, MinSignals, OnInsufficient, OnSupersede, Policy, ReportWithin,
    ThresholdRule,
};
use crate::judge::blocks::Closed;
use crate::judge::measurement::Direction;
use crate::judge::promotion::{Promotion, Service};
use crate::judge::sequential::Alpha;
use crate::reading::TypeName;
use crate::signal::MeasurementName;
use crate::value::{ValueError, check_range};

/// Why settings are not a policy.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PolicyError {
    /// One setting is out of its range.
    #[error("{error}")]
    Value {
        /// The setting.
        setting: &'static str,
        /// What is wrong with it.
        error: ValueError,
    },
    /// The parts of alpha are more than alpha.
    #[error(
        "alpha_floor ({floor}) and alpha_measurements ({measurements}) together are more than alpha ({alpha}), of which they are parts: lower one of them, or raise alpha"
    )]
    PartsExceedAlpha {
        /// The chance of a false rollback in all.
        alpha: f64,
        /// The part of the floor.
        floor: f64,
        /// The part of measurements and readings.
        measurements: f64,
    },
    /// Measurements or readings are to be judged, and no chance of a false rollback is left for it.
    #[error(
        "measurements and readings get nothing of alpha ({alpha}): leave alpha_measurements out{}",
        or_lower(*.floor)
    )]
    NothingForMeasurements {
        /// The chance of a false rollback in all.
        alpha: f64,
        /// The part of the floor, if it has one.
        floor: Option<f64>,
    },
    /// No rule is left that could roll a canary back.
    #[error(
        "alpha_floor and the part of the comparison with the stable version are both 0: nothing could ever roll the canary back; leave alpha_floor out"
    )]
    NothingJudges,
}

/// What else gives measurements and readings a part of alpha.
fn or_lower(floor: Option<f64>) -> String {
    match floor {
        Some(floor) => format!(", set it above 0, or lower alpha_floor ({floor})"),
        None => " or set it above 0".to_owned(),
    }
}

impl PolicyError {
    /// The setting to change.
    #[must_use]
    pub const fn setting(&self) -> &'static str {
        match self {
            Self::Value { setting, .. } => setting,
            Self::PartsExceedAlpha { .. } | Self::NothingJudges => "alpha_floor",
            Self::NothingForMeasurements { .. } => "alpha_measurements",
        }
    }
}

/// What somebody sets of a policy; what is `None` stays as it is.
///
/// Names, units and ranges are those of [`Policy`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// See [`Policy::rule`].
    pub rule: Option<ThresholdRule>,
    /// See [`Chances::total`].
    pub alpha: Option<f64>,
    /// See [`Chances::floor`].
    pub alpha_floor: Option<f64>,
    /// See [`Chances::measurements`].
    pub alpha_measurements: Option<f64>,
    /// See [`Policy::rho0`].
    pub rho0: Option<f64>,
    /// See [`Policy::early_promotion`].
    pub early_promotion: Option<bool>,
    /// See [`Policy::rho`].
    pub rho: Option<f64>,
    /// See [`Policy::q`].
    pub q: Option<f64>,
    /// See [`Policy::beta`].
    pub beta: Option<f64>,
    /// See [`Policy::holdback`].
    pub holdback: Option<f64>,
    /// See [`Policy::min_signals`].
    pub min_signals: Option<i64>,
    /// See [`Policy::at_end`].
    pub at_end: Option<AtEnd>,
    /// See [`Policy::on_insufficient`].
    pub on_insufficient: Option<OnInsufficient>,
    /// See [`Policy::on_supersede`].
    pub on_supersede: Option<OnSupersede>,
    /// See [`Policy::report_within`].
    pub report_within: Option<f64>,
    /// See [`Policy::count_repeats`].
    pub count_repeats: Option<bool>,
    /// See [`Policy::measurements`].
    pub measurements: Option<BTreeMap<MeasurementName, Direction>>,
    /// See [`Policy::readings`].
    pub readings: Option<BTreeMap<TypeName, Direction>>,
}

/// Applies a setting if there is one.
fn set<T, V>(
    target: &mut T,
    setting: &'static str,
    value: Option<V>,
    check: impl FnOnce(V) -> Result<T, ValueError>,
) -> Result<(), PolicyError> {
    if let Some(value) = value {
        *target = check(value).map_err(|error| PolicyError::Value { setting, error })?;
    }
    Ok(())
}

impl Policy {
    /// Most measurements, and most types of readings, that one policy judges.
    pub const MOST_JUDGED: usize = 16;

    /// This policy with some settings changed.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] with the setting, the value, and what to change.
    pub fn with(&self, settings: &Settings) -> Result<Self, PolicyError> {
        let mut policy = self.clone();
        set(&mut policy.rule, "rule", settings.rule, Ok)?;
        set(&mut policy.rho0, "rho0", settings.rho0, |rho0| Ok(Closed::new(rho0)?.rho0()))?;
        set(&mut policy.early_promotion, "early_promotion", settings.early_promotion, Ok)?;
        set(&mut policy.rho, "rho", settings.rho, |rho| Promotion::new(rho, None).map(|_| rho))?;
        set(&mut policy.q, "q", settings.q, |q| {
            check_range("q", q, Service::LOWEST, Service::HIGHEST, "").map(Some)
        })?;
        set(&mut policy.beta, "beta", settings.beta, |beta| chance("beta", beta))?;
        set(&mut policy.holdback, "holdback", settings.holdback, HoldBack::parse)?;
        set(&mut policy.min_signals, "min_signals", settings.min_signals, MinSignals::parse)?;
        set(&mut policy.at_end, "at_end", settings.at_end, Ok)?;
        set(&mut policy.on_insufficient, "on_insufficient", settings.on_insufficient, Ok)?;
        set(&mut policy.on_supersede, "on_supersede", settings.on_supersede, Ok)?;
        set(&mut policy.report_within, "report_within", settings.report_within, |seconds| {
            ReportWithin::parse(seconds).map(Some)
        })?;
        set(&mut policy.count_repeats, "count_repeats", settings.count_repeats, Ok)?;
        let names = settings.measurements.clone();
        set(&mut policy.measurements, "measurements", names, |names| few("measurements", names))?;
        let types = settings.readings.clone();
        set(&mut policy.readings, "readings", types, |types| few("readings", types))?;
        policy.chances = self.chances.with(settings, policy.rule)?;
        policy.check_parts()?;
        Ok(policy)
    }

    /// Every setting of this policy, so that [`Policy::with`] of the default gives it again.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            rule: Some(self.rule),
            alpha: Some(self.chances.total),
            alpha_floor: self.chances.floor,
            alpha_measurements: self.chances.measurements,
            rho0: Some(self.rho0),
            early_promotion: Some(self.early_promotion),
            rho: Some(self.rho),
            q: self.q,
            beta: Some(self.beta.get()),
            holdback: Some(self.holdback.share()),
            min_signals: Some(i64::from(self.min_signals.get())),
            at_end: Some(self.at_end),
            on_insufficient: Some(self.on_insufficient),
            on_supersede: Some(self.on_supersede),
            report_within: self.report_within.map(ReportWithin::seconds),
            count_repeats: Some(self.count_repeats),
            measurements: Some(self.measurements.clone()),
            readings: Some(self.readings.clone()),
        }
    }

    /// Checks what alpha is made of, once all is set.
    fn check_parts(&self) -> Result<(), PolicyError> {
        let Chances { total: alpha, measurements, .. } = self.chances;
        let floor = self.chances.floor();
        let parts = measurements.unwrap_or(0.0);
        // 0.01 + 0.04 is more than 0.05 in binary.
        if floor + parts > alpha * (1.0 + 1e-9) {
            return Err(PolicyError::PartsExceedAlpha { alpha, floor, measurements: parts });
        }
        let alphas = self.alphas();
        if self.judged() > 0 && alphas.measurement.is_none() {
            let floor = Some(floor).filter(|floor| *floor > 0.0);
            return Err(PolicyError::NothingForMeasurements { alpha, floor });
        }
        let has_threshold = alphas.floor.is_some() || self.rule == ThresholdRule::Ratio;
        if !has_threshold && alphas.baseline.is_none() {
            return Err(PolicyError::NothingJudges);
        }
        Ok(())
    }
}

impl Chances {
    fn with(mut self, settings: &Settings, rule: ThresholdRule) -> Result<Self, PolicyError> {
        self.has_floor = rule == ThresholdRule::Threshold;
        set(&mut self.total, "alpha", settings.alpha, |alpha| {
            chance("alpha", alpha).map(Alpha::get)
        })?;
        set(&mut self.floor, "alpha_floor", settings.alpha_floor, |part| {
            check_range("alpha_floor", part, 0.0, 0.5, "").map(Some)
        })?;
        set(&mut self.measurements, "alpha_measurements", settings.alpha_measurements, |part| {
            check_range("alpha_measurements", part, 0.0, 0.5, "").map(Some)
        })?;
        Ok(self)
    }
}

fn chance(what: &'static str, chance: f64) -> Result<Alpha, ValueError> {
    check_range(what, chance, Alpha::MINIMUM, Alpha::MAXIMUM, "").and_then(Alpha::parse)
}

fn few<K, V>(what: &'static str, map: BTreeMap<K, V>) -> Result<BTreeMap<K, V>, ValueError> {
    let (count, limit) = (map.len(), Policy::MOST_JUDGED);
    if count > limit {
        return Err(ValueError::TooMany { what, count, limit });
    }
    Ok(map)
}

//! Policies as they are stored: the settings that were made, as JSON, by their words.

use std::collections::BTreeMap;

use canary_core::judge::measurement::Direction;
use canary_core::policy::{AtEnd, OnInsufficient, OnSupersede, Policy, Settings, ThresholdRule};
use canary_core::reading::TypeName;
use canary_core::signal::MeasurementName;
use canary_core::value::ValueError;
use serde::{Deserialize, Serialize};

/// What somebody set; rows of older versions have fewer fields.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct PolicyRow {
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alpha: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alpha_floor: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alpha_measurements: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rho0: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    early_promotion: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rho: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    q: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    beta: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    holdback: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_signals: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_end: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_insufficient: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_supersede: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report_within: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count_repeats: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    measurements: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    readings: Option<BTreeMap<String, String>>,
}

/// As JSON text.
pub(crate) fn write(settings: &Settings) -> String {
    // Words and finite numbers always become JSON.
    serde_json::to_string(&PolicyRow::from(settings)).unwrap_or_default()
}

/// As JSON.
pub(crate) fn to_json(settings: &Settings) -> serde_json::Value {
    // Words and finite numbers always become JSON.
    serde_json::to_value(PolicyRow::from(settings)).unwrap_or_default()
}

/// From JSON text; `None` if it is no policy.
pub(crate) fn read(json: &str) -> Option<Settings> {
    serde_json::from_str::<PolicyRow>(json).ok()?.try_into().ok()
}

/// From JSON text; `None` if it is no policy.
pub(crate) fn read_whole(json: &str) -> Option<Policy> {
    Policy::default().with(&read(json)?).ok()
}

impl From<&Settings> for PolicyRow {
    fn from(settings: &Settings) -> Self {
        let text = |word: &'static str| word.to_owned();
        let measurements = settings.measurements.as_ref();
        let readings = settings.readings.as_ref();
        Self {
            rule: settings.rule.map(|word| text(word.as_str())),
            alpha: settings.alpha,
            alpha_floor: settings.alpha_floor,
            alpha_measurements: settings.alpha_measurements,
            rho0: settings.rho0,
            early_promotion: settings.early_promotion,
            rho: settings.rho,
            q: settings.q,
            beta: settings.beta,
            holdback: settings.holdback,
            min_signals: settings.min_signals,
            at_end: settings.at_end.map(|word| text(word.as_str())),
            on_insufficient: settings.on_insufficient.map(|word| text(word.as_str())),
            on_supersede: settings.on_supersede.map(|word| text(word.as_str())),
            report_within: settings.report_within,
            count_repeats: settings.count_repeats,
            measurements: measurements.map(|judged| words(judged, MeasurementName::as_str)),
            readings: readings.map(|judged| words(judged, TypeName::as_str)),
        }
    }
}

impl TryFrom<PolicyRow> for Settings {
    type Error = ValueError;

    fn try_from(row: PolicyRow) -> Result<Self, ValueError> {
        let word = |word: &Option<String>| word.clone();
        Ok(Self {
            rule: word(&row.rule).map(|word| ThresholdRule::parse(&word)).transpose()?,
            alpha: row.alpha,
            alpha_floor: row.alpha_floor,
            alpha_measurements: row.alpha_measurements,
            rho0: row.rho0,
            early_promotion: row.early_promotion,
            rho: row.rho,
            q: row.q,
            beta: row.beta,
            holdback: row.holdback,
            min_signals: row.min_signals,
            at_end: word(&row.at_end).map(|word| AtEnd::parse(&word)).transpose()?,
            on_insufficient: word(&row.on_insufficient)
                .map(|word| OnInsufficient::parse(&word))
                .transpose()?,
            on_supersede: word(&row.on_supersede)
                .map(|word| OnSupersede::parse(&word))
                .transpose()?,
            report_within: row.report_within,
            count_repeats: row.count_repeats,
            measurements: row
                .measurements
                .map(|judged| names(judged, MeasurementName::parse))
                .transpose()?,
            readings: row.readings.map(|judged| names(judged, TypeName::parse)).transpose()?,
        })
    }
}

fn words<N>(
    judged: &BTreeMap<N, Direction>,
    name: impl Fn(&N) -> &str,
) -> BTreeMap<String, String> {
    let entry =
        |(of, direction): (&N, &Direction)| (name(of).to_owned(), direction.as_str().to_owned());
    judged.iter().map(entry).collect()
}

fn names<N: Ord>(
    judged: BTreeMap<String, String>,
    name: impl Fn(String) -> Result<N, ValueError>,
) -> Result<BTreeMap<N, Direction>, ValueError> {
    judged.into_iter().map(|(of, word)| Ok((name(of)?, Direction::parse(&word)?))).collect()
}

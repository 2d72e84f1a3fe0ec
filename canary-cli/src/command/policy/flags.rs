//! A flag for every setting of a policy.

use canary_client::Policy;
use canary_core::judge::measurement::Direction;
use canary_core::policy::{self, PolicyError, Settings};
use canary_core::reading::TypeName;
use canary_core::signal::MeasurementName;
use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::command::{name_and_value, time};

/// Above the flags in every help.
const HEADING: &str = "Policy";

/// How a canary is judged; what is not given is left to others.
#[derive(Debug, Clone, Default, PartialEq, Args)]
#[command(next_help_heading = HEADING)]
pub(crate) struct PolicyFlags {
    /// How the success rate is judged against the threshold: by a test that stays valid however
    /// often one looks, or as a plain ratio [default: threshold]
    #[arg(long, value_parser = PossibleValuesParser::new(["threshold", "ratio"]))]
    rule: Option<String>,
    /// Chance of rolling back a canary that is not worse, over its whole life, 1e-9 to 0.5
    /// [default: 0.05]
    #[arg(long, value_name = "CHANCE", value_parser = alpha)]
    alpha: Option<f64>,
    /// What the threshold gets of alpha, 0 for no such rule [default: a fifth of alpha]
    #[arg(long, value_name = "CHANCE", value_parser = alpha_floor)]
    alpha_floor: Option<f64>,
    /// What measurements and readings get of alpha, together; the comparison of failures gets the
    /// rest [default: half of what the threshold leaves]
    #[arg(long, value_name = "CHANCE", value_parser = alpha_measurements)]
    alpha_measurements: Option<f64>,
    /// Highest ratio of the canary's odds of failing to those of the stable version that is fine,
    /// 0.01 to 100; 1 is "not worse" [default: 1]
    #[arg(long, value_name = "RATIO", value_parser = rho0)]
    rho0: Option<f64>,
    /// Promote a canary that is proven good before its period is over [default: false]
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true,
        default_missing_value = "true")]
    early_promotion: Option<bool>,
    /// Ratio of the odds of failing that must not count as proven good, 1.5 to 100 [default: 2]
    #[arg(long, value_name = "RATIO", value_parser = rho)]
    rho: Option<f64>,
    /// Failure rate below which it counts as proven good whatever the stable version does, between
    /// 0 and 1 [default: none]
    #[arg(short, long, value_name = "RATE", value_parser = q)]
    q: Option<f64>,
    /// Chance of calling proven good what is not, 1e-9 to 0.5 [default: 0.05]
    #[arg(long, value_name = "CHANCE", value_parser = beta)]
    beta: Option<f64>,
    /// Share of the runs that stays with the stable version until the verdict, 0 to 0.9
    /// [default: 0]
    #[arg(long, value_name = "SHARE", value_parser = holdback)]
    holdback: Option<f64>,
    /// How many judged runs make a verdict at the end of the period [default: 1]
    #[arg(long, value_name = "COUNT", value_parser = min_signals)]
    min_signals: Option<u32>,
    /// What follows at the end of the period when nothing speaks against the canary and it is not
    /// proven good [default: promote]
    #[arg(long, value_name = "ACTION",
        value_parser = PossibleValuesParser::new(["promote", "hold", "rollback"]))]
    at_end: Option<String>,
    /// What follows at the end of the period with fewer runs than --min-signals [default: hold]
    #[arg(long, value_name = "ACTION",
        value_parser = PossibleValuesParser::new(["hold", "promote", "rollback"]))]
    on_insufficient: Option<String>,
    /// What a newer release does to this one while it runs [default: promote_if_healthy]
    #[arg(long, value_name = "ACTION",
        value_parser = PossibleValuesParser::new(["promote_if_healthy", "abort", "reject"]))]
    on_supersede: Option<String>,
    /// Time within which a run must be reported, else it counts as failed: seconds, or 90s, 10m,
    /// 2h, from 1s to 30d [default: never]
    #[arg(long, value_name = "DURATION", value_parser = report_within)]
    report_within: Option<f64>,
    /// Count every run of one instance, and not only its first in each block of ten
    /// [default: false]
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true,
        default_missing_value = "true")]
    count_repeats: Option<bool>,
    /// Compare a measurement of signals: latency_ms=high_is_bad or rows=low_is_bad, may be given
    /// more than once; `none` for no measurement [default: none]
    #[arg(long, value_name = "NAME=DIRECTION", value_parser = judged_measurement)]
    judge_measurement: Vec<Judged>,
    /// Compare readings of a type: temperature=low_is_bad, may be given more than once; `none` for
    /// no readings [default: none]
    #[arg(long, value_name = "TYPE=DIRECTION", value_parser = judged_reading)]
    judge_reading: Vec<Judged>,
}

/// What a flag says is judged.
#[derive(Debug, Clone, PartialEq)]
enum Judged {
    /// Nothing of this kind.
    Nothing,
    /// A name, and which of its values are bad.
    One(String, &'static str),
}

impl PolicyFlags {
    /// What the flags say; what they do not say is not set.
    pub(crate) fn policy(&self) -> Policy {
        let mut policy = Policy::default();
        policy.rule.clone_from(&self.rule);
        policy.alpha = self.alpha;
        policy.alpha_floor = self.alpha_floor;
        policy.alpha_measurements = self.alpha_measurements;
        policy.rho0 = self.rho0;
        policy.early_promotion = self.early_promotion;
        policy.rho = self.rho;
        policy.q = self.q;
        policy.beta = self.beta;
        policy.holdback = self.holdback;
        policy.min_signals = self.min_signals;
        policy.at_end.clone_from(&self.at_end);
        policy.on_insufficient.clone_from(&self.on_insufficient);
        policy.on_supersede.clone_from(&self.on_supersede);
        policy.report_within = self.report_within;
        policy.count_repeats = self.count_repeats;
        policy.measurements = judged(&self.judge_measurement);
        policy.readings = judged(&self.judge_reading);
        policy
    }

    /// The same, if anything was said.
    pub(crate) fn given(&self) -> Option<Policy> {
        Some(self.policy()).filter(|policy| *policy != Policy::default())
    }
}

fn judged(flags: &[Judged]) -> Option<std::collections::BTreeMap<String, String>> {
    let one = |flag: &Judged| match flag {
        Judged::Nothing => None,
        Judged::One(name, direction) => Some((name.clone(), (*direction).to_owned())),
    };
    (!flags.is_empty()).then(|| flags.iter().filter_map(one).collect())
}

/// Checks one setting as the server will; settings that depend on each other are left to it.
fn check(settings: &Settings) -> Result<(), String> {
    match policy::Policy::default().with(settings) {
        Err(PolicyError::Value { error, .. }) => Err(error.to_string()),
        _ => Ok(()),
    }
}

/// Declares the parser of a flag that is a number.
macro_rules! number {
    ($($name:ident),+) => {
        $(fn $name(text: &str) -> Result<f64, String> {
            let number = text.parse().map_err(|_| "it must be a number".to_owned())?;
            check(&Settings { $name: Some(number), ..Settings::default() })?;
            Ok(number)
        })+
    };
}

number!(alpha, alpha_floor, alpha_measurements, rho0, rho, q, beta, holdback);

fn min_signals(text: &str) -> Result<u32, String> {
    let count: i64 = text.parse().map_err(|_| "it must be a whole number".to_owned())?;
    check(&Settings { min_signals: Some(count), ..Settings::default() })?;
    u32::try_from(count).map_err(|error| error.to_string())
}

fn report_within(text: &str) -> Result<f64, String> {
    let seconds = time::duration_s(text)?;
    check(&Settings { report_within: Some(seconds), ..Settings::default() })?;
    Ok(seconds)
}

fn judged_measurement(text: &str) -> Result<Judged, String> {
    judged_name(text, |name| MeasurementName::parse(name).map(drop))
}

fn judged_reading(text: &str) -> Result<Judged, String> {
    judged_name(text, |name| TypeName::parse(name).map(drop))
}

fn judged_name(
    text: &str,
    check: impl Fn(&str) -> Result<(), canary_core::value::ValueError>,
) -> Result<Judged, String> {
    if text == "none" {
        return Ok(Judged::Nothing);
    }
    let (name, word) = name_and_value(text)
        .map_err(|_| "it must be NAME=high_is_bad or NAME=low_is_bad".to_owned())?;
    check(name).map_err(|error| error.to_string())?;
    let direction = Direction::parse(word).map_err(|error| error.to_string())?;
    Ok(Judged::One(name.to_owned(), direction.as_str()))
}

#[cfg(test)]
mod tests;

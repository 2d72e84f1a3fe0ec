//! `canary release analysis`: the numbers that the judge sees.

use canary_client::{
    Analysis, Client, Comparisons, FailureRates, JudgedArm, MeasurementComparison, Quantiles,
};
use clap::Args;

use super::findings::{self, Finding};
use super::show::bands;
use super::target::Target;
use crate::failure::Failure;
use crate::output::{self, Output};

/// Shows the numbers that the judge sees of a canary
///
/// Runs of both versions in all and by band, what each rule has found, and what is missing for a
/// verdict. `canary release explain` says it in words.
///
/// The evidence of a rule begins at 1; the rule speaks once it has reached 1 / alpha, and its
/// p-value holds however often one looks. The comparisons at the end are for people and no ground
/// for a verdict: each holds for one look that was planned.
///
/// Exits with 1 if the release never was a canary.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary release analysis 0192f0c1-7e9b-7cc3-98c4-dc0c0c07398f
  canary release analysis --product etl --version 1.5.0 --output json")]
pub(crate) struct AnalysisOf {
    #[command(flatten)]
    target: Target,
}

impl AnalysisOf {
    pub(super) fn run(&self, client: &Client, output: &mut Output<'_>) -> Result<(), Failure> {
        output.show(&client.analysis(&self.target.id(client)?)?, text)
    }
}

fn text(analysis: &Analysis) -> String {
    let Analysis { comparisons, outlook, verdict, .. } = analysis;
    let mut parts = vec![summary(analysis), bands(&analysis.bands), rules(analysis)];
    if comparisons.failure_rate.is_some() || !comparisons.measurements.is_empty() {
        parts.push(compared(analysis, comparisons));
    }
    if !comparisons.measurements.is_empty() {
        parts.push(quantiles(analysis, &comparisons.measurements));
    }
    let verdict = verdict.as_ref().map(|verdict| &verdict.sentence);
    let last = verdict.or(outlook.as_ref().map(|outlook| &outlook.sentence));
    parts.extend(last.map(|sentence| output::hanging("", sentence)));
    parts.join("\n\n")
}

/// The version that it is compared with, as columns name it.
fn stable(analysis: &Analysis) -> &str {
    analysis.stable_version.as_deref().unwrap_or("stable")
}

fn summary(analysis: &Analysis) -> String {
    let unreported = &analysis.unreported;
    let row = |version: &str, arm: &JudgedArm, unreported: u64| {
        let interval = arm.success_rate_low.zip(arm.success_rate_high);
        let percent = |percent: f64| output::percent(percent / 100.0);
        vec![
            version.to_owned(),
            output::part(arm.success, arm.failed),
            output::or_dash(
                interval.map(|(low, high)| format!("{} to {}", percent(low), percent(high))),
            ),
            arm.neutral.to_string(),
            unreported.to_string(),
        ]
    };
    let rows = [
        row(&analysis.release.semver_version, &analysis.canary, unreported.canary),
        row(stable(analysis), &analysis.stable, unreported.stable),
    ];
    let last = if unreported.is_failed { "UNREPORTED (FAILED)" } else { "UNREPORTED" };
    let names = ["VERSION", "SUCCEEDED", "95 % INTERVAL", "NEUTRAL", last];
    output::columns(&names, &["NEUTRAL", last], rows)
}

fn rules(analysis: &Analysis) -> String {
    let row = |found: Finding| {
        let speaks = match (found.is_crossed, found.rule.as_str()) {
            (false, _) => "-",
            (true, "early_promotion") => "for it",
            (true, _) => "against it",
        };
        let p_value = output::or_dash(found.p_value.map(output::digits));
        vec![found.rule, found.evidence, found.needed, p_value, speaks.to_owned()]
    };
    let names = ["RULE", "EVIDENCE", "NEEDED", "P-VALUE", "SPEAKS"];
    let rows = findings::of(analysis).into_iter().map(row);
    output::columns(&names, &["EVIDENCE", "NEEDED", "P-VALUE"], rows)
}

/// Rates and means side by side, with the difference that one look would tell.
fn compared(analysis: &Analysis, comparisons: &Comparisons) -> String {
    let interval = |low: Option<f64>, high: Option<f64>, show: &dyn Fn(f64) -> String| {
        output::or_dash(low.zip(high).map(|(low, high)| format!("{} to {}", show(low), show(high))))
    };
    let of_rates = |rates: &FailureRates| {
        let show = |rate: f64| output::percent(rate);
        vec![
            "failure rate".to_owned(),
            show(rates.canary),
            show(rates.stable),
            show(rates.difference),
            interval(rates.low, rates.high, &show),
            "-".to_owned(),
        ]
    };
    let of_means = |compared: &MeasurementComparison| {
        let show = |value: f64| output::digits(value);
        let welch = compared.welch.as_ref();
        let ranks = compared.mann_whitney.as_ref();
        vec![
            format!("mean {}", compared.name),
            output::or_dash(compared.canary.mean.map(show)),
            output::or_dash(compared.stable.mean.map(show)),
            output::or_dash(welch.map(|welch| show(welch.difference))),
            interval(welch.and_then(|of| of.low), welch.and_then(|of| of.high), &show),
            output::or_dash(ranks.and_then(|ranks| ranks.p_value).map(show)),
        ]
    };
    let rates = comparisons.failure_rate.iter().map(of_rates);
    let rows = rates.chain(comparisons.measurements.iter().map(of_means));
    let canary = analysis.release.semver_version.as_str();
    let names =
        ["FOR ONE LOOK", canary, stable(analysis), "DIFFERENCE", "95 % INTERVAL", "P OF RANKS"];
    output::columns(&names, &[canary, stable(analysis), "DIFFERENCE", "P OF RANKS"], rows)
}

fn quantiles(analysis: &Analysis, measurements: &[MeasurementComparison]) -> String {
    let row = |name: &str, version: &str, values: &Quantiles| {
        let show = |value: Option<f64>| output::or_dash(value.map(output::digits));
        vec![
            name.to_owned(),
            version.to_owned(),
            values.count.to_string(),
            show(values.minimum),
            show(values.quartile_1),
            show(values.median),
            show(values.quartile_3),
            show(values.p90),
            show(values.p99),
            show(values.maximum),
        ]
    };
    let rows = measurements.iter().flat_map(|compared| {
        [
            row(&compared.name, &analysis.release.semver_version, &compared.canary),
            row("", stable(analysis), &compared.stable),
        ]
    });
    let names = ["QUANTILES", "VERSION", "COUNT", "MIN", "Q1", "MEDIAN", "Q3", "P90", "P99", "MAX"];
    output::columns(&names, &names[2..], rows)
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// What the judge sees of a running canary of a test.
    pub(in super::super) fn running() -> Analysis {
        let test = |e: f64, needed: f64| {
            json!({"log_e": 0.0, "max_log_e": e.ln(), "log_e_needed": needed.ln(),
                "alpha": 1.0 / needed, "p_value": 1.0 / e, "is_crossed": e >= needed})
        };
        let latency = json!({"name": "latency_ms", "source": "signals",
            "direction": "high_is_bad", "learned_from": 100, "limits": [200.0, 240.5, 300.0],
            "canary": {"present": 80, "missing": 1, "beyond": [70, 61, 20]},
            "stable": {"present": 300, "missing": 0, "beyond": [150, 30, 3]},
            "logs": [[1.0, 2.0], [3.0, 4.0], [0.5, -1.0], [0.0, 0.0]], "test": test(40.5, 25.0)});
        let rows = json!({"name": "rows", "source": "signals", "direction": "low_is_bad",
            "learned_from": 37});
        serde_json::from_value(json!({
            "release": {"id": "r1", "semver_version": "1.5.0", "state": "running"},
            "stable_version": "1.4.0", "at": "2031-05-07T20:00:00Z", "band": 2, "share": 0.4,
            "canary": {"success": 78, "failed": 3, "neutral": 2, "success_rate": 96.2963,
                "success_rate_low": 89.5633, "success_rate_high": 99.229},
            "stable": {"success": 299, "failed": 1, "neutral": 0, "success_rate": 99.6667,
                "success_rate_low": 98.157, "success_rate_high": 99.9916},
            "unreported": {"canary": 2, "stable": 5, "is_failed": true},
            "bands": [{"number": 1, "share": 0.2, "starts_at": "2031-05-07T10:00:00Z",
                "canary": {"success": 19, "failed": 1}, "stable": {"success": 80, "failed": 0}},
                {"number": 2, "share": 0.4, "starts_at": "2031-05-07T19:36:00Z",
                "canary": {"success": 59, "failed": 2}, "stable": {"success": 219, "failed": 1}}],
            "findings": {
                "threshold": {"rule": "threshold", "allowed_failure_rate": 0.2,
                    "max_log_e": 1.23_f64.ln(), "alpha": 0.01, "p_value": 0.8131,
                    "is_crossed": false},
                "baseline": {"rho0": 1.0, "test": test(3.19, 25.0)},
                "measurements": [latency, rows],
                "proof": {"rho": 2.0, "test": test(2.2, 20.0)},
            },
            "outlook": {"signals_missing": 0, "failures_to_rollback": 7,
                "sentence": "if its next 7 runs fail it is rolled back"},
            "comparisons": {
                "failure_rate": {"canary": 3.0 / 81.0, "stable": 1.0 / 300.0,
                    "difference": 3.0 / 81.0 - 1.0 / 300.0, "low": -0.008, "high": 0.076},
                "measurements": [{"name": "latency_ms", "source": "signals",
                    "canary": {"count": 80, "mean": 251.25, "minimum": 180.0,
                        "quartile_1": 220.0, "median": 246.5, "quartile_3": 270.0, "p90": 311.0,
                        "p99": 390.125, "maximum": 400.0},
                    "stable": {"count": 300, "mean": 203.5, "minimum": 120.0, "quartile_1": 180.0,
                        "median": 200.0, "quartile_3": 222.5, "p90": 240.5, "p99": 300.0,
                        "maximum": 320.0},
                    "welch": {"difference": 47.75, "low": 38.25, "high": 57.25,
                        "degrees_of_freedom": 110.0, "p_value": 0.0},
                    "mann_whitney": {"u": 18000.0, "p_value": 0.00001234,
                        "probability_canary_higher": 0.75}}],
            },
            "verdict": null,
        }))
        .unwrap()
    }

    #[test]
    fn all_that_the_judge_sees_is_shown() {
        insta::assert_snapshot!("analysis", text(&running()));
    }

    #[test]
    fn a_canary_without_runs_and_without_a_stable_version_is_shown_too() {
        let arm = json!({"success": 0, "failed": 0, "neutral": 0});
        let analysis: Value = json!({
            "release": {"id": "r1", "semver_version": "1.0.0", "state": "running"},
            "at": "2031-05-07T20:00:00Z", "band": 0, "share": 0.0, "canary": arm, "stable": arm,
        });
        insta::assert_snapshot!(
            "analysis_of_nothing",
            text(&serde_json::from_value(analysis).unwrap())
        );
    }
}

//! The plain sentences of the timeline: for a person who was woken at night.
//!
//! Each names the numbers, the rule, and what comes next. It stands alone: who reads it has seen
//! nothing else yet.

mod newer;
pub(crate) mod numbers;
mod proof;

use self::numbers::{at_most, days, few_digits};
use super::Rule;
use crate::judge::Test;
use crate::judge::measurement::{Direction, Measured};
use crate::judge::rules::findings::{Against, Compared, Found, Source};
use crate::release::Release;
use crate::rollout::Evidence;
use crate::value::Plain;
use crate::version::Version;

/// A canary, what it is compared with, and what is known of both.
pub(crate) struct Story<'a> {
    pub(crate) canary: &'a Release,
    pub(crate) stable: Option<&'a Version>,
    pub(crate) evidence: &'a Evidence,
}

impl Story<'_> {
    /// "98 of 100 runs succeeded", "the only run failed", or that there was none to judge.
    pub(crate) fn runs_succeeded(&self) -> String {
        self.runs(self.evidence.judged().success, "succeeded")
    }

    /// "9 of 120 runs failed".
    pub(crate) fn runs_failed(&self) -> String {
        self.runs(self.evidence.judged().failed, "failed")
    }

    fn runs(&self, count: u64, ended: &str) -> String {
        let (canary, overdue) = (self.evidence.judged(), self.overdue());
        match (canary.judged(), canary.neutral) {
            (0, 0) => "no run was reported".to_owned(),
            (0, neutral) => format!("no run succeeded or failed ({neutral} neutral)"),
            (1, _) if overdue == 1 => "the only run was not reported in time".to_owned(),
            (1, _) if canary.success == 1 => "the only run succeeded".to_owned(),
            (1, _) => "the only run failed".to_owned(),
            (runs, _) if overdue == 0 => format!("{count} of {runs} runs {ended}"),
            (runs, _) => {
                format!("{count} of {runs} runs {ended} ({overdue} not reported in time)")
            }
        }
    }

    /// Answers of the canary that count as failed runs because they were not reported.
    fn overdue(&self) -> u64 {
        if self.evidence.is_unreported_failed { self.evidence.unreported.canary } else { 0 }
    }

    /// "where at least 80 % must succeed".
    pub(crate) fn must_succeed(&self) -> String {
        format!("where at least {} % must succeed", Plain(self.canary.threshold.percent()))
    }

    /// "only 9 runs were reported by the end of its period, where at least 10 must be", given
    /// "by the end of its period".
    pub(crate) fn lacks(&self, by: &str) -> String {
        let (canary, overdue) = (self.evidence.judged(), self.overdue());
        let needed = self.canary.policy.min_signals.get().max(1);
        let beside: Vec<String> = [(canary.neutral, "neutral"), (overdue, "not reported in time")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        let (done, beside) = match beside.as_slice() {
            [] => ("reported", String::new()),
            some => ("judged", format!(" ({})", some.join(", "))),
        };
        let runs = match canary.judged() {
            0 => "no run was".to_owned(),
            1 => "only 1 run was".to_owned(),
            runs => format!("only {runs} runs were"),
        };
        format!("{runs} {done}{by}{beside}, where at least {needed} must be")
    }

    /// The runs of the stable version: "with 1.3.0 meanwhile 3 of 900".
    fn others(&self) -> String {
        let (name, stable) = (self.name_of_stable(), self.evidence.judged_stable());
        match stable.judged() {
            0 => self.no_others(),
            runs => format!("with {name} meanwhile {} of {runs}", stable.failed),
        }
    }

    /// The runs of the stable version: "with 1.3.0 meanwhile 897 of 900 runs succeeded".
    fn others_succeeded(&self) -> String {
        let (name, stable) = (self.name_of_stable(), self.evidence.judged_stable());
        match (stable.judged(), stable.success) {
            (0, _) => self.no_others(),
            (1, 1) => format!("with {name} meanwhile the only run succeeded"),
            (1, _) => format!("with {name} meanwhile the only run failed"),
            (runs, success) => format!("with {name} meanwhile {success} of {runs} runs succeeded"),
        }
    }

    fn no_others(&self) -> String {
        format!("no run of {} was judged meanwhile", self.name_of_stable())
    }

    fn name_of_stable(&self) -> String {
        self.stable.map_or_else(|| "the stable version".to_owned(), ToString::to_string)
    }

    /// Which rule speaks against the canary, and why: "4 of 4 runs failed, where at least 80 % must
    /// succeed (rule threshold, p ≤ 0.0038)".
    pub(crate) fn rejected(&self) -> Option<(Rule, String)> {
        Some(match self.evidence.findings.against()? {
            Against::Threshold(Test::Threshold(reading)) => {
                let (failed, must) = (self.runs_failed(), self.must_succeed());
                let p_value = at_most(reading.p_value());
                (Rule::Threshold, format!("{failed}, {must} (rule threshold, p {p_value})"))
            }
            Against::Threshold(Test::Ratio(reading)) => {
                let (runs, must) = (self.runs_succeeded(), self.must_succeed());
                let percent = match reading.percent() {
                    Some(percent) if reading.runs > 1 => {
                        format!(", {} %", Plain((percent * 10.0).floor() / 10.0))
                    }
                    _ => String::new(),
                };
                (Rule::Ratio, format!("{runs}{percent}, {must} (rule ratio)"))
            }
            Against::Baseline(baseline) => {
                let (failed, others) = (self.runs_failed(), self.others());
                let (version, p_value) =
                    (&self.canary.version, at_most(baseline.reading.p_value()));
                let worse = match baseline.rho0 {
                    1.0 => format!("{version} fails more often"),
                    rho0 => format!(
                        "the odds that {version} fails are more than {} times as high",
                        Plain(rho0)
                    ),
                };
                let why = format!("{failed}, and {others}: {worse} (rule baseline, p {p_value})");
                (Rule::Baseline, why)
            }
            Against::Measurement(found, compared) => {
                (Rule::Measurement, self.measured_worse(found, compared))
            }
        })
    }

    /// "latency_ms was above 240 in 61 of 80 compared runs, and with 1.3.0 meanwhile in 30 of 300
    /// (240 is what at most 10 % of the runs of 1.3.0 were above; rule …)", for the limit that tells
    /// most.
    fn measured_worse(&self, found: &Found, compared: &Compared) -> String {
        let (told, stable) = (compared.telling(), self.name_of_stable());
        let beyond = match found.direction {
            Direction::HighIsBad => "above",
            Direction::LowIsBad => "below",
        };
        let what = match found.source {
            Source::Signals => "runs",
            Source::Readings => "readings",
        };
        let (was, limit) = match (compared.limits.get(told), found.direction.percents().get(told)) {
            (Some(limit), Some(percent)) => {
                let (limit, percent) = (few_digits(*limit), Plain(*percent));
                let of = format!("at most {percent} % of the {what} of {stable} were {beyond}");
                (format!("{beyond} {limit}"), format!("{limit} is what {of}; "))
            }
            _ => ("missing".to_owned(), String::new()),
        };
        let of = |measured: &Measured| match measured.beyond.get(told) {
            Some(count) => format!("{count} of {}", measured.present),
            None => format!("{} of {}", measured.missing, measured.runs()),
        };
        format!(
            "{} was {was} in {} compared {what}, and with {stable} meanwhile in {} ({limit}rule \
             measurement, p {})",
            found.name,
            of(&compared.measured.canary),
            of(&compared.measured.baseline),
            at_most(compared.reading.p_value())
        )
    }

    /// Why a canary was promoted at the end of its period, or when its hold was over.
    pub(crate) fn ended_well(&self, was_held: bool) -> String {
        let (runs, must) = (self.runs_succeeded(), self.must_succeed());
        let period = days(self.canary.canary_period.days());
        let hold = if was_held { " and the hold after it" } else { "" };
        let beside = match self.stable {
            Some(_) => format!("; {}", self.others_succeeded()),
            None => String::new(),
        };
        let proven = match self.proof() {
            Some((proof, p_value)) => format!("; it is proven good enough: {proof} (p {p_value})"),
            None => String::new(),
        };
        format!(
            "{runs} over its period of {period}{hold}, {must}, and no rule speaks against it (rule \
             schedule{beside}){proven}"
        )
    }
}

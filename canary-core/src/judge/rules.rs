//! All rules that watch one canary, run by run.
//!
//! Per judged run, in this order: the [floor](super::floor) looks at the canary's runs, the
//! [blocks](super::blocks) take the run in, [measurements](super::measurement) what it has measured
//! if it counts there, [early promotion](super::promotion) looks at both. When a block closes, those
//! of the measurements close with it.
//!
//! Each run costs constant time. What a rule has found stays found.

pub mod codec;
pub mod findings;

use self::findings::{Baseline, Findings, Found, Proof, Source};
use super::blocks::Blocks;
use super::blocks::open::Open;
use super::floor::Floor;
use super::measurement::watched::Watched;
use super::promotion::Promotion;
use super::sequential::Alpha;
use super::{Test, ratio};
use crate::judge::measurement::Direction;
use crate::policy::{Alphas, Policy, ThresholdRule};
use crate::reading::TypeName;
use crate::release::{Release, Threshold};
use crate::rollout::{Arm, Counts};
use crate::signal::{InstanceId, MeasurementName, Measurements, Signal, Status};
use crate::stats::{Domain, Summary};

/// What the stable version has measured before a canary came: where thresholds are taken from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Before {
    /// By the name of the measurement.
    pub measurements: Vec<(MeasurementName, Summary)>,
    /// By the type of the readings.
    pub readings: Vec<(TypeName, Summary)>,
}

/// One run as the rules see it.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// How it ended.
    pub status: Status,
    /// What ran it; nothing if every run is to count by itself.
    pub instance: Option<&'a InstanceId>,
    /// What it measured.
    pub measurements: Option<&'a Measurements>,
}

impl From<Status> for Run<'_> {
    fn from(status: Status) -> Self {
        Self { status, instance: None, measurements: None }
    }
}

impl<'a> From<&'a Signal> for Run<'a> {
    fn from(signal: &'a Signal) -> Self {
        Self {
            status: signal.status,
            instance: Some(&signal.instance),
            measurements: Some(&signal.measurements),
        }
    }
}

/// Readings of one type, in blocks of their own: they arrive by themselves.
#[derive(Debug, Clone, PartialEq)]
struct Stream {
    open: Open,
    watched: Watched,
}

/// Which test the threshold has.
#[derive(Debug, Clone, PartialEq)]
enum ByThreshold {
    /// A test that stays valid, or none if it gets nothing of alpha.
    Floor(Floor, Option<Alpha>),
    /// The plain percentage.
    Ratio { threshold: Threshold, min_signals: u64 },
}

/// All rules that watch one canary.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    alphas: Alphas,
    count_repeats: bool,
    beta: Alpha,
    by_threshold: ByThreshold,
    blocks: Blocks,
    promotion: Option<Promotion>,
    measurements: Vec<(MeasurementName, Watched)>,
    readings: Vec<(TypeName, Stream)>,
}

impl Rules {
    /// Nothing seen yet; `before` is what the stable version has measured so far.
    #[must_use]
    pub fn new(release: &Release, before: &Before) -> Self {
        let policy = &release.policy;
        let alphas = policy.alphas();
        let by_threshold = match policy.rule {
            ThresholdRule::Threshold => {
                ByThreshold::Floor(Floor::new(release.threshold), alphas.floor)
            }
            ThresholdRule::Ratio => ByThreshold::Ratio {
                threshold: release.threshold,
                min_signals: u64::from(policy.min_signals.get()),
            },
        };
        Self {
            alphas,
            count_repeats: policy.count_repeats,
            beta: policy.beta,
            by_threshold,
            // A policy has checked it.
            blocks: Blocks::new(policy.rho0).unwrap_or_default(),
            promotion: proof_of(policy),
            measurements: named(&policy.measurements, &before.measurements).collect(),
            readings: named(&policy.readings, &before.readings)
                .map(|(name, watched)| (name, Stream { open: Open::default(), watched }))
                .collect(),
        }
    }

    /// Takes in one run; `canary` are all runs of the canary with it. Neutral ones say nothing.
    pub fn observe(&mut self, arm: Arm, run: &Run<'_>, canary: Counts) {
        if run.status == Status::Neutral {
            return;
        }
        if let (Arm::Canary, ByThreshold::Floor(floor, Some(_))) = (arm, &mut self.by_threshold) {
            floor.observe(canary.success, canary.failed);
        }
        let instance = run.instance.filter(|_| !self.count_repeats).map(InstanceId::key);
        let step = self.blocks.observe(arm, run.status == Status::Failed, instance);
        if step.is_counted {
            for (name, watched) in &mut self.measurements {
                let value = run.measurements.and_then(|measured| measured.get(name.as_str()));
                watched.observe(arm, value);
            }
        }
        if arm == Arm::Canary || step.closed.is_some() {
            self.look_for_proof(step.closed.as_ref(), canary);
        }
        if step.closed.is_some() {
            self.measurements.iter_mut().for_each(|(_, watched)| watched.close());
        }
    }

    /// Takes in one reading of a type that is judged; `device` is who measured it.
    pub fn observe_reading(&mut self, arm: Arm, kind: &str, device: u64, value: f64) {
        let Some((_, Stream { open, watched })) =
            self.readings.iter_mut().find(|(name, _)| name.as_str() == kind)
        else {
            return;
        };
        let device = (!self.count_repeats).then_some(device);
        let step = open.observe(arm, false, device);
        if step.is_counted {
            watched.observe(arm, Some(value));
        }
        if step.closed.is_some() {
            watched.close();
        }
    }

    /// Whether readings of a type are judged.
    pub fn judged_readings(&self) -> impl Iterator<Item = &TypeName> {
        self.readings.iter().map(|(name, _)| name)
    }

    /// Ends every open block: the canary's share has changed.
    pub fn change_share(&mut self, canary: Counts) {
        let closed = self.blocks.close_at_share_change();
        self.look_for_proof(closed.as_ref(), canary);
        self.measurements.iter_mut().for_each(|(_, watched)| watched.close());
        for (_, Stream { open, watched }) in &mut self.readings {
            open.close();
            watched.close();
        }
    }

    /// Whether a rule speaks against the canary.
    #[must_use]
    pub fn is_crossed(&self, canary: Counts) -> bool {
        let of_threshold = match &self.by_threshold {
            ByThreshold::Floor(floor, alpha) => reaches(floor.max_log_e(), *alpha),
            ByThreshold::Ratio { .. } => self.test(canary).is_some_and(|test| test.is_crossed()),
        };
        let each = self.alphas.measurement;
        of_threshold
            || reaches(self.blocks.max_log_e(), self.alphas.baseline)
            || self.watched().any(|(_, _, watched)| reaches(watched.max_log_e(), each))
    }

    /// Whether the canary is proven good.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        self.promotion.as_ref().is_some_and(|proof| reaches(proof.max_log_e(), Some(self.beta)))
    }

    /// All that the rules have found, given all runs of the canary.
    #[must_use]
    pub fn findings(&self, canary: Counts) -> Findings {
        let each = self.alphas.measurement;
        Findings {
            threshold: self.test(canary),
            baseline: self.alphas.baseline.map(|alpha| Baseline {
                rho0: self.blocks.closed().rho0(),
                logs: self.blocks.closed().logs(),
                open: *self.blocks.open().counts(),
                reading: self.blocks.reading(alpha),
            }),
            measurements: self
                .watched()
                .filter_map(|(source, name, watched)| Some(Found::of(source, name, watched, each?)))
                .collect(),
            proof: self.promotion.as_ref().map(|promotion| Proof {
                rho: promotion.rho(),
                q: promotion.acceptable(),
                logs: promotion.logs(),
                halves: promotion.halves(canary.success, canary.failed),
                reading: promotion.reading(self.beta, canary.success, canary.failed),
            }),
        }
    }

    fn look_for_proof(&mut self, closed: Option<&super::blocks::open::Block>, canary: Counts) {
        if let Some(promotion) = &mut self.promotion {
            promotion.observe(closed, canary.success, canary.failed);
        }
    }

    fn test(&self, canary: Counts) -> Option<Test> {
        Some(match &self.by_threshold {
            ByThreshold::Floor(floor, alpha) => {
                Test::Threshold(floor.reading(canary.success, canary.failed, (*alpha)?))
            }
            ByThreshold::Ratio { threshold, min_signals } => Test::Ratio(ratio::Reading {
                succeeded: canary.success,
                runs: canary.judged(),
                min_signals: *min_signals,
                threshold: *threshold,
            }),
        })
    }

    fn watched(&self) -> impl Iterator<Item = (Source, &str, &Watched)> {
        let measurements = self.measurements.iter();
        let readings = self.readings.iter();
        measurements
            .map(|(name, watched)| (Source::Signals, name.as_str(), watched))
            .chain(readings.map(|(name, of)| (Source::Readings, name.as_str(), &of.watched)))
    }
}

/// The proof that a policy asks for, with settings that it has checked.
fn proof_of(policy: &Policy) -> Option<Promotion> {
    policy.asks_for_proof().then(|| Promotion::new(policy.rho, policy.q).ok())?
}

/// What is judged, each with what the stable version has measured of it.
fn named<N: Clone + Ord>(
    judged: &std::collections::BTreeMap<N, Direction>,
    before: &[(N, Summary)],
) -> impl Iterator<Item = (N, Watched)> {
    judged.iter().map(|(name, direction)| {
        let known = before.iter().find(|(of, _)| of == name).map(|(_, summary)| summary);
        let none = Summary::new(Domain::Continuous);
        (name.clone(), Watched::new(*direction, known.unwrap_or(&none)))
    })
}

fn reaches(log_e: f64, alpha: Option<Alpha>) -> bool {
    alpha.is_some_and(|alpha| log_e >= alpha.limit())
}

#[cfg(test)]
mod tests;

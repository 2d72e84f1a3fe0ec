//! The rules of this crate, and what other tools do.

mod others;

use canary_core::judge::blocks::Blocks;
use canary_core::judge::blocks::open::{Block, Open};
use canary_core::judge::blocks::sums::Sums;
use canary_core::judge::floor;
use canary_core::judge::sequential::Alpha;
use canary_core::release::Threshold;
use canary_core::rollout::Arm;

use self::others::{CanaryPy, GrowthBook, Interval, Kayenta, Multinomial, SuccessRate, ZTest};
use super::path::Signal;

/// Looks at a signal; whether it rolls the canary back.
pub(crate) trait Rule {
    fn rolls_back(&mut self, signal: Signal) -> bool;
}

/// A rule as a row of the table.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// Makes the rule for a canary whose true odds ratio is this.
    pub(crate) make: fn(f64) -> Box<dyn Rule>,
}

pub(crate) const ROWS: [Row; 12] = [
    Row { name: "CanaryPy, threshold 80", make: |_| Box::new(CanaryPy::default()) },
    Row { name: "success ≥ 99 % after 100 runs", make: |_| Box::new(SuccessRate::default()) },
    Row { name: "z-test at every look, 0.05", make: |_| Box::new(ZTest::default()) },
    Row { name: "Argo Rollouts 0.95, failureLimit 0", make: |_| Interval::boxed(0.95, 0) },
    Row { name: "Argo Rollouts 0.95, failureLimit 3", make: |_| Interval::boxed(0.95, 3) },
    Row { name: "Flagger 99 %, threshold 5", make: |_| Interval::boxed(0.99, 4) },
    Row { name: "Kayenta, once per band", make: |_| Box::new(Kayenta::default()) },
    Row { name: "GrowthBook sequential", make: |_| Box::new(GrowthBook::default()) },
    Row { name: "Lindon & Malek multinomial", make: |_| Box::new(Multinomial::default()) },
    Row { name: "**blocks**, alpha 0.05", make: |_| judge(0.05) },
    Row { name: "**blocks**, alpha 0.04", make: |_| judge(0.04) },
    Row { name: "oracle that knows the true ratio", make: |odds| Box::new(Oracle::of(odds)) },
];

/// Runs and failures, canary and baseline.
#[derive(Default)]
struct Tally(Block);

impl Tally {
    fn add(&mut self, signal: Signal) {
        let runs = if signal.is_canary { &mut self.0.canary } else { &mut self.0.baseline };
        runs.runs += 1;
        runs.failed += u64::from(signal.is_failed);
    }

    fn canary(&self) -> (f64, f64) {
        (self.0.canary.runs as f64, self.0.canary.failed as f64)
    }

    fn baseline(&self) -> (f64, f64) {
        (self.0.baseline.runs as f64, self.0.baseline.failed as f64)
    }
}

fn arm(signal: Signal) -> Arm {
    if signal.is_canary { Arm::Canary } else { Arm::Stable }
}

/// The comparison with the baseline of this crate.
pub(crate) struct Judge {
    blocks: Blocks,
    alpha: Alpha,
}

impl Judge {
    pub(crate) fn of(alpha: f64) -> Self {
        Self { blocks: Blocks::new(1.0).unwrap(), alpha: Alpha::parse(alpha).unwrap() }
    }
}

fn judge(alpha: f64) -> Box<dyn Rule> {
    Box::new(Judge::of(alpha))
}

impl Rule for Judge {
    fn rolls_back(&mut self, signal: Signal) -> bool {
        let ended = signal.is_new_band && self.blocks.close_at_share_change().is_some();
        let step = self.blocks.observe(arm(signal), signal.is_failed, None);
        (ended || step.closed.is_some()) && self.blocks.reading(self.alpha).is_crossed()
    }
}

/// The same beside the floor of 80 % at 0.01.
pub(crate) struct Floored {
    judge: Judge,
    floor: Option<(u64, u64, f64)>,
}

impl Floored {
    pub(crate) fn of(judge: Judge, has_floor: bool) -> Self {
        Self { judge, floor: has_floor.then_some((0, 0, 0.0)) }
    }
}

impl Rule for Floored {
    fn rolls_back(&mut self, signal: Signal) -> bool {
        let mut is_below = false;
        if let Some((succeeded, failed, highest)) = &mut self.floor
            && signal.is_canary
        {
            *succeeded += u64::from(!signal.is_failed);
            *failed += u64::from(signal.is_failed);
            let threshold = Threshold::DEFAULT;
            let reading =
                floor::Reading::of(threshold, *succeeded, *failed, *highest, Alpha::FLOOR);
            *highest = reading.max_log_e;
            is_below = reading.is_crossed();
        }
        self.judge.rolls_back(signal) || is_below
    }
}

impl Rule for Box<dyn Rule> {
    fn rolls_back(&mut self, signal: Signal) -> bool {
        self.as_mut().rolls_back(signal)
    }
}

/// The blocks of this crate with the true odds ratio instead of a grid, at 0.05.
struct Oracle {
    open: Open,
    sums: Sums<1>,
    odds: f64,
}

impl Oracle {
    fn of(odds: f64) -> Self {
        Self { open: Open::default(), sums: Sums::default(), odds }
    }
}

impl Rule for Oracle {
    fn rolls_back(&mut self, signal: Signal) -> bool {
        let ended = if signal.is_new_band { self.open.close() } else { None };
        let step = self.open.observe(arm(signal), signal.is_failed, None);
        let mut has_spoken = false;
        for block in [ended, step.closed].into_iter().flatten() {
            has_spoken |= self.sums.add(&block, &[self.odds], 1.0);
        }
        has_spoken && self.sums.log_e(&[1.0]) >= 20_f64.ln()
    }
}

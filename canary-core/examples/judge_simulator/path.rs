//! Rollouts as they could happen: who runs, and how it ends.
//!
//! Everything follows from a seed: the same rollout comes out on every machine, whatever thread
//! plays it.

/// SplitMix64, <https://doi.org/10.1145/2714064.2660195>.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// A generator for one rollout of one cell of a table.
    pub(crate) fn of(seed: u64, cell: u64, rollout: u64) -> Self {
        let mut random = Self(seed ^ cell.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        random.0 = random.next().wrapping_add(rollout.wrapping_mul(0xA076_1D64_78BD_642F));
        random.next();
        random
    }

    /// 64 random bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Whether a chance of one in so many comes true.
    pub(crate) fn one_in(&mut self, many: u64) -> bool {
        self.next().is_multiple_of(many)
    }

    /// A number from 0 to 1, without 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Who gets the canary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Split {
    /// Five bands, 20 to 100 %, each run by chance.
    Bands,
    /// The same bands, each run by count, so that the share is always exact.
    Quota,
    /// One share throughout, each run by chance.
    Fixed(f64),
}

impl Split {
    /// The share in a part of the rollout, from 0 to 1.
    fn share(self, part: f64) -> f64 {
        match self {
            Self::Bands | Self::Quota => (part * 5.0).floor() / 5.0 + 0.2,
            Self::Fixed(share) => share,
        }
    }
}

/// What happens to the failure rates of both versions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Drift {
    /// Nothing.
    None,
    /// Eight times as high in a tenth of the rollout, somewhere.
    Outage,
    /// From once to five times as high, in a straight line.
    Ramp,
    /// From five times to once.
    Decay,
    /// Ten times as high for 50 signals on average, every 500 on average.
    Bursts,
}

/// How bad the canary is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Badness {
    /// It fails so many times as often as the baseline, at most always.
    Rate(f64),
    /// Its odds of failing are so many times the baseline's.
    Odds(f64),
    /// It always fails.
    Always,
}

/// A kind of rollout.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scenario {
    /// Failure rate of the baseline before any drift, 0 to 1.
    pub(crate) rate: f64,
    pub(crate) badness: Badness,
    pub(crate) split: Split,
    pub(crate) drift: Drift,
    /// Signals of both versions.
    pub(crate) signals: u32,
}

/// One signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signal {
    pub(crate) is_canary: bool,
    pub(crate) is_failed: bool,
    /// Whether the canary's share has changed before it.
    pub(crate) is_new_band: bool,
}

/// Chances in parts of 2^32.
#[derive(Debug, Clone, Copy)]
struct Chances {
    canary: u64,
    baseline: u64,
}

/// A kind of rollout with its chances worked out.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    scenario: Scenario,
    shares: Vec<u64>,
    /// By signal where there is a slope, else usual and raised.
    chances: Vec<Chances>,
}

/// As a part of 2^32.
fn scaled(chance: f64) -> u64 {
    (chance * 4_294_967_296.0) as u64
}

impl Paths {
    pub(crate) fn of(scenario: Scenario) -> Self {
        let parts = (0..scenario.signals).map(|at| f64::from(at) / f64::from(scenario.signals));
        let factors: Vec<f64> = match scenario.drift {
            Drift::None => vec![1.0; 2],
            Drift::Outage => vec![1.0, 8.0],
            Drift::Bursts => vec![1.0, 10.0],
            Drift::Ramp => parts.clone().map(|part| 1.0 + 4.0 * part).collect(),
            Drift::Decay => parts.clone().map(|part| 5.0 - 4.0 * part).collect(),
        };
        let chances = factors.into_iter().map(|factor| {
            let baseline = (scenario.rate * factor).min(0.95);
            let canary = match scenario.badness {
                Badness::Rate(ratio) => (baseline * ratio).min(1.0),
                Badness::Odds(ratio) => baseline * ratio / (1.0 - baseline + baseline * ratio),
                Badness::Always => 1.0,
            };
            Chances { canary: scaled(canary), baseline: scaled(baseline) }
        });
        Self {
            shares: parts.map(|part| scaled(scenario.split.share(part))).collect(),
            chances: chances.collect(),
            scenario,
        }
    }

    /// The signals of one rollout.
    pub(crate) fn play(&self, mut random: Random) -> impl Iterator<Item = Signal> + use<'_> {
        let signals = self.scenario.signals;
        let outage = (random.uniform() * 0.9 * f64::from(signals)) as u32;
        let outage = outage..outage + signals / 10;
        let (mut is_raised, mut owed, mut share_before) = (false, 0_u64, None);
        (0..signals).zip(&self.shares).map(move |(at, share)| {
            let bits = random.next();
            let level = match self.scenario.drift {
                Drift::None => 0,
                Drift::Ramp | Drift::Decay => at as usize,
                Drift::Outage => usize::from(outage.contains(&at)),
                Drift::Bursts => {
                    is_raised ^= random.one_in(if is_raised { 50 } else { 500 });
                    usize::from(is_raised)
                }
            };
            let is_canary = if self.scenario.split == Split::Quota {
                owed += share;
                let is_due = owed >= 1 << 32;
                owed -= u64::from(is_due) << 32;
                is_due
            } else {
                bits >> 32 < *share
            };
            let chances = self.chances[level];
            let chance = if is_canary { chances.canary } else { chances.baseline };
            let is_failed = bits & 0xFFFF_FFFF < chance;
            let is_new_band = share_before.replace(*share).is_some_and(|before| before != *share);
            Signal { is_canary, is_failed, is_new_band }
        })
    }
}

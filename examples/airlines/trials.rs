//! Which airlines are tried, and how they are judged.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::{Path, PathBuf};

use canary_core::decision::Rule;
use canary_core::judge::measurement::Direction;
use canary_core::policy::{Policy, Settings};
use canary_core::release::Threshold;
use canary_core::rollout::Arm;
use canary_core::signal::MeasurementName;

use super::report::{Report, Row, Splits, Table};
use super::trial::{DELAY, Flights};
use crate::flights::{Flight, SAMPLE, read_all};

/// The half year lies outside the repository.
const HALF_YEAR: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/nyc-flights-2013-h1.csv.gz");

/// The airline in the place of the stable version, and the one in that of the canary.
const PAIRS: [[&str; 2]; 14] = [
    ["AA", "US"],
    ["US", "AA"],
    ["DL", "UA"],
    ["UA", "DL"],
    ["UA", "B6"],
    ["B6", "EV"],
    ["EV", "B6"],
    ["UA", "EV"],
    ["EV", "UA"],
    ["MQ", "9E"],
    ["DL", "AS"],
    ["UA", "F9"],
    ["UA", "YV"],
    ["UA", "HA"],
];

/// Airlines whose flights are split at random.
const SPLIT: [&str; 2] = ["UA", "EV"];

/// All trials.
#[derive(Debug, Clone, PartialEq)]
pub struct Trials {
    /// Where the flights are: a gzipped CSV file as [`SAMPLE`].
    pub data: PathBuf,
    /// The lowest acceptable success rate in percent, 0 to 100.
    pub threshold: f64,
    /// The acceptable failure rate for early promotion, between 0 and 1.
    pub q: f64,
    /// How often the flights of one airline are split at random.
    pub splits: u32,
    /// What the random splits begin with.
    pub seed: u64,
}

/// The half year if it lies where `data/README.md` says, else the sample.
#[must_use]
pub fn data() -> PathBuf {
    let half_year = Path::new(HALF_YEAR);
    if half_year.exists() { half_year.to_owned() } else { PathBuf::from(SAMPLE) }
}

impl Trials {
    /// Half of the flights must be good: over half a year they are, so that the comparison speaks.
    pub const THRESHOLD: f64 = 50.0;
    /// A quarter of the flights may fail.
    pub const Q: f64 = 0.25;
    /// Enough to see whether 5 % are kept.
    pub const SPLITS: u32 = 200;
    /// The seed of the tables in the documentation.
    pub const SEED: u64 = 1;

    /// The trials of the documentation.
    #[must_use]
    pub const fn new(data: PathBuf) -> Self {
        Self {
            data,
            threshold: Self::THRESHOLD,
            q: Self::Q,
            splits: Self::SPLITS,
            seed: Self::SEED,
        }
    }

    /// Goes through the flights of each pair that the data has, by each policy.
    ///
    /// # Errors
    ///
    /// What the data or the judge refuses.
    pub fn play(&self) -> Result<Report, Box<dyn Error>> {
        let flights = read_all(&self.data)?;
        let [Some(first), Some(last)] = [flights.first(), flights.last()] else {
            return Err(format!("no flights in `{}`", self.data.display()).into());
        };
        let days = (last.scheduled_at - first.scheduled_at) as f64 / 86_400.0;
        let threshold = Threshold::parse(self.threshold)?;
        let policies = self.policies()?;
        let mut tables: Vec<Table> = policies
            .iter()
            .map(|(name, _)| Table { policy: name.clone(), rows: Vec::new() })
            .collect();
        for of_pair in self.pairs(&flights)? {
            let [stable, canary] = of_pair.names().map(str::to_owned);
            for (table, (_, policy)) in tables.iter_mut().zip(&policies) {
                let outcome = of_pair.play(threshold, policy.clone())?;
                table.rows.push(Row { stable: stable.clone(), canary: canary.clone(), outcome });
            }
        }
        let known = airlines(&flights);
        let splits = SPLIT
            .into_iter()
            .filter(|airline| known.contains(airline))
            .map(|airline| self.split(airline, &flights, threshold, &policies))
            .collect::<Result<_, _>>()?;
        Ok(Report { flights: flights.len(), days, tables, splits })
    }

    /// Each policy with its name.
    fn policies(&self) -> Result<[(String, Policy); 3], Box<dyn Error>> {
        let delay = MeasurementName::parse(DELAY)?;
        let with_delay = Settings {
            measurements: Some([(delay, Direction::HighIsBad)].into()),
            ..Settings::default()
        };
        let early =
            Settings { early_promotion: Some(true), q: Some(self.q), ..Settings::default() };
        let policy = Policy::default();
        let (threshold, q) = (self.threshold, (self.q * 1e6).round() / 1e4);
        Ok([
            (format!("Nothing set but a threshold of {threshold} %"), policy.clone()),
            ("The delay on arrival judged too".to_owned(), policy.with(&with_delay)?),
            (
                format!("Early promotion, {q} % of failed flights called acceptable"),
                policy.with(&early)?,
            ),
        ])
    }

    /// The pairs that the data has, and one airline beside itself.
    fn pairs(&self, flights: &[Flight]) -> Result<Vec<Flights>, Box<dyn Error>> {
        let known = airlines(flights);
        let mut pairs = Vec::new();
        for [stable, canary] in PAIRS {
            if known.contains(stable) && known.contains(canary) {
                let arm = |flight: &Flight| match flight.carrier.as_str() {
                    of if of == stable => Some(Arm::Stable),
                    of if of == canary => Some(Arm::Canary),
                    _ => None,
                };
                pairs.push(Flights::new([stable, canary], flights.iter(), arm)?);
            }
        }
        for airline in SPLIT {
            if known.contains(airline) {
                pairs.push(halves(airline, flights, self.seed)?);
            }
        }
        Ok(pairs)
    }

    fn split(
        &self,
        airline: &str,
        flights: &[Flight],
        threshold: Threshold,
        policies: &[(String, Policy); 3],
    ) -> Result<Splits, Box<dyn Error>> {
        let mut splits = Splits { airline: airline.to_owned(), ..Splits::default() };
        for split in 0..self.splits {
            let halves = halves(airline, flights, self.seed.wrapping_add(u64::from(split)))?;
            let mut ends = Vec::new();
            for (_, policy) in policies {
                ends.push(halves.play(threshold, policy.clone())?.end.map(|end| end.rule));
            }
            let [first, second, third] =
                [0, 1, 2].map(|policy| ends.get(policy).copied().flatten());
            splits.splits += 1;
            splits.by_baseline += u32::from(first == Some(Rule::Baseline));
            splits.by_threshold += u32::from(first == Some(Rule::Threshold));
            splits.by_measurement += u32::from(second == Some(Rule::Measurement));
            splits.promoted_early += u32::from(third == Some(Rule::EarlyPromotion));
        }
        Ok(splits)
    }
}

fn airlines(flights: &[Flight]) -> BTreeSet<&str> {
    flights.iter().map(|flight| flight.carrier.as_str()).collect()
}

/// The flights of one airline, each by chance in one of two halves.
fn halves(airline: &str, flights: &[Flight], seed: u64) -> Result<Flights, Box<dyn Error>> {
    let mut state = seed;
    let mut is_canary = || {
        // SplitMix64, https://doi.org/10.1145/2714064.2660195
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)).is_multiple_of(2)
    };
    let names = [format!("{airline}-1"), format!("{airline}-2")];
    Flights::new(names.each_ref().map(String::as_str), flights.iter(), |flight| {
        (flight.carrier == airline).then(|| if is_canary() { Arm::Canary } else { Arm::Stable })
    })
}

//! A measurement from its first value on: thresholds are taken from the stable version, then fixed.

use super::{Direction, Measurement, Thresholds};
use crate::judge::codec::{CodecError, put_float, read_form};
use crate::rollout::Arm;
use crate::stats::varint::put;
use crate::stats::{Domain, Summary};

/// Values of the stable version from which thresholds are fixed.
///
/// They need not be exact: a bad guess costs power, never the promise.
pub const LEARNED_FROM: usize = 100;

/// A measurement that a policy judges.
#[derive(Debug, Clone, PartialEq)]
pub enum Watched {
    /// There are too few values of the stable version to fix thresholds yet.
    Learning {
        /// Which values are bad.
        direction: Direction,
        /// Its values so far, fewer than [`LEARNED_FROM`].
        values: Vec<f64>,
    },
    /// Both versions are compared.
    Compared(Box<Measurement>),
}

impl Watched {
    /// Begins with what the stable version has measured before the canary came.
    #[must_use]
    pub fn new(direction: Direction, before: &Summary) -> Self {
        let enough = before.count() >= LEARNED_FROM as u64;
        match Thresholds::of(direction, before).filter(|_| enough) {
            Some(thresholds) => Self::Compared(Box::new(Measurement::new(thresholds))),
            None => Self::Learning { direction, values: Vec::new() },
        }
    }

    /// Which values are bad.
    #[must_use]
    pub fn direction(&self) -> Direction {
        match self {
            Self::Learning { direction, .. } => *direction,
            Self::Compared(measurement) => measurement.thresholds().direction(),
        }
    }

    /// The highest evidence at any look, `ln E`, at least 0.
    #[must_use]
    pub fn max_log_e(&self) -> f64 {
        match self {
            Self::Learning { .. } => 0.0,
            Self::Compared(measurement) => measurement.max_log_e(),
        }
    }

    /// Takes in what a run that counts has measured; see [`Measurement::observe`].
    ///
    /// Thresholds are fixed by values of the stable version alone, and those are not compared.
    pub fn observe(&mut self, arm: Arm, value: Option<f64>) {
        match self {
            Self::Compared(measurement) => measurement.observe(arm, value),
            Self::Learning { direction, values } => {
                let Some(value) = value.filter(|value| value.is_finite()) else { return };
                if arm == Arm::Canary {
                    return;
                }
                values.push(value);
                if values.len() >= LEARNED_FROM
                    && let Some(thresholds) = thresholds(*direction, values)
                {
                    *self = Self::Compared(Box::new(Measurement::new(thresholds)));
                }
            }
        }
    }

    /// Ends the open block; see [`Measurement::close`].
    pub fn close(&mut self) {
        if let Self::Compared(measurement) = self {
            measurement.close();
        }
    }

    /// Writes the byte form: that of the measurement, or while it learns `'W' 1`, the direction as
    /// in that form, the number of values, and each as 8 bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Compared(measurement) => measurement.encode(),
            Self::Learning { direction, values } => {
                let mut bytes = vec![TAG, VERSION];
                put(&mut bytes, u64::from(*direction == Direction::LowIsBad));
                put(&mut bytes, values.len() as u64);
                values.iter().for_each(|value| put_float(&mut bytes, *value));
                bytes
            }
        }
    }

    /// Reads the byte form.
    ///
    /// # Errors
    ///
    /// [`CodecError`] if the bytes are not, from the first to the last, those of one.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        if bytes.first() != Some(&TAG) {
            return Measurement::decode(bytes)
                .map(|measurement| Self::Compared(Box::new(measurement)));
        }
        read_form(bytes, TAG, VERSION, |reader| {
            let direction = match reader.number()? {
                0 => Direction::HighIsBad,
                1 => Direction::LowIsBad,
                _ => return None,
            };
            let count = usize::try_from(reader.number()?).ok()?;
            if count >= LEARNED_FROM {
                return None;
            }
            let values: Option<Vec<f64>> = (0..count).map(|_| reader.float()).collect();
            let values = values?;
            values
                .iter()
                .all(|value| value.is_finite())
                .then_some(Self::Learning { direction, values })
        })
    }
}

const TAG: u8 = b'W';
const VERSION: u8 = 1;

fn thresholds(direction: Direction, values: &[f64]) -> Option<Thresholds> {
    let mut summary = Summary::new(Domain::Continuous);
    for value in values {
        summary.observe(*value, 0).ok()?;
    }
    Thresholds::of(direction, &summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learning() -> Watched {
        Watched::new(Direction::HighIsBad, &Summary::new(Domain::Continuous))
    }

    #[test]
    fn thresholds_are_those_of_the_first_hundred_values_of_the_stable_version() {
        let mut watched = learning();
        for value in 1..=100 {
            watched.observe(Arm::Canary, Some(1e6));
            watched.observe(Arm::Stable, None);
            assert!(matches!(watched, Watched::Learning { .. }), "{value}");
            watched.observe(Arm::Stable, Some(f64::from(value)));
        }
        let Watched::Compared(measurement) = &watched else { panic!("{watched:?}") };
        assert_eq!(measurement.thresholds().limits().map(f64::round), [51.0, 90.0, 99.0]);
        assert_eq!(measurement.measured().baseline.present, 0, "what was learned is not compared");
    }

    #[test]
    fn what_the_stable_version_measured_before_spares_the_learning() {
        let mut before = Summary::new(Domain::Continuous);
        (0..100).for_each(|value| before.observe(f64::from(value), 0).unwrap());
        assert!(matches!(Watched::new(Direction::LowIsBad, &before), Watched::Compared(_)));
    }

    #[test]
    fn it_is_written_and_read_again_while_it_learns_and_after() {
        let mut watched = learning();
        for value in 0..150 {
            assert_eq!(Watched::decode(&watched.encode()), Ok(watched.clone()));
            watched.observe(Arm::Stable, Some(f64::from(value)));
        }
        assert!(Watched::decode(&[TAG, VERSION, 0, 200]).is_err());
    }
}

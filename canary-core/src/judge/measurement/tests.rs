//! What a measurement finds, what it does not, and what survives a restart.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::judge::blocks::open::Open;
use crate::judge::codec::CodecError;
use crate::stats::Domain;

/// What 1 000 runs of the baseline took: 1 to 1 000 ms.
fn thresholds(direction: Direction) -> Thresholds {
    let mut baseline = Summary::new(Domain::of_integers(0, 1_000));
    (1..=1_000).for_each(|value| baseline.observe(f64::from(value), 0).unwrap());
    Thresholds::of(direction, &baseline).unwrap()
}

#[test]
fn so_many_of_a_hundred_are_beyond_each_limit() {
    for direction in [Direction::HighIsBad, Direction::LowIsBad] {
        let is_beyond = |value: f64, limit: f64| match direction {
            Direction::HighIsBad => value > limit,
            Direction::LowIsBad => value < limit,
        };
        assert_eq!(direction.percents(), [50.0, 10.0, 1.0]);
        for (limit, percent) in thresholds(direction).limits().into_iter().zip(direction.percents())
        {
            let beyond = (1..=1_000).filter(|value| is_beyond(f64::from(*value), limit)).count();
            assert_eq!(beyond as f64 / 10.0, percent, "{direction:?}, {limit}");
        }
    }
}

/// One measurement, with the block that its runs fill.
#[derive(Clone)]
struct Watched {
    open: Open,
    measurement: Measurement,
}

impl Watched {
    fn new(direction: Direction) -> Self {
        Self { open: Open::default(), measurement: Measurement::new(thresholds(direction)) }
    }

    fn observe(&mut self, is_canary: bool, value: Option<f64>) {
        let arm = if is_canary { Arm::Canary } else { Arm::Stable };
        let step = self.open.observe(arm, false, None);
        if step.is_counted {
            self.measurement.observe(arm, value);
        }
        if step.closed.is_some() {
            self.measurement.close();
        }
    }

    /// The first run after which the measurement speaks, of runs whose values a hash spreads.
    fn found_at(&mut self, value: impl Fn(bool, f64) -> Option<f64>) -> Option<u64> {
        (0..10_000_u64).find(|run| {
            let spread = (run.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) % 1_000 + 1;
            let is_canary = run % 2 == 0;
            self.observe(is_canary, value(is_canary, spread as f64));
            self.measurement.reading(Alpha::BASELINE).is_crossed()
        })
    }
}

#[test]
fn thresholds_are_what_a_half_a_tenth_and_a_hundredth_are_beyond() {
    let near = |got: [f64; 3], want: [f64; 3]| {
        got.iter().zip(want).all(|(got, want)| (got - want).abs() < 1.0)
    };
    assert!(near(thresholds(Direction::HighIsBad).limits(), [500.5, 900.1, 990.0]));
    assert!(near(thresholds(Direction::LowIsBad).limits(), [500.5, 100.9, 11.0]));
    assert_eq!(Thresholds::of(Direction::HighIsBad, &Summary::new(Domain::Continuous)), None);
    assert!(Thresholds::new(Direction::HighIsBad, [1.0, f64::NAN, 2.0]).is_err());
}

#[test]
fn a_slower_canary_is_found_and_a_faster_one_is_not() {
    let slower = |is_canary, value| Some(if is_canary { value * 1.5 } else { value });
    let faster = |is_canary, value| Some(if is_canary { value / 1.5 } else { value });
    let found = Watched::new(Direction::HighIsBad).found_at(slower).unwrap();
    assert!(found < 500, "{found}");
    assert_eq!(Watched::new(Direction::HighIsBad).found_at(faster), None);
    assert!(Watched::new(Direction::LowIsBad).found_at(faster).is_some());
    assert_eq!(Watched::new(Direction::LowIsBad).found_at(slower), None);
    assert_eq!(Watched::new(Direction::HighIsBad).found_at(|_, value| Some(value)), None);
}

#[test]
fn a_canary_that_stops_measuring_is_found() {
    let silent = |is_canary: bool, value| (!is_canary).then_some(value);
    let found = Watched::new(Direction::HighIsBad).found_at(silent).unwrap();
    assert!(found < 50, "{found}");
    let broken = |is_canary, value| Some(if is_canary { f64::NAN } else { value });
    assert_eq!(Watched::new(Direction::HighIsBad).found_at(broken), Some(found));
}

#[test]
fn a_run_without_a_value_says_nothing_about_thresholds() {
    // Both versions leave out every third value: nothing is worse than before.
    let gaps = |_, value: f64| (value % 3.0 > 0.5).then_some(value);
    assert_eq!(Watched::new(Direction::HighIsBad).found_at(gaps), None);
}

#[test]
fn a_dropped_block_takes_its_values_with_it() {
    let mut watched = Watched::new(Direction::HighIsBad);
    watched.observe(true, Some(2_000.0));
    assert_eq!(watched.open.close(), None);
    watched.measurement.close();
    assert_eq!(watched.measurement, Measurement::new(thresholds(Direction::HighIsBad)));
}

#[test]
fn only_parts_with_the_same_thresholds_add_up() {
    let mut one = Measurement::new(thresholds(Direction::HighIsBad));
    let other = Measurement::new(thresholds(Direction::LowIsBad));
    assert_eq!(one.merge(&other), Err(OtherParameters));
}

fn runs() -> impl Strategy<Value = Vec<(bool, Option<f64>)>> {
    let value = prop_oneof![1 => Just(None), 9 => (0.0..1_500.0).prop_map(Some)];
    vec((any::<bool>(), value), 0..300)
}

proptest! {
    #[test]
    fn a_restart_between_any_two_runs_changes_nothing(runs in runs()) {
        let mut whole = Watched::new(Direction::HighIsBad);
        let mut restarted = whole.clone();
        for (is_canary, value) in runs {
            whole.observe(is_canary, value);
            let bytes = restarted.measurement.encode();
            prop_assert!(bytes.len() <= 256, "{} bytes", bytes.len());
            restarted.measurement = Measurement::decode(&bytes).unwrap();
            restarted.observe(is_canary, value);
        }
        prop_assert_eq!(whole.measurement, restarted.measurement);
    }

    #[test]
    fn parts_add_up_in_any_order(parts in vec(runs(), 3..=3)) {
        let parts: Vec<Measurement> = parts.into_iter().map(|runs| {
            let mut watched = Watched::new(Direction::HighIsBad);
            runs.into_iter().for_each(|(is_canary, value)| watched.observe(is_canary, value));
            watched.measurement
        }).collect();
        let sum = |order: [usize; 3]| {
            let mut sum = Measurement::new(thresholds(Direction::HighIsBad));
            order.iter().for_each(|part| sum.merge(&parts[*part]).unwrap());
            sum
        };
        prop_assert_eq!(sum([0, 1, 2]), sum([2, 0, 1]));
        prop_assert_eq!(sum([0, 1, 2]), sum([1, 2, 0]));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(mut bytes in vec(any::<u8>(), 0..300)) {
        let _ = Measurement::decode(&bytes);
        bytes.splice(0..0, *b"M\x01\x00");
        let _ = Measurement::decode(&bytes);
    }
}

#[test]
fn the_bytes_of_version_1_stay_readable() {
    let limits = [10.0, 20.0, 30.0];
    let measurement = Measurement::new(Thresholds::new(Direction::LowIsBad, limits).unwrap());
    let mut watched = Watched { open: Open::default(), measurement };
    for run in 0..25_u32 {
        let value = (run % 7 != 3).then(|| f64::from(run * 11 % 40));
        watched.observe(run % 3 == 0, value);
    }
    let read = Measurement::decode(BYTES_OF_VERSION_1).unwrap();
    assert_eq!(read.encode(), BYTES_OF_VERSION_1);
    assert_eq!(read.thresholds(), watched.measurement.thresholds());
    let made = &watched.measurement;
    assert_eq!((read.canary, read.baseline), (made.canary, made.baseline));
    assert_eq!(read.ended, made.ended);
    assert!((read.log_e() - made.log_e()).abs() < 1e-12);
    assert_eq!(Measurement::decode(b"M\x02"), Err(CodecError::UnknownVersion(2)));
}

/// As the first released version wrote them; the last digits of a logarithm depend on the machine.
const BYTES_OF_VERSION_1: &[u8] = &[
    77, 1, 1, 0, 0, 0, 0, 0, 0, 36, 64, 0, 0, 0, 0, 0, 0, 52, 64, 0, 0, 0, 0, 0, 0, 62, 64, 0, 0,
    0, 0, 0, 0, 0, 0, 197, 226, 213, 150, 179, 191, 3, 241, 151, 254, 191, 212, 220, 12, 189, 133,
    226, 165, 186, 188, 42, 239, 244, 144, 225, 252, 153, 148, 1, 187, 137, 190, 189, 212, 213,
    129, 4, 180, 253, 161, 199, 224, 126, 255, 214, 219, 220, 240, 226, 1, 141, 201, 178, 179, 194,
    214, 18, 149, 215, 203, 200, 233, 232, 90, 189, 240, 224, 236, 184, 184, 203, 2, 162, 227, 214,
    201, 136, 92, 239, 226, 166, 211, 149, 103, 243, 158, 209, 157, 175, 204, 10, 249, 152, 216,
    219, 234, 169, 51, 229, 175, 198, 147, 244, 190, 179, 1, 229, 238, 130, 186, 164, 99, 165, 194,
    236, 129, 214, 199, 4, 203, 142, 132, 180, 205, 221, 19, 167, 134, 143, 132, 176, 143, 80, 145,
    173, 243, 211, 204, 160, 165, 2, 1, 1, 0, 0, 0, 3, 0, 1, 2, 3, 6, 1, 2, 4, 5, 11, 2, 4, 7, 9,
];

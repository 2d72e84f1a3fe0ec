//! The laws of the comparison: order, parts, restarts, bytes, and the error rate under the null.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::judge::codec::CodecError;
use crate::judge::hypergeometric::Law;

/// A run: is it the canary's, did it fail, who ran it.
type Run = (bool, bool, Option<u64>);

fn observe(blocks: &mut Blocks, (is_canary, is_failed, instance): Run) -> Step {
    let arm = if is_canary { Arm::Canary } else { Arm::Stable };
    blocks.observe(arm, is_failed, instance)
}

fn of(runs: impl IntoIterator<Item = Run>) -> Blocks {
    let mut blocks = Blocks::new(1.0).unwrap();
    for run in runs {
        observe(&mut blocks, run);
    }
    blocks
}

/// Runs of which few or many are the canary's and fail, of named instances and of others.
fn runs() -> impl Strategy<Value = Vec<Run>> {
    let instance = prop_oneof![Just(None), (0_u64..6).prop_map(Some), any::<u64>().prop_map(Some)];
    (0.02..0.98, 0.0..1.0).prop_flat_map(move |(share, rate)| {
        let run = (prop::bool::weighted(share), prop::bool::weighted(rate), instance.clone());
        vec(run, 0..400)
    })
}

fn closed_blocks() -> impl Strategy<Value = Closed> {
    runs().prop_map(|runs| *of(runs).closed())
}

fn merged(one: &Closed, other: &Closed) -> Closed {
    let mut sum = *one;
    sum.merge(other).unwrap();
    sum
}

proptest! {
    #[test]
    fn parts_add_up_in_any_order(
        one in closed_blocks(), other in closed_blocks(), third in closed_blocks(),
    ) {
        prop_assert_eq!(merged(&one, &other), merged(&other, &one));
        prop_assert_eq!(
            merged(&merged(&one, &other), &third),
            merged(&one, &merged(&other, &third))
        );
        prop_assert_eq!(merged(&one, &Closed::new(1.0).unwrap()), one);
        let sum = merged(&one, &other);
        prop_assert_eq!(sum.log_e().to_bits(), merged(&other, &one).log_e().to_bits());
    }

    #[test]
    fn two_parts_cut_between_blocks_make_the_whole(runs in runs(), cut in 0_usize..400) {
        let whole = of(runs.clone());
        let mut first = Blocks::new(1.0).unwrap();
        let mut boundary = 0;
        for (index, run) in runs.iter().enumerate() {
            if observe(&mut first, *run).closed.is_some() {
                boundary = index + 1;
                if index >= cut {
                    break;
                }
            }
        }
        let (head, tail) = runs.split_at(boundary);
        let (head, mut rest) = (of(head.to_vec()), of(tail.to_vec()));
        prop_assert_eq!(&merged(head.closed(), rest.closed()), whole.closed());
        rest.take_over(head.closed()).unwrap();
        prop_assert_eq!(rest.closed(), whole.closed());
        prop_assert_eq!(rest.open(), whole.open());
    }

    #[test]
    fn a_restart_between_any_two_runs_changes_nothing(runs in runs()) {
        let mut restarted = Blocks::new(1.0).unwrap();
        for run in &runs {
            restarted = Blocks::decode(&restarted.encode()).unwrap();
            observe(&mut restarted, *run);
        }
        let whole = of(runs);
        prop_assert_eq!(restarted.reading(Alpha::BASELINE), whole.reading(Alpha::BASELINE));
        prop_assert_eq!(restarted, whole);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(mut bytes in vec(any::<u8>(), 0..128), runs in runs()) {
        let _ = Blocks::decode(&bytes);
        bytes.splice(0..0, *b"B\x01");
        let _ = Blocks::decode(&bytes);
        let whole = of(runs).encode();
        for end in 0..whole.len() {
            prop_assert!(Blocks::decode(whole.get(..end).unwrap()).is_err());
        }
        // One byte changed: refused, or a comparison that goes on without a fault.
        let mut damaged = whole;
        let place = bytes.len() % damaged.len();
        damaged[place] = damaged[place].wrapping_add(bytes.len() as u8);
        if let Ok(mut blocks) = Blocks::decode(&damaged) {
            for run in 0..30 {
                observe(&mut blocks, (run % 3 == 0, run % 2 == 0, None));
            }
            prop_assert!(!blocks.reading(Alpha::BASELINE).log_e.is_nan());
        }
    }

    #[test]
    fn a_usual_state_takes_256_bytes(runs in runs()) {
        let blocks = of(runs);
        if blocks.open().seen.len() < 10 {
            prop_assert!(blocks.encode().len() <= 256);
        }
    }

    #[test]
    fn small_and_large_blocks_are_weighed_alike(
        canary in 1_u64..10, baseline in 1_u64..10, part in 0.0..1.0, split in 0.0..1.0,
        odds in 0.001_f64..1000.0,
    ) {
        let total = ((canary + baseline) as f64 * part) as u64;
        let law = Law::new(canary, baseline, total).unwrap();
        let (low, high) = law.support();
        let failed = low + ((high - low) as f64 * split) as u64;
        let block = Block {
            canary: open::Runs { runs: canary, failed },
            baseline: open::Runs { runs: baseline, failed: total - failed },
        };
        let mut sums = Sums::<1>::default();
        sums.add(&block, &[odds], 0.7);
        prop_assert!((sums.logs()[0] - law.log_ratio(failed, odds, 0.7)).abs() < 1e-11);
    }
}

#[test]
fn the_bytes_of_version_1_stay_readable() {
    let mut blocks = of((0..25).map(|run| (run % 4 == 0, run % 8 == 0, None)));
    observe(&mut blocks, (false, false, Some(0x0102_0304_0506_0708)));
    let read = Blocks::decode(BYTES_OF_VERSION_1).unwrap();
    assert_eq!(read.encode(), BYTES_OF_VERSION_1);
    assert_eq!((read.open(), read.names), (blocks.open(), blocks.names));
    for (read, made) in read.closed().logs().into_iter().zip(blocks.closed().logs()) {
        assert!((read - made).abs() < 1e-12, "{read} and {made}");
    }
    assert_eq!(Blocks::decode(b"B\x02"), Err(CodecError::UnknownVersion(2)));
    assert_eq!(Blocks::decode(b"B\x01"), Err(CodecError::Damaged));
    assert_eq!(Blocks::decode(b"R\x01"), Err(CodecError::OtherRule));
}

/// As the first released version wrote them; the last digits of a logarithm depend on the machine.
const BYTES_OF_VERSION_1: &[u8] = &[
    66, 1, 0, 0, 0, 0, 0, 0, 240, 63, 222, 252, 82, 108, 195, 55, 7, 64, 150, 168, 129, 219, 179,
    176, 124, 150, 212, 145, 246, 237, 177, 226, 1, 198, 158, 171, 152, 231, 155, 223, 2, 230, 157,
    248, 238, 240, 213, 214, 3, 182, 207, 229, 133, 243, 239, 154, 4, 10, 2, 1, 4, 0, 0, 1, 247,
    248, 249, 250, 251, 252, 253, 254, 1, 8, 7, 6, 5, 4, 3, 2, 1,
];

#[test]
fn only_parts_with_the_same_odds_ratio_add_up() {
    let mut blocks = Blocks::new(1.0).unwrap();
    assert_eq!(blocks.take_over(&Closed::new(2.0).unwrap()), Err(OtherParameters));
    for wrong in [0.0, -1.0, f64::NAN, 101.0] {
        assert!(Blocks::new(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_verdict_stays_and_what_a_part_found_alone_is_not_one() {
    let bad = (0..30).map(|run| (run % 5 == 0, run % 5 == 0, None));
    let good = (0..4_000).map(|run| (run % 5 == 0, run % 5 == 1, None));
    let mut blocks = of(bad.clone());
    assert!(blocks.reading(Alpha::BASELINE).is_crossed());
    good.clone().for_each(|run| {
        observe(&mut blocks, run);
    });
    let reading = blocks.reading(Alpha::BASELINE);
    assert!(reading.is_crossed() && reading.log_e < -10.0, "{reading:?}");

    let mut whole = of(good);
    whole.take_over(of(bad).closed()).unwrap();
    assert!(!whole.reading(Alpha::BASELINE).is_crossed(), "the sum speaks for the canary");
}

#[test]
fn a_change_of_share_keeps_a_block_with_both_arms() {
    let mut blocks = of([(true, true, None), (false, false, None)]);
    assert!(blocks.close_at_share_change().is_some());
    let log_e = blocks.reading(Alpha::BASELINE).log_e;
    assert!(log_e > 0.0);
    observe(&mut blocks, (true, true, None));
    assert_eq!(blocks.close_at_share_change(), None);
    assert_eq!(blocks.reading(Alpha::BASELINE).log_e, log_e);
    assert_eq!(blocks.open(), &Open::default());
}

#[test]
fn a_canary_that_fails_twice_as_often_is_fine_where_that_is_allowed() {
    // Of 40 runs of the canary 8 fail, of 40 of the baseline 4.
    let of_forty =
        |run: u32| if run.is_multiple_of(2) { run.is_multiple_of(10) } else { run % 20 == 1 };
    let runs = (0..8_000).map(|run| (run % 2 == 0, of_forty(run), None));
    let mut lenient = Blocks::new(3.0).unwrap();
    runs.clone().for_each(|run| {
        observe(&mut lenient, run);
    });
    assert!(!lenient.reading(Alpha::BASELINE).is_crossed());
    assert!(of(runs).reading(Alpha::BASELINE).is_crossed());
}

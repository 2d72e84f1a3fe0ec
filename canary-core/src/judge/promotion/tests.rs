//! When a canary is promoted early, and what survives a restart.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::judge::blocks::open::Open;
use crate::judge::codec::CodecError;
use crate::rollout::Arm;

/// One canary, watched for promotion.
struct Watched {
    open: Open,
    promotion: Promotion,
    succeeded: u64,
    failed: u64,
}

impl Watched {
    fn new(acceptable: Option<f64>) -> Self {
        let promotion = Promotion::new(Promotion::RHO, acceptable).unwrap();
        Self { open: Open::default(), promotion, succeeded: 0, failed: 0 }
    }

    fn observe(&mut self, is_canary: bool, is_failed: bool) {
        let arm = if is_canary { Arm::Canary } else { Arm::Stable };
        self.succeeded += u64::from(is_canary && !is_failed);
        self.failed += u64::from(is_canary && is_failed);
        let step = self.open.observe(arm, is_failed, None);
        self.promotion.observe(step.closed.as_ref(), self.succeeded, self.failed);
    }

    fn reading(&self) -> Reading {
        self.promotion.reading(Alpha::PROMOTION, self.succeeded, self.failed)
    }

    /// The first of these runs after which it is to be promoted.
    fn promoted_at(&mut self, runs: impl Iterator<Item = (bool, bool)>) -> Option<usize> {
        runs.zip(1..).find_map(|((is_canary, is_failed), at)| {
            self.observe(is_canary, is_failed);
            self.reading().is_crossed().then_some(at)
        })
    }
}

#[test]
fn a_canary_as_good_as_the_baseline_is_promoted_and_one_at_the_limit_is_not() {
    let good = (0..10_000).map(|run| (run % 2 == 0, run % 50 < 2));
    assert!(Watched::new(None).promoted_at(good).is_some());
    let doubled = (0..10_000).map(|run| (run % 2 == 0, run % 50 < 2 || run % 50 == 4));
    assert_eq!(Watched::new(None).promoted_at(doubled), None);
}

#[test]
fn the_service_level_needs_no_baseline() {
    let alone = || (0..10_000).map(|run| (true, run % 1_000 == 999));
    let at = Watched::new(Some(0.01)).promoted_at(alone()).unwrap();
    assert!(at < 800, "{at}");
    assert_eq!(Watched::new(None).promoted_at(alone()), None);
}

#[test]
fn the_service_level_is_found_by_its_bound_as_without() {
    let service = Service::new(0.03).unwrap();
    let mut watched = Watched::new(Some(0.03));
    let (mut highest, mut succeeded, mut failed) = (0.0_f64, 0, 0);
    for run in 0..3_000 {
        let is_failed = run % 97 == 5;
        watched.observe(true, is_failed);
        succeeded += u64::from(!is_failed);
        failed += u64::from(is_failed);
        highest = highest.max(0.5_f64.ln() + service.log_e(succeeded, failed));
        assert_eq!(watched.reading().max_log_e, highest);
    }
}

#[test]
fn the_evidence_is_the_mean_of_both_halves() {
    let mut watched = Watched::new(Some(0.25));
    for run in 0..200 {
        watched.observe(run % 2 == 0, run % 7 == 3);
        let (succeeded, failed) = (watched.succeeded, watched.failed);
        let halves = watched.promotion.halves(succeeded, failed);
        let mean = 0.5 * halves.relative.exp() + 0.5 * halves.service.unwrap().exp();
        let log_e = watched.promotion.log_e(succeeded, failed);
        assert!((log_e - mean.ln()).abs() < 1e-12, "{log_e} and {mean}");
    }
    let alone = Promotion::new(Promotion::RHO, None).unwrap();
    assert_eq!(alone.halves(10, 0), Halves { relative: 0.0, service: None });
}

#[test]
fn parameters_are_checked() {
    assert!(Promotion::new(1.0, None).is_err());
    for wrong in [0.0, 1.0, -0.1, f64::NAN] {
        assert!(Promotion::new(2.0, Some(wrong)).is_err(), "{wrong}");
    }
    let mut one = Promotion::new(2.0, None).unwrap();
    assert_eq!(one.merge(&Promotion::new(3.0, None).unwrap()), Err(OtherParameters));
}

proptest! {
    #[test]
    fn a_restart_between_any_two_runs_changes_nothing(
        runs in vec(any::<(bool, bool)>(), 0..200), acceptable in proptest::option::of(0.01..0.99),
    ) {
        let (mut whole, mut restarted) = (Watched::new(acceptable), Watched::new(acceptable));
        for (is_canary, is_failed) in runs {
            whole.observe(is_canary, is_failed);
            let bytes = restarted.promotion.encode();
            prop_assert!(bytes.len() <= 256);
            restarted.promotion = Promotion::decode(&bytes).unwrap();
            restarted.observe(is_canary, is_failed);
        }
        prop_assert_eq!(whole.promotion, restarted.promotion);
    }

    #[test]
    fn parts_add_up_in_any_order(runs in vec(vec(any::<(bool, bool)>(), 0..100), 3..=3)) {
        let parts: Vec<Promotion> = runs.into_iter().map(|runs| {
            let mut watched = Watched::new(None);
            runs.into_iter().for_each(|(is_canary, is_failed)| watched.observe(is_canary, is_failed));
            watched.promotion
        }).collect();
        let sum = |order: [usize; 3]| {
            let mut sum = Promotion::new(Promotion::RHO, None).unwrap();
            order.iter().for_each(|part| sum.merge(&parts[*part]).unwrap());
            sum
        };
        prop_assert_eq!(sum([0, 1, 2]), sum([2, 0, 1]));
        prop_assert_eq!(sum([0, 1, 2]), sum([1, 2, 0]));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(mut bytes in vec(any::<u8>(), 0..128)) {
        let _ = Promotion::decode(&bytes);
        bytes.splice(0..0, *b"P\x01");
        let _ = Promotion::decode(&bytes);
    }
}

#[test]
fn the_bytes_of_version_1_stay_readable() {
    let mut watched = Watched::new(Some(0.25));
    (0..20).for_each(|run| watched.observe(run % 2 == 0, run % 5 == 1));
    let read = Promotion::decode(BYTES_OF_VERSION_1).unwrap();
    assert_eq!(read.encode(), BYTES_OF_VERSION_1);
    assert_eq!(read.service, watched.promotion.service);
    for (read, made) in read.logs().into_iter().zip(watched.promotion.logs()) {
        assert!((read - made).abs() < 1e-12, "{read} and {made}");
    }
    assert_eq!(Promotion::decode(b"P\x02"), Err(CodecError::UnknownVersion(2)));
}

/// As the first released version wrote them; the last digits of a logarithm depend on the machine.
const BYTES_OF_VERSION_1: &[u8] = &[
    80, 1, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 208, 63, 0, 0, 0, 0, 0, 0, 0, 0, 255, 160,
    159, 242, 233, 233, 76, 200, 217, 163, 201, 128, 158, 12, 132, 210, 144, 132, 186, 252, 26,
    152, 150, 140, 155, 210, 198, 20,
];

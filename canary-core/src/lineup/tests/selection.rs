//! Who gets which version.

use super::*;

#[test]
fn a_hundred_polls_in_band_1_are_eighty_stable_and_twenty_canary() {
    let handed_out = Product::with_canary(Policy::default()).poll_and_report(100);
    assert_eq!((handed_out["0.0.1"], handed_out["0.0.2"]), (80, 20));
}

#[test]
fn six_hundred_polls_over_the_whole_period_are_201_stable_and_399_canary() {
    let mut product = Product::with_canary(Policy::default());
    let (mut stable, mut canary) = (0, 0);
    for hundred in 0..6 {
        if hundred > 0 {
            product.pass(Duration::from_secs_f64(86_400.0 * (2.0 / 5.0 + 1.0 / 20_000.0)));
        }
        let handed_out = product.poll_and_report(100);
        stable += handed_out.get("0.0.1").unwrap_or(&0);
        canary += handed_out.get("0.0.2").unwrap_or(&0);
    }
    assert_eq!((stable, canary), (201, 399));
    assert_eq!(product.state_of("0.0.2"), State::Promoted);
    assert_eq!(product.state_of("0.0.1"), State::Retired);
}

#[test]
fn three_releases_one_after_another_leave_16_20_and_4_signals_in_band_1() {
    let mut product = Product::with_canary(Policy::default());
    let mut in_band_1 = std::collections::BTreeMap::<String, u32>::new();
    for round in 0..2 {
        if round == 1 {
            product.register("0.0.3", State::Running, Policy::default());
        }
        for _ in 0..20 {
            let version = product.poll();
            if product.report(&version, Status::Success) == Some(1) {
                *in_band_1.entry(version).or_default() += 1;
            }
        }
    }
    let counts: Vec<u32> = ["0.0.1", "0.0.2", "0.0.3"].map(|version| in_band_1[version]).into();
    assert_eq!(counts, [16, 20, 4]);
}

#[test]
fn a_thousand_pollers_at_once_get_the_canary_at_most_share_times_thousand_plus_one_times() {
    let mut product = Product::with_canary(Policy::default());
    let answers: Vec<String> = (0..1_000).map(|_| product.poll()).collect();
    let canary = answers.iter().filter(|version| *version == "0.0.2").count();
    assert!((200..=201).contains(&canary), "{canary}");

    // What nobody reports stops to count after a minute, and somebody must begin again.
    product.pass(Duration::from_secs(60));
    assert_eq!(product.ask(Asker::Run(None)), ("0.0.2".into(), Reason::FirstCanaryRun));
    assert_eq!(product.ask(Asker::Run(None)), ("0.0.1".into(), Reason::FirstStableRun));
    assert_eq!(product.ask(Asker::Run(None)), ("0.0.1".into(), Reason::StableShare));
}

#[test]
fn the_same_run_gets_the_same_answer() {
    let mut product = Product::with_canary(Policy::default());
    let mut ask = |run: &str| product.ask(Asker::Run(Some(RunKey::of(run))));
    let first: Vec<_> = (0..100).map(|run| ask(&run.to_string())).collect();
    let again: Vec<_> = (0..100).map(|run| ask(&run.to_string())).collect();
    assert_eq!(first, again);
    assert_eq!(first.iter().filter(|(version, _)| version == "0.0.2").count(), 20);
}

#[test]
fn a_release_of_tomorrow_waits_for_its_date() {
    let mut product = Product::with_canary(Policy::default());
    product.now = Timestamp::from_micros(START.as_micros() - 1);
    let instance = InstanceId::parse("any").unwrap();
    assert_eq!(product.ask(Asker::Run(None)), ("0.0.1".into(), Reason::StableShare));
    assert_eq!(product.ask(Asker::Instance(&instance)), ("0.0.1".into(), Reason::StableShare));
    assert_eq!(product.lineup.next_change_at(product.now), Some(START));
}

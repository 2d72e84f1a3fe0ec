//! Answers that nobody reports: a canary that crashes before it can.

use super::*;

fn within(seconds: f64, change: impl FnOnce(&mut Settings)) -> Policy {
    policy(|settings| {
        settings.report_within = Some(seconds);
        change(settings);
    })
}

impl Product {
    fn unreported(&mut self, arm: Arm, answers: u64) {
        self.lineup.observe_unreported(arm, answers, self.now, &mut self.effects);
    }
}

#[test]
fn a_canary_that_never_reports_is_rolled_back() {
    check(
        "one by one",
        within(600.0, |_| {}),
        |product| (0..10).for_each(|_| product.unreported(Arm::Canary, 1)),
        (State::RolledBack, Rule::Threshold),
        "rolled back 0.0.2: 4 of 4 runs failed (4 not reported in time), where at least 80 % must \
         succeed (rule threshold, p ≤ 0.0038); everybody gets 0.0.1 again; register the mended \
         software as a new version",
    );
    check(
        "all at once, beside some that were reported",
        within(600.0, |_| {}),
        |product| {
            product.canary(2, 1);
            product.unreported(Arm::Canary, 9);
        },
        (State::RolledBack, Rule::Threshold),
        "rolled back 0.0.2: 10 of 12 runs failed (9 not reported in time), where at least 80 % \
         must succeed (rule threshold, p ≤ 0.000075); everybody gets 0.0.1 again; register the \
         mended software as a new version",
    );
    check(
        "where one is enough",
        within(600.0, |settings| settings.rule = Some(ThresholdRule::Ratio)),
        |product| product.unreported(Arm::Canary, 1),
        (State::RolledBack, Rule::Ratio),
        "rolled back 0.0.2: the only run was not reported in time, where at least 80 % must \
         succeed (rule ratio); everybody gets 0.0.1 again; register the mended software as a new \
         version",
    );
}

#[test]
fn answers_that_are_not_reported_are_failed_runs_for_every_rule() {
    check(
        "compared with a stable version of which few are missing",
        within(600.0, |settings| settings.alpha_floor = Some(0.0)),
        |product| {
            for _ in 0..20 {
                product.by_turns(8, 0, 0);
                product.unreported(Arm::Canary, 4);
            }
        },
        (State::RolledBack, Rule::Baseline),
        "rolled back 0.0.2: 12 of 36 runs failed (12 not reported in time), and with 0.0.1 \
         meanwhile 0 of 24: 0.0.2 fails more often (rule baseline, p ≤ 0.019); everybody gets \
         0.0.1 again; register the mended software as a new version",
    );
    check(
        "among too few",
        within(600.0, |settings| settings.min_signals = Some(10)),
        |product| {
            product.canary(5, 0);
            product.unreported(Arm::Canary, 2);
            product.end();
        },
        (State::Running, Rule::OnInsufficient),
        "held 0.0.2: only 7 runs were judged by the end of its period (2 not reported in time), \
         where at least 10 must be, so it stays a canary (rule on_insufficient) until enough are, \
         or somebody promotes it or rolls it back",
    );
}

#[test]
fn answers_that_are_not_reported_are_only_counted_where_the_policy_says_nothing() {
    let mut product = Product::with_canary(Policy::default());
    product.canary(5, 0);
    product.unreported(Arm::Canary, 1_000);
    product.unreported(Arm::Stable, 7);
    product.end();
    let evidence = product.decision_of("0.0.2").evidence.clone().unwrap();
    assert_eq!((evidence.unreported.canary, evidence.unreported.stable), (1_000, 7));
    assert!(!evidence.is_unreported_failed);
    assert_eq!(evidence.judged(), evidence.canary);
    assert_eq!(
        product.decision_of("0.0.2").sentence,
        "promoted 0.0.2: 5 of 5 runs succeeded over its period of 2 days, where at least 80 % \
         must succeed, and no rule speaks against it (rule schedule; no run of 0.0.1 was judged \
         meanwhile); it replaces 0.0.1 (to go back, promote 0.0.1)"
    );
}

#[test]
fn what_the_stable_version_does_not_report_is_no_evidence_against_the_canary() {
    let mut product = Product::with_canary(within(600.0, |_| {}));
    for _ in 0..100 {
        product.by_turns(1, 0, 0);
        product.unreported(Arm::Stable, 1);
    }
    assert_eq!(product.state_of("0.0.2"), State::Running);
    assert_eq!(product.rollout().unreported().stable, 100);
    let canary = product.lineup.open().unwrap().release.clone();
    let evidence = product.rollout().evidence(&canary, product.now);
    assert_eq!((evidence.judged().failed, evidence.judged_stable().failed), (0, 100));
}

#[test]
fn answers_of_a_first_release_are_awaited_too() {
    let mut product = Product::new();
    product.register("0.0.1", State::Running, Policy::default());
    let run = RunKey::of("a run that asks twice");
    for asker in [Asker::Run(None), Asker::Run(Some(run)), Asker::Run(Some(run))] {
        assert_eq!(product.ask(asker).1, Reason::OnlyCanary);
    }
    let after = product.now.after(Duration::from_secs(60));
    let overdue = product.outstanding.awaited.take_overdue(after);
    assert_eq!((overdue.canary, overdue.stable), (2, 0));
}

//! What becomes of a canary at the end of its period.

use super::*;

#[test]
fn no_signal_no_promotion() {
    let mut product = Product::with_canary(Policy::default());
    product.end();
    product.tick();
    assert_eq!(product.state_of("0.0.2"), State::Running);
    assert_eq!(
        product.sentences(),
        ["held 0.0.2: no run was reported by the end of its period, where at least 1 must be, \
             so it stays a canary (rule on_insufficient) until enough are, or somebody promotes \
             it or rolls it back"],
        "a hold is said once"
    );
    product.report("0.0.2", Status::Neutral);
    assert_eq!(product.state_of("0.0.2"), State::Running, "neutral signals are no evidence");
    product.report("0.0.2", Status::Success);
    assert_eq!(product.state_of("0.0.2"), State::Promoted);
    assert_eq!(
        product.sentences()[1..],
        [
            "promoted 0.0.2: the only run succeeded over its period of 2 days and the hold after \
             it, where at least 80 % must succeed, and no rule speaks against it (rule schedule; \
             no run of 0.0.1 was judged meanwhile); it replaces 0.0.1 (to go back, promote 0.0.1)",
            "retired 0.0.1: 0.0.2 was promoted"
        ],
        "both timelines tell of it"
    );
}

fn at(at_end: AtEnd, q: Option<f64>) -> Policy {
    policy(|settings| {
        settings.at_end = Some(at_end);
        settings.q = q;
    })
}

/// A canary of which nine runs succeeded.
fn nine(product: &mut Product) {
    product.canary(9, 0);
    product.end();
}

/// A canary that sixty runs have proven good.
fn sixty(product: &mut Product) {
    product.by_turns(60, 0, 0);
    product.end();
}

#[test]
fn where_no_proof_is_asked_for_a_canary_without_one_is_promoted() {
    check(
        "promote, without a proof",
        Policy::default(),
        |product| {
            product.canary(99, 1);
            product.end();
        },
        (State::Promoted, Rule::Schedule),
        "promoted 0.0.2: 99 of 100 runs succeeded over its period of 2 days, where at least 80 % \
         must succeed, and no rule speaks against it (rule schedule; no run of 0.0.1 was judged \
         meanwhile); it replaces 0.0.1 (to go back, promote 0.0.1)",
    );
}

#[test]
fn a_promotion_names_the_runs_of_the_stable_version_meanwhile() {
    let told = |stable: &[Status]| {
        let mut product = Product::with_canary(Policy::default());
        product.canary(99, 1);
        stable.iter().for_each(|status| {
            product.report("0.0.1", *status);
        });
        product.end();
        product.decision_of("0.0.2").sentence.clone()
    };
    let with = |meanwhile: &str| {
        format!(
            "promoted 0.0.2: 99 of 100 runs succeeded over its period of 2 days, where at least \
             80 % must succeed, and no rule speaks against it (rule schedule; {meanwhile}); it \
             replaces 0.0.1 (to go back, promote 0.0.1)"
        )
    };
    let (success, failed, neutral) = (Status::Success, Status::Failed, Status::Neutral);
    let many: Vec<Status> =
        (0..300).map(|run| if run % 100 == 99 { failed } else { success }).collect();
    assert_eq!(told(&many), with("with 0.0.1 meanwhile 297 of 300 runs succeeded"));
    assert_eq!(told(&[success]), with("with 0.0.1 meanwhile the only run succeeded"));
    assert_eq!(told(&[failed, neutral]), with("with 0.0.1 meanwhile the only run failed"));
    assert_eq!(told(&[neutral]), with("no run of 0.0.1 was judged meanwhile"));
}

#[test]
fn the_first_release_is_promoted_with_nothing_beside_it() {
    let mut product = Product::new();
    product.register("0.0.1", State::Running, Policy::default());
    product.report("0.0.1", Status::Success);
    product.end();
    assert_eq!(
        product.last_sentence(),
        "promoted 0.0.1: the only run succeeded over its period of 2 days, where at least 80 % \
         must succeed, and no rule speaks against it (rule schedule)"
    );
}

#[test]
fn a_canary_without_a_proof_is_held_where_the_policy_says_so() {
    check(
        "hold, without a proof",
        at(AtEnd::Hold, Some(0.1)),
        nine,
        (State::Running, Rule::AtEnd),
        "held 0.0.2: at the end of its period 9 of 9 runs succeeded, where at least 80 % must \
         succeed; that does not prove that it is good enough, namely that its odds of failing are \
         less than 2 times those of 0.0.1 or that its failure rate is below 10 % (evidence 1 of \
         the 20 it needs), so it stays a canary (rule at_end) until more runs decide, or somebody \
         promotes it or rolls it back",
    );
    check(
        "hold, with a proof",
        at(AtEnd::Hold, Some(0.1)),
        sixty,
        (State::Promoted, Rule::Schedule),
        "promoted 0.0.2: 60 of 60 runs succeeded over its period of 2 days, where at least 80 % \
         must succeed, and no rule speaks against it (rule schedule; with 0.0.1 meanwhile 60 of \
         60 runs succeeded); it is proven good enough: its failure rate is below 10 % (p ≤ \
         0.011); it replaces 0.0.1 (to go back, promote 0.0.1)",
    );
    check(
        "hold, with a proof by the comparison alone",
        at(AtEnd::Hold, None),
        |product| {
            product.by_turns(1_500, 10, 10);
            product.end();
        },
        (State::Promoted, Rule::Schedule),
        "promoted 0.0.2: 1350 of 1500 runs succeeded over its period of 2 days, where at least 80 \
         % must succeed, and no rule speaks against it (rule schedule; with 0.0.1 meanwhile 1350 \
         of 1500 runs succeeded); it is proven good enough: its odds of failing are less than 2 \
         times those of 0.0.1 (p ≤ 0.00000028); it replaces 0.0.1 (to go back, promote 0.0.1)",
    );
}

#[test]
fn a_canary_without_a_proof_is_rolled_back_where_the_policy_says_so() {
    check(
        "rollback, without a proof",
        at(AtEnd::Rollback, Some(0.1)),
        nine,
        (State::RolledBack, Rule::AtEnd),
        "rolled back 0.0.2: at the end of its period 9 of 9 runs succeeded, where at least 80 % \
         must succeed; that does not prove that it is good enough, namely that its odds of \
         failing are less than 2 times those of 0.0.1 or that its failure rate is below 10 % \
         (evidence 1 of the 20 it needs), and its policy rolls the unproven back (rule at_end); \
         everybody gets 0.0.1 again; register the mended software as a new version",
    );
    check(
        "rollback, with a proof",
        at(AtEnd::Rollback, Some(0.1)),
        sixty,
        (State::Promoted, Rule::Schedule),
        "promoted 0.0.2: 60 of 60 runs succeeded over its period of 2 days, where at least 80 % \
         must succeed, and no rule speaks against it (rule schedule; with 0.0.1 meanwhile 60 of \
         60 runs succeeded); it is proven good enough: its failure rate is below 10 % (p ≤ \
         0.011); it replaces 0.0.1 (to go back, promote 0.0.1)",
    );
}

#[test]
fn below_its_threshold_no_canary_is_promoted() {
    let play = |product: &mut Product| {
        product.canary(1, 2);
        product.end();
    };
    let held = "held 0.0.2: at the end of its period 1 of 3 runs succeeded, where at least 80 % \
                must succeed; that does not prove that it is bad (evidence 2.2 of the 100 it \
                needs), so it stays a canary (rule at_end) until more runs decide, or somebody \
                promotes it or rolls it back";
    let (promote, hold, rollback) = (AtEnd::Promote, AtEnd::Hold, AtEnd::Rollback);
    let cases = [
        (promote, State::Running, held),
        (hold, State::Running, held),
        (
            rollback,
            State::RolledBack,
            "rolled back 0.0.2: at the end of its period 1 of 3 runs succeeded, where at least 80 \
             % must succeed; that does not prove that it is bad (evidence 2.2 of the 100 it \
             needs), and its policy rolls the unproven back (rule at_end); everybody gets 0.0.1 \
             again; register the mended software as a new version",
        ),
    ];
    for (at_end, state, sentence) in cases {
        check(at_end.as_str(), at(at_end, None), play, (state, Rule::AtEnd), sentence);
    }
}

fn lacking(on_insufficient: OnInsufficient, min_signals: i64) -> Policy {
    policy(|settings| {
        settings.on_insufficient = Some(on_insufficient);
        settings.min_signals = Some(min_signals);
    })
}

#[test]
fn too_few_runs_are_held_as_the_policy_says() {
    check(
        "hold",
        lacking(OnInsufficient::Hold, 10),
        nine,
        (State::Running, Rule::OnInsufficient),
        "held 0.0.2: only 9 runs were reported by the end of its period, where at least 10 must \
         be, so it stays a canary (rule on_insufficient) until enough are, or somebody promotes \
         it or rolls it back",
    );
    check(
        "hold, of which some say nothing",
        lacking(OnInsufficient::Hold, 10),
        |product| {
            product.canary(1, 0);
            for _ in 0..5 {
                product.report("0.0.2", Status::Neutral);
            }
            product.end();
        },
        (State::Running, Rule::OnInsufficient),
        "held 0.0.2: only 1 run was judged by the end of its period (5 neutral), where at least \
         10 must be, so it stays a canary (rule on_insufficient) until enough are, or somebody \
         promotes it or rolls it back",
    );
}

#[test]
fn too_few_runs_are_promoted_or_rolled_back_as_the_policy_says() {
    check(
        "promote",
        lacking(OnInsufficient::Promote, 1),
        Product::end,
        (State::Promoted, Rule::OnInsufficient),
        "promoted 0.0.2: no run was reported by the end of its period, where at least 1 must be, \
         and its policy promotes the unproven (rule on_insufficient); it replaces 0.0.1 (to go \
         back, promote 0.0.1)",
    );
    check(
        "rollback",
        lacking(OnInsufficient::Rollback, 10),
        nine,
        (State::RolledBack, Rule::OnInsufficient),
        "rolled back 0.0.2: only 9 runs were reported by the end of its period, where at least 10 \
         must be, and its policy rolls the unproven back (rule on_insufficient); everybody gets \
         0.0.1 again; register the mended software as a new version",
    );
    check(
        "rollback where nobody has run it",
        lacking(OnInsufficient::Rollback, 1),
        Product::end,
        (State::RolledBack, Rule::OnInsufficient),
        "rolled back 0.0.2: no run was reported by the end of its period, where at least 1 must \
         be, and its policy rolls the unproven back (rule on_insufficient); everybody gets 0.0.1 \
         again; register the mended software as a new version",
    );
}

#[test]
fn a_held_canary_is_promoted_once_it_is_proven() {
    check(
        "it waits for a proof",
        policy(|settings| {
            settings.at_end = Some(AtEnd::Hold);
            settings.q = Some(0.1);
        }),
        |product| {
            product.canary(9, 0);
            product.end();
            product.pass(Duration::from_secs(86_400));
            product.by_turns(100, 0, 0);
        },
        (State::Promoted, Rule::Schedule),
        "promoted 0.0.2: 44 of 44 runs succeeded over its period of 2 days and the hold after it, \
         where at least 80 % must succeed, and no rule speaks against it (rule schedule; with \
         0.0.1 meanwhile 35 of 35 runs succeeded); it is proven good enough: its failure rate is \
         below 10 % (p ≤ 0.048); it replaces 0.0.1 (to go back, promote 0.0.1)",
    );
}

#[test]
fn a_held_canary_goes_on_to_be_judged() {
    check(
        "it was below its threshold",
        Policy::default(),
        |product| {
            product.canary(1, 2);
            product.end();
            product.canary(7, 0);
        },
        (State::Promoted, Rule::Schedule),
        "promoted 0.0.2: 8 of 10 runs succeeded over its period of 2 days and the hold after it, \
         where at least 80 % must succeed, and no rule speaks against it (rule schedule; no run \
         of 0.0.1 was judged meanwhile); it replaces 0.0.1 (to go back, promote 0.0.1)",
    );
    check(
        "there were too few",
        policy(|settings| settings.min_signals = Some(10)),
        |product| {
            product.canary(9, 0);
            product.end();
            product.canary(1, 0);
        },
        (State::Promoted, Rule::Schedule),
        "promoted 0.0.2: 10 of 10 runs succeeded over its period of 2 days and the hold after it, \
         where at least 80 % must succeed, and no rule speaks against it (rule schedule; no run \
         of 0.0.1 was judged meanwhile); it replaces 0.0.1 (to go back, promote 0.0.1)",
    );
    check(
        "it turned bad",
        Policy::default(),
        |product| {
            product.canary(1, 2);
            product.end();
            product.canary(0, 10);
        },
        (State::RolledBack, Rule::Threshold),
        "rolled back 0.0.2: 6 of 7 runs failed, where at least 80 % must succeed (rule threshold, \
         p ≤ 0.0042); everybody gets 0.0.1 again; register the mended software as a new version",
    );
}

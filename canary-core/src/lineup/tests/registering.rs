//! What a new release does to those that are there.

use super::*;

#[test]
fn a_healthy_canary_is_promoted_for_a_newer_release_or_gives_way_as_its_policy_says() {
    check(
        "healthy",
        Policy::default(),
        |product| {
            product.canary(1, 0);
            product.register("0.0.3", State::Running, Policy::default());
        },
        (State::Promoted, Rule::OnSupersede),
        "promoted 0.0.2: 0.0.3 was registered, and the only run succeeded, where at least 80 % \
         must succeed (rule on_supersede); it replaces 0.0.1 (to go back, promote 0.0.1)",
    );
    check(
        "its policy gives way",
        policy(|settings| settings.on_supersede = Some(OnSupersede::Abort)),
        |product| {
            product.canary(1, 0);
            product.register("0.0.3", State::Running, Policy::default());
        },
        (State::Superseded, Rule::OnSupersede),
        "superseded 0.0.2: 0.0.3 was registered, and the policy of 0.0.2 gives way to newer \
         releases (rule on_supersede); 0.0.3 is the canary now, and everybody else gets 0.0.1",
    );
}

#[test]
fn a_canary_that_is_not_healthy_gives_way_to_a_newer_release() {
    check(
        "nobody has run it",
        Policy::default(),
        |product| product.register("0.0.3", State::Running, Policy::default()),
        (State::Superseded, Rule::OnSupersede),
        "superseded 0.0.2: 0.0.3 was registered before 0.0.2 was judged healthy: no run was \
         reported, where at least 1 must be (rule on_supersede); 0.0.3 is the canary now, and \
         everybody else gets 0.0.1",
    );
    check(
        "too few have run it",
        policy(|settings| settings.min_signals = Some(10)),
        |product| {
            product.canary(9, 0);
            product.register("0.0.3", State::Running, Policy::default());
        },
        (State::Superseded, Rule::OnSupersede),
        "superseded 0.0.2: 0.0.3 was registered before 0.0.2 was judged healthy: only 9 runs were \
         reported, where at least 10 must be (rule on_supersede); 0.0.3 is the canary now, and \
         everybody else gets 0.0.1",
    );
    check(
        "below its threshold",
        Policy::default(),
        |product| {
            product.canary(1, 2);
            product.register("0.0.3", State::Running, Policy::default());
        },
        (State::Superseded, Rule::OnSupersede),
        "superseded 0.0.2: 0.0.3 was registered before 0.0.2 was judged healthy: 1 of 3 runs \
         succeeded, where at least 80 % must succeed (rule on_supersede); 0.0.3 is the canary \
         now, and everybody else gets 0.0.1",
    );
}

#[test]
fn a_paused_canary_is_not_promoted_for_a_newer_release() {
    check(
        "whoever paused it wants to look first",
        Policy::default(),
        |product| {
            product.canary(5, 0);
            product.act(Request::Pause, "0.0.2").unwrap();
            product.register("0.0.3", State::Running, Policy::default());
        },
        (State::Superseded, Rule::OnSupersede),
        "superseded 0.0.2: 0.0.3 was registered, and a paused canary is not promoted (rule \
         on_supersede); 0.0.3 is the canary now, and everybody else gets 0.0.1",
    );
}

#[test]
fn a_canary_whose_policy_rejects_others_stays_as_it_is() {
    let reject = policy(|settings| settings.on_supersede = Some(OnSupersede::Reject));
    let mut product = Product::with_canary(reject);
    let newer = product.release("0.0.3", State::Running, Policy::default());
    let before = product.lineup.clone();
    let error = product
        .lineup
        .register(newer, &Before::default(), product.now, &mut product.effects)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "canary `0.0.2` is running and its policy rejects new releases: promote it or roll it back first"
    );
    assert_eq!(product.lineup, before);
}

#[test]
fn a_canary_without_a_stable_release_is_superseded_and_not_promoted() {
    let mut product = Product::new();
    product.register("0.0.1", State::Running, Policy::default());
    product.report("0.0.1", Status::Success);
    product.register("0.0.2", State::Running, Policy::default());
    assert_eq!(product.state_of("0.0.1"), State::Superseded);
    assert_eq!(
        product.last_sentence(),
        "superseded 0.0.1: 0.0.2 was registered, and a canary without a stable version beside it \
         is not promoted (rule on_supersede); 0.0.2 is the canary now, and everybody gets it: \
         there is no stable version"
    );
    assert_eq!(product.ask(Asker::Run(None)), ("0.0.2".into(), Reason::OnlyCanary));
}

#[test]
fn a_canary_that_gives_way_to_a_stable_release_says_who_gets_what() {
    let abort = policy(|settings| settings.on_supersede = Some(OnSupersede::Abort));
    // The stable version beside it, the one that is registered, and the one that everybody gets.
    let cases = [
        (Some("0.0.1"), "0.0.3", "0.0.3"),
        (Some("0.1.0"), "0.0.3", "0.1.0, a higher version"),
        (Some("nightly"), "0.0.3", "0.0.3"),
        (None, "0.0.3", "0.0.3"),
    ];
    for (stable, newer, gets) in cases {
        let mut product = Product::new();
        if let Some(stable) = stable {
            product.register(stable, State::Stable, Policy::default());
        }
        product.register("0.0.2", State::Running, abort.clone());
        product.register(newer, State::Stable, Policy::default());
        let want = format!(
            "superseded 0.0.2: {newer} was registered, and the policy of 0.0.2 gives way to newer \
             releases (rule on_supersede); everybody gets {gets}"
        );
        assert_eq!(product.decision_of("0.0.2").sentence, want);
        let version = gets.split(',').next().unwrap_or_default();
        assert_eq!(product.poll(), version, "it is so");
    }
}

#[test]
fn the_highest_stable_version_is_the_one_handed_out() {
    let mut product = Product::new();
    product.register("1.10.0", State::Stable, Policy::default());
    product.register("1.9.0", State::Stable, Policy::default());
    assert_eq!(product.poll(), "1.10.0");
    assert_eq!(
        product.last_sentence(),
        "retired 1.9.0: 1.10.0, a higher version, is stable; promote 1.9.0 to hand it out all the same"
    );
    product.act(Request::Promote, "1.9.0").unwrap();
    assert_eq!(product.ask(Asker::Run(None)), ("1.9.0".into(), Reason::Promoted));
    product.register("nightly", State::Stable, Policy::default());
    assert_eq!(product.ask(Asker::Run(None)), ("nightly".into(), Reason::OnlyStable));
}

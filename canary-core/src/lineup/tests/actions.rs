//! What people ask for.

use super::*;

/// What is asked for in which state, and the state after it or why not.
fn cases() -> Vec<(State, Request, Result<State, &'static str>)> {
    use Request::{Pause, Promote, Resume, Rollback};
    use State::{Paused, Promoted, Retired, RolledBack, Running, Stable};
    vec![
        (Running, Promote, Ok(Promoted)),
        (Running, Rollback, Ok(RolledBack)),
        (Running, Pause, Ok(Paused)),
        (Running, Resume, Ok(Running)),
        (Paused, Promote, Ok(Promoted)),
        (Paused, Rollback, Ok(RolledBack)),
        (Paused, Pause, Ok(Paused)),
        (Paused, Resume, Ok(Running)),
        (Stable, Promote, Ok(Stable)),
        (
            Stable,
            Rollback,
            Err("cannot rollback `0.0.1`, it is stable: promote the version to go back to instead"),
        ),
        (
            Stable,
            Pause,
            Err(
                "cannot pause `0.0.1`, it is stable: only a running canary can be paused and resumed",
            ),
        ),
        (Promoted, Promote, Ok(Promoted)),
        (
            Promoted,
            Rollback,
            Err(
                "cannot rollback `0.0.2`, it is promoted: promote the version to go back to instead",
            ),
        ),
        (Retired, Promote, Ok(Promoted)),
        (Retired, Rollback, Err("cannot rollback `0.0.1`, it is retired: it is not handed out")),
        (RolledBack, Rollback, Ok(RolledBack)),
        (
            RolledBack,
            Promote,
            Err(
                "cannot promote `0.0.2`, it is rolled_back: its verdict stands, register the mended software as a new version",
            ),
        ),
        (
            RolledBack,
            Resume,
            Err(
                "cannot resume `0.0.2`, it is rolled_back: its verdict stands, register the mended software as a new version",
            ),
        ),
    ]
}

#[test]
fn every_action_in_every_state_does_changes_nothing_or_says_why_not() {
    use Request::{Pause, Promote, Rollback};
    use State::{Paused, Promoted, Retired, RolledBack, Stable};
    for (state, request, want) in cases() {
        let mut product = Product::with_canary(Policy::default());
        let version = match state {
            Stable | Retired => "0.0.1",
            _ => "0.0.2",
        };
        match state {
            Paused => product.act(Pause, version).unwrap(),
            Promoted | Retired => product.act(Promote, "0.0.2").unwrap(),
            RolledBack => product.act(Rollback, version).unwrap(),
            _ => {}
        }
        assert_eq!(product.state_of(version), state);
        let (before, told) = (product.lineup.clone(), product.effects.decisions.len());
        let got = product.act(request, version);
        match want {
            Ok(want) => {
                assert_eq!(got, Ok(()), "{request:?} on {state:?}");
                assert_eq!(product.state_of(version), want, "{request:?} on {state:?}");
                let is_told = product.effects.decisions.len() > told;
                assert_eq!(is_told, want != state, "{request:?} on {state:?}");
            }
            Err(want) => {
                assert_eq!(got.unwrap_err().to_string(), want);
                assert_eq!(product.lineup, before);
            }
        }
    }
}

#[test]
fn a_paused_canary_is_not_handed_out_and_loses_no_time() {
    let mut product = Product::with_canary(Policy::default());
    product.poll_and_report(10);
    product.act(Request::Pause, "0.0.2").unwrap();
    product.pass(Duration::from_secs(10 * 86_400));
    product.tick();
    let instance = InstanceId::parse("any").unwrap();
    assert_eq!(product.ask(Asker::Run(None)), ("0.0.1".into(), Reason::Paused));
    assert_eq!(product.ask(Asker::Instance(&instance)), ("0.0.1".into(), Reason::Paused));
    product.act(Request::Resume, "0.0.2").unwrap();
    product.tick();
    assert_eq!(
        product.last_sentence(),
        "resumed 0.0.2: by an operator, because; it gets 20 % of \
                                         the runs again"
    );
    let open = product.lineup.open().unwrap();
    assert_eq!(open.rollout.schedule().band_at(product.now), 1);
}

#[test]
fn a_paused_canary_that_fails_is_still_rolled_back() {
    let mut product = Product::with_canary(Policy::default());
    product.act(Request::Pause, "0.0.2").unwrap();
    for _ in 0..4 {
        product.report("0.0.2", Status::Failed);
    }
    assert_eq!(product.state_of("0.0.2"), State::RolledBack);
}

/// A canary, paused and resumed at the times that are given in days: what is told of both.
fn interrupted(mut product: Product, canary: &str, [paused, resumed]: [f64; 2]) -> [String; 2] {
    [(paused, Request::Pause), (resumed, Request::Resume)].map(|(days, request)| {
        product.now = START.after(Duration::from_secs_f64(days * 86_400.0));
        product.act(request, canary).unwrap();
        product.last_sentence().to_owned()
    })
}

#[test]
fn a_pause_and_a_resumption_say_who_gets_what() {
    let held = policy(|settings| settings.min_signals = Some(9));
    let held_back = policy(|settings| settings.holdback = Some(0.125));
    let cases = [
        (Policy::default(), [0.1, 9.0], "20 %"),
        (Policy::default(), [1.5, 1.5], "80 %"),
        (Policy::default(), [1.7, 3.0], "100 %"),
        (held, [5.0, 6.0], "100 %"),
        (held_back, [1.9, 6.0], "87.5 %"),
    ];
    for (policy, at, share) in cases {
        let [paused, resumed] = interrupted(Product::with_canary(policy), "0.0.2", at);
        assert_eq!(
            paused,
            "paused 0.0.2: by an operator, because; everybody gets 0.0.1 until it is resumed"
        );
        let want =
            format!("resumed 0.0.2: by an operator, because; it gets {share} of the runs again");
        assert_eq!(resumed, want);
    }
}

#[test]
fn a_resumption_before_the_first_band_says_who_gets_what_until_then() {
    let mut product = Product::new();
    product.register("0.0.1", State::Stable, Policy::default());
    let canary = product.release("0.0.2", State::Running, Policy::default());
    let release_date = START.after(Duration::from_secs(86_400));
    product.add(Release { release_date, ..canary });
    let [_, resumed] = interrupted(product, "0.0.2", [0.1, 0.2]);
    assert_eq!(
        resumed,
        "resumed 0.0.2: by an operator, because; everybody gets 0.0.1 until its first band begins"
    );
}

#[test]
fn a_pause_of_the_first_release_changes_only_its_time() {
    let mut product = Product::new();
    product.register("0.0.1", State::Running, Policy::default());
    let mut paused = product.clone();
    paused.act(Request::Pause, "0.0.1").unwrap();
    assert_eq!(paused.ask(Asker::Run(None)), ("0.0.1".into(), Reason::OnlyCanary));
    assert_eq!(
        interrupted(product, "0.0.1", [0.1, 0.2]),
        [
            "paused 0.0.1: by an operator, because; without a stable version everybody still gets \
             it, but its time stands still until it is resumed",
            "resumed 0.0.1: by an operator, because; without a stable version everybody gets it, \
             and its time goes on"
        ]
    );
}

#[test]
fn a_pause_without_a_reason_says_so() {
    let Product { mut lineup, mut effects, now, .. } = Product::with_canary(Policy::default());
    let canary = lineup.open().unwrap().release.clone();
    lineup.act(Request::Pause, &canary, "", now, &mut effects).unwrap();
    assert_eq!(
        effects.decisions.last().unwrap().sentence,
        "paused 0.0.2: by an operator, no reason was given; everybody gets 0.0.1 until it is resumed"
    );
}

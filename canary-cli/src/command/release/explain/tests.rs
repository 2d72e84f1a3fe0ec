//! Explanations: now and in the past, of the whole and of an instance.

use serde_json::{Value, json};

use super::scene::Standing;
use super::*;
use crate::command::release::analysis::tests::running as analysis;

/// Its first twelve digits say 2031-05-07T09:59:00Z.
const ID: &str = "01c2bd7c-8ea0-7000-8000-000000000001";

fn band(number: u16, share: f64, starts_at: &str) -> Value {
    let none = json!({"success": 0, "failed": 0});
    json!({"number": number, "share": share, "starts_at": starts_at, "canary": none,
        "stable": none})
}

/// Canary 1.5.0 in band 2 of 5, with other parts as they are given.
fn release(rest: &Value) -> Release {
    let mut release = json!({
        "id": ID,
        "product": {"id": "p1", "name": "etl", "repository_url": "", "artifact_url": "https://etl"},
        "semver_version": "1.5.0", "is_canary": true, "is_active": true, "state": "running",
        "threshold": 80.0, "canary_period": 2.0, "band_count": 5,
        "release_date": "2031-05-07T10:00:00Z", "band": 2, "share": 0.4,
        "bands": [
            band(1, 0.2, "2031-05-07T10:00:00Z"), band(2, 0.4, "2031-05-07T19:36:00Z"),
            band(3, 0.6, "2031-05-08T05:12:00Z"), band(4, 0.8, "2031-05-08T14:48:00Z"),
            band(5, 1.0, "2031-05-09T00:24:00Z"),
        ],
    });
    release.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    serde_json::from_value(release).unwrap()
}

fn stable() -> Release {
    release(&json!({"semver_version": "1.4.0", "state": "stable", "is_canary": false, "bands": [],
        "id": "01000000-0000-7000-8000-000000000001"}))
}

fn decision(at: &str, action: &str, sentence: &str) -> Decision {
    serde_json::from_value(json!({"at": at, "action": action, "rule": "operator",
        "sentence": sentence, "to": "rolled_back"}))
    .unwrap()
}

fn rollback() -> Decision {
    decision(
        "2031-05-07T21:00:00Z",
        "rollback",
        "rolled back 1.5.0: it was bad; everybody gets 1.4.0 again",
    )
}

fn explained(
    line: &str,
    release: Release,
    decisions: &[Decision],
    others: &[Release],
) -> Explanation {
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        explain: Explain,
    }
    let words = ["canary", "r1"].into_iter().chain(line.split_whitespace());
    let explain = Line::try_parse_from(words).unwrap().explain;
    let mut analysis = analysis();
    if !release.is_open() {
        analysis.outlook = None;
    }
    let analysis = Some(analysis).filter(|_| !release.bands.is_empty());
    let mut all: Vec<_> = [&release].into_iter().chain(others).cloned().collect();
    all.sort_by(|one, other| other.semver_version.cmp(&one.semver_version));
    let all = all.into_iter().map(Ok);
    let decided = |id: &str| Ok(if id == release.id { decisions.to_vec() } else { Vec::new() });
    let scene = match explain.at {
        Some(at) => Scene::past(at, all, decided).unwrap(),
        None => Scene::now(all).unwrap(),
    };
    explain.explain(release, decisions.to_vec(), analysis, scene).unwrap()
}

fn told(line: &str, release: Release, decisions: &[Decision], others: &[Release]) -> String {
    text::of(&explained(line, release, decisions, others))
}

fn sentence_of_instance(
    line: &str,
    release: Release,
    decisions: &[Decision],
    others: &[Release],
) -> String {
    explained(line, release, decisions, others).instance.unwrap().sentence
}

#[test]
fn a_running_canary_is_explained_as_a_whole() {
    let told = told("--instance-id worker-7", release(&json!({})), &[], &[stable()]);
    assert!(told.lines().count() <= 25, "{told}");
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    insta::assert_snapshot!("running", told);
}

#[test]
fn a_canary_that_was_rolled_back_is_explained() {
    let mut decisions = vec![decision("2031-05-07T19:36:00Z", "advance", "advanced 1.5.0")];
    decisions.push(rollback());
    let gone = release(&json!({"state": "rolled_back", "band": null, "verdict": rollback()}));
    let told = told("--instance-id worker-3", gone, &decisions, &[stable()]);
    insta::assert_snapshot!("rolled_back", told);
}

#[test]
fn everybody_is_told_of_in_every_state() {
    let sentence = |rest: Value, decisions: &[Decision], others: &[Release]| {
        explained("", release(&rest), decisions, others).sentence
    };
    let hold = decision("2031-05-09T10:00:00Z", "hold", "held 1.5.0: too few runs");
    let id = "01000000-0000-7000-8000-000000000002";
    let other = || release(&json!({"semver_version": "1.6.0", "id": id}));
    let with_stable = [stable()];
    let cases = [
        (
            sentence(json!({}), &[], &with_stable),
            "1.5.0 of etl is a canary in band 2 of 5: 40 % of the runs get it, the others get 1.4.0.",
        ),
        (
            sentence(json!({"band": 5}), &[hold], &with_stable),
            "1.5.0 of etl is a canary past its period, in band 5 of 5: everybody gets it.",
        ),
        (
            sentence(json!({"band": 5, "policy": {"holdback": 0.1}}), &[], &with_stable),
            "1.5.0 of etl is a canary in band 5 of 5: 90 % of the runs get it, the others get 1.4.0.",
        ),
        (
            sentence(json!({"band": null}), &[], &with_stable),
            "1.5.0 of etl is a canary before its first band: everybody gets 1.4.0 until it begins, at \
             2031-05-07T10:00:00Z.",
        ),
        (
            sentence(json!({"state": "paused"}), &[], &with_stable),
            "1.5.0 of etl is a paused canary in band 2 of 5: everybody gets 1.4.0 as long as it is \
             paused.",
        ),
        (
            sentence(json!({}), &[], &[]),
            "1.5.0 of etl is a canary in band 2 of 5: everybody gets it, since there is no stable \
             version yet.",
        ),
        (
            sentence(json!({"state": "promoted"}), &[], &with_stable),
            "1.5.0 of etl is the stable version: everybody gets it.",
        ),
        (
            sentence(json!({"state": "promoted"}), &[], &[other()]),
            "1.5.0 of etl is the stable version: 40 % of the runs get canary 1.6.0, the others get \
             it.",
        ),
        (
            sentence(json!({"state": "rolled_back"}), &[], &[other(), stable()]),
            "1.5.0 of etl is rolled back: 40 % of the runs get canary 1.6.0, the others get 1.4.0.",
        ),
        (
            sentence(json!({"state": "retired", "bands": []}), &[], &[]),
            "1.5.0 of etl is retired: nobody gets any version of it.",
        ),
    ];
    for (told, want) in cases {
        assert_eq!(told, want);
    }
}

#[test]
fn an_instance_is_told_why_it_gets_what_it_gets() {
    let of = |line: &str, rest: Value, others: &[Release]| {
        sentence_of_instance(line, release(&rest), &[], others)
    };
    let with_stable = [stable()];
    // Their places in this canary are 0.4042 and 0.3149.
    let (after, before) = ("--instance-id worker-5", "--instance-id worker-3");
    let retired = || json!({"state": "retired", "bands": []});
    let cases = [
        (
            of(after, json!({}), &with_stable),
            "Instance worker-5 gets 1.4.0: its place is 0.4042, and 1.5.0 goes to the places below \
             0.4. It gets 1.5.0 from band 3 (60 %) on, at 2031-05-08T05:12:00Z, if it comes so far.",
        ),
        (
            of(before, json!({}), &with_stable),
            "Instance worker-3 gets 1.5.0: its place is 0.3149, below the share of 0.4. It has got \
             it since band 2 began, at 2031-05-07T19:36:00Z.",
        ),
        (
            of(after, json!({"state": "paused"}), &with_stable),
            "Instance worker-5 gets 1.4.0, as everybody does while 1.5.0 is paused: its place is \
             0.4042. It gets 1.5.0 from band 3 (60 %) on, if it comes so far.",
        ),
        (
            of(before, json!({"state": "paused"}), &with_stable),
            "Instance worker-3 gets 1.4.0, as everybody does while 1.5.0 is paused: its place is \
             0.3149. It gets 1.5.0 when that is resumed.",
        ),
        (
            of(before, json!({"band": null}), &with_stable),
            "Instance worker-3 gets 1.4.0: 1.5.0 has not begun, and its place is 0.3149. It gets \
             1.5.0 from band 2 (40 %) on, at 2031-05-07T19:36:00Z, if it comes so far.",
        ),
        (
            of(before, json!({"policy": {"holdback": 0.9}}), &with_stable),
            "Instance worker-3 gets 1.4.0: its place is 0.3149, and 1.5.0 goes to the places below \
             0.1. No band reaches it: it is held back for 1.4.0 until the verdict.",
        ),
        (
            of(before, json!({}), &[]),
            "Instance worker-3 gets 1.5.0, as everybody does: there is no stable version yet.",
        ),
        (
            of(before, retired(), &with_stable),
            "Instance worker-3 gets 1.4.0, as everybody does: no canary is on its way.",
        ),
        (of(before, retired(), &[]), "Instance worker-3 gets nothing: no version is active."),
    ];
    for (told, want) in cases {
        assert_eq!(told, want);
    }
}

#[test]
fn the_place_decides_as_the_server_does() {
    let whole = explained("--instance-id worker-3", release(&json!({})), &[], &[stable()]);
    let json = serde_json::to_value(&whole).unwrap();
    let place = json["instance"]["place"].as_f64().unwrap();
    assert!((0.3149..0.3150).contains(&place), "{place}");
    assert_eq!(json["instance"]["semver_version"], "1.5.0");
    assert_eq!(json["instance"]["is_canary"], true);
    assert_eq!(json["instance"]["from_band"]["number"], 2);
    assert_eq!(json["canary"]["share"], 0.4);
    assert_eq!(json["stable_version"], "1.4.0");
    assert_eq!(json["at"], "2031-05-07T20:00:00Z");
    assert_eq!(json["analysis"]["outlook"]["failures_to_rollback"], 7);
}

/// A canary that was paused from 12:00 to 13:00 and rolled back at 21:00: the bands that lay ahead
/// of the pause began an hour later.
fn paused_and_rolled_back() -> (Release, Vec<Decision>) {
    let end = rollback();
    let bands = [
        band(1, 0.2, "2031-05-07T10:00:00Z"),
        band(2, 0.4, "2031-05-07T20:36:00Z"),
        band(3, 0.6, "2031-05-08T06:12:00Z"),
        band(4, 0.8, "2031-05-08T15:48:00Z"),
        band(5, 1.0, "2031-05-09T01:24:00Z"),
    ];
    let decisions = vec![
        decision("2031-05-07T12:00:00Z", "pause", "paused 1.5.0: by an operator, the audit"),
        decision("2031-05-07T13:00:00Z", "resume", "resumed 1.5.0: by an operator, it is done"),
        decision("2031-05-07T20:36:00Z", "advance", "advanced 1.5.0 to band 2 of 5"),
        end.clone(),
    ];
    let parts = json!({"state": "rolled_back", "band": null, "bands": bands, "verdict": end});
    (release(&parts), decisions)
}

#[test]
fn the_past_is_explained_with_pauses_and_the_state_then() {
    let (release, decisions) = paused_and_rolled_back();
    let cases = [
        (
            "2031-05-07T09:00:00Z",
            "At 2031-05-07T09:00:00Z 1.5.0 of etl was not registered yet, that was at \
             2031-05-07T09:59:00Z: everybody got 1.4.0.",
            "Instance worker-3 got 1.4.0, as everybody did: no canary was on its way.",
            0,
        ),
        (
            "2031-05-07T09:59:30Z",
            "At 2031-05-07T09:59:30Z 1.5.0 of etl was a canary before its first band: everybody got \
             1.4.0 until it began, at 2031-05-07T10:00:00Z.",
            "Instance worker-3 got 1.4.0: 1.5.0 had not begun, and its place was 0.3149. It was to \
             get 1.5.0 from band 2 (40 %) on, at 2031-05-07T20:36:00Z, if it came so far.",
            0,
        ),
        (
            "2031-05-07T11:00:00Z",
            "At 2031-05-07T11:00:00Z 1.5.0 of etl was a canary in band 1 of 5: 20 % of the runs got \
             it, the others got 1.4.0.",
            "Instance worker-3 got 1.4.0: its place was 0.3149, and 1.5.0 went to the places below \
             0.2. It was to get 1.5.0 from band 2 (40 %) on, at 2031-05-07T20:36:00Z, if it came \
             so far.",
            0,
        ),
        (
            "2031-05-07T12:30:00Z",
            "At 2031-05-07T12:30:00Z 1.5.0 of etl was a paused canary in band 1 of 5: everybody got \
             1.4.0 as long as it was paused.",
            "Instance worker-3 got 1.4.0, as everybody did while 1.5.0 was paused: its place was \
             0.3149. It was to get 1.5.0 from band 2 (40 %) on, if it came so far.",
            1,
        ),
        (
            "2031-05-07T20:40:00Z",
            "At 2031-05-07T20:40:00Z 1.5.0 of etl was a canary in band 2 of 5: 40 % of the runs got \
             it, the others got 1.4.0.",
            "Instance worker-3 got 1.5.0: its place was 0.3149, below the share of 0.4. It had got \
             it since band 2 began, at 2031-05-07T20:36:00Z.",
            3,
        ),
        (
            "2031-05-07T22:00:00Z",
            "At 2031-05-07T22:00:00Z 1.5.0 of etl had been rolled back, at 2031-05-07T21:00:00Z: \
             everybody got 1.4.0.",
            "Instance worker-3 got 1.4.0, as everybody did: no canary was on its way. While 1.5.0 was \
             on trial it got it from 2031-05-07T20:36:00Z (band 2, 40 %) until \
             2031-05-07T21:00:00Z: its place is 0.3149.",
            4,
        ),
    ];
    for (at, sentence, instance, decided) in cases {
        let line = format!("--instance-id worker-3 --at {at}");
        let told = explained(&line, release.clone(), &decisions, &[stable()]);
        assert_eq!(told.sentence, sentence);
        assert_eq!(told.instance.unwrap().sentence, instance);
        assert_eq!(told.decisions.len(), decided, "{at}");
        assert!(told.analysis.is_none() && told.reason.is_none(), "{at}");
    }
}

#[test]
fn a_newer_canary_of_then_is_told_of() {
    let (release, decisions) = paused_and_rolled_back();
    let newer = json!({"semver_version": "1.6.0", "id": "01000000-0000-7000-8000-000000000002"});
    let newer = self::release(&newer);
    let line = "--instance-id worker-5 --at 2031-05-07T22:00:00Z";
    let told = explained(line, release, &decisions, &[newer, stable()]);
    assert_eq!(
        told.sentence,
        "At 2031-05-07T22:00:00Z 1.5.0 of etl had been rolled back, at 2031-05-07T21:00:00Z: 40 % of \
         the runs got canary 1.6.0, the others got 1.4.0."
    );
    let sentence = told.instance.unwrap().sentence;
    let want = "While 1.5.0 was on trial it never got it: its place is 0.4042, and no band came so \
        far.";
    assert!(sentence.contains("1.6.0") && sentence.ends_with(want), "{sentence}");
}

#[test]
fn a_past_time_is_told_with_what_was_decided_until_then() {
    let (release, mut decisions) = paused_and_rolled_back();
    let line = "--instance-id worker-3 --at 2031-05-07T22:00:00Z";
    insta::assert_snapshot!("past", told(line, release.clone(), &decisions, &[stable()]));
    let line = "--at 2031-05-07T11:00:00Z";
    insta::assert_snapshot!(
        "past_before_any_decision",
        told(line, release.clone(), &decisions, &[])
    );
    for _ in 0..20 {
        decisions.insert(2, decision("2031-05-07T20:00:00Z", "advance", "advanced 1.5.0"));
    }
    let told = told("--at 2031-05-07T22:00:00Z", release, &decisions, &[stable()]);
    assert!(told.contains("\n… 18 before, see `canary release decisions`\n"), "{told}");
    assert!(told.lines().count() <= 25, "{told}");
}

#[test]
fn what_will_be_is_not_explained() {
    let at = |text: &str| time::timestamp(text).unwrap();
    assert!(refuse_future(at("2031-05-07T20:00:00Z"), "2031-05-07T20:00:00Z").is_ok());
    let failure = refuse_future(at("2031-05-07T20:00:01Z"), "2031-05-07T20:00:00.5Z").unwrap_err();
    assert_eq!(
        failure.text(),
        "error: --at 2031-05-07T20:00:01Z is not in the past, it is 2031-05-07T20:00:00Z now\n"
    );
}

#[test]
fn what_a_release_was_at_a_time_follows_from_its_decisions() {
    let at = |hour: u32| time::timestamp(&format!("2031-05-07T{hour}:00:00Z")).unwrap();
    let (canary, gone) =
        (|| release(&json!({})), || release(&json!({"state": "retired", "bands": []})));
    let change = |hour: u32, action: &str| decision(&at(hour).to_string(), action, "a sentence");
    let promoted = || vec![change(12, "advance"), change(14, "promote"), change(18, "retire")];
    let cases = [
        (canary(), vec![], 12, Standing::Canary),
        (canary(), vec![change(12, "pause")], 13, Standing::Canary),
        (canary(), vec![change(12, "rollback")], 11, Standing::Canary),
        (canary(), vec![change(12, "rollback")], 12, Standing::Gone),
        (canary(), vec![change(12, "supersede")], 13, Standing::Gone),
        (canary(), promoted(), 13, Standing::Canary),
        (canary(), promoted(), 14, Standing::Stable),
        (canary(), promoted(), 18, Standing::Gone),
        (stable(), vec![], 12, Standing::Stable),
        (gone(), vec![change(12, "retire")], 11, Standing::Stable),
        (gone(), vec![change(12, "retire")], 12, Standing::Gone),
        // Registered without being handed out, and promoted later.
        (stable(), vec![change(12, "promote")], 11, Standing::Gone),
        (stable(), vec![change(12, "promote")], 12, Standing::Stable),
        (gone(), vec![], 12, Standing::Gone),
    ];
    for (release, decisions, hour, want) in cases {
        let was = Standing::at(at(hour), &release, &decisions);
        assert_eq!(was, want, "{} at {hour} {decisions:?}", release.state);
    }
}

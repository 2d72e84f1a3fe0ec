//! The stories are played, and what the server says of them is counted again by hand.

use std::path::{Path, PathBuf};

use canary_client::{Arm, Decision};
use canary_examples::airlines::{Report, Trials};
use canary_examples::flights::{Outcome, SAMPLE, Stage, Story, play, read};
use canary_examples::weather;

/// The half year lies outside the repository.
const HALF_YEAR: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/nyc-flights-2013-h1.csv.gz");

/// The canary's first flights, as many as the verdict was taken on, counted from the file.
fn counted_by_hand(story: &Story, runs: u64) -> Arm {
    let flights = read(&story.data, [&story.stable, &story.canary]).expect("it was played");
    let of_the_canary = flights.iter().filter(|flight| flight.carrier == story.canary);
    let mut arm = Arm::default();
    for flight in of_the_canary.take(usize::try_from(runs).expect("it was in memory")) {
        match flight.status.as_str() {
            "success" => arm.success += 1,
            _ => arm.failed += 1,
        }
    }
    arm
}

/// Checks that verdict, bands and sentence say the same as the file; the verdict.
fn checked(outcome: &Outcome) -> (&Decision, Arm) {
    let verdict = outcome.release.verdict.as_ref().expect("there is a verdict");
    let arm = verdict.evidence().expect("it tells its evidence").canary;
    assert_eq!(arm, counted_by_hand(&outcome.story, arm.runs()));
    let in_bands = outcome.release.bands.iter().map(|band| band.canary);
    let (success, failed) =
        in_bands.fold((0, 0), |sum, band| (sum.0 + band.success, sum.1 + band.failed));
    assert_eq!((success, failed), (arm.success, arm.failed));
    assert_eq!(outcome.decisions.last(), Some(verdict));
    assert!(outcome.to_string().trim_end().ends_with(&verdict.sentence), "{outcome}");
    (verdict, arm)
}

#[test]
fn delta_is_promoted_at_the_end_of_its_period() {
    let outcome = play(&Story::new("UA", "DL")).unwrap();
    let (verdict, arm) = checked(&outcome);
    assert_eq!((outcome.release.state.as_str(), verdict.action.as_str()), ("promoted", "promote"));
    assert_eq!((arm.success, arm.failed), (1548, 139));
    let sentence = "promoted DL: 1548 of 1687 runs succeeded over its period of 14 days";
    assert!(verdict.sentence.starts_with(sentence), "{}", verdict.sentence);

    let dated: Vec<_> = outcome
        .decisions
        .iter()
        .map(|decision| (decision.at.as_str(), decision.action.as_str()))
        .collect();
    let want = [
        ("2013-01-04T05:27:00Z", "advance"),
        ("2013-01-07T00:39:00Z", "advance"),
        ("2013-01-09T19:51:00Z", "advance"),
        ("2013-01-12T15:03:00Z", "advance"),
        ("2013-01-15T10:15:00Z", "promote"),
    ];
    assert_eq!(dated, want);
}

#[test]
fn expressjet_is_rolled_back_on_the_first_day() {
    let outcome = play(&Story::new("UA", "EV")).unwrap();
    let (verdict, arm) = checked(&outcome);
    assert_eq!(
        (outcome.release.state.as_str(), verdict.action.as_str()),
        ("rolled_back", "rollback")
    );
    let sentence = format!("rolled back EV: {} of {} runs failed", arm.failed, arm.runs());
    assert!(verdict.sentence.starts_with(&sentence), "{}", verdict.sentence);
    assert!(verdict.at.starts_with("2013-01-01T"), "{}", verdict.at);
}

#[test]
fn a_story_that_is_played_again_changes_nothing() {
    let stage = Stage::open().unwrap();
    for story in [Story::new("UA", "DL"), Story::new("UA", "EV")] {
        let first = stage.play(&story).unwrap();
        assert_eq!(first.duplicates, 0);
        let second = stage.play(&story).unwrap();
        assert_eq!((second.sent, second.duplicates), (first.sent, first.sent));
        assert_eq!((&second.release, &second.decisions), (&first.release, &first.decisions));
        let Outcome { release, .. } = second;
        let product = &release.product.name;
        let latest = stage.client().latest(product, Some("N14228")).unwrap();
        let want = if release.state == "promoted" { "DL" } else { "UA" };
        assert_eq!((latest.semver_version.as_str(), &latest.reason), (want, &release.state));
    }
    stage.close().unwrap();
}

#[test]
fn what_cannot_be_played_is_explained() {
    let sample = Story::new("UA", "EV");
    let cases = [
        (Story::new("UA", "XX"), "no flight of `XX` in"),
        (Story::new("UA", "XX"), "which has DL, EV, MQ, UA"),
        (Story::new("UA", "UA"), "`UA` cannot be compared with itself"),
        (Story { data: PathBuf::from("/no/such"), ..sample.clone() }, "cannot read `/no/such`"),
        (Story { threshold: 120.0, ..sample }, "threshold is 120, it must be from 0 to 100"),
    ];
    for (story, want) in cases {
        let error = play(&story).unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    }
}

#[test]
fn the_half_year_is_played_to_its_end() {
    let data = PathBuf::from(HALF_YEAR);
    if !Path::exists(&data) {
        eprintln!("left out: there is no `{}`", data.display());
        return;
    }
    // A good one, judged over half a year.
    let story = Story { data: data.clone(), days: 180.0, ..Story::new("UA", "DL") };
    let outcome = play(&story).unwrap();
    let (verdict, arm) = checked(&outcome);
    assert_eq!(outcome.release.state, "promoted");
    assert!(arm.runs() > 20_000, "{arm:?}");
    let counts = format!("{} of {} runs succeeded", arm.success, arm.runs());
    assert!(verdict.sentence.contains(&counts), "{}", verdict.sentence);

    // A bad one with few flights: held when its period ends, rolled back when they suffice.
    let outcome = play(&Story { data, ..Story::new("UA", "F9") }).unwrap();
    checked(&outcome);
    let actions: Vec<_> = outcome.decisions.iter().map(|one| one.action.as_str()).collect();
    assert_eq!(actions, ["advance", "advance", "advance", "advance", "hold", "rollback"]);
}

/// What became of each pair, by the policy with this index.
fn verdicts(report: &Report, policy: usize) -> Vec<(&str, &str, &str)> {
    let rows = report.tables[policy].rows.iter();
    rows.map(|row| (row.stable.as_str(), row.canary.as_str(), row.verdict())).collect()
}

#[test]
fn airlines_are_told_apart_and_one_is_not_told_apart_from_itself() {
    let trials = Trials { splits: 40, ..Trials::new(PathBuf::from(SAMPLE)) };
    let report = trials.play().unwrap();
    assert_eq!(report, trials.play().unwrap(), "the seed decides, not chance");
    let want = [
        ("DL", "UA", "rolled back"),
        ("UA", "DL", "promoted"),
        ("UA", "EV", "rolled back"),
        ("EV", "UA", "promoted"),
        ("UA-1", "UA-2", "promoted"),
        ("EV-1", "EV-2", "promoted"),
    ];
    for policy in 0..3 {
        assert_eq!(verdicts(&report, policy), want);
    }
    for splits in &report.splits {
        assert_eq!(splits.splits, 40);
        assert!(splits.by_baseline + splits.by_measurement <= 4, "{splits}");
        assert!(splits.promoted_early > 20, "{splits}");
    }
    let text = report.to_string();
    for row in report.tables.iter().flat_map(|table| &table.rows) {
        assert!(text.contains(&row.to_string()), "{row}");
        assert!(row.sentence().contains(&row.canary), "{row}");
        if row.stable != "UA-1" && row.stable != "EV-1" {
            let story = Story::new(&row.stable, &row.canary);
            let by_hand = counted_by_hand(&story, row.needed());
            assert_eq!(row.outcome.suffered, by_hand.failed, "{row}");
        }
    }
}

#[test]
fn airlines_are_told_apart_over_half_a_year() {
    let data = PathBuf::from(HALF_YEAR);
    if !Path::exists(&data) {
        eprintln!("left out: there is no `{}`", data.display());
        return;
    }
    let report = Trials { splits: 1, ..Trials::new(data) }.play().unwrap();
    let first = verdicts(&report, 0);
    for [better, worse] in [["DL", "UA"], ["UA", "B6"], ["B6", "EV"], ["UA", "F9"], ["UA", "YV"]] {
        assert!(first.contains(&(better, worse, "rolled back")), "{better} {worse}");
        assert!(!first.contains(&(worse, better, "rolled back")), "{worse} {better}");
    }
    assert!(first.contains(&("MQ", "9E", "promoted")));
    assert!(verdicts(&report, 1).contains(&("MQ", "9E", "rolled back")), "it cancels more");
}

#[test]
fn the_weather_is_told_month_by_month() {
    let outcome = weather::play(Path::new(weather::FILE)).unwrap();
    // Twelve numbers of two types, in six months and as a whole, at three airports and at all.
    assert_eq!((outcome.readings, outcome.compared), (26_004, 12 * 2 * 7 * 4));
    let all = outcome.places.last().unwrap();
    assert_eq!((&all.airport, all.months.len()), (&None, 6));
    assert_eq!(all.whole.temperature.count, 13_002);

    let text = outcome.to_string();
    let lines = [
        "  2013-01        12    29      36    43    58   35.4        19      57   100   61.8",
        "EWR  11 °F on 2013-01-23 11:00   94 °F on 2013-06-24 18:00   0.7 °F warmer than all",
        "JFK  12 °F on 2013-01-23 11:00   90 °F on 2013-06-24 17:00   1.2 °F colder than all",
    ];
    for line in lines {
        assert!(text.lines().any(|other| other == line), "{line}\nis not in\n{text}");
    }
}

#[test]
fn a_statistic_that_a_plain_sort_contradicts_is_found() {
    let file = Path::new(weather::FILE);
    let mut rows = weather::read(file).unwrap();
    let summary = weather::play(file).unwrap().places[0].whole.temperature.clone();
    let check = |rows: &[weather::Measured], airport| {
        weather::check(&summary, rows, Some(airport), "temperature", None)
    };
    assert_eq!(check(&rows, "EWR"), Ok(12));
    let error = check(&rows, "JFK").unwrap_err();
    assert!(error.starts_with("the minimum of temperature at JFK is 11"), "{error}");
    let error = check(&rows, "BOS").unwrap_err();
    assert!(error.starts_with("BOS never measured temperature"), "{error}");
    let hottest = |row: &weather::Measured| {
        (row.device_uuid.as_str(), row.kind.as_str(), row.value) == ("EWR", "temperature", 94.0)
    };
    let last = rows.iter().rposition(hottest).unwrap();
    rows[last].date_created += 1;
    let error = check(&rows, "EWR").unwrap_err();
    assert!(error.starts_with("the time of the maximum of temperature at EWR is"), "{error}");
}

#[test]
fn weather_that_cannot_be_read_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.csv.gz");
    std::fs::write(&empty, []).unwrap();
    let cases = [
        (Path::new("/no/such"), "cannot read `/no/such`"),
        (empty.as_path(), "there is no weather in"),
        (Path::new(SAMPLE), "missing field `device_uuid`"),
    ];
    for (file, want) in cases {
        let error = weather::play(file).unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    }
}

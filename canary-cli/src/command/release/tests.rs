use super::*;

fn release(rest: &str) -> Release {
    let text = format!(
        r#"{{"id":"r1","product":{{"id":"p1","name":"etl","repository_url":"","artifact_url":"https://etl"}},
        "semver_version":"1.5.0","is_canary":true,"is_active":true,"threshold":80.0,
        "canary_period":2.0,"band_count":5,"release_date":"2031-05-07T10:00:00Z",{rest}}}"#
    );
    serde_json::from_str(&text).unwrap()
}

fn running() -> Release {
    release(
        r#""state":"running","band":1,"share":0.2,"next_band_at":"2031-05-07T19:36:00Z",
        "signals":{"success":19,"failed":1,"neutral":3,"total":23},
        "bands":[{"number":1,"share":0.2,"starts_at":"2031-05-07T10:00:00Z",
            "canary":{"success":19,"failed":1},"stable":{"success":80,"failed":0}},
        {"number":2,"share":0.4,"starts_at":"2031-05-07T19:36:00Z",
            "canary":{"success":0,"failed":0},"stable":{"success":0,"failed":0}}],
        "verdict":null"#,
    )
}

#[test]
fn a_release_is_shown_with_counts_and_shares() {
    insta::assert_snapshot!("details", details(&running()));
}

#[test]
fn releases_are_listed_in_columns() {
    let rolled_back = release(
        r#""state":"rolled_back","band":null,"share":null,"next_band_at":null,
        "signals":{"success":0,"failed":4,"neutral":0,"total":4},"bands":[]"#,
    );
    insta::assert_snapshot!("table", table(&[running(), rolled_back]));
    assert_eq!(table(&[]), "no releases");
}

#[test]
fn what_is_not_given_is_left_to_the_server() {
    let create = Create {
        semver_version: "1.5.0".into(),
        artifact_url: "https://etl".into(),
        stable: true,
        inactive: false,
        threshold: None,
        canary_period: None,
        band_count: None,
        release_date: None,
        rule: None,
        min_signals: Some(30),
        on_insufficient: None,
        on_supersede: None,
    };
    let want = NewRelease::new("https://etl", "1.5.0")
        .is_canary(false)
        .is_active(true)
        .policy(Policy::default().min_signals(30));
    assert_eq!(NewRelease::from(create), want);
}

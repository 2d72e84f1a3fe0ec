use super::*;
use crate::output::Format;

fn stated(whose: &str, accuracy: &str, unit: &str) -> Stated {
    let reading = |value: f64, date: i64| {
        format!(
            r#"{{"date_created":{date},"device_uuid":"greenhouse-7","type":"temperature","value":{value}}}"#
        )
    };
    let text = format!(
        r#"{{{whose}"type":"temperature","count":4,"min":{},"max":{},"median":{},"mean":48.5,
        "mode":22,"quartile_1":22,"quartile_3":75,"variance":1353.6666666666667,{accuracy},
        "histogram":[{{"minimum":22,"maximum":48,"count":2}},{{"minimum":48,"maximum":74,"count":1}},
        {{"minimum":74,"maximum":100,"count":1}}]}}"#,
        reading(22.0, 1_700_000_060),
        reading(100.0, 1_700_000_180),
        reading(36.0, 1_700_000_060),
    );
    Stated { summary: serde_json::from_str(&text).unwrap(), unit: unit.to_owned() }
}

#[test]
fn a_device_is_shown_with_its_histogram() {
    let stated = stated(r#""device_uuid":"greenhouse-7","#, r#""exact":true"#, "°C");
    insta::assert_snapshot!("of_a_device", text(&stated));
}

#[test]
fn a_fleet_is_shown_with_the_devices_at_its_ends() {
    let accuracy = r#""exact":false,"relative_error":0.01"#;
    insta::assert_snapshot!("of_a_fleet", text(&stated(r#""version":"1.5.0","#, accuracy, "")));
}

#[test]
fn programs_get_the_names_of_the_api() {
    let mut bytes = Vec::new();
    let stated = stated(r#""device_uuid":"greenhouse-7","#, r#""exact":true"#, "°C");
    Output::new(Format::Json, &mut bytes).show(&stated, text).unwrap();
    insta::assert_snapshot!("as_json", String::from_utf8(bytes).unwrap());
}

#[test]
fn one_reading_has_no_variance_and_no_histogram_is_no_gap() {
    let mut stated = stated(r#""device_uuid":"greenhouse-7","#, r#""exact":false"#, "°C");
    stated.summary.variance = None;
    stated.summary.histogram.clear();
    let text = text(&stated);
    assert!(text.ends_with("\nvariance    -\naccuracy    not exact"), "{text}");
}

#[test]
fn the_unit_is_that_of_the_type() {
    let types = || {
        let types = r#"[{"name":"humidity","unit":"%","minimum":0,"maximum":100,"integer":true},
            {"name":"wind","unit":"m/s","minimum":0,"maximum":120,"integer":false},
            {"name":"level","unit":"","minimum":0,"maximum":9,"integer":true}]"#;
        serde_json::from_str(types).unwrap()
    };
    let cases = [
        ("humidity", "%", "1.5 %", "1.5 (%)²"),
        ("wind", "m/s", "1.5 m/s", "1.5 (m/s)²"),
        ("level", "", "1.5", "1.5"),
    ];
    for (name, unit, value, square) in cases {
        let stated = stated("", r#""exact":true"#, &unit_of(name, types()));
        assert_eq!(stated.unit, unit);
        assert_eq!((stated.value(1.5).as_str(), stated.square(1.5).as_str()), (value, square));
    }
}

#[test]
fn that_there_is_nothing_says_where_was_looked() {
    let stats = |device: Option<&str>, version: Option<&str>, start| Stats {
        device: device.map(str::to_owned),
        reading_type: "wind".to_owned(),
        version: version.map(str::to_owned),
        period: Period { start, end: None },
        bins: 10,
    };
    let cases = [
        (stats(Some("d"), None, None), "there are no `wind` readings of device `d`"),
        (stats(None, Some("1.5.0"), None), "there are no `wind` readings of version `1.5.0`"),
        (stats(None, None, Some(1)), "there are no `wind` readings in this time"),
    ];
    for (stats, want) in cases {
        let failure = stats.nothing();
        assert_eq!((failure.exit_code(), failure.text()), (1, format!("error: {want}\n")));
    }
}

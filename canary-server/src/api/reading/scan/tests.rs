//! The law of the scanner: what it takes, serde reads the same.

use proptest::prelude::*;

use super::super::body::parse_reading;
use super::Scanner;

const DEVICE: &str = "6f1c0a52-5b0e-4c3e-9a44-0d0c4a1a7c11";

/// How many bytes the scanner takes, if any; panics if serde reads them in another way.
fn scan(text: &str, device: Option<&str>) -> Option<usize> {
    let mut scanner = Scanner::new(text, device);
    let given = scanner.reading()?;
    let taken = text.len() - scanner.rest().len();
    let parsed = match parse_reading(&text.as_bytes()[..taken], device) {
        Ok(parsed) => parsed,
        Err(error) => panic!("`{}` was taken: {error:?}", &text[..taken]),
    };
    let parsed = parsed.given();
    assert_eq!(
        (given.device, given.kind, given.value.to_bits(), given.date_created, given.version),
        (parsed.device, parsed.kind, parsed.value.to_bits(), parsed.date_created, parsed.version),
        "{text}"
    );
    Some(taken)
}

#[test]
fn what_devices_send_is_taken() {
    let compact = r#"{"device_uuid":"d","type":"temperature","value":22"#;
    for text in [
        format!("{compact}}}"),
        format!(r#"{compact},"date_created":1357020000}}"#),
        format!(r#"{compact},"version":"1.5.0"}}"#),
        format!(r#"{compact},"date_created":0,"version":"1.5.0"}}"#),
        r#"{"device_uuid": "größe", "type": "t", "value": -0.25, "date_created": 7}"#.to_owned(),
        "{\n\t\"value\" : 100.50 ,\r\n \"type\":\"t\", \"device_uuid\":\"d\" }".to_owned(),
        r#"{"date_created":7,"device_uuid":"d","version":"v","value":999999999999999,"type":""}"#
            .to_owned(),
        r#"{"device_uuid":"a device with a long name","type":"t","value":-0}"#.to_owned(),
    ] {
        assert_eq!(scan(&text, None), Some(text.len()), "{text}");
    }
    let text = r#"{"type":"t","value":1,"date_created":7}"#;
    assert_eq!(scan(text, Some(DEVICE)), Some(text.len()));
}

#[test]
fn what_follows_an_element_stays() {
    let text = r#"{"device_uuid":"d","type":"t","value":1}, {"#;
    assert_eq!(scan(text, None), Some(text.len() - 3));
}

#[test]
fn what_is_not_plain_is_left_to_serde() {
    for text in [
        "",
        "{",
        "{}",
        "[]",
        "null",
        r#"{"device_uuid":"d","type":"t","value":1"#,
        r#"{"device_uuid":"d","type":"t","value":1,}"#,
        r#"{"device_uuid":"d","type":"t"}"#,
        r#"{"device_uuid":"d","type":"t","value":"1"}"#,
        r#"{"device_uuid":"d","type":"t","value":null}"#,
        r#"{"device_uuid":"d","type":"t","value":01}"#,
        r#"{"device_uuid":"d","type":"t","value":1.}"#,
        r#"{"device_uuid":"d","type":"t","value":.5}"#,
        r#"{"device_uuid":"d","type":"t","value":+1}"#,
        r#"{"device_uuid":"d","type":"t","value":-}"#,
        r#"{"device_uuid":"d","type":"t","value":1e2}"#,
        r#"{"device_uuid":"d","type":"t","value":1234567890123456}"#,
        r#"{"device_uuid":"d","type":"t","value":1.234567890123456}"#,
        r#"{"device_uuid":"d","type":"t","value":1,"date_created":-1}"#,
        r#"{"device_uuid":"d","type":"t","value":1,"date_created":1.0}"#,
        r#"{"device_uuid":"d","type":"t","value":1,"date_created":007}"#,
        r#"{"device_uuid":"d","type":"t","value":1,"date_created":null}"#,
        r#"{"device_uuid":"d","type":"t","value":1,"value":1}"#,
        r#"{"device_uuid":"d","type":"t","value":1,"device_uuid":"d"}"#,
        r#"{"device_uuid":"d","type":"t","value":1,"note":"x"}"#,
        r#"{"device_uuid":"a\"b","type":"t","value":1}"#,
        r#"{"device_uuid":"a\\","type":"t","value":1}"#,
        "{\"device_uuid\":\"a\tb\",\"type\":\"t\",\"value\":1}",
        "{\"device_uuid\":\"d\",\u{a0}\"type\":\"t\",\"value\":1}",
    ] {
        assert_eq!(scan(text, None), None, "{text}");
    }
    let text = r#"{"device_uuid":"d","type":"t","value":1}"#;
    assert_eq!(scan(text, Some(DEVICE)), None, "the path names the device");
}

fn blank() -> impl Strategy<Value = String> {
    prop_oneof![4 => Just(String::new()), 1 => "[ \t\r\n]{1,2}"]
}

fn name() -> impl Strategy<Value = String> {
    let known = vec!["device_uuid", "type", "value", "date_created", "version"];
    prop_oneof![12 => proptest::sample::select(known).prop_map(str::to_owned), 1 => "[a-z]{0,4}"]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "\"[a-zA-Z0-9 é.-]{0,20}\"",
        1 => "\"[^\"\\\\]{0,12}\"",
        1 => Just("\"\\u0041\\n\"".to_owned()),
        4 => "-?(0|[1-9][0-9]{0,16})(\\.[0-9]{1,16})?",
        2 => "[0-9]{1,10}",
        1 => "-?[0-9]{0,3}\\.?[0-9]{0,3}([eE][+-]?[0-9]{1,3})?",
        1 => any::<f64>().prop_map(|number| number.to_string()),
        1 => proptest::sample::select(&["null", "true", "[]", "{}"][..]).prop_map(str::to_owned),
    ]
}

fn object() -> impl Strategy<Value = String> {
    let field = (blank(), name(), blank(), blank(), value(), blank()).prop_map(
        |(one, name, two, three, value, four)| format!("{one}\"{name}\"{two}:{three}{value}{four}"),
    );
    proptest::collection::vec(field, 0..7).prop_map(|fields| format!("{{{}}}", fields.join(",")))
}

/// A reading that is right, in the documented order or another, with or without blanks.
fn reading() -> impl Strategy<Value = String> {
    let fields = (
        "\"[a-zA-Z0-9é-]{1,40}\"",
        "\"[a-z]{1,12}\"",
        "-?(0|[1-9][0-9]{0,8})(\\.[0-9]{1,6})?",
        proptest::option::of("(0|[1-9][0-9]{0,9})"),
        proptest::option::of("\"[0-9.]{1,8}\""),
    );
    (fields, any::<bool>(), blank()).prop_flat_map(|(fields, is_in_order, blank)| {
        let (device, kind, value, date_created, version) = fields;
        let fields = [
            ("device_uuid", Some(device)),
            ("type", Some(kind)),
            ("value", Some(value)),
            ("date_created", date_created),
            ("version", version),
        ];
        let fields: Vec<String> = fields
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{blank}\"{name}\":{blank}{}", value?)))
            .collect();
        let join = |fields: Vec<String>| format!("{{{}}}", fields.join(","));
        if is_in_order {
            Just(join(fields)).boxed()
        } else {
            Just(fields).prop_shuffle().prop_map(join).boxed()
        }
    })
}

/// The same with one character put in another's place, or between two.
fn damaged() -> impl Strategy<Value = String> {
    let character =
        proptest::sample::select("\"\\{}[]:,.-+0123eE \n\u{1}xé".chars().collect::<Vec<_>>());
    (reading(), any::<proptest::sample::Index>(), character, any::<bool>()).prop_map(
        |(text, place, character, replaces)| {
            let mut characters: Vec<char> = text.chars().collect();
            let place = place.index(characters.len());
            characters.splice(place..place + usize::from(replaces), [character]);
            characters.into_iter().collect()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_right_reading_is_taken_as_serde_reads_it(text in reading()) {
        prop_assert_eq!(scan(&text, None), Some(text.len()), "{}", text);
    }

    #[test]
    fn a_damaged_reading_is_taken_only_as_serde_reads_it(text in damaged()) {
        scan(&text, None);
        scan(&text, Some(DEVICE));
    }

    #[test]
    fn any_object_is_taken_only_as_serde_reads_it(text in object()) {
        scan(&text, None);
        scan(&text, Some(DEVICE));
    }
}

//! Whole imports, from bytes to what would be sent.

use std::io;

use serde_json::{Value, json};

use super::*;
use crate::command::import::{Format, Rows, decompressed, parse, send_all};

fn rows(format: Format, text: impl Into<Vec<u8>>) -> Rows {
    Rows::read(format, decompressed(io::Cursor::new(text.into())).unwrap()).unwrap()
}

fn mapping(maps: &[&str], sets: &[&str]) -> Mapping<Field> {
    let parse = |pairs: &[&str]| pairs.iter().map(|pair| parse(pair).unwrap()).collect();
    Mapping::new(parse(maps), parse(sets)).unwrap()
}

/// What would be sent, and what was refused, the third of each chunk by the server.
fn import(rows: Rows, mapping: &Mapping<Field>) -> (Vec<Value>, Summary) {
    let mut sent = Vec::new();
    let mut summary = Summary::new(None, Reading::TELLS_DUPLICATES).unwrap();
    send_all(rows, mapping, &mut summary, |chunk: Vec<Reading>, summary| {
        assert!(chunk.len() <= Reading::CHUNK);
        sent.extend(chunk.iter().map(|reading| serde_json::to_value(reading).unwrap()));
        let rejected = json!([{"index": 2, "code": "out_of_range", "detail": "0 to 100"}]);
        let rejected: Vec<Rejection> = serde_json::from_value(rejected).unwrap();
        let rejected = if chunk.len() > 2 { rejected } else { Vec::new() };
        summary.accepted += (chunk.len() - rejected.len()) as u64;
        Ok(rejected)
    })
    .unwrap();
    (sent, summary)
}

#[test]
fn a_csv_file_has_a_version_or_none() {
    let text = "device_uuid,type,value,date_created,version\n\
        d,temperature,22,1700000000,1.5.0\n\
        d,wind,-0.5,2023-11-14T22:13:20.75Z,\n";
    let (sent, summary) = import(rows(Format::Csv, text), &mapping(&[], &[]));
    let want = [
        json!({"device_uuid": "d", "type": "temperature", "value": 22,
            "date_created": 1_700_000_000, "version": "1.5.0"}),
        json!({"device_uuid": "d", "type": "wind", "value": -0.5, "date_created": 1_700_000_000}),
    ];
    assert_eq!(sent, want);
    assert_eq!(summary.text(), "read 2, accepted 2, refused 0");
    let summary = serde_json::to_value(&summary).unwrap();
    assert_eq!(summary, json!({"read": 2, "accepted": 2, "refused": 0, "refusals": []}));
}

#[test]
fn a_file_of_one_device_is_mapped() {
    let mapping = mapping(
        &["value=celsius", "date_created=measured_at"],
        &["device_uuid=d", "type=temperature"],
    );
    let rows = rows(Format::Csv, "measured_at,celsius\n1700000000, 22 \n");
    mapping.check(&rows.names().unwrap()).unwrap();
    let (sent, _) = import(rows, &mapping);
    let want = json!({"device_uuid": "d", "type": "temperature", "value": 22,
        "date_created": 1_700_000_000});
    assert_eq!(sent, [want]);
}

#[test]
fn an_ndjson_file_may_have_numbers_or_texts() {
    let text = r#"
{"device_uuid":7,"type":"wind","value":1.5,"date_created":1700000000,"version":null}
{"device_uuid":"d","type":"wind","value":"2","date_created":"2023-11-14T22:13:21Z"}
{"device_uuid":"d","type":"wind","value":true,"date_created":1}
"#;
    let (sent, summary) = import(rows(Format::Ndjson, text), &mapping(&[], &[]));
    let want = [
        json!({"device_uuid": "7", "type": "wind", "value": 1.5, "date_created": 1_700_000_000}),
        json!({"device_uuid": "d", "type": "wind", "value": 2, "date_created": 1_700_000_001}),
    ];
    assert_eq!(sent, want);
    assert!(summary.text().ends_with("\nline 4: value must be a number, got `true`"));
}

#[test]
fn refused_rows_are_named_by_their_lines() {
    let text = "device_uuid,type,value,date_created\n\
        d,wind,1,1\n\
        d,wind,,2\n\
        d,wind,NaN,3\n\
        d,wind,4\n\
        d,wind,5,soon\n\
        d,wind,6,\n\
        d,wind,7,7\n\
        d,wind,8,8\n\
        d,wind,9,9\n";
    let (sent, summary) = import(rows(Format::Csv, text), &mapping(&[], &[]));
    assert_eq!(sent.len(), 4);
    assert_eq!(
        summary.text(),
        "read 9, accepted 3, refused 6\n\
        line 3: no value for `value`\n\
        line 4: value must be a number, got `NaN`\n\
        line 5: 3 values under 4 names\n\
        line 6: date_created must be RFC 3339 or epoch seconds, got `soon`\n\
        line 7: no value for `date_created`\n\
        line 9: 0 to 100"
    );
}

#[test]
fn many_rows_that_are_refused_for_one_reason_are_told_of_once() {
    let mut text = "device_uuid,type,value,date_created\n".to_owned();
    for day in 1..=30 {
        text.push_str(&format!("d,wind,{day},{day:02}.06.2013 12:00\n"));
    }
    text.push_str("d,wind,calm,1\n");
    let (sent, summary) = import(rows(Format::Csv, text), &mapping(&[], &[]));
    assert!(sent.is_empty());
    assert_eq!(
        summary.text(),
        "read 31, accepted 0, refused 31\n\
        line 2: date_created must be RFC 3339 or epoch seconds, got `01.06.2013 12:00`\n\
        line 3: date_created must be RFC 3339 or epoch seconds, got `02.06.2013 12:00`\n\
        line 4: date_created must be RFC 3339 or epoch seconds, got `03.06.2013 12:00`\n\
        … and 27 more for the same reason (lines 5 to 31)\n\
        line 32: value must be a number, got `calm`\n\
        --refused FILE writes all of them"
    );
    let summary = serde_json::to_value(&summary).unwrap();
    assert_eq!((&summary["read"], &summary["refused"]), (&json!(31), &json!(31)));
    assert_eq!(summary["refusals"].as_array().map(Vec::len), Some(20));
}

#[test]
fn a_file_without_dates_is_refused_before_anything_is_sent() {
    let rows = rows(Format::Csv, "device_uuid,type,value\nd,wind,1\n");
    let failure = mapping(&[], &[]).check(&rows.names().unwrap()).unwrap_err();
    assert_eq!(failure.exit_code(), 2);
    assert!(failure.text().contains("no column for `date_created`"), "{}", failure.text());
    let error = parse::<Field>("device=x").unwrap_err();
    assert!(error.contains("did you mean `device_uuid`?"), "{error}");
}

//! Whole imports, from bytes to what would be sent.

use std::io::{self, Write as _};

use canary_client::Rejection;
use serde_json::{Value, json};

use super::mapping::Field;
use super::*;
use crate::command::import::{Format, Item, Mapping, Rows, Summary, decompressed, parse, send_all};

const URL: &str = "https://etl";
const CHUNK: usize = Signal::CHUNK;

fn rows(format: Format, text: impl Into<Vec<u8>>) -> Rows {
    Rows::read(format, decompressed(io::Cursor::new(text.into())).unwrap()).unwrap()
}

fn mapping(maps: &[&str], sets: &[&str]) -> Mapping<Field> {
    let parse = |pairs: &[&str]| pairs.iter().map(|pair| parse(pair).unwrap()).collect();
    Mapping::new(parse(maps), parse(sets)).unwrap()
}

/// What would be sent, without the ids that were made; and what was refused.
fn import(rows: Rows, mapping: &Mapping<Field>) -> (Vec<Value>, Summary) {
    let mut sent = Vec::new();
    let mut summary = Summary::new(None, true).unwrap();
    send_all(rows, mapping, &mut summary, |chunk: Vec<Signal>, summary| {
        assert!(chunk.len() <= CHUNK);
        sent.extend(chunk.iter().map(|signal| serde_json::to_value(signal).unwrap()));
        summary.accepted += chunk.len() as u64;
        Ok(Vec::new())
    })
    .unwrap();
    (sent, summary)
}

fn without_id(mut signal: Value) -> Value {
    signal.as_object_mut().unwrap().remove("id").unwrap();
    signal
}

#[test]
fn a_csv_file_is_mapped_row_by_row() {
    let text = "run,version,state,ended,duration,measurements.rows\n\
        r1,1.0,success,1700000000,1.5,7\n\
        r2,1.0,\"failed\",2031-05-07T10:00:00Z,,\n";
    let mapping = mapping(
        &[
            "instance_id=run",
            "semver_version=version",
            "status=state",
            "created_date=ended",
            "measurements.duration_s=duration",
        ],
        &["artifact_url=https://etl", "description=imported"],
    );
    let rows = rows(Format::Csv, text);
    mapping.check(&rows.names().unwrap()).unwrap();
    let (sent, summary) = import(rows, &mapping);
    let sent: Vec<_> = sent.into_iter().map(without_id).collect();
    assert_eq!(
        sent,
        [
            json!({"artifact_url": URL, "semver_version": "1.0", "instance_id": "r1",
                "description": "imported", "status": "success",
                "created_date": "2023-11-14T22:13:20Z",
                "measurements": {"duration_s": 1.5, "rows": 7.0}}),
            json!({"artifact_url": URL, "semver_version": "1.0", "instance_id": "r2",
                "description": "imported", "status": "failed",
                "created_date": "2031-05-07T10:00:00Z"}),
        ]
    );
    assert_eq!(summary.text(), "read 2, accepted 2, known already 0, refused 0");
}

#[test]
fn rows_that_cannot_be_sent_are_refused_with_their_line() {
    let text = "artifact_url,semver_version,instance_id,status,created_date,measurements.ms\n\
        https://etl,1.0,r1,ok,,\n\
        https://etl,1.0\n\
        https://etl,1.0,,ok,,\n\
        https://etl,1.0,\"r\n4\",ok,soon,\n\
        https://etl,1.0,r5,ok,,fast\n";
    let (sent, summary) = import(rows(Format::Csv, text), &mapping(&[], &[]));
    assert_eq!(sent.len(), 1);
    assert_eq!(
        summary.text(),
        "read 5, accepted 1, known already 0, refused 4\n\
        line 3: 2 values under 6 names\n\
        line 4: no value for `instance_id`\n\
        line 5: created_date must be RFC 3339 or epoch seconds, got `soon`\n\
        line 7: measurement `ms` must be a number, got `fast`"
    );
}

#[test]
fn an_ndjson_file_keeps_numbers_and_nested_measurements() {
    let text = r#"
{"artifact_url":"https://etl","version":1.5,"instance_id":17,"status":"ok","created_date":1700000000,"measurements":{"ms":1.5,"none":null},"id":null}

{"artifact_url":"https://etl"
["https://etl"]
"#;
    let mapping = mapping(&["semver_version=version"], &[]);
    let (sent, summary) = import(rows(Format::Ndjson, text), &mapping);
    assert_eq!(
        sent.into_iter().map(without_id).collect::<Vec<_>>(),
        [json!({"artifact_url": URL, "semver_version": "1.5", "instance_id": "17",
            "description": "", "status": "ok", "created_date": "2023-11-14T22:13:20Z",
            "measurements": {"ms": 1.5}})]
    );
    let text = summary.text();
    assert!(text.contains("\nline 4: not JSON: "), "{text}");
    assert!(text.ends_with("\nline 5: not a JSON object"), "{text}");
}

#[test]
fn a_line_without_end_is_refused_and_the_next_is_read() {
    let good = r#"{"artifact_url":"a","semver_version":"1","instance_id":"i","status":"ok"}"#;
    let text = format!("\"{}\n{good}", "x".repeat(2_000_000));
    let (sent, summary) = import(rows(Format::Ndjson, text), &mapping(&[], &[]));
    assert_eq!(sent.len(), 1);
    assert!(summary.text().ends_with("line 1: longer than 1048576 bytes"));
}

#[test]
fn the_same_file_twice_has_the_same_ids_and_its_own_ids_are_kept() {
    let text = "artifact_url,semver_version,instance_id,status,id\n\
        https://etl,1.0,r1,ok,\n\
        https://etl,1.0,r1,ok,\n\
        https://etl,1.0,r1,ok,4a1c\n";
    let ids = || {
        let (sent, _) = import(rows(Format::Csv, text), &mapping(&[], &[]));
        sent.iter().map(|signal| signal["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = ids();
    assert_eq!(first, ids());
    // Two equal rows are two runs.
    assert_ne!(first[0], first[1]);
    assert_eq!(first[2], "4a1c");
}

#[test]
fn gzip_is_read_whatever_the_name() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"artifact_url,semver_version,instance_id,status\nhttps://etl,1,r1,ok\n")
        .unwrap();
    let (sent, _) = import(rows(Format::Csv, gzip.finish().unwrap()), &mapping(&[], &[]));
    assert_eq!(sent.len(), 1);
}

#[test]
fn what_the_server_refuses_is_named_by_its_line() {
    let mut text = "artifact_url,semver_version,instance_id,status\n".to_owned();
    for number in 0..CHUNK + 10 {
        let version = if number == CHUNK + 3 { "" } else { "1.0" };
        text.push_str(&format!("https://etl,{version},r{number},ok\n"));
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("refused.csv");
    let mut summary = Summary::new(Some(&path), true).unwrap();
    let mut chunks = Vec::new();
    send_all(rows(Format::Csv, text), &mapping(&[], &[]), &mut summary, |chunk: Vec<Signal>, _| {
        chunks.push(chunk.len());
        let rejected = json!([{"index": 4, "code": "unknown_version", "detail": "no version"}]);
        Ok(serde_json::from_value::<Vec<Rejection>>(rejected).unwrap())
    })
    .unwrap();
    summary.finish().unwrap();
    assert_eq!(chunks, [CHUNK, 9]);
    assert_eq!(
        std::fs::read_to_string(path).unwrap(),
        "line,code,reason\n6,unknown_version,no version\n\
        5005,unreadable_row,no value for `semver_version`\n5007,unknown_version,no version\n"
    );
}

#[test]
fn only_the_first_refusals_of_a_reason_are_shown_and_the_others_counted() {
    let (_, summary) = import(rows(Format::Ndjson, "x\n".repeat(25)), &mapping(&[], &[]));
    let text = summary.text();
    assert_eq!(text.lines().count(), 6);
    assert!(
        text.ends_with(
            "\n… and 22 more for the same reason (lines 4 to 25)\n--refused FILE writes all of them"
        ),
        "{text}"
    );
    let summary = serde_json::to_value(&summary).unwrap();
    assert_eq!(summary["refused"], 25);
    assert_eq!(summary["refusals"].as_array().map(Vec::len), Some(20));
}

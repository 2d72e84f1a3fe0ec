//! Real weather through the program itself: what it imports, every metric of the server says, and
//! it exports again.

use std::fs::File;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use canary_tests::{Http, Known, NewReading, Numbers, Question, TYPES, TestServer};
use flate2::read::MultiGzDecoder;
use serde_json::Value;

/// Temperature and humidity by the hour at three airports, half a year long.
const FILE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data/nyc-weather-2013-h1.csv.gz");

const AIRPORTS: [&str; 3] = ["EWR", "JFK", "LGA"];

/// 2013-01-01T00:00:00Z, and half a year later.
const START: i64 = 1_356_998_400;
const END: i64 = START + 182 * 86_400;

/// Ranges of each airport and type, each time.
const RANGES: usize = 8;

fn rows() -> Vec<NewReading> {
    let file = File::open(FILE).expect("the file is beside the examples");
    let mut rows = csv::Reader::from_reader(MultiGzDecoder::new(file));
    let row = |row: (String, String, i64, i64)| {
        let (device, kind, value, second) = row;
        let kind = TYPES.into_iter().find(|known| *known == kind).expect("a type of the server");
        NewReading { device: device.into(), kind, second, value }
    };
    rows.deserialize().map(|each| row(each.expect("a row"))).collect()
}

/// Runs the program, with nothing set but the server; its standard output.
fn canary(server: &Http, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_canary"))
        .args(arguments)
        .env_clear()
        .env("CANARY_URL", server.url())
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    let (said, complained) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{arguments:?} {status}\n{said}\n{complained}");
    said.into_owned()
}

fn import(server: &Http) -> String {
    canary(server, &["reading", "import", FILE])
}

/// Asks for every metric, and for the readings themselves, over random ranges; for the airports at
/// once.
fn check(server: &Http, known: &Known, seed: u64) {
    std::thread::scope(|scope| {
        for (airport, seed) in AIRPORTS.into_iter().zip(seed..) {
            scope.spawn(move || check_airport(server, known, airport, &mut Numbers::new(seed)));
        }
    });
}

fn check_airport(server: &Http, known: &Known, airport: &str, numbers: &mut Numbers) {
    for kind in TYPES {
        for _ in 0..RANGES {
            let (start, end) = numbers.span(START, END);
            let device = Some(Arc::from(airport));
            let question = Question { device, kind, start, end };
            known.check_every_metric(server, &question);
            let limit = 200 + numbers.below(4_000) as usize;
            known.check_list(server, &question, limit);
            known.check_summary(server, &Question { device: None, ..question });
        }
    }
}

#[test]
fn half_a_year_of_weather_says_what_a_plain_sort_says() {
    let rows = rows();
    let mut known = Known::default();
    known.take(&rows);
    assert_eq!((rows.len(), known.count()), (26_004, 26_004));
    let server = TestServer::start();

    let said = import(&server);
    assert_eq!(said.trim(), "read 26004, accepted 26004, refused 0");
    assert_eq!(server.unfolded(), 26_004);
    check(&server, &known, 0);
    server.fold_readings();
    check(&server, &known, 10);

    // The same file again is nothing new, waiting to be folded or folded.
    assert_eq!(import(&server), said);
    assert_eq!(server.unfolded(), 26_004);
    check(&server, &known, 20);
    server.fold_readings();
    check(&server, &known, 30);
}

#[test]
fn what_is_shown_and_exported_is_what_was_imported() {
    let server = TestServer::start();
    import(&server);
    server.fold_readings();
    for airport in AIRPORTS {
        for kind in TYPES {
            let of = ["--device", airport, "--type", kind];
            let stats = [&["reading", "stats", "--output", "json"], &of[..]].concat();
            let stats: Value = serde_json::from_str(&canary(&server, &stats)).expect("JSON");
            let path = format!("/devices/{airport}/readings/summary?type={kind}&bins=10");
            let mut want = server.get(&path).expect(200);
            want["unit"] = "".into();
            assert_eq!(stats, want);

            let exported = canary(&server, &[&["reading", "export"], &of[..]].concat());
            let exported = exported.lines().skip(1).map(str::to_owned);
            let is_meant = |row: &NewReading| *row.device == *airport && row.kind == kind;
            let written =
                |row: NewReading| format!("{airport},{kind},{},{},", row.value, row.second);
            let mut meant: Vec<NewReading> = rows().into_iter().filter(is_meant).collect();
            meant.sort_by_key(|row| row.second);
            assert!(exported.eq(meant.into_iter().map(written)), "{airport} {kind}");
        }
    }
}

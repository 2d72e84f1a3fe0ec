//! A few readings through the program itself, as a person sees them.

use std::process::{Command, Output, Stdio};

use canary_tests::{Http, TestServer};

/// Runs the program, with nothing set but the server: its exit code and its standard output.
fn canary(server: &Http, arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, .. } = Command::new(env!("CARGO_BIN_EXE_canary"))
        .args(arguments)
        .env_clear()
        .env("CANARY_URL", server.url())
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    (status.code(), String::from_utf8_lossy(&stdout).into_owned())
}

/// Imports rows of device, type, value and date.
fn import(server: &Http, rows: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("readings.csv");
    let text = format!("device_uuid,type,value,date_created\n{}\n", rows.join("\n"));
    std::fs::write(&file, text).expect("a file");
    canary(server, &["reading", "import", &file.display().to_string()])
}

#[test]
fn statistics_are_shown_in_the_unit_of_their_type() {
    let server = TestServer::start();
    let declare = "reading declare wind --unit m/s --minimum 0 --maximum 120";
    canary(&server, &declare.split(' ').collect::<Vec<_>>());
    let rows = ["d,wind,22,60", "d,wind,22,61", "d,wind,50,62", "d,wind,100,63", "d,humidity,7,60"];
    assert_eq!(import(&server, &rows).0, Some(0));
    let stats = |kind| canary(&server, &["reading", "stats", "--type", kind, "--bins", "1"]).1;
    assert_eq!(
        stats("wind").lines().take(10).collect::<Vec<_>>(),
        [
            "type        wind",
            "count       4",
            "min         22 m/s at 1970-01-01T00:01:01Z",
            "quartile 1  22 m/s",
            "median      36 m/s",
            "quartile 3  75 m/s",
            "max         100 m/s at 1970-01-01T00:01:03Z",
            "mean        48.5 m/s",
            "mode        22 m/s",
            "variance    1353 (m/s)²",
        ]
    );
    // Humidity has no unit as long as nobody gives it one.
    assert_eq!(stats("humidity").lines().nth(4), Some("median      7"));
}

#[test]
fn the_day_that_is_given_as_the_end_is_a_part_of_the_time() {
    let server = TestServer::start();
    let rows = [
        "d,humidity,1,2013-05-31T23:59:59Z",
        "d,humidity,2,2013-06-01T00:00:00Z",
        "d,humidity,3,2013-06-30T00:00:00Z",
        "d,humidity,4,2013-06-30T23:59:59Z",
        "d,humidity,5,2013-07-01T00:00:00Z",
    ];
    assert_eq!(import(&server, &rows).0, Some(0));
    let values = |start: &str, end: &str| {
        let of = ["reading", "export", "--device", "d", "--start", start, "--end", end];
        let (_, csv) = canary(&server, &of);
        let value = |row: &str| row.split(',').nth(2).map(str::to_owned);
        csv.lines().skip(1).filter_map(value).collect::<String>()
    };
    assert_eq!(values("2013-06-01", "2013-06-30"), "234");
    assert_eq!(values("2013-06-30", "2013-06-30"), "34");
    assert_eq!(values("2013-06-01", "2013-06-30T00:00:00Z"), "23");
}

#[test]
fn one_reason_for_many_rows_is_told_of_once() {
    let server = TestServer::start();
    let rows: Vec<String> = (101..=130).map(|value| format!("d,humidity,{value},60")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).chain(["d,humidity,7,60"]).collect();
    let (code, said) = import(&server, &rows);
    assert_eq!(code, Some(1));
    assert_eq!(
        said,
        "read 31, accepted 1, refused 30\n\
        line 2: value is 101, it must be from 0 to 100\n\
        line 3: value is 102, it must be from 0 to 100\n\
        line 4: value is 103, it must be from 0 to 100\n\
        … and 27 more for the same reason (lines 5 to 31)\n\
        --refused FILE writes all of them\n"
    );
}

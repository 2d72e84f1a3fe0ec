//! Byte forms: old ones stay readable, small ones are small, and none makes the reader panic.

use proptest::sample::Index;

use super::*;
use crate::stats::distinct::Distinct;
use crate::stats::sketch::Sketch;

/// An hour of one sensor: 3 600 readings of 0 to 100.
fn hour(start: i64) -> Summary {
    let mut summary = Summary::new(Domain::of_integers(0, 100));
    for (second, (value, _)) in (0..).zip(draws(start as u64, 3_600)) {
        let percent = (value.to_bits() >> 20) % 101;
        summary.observe(percent as f64, start + second).unwrap();
    }
    summary
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Asks everything; what matters is that it comes back.
fn ask(summary: &Summary) {
    let answers = (summary.count(), summary.min(), summary.max(), summary.median());
    let quantile = summary.quantile(0.3).unwrap();
    let more = (summary.mode(), summary.hinges(), quantile, summary.accuracy());
    std::hint::black_box((answers, more, summary.mean(), summary.variance()));
}

#[test]
fn an_hour_of_101_values_takes_a_quarter_of_a_kilobyte() {
    let summary = hour(1_700_000_000);
    assert_eq!(summary.count(), 3_600);
    let size = encoded(&summary).len();
    assert!((230..=260).contains(&size), "{size}");
}

#[test]
fn hours_merged_from_bytes_are_the_day() {
    let (mut day, mut want) = (hour(0), hour(0));
    for start in 1..24 {
        let hour = hour(start * 3_600);
        day.merge_encoded(&encoded(&hour)).unwrap();
        want.merge(&hour).unwrap();
    }
    assert_eq!(day, want);
    assert_eq!(day.count(), 24 * 3_600);
}

#[test]
fn a_declared_number_of_rows_must_be_there() {
    // Whole numbers from 0 to 100, then 2⁶³ rows; 102 rows; 101 rows of which none is there.
    for rows in ["80808080808080808001", "66 00 00 010101", "65 00 00 010101"] {
        let bytes = from_hex(&format!("53 01 00 00 64 {rows}"));
        assert_eq!(Summary::decode(&bytes), Err(CodecError::Damaged), "{rows}");
    }
    // 101 rows that take no bits: each value once, all at one time.
    let summary = Summary::decode(&from_hex("53 01 00 00 64 65 00 0e 000000")).unwrap();
    assert_eq!((summary.count(), summary.median().unwrap().newest), (101, 7));
}

/// Goes over to bins early, for the sake of a short byte form.
fn sketched(seen: &[Seen]) -> Summary {
    let mut distinct = Distinct::default();
    for (value, at) in seen {
        distinct.add(0, *value, Slot::once(*at));
    }
    let sketch = Sketch::of(&distinct).unwrap();
    Summary { state: State::Continuous(Continuous::Sketched(Box::new(sketch))) }
}

/// What was written once is read for ever; new versions get new lines here.
#[test]
fn committed_bytes_stay_readable() {
    let few = [(22.0, 100), (22.0, 200), (50.0, 300), (120.0, -50)];
    let many = [(-1.5, 10), (0.0, 20), (3.25, 30), (3.25, 40), (1e9, 50)];
    let cases = [
        (summary_of(CELSIUS, &[]), "530100278c0100"),
        (summary_of(CELSIUS, &few), "530100278c01032ad80407010980643600147905"),
        (
            summary_of(Domain::Continuous, &many),
            "53010104ffffffffffffff8340643f01060000000000000000e8fffffffffffffd8ff7ffffffffff9f00acf\
             cffffff93350f0700",
        ),
        (
            sketched(&many),
            "530102000000000000f8bf140000000065cdcd41640000000284d7a741d834ea845734a643012801e0a904\
             1400000002adaa04640b010400a8a207",
        ),
    ];
    for (summary, committed) in cases {
        assert_eq!(to_hex(&encoded(&summary)), committed);
        assert_eq!(Summary::decode(&from_hex(committed)), Ok(summary));
    }
}

#[test]
fn foreign_bytes_are_named() {
    assert_eq!(Summary::decode(b""), Err(CodecError::NotASummary));
    assert_eq!(Summary::decode(b"R\x01"), Err(CodecError::NotASummary));
    assert_eq!(Summary::decode(b"S\x02"), Err(CodecError::UnknownVersion(2)));
    assert_eq!(Summary::decode(b"S\x01"), Err(CodecError::Damaged));
    let mut long = encoded(&Summary::new(CELSIUS));
    long.push(0);
    assert_eq!(Summary::decode(&long), Err(CodecError::Damaged));
}

fn check_any(bytes: &[u8]) {
    if let Ok(summary) = Summary::decode(bytes) {
        ask(&summary);
        assert_eq!(Summary::decode(&encoded(&summary)).as_ref(), Ok(&summary));
    }
    for domain in [CELSIUS, Domain::Continuous] {
        let before = summary_of(domain, &[(3.0, 4), (5.0, 6)]);
        let mut after = before.clone();
        match after.merge_encoded(bytes) {
            Ok(()) => ask(&after),
            Err(_) => assert_eq!(after, before),
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in vec(any::<u8>(), 0..300),
        domain in 0_u8..4,
        is_headed: bool,
    ) {
        let head: &[u8] = if is_headed { &[b'S', 1, domain] } else { &[] };
        check_any(&[head, &bytes].concat());
    }

    #[test]
    fn damaged_bytes_are_read_or_refused(
        seen in prop_oneof![degrees(), decimals(), any_finite()],
        (place, byte, cut) in any::<(Index, u8, Index)>(),
    ) {
        for domain in [CELSIUS, Domain::Continuous] {
            let mut summary = Summary::new(domain);
            for (value, at) in &seen {
                let _ = summary.observe(*value, *at);
            }
            let mut bytes = encoded(&summary);
            check_any(&bytes[..cut.index(bytes.len())]);
            let place = place.index(bytes.len());
            bytes[place] = byte;
            check_any(&bytes);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn damaged_bins_are_read_or_refused(seen in many(), changes in vec((any::<Index>(), any::<u8>()), 1..4)) {
        let mut bytes = encoded(&summary_of(Domain::Continuous, &seen));
        for (place, byte) in changes {
            let place = place.index(bytes.len().min(120));
            bytes[place] = byte;
        }
        check_any(&bytes);
    }
}

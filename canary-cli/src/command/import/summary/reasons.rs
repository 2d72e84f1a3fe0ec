//! Refusals by their reason: a file that is refused as a whole is told of in a few lines.

use super::Refusal;

/// How many refusals are shown in all, of whatever reason.
const SHOWN: usize = 20;
/// How many refusals are shown of one reason.
const SHOWN_OF_ONE: usize = 3;

/// The first refusals of each reason, and counts of the others.
#[derive(Default)]
pub(super) struct Reasons {
    reasons: Vec<Reason>,
    /// Refusals that came when enough were shown, for other reasons.
    others: u64,
}

/// Refusals that differ in no more than the value that was refused.
struct Reason {
    kind: String,
    /// The first of them, as lines of text.
    shown: Vec<String>,
    rest: Option<Rest>,
}

/// Those that are not shown.
struct Rest {
    count: u64,
    first_line: u64,
    last_line: u64,
}

impl Reasons {
    pub(super) fn count(&mut self, refusal: &Refusal) {
        let Refusal { line, .. } = refusal;
        let text = || refusal.text();
        let shown: usize = self.reasons.iter().map(|reason| reason.shown.len()).sum();
        let kind = kind(refusal);
        let Some(reason) = self.reasons.iter_mut().find(|reason| reason.kind == kind) else {
            if shown < SHOWN {
                self.reasons.push(Reason { kind, shown: vec![text()], rest: None });
            } else {
                self.others += 1;
            }
            return;
        };
        if reason.shown.len() < SHOWN_OF_ONE && shown < SHOWN {
            reason.shown.push(text());
            return;
        }
        let rest = Rest { count: 0, first_line: *line, last_line: *line };
        let rest = reason.rest.get_or_insert(rest);
        rest.count += 1;
        rest.last_line = *line;
    }

    /// Reason by reason, the one that came first before the others.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for Reason { shown, rest, .. } in &self.reasons {
            lines.extend_from_slice(shown);
            lines.extend(rest.as_ref().map(Rest::text));
        }
        if self.others > 0 {
            lines.push(format!("… and {} more for other reasons", self.others));
        }
        if self.others > 0 || self.reasons.iter().any(|reason| reason.rest.is_some()) {
            lines.push("--refused FILE writes all of them".to_owned());
        }
        lines
    }
}

impl Rest {
    /// "… and 12345 more for the same reason (lines 7 to 12351)".
    fn text(&self) -> String {
        let Self { count, first_line, last_line } = self;
        let lines = match count {
            1 => format!("line {first_line}"),
            _ => format!("lines {first_line} to {last_line}"),
        };
        format!("… and {count} more for the same reason ({lines})")
    }
}

/// What refusals for the same reason have in common: the sentence without the value.
///
/// Names in backticks and limits stay: what is unknown under two names, or out of two ranges, is
/// two reasons.
fn kind(refusal: &Refusal) -> String {
    let Refusal { code, reason, .. } = refusal;
    match code.as_str() {
        // The limit moves on with the clock of the server.
        "too_old" => without_numbers(reason, usize::MAX),
        // What a row has instead of a number or a date is seldom there twice; what is no JSON ends
        // at any column.
        Refusal::UNREADABLE => {
            let sentence = reason.split(", got `").next().unwrap_or(reason);
            without_numbers(sentence, usize::MAX)
        }
        // The value comes first, its limits behind it.
        _ => without_numbers(reason, 1),
    }
}

/// The words of a text, the first `most` numbers left out.
fn without_numbers(text: &str, most: usize) -> String {
    let is_number = |word: &&str| word.trim_end_matches([',', ';', ':']).parse::<f64>().is_ok();
    let mut left_out = 0;
    let words = text.split(' ').map(|word| match is_number(&word) && left_out < most {
        true => {
            left_out += 1;
            "0"
        }
        false => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(refusals: impl IntoIterator<Item = (u64, &'static str, String)>) -> Vec<String> {
        let mut reasons = Reasons::default();
        for (line, code, reason) in refusals {
            reasons.count(&Refusal { line, code: code.to_owned(), reason });
        }
        reasons.lines()
    }

    fn too_old(line: u64) -> (u64, &'static str, String) {
        let second = 1_357_000_000 + line * 3_600;
        // The server's clock goes on while a long file is sent.
        let oldest = 1_700_000_000 + line / 1_000;
        let reason =
            format!("date_created is {second}, readings before {oldest} are no longer kept");
        (line, "too_old", reason)
    }

    #[test]
    fn a_file_that_is_too_old_as_a_whole_is_told_of_once() {
        assert_eq!(
            lines((2..=12_351).map(too_old)),
            [
                "line 2: date_created is 1357007200, readings before 1700000000 are no longer kept",
                "line 3: date_created is 1357010800, readings before 1700000000 are no longer kept",
                "line 4: date_created is 1357014400, readings before 1700000000 are no longer kept",
                "… and 12347 more for the same reason (lines 5 to 12351)",
                "--refused FILE writes all of them",
            ]
        );
        assert_eq!(lines((2..=4).map(too_old)).len(), 3);
        assert_eq!(lines((2..=5).map(too_old))[3], "… and 1 more for the same reason (line 5)");
    }

    #[test]
    fn reasons_are_told_apart_and_each_is_shown() {
        let invalid = |line: u64| {
            let (from, to) = if line.is_multiple_of(2) { (0, 100) } else { (300, 1_100) };
            (line, "invalid", format!("value is {line}000, it must be from {from} to {to}"))
        };
        let shown = lines((2..=1_001).map(|line| match line {
            500 => (line, "unknown_type", "type `wnid` is unknown".to_owned()),
            501 => (line, "unknown_type", "type `wind7` is unknown".to_owned()),
            _ => invalid(line),
        }));
        assert_eq!(
            shown,
            [
                "line 2: value is 2000, it must be from 0 to 100",
                "line 4: value is 4000, it must be from 0 to 100",
                "line 6: value is 6000, it must be from 0 to 100",
                "… and 496 more for the same reason (lines 8 to 1000)",
                "line 3: value is 3000, it must be from 300 to 1100",
                "line 5: value is 5000, it must be from 300 to 1100",
                "line 7: value is 7000, it must be from 300 to 1100",
                "… and 496 more for the same reason (lines 9 to 1001)",
                "line 500: type `wnid` is unknown",
                "line 501: type `wind7` is unknown",
                "--refused FILE writes all of them",
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_is_one_reason_whatever_stands_there() {
        let cases = [
            ("date_created must be RFC 3339 or epoch seconds, got `01/02/2013`", 0),
            ("date_created must be RFC 3339 or epoch seconds, got `soon`", 0),
            ("value must be a number, got `soon`", 1),
            ("3 values under 4 names", 2),
            ("12 values under 4 names", 2),
            ("not JSON: expected `,` or `}` at line 1 column 17", 3),
            ("not JSON: expected `,` or `}` at line 1 column 8", 3),
            ("no value for `value`", 4),
            ("no value for `type`", 5),
        ];
        let kind = |text: &str| kind(&Refusal::here(7, text.to_owned()));
        for (one, reason) in cases {
            for (other, its) in cases {
                assert_eq!(kind(one) == kind(other), reason == its, "{one}\n{other}");
            }
        }
    }

    #[test]
    fn many_reasons_are_no_more_lines_than_a_screen_has() {
        let unknown = |line: u64| (line, "unknown_type", format!("type `t{line}` is unknown"));
        let shown = lines((1..=1_000).map(unknown));
        assert_eq!(shown.len(), SHOWN + 2);
        assert_eq!(shown[SHOWN], "… and 980 more for other reasons");
        // One that was shown is counted as itself, later too.
        let shown = lines((1..=30).chain([1]).map(unknown));
        assert_eq!(shown[1], "… and 1 more for the same reason (line 1)");
        assert_eq!(shown[SHOWN + 1], "… and 10 more for other reasons");
    }
}

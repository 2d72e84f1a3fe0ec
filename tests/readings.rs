//! Readings, and the plain sort that every answer about them is compared with.

mod answers;
mod samples;
mod sorted;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::sync::Arc;

pub use self::samples::{DEVICE, READINGS, reading, readings, temperature};
use crate::{Http, NDJSON, lines};

/// The types that every server has, in the order of their declaration.
pub const TYPES: [&str; 2] = ["temperature", "humidity"];

/// Numbers that look random and are the same each time (splitmix64).
#[derive(Debug)]
pub struct Numbers(u64);

impl Numbers {
    /// The numbers that follow from `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 0 to `limit` - 1.
    pub fn below(&mut self, limit: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) % limit.unsigned_abs()) as i64
    }

    /// One of several.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as i64) as usize]
    }

    /// A stretch of seconds within `first` and `last`: long or short, of whole hours or not, and
    /// now and then without a beginning or an end.
    pub fn span(&mut self, first: i64, last: i64) -> (Option<i64>, Option<i64>) {
        const HOUR: i64 = 3_600;
        let longest = match self.below(4) {
            0 => 2 * HOUR,
            1 => 24 * HOUR,
            _ => last - first,
        };
        let start = first + self.below(last - first);
        let end = (start + self.below(longest)).min(last);
        match self.below(10) {
            0 => (None, None),
            1 => (None, Some(end)),
            2 => (Some(start), None),
            3 => (Some(start), Some(start)),
            4 | 5 => (Some(start - start % HOUR), Some(end - end % HOUR + (HOUR - 1))),
            _ => (Some(start), Some(end)),
        }
    }
}

/// A whole number that a device measured.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NewReading {
    /// The device.
    pub device: Arc<str>,
    /// The type.
    pub kind: &'static str,
    /// When, in seconds since 1970.
    pub second: i64,
    /// What.
    pub value: i64,
}

/// As the object that is sent, in the bytes that are quickest to read.
impl fmt::Display for NewReading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { device, kind, second, value } = self;
        write!(
            f,
            r#"{{"device_uuid":"{device}","type":"{kind}","value":{value},"date_created":{second}}}"#
        )
    }
}

/// Which readings are asked for.
#[derive(Debug, Clone)]
pub struct Question {
    /// Of which device, or of all.
    pub device: Option<Arc<str>>,
    /// Of which type.
    pub kind: &'static str,
    /// The first second.
    pub start: Option<i64>,
    /// The last second, included.
    pub end: Option<i64>,
}

impl Question {
    /// The path of a statistic, or of the list if it is empty; of all devices there are only
    /// summaries.
    #[must_use]
    pub fn path(&self, statistic: &str) -> String {
        let whose = self.device.as_ref().map_or(String::new(), |name| format!("/devices/{name}"));
        let slash = if statistic.is_empty() { "" } else { "/" };
        let mut path = format!("{whose}/readings{slash}{statistic}?type={}", self.kind);
        for (name, second) in [("start", self.start), ("end", self.end)] {
            if let Some(second) = second {
                // Writing to a string cannot fail.
                let _ = write!(path, "&{name}={second}");
            }
        }
        path
    }

    fn asks_for(&self, second: i64) -> bool {
        self.start.is_none_or(|start| start <= second) && self.end.is_none_or(|end| second <= end)
    }
}

/// What a server must know, each reading once.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// By device and type.
    readings: BTreeMap<(Arc<str>, &'static str), BTreeSet<SecondAndValue>>,
}

/// What is left of a reading beside its device and type.
type SecondAndValue = (i64, i64);

impl Known {
    /// Takes readings in; those that it has are the same readings.
    pub fn take(&mut self, readings: &[NewReading]) {
        for NewReading { device, kind, second, value } in readings {
            let series = self.readings.entry((device.clone(), kind)).or_default();
            series.insert((*second, *value));
        }
    }

    /// How many readings there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.readings.values().map(BTreeSet::len).sum()
    }

    /// Second and value of the readings that are asked for.
    fn asked<'a>(&'a self, question: &'a Question) -> impl Iterator<Item = SecondAndValue> + 'a {
        let is_meant = |device: &str, kind| {
            kind == question.kind && question.device.as_deref().is_none_or(|asked| asked == device)
        };
        let meant = self.readings.iter().filter(move |((device, kind), _)| is_meant(device, *kind));
        let readings = meant.flat_map(|(_, readings)| readings.iter().copied());
        readings.filter(|(second, _)| question.asks_for(*second))
    }
}

impl Http {
    /// Sends readings; all of them must be accepted.
    ///
    /// # Panics
    ///
    /// If they are not.
    #[track_caller]
    pub fn send_readings(&self, readings: &[NewReading]) {
        let answer = self.post_bytes("/readings", &[NDJSON], lines(readings).as_bytes());
        let outcome = answer.expect(200);
        assert_eq!(outcome["accepted"], readings.len(), "{outcome}");
        assert_eq!(outcome["rejected"], serde_json::json!([]), "{outcome}");
    }

    /// One of the numbers that the server tells about itself.
    ///
    /// # Panics
    ///
    /// If it does not tell it.
    #[must_use]
    #[track_caller]
    pub fn metric(&self, name: &str) -> u64 {
        let text = self.get("/metrics").text;
        let mut numbers = text.lines().filter_map(|line| line.split_once(' '));
        let number = numbers.find(|(named, _)| *named == name).map(|(_, number)| number.trim());
        number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no {name}: {text}"))
    }

    /// How many readings lie in blocks and wait to be folded.
    ///
    /// # Panics
    ///
    /// If the server does not tell it.
    #[must_use]
    #[track_caller]
    pub fn unfolded(&self) -> u64 {
        self.metric("canary_readings_unfolded")
    }
}

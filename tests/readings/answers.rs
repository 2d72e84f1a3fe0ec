//! Answers, compared with what is known.

use serde_json::{Map, Value, json};

use super::sorted::{Sorted, number};
use super::{Known, Question};
use crate::{Answer, Http};

/// How far mean and variance may be off: sums of whole numbers, divided, have only the errors of
/// rounding.
const TOLERANCE: f64 = 1e-9;

impl Known {
    /// Asks for a summary, which holds every metric, and compares all of it.
    ///
    /// # Panics
    ///
    /// If a part of it is not as it must be.
    pub fn check_summary(&self, http: &Http, question: &Question) {
        let answer = http.get(&question.path("summary"));
        let Some(sorted) = Sorted::of(self.asked(question)) else {
            answer.expect_problem(404, "no_readings");
            return;
        };
        assert_eq!(answer.status, 200, "{question:?}: {}", answer.text);
        let Value::Object(mut summary) = answer.json() else { panic!("{}", answer.text) };
        let mean = summary.remove("mean").and_then(|mean| mean.as_f64());
        assert_near(mean, Some(sorted.mean()), "mean", question);
        let variance = summary.remove("variance").and_then(|variance| variance.as_f64());
        assert_near(variance, sorted.variance(), "variance", question);
        assert_eq!(Value::from(summary), question.summary(&sorted), "{question:?}");
    }

    /// Asks for each metric on its own, and for the summary, and compares all of them; of one
    /// device.
    ///
    /// # Panics
    ///
    /// If one of them is not as it must be.
    pub fn check_every_metric(&self, http: &Http, question: &Question) {
        self.check_summary(http, question);
        let get = |statistic: &str| http.get(&question.path(statistic));
        let sorted = Sorted::of(self.asked(question));
        let sorted = sorted.as_ref();
        let found = |statistic: &str, want: Option<Value>| match want {
            Some(want) => assert_eq!(get(statistic).expect(200), want, "{statistic} {question:?}"),
            None => drop(get(statistic).expect_problem(404, "no_readings")),
        };
        found("min", sorted.map(|sorted| question.reading(sorted.min())));
        found("max", sorted.map(|sorted| question.reading(sorted.max())));
        found("median", sorted.map(|sorted| question.reading(sorted.median())));
        found("quartiles", sorted.map(|sorted| Value::from(quartiles(sorted))));
        let mode = sorted.map(|sorted| number(sorted.mode()));
        assert_eq!(get("mode").expect(200), json!({"value": mode}), "mode {question:?}");
        let mean = get("mean").expect(200)["value"].as_f64();
        assert_near(mean, sorted.map(Sorted::mean), "mean", question);
    }

    /// Lists the readings of a device, `limit` to a page, and compares every one.
    ///
    /// # Panics
    ///
    /// If the list is not as it must be, or there are more than a thousand pages.
    pub fn check_list(&self, http: &Http, question: &Question, limit: usize) {
        let reading = |(second, value)| question.reading((value as f64, second));
        let want: Vec<Value> = self.asked(question).map(reading).collect();
        let (got, pages) = http.all_pages(&format!("{}&limit={limit}", question.path("")));
        assert!(got == want, "{question:?}, {limit} to a page\n{}", difference(&got, &want));
        // The last page has no link, also if it is full.
        assert_eq!(pages, want.len().div_ceil(limit).max(1), "{question:?}, {limit} to a page");
    }
}

impl Question {
    fn reading(&self, (value, second): (f64, i64)) -> Value {
        let mut reading = Map::from_iter([("date_created".to_owned(), json!(second))]);
        self.name_device(&mut reading);
        reading.insert("type".to_owned(), json!(self.kind));
        reading.insert("value".to_owned(), number(value));
        Value::from(reading)
    }

    fn name_device(&self, object: &mut Map<String, Value>) {
        if let Some(device) = &self.device {
            object.insert("device_uuid".to_owned(), json!(**device));
        }
    }

    /// All that is exact in a summary, and nothing else.
    fn summary(&self, sorted: &Sorted) -> Value {
        let mut summary = quartiles(sorted);
        self.name_device(&mut summary);
        let rest = [
            ("type", json!(self.kind)),
            ("count", json!(sorted.count())),
            ("min", self.reading(sorted.min())),
            ("max", self.reading(sorted.max())),
            ("median", self.reading(sorted.median())),
            ("mode", number(sorted.mode())),
            ("exact", json!(true)),
        ];
        summary.extend(rest.map(|(name, value)| (name.to_owned(), value)));
        Value::from(summary)
    }
}

impl Answer {
    /// How many of the readings that were sent are now durable; nothing if the server refuses to
    /// take any because it is stopping or has too much to do.
    ///
    /// # Panics
    ///
    /// If it says anything else.
    #[must_use]
    #[track_caller]
    pub fn accepted(&self) -> Option<u64> {
        if self.status == 503 {
            let code = self.json()["code"].as_str().unwrap_or_default().to_owned();
            self.expect_problem(503, &code);
            return None;
        }
        Some(self.expect(200)["accepted"].as_u64().expect("a count"))
    }
}

fn quartiles(sorted: &Sorted) -> Map<String, Value> {
    let (lower, upper) = sorted.quartiles();
    Map::from_iter([
        ("quartile_1".to_owned(), number(lower)),
        ("quartile_3".to_owned(), number(upper)),
    ])
}

#[track_caller]
fn assert_near(got: Option<f64>, want: Option<f64>, name: &str, question: &Question) {
    let is_near = match (got, want) {
        (Some(got), Some(want)) => (got - want).abs() <= TOLERANCE,
        (got, want) => got == want,
    };
    assert!(is_near, "{name} is {got:?}, not {want:?}: {question:?}");
}

/// Where two lists begin to differ.
fn difference(got: &[Value], want: &[Value]) -> String {
    let same = got.iter().zip(want).take_while(|(got, want)| got == want).count();
    let at = |list: &[Value]| list.get(same).map_or("its end".to_owned(), Value::to_string);
    format!("{} of {}, at {same} {} and not {}", got.len(), want.len(), at(got), at(want))
}

//! Ten thousand random ranges, asked over HTTP before, during and after folding, with late,
//! repeated and disordered readings: every answer is that of a plain sort.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use canary_tests::{
    Http, JSON, Known, NewReading, Numbers, Question, TYPES, TestServer, eventually,
};
use serde_json::json;

/// 2022-12-01T00:00:00Z.
const START: i64 = 1_669_852_800;
const HOUR: i64 = 3_600;

/// Hours that are asked for, and how many of them are over before anything is folded.
const HOURS: i64 = 72;
const HOURS_BEFORE: i64 = 24;

const DEVICES: usize = 6;

/// Ranges that are asked for before folding, in each round while it goes on, and after it.
const BEFORE: usize = 3_000;
const ROUNDS: usize = 40;
const IN_A_ROUND: usize = 100;
const AFTER: usize = 3_000;

/// Connections that ask at once.
const ASKING: usize = 4;

/// Devices that keep folding going, and that nobody asks for: too many for one step of a round.
const OTHERS: i64 = 2_100;

/// A fleet of devices, and all that they have sent.
struct Fleet {
    devices: Vec<Arc<str>>,
    numbers: Numbers,
    sent: Vec<NewReading>,
    known: Known,
}

impl Fleet {
    fn new() -> Self {
        let devices = (0..DEVICES).map(|number| format!("sensor-{number}").into()).collect();
        Self { devices, numbers: Numbers::new(42), sent: Vec::new(), known: Known::default() }
    }

    /// Readings of the hour that goes on, some late, some that were sent before.
    fn readings(&mut self, hour: i64) -> Vec<NewReading> {
        let size = 1 + self.numbers.below(400);
        (0..size).map(|_| self.reading(hour)).collect()
    }

    fn reading(&mut self, hour: i64) -> NewReading {
        let numbers = &mut self.numbers;
        if !self.sent.is_empty() && numbers.below(30) == 0 {
            return numbers.one_of(&self.sent).clone();
        }
        let late = if numbers.below(20) == 0 { numbers.below(hour + 1) } else { 0 };
        // Few values in few seconds, so that there are ties and repetitions.
        let second = START + (hour - late) * HOUR + numbers.below(HOUR) / 7 * 7;
        let value = if numbers.below(9) == 0 { numbers.below(101) } else { 40 + numbers.below(20) };
        let (device, kind) = (numbers.one_of(&self.devices).clone(), *numbers.one_of(&TYPES));
        NewReading { device, kind, second, value }
    }

    /// Sends readings in one of the ways that there are.
    fn send(&mut self, http: &Http, hour: i64) {
        let readings = self.readings(hour);
        match self.numbers.below(4) {
            0 => send_array(http, &readings),
            1 => readings.iter().take(40).for_each(|reading| send_one(http, reading)),
            _ => {}
        }
        // What came in another way comes again.
        http.send_readings(&readings);
        self.known.take(&readings);
        self.sent.extend(readings);
    }

    /// Asks for random ranges, on several connections at once.
    fn ask(&mut self, http: &Http, count: usize) {
        let seeds: Vec<u64> = (0..ASKING).map(|_| self.numbers.below(1 << 40) as u64).collect();
        let fleet = &*self;
        std::thread::scope(|scope| {
            for seed in seeds {
                scope.spawn(move || {
                    let mut numbers = Numbers::new(seed);
                    for _ in 0..count.div_ceil(ASKING) {
                        let question = fleet.question(&mut numbers);
                        fleet.known.check_summary(http, &question);
                        if question.device.is_some() && numbers.below(80) == 0 {
                            fleet.known.check_list(http, &question, 400);
                        }
                    }
                });
            }
        });
    }

    /// Lists everything.
    fn list_all(&self, http: &Http) {
        for device in &self.devices {
            for kind in TYPES {
                let device = Some(device.clone());
                let question = Question { device, kind, start: None, end: None };
                self.known.check_list(http, &question, 97);
            }
        }
    }

    fn question(&self, numbers: &mut Numbers) -> Question {
        let device = match numbers.below(40) {
            0 => Some("nobody".into()),
            1 | 2 => None,
            _ => Some(numbers.one_of(&self.devices).clone()),
        };
        let kind = *numbers.one_of(&TYPES);
        let (start, end) = numbers.span(START, START + HOURS * HOUR);
        Question { device, kind, start, end }
    }
}

fn send_array(http: &Http, readings: &[NewReading]) {
    let objects: Vec<String> = readings.iter().map(NewReading::to_string).collect();
    let body = format!("[ {} ]", objects.join(" ,\n"));
    let answer = http.post_bytes("/readings", &[JSON], body.as_bytes());
    assert_eq!(answer.expect(200)["accepted"], readings.len());
}

fn send_one(http: &Http, reading: &NewReading) {
    let NewReading { device, kind, second, value } = reading;
    let body = json!({"date_created": second, "value": value, "type": kind});
    let answer = http.post(&format!("/devices/{device}/readings/"), &body);
    assert_eq!(answer.expect(201), "success");
}

/// The type of those that nobody asks for, so that summaries of all devices are without them.
fn declare_load(http: &Http) {
    let load = json!({"unit": "1", "minimum": 0, "maximum": 100, "integer": true}).to_string();
    let answer = http.send("PUT", "/reading-type/load", &[JSON], Some(load.as_bytes()));
    answer.expect("an answer").expect(200);
}

/// Tells to stop when it is dropped: also when a wrong answer ends the test.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Readings of devices that nobody asks for, each half hour after half hour; folds them, round after
/// round, until it is told to stop; gives the number of rounds.
fn keep_folding(server: &TestServer, half_hour: &mut i64, stop: &AtomicBool) -> usize {
    let mut rounds = 0;
    while !stop.load(Ordering::Relaxed) || rounds == 0 {
        *half_hour += 1;
        server.send_readings(&of_others(*half_hour, OTHERS));
        let is_hour_over = *half_hour % 2 == 1;
        if is_hour_over {
            server.send_readings(&of_others(*half_hour + 1, 1));
        }
        let waiting = server.unfolded();
        // An hour that is over waits for ten seconds, one that goes on for ten minutes.
        server.clock().advance(Duration::from_secs(if is_hour_over { 11 } else { 600 }));
        eventually("a round of folding", || {
            let is_over = waiting == 0 || server.unfolded() < waiting;
            if !is_over {
                server.clock().advance(Duration::from_secs(11));
            }
            is_over.then_some(())
        });
        rounds += 1;
    }
    rounds
}

fn of_others(half_hour: i64, count: i64) -> Vec<NewReading> {
    let first = START + HOURS * HOUR + half_hour * HOUR / 2;
    let reading = |number: i64| NewReading {
        device: format!("other-{number}").into(),
        kind: "load",
        // What comes in the first minute of an hour does not tell that the last one is over.
        second: first + 60 + number % 1_500,
        value: number % 100,
    };
    (0..count).map(reading).collect()
}

#[test]
fn ten_thousand_ranges_are_those_of_a_plain_sort_whatever_is_folded() {
    let server = TestServer::start();
    declare_load(&server);
    let mut fleet = Fleet::new();

    // Who is known first is folded first: those who are asked for come when the others are done.
    server.send_readings(&of_others(0, OTHERS));
    for batch in 0..96 {
        fleet.send(&server, batch * HOURS_BEFORE / 96);
    }
    fleet.ask(&server, BEFORE);
    assert!(server.unfolded() as usize >= fleet.known.count(), "nothing was folded so far");

    let (mut rounds, mut half_hour) = (0, 0);
    for round in 0..ROUNDS as i64 {
        let hour = HOURS_BEFORE + round * (HOURS - HOURS_BEFORE) / ROUNDS as i64;
        for _ in 0..4 {
            fleet.send(&server, hour);
        }
        if round % 8 == 7 {
            // Late readings are put off for hours, and folded then.
            server.clock().advance(Duration::from_secs(6 * 3_600));
        }
        let stop = AtomicBool::new(false);
        rounds += std::thread::scope(|scope| {
            let folding = scope.spawn(|| keep_folding(&server, &mut half_hour, &stop));
            let asked = Stop(&stop);
            fleet.ask(&server, IN_A_ROUND);
            drop(asked);
            folding.join().expect("it folds")
        });
    }
    assert!(rounds >= ROUNDS);

    server.fold_readings();
    fleet.ask(&server, AFTER);
    server.restart();
    fleet.ask(&server, 100);
    fleet.list_all(&server);
}

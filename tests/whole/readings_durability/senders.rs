//! Those who send readings, and what a server must know of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use canary_tests::{
    Http, Known, NDJSON, NewReading, Numbers, Question, ServerProcess, TYPES, eventually, lines,
};

/// 2022-12-01T00:00:00Z.
pub(super) const START: i64 = 1_669_852_800;
const HOUR: i64 = 3_600;

pub(super) const SENDERS: u64 = 4;

/// Devices of each sender, and readings of each request.
const DEVICES: i64 = 1_000;
const BATCH: i64 = 1_500;

/// One who sends readings, and what became of them.
pub(super) struct Sender {
    name: String,
    numbers: Numbers,
    /// Requests so far, each with a reading of a device of its own: by it the request is known
    /// again.
    requests: i64,
    /// Acknowledged, request by request.
    acknowledged: Vec<Vec<NewReading>>,
    /// Refused because the server stops.
    pub(super) refused: Vec<Vec<NewReading>>,
    /// Sent, and nobody knows what became of it.
    pub(super) in_flight: Option<Vec<NewReading>>,
}

impl Sender {
    pub(super) fn new(number: u64) -> Self {
        Self {
            name: format!("s{number}"),
            numbers: Numbers::new(number),
            requests: 0,
            acknowledged: Vec::new(),
            refused: Vec::new(),
            in_flight: None,
        }
    }

    /// Readings of the hour that goes on, and some of the hours before.
    pub(super) fn batch(&mut self) -> Vec<NewReading> {
        self.requests += 1;
        let hour = self.requests / 4;
        let mark = NewReading {
            device: format!("{}-request-{}", self.name, self.requests).into(),
            kind: TYPES[0],
            second: START + hour * HOUR,
            value: 1,
        };
        let rest = (1..BATCH).map(|_| {
            let numbers = &mut self.numbers;
            let kind = *numbers.one_of(&TYPES);
            let late = if numbers.below(50) == 0 { numbers.below(hour + 1) } else { 0 };
            NewReading {
                device: format!("{}-{}", self.name, numbers.below(DEVICES)).into(),
                kind,
                second: START + (hour - late) * HOUR + numbers.below(HOUR),
                value: numbers.below(101),
            }
        });
        std::iter::once(mark).chain(rest).collect()
    }

    /// Sends until the server no longer answers, or no longer takes readings.
    fn send_until_it_ends(&mut self, http: &Http, acknowledged: &AtomicUsize) {
        loop {
            let batch = self.batch();
            let body = lines(&batch);
            match http.send("POST", "/readings", &[NDJSON], Some(body.as_bytes())) {
                Ok(answer) => match answer.accepted() {
                    Some(accepted) => {
                        assert_eq!(accepted, batch.len() as u64, "{}", answer.text);
                        self.acknowledged.push(batch);
                        acknowledged.fetch_add(1, Ordering::Relaxed);
                    }
                    None => return self.refused.push(batch),
                },
                Err(_) => return self.in_flight = Some(batch),
            }
        }
    }
}

/// All senders, and what the server must know of them.
pub(super) struct Senders {
    pub(super) all: Vec<Sender>,
    pub(super) known: Known,
    pub(super) numbers: Numbers,
}

impl Senders {
    pub(super) fn new() -> Self {
        let all = (0..SENDERS).map(Sender::new).collect();
        Self { all, known: Known::default(), numbers: Numbers::new(7) }
    }

    /// All of them send until the server ends, which `end` brings about when so many requests were
    /// acknowledged.
    pub(super) fn send_until(
        &mut self,
        server: &ServerProcess,
        acknowledged: usize,
        end: impl FnOnce(),
    ) {
        let count = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for sender in &mut self.all {
                scope.spawn(|| sender.send_until_it_ends(server, &count));
            }
            eventually("requests that were acknowledged", || {
                (count.load(Ordering::Relaxed) >= acknowledged).then_some(())
            });
            end();
        });
    }

    /// Finds out what was stored of the requests that nobody answered: each wholly or not at all.
    pub(super) fn settle(&mut self, http: &Http) {
        for sender in &mut self.all {
            if let Some(batch) = sender.in_flight.take() {
                if has_mark(http, &batch) {
                    sender.acknowledged.push(batch);
                } else {
                    sender.refused.push(batch);
                }
            }
            for batch in &sender.acknowledged {
                self.known.take(batch);
            }
        }
    }

    /// Compares the answers to random questions; some of them ask for all devices.
    pub(super) fn check(&mut self, http: &Http, questions: usize) {
        let last = START + (2 + self.all[0].requests / 4) * HOUR;
        for _ in 0..questions {
            let numbers = &mut self.numbers;
            let sender = numbers.below(SENDERS as i64);
            let device = format!("s{sender}-{}", numbers.below(DEVICES));
            let device = (numbers.below(20) > 0).then(|| Arc::from(device));
            let kind = *numbers.one_of(&TYPES);
            let (start, end) = numbers.span(START, last);
            self.known.check_summary(http, &Question { device, kind, start, end });
        }
        for kind in TYPES {
            let question = Question { device: None, kind, start: None, end: None };
            self.known.check_summary(http, &question);
        }
    }

    /// Everything that was acknowledged comes again.
    pub(super) fn send_again(&self, http: &Http) {
        for batch in self.all.iter().flat_map(|sender| &sender.acknowledged) {
            http.send_readings(batch);
        }
    }
}

/// Whether the reading by which a request is known again is there.
pub(super) fn has_mark(http: &Http, batch: &[NewReading]) -> bool {
    let mark = &batch[0];
    let device = Some(mark.device.clone());
    let question = Question { device, kind: mark.kind, start: None, end: None };
    match http.get(&question.path("summary")) {
        answer if answer.status == 404 => false,
        answer => answer.expect(200)["count"] == 1,
    }
}

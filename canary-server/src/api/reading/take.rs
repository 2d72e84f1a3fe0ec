//! From the bytes of a body to readings, each taken or refused on its own.

use serde_json::value::RawValue;

use super::body::{parse_reading, refused};
use super::scan::Scanner;
use crate::api::payload::{OBJECT_LIMIT, not_json};
use crate::api::problem::{ApiError, Kind};
use crate::buffers::Buffer;
use crate::ingest::Rejected;
use crate::readings::{Given, Intake, Point, Readings};

/// Most readings of a body.
const MOST: usize = 100_000;

/// Bytes of a short reading: to make room for all of a body at once.
const SHORT: usize = 64;

/// What a body holds.
pub(in crate::api) struct Taken {
    pub(in crate::api) points: Buffer<Point>,
    /// Of several readings those that are refused.
    pub(in crate::api) rejected: Vec<Rejected>,
}

/// Takes the readings of one body.
pub(super) struct Taking<'a> {
    bytes: &'a [u8],
    /// The device of all of them; `None` if each names its own.
    device: Option<&'a str>,
    intake: Intake<'a>,
    count: u64,
    rejected: Vec<Rejected>,
}

/// Why nothing of a body is taken.
enum Stop {
    NotAnArray,
    TooMany,
}

impl<'a> Taking<'a> {
    /// `now_s` is the time of arrival, for readings without one.
    pub(super) fn new(
        bytes: &'a [u8],
        device: Option<&'a str>,
        readings: &'a Readings,
        now_s: u32,
    ) -> Self {
        let intake = readings.intake(now_s, 1 + (bytes.len() / SHORT).min(MOST));
        Self { bytes, device, intake, count: 0, rejected: Vec::new() }
    }

    /// Takes one object.
    pub(super) fn object(mut self) -> Result<Taken, ApiError> {
        self.give_object(self.bytes)?;
        Ok(self.finish())
    }

    /// Takes an array, which must be JSON from the first byte to the last.
    pub(super) fn array(mut self) -> Result<Taken, ApiError> {
        let text = std::str::from_utf8(self.bytes).map_err(|_| not_an_array(self.bytes))?;
        self.elements(Scanner::new(text, self.device)).map_err(|stop| match stop {
            Stop::NotAnArray => not_an_array(self.bytes),
            Stop::TooMany => wrong_count(),
        })?;
        self.finish_several()
    }

    /// Takes one object per line; blank lines do not count.
    pub(super) fn lines(mut self) -> Result<Taken, ApiError> {
        let lines = match std::str::from_utf8(self.bytes) {
            Ok(text) => self.lines_of_text(text),
            // A line that is no text is refused alone.
            Err(_) => self.bytes.split(|byte| *byte == b'\n').try_for_each(|line| self.line(line)),
        };
        lines.map_err(|_| wrong_count())?;
        self.finish_several()
    }

    fn elements(&mut self, mut scanner: Scanner<'a>) -> Result<(), Stop> {
        scanner.skip_blanks();
        scanner.literal(b"[").ok_or(Stop::NotAnArray)?;
        scanner.skip_blanks();
        let mut is_end = scanner.literal(b"]").is_some();
        while !is_end {
            let index = self.next_index()?;
            let taken = match scanner.reading() {
                Some(given) => self.give(given),
                None => self.parse(next_value(&mut scanner).ok_or(Stop::NotAnArray)?),
            };
            self.note(index, taken);
            scanner.skip_blanks();
            is_end = scanner.literal(b"]").is_some();
            if !is_end {
                scanner.literal(b",").ok_or(Stop::NotAnArray)?;
                scanner.skip_blanks();
            }
        }
        scanner.skip_blanks();
        if scanner.is_at_end() { Ok(()) } else { Err(Stop::NotAnArray) }
    }

    fn lines_of_text(&mut self, mut text: &'a str) -> Result<(), Stop> {
        while !text.is_empty() {
            let mut scanner = Scanner::new(text, self.device);
            if let Some(given) = scanner.compact_reading()
                && let Some(rest) = scanner.next_line()
            {
                let index = self.next_index()?;
                let taken = self.give(given);
                self.note(index, taken);
                text = rest;
            } else {
                let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
                self.line(line.as_bytes())?;
                text = rest;
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Stop> {
        let line = line.trim_ascii();
        if !line.is_empty() {
            let index = self.next_index()?;
            let taken = self.give_object(line);
            self.note(index, taken);
        }
        Ok(())
    }

    fn give_object(&mut self, bytes: &[u8]) -> Result<(), ApiError> {
        // What is no text is not scanned either.
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        let mut scanner = Scanner::new(text, self.device);
        scanner.skip_blanks();
        let given = scanner.reading();
        scanner.skip_blanks();
        match given.filter(|_| scanner.is_at_end()) {
            Some(given) => self.give(given),
            None => self.parse(bytes),
        }
    }

    #[inline]
    fn give(&mut self, given: Given<'_>) -> Result<(), ApiError> {
        let is_device_in_path = self.device.is_some();
        self.intake.take(given).map_err(|refusal| refused(&refusal, is_device_in_path))
    }

    #[cold]
    fn parse(&mut self, bytes: &[u8]) -> Result<(), ApiError> {
        if bytes.len() > OBJECT_LIMIT {
            let detail = format!("the reading has more than {OBJECT_LIMIT} bytes");
            return Err(ApiError::new(Kind::BodyTooLarge, detail));
        }
        let declared = || format!("declared are {}", self.intake.declared());
        let reading = parse_reading(bytes, self.device)
            .map_err(|error| error.add_to_detail("type is missing", declared))?;
        self.give(reading.given())
    }

    fn next_index(&mut self) -> Result<u64, Stop> {
        let index = self.count;
        self.count += 1;
        if self.count > MOST as u64 { Err(Stop::TooMany) } else { Ok(index) }
    }

    #[inline]
    fn note(&mut self, index: u64, taken: Result<(), ApiError>) {
        if let Err(error) = taken {
            let (code, detail) = error.code_and_detail();
            self.rejected.push(Rejected { index, code, detail });
        }
    }

    fn finish_several(self) -> Result<Taken, ApiError> {
        if self.count == 0 { Err(wrong_count()) } else { Ok(self.finish()) }
    }

    fn finish(self) -> Taken {
        Taken { points: self.intake.finish(), rejected: self.rejected }
    }
}

/// The next value of any kind; nothing if it is not JSON.
#[cold]
fn next_value<'a>(scanner: &mut Scanner<'a>) -> Option<&'a [u8]> {
    let mut values = serde_json::Deserializer::from_str(scanner.rest()).into_iter::<&'a RawValue>();
    let value = values.next()?.ok()?;
    scanner.skip(values.byte_offset());
    Some(value.get().as_bytes())
}

fn not_an_array(bytes: &[u8]) -> ApiError {
    not_json(bytes).unwrap_or_else(|| {
        ApiError::new(Kind::Invalid, "the body must be a JSON array of readings")
    })
}

fn wrong_count() -> ApiError {
    let detail = format!("the body must have from 1 to {MOST} readings");
    ApiError::new(Kind::Invalid, detail)
}

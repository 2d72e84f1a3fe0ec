//! The bytes of a `POST /readings`, copied together from texts that were made before.

use std::io::Write as _;

use crate::dice::{Dice, device_name};
use crate::fleet::{Fleet, Reading, Shape};

/// The names of types on the wire.
pub const TYPES: [&str; 2] = ["temperature", "humidity"];

const OPEN: &[u8; 16] = br#"{"device_uuid":""#;
const NAME: usize = 36;
/// Room for what stands between name and time, the same for each reading so that it is copied
/// without a loop.
const MIDDLE: usize = 56;
/// Ten digits, brace and comma.
const TIME: usize = 12;
/// Most bytes that one reading can take, or that are written for it.
const ROOM: usize = OPEN.len() + NAME + MIDDLE + TIME;

/// Blanks before a length are allowed: so it can be filled in when it is known.
const HEAD: &[u8] = b"POST /readings HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n\
    Content-Length:           \r\n\r\n[";
/// Where the digits of the length end.
const LENGTH_END: usize = HEAD.len() - 5;

/// A request under construction; it is filled again and again.
pub struct Post {
    bytes: Vec<u8>,
    end: usize,
    readings: usize,
}

impl Post {
    /// For so many readings.
    pub fn new(readings: usize) -> Self {
        let mut bytes = HEAD.to_vec();
        bytes.resize(HEAD.len() + readings * ROOM, 0);
        Self { bytes, end: 0, readings }
    }

    /// How many readings it holds.
    pub const fn count(&self) -> usize {
        self.readings
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.end]
    }
}

/// What writes the readings of a fleet.
pub struct Writer {
    fleet: Fleet,
    /// In the order of the devices' turns.
    names: Vec<[u8; NAME]>,
    /// Readings until the devices change their turns.
    first_round: usize,
    /// For type and value, and how long each is.
    middles: Vec<([u8; MIDDLE], usize)>,
    /// Times that were written lately, each at its remainder.
    times: [(u64, [u8; TIME]); 8],
}

impl Writer {
    pub fn new(shape: Shape) -> Self {
        let numbers = shape.first_device..shape.first_device + u64::from(shape.devices);
        let names = numbers.map(|number| sized(&device_name(number)).0).collect();
        let middle = |kind: &str, value| {
            sized(&format!(r#"","type":"{kind}","value":{value},"date_created":"#))
        };
        let middles = TYPES
            .iter()
            .flat_map(|kind| (0..=100_u8).map(move |value| middle(kind, value)))
            .collect();
        let first_round = (shape.devices * shape.types) as usize;
        let times = [(0, [0; TIME]); 8];
        Self { fleet: Fleet::new(shape), names, first_round, middles, times }
    }

    /// Fills the request with the next readings of the fleet.
    pub fn fill(&mut self, post: &mut Post) {
        let mut end = HEAD.len();
        for _ in 0..post.readings {
            end += self.put(&mut post.bytes[end..]);
        }
        // In the place of the last comma.
        post.bytes[end - 1] = b']';
        post.end = end;
        // Only the first round is in the order in which the server gets to know the devices.
        if self.first_round > 0 {
            self.first_round = self.first_round.saturating_sub(post.readings);
            if self.first_round == 0 {
                Dice::new(1).shuffle(&mut self.names);
            }
        }
        // The bracket that opens is part of the head.
        let length = format!("{:>10}", end - HEAD.len() + 1);
        post.bytes[LENGTH_END - length.len()..LENGTH_END].copy_from_slice(length.as_bytes());
    }

    /// Writes the next reading at the begin, and says how long it is.
    fn put(&mut self, bytes: &mut [u8]) -> usize {
        let Reading { device, kind, value, at } = self.fleet.next_reading();
        let (middle, length) = &self.middles[kind as usize * 101 + usize::from(value)];
        let row = &mut bytes[..ROOM];
        row[..OPEN.len()].copy_from_slice(OPEN);
        row[OPEN.len()..OPEN.len() + NAME].copy_from_slice(&self.names[device as usize]);
        row[OPEN.len() + NAME..ROOM - TIME].copy_from_slice(middle);
        let time = &mut self.times[(at % 8) as usize];
        if time.0 != at {
            *time = (at, sized(&format!("{at}}},")).0);
        }
        let end = OPEN.len() + NAME + length;
        row[end..end + TIME].copy_from_slice(&time.1);
        end + TIME
    }
}

/// The text at the begin of so many bytes, and its length; what is longer is cut.
fn sized<const SIZE: usize>(text: &str) -> ([u8; SIZE], usize) {
    let mut bytes = [0; SIZE];
    // Writing to a slice fails only at its end.
    let _ = bytes.as_mut_slice().write(text.as_bytes());
    (bytes, text.len())
}

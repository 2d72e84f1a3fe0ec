//! Devices that report in turn: which reading comes next.
//!
//! All is made of one seed, so that each run sends the same readings.
//! A reading costs a few nanoseconds: what the generator computes, the server beside it lacks.

use crate::dice::Dice;

/// When most simulations begin, in epoch seconds: the start of an hour.
pub const START_S: u64 = 1_699_999_200;

/// One in so many readings is late.
const LATE: u64 = 1_000;

/// How late, in seconds: from two minutes to four hours.
const LATENESS_S: (u64, u64) = (120, 14_400);

/// Who reports, and how often.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// The number of the first device; devices with the same number have the same name.
    pub first_device: u64,
    pub devices: u32,
    /// In epoch seconds.
    pub start_s: u64,
    /// Types that each device reports: 1 is temperature, 2 humidity as well.
    pub types: u32,
    /// Each series has one reading in so many seconds.
    pub period_s: u64,
    /// Readings that arrive in random order: those of a few seconds.
    pub window: u32,
    pub has_late: bool,
}

impl Shape {
    /// 10 000 devices with two types, each once a second.
    pub const EASY: Self = Self {
        first_device: 0,
        devices: 10_000,
        start_s: START_S,
        types: 2,
        period_s: 1,
        window: 40_000,
        has_late: true,
    };

    /// 200 000 devices with one type, each once a minute.
    pub const HARD: Self = Self {
        first_device: 0,
        devices: 200_000,
        start_s: START_S,
        types: 1,
        period_s: 60,
        window: 10_000,
        has_late: true,
    };

    /// One device that reports its temperature each second, in order.
    pub const fn single(first_device: u64, start_s: u64) -> Self {
        let (devices, types, period_s, window) = (1, 1, 1, 1);
        Self { first_device, devices, start_s, types, period_s, window, has_late: false }
    }
}

/// What one device says once.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// Counted from the first of the fleet.
    pub device: u32,
    /// 0 is temperature, 1 humidity.
    pub kind: u32,
    pub value: u8,
    /// In epoch seconds.
    pub at: u64,
}

/// The devices, and where the simulation stands.
#[derive(Debug)]
pub struct Fleet {
    shape: Shape,
    /// The last value of each series (device times types plus kind), from 0 to 100.
    ///
    /// The series report in this order in each round, but for the shuffling within a window.
    values: Vec<u8>,
    dice: Dice,
    window: Window,
    /// Start of the round in which the window begins, in epoch seconds.
    begin_s: u64,
    /// Turn of the first reading of the window.
    first_turn: u32,
    /// Seconds from one turn to the next, times 2^32.
    pace: u64,
}

impl Fleet {
    pub fn new(shape: Shape) -> Self {
        let mut dice = Dice::new(0xCA11_AB1E);
        let series = shape.devices * shape.types;
        let values = (0..series).map(|_| 20 + dice.below(60) as u8).collect();
        let window = Window::new(shape.window, &mut dice);
        let pace = (shape.period_s << 32) / u64::from(series);
        Self { shape, values, dice, window, begin_s: shape.start_s, first_turn: 0, pace }
    }

    pub fn next_reading(&mut self) -> Reading {
        let series_count = self.values.len() as u32;
        let (mut turn, mut at) = (self.first_turn + self.window.place, self.begin_s);
        while turn >= series_count {
            turn -= series_count;
            at += self.shape.period_s;
        }
        at += (u64::from(turn) * self.pace) >> 32;

        let roll = self.dice.roll();
        let value = &mut self.values[turn as usize];
        match roll % 16 {
            0 => *value = value.saturating_sub(1),
            1 => *value = (*value + 1).min(100),
            _ => {}
        }
        if self.shape.has_late && ((roll >> 32) * LATE) >> 32 == 0 {
            at -= LATENESS_S.0 + self.dice.below(LATENESS_S.1 - LATENESS_S.0);
        }
        let value = *value;
        self.step();
        let Shape { types, .. } = self.shape;
        Reading { device: turn / types, kind: turn % types, value, at }
    }

    fn step(&mut self) {
        if self.window.step() {
            return;
        }
        let series_count = self.values.len() as u32;
        self.first_turn += self.shape.window;
        while self.first_turn >= series_count {
            self.first_turn -= series_count;
            self.begin_s += self.shape.period_s;
        }
        self.window = Window::new(self.shape.window, &mut self.dice);
    }
}

/// Goes through `0..size` once, in strides that wrap around; each window has another stride.
#[derive(Debug)]
struct Window {
    size: u32,
    stride: u32,
    place: u32,
    left: u32,
}

impl Window {
    fn new(size: u32, dice: &mut Dice) -> Self {
        let stride = loop {
            let stride = 1 + dice.below(u64::from(size)) as u32;
            if common_divisor(stride, size) == 1 {
                break stride;
            }
        };
        Self { size, stride, place: dice.below(u64::from(size)) as u32, left: size - 1 }
    }

    /// Goes on; `false` at the end.
    const fn step(&mut self) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        self.place += self.stride;
        if self.place >= self.size {
            self.place -= self.size;
        }
        true
    }
}

const fn common_divisor(mut one: u32, mut other: u32) -> u32 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}

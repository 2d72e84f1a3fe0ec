//! The series of each device by its name.
//!
//! Most names are UUIDs: written as they usually are, they lie in the table as the number they
//! stand for, so that a look-up goes to one place in memory and not to a second one for the text.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use smallvec::SmallVec;

use super::point::SeriesId;
use super::series::SeriesOf;

/// One series of a device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) of: SeriesOf,
    pub(super) id: SeriesId,
}

/// The few series of a device.
pub(super) type Series = SmallVec<[Known; 2]>;

/// The series of all devices.
#[derive(Debug, Default)]
pub(super) struct Devices {
    by_uuid: HashMap<u128, Series, RandomState>,
    by_name: HashMap<Box<str>, Series, RandomState>,
}

impl Devices {
    /// The series of a device; `None` if it was never seen.
    #[inline]
    pub(super) fn get(&self, device: &str) -> Option<&Series> {
        match uuid(device) {
            Some(uuid) => self.by_uuid.get(&uuid),
            None => self.by_name.get(device),
        }
    }

    /// The series of a device, which may have been unknown.
    pub(super) fn of(&mut self, device: &str) -> &mut Series {
        match uuid(device) {
            Some(uuid) => self.by_uuid.entry(uuid).or_default(),
            None => self.by_name.entry(device.into()).or_default(),
        }
    }
}

/// No hexadecimal digit.
const NONE: u8 = 0xff;

/// The value of each hexadecimal digit; only small letters, so that no two texts are one number.
const DIGITS: [u8; 256] = {
    let mut digits = [NONE; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value] as usize] = value as u8;
        value += 1;
    }
    digits
};

/// Where the hyphens are, and the digits between them.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
const GROUPS: [(usize, usize); 5] = [(0, 8), (9, 13), (14, 18), (19, 23), (24, 36)];

/// The number that a UUID stands for, if it is written with hyphens and small letters.
#[inline]
fn uuid(text: &str) -> Option<u128> {
    let bytes: &[u8; 36] = text.as_bytes().try_into().ok()?;
    if HYPHENS.iter().any(|place| bytes[*place] != b'-') {
        return None;
    }
    let (mut number, mut all) = (0_u128, 0);
    for (from, until) in GROUPS {
        let mut group = 0_u64;
        for byte in &bytes[from..until] {
            let digit = DIGITS[usize::from(*byte)];
            all |= digit;
            group = group << 4 | u64::from(digit & 0xf);
        }
        number = number << (4 * (until - from)) | u128::from(group);
    }
    // Only what is no digit has the high bits.
    (all < 16).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_its_number_and_everything_else_is_a_name() {
        let text = "6f1c0a52-5b0e-4c3e-9a44-0d0c4a1a7c11";
        assert_eq!(uuid(text), Some(0x6f1c_0a52_5b0e_4c3e_9a44_0d0c_4a1a_7c11));
        let names = [
            "",
            "d1",
            "6F1C0A52-5B0E-4C3E-9A44-0D0C4A1A7C11",
            "6f1c0a525b0e4c3e9a440d0c4a1a7c11",
            "6f1c0a52-5b0e-4c3e-9a44-0d0c4a1a7c1g",
            "6f1c0a52-5b0e-4c3e-9a44+0d0c4a1a7c11",
            "6f1c0a52-5b0e-4c3e-9a44-0d0c4a1a7c111",
            "ééééééééééééééééé\u{1}\u{1}",
        ];
        let known = Known { of: SeriesOf { kind: 0, version: 0 }, id: 1 };
        let mut devices = Devices::default();
        devices.of(text).push(known);
        for name in names {
            assert_eq!(uuid(name), None, "{name}");
            assert!(devices.get(name).is_none(), "{name}");
            devices.of(name).push(known);
        }
        for name in names.into_iter().chain([text]) {
            assert_eq!(devices.get(name).map(SmallVec::len), Some(1), "{name}");
        }
    }
}

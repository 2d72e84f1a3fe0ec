//! A scanner for readings as devices write them, many times quicker than a parser of any JSON.
//!
//! It takes an object with the known fields, each at most once: strings without escapes, numbers of
//! up to fifteen digits without exponent, blanks where JSON has them. What it takes it takes as
//! serde does, which is a property test; anything else, right or wrong, it leaves to serde.
//! The fields in the documented order without blanks are compared as whole literals first.

use crate::readings::Given;

/// Most digits of a number: as a whole number they are exact in an `f64`.
const MOST_DIGITS: usize = 15;

/// Powers of ten, each exact.
const TENS: [f64; MOST_DIGITS + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// A place in a text.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// The device of all readings; `None` if each names its own.
    device: Option<&'a str>,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(text: &'a str, device: Option<&'a str>) -> Self {
        Self { text, at: 0, device }
    }

    /// Takes one reading; if it is left to serde the place stays.
    #[inline]
    pub(super) fn reading(&mut self) -> Option<Given<'a>> {
        self.compact_reading().or_else(|| {
            let start = self.at;
            let given = self.fields_in_any_order();
            self.back_unless(given.is_some(), start);
            given
        })
    }

    /// Takes one reading that has no blanks, so that it surely lies on one line.
    #[inline]
    pub(super) fn compact_reading(&mut self) -> Option<Given<'a>> {
        let start = self.at;
        let given = self.fields_in_order();
        self.back_unless(given.is_some(), start);
        given
    }

    fn back_unless(&mut self, is_taken: bool, start: usize) {
        if !is_taken {
            self.at = start;
        }
    }

    #[inline]
    fn fields_in_order(&mut self) -> Option<Given<'a>> {
        let device = match self.device {
            Some(device) => {
                self.literal(b"{\"type\":\"")?;
                device
            }
            None => {
                self.literal(b"{\"device_uuid\":\"")?;
                let device = self.rest_of_string()?;
                self.literal(b",\"type\":\"")?;
                device
            }
        };
        let kind = self.rest_of_string()?;
        self.literal(b",\"value\":")?;
        let value = self.number()?;
        let mut given = Given { device, kind, value, date_created: None, version: None };
        if self.literal(b",\"date_created\":").is_some() {
            given.date_created = Some(self.seconds()?);
        }
        if self.literal(b",\"version\":\"").is_some() {
            given.version = Some(self.rest_of_string()?);
        }
        self.literal(b"}")?;
        Some(given)
    }

    fn fields_in_any_order(&mut self) -> Option<Given<'a>> {
        self.literal(b"{")?;
        let (mut device, mut kind, mut value) = (self.device, None, None);
        let (mut date_created, mut version) = (None, None);
        loop {
            self.skip_blanks();
            let name = self.string()?;
            self.skip_blanks();
            self.literal(b":")?;
            self.skip_blanks();
            match name {
                "device_uuid" if device.is_none() => device = Some(self.string()?),
                "type" if kind.is_none() => kind = Some(self.string()?),
                "value" if value.is_none() => value = Some(self.number()?),
                "date_created" if date_created.is_none() => date_created = Some(self.seconds()?),
                "version" if version.is_none() => version = Some(self.string()?),
                _ => return None,
            }
            self.skip_blanks();
            if self.literal(b"}").is_some() {
                break;
            }
            self.literal(b",")?;
        }
        let (device, kind, value) = (device?, kind?, value?);
        Some(Given { device, kind, value, date_created, version })
    }

    /// Passes over an expected text.
    #[inline]
    pub(super) fn literal<const LENGTH: usize>(&mut self, wanted: &[u8; LENGTH]) -> Option<()> {
        (self.bytes().first_chunk() == Some(wanted)).then(|| self.at += LENGTH)
    }

    #[inline]
    pub(super) fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes().first() {
            self.at += 1;
        }
    }

    fn string(&mut self) -> Option<&'a str> {
        self.literal(b"\"")?;
        self.rest_of_string()
    }

    /// A string without escapes whose first quote was taken.
    #[inline]
    fn rest_of_string(&mut self) -> Option<&'a str> {
        let start = self.at;
        let mut end = start;
        let bytes = self.text.as_bytes();
        while let Some(eight) = bytes.get(end..).and_then(|rest| rest.first_chunk()) {
            let marks = ends_of_string(u64::from_le_bytes(*eight));
            if marks != 0 {
                end += (marks.trailing_zeros() / 8) as usize;
                return self.close(start, end);
            }
            end += 8;
        }
        let is_end = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
        end += bytes.get(end..)?.iter().position(is_end)?;
        self.close(start, end)
    }

    #[inline]
    fn close(&mut self, start: usize, end: usize) -> Option<&'a str> {
        if self.text.as_bytes().get(end) != Some(&b'"') {
            return None;
        }
        self.at = end + 1;
        self.text.get(start..end)
    }

    /// A number without exponent; what follows it is looked at by the one who asks.
    #[inline]
    fn number(&mut self) -> Option<f64> {
        let is_negative = self.literal(b"-").is_some();
        let start = self.at;
        let mut digits = self.digits(0);
        let length = self.at - start;
        let is_whole_part = length == 1 || (length > 1 && self.text.as_bytes()[start] != b'0');
        if !is_whole_part || length > MOST_DIGITS {
            return None;
        }
        let mut decimals = 0;
        if self.literal(b".").is_some() {
            let start = self.at;
            digits = self.digits(digits);
            decimals = self.at - start;
            if decimals == 0 || length + decimals > MOST_DIGITS {
                return None;
            }
        }
        // Both are exact, so that one division gives the nearest number there is.
        let number = if decimals == 0 { digits as f64 } else { digits as f64 / TENS[decimals] };
        Some(if is_negative { -number } else { number })
    }

    /// A whole number without sign.
    #[inline]
    fn seconds(&mut self) -> Option<i64> {
        let start = self.at;
        let digits = self.digits(0);
        let length = self.at - start;
        let is_plain = length == 1 || (length > 1 && self.text.as_bytes()[start] != b'0');
        (is_plain && length <= MOST_DIGITS).then_some(digits as i64)
    }

    /// Appends digits to a number; more of them than fit are told by their count.
    #[inline]
    fn digits(&mut self, mut number: u64) -> u64 {
        while let Some(digit @ b'0'..=b'9') = self.bytes().first() {
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        number
    }

    #[inline]
    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// What was not taken yet.
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// What follows the end of this line; nothing if it does not end here.
    #[inline]
    pub(super) fn next_line(&self) -> Option<&'a str> {
        let end = match self.bytes() {
            [] => 0,
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            _ => return None,
        };
        self.text.get(self.at + end..)
    }

    /// Goes on by so many bytes.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }
}

/// Marks, by their highest bits, the first of eight bytes that is a quote, a backslash or a control
/// character; bytes after the first may be marked wrongly.
///
/// See "Determine if a word has a zero byte" in [Bit Twiddling Hacks].
///
/// [Bit Twiddling Hacks]: https://graphics.stanford.edu/~seander/bithacks.html
#[inline]
const fn ends_of_string(eight: u64) -> u64 {
    const EACH: u64 = u64::from_le_bytes([1; 8]);
    const HIGHEST: u64 = EACH << 7;
    let quote = eight ^ (EACH * b'"' as u64);
    let backslash = eight ^ (EACH * b'\\' as u64);
    let is_quote = quote.wrapping_sub(EACH) & !quote;
    let is_backslash = backslash.wrapping_sub(EACH) & !backslash;
    let is_control = eight.wrapping_sub(EACH * 0x20) & !eight;
    (is_quote | is_backslash | is_control) & HIGHEST
}

#[cfg(test)]
mod tests;

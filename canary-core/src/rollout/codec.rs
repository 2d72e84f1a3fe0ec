//! The byte form of a rollout: tag, version, and the numbers of it.
//!
//! Layout of version 1, all numbers LEB128, signed ones zigzag:
//!
//! ```text
//! 'R' 1
//! bands n
//! start of band 1 in µs (signed), n further moments as distances from the one before (the last is the end)
//! pause: 0, or 1 and its moment (signed)
//! announced band, flags (1 held, 2 canary seen, 4 stable seen)
//! max ln E, 8 bytes, IEEE 754, little end first
//! per band: canary success, failed, neutral; stable success, failed, neutral
//! ```
//!
//! Every released version stays readable, and no bytes make the decoder panic.

use super::{BandCounts, Counts, Rollout};
use crate::band::Schedule;
use crate::release::BandCount;
use crate::time::Timestamp;

const TAG: u8 = b'R';
const VERSION: u8 = 1;

/// Why bytes are not a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// They do not begin as a rollout does.
    #[error("the bytes are not those of a rollout")]
    NotARollout,
    /// They were written by a newer program.
    #[error("the bytes have version {0}, this program reads version {VERSION}")]
    UnknownVersion(u8),
    /// They end too early, go on too long, or hold numbers that cannot be.
    #[error("the bytes of a rollout are damaged")]
    Damaged,
}

impl Rollout {
    /// Writes the byte form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(48 + 8 * self.bands.len());
        bytes.extend([TAG, VERSION]);
        put(&mut bytes, self.bands.len() as u64);

        let moments = self.schedule.starts().iter().copied().chain([self.schedule.ends_at()]);
        let mut before = None;
        for moment in moments.map(Timestamp::as_micros) {
            match before {
                None => put(&mut bytes, zigzag(moment)),
                Some(before) => put(&mut bytes, moment.wrapping_sub(before) as u64),
            }
            before = Some(moment);
        }
        match self.schedule.paused_at() {
            None => put(&mut bytes, 0),
            Some(moment) => {
                put(&mut bytes, 1);
                put(&mut bytes, zigzag(moment.as_micros()));
            }
        }
        put(&mut bytes, u64::from(self.announced_band));
        let flags = u64::from(self.is_held)
            | u64::from(self.canary_was_seen) << 1
            | u64::from(self.stable_was_seen) << 2;
        put(&mut bytes, flags);
        bytes.extend(self.max_log_e.to_le_bytes());
        for BandCounts { canary, stable } in &self.bands {
            for Counts { success, failed, neutral } in [canary, stable] {
                put(&mut bytes, *success);
                put(&mut bytes, *failed);
                put(&mut bytes, *neutral);
            }
        }
        bytes
    }

    /// Reads the byte form.
    ///
    /// # Errors
    ///
    /// [`CodecError`] if the bytes are not those of a rollout that this program knows.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut reader = match bytes {
            [TAG, VERSION, rest @ ..] => Reader(rest),
            [TAG, version, ..] => return Err(CodecError::UnknownVersion(*version)),
            _ => return Err(CodecError::NotARollout),
        };
        reader.rollout().filter(|_| reader.0.is_empty()).ok_or(CodecError::Damaged)
    }
}

/// What is still to be read.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            let low = u64::from(byte & 0x7F);
            if low << shift >> shift != low {
                return None;
            }
            number |= low << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn moment(&mut self) -> Option<Timestamp> {
        let number = self.number()?;
        Some(Timestamp::from_micros((number >> 1) as i64 ^ -((number & 1) as i64)))
    }

    fn counts(&mut self) -> Option<Counts> {
        Some(Counts { success: self.number()?, failed: self.number()?, neutral: self.number()? })
    }

    fn schedule(&mut self) -> Option<Schedule> {
        let count = usize::try_from(self.number()?).ok()?;
        if count == 0 || count > usize::from(BandCount::MAXIMUM) {
            return None;
        }
        let mut moment = self.moment()?;
        let mut starts = vec![moment];
        for _ in 0..count {
            let distance = i64::try_from(self.number()?).ok()?;
            moment = Timestamp::from_micros(moment.as_micros().checked_add(distance)?);
            starts.push(moment);
        }
        let ends_at = starts.pop()?;
        let paused_at = match self.number()? {
            0 => None,
            1 => Some(self.moment()?),
            _ => return None,
        };
        Schedule::from_parts(starts, ends_at, paused_at)
    }

    fn rollout(&mut self) -> Option<Rollout> {
        let schedule = self.schedule()?;
        let announced_band = u16::try_from(self.number()?).ok()?;
        let flags = self.number().filter(|flags| *flags < 8)?;
        let (float, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        let max_log_e = f64::from_le_bytes(*float);
        if max_log_e.is_nan() {
            return None;
        }
        let mut bands = Vec::with_capacity(usize::from(schedule.count()));
        for _ in 0..schedule.count() {
            bands.push(BandCounts { canary: self.counts()?, stable: self.counts()? });
        }
        Some(Rollout {
            schedule,
            bands,
            announced_band,
            is_held: flags & 1 != 0,
            canary_was_seen: flags & 2 != 0,
            stable_was_seen: flags & 4 != 0,
            max_log_e,
        })
    }
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::release::CanaryPeriod;

    prop_compose! {
        fn counts()(success: u64, failed in 0..u64::from(u32::MAX), neutral in 0_u64..300) -> Counts {
            Counts { success, failed, neutral }
        }
    }

    prop_compose! {
        fn rollouts()(
            bands in vec((counts(), counts()), 1..=100),
            release_date in -4_000_000_000_000_000_i64..4_000_000_000_000_000,
            days in 0.000_001_f64..3650.0,
            paused_at in proptest::option::of(any::<i64>()),
            announced_band: u16,
            flags in proptest::array::uniform3(any::<bool>()),
            max_log_e in 0.0_f64..1e6,
        ) -> Rollout {
            let count = BandCount::parse(bands.len() as i64).unwrap();
            let period = CanaryPeriod::parse(days).unwrap();
            let mut schedule = Schedule::new(Timestamp::from_micros(release_date), period, count);
            if let Some(moment) = paused_at {
                schedule.pause(Timestamp::from_micros(moment));
            }
            let bands = bands.into_iter().map(|(canary, stable)| BandCounts { canary, stable });
            Rollout {
                schedule,
                bands: bands.collect(),
                announced_band,
                is_held: flags[0],
                canary_was_seen: flags[1],
                stable_was_seen: flags[2],
                max_log_e,
            }
        }
    }

    proptest! {
        #[test]
        fn decoding_gives_back_what_was_encoded(rollout in rollouts()) {
            let bytes = rollout.encode();
            prop_assert_eq!(Rollout::decode(&bytes), Ok(rollout));
            prop_assert_eq!(Rollout::decode(&bytes[..bytes.len() - 1]), Err(CodecError::Damaged));
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(mut bytes in vec(any::<u8>(), 0..256)) {
            let _ = Rollout::decode(&bytes);
            bytes.splice(0..0, [TAG, VERSION]);
            let _ = Rollout::decode(&bytes);
        }
    }

    /// Bytes as the first released version wrote them: they must stay readable for ever.
    #[test]
    fn the_bytes_of_version_1_stay_readable() {
        let mut schedule = Schedule::new(
            Timestamp::from_seconds(10),
            CanaryPeriod::DEFAULT,
            BandCount::parse(2).unwrap(),
        );
        schedule.pause(Timestamp::from_seconds(11));
        let counts = |success| Counts { success, failed: 1, neutral: 0 };
        let rollout = Rollout {
            schedule,
            bands: vec![BandCounts { canary: counts(20), stable: counts(300) }; 2],
            announced_band: 1,
            is_held: false,
            canary_was_seen: true,
            stable_was_seen: true,
            max_log_e: 0.5,
        };
        let committed: &[u8] = &[
            82, 1, 2, 128, 218, 196, 9, 128, 192, 221, 238, 193, 2, 128, 192, 221, 238, 193, 2, 1,
            128, 227, 190, 10, 1, 6, 0, 0, 0, 0, 0, 0, 224, 63, 20, 1, 0, 172, 2, 1, 0, 20, 1, 0,
            172, 2, 1, 0,
        ];
        assert_eq!(rollout.encode(), committed);
        assert_eq!(Rollout::decode(committed), Ok(rollout));
        assert_eq!(Rollout::decode(b"R\x02"), Err(CodecError::UnknownVersion(2)));
        assert_eq!(Rollout::decode(b"no"), Err(CodecError::NotARollout));
    }
}

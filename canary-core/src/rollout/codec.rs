//! The byte form of a rollout: tag, version, and the numbers of it.
//!
//! Layout of version 2, all numbers LEB128, signed ones zigzag:
//!
//! ```text
//! 'R' 2
//! bands n
//! start of band 1 in µs (signed), n further moments as distances from the one before (the last is the end)
//! pause: 0, or 1 and its moment (signed)
//! announced band, flags (1 held, 2 canary seen, 4 stable seen, 8 with a stable version)
//! identifier of the stable version, 16 bytes, if there is one
//! unreported answers: canary, stable
//! per band: canary success, failed, neutral; stable success, failed, neutral
//! the form of the rules, to the end
//! ```
//!
//! Version 1 had the highest `ln E` of the floor after its flags, no stable version and no rules.
//! Every released version stays readable, and no bytes make the decoder panic.

use super::counts::Bands;
use super::{BandCounts, Counts, Rollout, Unreported};
use crate::band::Schedule;
use crate::judge::rules::{Before, Rules};
use crate::release::{BandCount, Release, ReleaseId};
use crate::stats::varint::{Reader, put, put_signed};
use crate::time::Timestamp;

const TAG: u8 = b'R';
const VERSION: u8 = 2;

/// Why bytes are not a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// They do not begin as a rollout does.
    #[error("the bytes are not those of a rollout")]
    NotARollout,
    /// They were written by a newer program.
    #[error("the bytes have version {0}, this program reads versions up to {VERSION}")]
    UnknownVersion(u8),
    /// They end too early, go on too long, or hold numbers that cannot be.
    #[error("the bytes of a rollout are damaged")]
    Damaged,
}

impl Rollout {
    /// Writes the byte form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256 + 8 * self.bands.each().len());
        bytes.extend([TAG, VERSION]);
        put_schedule(&mut bytes, &self.schedule);
        put(&mut bytes, u64::from(self.announced_band));
        let flags = u64::from(self.is_held)
            | u64::from(self.canary_was_seen) << 1
            | u64::from(self.stable_was_seen) << 2
            | u64::from(self.stable.is_some()) << 3;
        put(&mut bytes, flags);
        if let Some(stable) = &self.stable {
            bytes.extend(stable.as_bytes());
        }
        put(&mut bytes, self.unreported.canary);
        put(&mut bytes, self.unreported.stable);
        for BandCounts { canary, stable } in self.bands.each() {
            for Counts { success, failed, neutral } in [canary, stable] {
                put(&mut bytes, *success);
                put(&mut bytes, *failed);
                put(&mut bytes, *neutral);
            }
        }
        bytes.extend(self.rules.encode());
        bytes
    }

    /// Reads the byte form of the rollout of a release.
    ///
    /// # Errors
    ///
    /// [`CodecError`] if the bytes are not those of a rollout that this program knows.
    pub fn decode(bytes: &[u8], release: &Release) -> Result<Self, CodecError> {
        let decoded = match bytes {
            [TAG, 1, rest @ ..] => first_version(&mut Reader(rest), release),
            [TAG, VERSION, rest @ ..] => second_version(&mut Reader(rest), release),
            [TAG, version, ..] => return Err(CodecError::UnknownVersion(*version)),
            _ => return Err(CodecError::NotARollout),
        };
        decoded.ok_or(CodecError::Damaged)
    }
}

fn put_schedule(bytes: &mut Vec<u8>, schedule: &Schedule) {
    put(bytes, schedule.starts().len() as u64);
    let moments = schedule.starts().iter().copied().chain([schedule.ends_at()]);
    let mut before = None;
    for moment in moments.map(Timestamp::as_micros) {
        match before {
            None => put_signed(bytes, moment),
            Some(before) => put(bytes, moment.wrapping_sub(before) as u64),
        }
        before = Some(moment);
    }
    match schedule.paused_at() {
        None => put(bytes, 0),
        Some(moment) => {
            put(bytes, 1);
            put_signed(bytes, moment.as_micros());
        }
    }
}

fn second_version(reader: &mut Reader<'_>, release: &Release) -> Option<Rollout> {
    let (mut rollout, flags) = beginning(reader, release)?;
    if flags & 8 != 0 {
        let id: [u8; 16] = reader.bytes(16)?.try_into().ok()?;
        rollout.stable = Some(ReleaseId::from_bytes(id));
    }
    rollout.unreported = Unreported { canary: reader.number()?, stable: reader.number()? };
    rollout.bands = bands(reader, rollout.schedule.count())?;
    rollout.rules = Rules::decode(reader.0, release).ok()?;
    Some(rollout)
}

fn first_version(reader: &mut Reader<'_>, release: &Release) -> Option<Rollout> {
    let (mut rollout, flags) = beginning(reader, release)?;
    if flags & 8 != 0 {
        return None;
    }
    rollout.rules.resume_floor(reader.float().filter(|log| !log.is_nan())?);
    rollout.bands = bands(reader, rollout.schedule.count())?;
    reader.0.is_empty().then_some(rollout)
}

/// What all versions begin with, and the flags; the rest is as in a new rollout.
fn beginning(reader: &mut Reader<'_>, release: &Release) -> Option<(Rollout, u64)> {
    let schedule = schedule(reader)?.holding_back(release.policy.holdback);
    let announced_band = u16::try_from(reader.number()?).ok()?;
    let flags = reader.number().filter(|flags| *flags < 16)?;
    let rollout = Rollout {
        schedule,
        bands: Bands::of(Vec::new()),
        announced_band,
        is_held: flags & 1 != 0,
        canary_was_seen: flags & 2 != 0,
        stable_was_seen: flags & 4 != 0,
        stable: None,
        unreported: Unreported::default(),
        rules: Rules::new(release, &Before::default()),
    };
    Some((rollout, flags))
}

fn bands(reader: &mut Reader<'_>, count: u16) -> Option<Bands> {
    let band = |_| Some(BandCounts { canary: counts(reader)?, stable: counts(reader)? });
    (0..count).map(band).collect::<Option<_>>().map(Bands::of)
}

fn counts(reader: &mut Reader<'_>) -> Option<Counts> {
    let (success, failed, neutral) = (reader.number()?, reader.number()?, reader.number()?);
    Some(Counts { success, failed, neutral })
}

fn moment(reader: &mut Reader<'_>) -> Option<Timestamp> {
    reader.signed().map(Timestamp::from_micros)
}

fn schedule(reader: &mut Reader<'_>) -> Option<Schedule> {
    let count = usize::try_from(reader.number()?).ok()?;
    if count == 0 || count > usize::from(BandCount::MAXIMUM) {
        return None;
    }
    let mut at = moment(reader)?;
    let mut starts = vec![at];
    for _ in 0..count {
        let distance = i64::try_from(reader.number()?).ok()?;
        at = Timestamp::from_micros(at.as_micros().checked_add(distance)?);
        starts.push(at);
    }
    let ends_at = starts.pop()?;
    let paused_at = match reader.number()? {
        0 => None,
        1 => Some(moment(reader)?),
        _ => return None,
    };
    Schedule::from_parts(starts, ends_at, paused_at)
}

#[cfg(test)]
mod tests;

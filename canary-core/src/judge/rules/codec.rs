//! The byte form of the rules of one canary.
//!
//! What follows from the release is not written. Layout of version 1; numbers are LEB128, a form is
//! its length and its bytes:
//!
//! ```text
//! 'J' 1
//! highest ln E of the floor (float)
//! form of the blocks
//! 0, or 1 and the form of what speaks for the canary
//! measurements n: name (length, UTF-8), form
//! types of readings n: name, form, open block as a form of blocks
//! ```
//!
//! Every released version stays readable, and no bytes make the reader panic.

use super::{Before, ByThreshold, Rules, Stream};
use crate::judge::blocks::Blocks;
use crate::judge::codec::{CodecError, put_float, read_form};
use crate::judge::measurement::watched::Watched;
use crate::judge::promotion::Promotion;
use crate::reading::TypeName;
use crate::release::Release;
use crate::signal::MeasurementName;
use crate::stats::varint::{Reader, put};

const TAG: u8 = b'J';
const VERSION: u8 = 1;

impl Rules {
    /// Writes the byte form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![TAG, VERSION];
        put_float(
            &mut bytes,
            match &self.by_threshold {
                ByThreshold::Floor(floor, _) => floor.max_log_e(),
                ByThreshold::Ratio { .. } => 0.0,
            },
        );
        put_form(&mut bytes, &self.blocks.encode());
        match &self.promotion {
            None => put(&mut bytes, 0),
            Some(promotion) => {
                put(&mut bytes, 1);
                put_form(&mut bytes, &promotion.encode());
            }
        }
        put(&mut bytes, self.measurements.len() as u64);
        for (name, watched) in &self.measurements {
            put_form(&mut bytes, name.as_str().as_bytes());
            put_form(&mut bytes, &watched.encode());
        }
        put(&mut bytes, self.readings.len() as u64);
        for (name, Stream { open, watched }) in &self.readings {
            put_form(&mut bytes, name.as_str().as_bytes());
            put_form(&mut bytes, &watched.encode());
            put_form(&mut bytes, &Blocks::of_open(open.clone()).encode());
        }
        bytes
    }

    /// Reads the byte form of the rules of a release.
    ///
    /// # Errors
    ///
    /// [`CodecError`] if the bytes are not, from the first to the last, those of rules.
    pub fn decode(bytes: &[u8], release: &Release) -> Result<Self, CodecError> {
        read_form(bytes, TAG, VERSION, |reader| {
            let mut rules = Self::new(release, &Before::default());
            rules.resume_floor(reader.float().filter(|log| *log >= 0.0)?);
            rules.blocks = Blocks::decode(form(reader)?).ok()?;
            rules.promotion = match reader.number()? {
                0 => None,
                1 => Some(Promotion::decode(form(reader)?).ok()?),
                _ => return None,
            };
            rules.measurements = (0..reader.number()?)
                .map(|_| {
                    let name = MeasurementName::parse(text(reader)?).ok()?;
                    Some((name, Watched::decode(form(reader)?).ok()?))
                })
                .collect::<Option<_>>()?;
            rules.readings = (0..reader.number()?)
                .map(|_| {
                    let name = TypeName::parse(text(reader)?).ok()?;
                    let watched = Watched::decode(form(reader)?).ok()?;
                    let open = Blocks::decode(form(reader)?).ok()?.into_open();
                    Some((name, Stream { open, watched }))
                })
                .collect::<Option<_>>()?;
            Some(rules)
        })
    }

    /// Goes on where the highest evidence of the floor was this.
    pub(crate) fn resume_floor(&mut self, max_log_e: f64) {
        if let ByThreshold::Floor(floor, _) = &mut self.by_threshold {
            *floor = floor.clone().resumed(max_log_e);
        }
    }
}

fn put_form(bytes: &mut Vec<u8>, form: &[u8]) {
    put(bytes, form.len() as u64);
    bytes.extend(form);
}

fn form<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let length = usize::try_from(reader.number()?).ok()?;
    reader.bytes(length)
}

fn text(reader: &mut Reader<'_>) -> Option<String> {
    Some(std::str::from_utf8(form(reader)?).ok()?.to_owned())
}

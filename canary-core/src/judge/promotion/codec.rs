//! The byte form of what speaks for a canary.
//!
//! Layout of version 1, as in [`blocks`](crate::judge::blocks::codec):
//!
//! ```text
//! 'P' 1
//! rho (float), acceptable failure rate (float, 0 for none), highest ln E (float)
//! the sum of each odds ratio in steps of 2^-48 (signed, up to 128 bits)
//! ```
//!
//! Less than 70 bytes as a rule. Every released version stays readable, and no bytes make the
//! reader panic.

use super::{Promotion, Service};
use crate::judge::blocks::sums::Sums;
use crate::judge::codec::{CodecError, put_float, put_steps, read_form, steps};

const TAG: u8 = b'P';
const VERSION: u8 = 1;

impl Promotion {
    /// Writes the byte form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![TAG, VERSION];
        put_float(&mut bytes, self.rho);
        put_float(&mut bytes, self.service.as_ref().map_or(0.0, Service::acceptable));
        put_float(&mut bytes, self.max_log_e);
        put_steps(&mut bytes, &self.relative.steps);
        bytes
    }

    /// Reads the byte form.
    ///
    /// # Errors
    ///
    /// [`CodecError`] if the bytes are not, from the first to the last, those of this rule as this
    /// program knows it.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        read_form(bytes, TAG, VERSION, |reader| {
            let rho = reader.float()?;
            let acceptable = Some(reader.float()?).filter(|rate| *rate != 0.0);
            let mut promotion = Self::new(rho, acceptable).ok()?;
            promotion.max_log_e = reader.float().filter(|log| *log >= 0.0)?;
            promotion.relative = Sums { steps: steps(reader)? };
            Some(promotion)
        })
    }
}

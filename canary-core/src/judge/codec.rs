//! What the byte forms of the judges share.

use crate::stats::varint::{Reader, put_wide};

/// Why bytes are not the state of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// They do not begin as that rule's do.
    #[error("the bytes are not those of this rule")]
    OtherRule,
    /// They were written by a newer program.
    #[error("the bytes have version {0}, this program reads version {known}", known = 1)]
    UnknownVersion(u8),
    /// They end too early, go on too long, or hold numbers that cannot be.
    #[error("the bytes of a rule are damaged")]
    Damaged,
}

/// Reads a form that begins with a tag and a version, and has nothing after its end.
pub(super) fn read_form<T>(
    bytes: &[u8],
    tag: u8,
    version: u8,
    read: impl FnOnce(&mut Reader<'_>) -> Option<T>,
) -> Result<T, CodecError> {
    let mut reader = Reader(bytes);
    if reader.byte() != Some(tag) {
        return Err(CodecError::OtherRule);
    }
    match reader.byte() {
        None => return Err(CodecError::Damaged),
        Some(other) if other != version => return Err(CodecError::UnknownVersion(other)),
        Some(_) => {}
    }
    read(&mut reader).filter(|_| reader.0.is_empty()).ok_or(CodecError::Damaged)
}

pub(super) fn put_float(bytes: &mut Vec<u8>, float: f64) {
    bytes.extend(float.to_le_bytes());
}

pub(super) fn put_steps(bytes: &mut Vec<u8>, steps: &[i128]) {
    for number in steps {
        put_wide(bytes, *number);
    }
}

pub(super) fn steps<const N: usize>(reader: &mut Reader<'_>) -> Option<[i128; N]> {
    let mut steps = [0; N];
    for number in &mut steps {
        *number = reader.wide()?;
    }
    Some(steps)
}

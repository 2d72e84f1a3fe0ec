//! A key as its holder has it: shown once, stored as a hash, and never in a log.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// How every key begins, so that people and scanners of secrets know one when they see it.
const START: &str = "canary_";

/// Characters of the part by which a key is found.
const PREFIX: usize = 8;

/// Characters of the part that nobody else knows: of 62 letters and digits each, as many
/// possibilities as 32 random bytes have.
const REST: usize = 43;

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// SHA-256 of a key.
pub(crate) type Hash = [u8; 32];

/// A key, `canary_<8 characters>_<43 characters>`. It shows itself to nobody who does not ask with
/// [`Secret::reveal`].
pub struct Secret(String);

impl Secret {
    /// Makes a key that was never made before.
    pub(crate) fn generate() -> Result<Self, getrandom::Error> {
        let mut text = String::with_capacity(START.len() + PREFIX + 1 + REST);
        text.push_str(START);
        push_letters(&mut text, PREFIX)?;
        text.push('_');
        push_letters(&mut text, REST)?;
        Ok(Self(text))
    }

    /// The key itself: for its holder, and nobody else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The part by which it is found; no secret.
    #[must_use]
    pub fn prefix(&self) -> &str {
        prefix_of(&self.0)
    }

    /// What is stored of it.
    pub(crate) fn hash(&self) -> Hash {
        hash_of(&self.0)
    }
}

/// Shows that there is one, not which.
impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(***)")
    }
}

/// The part by which a key is found; empty if it is none.
pub(crate) fn prefix_of(key: &str) -> &str {
    key.get(START.len()..START.len() + PREFIX).unwrap_or_default()
}

/// SHA-256 of the whole. The key is as random as its hash: there is nothing to guess, so nothing
/// to slow guessing down.
pub(crate) fn hash_of(key: &str) -> Hash {
    Sha256::digest(key.as_bytes()).into()
}

fn push_letters(text: &mut String, count: usize) -> Result<(), getrandom::Error> {
    let (end, mut bytes) = (text.len() + count, [0; 64]);
    // Bytes from here on would make some letters likelier than others.
    let limit = u8::MAX - u8::MAX % LETTERS.len() as u8;
    while text.len() < end {
        getrandom::fill(&mut bytes)?;
        let fair = bytes.iter().filter(|byte| **byte < limit);
        let letters = fair.map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]));
        text.extend(letters.take(end - text.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn keys_have_their_shape_and_differ() {
        let keys: Vec<Secret> = (0..1_000).map(|_| Secret::generate().unwrap()).collect();
        for key in &keys {
            let parts: Vec<&str> = key.reveal().split('_').collect();
            let [start, prefix, rest] = parts[..] else { panic!("three parts") };
            assert_eq!((start, prefix.len(), rest.len()), ("canary", 8, 43));
            assert!([prefix, rest].concat().bytes().all(|byte| byte.is_ascii_alphanumeric()));
            assert_eq!(key.prefix(), prefix);
        }
        let distinct: HashSet<&str> = keys.iter().map(|key| &key.reveal()[16..]).collect();
        assert_eq!(distinct.len(), keys.len());
    }

    #[test]
    fn every_letter_comes_as_often_as_any_other() {
        let mut text = String::new();
        push_letters(&mut text, 62_000).unwrap();
        let mut counts = [0_u32; 128];
        text.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
        for letter in LETTERS {
            let count = counts[usize::from(*letter)];
            // A thousand each, give or take ten standard deviations.
            assert!((680..=1_320).contains(&count), "{} came {count} times", char::from(*letter));
        }
    }

    #[test]
    fn a_key_is_never_shown_by_accident() {
        let key = Secret::generate().unwrap();
        let shown = format!("{key:?} {:#?}", Some(&key));
        assert!(!shown.contains(key.reveal()) && !shown.contains(&key.reveal()[16..]), "{shown}");
    }

    #[test]
    fn what_is_no_key_has_no_prefix() {
        for text in ["", "canary_", "canary_abc", "ééééééééééé"] {
            assert_eq!(prefix_of(text), "", "{text}");
        }
    }

    #[test]
    fn the_hash_is_that_of_the_standard() {
        // FIPS 180-2, appendix B.1.
        let wanted = [0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea];
        assert_eq!(hash_of("abc")[..8], wanted);
    }
}

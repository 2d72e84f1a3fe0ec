//! Versions: kept to the letter, compared as SemVer where they are.
//!
//! Precedence is that of [SemVer 2.0](https://semver.org/#spec-item-11).
//! What teams write is read leniently: a leading `v`, missing minor or patch numbers and leading
//! zeros are forgiven, so that `v1.2` is 1.2.0 and `3.10-bullseye` is 3.10.0-bullseye.

use std::cmp::Ordering;
use std::fmt;

use crate::value::{Charset, ValueError, check_text};

/// One version of a product, 1 to 128 visible characters, unique within the product.
///
/// Two versions are equal when their texts are; `1.0` and `1.0.0` are two versions that compare
/// as the same SemVer.
///
/// # Examples
///
/// ```
/// use canary_core::version::Version;
///
/// let version = Version::parse("3.10-bullseye")?;
/// assert_eq!(version.as_str(), "3.10-bullseye");
/// assert!(version.is_newer_than(&Version::parse("v3.9")?) == Some(true));
/// assert_eq!(version.is_newer_than(&Version::parse("nightly")?), None);
/// # Ok::<(), canary_core::value::ValueError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Version {
    text: Box<str>,
    semver: Option<Box<semver::Version>>,
}

impl Version {
    /// Most characters that are accepted.
    pub const LIMIT: usize = 128;

    /// Checks a text and reads it as SemVer where that is possible.
    ///
    /// # Errors
    ///
    /// [`ValueError`] if it is empty, too long, or has an invisible character.
    pub fn parse(text: impl Into<Box<str>>) -> Result<Self, ValueError> {
        let text = text.into();
        check_text("semver_version", &text, Self::LIMIT, Charset::Visible)?;
        let semver = lenient(&text).map(Box::new);
        Ok(Self { text, semver })
    }

    /// The text, to the letter.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this version has a higher precedence than `other`.
    ///
    /// `None` if one of the two is not SemVer: then the time of registration decides, which a
    /// version does not know.
    #[must_use]
    pub fn is_newer_than(&self, other: &Self) -> Option<bool> {
        let (mine, theirs) = (self.semver.as_ref()?, other.semver.as_ref()?);
        Some(mine.cmp_precedence(theirs) == Ordering::Greater)
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Version {}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// Completes a version to three plain numbers and reads it as SemVer.
fn lenient(text: &str) -> Option<semver::Version> {
    if let Ok(version) = semver::Version::parse(text) {
        return Some(version);
    }
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);

    let mut parts = Vec::with_capacity(3);
    for part in numbers.split('.') {
        // `u64` forgives leading zeros; signs it must not forgive.
        parts.push(part.parse::<u64>().ok().filter(|_| !part.starts_with('+'))?);
    }
    if parts.len() > 3 {
        return None;
    }
    parts.resize(3, 0);
    let core: Vec<String> = parts.iter().map(u64::to_string).collect();
    semver::Version::parse(&format!("{}{rest}", core.join("."))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn versions_compare_as_semver_also_leniently() {
        let cases = [
            ("1.10.0", "1.9.0", Some(true)),
            ("1.9.0", "1.10.0", Some(false)),
            ("1.0.0", "1.0.0-rc.1", Some(true)),
            ("3.10-bullseye", "3.9-bullseye", Some(true)),
            ("3.10-bullseye", "3.10.0", Some(false)),
            ("v2", "1.99.99", Some(true)),
            ("2024.01.05", "2023.12.31", Some(true)),
            ("1.0.0", "1.0", Some(false)),
            ("1.0.0+build.2", "1.0.0+build.1", Some(false)),
            ("nightly", "1.0.0", None),
            ("1.0.0", "a1b2c3d", None),
            ("1.2.3.4", "1.2.3", None),
        ];
        for (left, right, want) in cases {
            assert_eq!(version(left).is_newer_than(&version(right)), want, "{left} > {right}");
        }
    }

    #[test]
    fn versions_are_kept_to_the_letter() {
        for text in ["v1", "3.10-bullseye", "Ünïcode", &"9".repeat(128)] {
            assert_eq!(version(text).as_str(), text);
        }
        for text in ["", " ", "1 0", "1\t0", &"9".repeat(129)] {
            assert!(Version::parse(text).is_err(), "{text:?}");
        }
    }
}

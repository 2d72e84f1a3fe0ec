//! What every checked value shares: one error, and the checks themselves.
//!
//! A noun of the domain is a newtype with one checking constructor.
//! Inside the core nobody checks again; at the border the error says which value was refused and
//! which limit it broke, in words that can end a longer sentence.

use std::fmt;

/// Why a value is not one of the domain.
///
/// The text is lower case, without a full stop, and names the offending value and the limit.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ValueError {
    /// Nothing was given where at least one character is needed.
    #[error("{what} is empty, it needs 1 to {limit} characters")]
    Empty {
        /// The noun, for example `semver_version`.
        what: &'static str,
        /// Most characters allowed.
        limit: usize,
    },
    /// More characters than are kept.
    #[error("{what} has {length} characters, at most {limit} are accepted")]
    TooLong {
        /// The noun.
        what: &'static str,
        /// Characters given.
        length: usize,
        /// Most characters allowed.
        limit: usize,
    },
    /// A character that nobody could see, or tell from another.
    #[error(
        "{what} `{value}` has an invisible character at position {position}, only visible ones are accepted"
    )]
    Invisible {
        /// The noun.
        what: &'static str,
        /// The value, escaped.
        value: String,
        /// Position of the character, counted from 1.
        position: usize,
    },
    /// A number outside its range.
    #[error("{what} is {value}, it must be from {minimum} to {maximum}{unit}")]
    OutOfRange {
        /// The noun.
        what: &'static str,
        /// The number given.
        value: f64,
        /// Smallest accepted.
        minimum: f64,
        /// Largest accepted.
        maximum: f64,
        /// Unit with a leading blank, or nothing.
        unit: &'static str,
    },
    /// NaN or an infinity; a statistic fed with it could never recover.
    #[error("{what} must be a finite number, got {value}")]
    NotFinite {
        /// The noun.
        what: String,
        /// The number given.
        value: f64,
    },
    /// A fraction where only whole numbers are taken.
    #[error("{what} is {value}, type `{name}` takes whole numbers")]
    NotWhole {
        /// The noun.
        what: &'static str,
        /// The number given.
        value: f64,
        /// The type of readings.
        name: String,
    },
    /// None of the accepted words.
    #[error("{what} `{value}` is unknown, accepted are {accepted}")]
    Unknown {
        /// The noun.
        what: &'static str,
        /// The word given.
        value: String,
        /// The accepted words, for a person.
        accepted: &'static str,
    },
    /// Not the text of a UUID.
    #[error("{what} `{value}` is not a UUID")]
    NotUuid {
        /// The noun.
        what: &'static str,
        /// The text given, cut to its first 64 characters.
        value: String,
    },
    /// More entries than are kept.
    #[error("{what} has {count} entries, at most {limit} are accepted")]
    TooMany {
        /// The noun.
        what: &'static str,
        /// Entries given.
        count: usize,
        /// Most entries allowed.
        limit: usize,
    },
}

/// Which characters a text may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    /// No blanks and no control characters: identifiers that are part of a URL or compared by eye.
    Visible,
    /// Blanks inside are fine: names and titles of one line.
    OneLine,
    /// Lines too: descriptions, error texts.
    Lines,
}

/// Characters that show nothing and are not blanks: two names that differ in them look the same.
fn is_unseen(character: char) -> bool {
    matches!(character, '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}')
}

impl Charset {
    fn accepts(self, character: char) -> bool {
        match self {
            Self::Visible => {
                !character.is_control() && !character.is_whitespace() && !is_unseen(character)
            }
            Self::OneLine => !character.is_control() && !is_unseen(character),
            Self::Lines => !character.is_control() || matches!(character, '\n' | '\r' | '\t'),
        }
    }
}

/// Checks a text that needs 1 to `limit` characters of `charset`.
pub(crate) fn check_text(
    what: &'static str,
    value: &str,
    limit: usize,
    charset: Charset,
) -> Result<(), ValueError> {
    if value.trim().is_empty() {
        return Err(ValueError::Empty { what, limit });
    }
    check_optional_text(what, value, limit, charset)
}

/// Checks a text that may be empty.
pub(crate) fn check_optional_text(
    what: &'static str,
    value: &str,
    limit: usize,
    charset: Charset,
) -> Result<(), ValueError> {
    // Counting bytes first spares the walk for nearly every value.
    if value.len() > limit {
        let length = value.chars().count();
        if length > limit {
            return Err(ValueError::TooLong { what, length, limit });
        }
    }
    if let Some(position) = value.chars().position(|character| !charset.accepts(character)) {
        let value = value.escape_debug().take(64).collect();
        return Err(ValueError::Invisible { what, value, position: position + 1 });
    }
    Ok(())
}

/// Checks that a number is finite and within its range, both ends included.
pub(crate) fn check_range(
    what: &'static str,
    value: f64,
    minimum: f64,
    maximum: f64,
    unit: &'static str,
) -> Result<f64, ValueError> {
    if !value.is_finite() {
        return Err(ValueError::NotFinite { what: what.to_owned(), value });
    }
    if !(minimum..=maximum).contains(&value) {
        return Err(ValueError::OutOfRange { what, value, minimum, maximum, unit });
    }
    Ok(value)
}

/// Reads the text of a UUID.
pub(crate) fn parse_uuid(what: &'static str, text: &str) -> Result<uuid::Uuid, ValueError> {
    uuid::Uuid::try_parse(text)
        .map_err(|_| ValueError::NotUuid { what, value: text.chars().take(64).collect() })
}

/// Declares a text that was checked once: `parse`, `as_str`, `Display`.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $limit:literal, $check:ident, $charset:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Most characters that are accepted.
            pub const LIMIT: usize = $limit;

            /// Checks a text.
            ///
            /// # Errors
            ///
            /// [`ValueError`](crate::value::ValueError) with the value and the limit.
            pub fn parse(text: impl Into<Box<str>>) -> Result<Self, crate::value::ValueError> {
                let text = text.into();
                crate::value::$check($what, &text, $limit, crate::value::Charset::$charset)?;
                Ok(Self(text))
            }

            /// The text, to the letter.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}
pub(crate) use checked_text;

/// Declares an identifier of 128 bits that is written as a UUID.
macro_rules! checked_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// Reads the text of a UUID, with or without hyphens.
            ///
            /// # Errors
            ///
            /// [`ValueError::NotUuid`](crate::value::ValueError::NotUuid) for anything else.
            pub fn parse(text: &str) -> Result<Self, crate::value::ValueError> {
                crate::value::parse_uuid($what, text).map(Self)
            }

            /// Takes 16 bytes as they are, for example from a row.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(uuid::Uuid::from_bytes(bytes))
            }

            /// The 16 bytes, for example for a row.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0.hyphenated(), formatter)
            }
        }
    };
}
pub(crate) use checked_id;

/// A number as people write it: `80`, `99.5`, never `80.0`.
pub(crate) struct Plain(pub f64);

impl fmt::Display for Plain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounded = (self.0 * 1e4).round() / 1e4;
        write!(formatter, "{rounded}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_refused_with_its_value_and_its_limit() {
        let cases = [
            ("", Charset::Visible, Some("name is empty, it needs 1 to 5 characters")),
            ("  ", Charset::OneLine, Some("name is empty, it needs 1 to 5 characters")),
            ("abcdef", Charset::Visible, Some("name has 6 characters, at most 5 are accepted")),
            ("ééééé", Charset::Visible, None),
            ("a b", Charset::OneLine, None),
            (
                "a b",
                Charset::Visible,
                Some(
                    "name `a b` has an invisible character at position 2, only visible ones are accepted",
                ),
            ),
            (
                "a\nb",
                Charset::OneLine,
                Some(
                    "name `a\\nb` has an invisible character at position 2, only visible ones are accepted",
                ),
            ),
            ("a\nb", Charset::Lines, None),
            (
                "a\u{200b}",
                Charset::OneLine,
                Some(
                    "name `a\\u{200b}` has an invisible character at position 2, only visible ones are accepted",
                ),
            ),
        ];
        for (text, charset, want) in cases {
            let got = check_text("name", text, 5, charset).err().map(|error| error.to_string());
            assert_eq!(got.as_deref(), want, "{text:?}");
        }
    }

    #[test]
    fn a_number_is_refused_with_its_range() {
        assert_eq!(check_range("threshold", 80.0, 0.0, 100.0, " %"), Ok(80.0));
        let error = check_range("threshold", 101.0, 0.0, 100.0, " %").unwrap_err();
        assert_eq!(error.to_string(), "threshold is 101, it must be from 0 to 100 %");
        assert!(check_range("threshold", f64::NAN, 0.0, 100.0, "").is_err());
        assert!(check_range("threshold", f64::INFINITY, 0.0, 100.0, "").is_err());
    }
}

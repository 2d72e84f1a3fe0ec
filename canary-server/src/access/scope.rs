//! Scopes: what a key may do.

use std::fmt;

/// One right of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Look at everything but keys and organizations.
    Read,
    /// Report signals and readings, and ask which version to run.
    Signal,
    /// Register, promote, pause and resume; and look.
    Release,
    /// Roll back; and look. A right of its own: [`Scope::Release`] does not include it.
    Rollback,
    /// Everything, keys included.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 5] =
        [Self::Read, Self::Signal, Self::Release, Self::Rollback, Self::Admin];

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Signal => "signal",
            Self::Release => "release",
            Self::Rollback => "rollback",
            Self::Admin => "admin",
        }
    }

    /// Reads its word.
    ///
    /// # Errors
    ///
    /// [`ScopeError::Unknown`] for any other.
    pub fn parse(word: &str) -> Result<Self, ScopeError> {
        let found = Self::ALL.into_iter().find(|scope| scope.as_str() == word);
        found.ok_or_else(|| ScopeError::Unknown(word.escape_debug().take(64).collect()))
    }

    /// Whether a key with this scope may do what needs `other`.
    const fn includes(self, other: Self) -> bool {
        match self {
            Self::Admin => true,
            Self::Release => matches!(other, Self::Release | Self::Read),
            Self::Rollback => matches!(other, Self::Rollback | Self::Read),
            Self::Read => matches!(other, Self::Read),
            Self::Signal => matches!(other, Self::Signal),
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Read => 1,
            Self::Signal => 2,
            Self::Release => 4,
            Self::Rollback => 8,
            Self::Admin => 16,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Words that are no scopes of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// No such word.
    #[error("scope `{0}` is unknown, accepted are read, signal, release, rollback and admin")]
    Unknown(String),
    /// No word at all.
    #[error(
        "scopes are empty, a key needs at least one of read, signal, release, rollback and admin"
    )]
    None,
}

/// The rights of a key, at least one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// Takes scopes; one that is named twice counts once.
    ///
    /// # Errors
    ///
    /// [`ScopeError::None`] if there is none.
    pub fn of(scopes: impl IntoIterator<Item = Scope>) -> Result<Self, ScopeError> {
        match scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()) {
            0 => Err(ScopeError::None),
            bits => Ok(Self(bits)),
        }
    }

    /// Reads words.
    ///
    /// # Errors
    ///
    /// [`ScopeError`] if there is none, or one is unknown.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, ScopeError> {
        let scopes: Result<Vec<Scope>, ScopeError> = words.into_iter().map(Scope::parse).collect();
        Self::of(scopes?)
    }

    /// Its scopes.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.0 & scope.bit() != 0)
    }

    /// Whether a scope was given by name.
    #[must_use]
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether they suffice for what needs `scope`.
    #[must_use]
    pub fn allow(self, scope: Scope) -> bool {
        self.iter().any(|own| own.includes(scope))
    }

    /// As they are stored.
    pub(crate) fn write(self) -> String {
        self.to_string().replace(", ", ",")
    }

    /// As they were stored. A word that a newer program knows gives no right here.
    pub(crate) fn read(text: &str) -> Self {
        let known = text.split(',').filter_map(|word| Scope::parse(word).ok());
        Self(known.fold(0, |bits, scope| bits | scope.bit()))
    }
}

/// For a person: `read, signal`.
impl fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, scope) in self.iter().enumerate() {
            let separator = if number == 0 { "" } else { ", " };
            write!(formatter, "{separator}{scope}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_scope_suffices_for() {
        let allowed = |word: &str| {
            let scopes = Scopes::parse([word]).unwrap();
            let allowed = Scope::ALL.into_iter().filter(|scope| scopes.allow(*scope));
            allowed.map(Scope::as_str).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(allowed("read"), "read");
        assert_eq!(allowed("signal"), "signal");
        assert_eq!(allowed("release"), "read release");
        assert_eq!(allowed("rollback"), "read rollback");
        assert_eq!(allowed("admin"), "read signal release rollback admin");
        let both = Scopes::parse(["rollback", "release", "release"]).unwrap();
        assert!(both.allow(Scope::Rollback) && both.allow(Scope::Release));
        assert!(!both.allow(Scope::Signal) && !both.allow(Scope::Admin));
        assert_eq!(both.to_string(), "release, rollback");
    }

    #[test]
    fn words_are_read_as_they_were_written() {
        for bits in 1..32 {
            let scopes = Scopes(bits);
            assert_eq!(Scopes::read(&scopes.write()), scopes);
        }
        assert_eq!(Scopes::read("audit,read"), Scopes::parse(["read"]).unwrap());
        assert!(Scope::ALL.into_iter().all(|scope| !Scopes::read("audit").allow(scope)));
        assert!(Scope::ALL.into_iter().all(|scope| !Scopes::read("").allow(scope)));
    }

    #[test]
    fn words_that_are_no_scopes_are_named() {
        let unknown = Scopes::parse(["read", "write"]).unwrap_err().to_string();
        assert_eq!(
            unknown,
            "scope `write` is unknown, accepted are read, signal, release, rollback and admin"
        );
        assert_eq!(Scopes::parse([]), Err(ScopeError::None));
        assert!(Scope::parse("Read").is_err());
    }
}

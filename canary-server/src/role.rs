//! Roles: which part of the work a server does.
//!
//! On PostgreSQL the parts can run apart, each behind a load balancer of its own, so that what
//! floods in keeps nobody waiting who asks.

use std::fmt;
use std::str::FromStr;

/// A part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Answers who asks, registers products and releases, and does what people want.
    Api,
    /// Takes signals and readings in.
    Ingest,
    /// Shows pages to people.
    Web,
    /// Does what time brings about, and folds readings.
    Engine,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Api, Self::Ingest, Self::Web, Self::Engine];

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Ingest => "ingest",
            Self::Web => "web",
            Self::Engine => "engine",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The parts that one server does: one at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles(u8);

/// A text that names no roles.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", Self::EXPECTED)]
pub struct RolesError;

impl RolesError {
    /// What it must be instead.
    pub const EXPECTED: &'static str =
        "it must be all, or some of api, ingest, web and engine with commas between";
}

impl Roles {
    /// Everything, which is the default.
    pub const ALL: Self = Self::of(&Role::ALL);

    /// These roles.
    const fn of(roles: &[Role]) -> Self {
        let (mut bits, mut place) = (0, 0);
        while place < roles.len() {
            bits |= roles[place].bit();
            place += 1;
        }
        Self(bits)
    }

    /// Whether a part is among them.
    #[must_use]
    pub const fn include(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// Whether they change nothing.
    pub(crate) fn only_show(self) -> bool {
        self == Self::of(&[Role::Web])
    }

    /// Whether one process can have them on a file: all that write are in one, pages may be in
    /// another.
    pub(crate) fn fit_a_file(self) -> bool {
        let writing = Self::of(&[Role::Api, Role::Ingest, Role::Engine]);
        self.0 & writing.0 == writing.0 || self.only_show()
    }
}

impl Default for Roles {
    fn default() -> Self {
        Self::ALL
    }
}

/// As settings write them: `all`, or words with commas between.
impl FromStr for Roles {
    type Err = RolesError;

    fn from_str(text: &str) -> Result<Self, RolesError> {
        let mut roles = Self(0);
        for word in text.split(',').map(str::trim) {
            roles.0 |= match Role::ALL.iter().find(|role| role.as_str() == word) {
                Some(role) => role.bit(),
                None if word == "all" => Self::ALL.0,
                None => return Err(RolesError),
            };
        }
        Ok(roles)
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ALL {
            return formatter.write_str("all");
        }
        let words = Role::ALL.iter().filter(|role| self.include(**role)).map(|role| role.as_str());
        formatter.write_str(&words.collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_and_written() {
        let cases = [
            ("all", "all"),
            ("api", "api"),
            ("engine, api", "api,engine"),
            ("api,ingest,web,engine", "all"),
            ("web,all", "all"),
        ];
        for (text, wanted) in cases {
            assert_eq!(text.parse::<Roles>().unwrap().to_string(), wanted);
        }
        for unfit in ["", "apis", "api,", "API", "api;web"] {
            assert_eq!(unfit.parse::<Roles>(), Err(RolesError), "{unfit}");
        }
    }

    #[test]
    fn on_a_file_one_process_does_all_that_writes() {
        let fit = |text: &str| text.parse::<Roles>().unwrap().fit_a_file();
        assert!(fit("all") && fit("api,ingest,engine") && fit("web"));
        for text in ["api", "ingest", "engine", "api,ingest,web", "web,engine,api", "web,api"] {
            assert!(!fit(text), "{text}");
        }
    }
}

//! Signals: the outcome of one run of one version on one instance.

use std::collections::BTreeMap;

use siphasher::sip::SipHasher24;

use crate::release::ReleaseId;
use crate::time::Timestamp;
use crate::value::{Charset, ValueError, check_text, checked_id, checked_text};

checked_id!(
    /// Identifies a signal; made by the caller it makes sending twice safe.
    SignalId,
    "id"
);

checked_text!(
    /// What runs a version: a pipeline run, a service, a device.
    InstanceId,
    "instance_id",
    256,
    check_text,
    OneLine
);

checked_text!(
    /// What a person should know about a run; may be empty, may have lines.
    Description,
    "description",
    10_000,
    check_optional_text,
    Lines
);

checked_text!(
    /// The name of something that runs measure: `latency_ms`.
    MeasurementName,
    "name of a measurement",
    64,
    check_text,
    Visible
);

impl InstanceId {
    /// A number for it, the same in every process and over restarts; two names hardly ever share one.
    #[must_use]
    pub fn key(&self) -> u64 {
        SipHasher24::new().hash(self.as_str().as_bytes())
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// It did what it should.
    Success,
    /// It did not.
    Failed,
    /// It says nothing about the version: skipped, cancelled, still running.
    /// Stored and shown, never judged.
    Neutral,
}

/// Every accepted spelling of a status, in lower case.
const SPELLINGS: [(&str, Status); 17] = [
    ("success", Status::Success),
    ("failed", Status::Failed),
    ("neutral", Status::Neutral),
    ("ok", Status::Success),
    ("pass", Status::Success),
    ("passed", Status::Success),
    ("succeeded", Status::Success),
    ("fail", Status::Failed),
    ("failure", Status::Failed),
    ("error", Status::Failed),
    ("up_for_retry", Status::Failed),
    ("timeout", Status::Failed),
    ("skipped", Status::Neutral),
    ("upstream_failed", Status::Neutral),
    ("cancelled", Status::Neutral),
    ("removed", Status::Neutral),
    ("running", Status::Neutral),
];

impl Status {
    /// The accepted spellings, for a person.
    pub const ACCEPTED: &'static str = "success (ok, pass, passed, succeeded), \
        failed (fail, failure, error, up_for_retry, timeout), \
        neutral (skipped, upstream_failed, cancelled, removed, running), in any case";

    /// Reads a status in any of its spellings, in any case.
    ///
    /// # Errors
    ///
    /// [`ValueError::Unknown`] with the accepted spellings.
    ///
    /// # Examples
    ///
    /// ```
    /// use canary_core::signal::Status;
    ///
    /// assert_eq!(Status::parse("UP_FOR_RETRY")?, Status::Failed);
    /// assert!(Status::parse("fine").is_err());
    /// # Ok::<(), canary_core::value::ValueError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        SPELLINGS
            .iter()
            .find(|(spelling, _)| text.eq_ignore_ascii_case(spelling))
            .map(|&(_, status)| status)
            .ok_or_else(|| ValueError::Unknown {
                what: "status",
                value: text.chars().take(64).collect(),
                accepted: Self::ACCEPTED,
            })
    }

    /// The word of the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Neutral => "neutral",
        }
    }
}

/// Numbers that a run measured, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measurements(BTreeMap<Box<str>, f64>);

impl Measurements {
    /// Most measurements that one signal may carry.
    pub const LIMIT: usize = 32;

    /// Checks names and numbers.
    ///
    /// # Errors
    ///
    /// [`ValueError`] if there are more than 32, a name is not 1 to 64 visible characters, or a
    /// number is not finite.
    pub fn parse(entries: impl IntoIterator<Item = (String, f64)>) -> Result<Self, ValueError> {
        let mut checked = BTreeMap::new();
        for (name, value) in entries {
            check_text("name of a measurement", &name, 64, Charset::Visible)?;
            if !value.is_finite() {
                return Err(ValueError::NotFinite { what: format!("measurement `{name}`"), value });
            }
            checked.insert(name.into_boxed_str(), value);
        }
        if checked.len() > Self::LIMIT {
            return Err(ValueError::TooMany {
                what: "measurements",
                count: checked.len(),
                limit: Self::LIMIT,
            });
        }
        Ok(Self(checked))
    }

    /// Names and numbers, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, &value)| (&**name, value))
    }

    /// What was measured under a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// Whether nothing was measured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The outcome of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// Its identifier.
    pub id: SignalId,
    /// The release that ran.
    pub release: ReleaseId,
    /// What ran it.
    pub instance: InstanceId,
    /// What a person should know about it.
    pub description: Description,
    /// How it ended.
    pub status: Status,
    /// When it ended, as the caller says.
    pub created_at: Timestamp,
    /// What it measured.
    pub measurements: Measurements,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_the_contract_is_read_in_any_case() {
        let cases = [
            (Status::Success, "ok pass passed success succeeded"),
            (Status::Failed, "fail failed failure error up_for_retry timeout"),
            (Status::Neutral, "neutral skipped upstream_failed cancelled removed running"),
        ];
        for (want, words) in cases {
            for word in words.split(' ') {
                assert_eq!(Status::parse(word), Ok(want), "{word}");
                assert_eq!(Status::parse(&word.to_uppercase()), Ok(want), "{word}");
                assert!(
                    Status::ACCEPTED.contains(word),
                    "`{word}` is accepted, and missing from the list that people are shown"
                );
            }
        }
        let error = Status::parse("great").unwrap_err().to_string();
        assert!(
            error.starts_with("status `great` is unknown, accepted are success (ok"),
            "{error}"
        );
    }

    #[test]
    fn measurements_are_finite_and_few() {
        let entry = |value| [("latency_ms".to_owned(), value)];
        assert!(Measurements::parse(entry(1.5)).is_ok());
        assert_eq!(
            Measurements::parse(entry(f64::NAN)).unwrap_err().to_string(),
            "measurement `latency_ms` must be a finite number, got NaN"
        );
        let many = (0..33).map(|number| (format!("m{number}"), 0.0));
        assert_eq!(
            Measurements::parse(many).unwrap_err().to_string(),
            "measurements has 33 entries, at most 32 are accepted"
        );
    }
}

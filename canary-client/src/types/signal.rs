//! Signals: how a run ended.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::FieldError;

/// The outcome of one run of one version on one instance.
///
/// # Examples
///
/// ```
/// use canary_client::Signal;
///
/// let signal = Signal::failed("https://registry.example/etl", "1.5.0", "run-17")
///     .description("out of memory after 40 minutes")
///     .measurement("peak_memory_mib", 8192.0)
///     .created_date("2031-05-07T10:00:00Z");
/// # let _ = signal;
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[must_use = "a signal counts once it is sent"]
pub struct Signal {
    artifact_url: String,
    semver_version: String,
    instance_id: String,
    description: String,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_date: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    measurements: BTreeMap<String, f64>,
}

impl Signal {
    /// A run that ended with a status in the words of the caller: the server knows `success`,
    /// `failed`, `neutral` and common other names for them, such as `passed` or `up_for_retry`.
    pub fn new(
        artifact_url: impl Into<String>,
        semver_version: impl Into<String>,
        instance_id: impl Into<String>,
        status: impl Into<String>,
    ) -> Self {
        Self {
            artifact_url: artifact_url.into(),
            semver_version: semver_version.into(),
            instance_id: instance_id.into(),
            description: String::new(),
            status: status.into(),
            id: None,
            created_date: None,
            measurements: BTreeMap::new(),
        }
    }

    /// A run that did what it should.
    pub fn success(
        artifact_url: impl Into<String>,
        semver_version: impl Into<String>,
        instance_id: impl Into<String>,
    ) -> Self {
        Self::new(artifact_url, semver_version, instance_id, "success")
    }

    /// A run that did not.
    pub fn failed(
        artifact_url: impl Into<String>,
        semver_version: impl Into<String>,
        instance_id: impl Into<String>,
    ) -> Self {
        Self::new(artifact_url, semver_version, instance_id, "failed")
    }

    /// A run that says nothing about the version: skipped, cancelled. Stored and never judged.
    pub fn neutral(
        artifact_url: impl Into<String>,
        semver_version: impl Into<String>,
        instance_id: impl Into<String>,
    ) -> Self {
        Self::new(artifact_url, semver_version, instance_id, "neutral")
    }

    /// What a person should know about the run.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// A number that the run measured; the unit belongs into the name. It must be finite.
    pub fn measurement(mut self, name: impl Into<String>, value: f64) -> Self {
        self.measurements.insert(name.into(), value);
        self
    }

    /// When the run ended, in RFC 3339; the time of arrival if not set.
    pub fn created_date(mut self, created_date: impl Into<String>) -> Self {
        self.created_date = Some(created_date.into());
        self
    }

    /// A UUID of the caller's: a signal with the same id is counted once, however often it is
    /// sent. A signal without one gets one for each call that sends it.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Gives it an id if it has none, so that a repetition is no second signal.
    ///
    /// Ids in the order of time lie together in the server's index; random ones would make each
    /// signal touch a page of its own.
    pub(crate) fn with_id(mut self) -> Self {
        self.id.get_or_insert_with(|| Uuid::now_v7().to_string());
        self
    }

    /// The first measurement that JSON has no words for.
    pub(crate) fn check(&self) -> Result<(), FieldError> {
        match self.measurements.iter().find(|(_, value)| !value.is_finite()) {
            None => Ok(()),
            Some((name, value)) => Err(FieldError {
                pointer: format!("/measurements/{name}"),
                detail: format!("must be a finite number, got {value}"),
            }),
        }
    }
}

/// What became of many signals.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BatchOutcome {
    /// How many were recorded.
    pub accepted: u64,
    /// How many were known already, by their id; they count once.
    #[serde(default)]
    pub duplicates: u64,
    /// Those that were not recorded, in the order in which they were given.
    pub rejected: Vec<Rejection>,
}

/// One signal or reading that was not recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rejection {
    /// Its place among all that were given, from 0.
    pub index: usize,
    /// The server's stable word for the reason.
    #[serde(default)]
    pub code: String,
    /// The reason for a person.
    #[serde(default)]
    pub detail: String,
}

//! Who is on the stage: the stable version and the canary, now or at a time in the past.

use canary_client::{Band, Decision, Release};
use canary_core::band::{Schedule, Share};
use canary_core::policy::HoldBack;
use canary_core::release::{BandCount, CanaryPeriod};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::command::time;
use crate::failure::Failure;

/// The versions of a product that are in play at a time.
pub(super) struct Scene {
    /// The time, if it is a past one.
    pub(super) past: Option<Timestamp>,
    /// The version that those get who do not get the canary.
    pub(super) stable: Option<String>,
    /// The canary that is on its way.
    pub(super) canary: Option<Canary>,
}

/// A canary on its way.
#[derive(Clone, Serialize)]
pub(super) struct Canary {
    pub(super) id: String,
    pub(super) semver_version: String,
    pub(super) is_paused: bool,
    /// From 1; 0 before the first.
    pub(super) band: u16,
    pub(super) band_count: u16,
    /// The part of the runs or instances that gets it, 0 to 1.
    pub(super) share: f64,
    #[serde(skip)]
    pub(super) bands: Vec<Band>,
    #[serde(skip)]
    schedule: Schedule,
}

impl Scene {
    /// The versions in play now, from the releases of a product, the newest first.
    pub(super) fn now(
        releases: impl Iterator<Item = canary_client::Result<Release>>,
    ) -> Result<Self, Failure> {
        let mut scene = Self { past: None, stable: None, canary: None };
        for release in releases {
            let release = release?;
            match release.state.as_str() {
                "running" | "paused" => scene.canary = Canary::now(&release),
                "stable" | "promoted" => {
                    // An open canary is newer than the version that it is compared with.
                    scene.stable = Some(release.semver_version);
                    break;
                }
                _ => {}
            }
        }
        Ok(scene)
    }

    /// The versions in play at a time, from the releases of a product, the newest first, and what
    /// was decided about each.
    pub(super) fn past(
        at: Timestamp,
        releases: impl Iterator<Item = canary_client::Result<Release>>,
        decisions_of: impl Fn(&str) -> canary_client::Result<Vec<Decision>>,
    ) -> Result<Self, Failure> {
        let mut scene = Self { past: Some(at), stable: None, canary: None };
        for release in releases {
            let release = release?;
            if registered_at(&release).is_some_and(|begin| begin > at) {
                continue;
            }
            let decisions = decisions_of(&release.id)?;
            match Standing::at(at, &release, &decisions) {
                Standing::Canary => scene.canary = Canary::past(at, &release, &decisions),
                Standing::Stable => {
                    scene.stable = Some(release.semver_version);
                    break;
                }
                Standing::Gone => {}
            }
        }
        Ok(scene)
    }
}

/// What a release was at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// On trial.
    Canary,
    /// What those get who do not get the canary.
    Stable,
    /// Not handed out.
    Gone,
}

impl Standing {
    pub(super) fn at(at: Timestamp, release: &Release, decisions: &[Decision]) -> Self {
        if let Some(last) = last_change(at, decisions) {
            return if last.action == "promote" { Self::Stable } else { Self::Gone };
        }
        if !release.bands.is_empty() {
            return Self::Canary;
        }
        // What changed first tells what it was before.
        let was_stable = match decisions.iter().find(|decision| is_change(decision)) {
            Some(first) => first.action == "retire",
            None => matches!(release.state.as_str(), "stable" | "promoted"),
        };
        if was_stable { Self::Stable } else { Self::Gone }
    }
}

/// The last decision up to a time that made of a release something else.
pub(super) fn last_change(at: Timestamp, decisions: &[Decision]) -> Option<&Decision> {
    decisions.iter().rev().find(|decision| is_until(decision, at) && is_change(decision))
}

fn is_change(decision: &Decision) -> bool {
    matches!(decision.action.as_str(), "promote" | "rollback" | "supersede" | "retire")
}

impl Canary {
    fn now(release: &Release) -> Option<Self> {
        let is_paused = release.state == "paused";
        Self::of(release, release.band.unwrap_or_default(), is_paused)
    }

    /// A pause stops the bands; those that lie ahead are moved when it ends.
    fn past(at: Timestamp, release: &Release, decisions: &[Decision]) -> Option<Self> {
        let mut switches = decisions.iter().rev().filter(|decision| is_until(decision, at));
        let last = switches.find(|last| matches!(last.action.as_str(), "pause" | "resume"));
        let paused = last.filter(|last| last.action == "pause");
        let paused_at = paused.and_then(|pause| time::timestamp(&pause.at).ok());
        let stands_at = paused_at.unwrap_or(at);
        let has_begun = |band: &&Band| {
            let begin = band.starts_at.as_deref().and_then(|begin| time::timestamp(begin).ok());
            begin.is_some_and(|begin| begin <= stands_at)
        };
        let band = release.bands.iter().filter(has_begun).map(|band| band.number).max();
        Self::of(release, band.unwrap_or_default(), paused_at.is_some())
    }

    /// Nothing if the server says of it what cannot be.
    pub(super) fn of(release: &Release, band: u16, is_paused: bool) -> Option<Self> {
        let count = BandCount::parse(release.band_count.into()).ok()?;
        let held_back = HoldBack::parse(release.policy.holdback.unwrap_or_default()).ok()?;
        // When the bands begin is said by the bands themselves.
        let begin = canary_core::time::Timestamp::from_seconds(0);
        let schedule = Schedule::new(begin, CanaryPeriod::DEFAULT, count).holding_back(held_back);
        let share = if is_paused { Share::NONE } else { schedule.share(band) };
        Some(Self {
            id: release.id.clone(),
            semver_version: release.semver_version.clone(),
            is_paused,
            band,
            band_count: release.band_count,
            share: share.as_f64(),
            bands: release.bands.clone(),
            schedule,
        })
    }

    /// The share of a band.
    pub(super) fn share_of(&self, band: u16) -> Share {
        self.schedule.share(band)
    }

    /// The first band in which a place gets it; nothing if that is held back from all of them.
    pub(super) fn band_of_place(&self, place: u64) -> Option<&Band> {
        self.bands.iter().find(|band| self.share_of(band.number).contains_place(place))
    }
}

/// Whether something was decided at a time or before.
fn is_until(decision: &Decision, at: Timestamp) -> bool {
    time::timestamp(&decision.at).is_ok_and(|decided| decided <= at)
}

/// When a release was registered, which its identifier tells.
pub(super) fn registered_at(release: &Release) -> Option<Timestamp> {
    let (seconds, nanoseconds) = Uuid::parse_str(&release.id).ok()?.get_timestamp()?.to_unix();
    Timestamp::new(seconds.try_into().ok()?, nanoseconds.try_into().ok()?).ok()
}

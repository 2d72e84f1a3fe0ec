//! Releases as they come in and go out.

use canary_core::decision::Decision;
use canary_core::policy::Policy;
use canary_core::product::{Product, ProductId};
use canary_core::release::{BandCount, CanaryPeriod, Release, ReleaseId, State, Threshold};
use canary_core::rollout::{BandCounts, Counts, Rollout};
use canary_core::time::Timestamp;
use canary_core::version::Version;
use poem_openapi::Object;
use serde::Deserialize;

use crate::api::moment;
use crate::api::payload::{Body, Checks};
use crate::api::policy::PolicyBody;
use crate::api::problem::ApiError;
use crate::api::product::ProductBody;
use crate::evidence::{EvidenceBody, UnreportedBody};
use crate::store::{StoredDecision, StoredRelease};

/// A version of a product, to be registered.
#[derive(Debug, Deserialize, Object)]
#[oai(rename = "NewRelease")]
#[serde(deny_unknown_fields)]
pub(super) struct NewReleaseBody {
    /// Passed over; the server makes the identifier.
    #[serde(default, rename = "id")]
    #[oai(rename = "id", deprecated)]
    _id: Option<String>,
    /// The product, by its artifact_url.
    pub(super) artifact_url: String,
    /// Any string of 1 to 128 visible characters, unique within the product, returned to the
    /// letter. Compared as SemVer where it parses as such, also leniently.
    semver_version: String,
    /// Whether it is a canary, true if absent; else it is stable at once.
    is_canary: Option<bool>,
    /// Whether it is handed out, true if absent.
    is_active: Option<bool>,
    /// Lowest acceptable success rate in percent, 0 to 100, 80 if absent.
    threshold: Option<f64>,
    /// How long the canary is watched, in days, 0.000001 to 3650, 2 if absent.
    canary_period: Option<f64>,
    /// In how many steps it widens, 1 to 100, 5 if absent.
    band_count: Option<i64>,
    /// When its first band begins, RFC 3339, now if absent; a value without zone is UTC.
    release_date: Option<String>,
    /// How it is judged.
    policy: Option<PolicyBody>,
}

impl Body for NewReleaseBody {
    const REQUIRED: &'static [&'static str] = &["artifact_url", "semver_version"];
}

impl NewReleaseBody {
    /// Checks all values, and tells of all that cannot be accepted.
    pub(super) fn parse(
        self,
        id: ReleaseId,
        product: ProductId,
        default: &Policy,
        now: Timestamp,
    ) -> Result<Release, ApiError> {
        let mut checks = Checks::default();
        let version = checks.take("semver_version", Version::parse(self.semver_version));
        let threshold = match self.threshold {
            Some(percent) => checks.take("threshold", Threshold::parse(percent)),
            None => Some(Threshold::DEFAULT),
        };
        let canary_period = match self.canary_period {
            Some(days) => checks.take("canary_period", CanaryPeriod::parse(days)),
            None => Some(CanaryPeriod::DEFAULT),
        };
        let band_count = match self.band_count {
            Some(count) => checks.take("band_count", BandCount::parse(count)),
            None => Some(BandCount::DEFAULT),
        };
        let release_date = match self.release_date {
            Some(text) => checks.take("release_date", release_date(&text)),
            None => Some(now),
        };
        let policy = self.policy.unwrap_or_default().parse("policy/", default, &mut checks);
        let policy = policy.map(|(_, policy)| policy);
        let is_canary = self.is_canary.unwrap_or(true);
        let state = match (self.is_active.unwrap_or(true), is_canary) {
            (false, _) => State::Retired,
            (true, true) => State::Running,
            (true, false) => State::Stable,
        };
        let release = || {
            Some(Release {
                id,
                product,
                version: version?,
                state,
                is_canary,
                threshold: threshold?,
                canary_period: canary_period?,
                band_count: band_count?,
                release_date: release_date?,
                registered_at: now,
                policy: policy?,
            })
        };
        checks.finish(release())
    }
}

/// Reads a release date; after the last one, the end of a canary's period could not be written.
fn release_date(text: &str) -> Result<Timestamp, String> {
    const LAST: Timestamp = Timestamp::from_seconds(221_845_392_000);
    let date = moment::parse("release_date", text)?;
    if date <= LAST {
        return Ok(date);
    }
    Err(format!(
        "release_date is {}, it must not be after {}",
        moment::show(date),
        moment::show(LAST)
    ))
}

/// All signals of a release.
#[derive(Debug, Object)]
#[oai(rename = "SignalCounts")]
struct SignalCountsBody {
    /// Runs that succeeded.
    success: u64,
    /// Runs that failed.
    failed: u64,
    /// Runs that say nothing about the version; never judged.
    neutral: u64,
    /// All of them.
    total: u64,
}

/// Judged runs of one version in one band.
#[derive(Debug, Object)]
#[oai(rename = "BandArm")]
struct BandArmBody {
    /// Runs that succeeded.
    success: u64,
    /// Runs that failed.
    failed: u64,
}

impl From<Counts> for BandArmBody {
    fn from(counts: Counts) -> Self {
        Self { success: counts.success, failed: counts.failed }
    }
}

/// One step of a canary's way.
#[derive(Debug, Object)]
#[oai(rename = "Band")]
pub(super) struct BandBody {
    /// Counted from 1.
    number: u16,
    /// The canary's part of the runs, 0 to 1.
    share: f64,
    /// When it begins, RFC 3339.
    starts_at: String,
    /// Runs of the canary.
    canary: BandArmBody,
    /// Runs of the stable version meanwhile.
    stable: BandArmBody,
}

/// What was done to a release, and why.
#[derive(Debug, Object)]
#[oai(rename = "Decision")]
pub(super) struct DecisionBody {
    /// When, RFC 3339.
    at: String,
    /// `advance`, `hold`, `promote`, `rollback`, `pause`, `resume`, `supersede` or `retire`.
    action: String,
    /// Where the release stood: a state, or `band 1`.
    from: String,
    /// Where it stands since.
    to: String,
    /// Who decided: `engine` or `operator`.
    actor: String,
    /// On what ground: `threshold`, `ratio`, `baseline`, `measurement`, `early_promotion`,
    /// `schedule`, `at_end`, `on_insufficient`, `on_supersede` or `operator`.
    rule: String,
    /// Why, in one plain sentence.
    sentence: String,
    /// What was known; null where no canary was under test, and of decisions that are simulated.
    evidence: Option<EvidenceBody>,
}

impl From<StoredDecision> for DecisionBody {
    fn from(stored: StoredDecision) -> Self {
        let StoredDecision { at, action, from, to, actor, rule, sentence, evidence } = stored;
        let evidence = evidence.and_then(|json| serde_json::from_str(&json).ok());
        let at = moment::show(at);
        Self { at, action, from, to, actor, rule, sentence, evidence }
    }
}

impl DecisionBody {
    /// What would have been decided; what was known then is left out.
    pub(super) fn without_evidence(decision: &Decision) -> Self {
        Self {
            at: moment::show(decision.at),
            action: decision.action.as_str().to_owned(),
            from: decision.from.to_string(),
            to: decision.to.to_string(),
            actor: decision.actor.as_str().to_owned(),
            rule: decision.rule.as_str().to_owned(),
            sentence: decision.sentence.clone(),
            evidence: None,
        }
    }
}

/// A version of a product, with its state and counts.
#[derive(Debug, Object)]
#[oai(rename = "Release")]
pub(super) struct ReleaseBody {
    /// Its identifier, a UUID.
    id: String,
    /// The product it is a version of.
    product: ProductBody,
    /// The version, to the letter.
    semver_version: String,
    /// Whether it was registered as a canary and has not been promoted.
    is_canary: bool,
    /// Whether it is handed out.
    is_active: bool,
    /// `stable`, `running`, `paused`, `promoted`, `rolled_back`, `superseded` or `retired`.
    state: String,
    /// Lowest acceptable success rate, in percent.
    threshold: f64,
    /// How long it is watched as a canary, in days.
    canary_period: f64,
    /// In how many steps it widens.
    band_count: u16,
    /// When its first band begins, RFC 3339.
    release_date: String,
    /// How it is judged.
    policy: PolicyBody,
    /// The band it is in, counted from 1; null before the first and when it is no open canary.
    band: Option<u16>,
    /// Its part of the runs now, 0 to 1.
    share: f64,
    /// When the next band begins, RFC 3339; null in the last band, while paused, and when it is no
    /// open canary.
    next_band_at: Option<String>,
    /// All its signals.
    signals: SignalCountsBody,
    /// Answers that were handed out and not reported in time.
    unreported: UnreportedBody,
    /// Its bands with the judged runs in each; empty if it never was a canary.
    bands: Vec<BandBody>,
    /// The decision that ended its time as a canary; null while there is none.
    verdict: Option<DecisionBody>,
}

impl ReleaseBody {
    pub(super) fn of(
        product: &Product,
        stored: StoredRelease,
        verdict: Option<StoredDecision>,
        now: Timestamp,
    ) -> Self {
        let StoredRelease { release, signals, rollout } = stored;
        let open = rollout.as_ref().filter(|_| release.state.is_open());
        let band = open.map(|rollout| rollout.schedule().band_at(now)).filter(|band| *band > 0);
        let share = match open {
            Some(rollout) => rollout.share_at(now).as_f64(),
            None if release.state.is_stable() => 1.0,
            None => 0.0,
        };
        let next_band_at = open.and_then(|rollout| rollout.schedule().next_band_at(now));
        Self {
            id: release.id.to_string(),
            product: product.into(),
            semver_version: release.version.to_string(),
            is_canary: release.is_canary,
            is_active: release.is_active(),
            state: release.state.as_str().to_owned(),
            threshold: release.threshold.percent(),
            canary_period: release.canary_period.days(),
            band_count: release.band_count.get(),
            release_date: moment::show(release.release_date),
            policy: (&release.policy).into(),
            band,
            share,
            next_band_at: next_band_at.map(moment::show),
            signals: SignalCountsBody {
                success: signals.success,
                failed: signals.failed,
                neutral: signals.neutral,
                total: signals.total(),
            },
            unreported: rollout
                .as_ref()
                .map(|rollout| {
                    let is_failed = release.policy.report_within.is_some();
                    UnreportedBody::of(rollout.unreported(), is_failed)
                })
                .unwrap_or_default(),
            bands: rollout.as_ref().map(bands).unwrap_or_default(),
            verdict: verdict.map(Into::into),
        }
    }
}

/// The bands of a rollout with the judged runs in each.
pub(super) fn bands(rollout: &Rollout) -> Vec<BandBody> {
    let schedule = rollout.schedule();
    let rows = (1..).zip(schedule.starts()).zip(rollout.bands());
    rows.map(|((number, starts_at), BandCounts { canary, stable })| BandBody {
        number,
        share: schedule.share(number).as_f64(),
        starts_at: moment::show(*starts_at),
        canary: (*canary).into(),
        stable: (*stable).into(),
    })
    .collect()
}

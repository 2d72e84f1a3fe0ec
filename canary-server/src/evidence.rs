//! Evidence as it is stored with a decision and shown by the API: anyone can compute the verdict
//! again from it.

mod findings;

use canary_core::judge::interval::success_rate_95;
use canary_core::rollout::{Counts, Evidence, Unreported};
use poem_openapi::Object;
use serde::{Deserialize, Serialize};

pub(crate) use self::findings::FindingsBody;

/// Runs of one version, and the success rates they are compatible with.
#[derive(Debug, Clone, Serialize, Deserialize, Object)]
#[oai(rename = "Arm")]
pub(crate) struct ArmBody {
    /// Runs that succeeded.
    success: u64,
    /// Runs that failed.
    failed: u64,
    /// Runs that say nothing about the version.
    neutral: u64,
    /// Success rate in percent; null without a run that succeeded or failed.
    success_rate: Option<f64>,
    /// Lower end of the exact 95 % interval of the success rate, in percent, for one look that was
    /// planned; null without a run.
    success_rate_low: Option<f64>,
    /// Upper end of the same interval.
    success_rate_high: Option<f64>,
}

impl From<&Counts> for ArmBody {
    fn from(counts: &Counts) -> Self {
        let Counts { success, failed, neutral } = *counts;
        let runs = counts.judged();
        let interval = success_rate_95(success, runs);
        let percent = |rate: f64| (rate * 1e6).round() / 1e4;
        Self {
            success,
            failed,
            neutral,
            success_rate: (runs > 0).then(|| percent(success as f64 / runs as f64)),
            success_rate_low: interval.map(|(low, _)| percent(low)),
            success_rate_high: interval.map(|(_, high)| percent(high)),
        }
    }
}

/// Answers to `latest` that were handed out while the canary was open and not reported in time:
/// within `report_within` of the policy, or within a minute where it has none. Answers to named
/// instances are awaited only where it has one.
#[derive(Debug, Clone, Default, Serialize, Deserialize, Object)]
#[oai(rename = "Unreported")]
pub(crate) struct UnreportedBody {
    /// Of the canary.
    canary: u64,
    /// Of the stable version.
    stable: u64,
    /// Whether they are judged as failed runs, on top of those that were reported: only if the policy
    /// has a `report_within`.
    is_failed: bool,
}

impl UnreportedBody {
    pub(crate) fn of(unreported: Unreported, is_failed: bool) -> Self {
        let Unreported { canary, stable } = unreported;
        Self { canary, stable, is_failed }
    }
}

/// What was known when something was decided.
#[derive(Debug, Clone, Serialize, Deserialize, Object)]
#[oai(rename = "Evidence")]
pub(crate) struct EvidenceBody {
    /// The band, counted from 1; 0 before the first.
    pub(crate) band: u16,
    /// The canary's share in that band, 0 to 1.
    pub(crate) share: f64,
    /// Runs of the canary that were reported, in all bands.
    pub(crate) canary: ArmBody,
    /// Runs of the stable version that were reported meanwhile.
    pub(crate) stable: ArmBody,
    /// Answers without a report, which are in none of these counts.
    pub(crate) unreported: UnreportedBody,
    /// What the rules of the policy made of all that.
    pub(crate) findings: FindingsBody,
}

impl From<&Evidence> for EvidenceBody {
    fn from(evidence: &Evidence) -> Self {
        Self {
            band: evidence.band,
            share: evidence.share.as_f64(),
            canary: (&evidence.canary).into(),
            stable: (&evidence.stable).into(),
            unreported: UnreportedBody::of(evidence.unreported, evidence.is_unreported_failed),
            findings: (&evidence.findings).into(),
        }
    }
}

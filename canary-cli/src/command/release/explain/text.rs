//! An explanation as a person reads it.

use canary_client::{Analysis, Decision, JudgedArm, Release};
use jiff::Timestamp;

use super::Explanation;
use super::scene::{Canary, Scene, Standing, last_change, registered_at};
use crate::command::release::{findings, timeline};
use crate::command::time;
use crate::output;

/// How many measurements are told of; `canary release analysis` tells of all.
const MEASUREMENTS: usize = 4;
/// How many decisions are told of; `canary release decisions` tells of all.
const DECISIONS: usize = 6;

pub(super) fn of(explanation: &Explanation) -> String {
    let Explanation { sentence, reason, instance, decisions, analysis, .. } = explanation;
    let mut parts = vec![output::hanging("", sentence)];
    parts.extend(reason.iter().map(|reason| output::hanging("why: ", reason)));
    parts.extend(instance.as_ref().map(|instance| output::hanging("", &instance.sentence)));
    if explanation.is_past {
        parts.push(decided(decisions));
    } else if let Some(analysis) = analysis {
        parts.push(judged(analysis));
        let is_told = |sentence: &&String| reason.as_ref() != Some(*sentence);
        let verdict = analysis.verdict.as_ref().map(|verdict| &verdict.sentence);
        parts.extend(verdict.filter(is_told).map(|verdict| output::hanging("verdict: ", verdict)));
        parts.extend(
            analysis
                .outlook
                .as_ref()
                .map(|outlook| output::hanging("no verdict yet: ", &outlook.sentence)),
        );
    }
    parts.join("\n\n")
}

/// Who gets which version: "1.5.0 of etl is a canary in band 2 of 5: 40 % of the runs get it, …".
pub(super) fn sentence(release: &Release, decisions: &[Decision], scene: &Scene) -> String {
    let Release { semver_version: version, product, .. } = release;
    let name = &product.name;
    let on_stage = scene.canary.as_ref().filter(|canary| canary.id == release.id);
    let role = match (on_stage, scene.past) {
        (Some(canary), None) => format!("is {}", on_trial(canary, decisions)),
        (Some(canary), Some(_)) => format!("was {}", on_trial(canary, decisions)),
        (None, None) => format!("is {}", role(release, scene)),
        (None, Some(at)) => role_then(at, release, decisions),
    };
    let who = who(version, scene);
    match scene.past {
        None => format!("{version} of {name} {role}: {who}."),
        Some(at) => {
            format!(
                "At {} {version} of {name} {role}: {who}.",
                time::to_the_second(&at.to_string())
            )
        }
    }
}

fn on_trial(canary: &Canary, decisions: &[Decision]) -> String {
    let (band, count) = (canary.band, canary.band_count);
    let is_held = newest(decisions).is_some_and(|newest| newest.action == "hold");
    match canary {
        Canary { is_paused: true, .. } => format!("a paused canary in band {band} of {count}"),
        Canary { band: 0, .. } => "a canary before its first band".to_owned(),
        _ if is_held => format!("a canary past its period, in band {band} of {count}"),
        _ => format!("a canary in band {band} of {count}"),
    }
}

/// What a release is that is no canary on its way.
fn role(release: &Release, scene: &Scene) -> String {
    match release.state.as_str() {
        "stable" | "promoted" if scene.stable.as_ref() == Some(&release.semver_version) => {
            "the stable version".to_owned()
        }
        state => state.replace('_', " "),
    }
}

/// The same at a time in the past.
fn role_then(at: Timestamp, release: &Release, decisions: &[Decision]) -> String {
    if let Some(begin) = registered_at(release).filter(|begin| at < *begin) {
        return format!(
            "was not registered yet, that was at {}",
            time::to_the_second(&begin.to_string())
        );
    }
    let became = |word: &str, change: &Decision| {
        format!("had been {word}, at {}", time::to_the_second(&change.at))
    };
    match (Standing::at(at, release, decisions), last_change(at, decisions)) {
        (Standing::Stable, _) => "was the stable version".to_owned(),
        (_, Some(change)) => match change.action.as_str() {
            "rollback" => became("rolled back", change),
            "supersede" => became("superseded", change),
            _ => became("retired", change),
        },
        (_, None) => "was not handed out".to_owned(),
    }
}

/// Who gets which version; `it` is the one that the sentence is about.
fn who(it: &str, scene: &Scene) -> String {
    let is_past = scene.past.is_some();
    let say = |now: &'static str, past: &'static str| if is_past { past } else { now };
    let (gets, get) = (say("gets", "got"), say("get", "got"));
    let name = |version: &str| if version == it { "it".to_owned() } else { version.to_owned() };
    let stable = scene.stable.as_deref().map(name);
    let Some(canary) = &scene.canary else {
        return match stable {
            Some(stable) => format!("everybody {gets} {stable}"),
            None => format!("nobody {gets} any version of it"),
        };
    };
    let is_it = canary.semver_version == it;
    let new = if is_it { "it".to_owned() } else { format!("canary {}", canary.semver_version) };
    let Some(stable) = stable else {
        return format!("everybody {gets} {new}, since there is no stable version yet");
    };
    match canary {
        Canary { is_paused: true, .. } => {
            let is = say("is", "was");
            format!("everybody {gets} {stable} as long as {new} {is} paused")
        }
        Canary { band: 0, .. } => {
            let begin = canary.bands.first().and_then(|band| band.starts_at.as_deref());
            let begin = begin.map(|begin| format!(", at {}", time::to_the_second(begin)));
            let begins = say("begins", "began");
            format!("everybody {gets} {stable} until {new} {begins}{}", begin.unwrap_or_default())
        }
        Canary { share, .. } if *share >= 1.0 => format!("everybody {gets} {new}"),
        Canary { share, .. } => {
            let share = output::percent(*share);
            format!("{share} of the runs {get} {new}, the others {get} {stable}")
        }
    }
}

/// What brought a release where it stands.
pub(super) fn reason(release: &Release, decisions: &[Decision], scene: &Scene) -> Option<String> {
    if scene.past.is_some() {
        return None;
    }
    match newest(decisions) {
        Some(newest) if newest.action == "resume" => None,
        Some(newest) => Some(newest.sentence.clone()),
        None if release.state == "stable" => Some("it was registered as stable".to_owned()),
        None => None,
    }
}

/// The newest decision that is more than that time has passed.
fn newest(decisions: &[Decision]) -> Option<&Decision> {
    decisions.iter().rev().find(|decision| decision.action != "advance")
}

fn decided(decisions: &[Decision]) -> String {
    if decisions.is_empty() {
        return "Nothing was decided until then.".to_owned();
    }
    let mut lines = vec!["Decided until then:".to_owned()];
    let before = decisions.len().saturating_sub(DECISIONS);
    if before > 0 {
        lines.push(format!("… {before} before, see `canary release decisions`"));
    }
    lines.extend(decisions.iter().skip(before).map(timeline::line));
    lines.join("\n")
}

/// What the judge sees: the runs of both versions, and each rule.
fn judged(analysis: &Analysis) -> String {
    let is_open = analysis.outlook.is_some();
    let begin = if is_open { "What the judge sees:" } else { "What the judge saw last:" };
    let mut lines = vec![begin.to_owned()];
    let arm = |version: &str, arm: &JudgedArm| {
        format!("  {version}: {}", output::succeeded(arm.success, arm.failed))
    };
    lines.push(arm(&analysis.release.semver_version, &analysis.canary));
    lines.extend(analysis.stable_version.iter().map(|stable| arm(stable, &analysis.stable)));
    lines.extend(unreported(analysis).map(|text| output::hanging("  ", &text)));
    let (measurements, rules): (Vec<_>, Vec<_>) =
        findings::of(analysis).into_iter().partition(|found| found.is_measurement);
    let shown = measurements.iter().take(MEASUREMENTS);
    for found in rules.iter().chain(shown) {
        lines.push(output::hanging(&format!("  {}: ", found.rule), &found.words));
    }
    if measurements.len() > MEASUREMENTS {
        let more = measurements.len() - MEASUREMENTS;
        lines.push(format!("  … and {more} more measurements, see `canary release analysis`"));
    }
    lines.join("\n")
}

/// That answers were not reported, if there are such.
fn unreported(analysis: &Analysis) -> Option<String> {
    let unreported = &analysis.unreported;
    if unreported.canary + unreported.stable == 0 {
        return None;
    }
    let counted = if unreported.is_failed { "counted" } else { "not counted" };
    Some(format!(
        "not reported in time: {} of {}, {} of {}, {counted} as failed",
        unreported.canary,
        analysis.release.semver_version,
        unreported.stable,
        analysis.stable_version.as_deref().unwrap_or("the stable version"),
    ))
}

//! Which version an instance gets, and why.

use canary_client::{Band, Decision, Release};
use canary_core::release::ReleaseId;
use canary_core::select::sticky;
use canary_core::signal::InstanceId;
use serde::Serialize;

use super::scene::{Canary, Scene};
use crate::command::time;
use crate::failure::Failure;
use crate::output;

/// Which version an instance gets, and why.
#[derive(Serialize)]
pub(super) struct InstanceExplained {
    id: String,
    /// Its place, 0 to 1, in the canary that is on its way, else in the one that is explained.
    place: Option<f64>,
    /// What it gets, or got; nothing where that cannot be told.
    semver_version: Option<String>,
    is_canary: bool,
    /// The first band in which it gets the canary.
    from_band: Option<FromBand>,
    pub(super) sentence: String,
}

#[derive(Serialize)]
struct FromBand {
    number: u16,
    share: f64,
    starts_at: Option<String>,
}

impl From<&Band> for FromBand {
    fn from(band: &Band) -> Self {
        Self { number: band.number, share: band.share, starts_at: band.starts_at.clone() }
    }
}

/// Says what an instance gets; of a canary that has ended, also what it got from it.
pub(super) fn explain(
    instance: &InstanceId,
    release: &Release,
    decisions: &[Decision],
    scene: &Scene,
) -> Result<InstanceExplained, Failure> {
    let mut explained = match (&scene.canary, &scene.stable) {
        (Some(canary), Some(stable)) => on_trial(instance, canary, stable, scene)?,
        _ => like_everybody(instance, scene),
    };
    if let Some(ended) = ended(instance, release, decisions, scene)? {
        explained.place.get_or_insert(ended.0);
        explained.sentence = format!("{} {}", explained.sentence, ended.1);
    }
    Ok(explained)
}

/// Where there is nothing to choose.
fn like_everybody(instance: &InstanceId, scene: &Scene) -> InstanceExplained {
    let is_past = scene.past.is_some();
    let say = |now: &'static str, past: &'static str| if is_past { past } else { now };
    let (gets, is) = (say("gets", "got"), say("is", "was"));
    let canary = scene.canary.as_ref().map(|canary| canary.semver_version.clone());
    let is_canary = canary.is_some();
    let version = canary.or_else(|| scene.stable.clone());
    let sentence = match &version {
        None => format!("Instance {instance} {gets} nothing: no version {is} active."),
        Some(version) => {
            let why = match is_canary {
                true => format!("there {is} no stable version yet"),
                false => format!("no canary {is} on its way"),
            };
            let does = say("does", "did");
            format!("Instance {instance} {gets} {version}, as everybody {does}: {why}.")
        }
    };
    InstanceExplained {
        id: instance.to_string(),
        place: None,
        semver_version: version,
        is_canary,
        from_band: None,
        sentence,
    }
}

/// While a canary and a stable version are handed out.
fn on_trial(
    instance: &InstanceId,
    canary: &Canary,
    stable: &str,
    scene: &Scene,
) -> Result<InstanceExplained, Failure> {
    let is_past = scene.past.is_some();
    let say = |now: &'static str, past: &'static str| if is_past { past } else { now };
    let place = place_of(instance, canary)?;
    let band = canary.band_of_place(place);
    let is_canary = !canary.is_paused && canary.share_of(canary.band).contains_place(place);
    let version = &canary.semver_version;
    let gets = say("gets", "got");
    let sentence = match band {
        Some(band) if is_canary => format!(
            "Instance {instance} {gets} {version}: its place {} {}, below the share of {}. It {} \
             got it since band {} began{}.",
            say("is", "was"),
            shown(place),
            output::digits(canary.share),
            say("has", "had"),
            band.number,
            begin(band)
        ),
        _ => {
            let (why, later) =
                (why_not(canary, place, is_past), later(canary, band, stable, is_past));
            format!("Instance {instance} {gets} {stable}{why}. {later}")
        }
    };
    Ok(InstanceExplained {
        id: instance.to_string(),
        place: Some(fraction(place)),
        semver_version: Some(if is_canary { version } else { stable }.to_owned()),
        is_canary,
        from_band: band.map(FromBand::from),
        sentence,
    })
}

/// Why a place does not get the canary.
fn why_not(canary: &Canary, place: u64, is_past: bool) -> String {
    let say = |now: &'static str, past: &'static str| if is_past { past } else { now };
    let (version, is) = (&canary.semver_version, say("is", "was"));
    let here = format!("its place {is} {}", shown(place));
    if canary.is_paused {
        return format!(
            ", as everybody {} while {version} {is} paused: {here}",
            say("does", "did")
        );
    }
    if canary.band == 0 {
        return format!(": {version} {} not begun, and {here}", say("has", "had"));
    }
    let (goes, share) = (say("goes", "went"), output::digits(canary.share));
    format!(": {here}, and {version} {goes} to the places below {share}")
}

/// When an instance will get the canary that it does not get.
fn later(canary: &Canary, band: Option<&Band>, stable: &str, is_past: bool) -> String {
    let version = &canary.semver_version;
    let (gets, is, comes) =
        if is_past { ("was to get", "was", "came") } else { ("gets", "is", "comes") };
    let Some(band) = band else {
        return format!("No band reaches it: it {is} held back for {stable} until the verdict.");
    };
    if canary.is_paused && band.number <= canary.band {
        return format!("It {gets} {version} when that {is} resumed.");
    }
    // A pause moves the bands that lie ahead.
    let begin = if canary.is_paused { String::new() } else { begin(band) };
    let (number, share) = (band.number, output::percent(band.share));
    format!("It {gets} {version} from band {number} ({share}) on{begin}, if it {comes} so far.")
}

/// Its place in a canary that has ended, and from when to when it got it.
fn ended(
    instance: &InstanceId,
    release: &Release,
    decisions: &[Decision],
    scene: &Scene,
) -> Result<Option<(f64, String)>, Failure> {
    let is_on_stage = scene.canary.as_ref().is_some_and(|canary| canary.id == release.id);
    let end = release.verdict.as_ref().filter(|end| decisions.iter().any(|each| each.at == end.at));
    let (Some(end), false) = (end, is_on_stage) else { return Ok(None) };
    let Some(canary) = Canary::of(release, release.band_count, false) else { return Ok(None) };
    let place = place_of(instance, &canary)?;
    let sentence = while_on_trial(&canary, place, end, decisions);
    Ok(Some((fraction(place), sentence)))
}

/// From when to when a place got a canary that has ended.
fn while_on_trial(canary: &Canary, place: u64, end: &Decision, decisions: &[Decision]) -> String {
    let (version, here) = (&canary.semver_version, format!("its place is {}", shown(place)));
    let moment = |text: &str| time::timestamp(text).ok();
    let begin_of = |band: &Band| band.starts_at.as_deref().and_then(moment);
    let band = canary
        .band_of_place(place)
        .filter(|band| begin_of(band).zip(moment(&end.at)).is_some_and(|(begin, end)| begin < end));
    let Some(band) = band else {
        return format!(
            "While {version} was on trial it never got it: {here}, and no band came so far."
        );
    };
    let is_pause =
        |decision: &&Decision| decision.action == "pause" && moment(&decision.at) >= begin_of(band);
    let pauses = if decisions.iter().any(|each| is_pause(&each)) { ", but for pauses" } else { "" };
    format!(
        "While {version} was on trial it got it from {} (band {}, {}) until {}{pauses}: {here}.",
        output::or_dash(band.starts_at.as_deref().map(time::to_the_second)),
        band.number,
        output::percent(band.share),
        time::to_the_second(&end.at),
    )
}

/// ", at 2031-05-07T19:36:00Z".
fn begin(band: &Band) -> String {
    let begin = band.starts_at.as_deref().map(time::to_the_second);
    begin.map(|begin| format!(", at {begin}")).unwrap_or_default()
}

/// The place of an instance in a canary, as a fraction of 2^64.
fn place_of(instance: &InstanceId, canary: &Canary) -> Result<u64, Failure> {
    let id = ReleaseId::parse(&canary.id).map_err(|error| Failure::refused(error.to_string()))?;
    Ok(sticky::place(id, instance))
}

/// A place from 0 to 1.
fn fraction(place: u64) -> f64 {
    place as f64 / 2_f64.powi(64)
}

/// A place with four digits, never rounded up to the next share.
fn shown(place: u64) -> String {
    ((fraction(place) * 1e4).floor() / 1e4).to_string()
}

//! The story of the demo: two products, two canaries, and instances that run them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use canary_client::{Arm, Client, NewProduct, NewRelease, Release, Signal};

use crate::failure::{Ending, Failure};
use crate::output::{self, Output};

/// How long the canaries are on trial.
const PERIOD: Duration = Duration::from_secs(20);
/// The story ends then, told or not.
const LONGEST: Duration = Duration::from_secs(60);
/// How often the counts are shown.
const BEAT: Duration = Duration::from_secs(2);
/// How often decisions are looked for.
const LOOK: Duration = Duration::from_millis(250);
/// How many instances run each product.
const INSTANCES: u64 = 4;
/// How long an instance waits from run to run.
const PAUSE: Duration = Duration::from_millis(70);

const STABLE: &str = "1.0.0";
const CANARY: &str = "1.1.0";
/// How many of a hundred runs of a version without a fault fail.
const USUAL_FAILURES: u64 = 2;

/// One product of the story.
struct Part {
    name: &'static str,
    artifact_url: &'static str,
    /// How many of a hundred runs of the canary fail.
    canary_failures: u64,
    hope: &'static str,
}

const PARTS: [Part; 2] = [
    Part {
        name: "checkout",
        artifact_url: "https://registry.example/checkout",
        canary_failures: USUAL_FAILURES,
        hope: "as good as the stable version, to be promoted",
    },
    Part {
        name: "search",
        artifact_url: "https://registry.example/search",
        canary_failures: 40,
        hope: "it fails in 40 % of its runs, to be rolled back",
    },
];

/// Tells the story until both canaries have their verdict, a minute is over, or `stop` is set.
pub(super) fn tell(
    url: &str,
    stop: &AtomicBool,
    output: &mut Output<'_>,
) -> Result<Ending, Failure> {
    let client = Client::new(url)?;
    let begin = Instant::now();
    output.note(&format!("A Canary server runs at {url}, have a look with a browser.\n"))?;
    let ids = [set_up(&client, &PARTS[0], output)?, set_up(&client, &PARTS[1], output)?];
    let seconds = PERIOD.as_secs();
    let instances = format!(
        "{INSTANCES} instances of each ask for their version and report; a canary is on trial for \
         {seconds} s."
    );
    output.note(&format!("\n{}\n", output::hanging("", &instances)))?;

    let is_over = AtomicBool::new(false);
    let polls = [AtomicU64::new(0), AtomicU64::new(0)];
    let told = thread::scope(|scope| {
        let goes_on = || {
            !stop.load(Ordering::Relaxed)
                && !is_over.load(Ordering::Relaxed)
                && begin.elapsed() < LONGEST
        };
        for (part, polls) in PARTS.iter().zip(&polls) {
            for number in 0..INSTANCES {
                let client = client.clone();
                scope.spawn(move || live(part, number, &client, polls, &goes_on));
            }
        }
        let told = watch(&client, &ids, &polls, begin, &goes_on, output);
        is_over.store(true, Ordering::Relaxed);
        told
    });
    let releases = told?;
    summary(&releases, begin, output)?;
    let are_judged = releases.iter().all(|release| !release.is_open());
    Ok(if are_judged { Ending::Done } else { Ending::Refused })
}

/// Registers a product, its stable version and its canary; the canary's id.
fn set_up(client: &Client, part: &Part, output: &mut Output<'_>) -> Result<String, Failure> {
    let repository_url = format!("https://git.example/{}", part.name);
    client.create_product(&NewProduct::new(part.name, repository_url, part.artifact_url))?;
    client.create_release(&NewRelease::new(part.artifact_url, STABLE).is_canary(false))?;
    let days = PERIOD.as_secs_f64() / 86_400.0;
    let canary = NewRelease::new(part.artifact_url, CANARY).canary_period(days);
    let id = client.create_release(&canary)?;
    let versions = format!("{STABLE} is stable, {CANARY} is a canary: {}", part.hope);
    output.note(&output::hanging(&format!("{:<8}  ", part.name), &versions))?;
    Ok(id)
}

/// The life of one instance: ask, run, report, and again.
fn live(
    part: &Part,
    number: u64,
    client: &Client,
    polls: &AtomicU64,
    goes_on: &(impl Fn() -> bool + Sync),
) {
    let instance = format!("{}-{number}", part.name);
    let mut chance = Chance(number);
    while goes_on() {
        // An instance that cannot reach the server runs what it has; here it just tries again.
        if let Ok(version) = client.latest_stable_version(part.name) {
            polls.fetch_add(1, Ordering::Relaxed);
            let failures = if version == CANARY { part.canary_failures } else { USUAL_FAILURES };
            let signal = if chance.of_a_hundred() < failures {
                Signal::failed(part.artifact_url, version, &instance)
                    .description("a simulated fault")
            } else {
                Signal::success(part.artifact_url, version, &instance)
            };
            let _ = client.send_signal(&signal);
        }
        thread::sleep(PAUSE);
    }
}

/// Prints what happens until both canaries have their verdict; where they stand then.
fn watch(
    client: &Client,
    ids: &[String; 2],
    polls: &[AtomicU64; 2],
    begin: Instant,
    goes_on: &impl Fn() -> bool,
    output: &mut Output<'_>,
) -> Result<Vec<Release>, Failure> {
    let mut seen = [0, 0];
    let mut next_beat = begin + BEAT;
    loop {
        let releases: Vec<Release> =
            ids.iter().map(|id| client.release(id)).collect::<Result<_, _>>()?;
        for ((id, release), seen) in ids.iter().zip(&releases).zip(&mut seen) {
            let decisions = client.decisions(id)?;
            for decision in decisions.iter().skip(*seen) {
                let name = &release.product.name;
                output.note(&line(begin, name, "* ", &decision.sentence))?;
            }
            *seen = decisions.len();
        }
        if releases.iter().all(|release| !release.is_open()) || !goes_on() {
            return Ok(releases);
        }
        if Instant::now() >= next_beat {
            next_beat += BEAT;
            for (release, polls) in releases.iter().zip(polls).filter(|(r, _)| r.is_open()) {
                let polls = polls.load(Ordering::Relaxed);
                output.note(&line(begin, &release.product.name, "", &counts(release, polls)))?;
            }
        }
        thread::sleep(LOOK);
    }
}

/// "  4 s  checkout  band 2 of 5 (40 %), 180 polls; canary 9/9, stable 30/31 ok".
fn line(begin: Instant, name: &str, mark: &str, text: &str) -> String {
    output::hanging(&format!("{:>3} s  {name:<8}  {mark}", begin.elapsed().as_secs()), text)
}

/// What the runs of the present band show; short, so that it stays one line on a screen.
fn counts(release: &Release, polls: u64) -> String {
    let number = release.band.unwrap_or_default();
    let of = release.band_count;
    let ok = |arm: Arm| format!("{}/{}", arm.success, arm.runs());
    match release.bands.iter().find(|band| band.number == number) {
        None => format!("before its first band, {polls} polls"),
        Some(band) => format!(
            "band {number} of {of} ({}), {polls} polls; canary {}, stable {} ok",
            output::percent(band.share),
            ok(band.canary),
            ok(band.stable),
        ),
    }
}

fn summary(releases: &[Release], begin: Instant, output: &mut Output<'_>) -> Result<(), Failure> {
    let row = |release: &Release| {
        vec![
            release.product.name.clone(),
            release.semver_version.clone(),
            release.state.clone(),
            output::succeeded(release.signals.success, release.signals.failed),
        ]
    };
    let table =
        output::columns(&["PRODUCT", "CANARY", "STATE", "RUNS"], &[], releases.iter().map(row));
    output.note(&format!("\nAfter {} s:\n{table}", begin.elapsed().as_secs()))
}

/// Chance that is the same in every demo (SplitMix64).
struct Chance(u64);

impl Chance {
    fn of_a_hundred(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % 100
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bad_canary_fails_often_and_the_good_one_seldom() {
        for (failures, want) in [(USUAL_FAILURES, 100..300), (40, 3_800..4_200)] {
            let mut chance = Chance(1);
            let failed = (0..10_000).filter(|_| chance.of_a_hundred() < failures).count();
            assert!(want.contains(&failed), "{failed}");
        }
    }
}

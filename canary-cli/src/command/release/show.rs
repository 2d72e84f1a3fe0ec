//! `canary release list` and `show`: releases, where they stand and what their runs showed.

use canary_client::{Band, Client, Release};
use clap::Args;

use super::target::Target;
use crate::command::{policy, time};
use crate::failure::Failure;
use crate::output::{self, Output};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary release list
  canary release list etl
  canary release list https://registry.example/etl --limit 3 --output json")]
pub(crate) struct List {
    /// The product's name, id or artifact URL [default: all products]
    product: Option<String>,
    /// The most releases to list
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary release show 0192f0c1-7e9b-7cc3-98c4-dc0c0c07398f
  canary release show --product etl --version 1.5.0")]
pub(crate) struct Show {
    #[command(flatten)]
    target: Target,
}

impl List {
    pub(super) fn run(&self, client: &Client, output: &mut Output<'_>) -> Result<(), Failure> {
        let listing = match &self.product {
            Some(product) => client.releases(product),
            None => client.all_releases(),
        };
        let releases: Vec<Release> = listing.take(self.limit).collect::<Result<_, _>>()?;
        output.show(&releases, |releases| table(releases, self.product.is_none()))
    }
}

impl Show {
    pub(super) fn run(&self, client: &Client, output: &mut Output<'_>) -> Result<(), Failure> {
        output.show(&client.release(&self.target.id(client)?)?, details)
    }
}

/// One row per release, with its product where they may be of several.
fn table(releases: &[Release], with_product: bool) -> String {
    if releases.is_empty() {
        return "no releases".to_owned();
    }
    let row = |release: &Release| {
        let product = with_product.then(|| release.product.name.clone());
        let rest = [
            release.semver_version.clone(),
            release.state.clone(),
            band_of(release),
            output::or_dash(release.share.map(output::percent)),
            release.signals.success.to_string(),
            release.signals.failed.to_string(),
            release.id.clone(),
        ];
        product.into_iter().chain(rest).collect()
    };
    let names = ["PRODUCT", "VERSION", "STATE", "BAND", "SHARE", "SUCCESS", "FAILED", "ID"];
    let names = if with_product { &names[..] } else { &names[1..] };
    let right = ["BAND", "SHARE", "SUCCESS", "FAILED"];
    output::columns(names, &right, releases.iter().map(row))
}

/// "2 of 5", or a dash for a release that is not on trial.
pub(super) fn band_of(release: &Release) -> String {
    output::or_dash(release.band.map(|band| format!("{band} of {}", release.band_count)))
}

fn details(release: &Release) -> String {
    let signals = &release.signals;
    let runs = output::succeeded(signals.success, signals.failed);
    let mut entries = vec![
        ("product", release.product.name.clone()),
        ("version", release.semver_version.clone()),
        ("state", release.state.clone()),
        ("runs", format!("{runs}, {} neutral", signals.neutral)),
        ("threshold", format!("{} %", release.threshold)),
    ];
    if release.is_canary {
        entries.extend([
            ("band", band_of(release)),
            ("share", output::or_dash(release.share.map(output::percent))),
            ("next band at", at(release.next_band_at.as_ref())),
            ("canary period", output::period(release.canary_period)),
        ]);
    }
    let set = policy::differences(&policy::set_in(&release.policy));
    if !set.is_empty() {
        entries.push(("policy", beside_names(&set)));
    }
    entries.extend(unreported(release).map(|unreported| ("unreported", unreported)));
    let date = at(Some(&release.release_date));
    entries.extend([("release date", date), ("id", release.id.clone())]);
    if let Some(verdict) = &release.verdict {
        entries.push(("verdict", beside_names(&verdict.sentence)));
    }
    let mut text = output::pairs(entries);
    if !release.bands.is_empty() {
        text = format!("{text}\n\n{}", bands(&release.bands));
    }
    text
}

/// A sentence in lines that fit beside the names of [`details`].
fn beside_names(sentence: &str) -> String {
    const ROOM: usize = 64;
    output::lines(sentence, ROOM).join("\n")
}

/// "3 of the canary, 1 of the stable version, counted as failed", where there are any.
fn unreported(release: &Release) -> Option<String> {
    let unreported = &release.unreported;
    let counted = if unreported.is_failed { "" } else { "not " };
    (unreported.canary + unreported.stable > 0).then(|| {
        format!(
            "{} of the canary, {} of the stable version, {counted}counted as failed",
            unreported.canary, unreported.stable
        )
    })
}

fn at(rfc_3339: Option<&String>) -> String {
    output::or_dash(rfc_3339.map(|time| time::to_the_second(time)))
}

pub(super) fn bands(bands: &[Band]) -> String {
    let row = |band: &Band| {
        vec![
            band.number.to_string(),
            output::percent(band.share),
            output::part(band.canary.success, band.canary.failed),
            output::part(band.stable.success, band.stable.failed),
            at(band.starts_at.as_ref()),
        ]
    };
    let names = ["BAND", "SHARE", "CANARY SUCCEEDED", "STABLE SUCCEEDED", "STARTS AT"];
    output::columns(&names, &["BAND", "SHARE"], bands.iter().map(row))
}

#[cfg(test)]
mod tests {
    use super::super::release_of_test;
    use super::*;

    fn running() -> Release {
        release_of_test(
            r#""state":"running","band":1,"share":0.2,"next_band_at":"2031-05-07T19:36:00.5Z",
            "signals":{"success":19,"failed":1,"neutral":3,"total":23},
            "unreported":{"canary":2,"stable":0,"is_failed":true},
            "policy":{"rule":"threshold","alpha":0.05,"alpha_floor":0.01,"q":null,
                "report_within":600.0,"min_signals":30},
            "bands":[{"number":1,"share":0.2,"starts_at":"2031-05-07T10:00:00Z",
                "canary":{"success":19,"failed":1},"stable":{"success":80,"failed":0}},
            {"number":2,"share":0.4,"starts_at":"2031-05-07T19:36:00.5Z",
                "canary":{"success":0,"failed":0},"stable":{"success":0,"failed":0}}],
            "verdict":null"#,
        )
    }

    fn rolled_back() -> Release {
        release_of_test(
            r#""state":"rolled_back","band":null,"share":null,"next_band_at":null,
            "signals":{"success":0,"failed":4,"neutral":0,"total":4},"bands":[],
            "verdict":{"at":"2031-05-07T10:00:00Z","action":"rollback","rule":"threshold",
                "sentence":"rolled back 1.5.0: 4 of 4 runs failed, where at least 80 % must succeed (rule threshold, p ≤ 0.0038); everybody gets 1.4.0 again; register the mended software as a new version"}"#,
        )
    }

    #[test]
    fn a_release_is_shown_with_counts_and_shares() {
        insta::assert_snapshot!("details", details(&running()));
        insta::assert_snapshot!("details_of_the_rolled_back", details(&rolled_back()));
    }

    #[test]
    fn releases_are_listed_in_columns() {
        insta::assert_snapshot!("table", table(&[running(), rolled_back()], false));
        insta::assert_snapshot!("table_of_all", table(&[running(), rolled_back()], true));
        assert_eq!(table(&[], true), "no releases");
    }
}

//! The runs of a file, gone through without a server.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use canary_core::judge::rules::Run;
use canary_core::replay::{Plan, Replay};
use canary_core::rollout::Arm;
use canary_core::signal::{InstanceId, MeasurementName, Measurements, Status};
use canary_core::time::Timestamp;
use canary_core::version::Version;
use clap::Args;

use super::Trial;
use super::replayed::{Replayed, RowCounts};
use crate::command::import::{self, Format, Mapping, Record, Refusal, Rows};
use crate::command::signal::import::mapping::{Field, measurements};
use crate::command::time;
use crate::failure::Failure;

/// How many other versions are named where the one that is asked for is missing.
const NAMED: usize = 10;

/// Which file, which versions in it, and how it is understood.
#[derive(Debug, Args)]
pub(super) struct RunsOfFile {
    /// The runs in this file instead of a server's, also compressed with gzip; - is standard input
    #[arg(
        long,
        value_name = "FILE",
        requires = "canary",
        requires = "stable",
        conflicts_with_all = ["report_within", "judge_reading"]
    )]
    pub(super) csv: Option<PathBuf>,
    /// The version in the file that is the canary
    #[arg(long, value_name = "VERSION", requires = "csv", value_parser = version)]
    canary: Option<Version>,
    /// The version in the file that it is compared with
    #[arg(long, value_name = "VERSION", requires = "csv", value_parser = version)]
    stable: Option<Version>,
    /// What the file holds [default: by its name, else csv]
    #[arg(long, value_enum, requires = "csv")]
    format: Option<Format>,
    /// Take a field from a column of another name; may be given more than once
    #[arg(long = "map", value_name = "FIELD=COLUMN", requires = "csv",
        value_parser = import::parse::<Field>)]
    maps: Vec<(Field, String)>,
    /// Give a field the same value in every row; may be given more than once
    #[arg(long = "set", value_name = "FIELD=VALUE", requires = "csv",
        value_parser = import::parse::<Field>)]
    sets: Vec<(Field, String)>,
}

fn version(text: &str) -> Result<Version, String> {
    Version::parse(text).map_err(|error| error.to_string())
}

/// One run of one of the two versions.
struct FileRun {
    at: Timestamp,
    arm: Arm,
    status: Status,
    instance: Option<InstanceId>,
    measurements: Measurements,
}

impl RunsOfFile {
    /// Reads the file, and goes through its runs.
    pub(super) fn replay(self, file: &Path, trial: Trial) -> Result<Replayed, Failure> {
        let missing = || Failure::usage("give --canary and --stable with --csv");
        let (canary, stable) = self.canary.zip(self.stable).ok_or_else(missing)?;
        if canary == stable {
            let message = format!("canary and stable version are both `{canary}`");
            return Err(Failure::usage(message).hint("give --canary and --stable two versions"));
        }
        let format = self.format.or_else(|| import::format_of(file)).unwrap_or(Format::Csv);
        let mapping = Mapping::new(self.maps, self.sets)?;
        let mut reader = Reader {
            mapping,
            canary,
            stable,
            judged: trial.policy.measurements.keys().cloned().collect(),
            runs: Vec::new(),
            counts: RowCounts::default(),
            others: BTreeSet::new(),
        };
        let (bytes, progress) = import::open(file)?;
        let read = reader.read(Rows::read(format, bytes)?);
        progress.finish_and_clear();
        read.and_then(|()| reader.go_through(trial)).map_err(|failure| import::at(failure, file))
    }
}

/// Reads the rows of a file.
struct Reader {
    mapping: Mapping<Field>,
    canary: Version,
    stable: Version,
    /// The measurements that are looked at.
    judged: Vec<MeasurementName>,
    runs: Vec<FileRun>,
    counts: RowCounts,
    /// Versions of the file that are neither, the first few.
    others: BTreeSet<String>,
}

impl Reader {
    fn read(&mut self, rows: Rows) -> Result<(), Failure> {
        if let Some(names) = rows.names() {
            let needed: &[Field] = match names.contains(&"version") {
                true => &[Field::Status, Field::CreatedDate],
                false => &[Field::SemverVersion, Field::Status, Field::CreatedDate],
            };
            self.mapping.check_for(needed, &names)?;
        }
        for row in rows {
            let row = row?;
            self.counts.read += 1;
            match row.content.and_then(|record| self.run(&record)) {
                Ok(Some(run)) => self.runs.push(run),
                Ok(None) => self.counts.of_other_versions += 1,
                Err(reason) => self.counts.refuse(Refusal::here(row.line, reason)),
            }
        }
        Ok(())
    }

    /// The run that a row tells of; nothing if it is of another version.
    fn run(&mut self, record: &Record) -> Result<Option<FileRun>, String> {
        let mapping = &self.mapping;
        // Files that were not made for Canary call it so.
        let version = mapping.value(&Field::SemverVersion, record);
        let version = version.or_else(|| record.get("version"));
        let version = version.ok_or_else(|| "no value for `semver_version`".to_owned())?;
        let arm = match &*version {
            version if version == self.canary.as_str() => Arm::Canary,
            version if version == self.stable.as_str() => Arm::Stable,
            version => {
                if self.others.len() < NAMED {
                    self.others.insert(version.to_owned());
                }
                return Ok(None);
            }
        };
        let date = mapping.needed(&Field::CreatedDate, record)?;
        let at = time::timestamp(&date).map_err(|reason| format!("created_date {reason}"))?;
        let status = mapping.needed(&Field::Status, record)?;
        let instance = mapping.value(&Field::InstanceId, record);
        let judged = measurements(mapping, record, |name| {
            self.judged.iter().any(|judged| judged.as_str() == name)
        })?;
        let error = |error: canary_core::value::ValueError| error.to_string();
        Ok(Some(FileRun {
            at: Timestamp::from_micros(at.as_microsecond()),
            arm,
            status: Status::parse(&status).map_err(error)?,
            instance: instance.map(|name| InstanceId::parse(&*name)).transpose().map_err(error)?,
            measurements: Measurements::parse(judged).map_err(error)?,
        }))
    }

    fn go_through(mut self, trial: Trial) -> Result<Replayed, Failure> {
        self.runs.sort_by_key(|run| run.at);
        let first = self.runs.iter().find(|run| run.arm == Arm::Canary);
        let begins_at = first.ok_or_else(|| self.without(&self.canary))?.at;
        // What the stable version did before says nothing of the time of the canary.
        let first = self.runs.partition_point(|run| run.at < begins_at);
        self.counts.before_the_canary = first as u64;
        let runs = self.runs.split_off(first);
        if !runs.iter().any(|run| run.arm == Arm::Stable) {
            return Err(self.without(&self.stable));
        }
        let ends_at = runs.last().map_or(begins_at, |run| run.at);
        let plan = trial.plan(self.stable, self.canary, begins_at);
        let mut replay = Replay::new(plan.clone());
        for FileRun { at, arm, status, instance, measurements } in &runs {
            let (instance, measurements) = (instance.as_ref(), Some(measurements));
            replay.observe(*arm, Run { status: *status, instance, measurements }, *at);
        }
        Ok(Replayed::of(&plan, &replay.finish(), ends_at, self.counts))
    }

    /// That a version does not run in the file.
    fn without(&self, version: &Version) -> Failure {
        let during = if *version == self.stable && self.counts.before_the_canary > 0 {
            format!(" after the first of `{}`", self.canary)
        } else {
            String::new()
        };
        let failure = Failure::refused(format!("there is no run of `{version}`{during}"));
        let others: Vec<_> = self.others.iter().map(String::as_str).collect();
        match others.as_slice() {
            [] => failure,
            others => failure.hint(format!("there are runs of {}", others.join(", "))),
        }
    }
}

impl Trial {
    fn plan(self, stable: Version, canary: Version, begins_at: Timestamp) -> Plan {
        let Self { threshold, canary_period, band_count, policy } = self;
        Plan { stable, canary, threshold, canary_period, band_count, begins_at, policy }
    }
}

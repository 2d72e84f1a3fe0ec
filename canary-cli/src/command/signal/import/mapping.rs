//! From the columns of a row to the fields of a signal.

use std::borrow::Cow;
use std::str::FromStr;

use canary_client::Signal;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use uuid::Uuid;

use super::rows::Record;
use crate::command::{name_and_value, nearest};
use crate::failure::Failure;

/// One field of a signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    ArtifactUrl,
    SemverVersion,
    InstanceId,
    Status,
    Description,
    Id,
    CreatedDate,
    Measurement(String),
}

/// What stands before the name of a measurement.
pub(super) const MEASUREMENTS: &str = "measurements.";

/// The namespace of the ids that are made of rows.
const NAMESPACE: Uuid = Uuid::from_u128(0x6e1c_0f0b_52a4_4b5e_9d3a_3f0e_6a1b_77c2);

impl Field {
    const PLAIN: [Self; 7] = [
        Self::ArtifactUrl,
        Self::SemverVersion,
        Self::InstanceId,
        Self::Status,
        Self::Description,
        Self::Id,
        Self::CreatedDate,
    ];
    const NEEDED: [Self; 4] =
        [Self::ArtifactUrl, Self::SemverVersion, Self::InstanceId, Self::Status];

    pub(super) fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::ArtifactUrl => "artifact_url",
            Self::SemverVersion => "semver_version",
            Self::InstanceId => "instance_id",
            Self::Status => "status",
            Self::Description => "description",
            Self::Id => "id",
            Self::CreatedDate => "created_date",
            Self::Measurement(name) => return Cow::Owned(format!("{MEASUREMENTS}{name}")),
        })
    }
}

impl FromStr for Field {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix(MEASUREMENTS).filter(|name| !name.is_empty()) {
            return Ok(Self::Measurement(name.to_owned()));
        }
        if let Some(field) = Self::PLAIN.into_iter().find(|field| field.name() == text) {
            return Ok(field);
        }
        const KNOWN: [&str; 8] = [
            "artifact_url",
            "semver_version",
            "instance_id",
            "status",
            "description",
            "id",
            "created_date",
            "measurements.NAME",
        ];
        let guess = nearest(text, KNOWN).map(|name| format!(", did you mean `{name}`?"));
        let known = KNOWN.join(", ");
        Err(format!("unknown field `{text}`{} (known are {known})", guess.unwrap_or_default()))
    }
}

/// Reads `FIELD=COLUMN` or `FIELD=VALUE`.
pub(super) fn parse(text: &str) -> Result<(Field, String), String> {
    let (field, value) = name_and_value(text)?;
    Ok((field.parse()?, value.to_owned()))
}

/// Where a field's value comes from, if not from the column of its own name.
#[derive(Debug)]
enum Source {
    Column(String),
    Constant(String),
}

/// Where the values of all fields come from.
#[derive(Debug)]
pub(super) struct Mapping(Vec<(Field, Source)>);

impl Mapping {
    pub(super) fn new(
        maps: Vec<(Field, String)>,
        sets: Vec<(Field, String)>,
    ) -> Result<Self, Failure> {
        let maps = maps.into_iter().map(|(field, column)| (field, Source::Column(column)));
        let sets = sets.into_iter().map(|(field, value)| (field, Source::Constant(value)));
        let mut sources: Vec<(Field, Source)> = Vec::new();
        for (field, source) in maps.chain(sets) {
            if sources.iter().any(|(known, _)| *known == field) {
                let message = format!("field `{}` is given more than once", field.name());
                return Err(Failure::usage(message).hint("keep one --map or --set for it"));
            }
            sources.push((field, source));
        }
        Ok(Self(sources))
    }

    /// Checks before anything is sent that the file has the columns that are wanted.
    pub(super) fn check(&self, names: &[&str]) -> Result<(), Failure> {
        for (_, source) in &self.0 {
            if let Source::Column(column) = source
                && !names.contains(&column.as_str())
            {
                let hint = match nearest(column, names.iter().copied()) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => format!("there are: {}", names.join(", ")),
                };
                return Err(Failure::usage(format!("the file has no column `{column}`")).hint(hint));
            }
        }
        for field in Field::NEEDED {
            let name = field.name();
            if self.source(&field).is_none() && !names.contains(&&*name) {
                let hint = format!(
                    "name its column with --map {name}=COLUMN, or set it with --set {name}=VALUE"
                );
                let message = format!("the file has no column for `{name}`");
                return Err(Failure::usage(message).hint(hint));
            }
        }
        Ok(())
    }

    /// What a row says, or why it cannot be sent.
    pub(super) fn signal(&self, line: u64, record: &Record) -> Result<Signal, String> {
        let needed = |field: Field| {
            self.value(&field, record).ok_or_else(|| format!("no value for `{}`", field.name()))
        };
        let artifact_url = needed(Field::ArtifactUrl)?;
        let id = match self.value(&Field::Id, record) {
            Some(id) => id.into_owned(),
            None => id_of(line, &artifact_url, &record.raw()),
        };
        let mut signal = Signal::new(
            artifact_url,
            needed(Field::SemverVersion)?,
            needed(Field::InstanceId)?,
            needed(Field::Status)?,
        )
        .id(id);
        if let Some(description) = self.value(&Field::Description, record) {
            signal = signal.description(description);
        }
        if let Some(date) = self.value(&Field::CreatedDate, record) {
            signal = signal.created_date(rfc_3339(&date)?);
        }
        for (name, value) in self.measurements(record) {
            match value.trim().parse::<f64>() {
                Ok(number) if number.is_finite() => signal = signal.measurement(name, number),
                _ => return Err(format!("measurement `{name}` must be a number, got `{value}`")),
            }
        }
        Ok(signal)
    }

    fn source(&self, field: &Field) -> Option<&Source> {
        self.0.iter().find(|(known, _)| known == field).map(|(_, source)| source)
    }

    /// The value of a field; an empty one counts as absent.
    fn value<'a>(&'a self, field: &Field, record: &'a Record) -> Option<Cow<'a, str>> {
        match self.source(field) {
            Some(Source::Constant(value)) => Some(Cow::Borrowed(value)),
            Some(Source::Column(column)) => record.get(column),
            None => record.get(&field.name()),
        }
    }

    /// Measurements that the row has under their own names, and those that are mapped.
    fn measurements<'a>(&'a self, record: &'a Record) -> Vec<(String, Cow<'a, str>)> {
        let mut found = record.measurements();
        for (field, _) in &self.0 {
            if let Field::Measurement(name) = field {
                found.retain(|(known, _)| known != name);
                found.extend(self.value(field, record).map(|value| (name.clone(), value)));
            }
        }
        found
    }
}

/// The id of a row that brings none: the same for the same row at the same place.
fn id_of(line: u64, artifact_url: &str, raw: &str) -> String {
    Uuid::new_v5(&NAMESPACE, format!("{artifact_url}\n{line}\n{raw}").as_bytes()).to_string()
}

/// A time as RFC 3339: from RFC 3339, from a date and time without zone (which is UTC), or from
/// epoch seconds.
fn rfc_3339(text: &str) -> Result<String, String> {
    let text = text.trim();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time.to_string());
    }
    if let Ok(time) = text.parse::<DateTime>()
        && let Ok(zoned) = time.to_zoned(TimeZone::UTC)
    {
        return Ok(zoned.timestamp().to_string());
    }
    let refuse = || format!("created_date must be RFC 3339 or epoch seconds, got `{text}`");
    let seconds: f64 = text.parse().map_err(|_| refuse())?;
    if !seconds.is_finite() {
        return Err(refuse());
    }
    // A float holds the microseconds of our time, and no more.
    let time = Timestamp::from_microsecond((seconds * 1e6).round() as i64);
    time.map(|time| time.to_string()).map_err(|_| refuse())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_field_is_answered_with_the_nearest() {
        let error = parse("statsu=state").unwrap_err();
        assert!(error.starts_with("unknown field `statsu`, did you mean `status`?"), "{error}");
        let error = parse("version=v").unwrap_err();
        assert!(error.contains("did you mean `semver_version`?"), "{error}");
        let error = parse("measurements.=x").unwrap_err();
        assert!(error.contains("did you mean `measurements.NAME`?"), "{error}");
        assert!(parse("xyzzy=x").unwrap_err().starts_with("unknown field `xyzzy` (known are "));
        assert_eq!(
            parse("measurements.latency_ms=a=b"),
            Ok((Field::Measurement("latency_ms".into()), "a=b".into()))
        );
        assert!(parse("status").is_err());
    }

    #[test]
    fn a_field_has_one_source() {
        let both = |sets| Mapping::new(vec![(Field::Status, "state".into())], sets);
        assert!(both(vec![(Field::Id, "x".into())]).is_ok());
        let failure = both(vec![(Field::Status, "ok".into())]).unwrap_err();
        assert_eq!(failure.exit_code(), 2);
        assert!(failure.text().starts_with("error: field `status` is given more than once\n"));
    }

    #[test]
    fn columns_are_checked_before_anything_is_sent() {
        let maps = |column: &str| vec![(Field::Status, column.to_owned())];
        let names = ["artifact_url", "semver_version", "instance_id", "state"];
        assert!(Mapping::new(maps("state"), vec![]).unwrap().check(&names).is_ok());

        let failure = Mapping::new(maps("sate"), vec![]).unwrap().check(&names).unwrap_err();
        assert_eq!(
            failure.text(),
            "error: the file has no column `sate`\nhint: did you mean `state`?\n"
        );
        let failure = Mapping::new(vec![], vec![]).unwrap().check(&names).unwrap_err();
        assert_eq!(failure.exit_code(), 2);
        assert!(
            failure.text().contains("no column for `status`\nhint: name its column with --map")
        );
    }

    #[test]
    fn times_become_rfc_3339() {
        let cases = [
            ("2031-05-07T10:00:00Z", Some("2031-05-07T10:00:00Z")),
            ("2031-05-07T12:00:00+02:00", Some("2031-05-07T10:00:00Z")),
            ("2031-05-07 10:00:00.5", Some("2031-05-07T10:00:00.5Z")),
            ("1700000000", Some("2023-11-14T22:13:20Z")),
            (" 1700000000.25 ", Some("2023-11-14T22:13:20.25Z")),
            ("yesterday", None),
            ("NaN", None),
            ("1e300", None),
        ];
        for (text, want) in cases {
            assert_eq!(rfc_3339(text).ok().as_deref(), want, "{text}");
        }
    }

    #[test]
    fn the_same_row_has_the_same_id_and_another_has_another() {
        let id = id_of(2, "https://etl", "a,b");
        assert_eq!(id, id_of(2, "https://etl", "a,b"));
        for other in [
            id_of(3, "https://etl", "a,b"),
            id_of(2, "https://other", "a,b"),
            id_of(2, "https://etl", "a,c"),
        ] {
            assert_ne!(id, other);
        }
        // Files that were imported with an older program must keep their ids.
        insta::assert_snapshot!(id);
    }
}

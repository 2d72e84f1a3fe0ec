//! From a row to a signal.

use std::borrow::Cow;

use canary_client::{Client, Rejection, Signal};
use uuid::Uuid;

use crate::command::import::{self, Mapping, Record, Summary};
use crate::command::time;
use crate::failure::Failure;

/// One field of a signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Field {
    ArtifactUrl,
    SemverVersion,
    InstanceId,
    Status,
    Description,
    Id,
    CreatedDate,
    Measurement(String),
}

/// What stands, with a dot, before the name of a measurement.
const MEASUREMENTS: &str = "measurements";

/// The namespace of the ids that are made of rows.
const NAMESPACE: Uuid = Uuid::from_u128(0x6e1c_0f0b_52a4_4b5e_9d3a_3f0e_6a1b_77c2);

impl import::Field for Field {
    const PLAIN: &'static [Self] = &[
        Self::ArtifactUrl,
        Self::SemverVersion,
        Self::InstanceId,
        Self::Status,
        Self::Description,
        Self::Id,
        Self::CreatedDate,
    ];
    const NEEDED: &'static [Self] =
        &[Self::ArtifactUrl, Self::SemverVersion, Self::InstanceId, Self::Status];
    const FAMILIES: &'static [&'static str] = &["measurements.NAME"];

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::ArtifactUrl => "artifact_url",
            Self::SemverVersion => "semver_version",
            Self::InstanceId => "instance_id",
            Self::Status => "status",
            Self::Description => "description",
            Self::Id => "id",
            Self::CreatedDate => "created_date",
            Self::Measurement(name) => return Cow::Owned(format!("{MEASUREMENTS}.{name}")),
        })
    }

    fn named(name: &str) -> Option<Self> {
        let measurement = name.strip_prefix(MEASUREMENTS).and_then(|rest| rest.strip_prefix('.'));
        match measurement {
            Some(name) if !name.is_empty() => Some(Self::Measurement(name.to_owned())),
            _ => Self::PLAIN.iter().find(|field| field.name() == name).cloned(),
        }
    }
}

impl import::Item for Signal {
    type Field = Field;
    const CHUNK: usize = 5_000;
    const TELLS_DUPLICATES: bool = true;

    fn of(mapping: &Mapping<Field>, line: u64, record: &Record) -> Result<Self, String> {
        let artifact_url = mapping.needed(&Field::ArtifactUrl, record)?;
        let id = match mapping.value(&Field::Id, record) {
            Some(id) => id.into_owned(),
            None => id_of(line, &artifact_url, &record.raw()),
        };
        let mut signal = Self::new(
            artifact_url,
            mapping.needed(&Field::SemverVersion, record)?,
            mapping.needed(&Field::InstanceId, record)?,
            mapping.needed(&Field::Status, record)?,
        )
        .id(id);
        if let Some(description) = mapping.value(&Field::Description, record) {
            signal = signal.description(description);
        }
        if let Some(date) = mapping.value(&Field::CreatedDate, record) {
            let date = time::timestamp(&date).map_err(|reason| format!("created_date {reason}"))?;
            signal = signal.created_date(date.to_string());
        }
        for (name, number) in measurements(mapping, record, |_| true)? {
            signal = signal.measurement(name, number);
        }
        Ok(signal)
    }

    fn send(
        chunk: Vec<Self>,
        client: &Client,
        summary: &mut Summary,
    ) -> Result<Vec<Rejection>, Failure> {
        let outcome = client.send_signals(chunk)?;
        summary.accepted += outcome.accepted;
        summary.known_already(outcome.duplicates);
        Ok(outcome.rejected)
    }
}

/// Measurements that the row has under their own names, and those that are mapped; those that
/// nobody wants need not be numbers.
pub(crate) fn measurements(
    mapping: &Mapping<Field>,
    record: &Record,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<Vec<(String, f64)>, String> {
    let mut found = record.family(MEASUREMENTS);
    for field in mapping.fields() {
        if let Field::Measurement(name) = field {
            found.retain(|(known, _)| known != name);
            found.extend(mapping.value(field, record).map(|value| (name.clone(), value)));
        }
    }
    let wanted = found.into_iter().filter(|(name, _)| is_wanted(name));
    let number = |(name, value): (String, Cow<'_, str>)| match value.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((name, number)),
        _ => Err(format!("measurement `{name}` must be a number, got `{value}`")),
    };
    wanted.map(number).collect()
}

/// The id of a row that brings none: the same for the same row at the same place.
fn id_of(line: u64, artifact_url: &str, raw: &str) -> String {
    Uuid::new_v5(&NAMESPACE, format!("{artifact_url}\n{line}\n{raw}").as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::import::parse;

    #[test]
    fn an_unknown_field_is_answered_with_the_nearest() {
        let error = parse::<Field>("statsu=state").unwrap_err();
        assert!(error.starts_with("unknown field `statsu`, did you mean `status`?"), "{error}");
        let error = parse::<Field>("version=v").unwrap_err();
        assert!(error.contains("did you mean `semver_version`?"), "{error}");
        let error = parse::<Field>("measurements.=x").unwrap_err();
        assert!(error.contains("did you mean `measurements.NAME`?"), "{error}");
        assert!(
            parse::<Field>("xyzzy=x").unwrap_err().starts_with("unknown field `xyzzy` (known are ")
        );
        assert_eq!(
            parse::<Field>("measurements.latency_ms=a=b"),
            Ok((Field::Measurement("latency_ms".into()), "a=b".into()))
        );
        assert!(parse::<Field>("status").is_err());
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
        let failure = Mapping::<Field>::new(vec![], vec![]).unwrap().check(&names).unwrap_err();
        assert_eq!(failure.exit_code(), 2);
        assert!(
            failure.text().contains("no column for `status`\nhint: name its column with --map")
        );
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

//! `canary reading stats`: what many readings say together.

use canary_client::{Client, FleetFilter, ReadingSummary, ReadingType, StoredReading};
use clap::Args;
use serde::Serialize;

use super::Period;
use crate::command::time;
use crate::failure::Failure;
use crate::output::{self, Output};

mod histogram;

/// Shows what the readings of a device, or of all devices, say together
///
/// Values are shown in the unit of their type. Quartiles are Tukey's hinges. Each answer says
/// whether it is exact, and if not, by how much it may be off. Exits with 1 if there are no readings.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary reading stats --device greenhouse-7 --type temperature
  canary reading stats --device greenhouse-7 --type temperature --start 2031-05-07 \\
      --end 2031-05-07 --bins 24
  canary reading stats --type temperature --version 1.5.0 --output json")]
pub(crate) struct Stats {
    /// The device that measured [default: all devices]
    #[arg(long)]
    device: Option<String>,
    /// The type of the readings, see `canary reading types`
    #[arg(long = "type", value_name = "TYPE")]
    reading_type: String,
    /// Only readings of devices that ran this version
    #[arg(long, conflicts_with = "device")]
    version: Option<String>,
    #[command(flatten)]
    period: Period,
    /// The bars of the histogram, 1 to 100
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 10,
        value_parser = clap::value_parser!(u16).range(1..=100)
    )]
    bins: u16,
}

impl Stats {
    pub(super) fn run(&self, client: &Client, output: &mut Output<'_>) -> Result<(), Failure> {
        let bins = Some(self.bins);
        let summary = match &self.device {
            Some(device) => {
                client.summary(&self.period.of(device, Some(&self.reading_type)), bins)?
            }
            None => client.fleet_summary(&self.fleet(), bins)?,
        };
        let summary = summary.ok_or_else(|| self.nothing())?;
        let unit = unit_of(&summary.reading_type, client.reading_types()?);
        output.show(&Stated { summary, unit }, text)
    }

    fn fleet(&self) -> FleetFilter {
        let mut filter = FleetFilter::new(&self.reading_type);
        if let Some(version) = &self.version {
            filter = filter.version(version);
        }
        if let Some(epoch_s) = self.period.start {
            filter = filter.start(epoch_s);
        }
        if let Some(epoch_s) = self.period.end {
            filter = filter.end(epoch_s);
        }
        filter
    }

    fn nothing(&self) -> Failure {
        let of = match (&self.device, &self.version) {
            (Some(device), _) => format!(" of device `{device}`"),
            (None, Some(version)) => format!(" of version `{version}`"),
            (None, None) => String::new(),
        };
        let is_open = self.period.start.is_none() && self.period.end.is_none();
        let time = if is_open { "" } else { " in this time" };
        Failure::refused(format!("there are no `{}` readings{of}{time}", self.reading_type))
    }
}

/// The server's answer, and what its values are measured in.
#[derive(Serialize)]
struct Stated {
    #[serde(flatten)]
    summary: ReadingSummary,
    /// May be empty.
    unit: String,
}

impl Stated {
    /// "22 °C", or "22" of a type without a unit.
    fn value(&self, value: f64) -> String {
        let number = output::number(value);
        if self.unit.is_empty() { number } else { format!("{number} {}", self.unit) }
    }

    /// "1.5 (m/s)²": the brackets keep it from being m/s².
    fn square(&self, value: f64) -> String {
        let number = output::number(value);
        if self.unit.is_empty() { number } else { format!("{number} ({})²", self.unit) }
    }

    /// "22 °C at 2031-05-07T10:00:00Z", and of all devices by which.
    fn at(&self, reading: &StoredReading) -> String {
        let StoredReading { device_uuid, .. } = reading;
        let tells_device = self.summary.device_uuid.is_none() && !device_uuid.is_empty();
        let by = if tells_device { format!(" by {device_uuid}") } else { String::new() };
        format!("{} at {}{by}", self.value(reading.value), time::rfc_3339(reading.date_created))
    }
}

/// Types are never taken back: one that has readings is among those that are declared.
fn unit_of(name: &str, types: Vec<ReadingType>) -> String {
    types
        .into_iter()
        .find(|declared| declared.name == name)
        .map_or_else(String::new, |declared| declared.unit)
}

fn text(stated: &Stated) -> String {
    let Stated { summary, .. } = stated;
    let whose = [("device", &summary.device_uuid), ("version", &summary.version)];
    let whose = whose.into_iter().filter_map(|(name, value)| Some((name, value.clone()?)));
    let statistics = [
        ("type", summary.reading_type.clone()),
        ("count", summary.count.to_string()),
        ("min", stated.at(&summary.min)),
        ("quartile 1", stated.value(summary.quartile_1)),
        ("median", stated.value(summary.median.value)),
        ("quartile 3", stated.value(summary.quartile_3)),
        ("max", stated.at(&summary.max)),
        ("mean", stated.value(summary.mean)),
        ("mode", stated.value(summary.mode)),
        ("variance", output::or_dash(summary.variance.map(|value| stated.square(value)))),
        ("accuracy", accuracy(summary)),
    ];
    let table = output::pairs(whose.chain(statistics));
    match summary.histogram.as_slice() {
        [] => table,
        bins => format!("{table}\n\n{}", histogram::text(bins)),
    }
}

fn accuracy(summary: &ReadingSummary) -> String {
    let mut accuracy = match summary.relative_error {
        _ if summary.exact => "exact".to_owned(),
        Some(part) => format!("within {} %", output::number(part * 100.0)),
        None => "not exact".to_owned(),
    };
    if summary.rounded_to_hours {
        accuracy.push_str(", old readings by whole hours");
    }
    accuracy
}

#[cfg(test)]
mod tests;

//! `canary reading stats`: what many readings say together.

use canary_client::{Client, FleetFilter, ReadingSummary, StoredReading};
use clap::Args;

use super::Period;
use crate::command::time;
use crate::failure::Failure;
use crate::output::{self, Output};

mod histogram;

/// Shows what the readings of a device, or of all devices, say together
///
/// Quartiles are Tukey's hinges. Each answer says whether it is exact, and if not, by how much it
/// may be off. Exits with 1 if there are no readings.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary reading stats --device greenhouse-7 --type temperature
  canary reading stats --device greenhouse-7 --type temperature --start 2031-05-07T00:00:00Z \\
      --end 2031-05-07T23:59:59Z --bins 24
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
        output.show(&summary, text)
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

fn text(summary: &ReadingSummary) -> String {
    let whose = [("device", &summary.device_uuid), ("version", &summary.version)];
    let whose = whose.into_iter().filter_map(|(name, value)| Some((name, value.clone()?)));
    let is_fleet = summary.device_uuid.is_none();
    let statistics = [
        ("type", summary.reading_type.clone()),
        ("count", summary.count.to_string()),
        ("min", at(&summary.min, is_fleet)),
        ("quartile 1", output::number(summary.quartile_1)),
        ("median", output::number(summary.median.value)),
        ("quartile 3", output::number(summary.quartile_3)),
        ("max", at(&summary.max, is_fleet)),
        ("mean", output::number(summary.mean)),
        ("mode", output::number(summary.mode)),
        ("variance", output::or_dash(summary.variance.map(output::number))),
        ("accuracy", accuracy(summary)),
    ];
    let table = output::pairs(whose.chain(statistics));
    match summary.histogram.as_slice() {
        [] => table,
        bins => format!("{table}\n\n{}", histogram::text(bins)),
    }
}

/// "22 at 2031-05-07T10:00:00Z", and by which device.
fn at(reading: &StoredReading, tells_device: bool) -> String {
    let StoredReading { device_uuid, .. } = reading;
    let by = if tells_device && !device_uuid.is_empty() {
        format!(" by {device_uuid}")
    } else {
        String::new()
    };
    format!("{} at {}{by}", output::number(reading.value), time::rfc_3339(reading.date_created))
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

//! `canary reading export`: the readings of a device, as a file.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use canary_client::{Client, StoredReading};
use clap::Args;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;

use super::Period;
use crate::command::import::{Format, format_of};
use crate::failure::Failure;
use crate::output::Output;

/// Writes the readings of a device, in the order of time
///
/// They go to standard output, or to a file, as they come from the server: there may be more of
/// them than fit into memory. `canary reading import` reads what is written, in both formats.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary reading export --device greenhouse-7 > readings.csv
  canary reading export --device greenhouse-7 --type temperature \\
      --start 2031-05-01 --end 2031-05-31 --file readings.ndjson.gz
  canary reading export --device greenhouse-7 --format ndjson | jq .value")]
pub(crate) struct Export {
    /// The device that measured
    #[arg(long)]
    device: String,
    /// Only readings of this type
    #[arg(long = "type", value_name = "TYPE")]
    reading_type: Option<String>,
    #[command(flatten)]
    period: Period,
    /// What to write [default: by the file's name, else csv]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Write to this file, compressed if its name ends with .gz
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// What is said about a file that was written.
#[derive(Serialize)]
struct Exported<'a> {
    readings: u64,
    file: &'a Path,
}

impl Export {
    pub(super) fn run(&self, client: &Client, output: &mut Output<'_>) -> Result<(), Failure> {
        let readings = client.readings(&self.period.of(&self.device, self.reading_type.as_deref()));
        let Some(file) = &self.file else {
            let format = self.format.unwrap_or(Format::Csv);
            return write(readings, format, output.bytes()).map(drop);
        };
        let format = self.format.or_else(|| format_of(file)).unwrap_or(Format::Csv);
        let count = write_file(file, |bytes| write(readings, format, bytes))
            .map_err(|failure| failure.while_doing(file.display()))?;
        output.show(&Exported { readings: count, file }, |exported| {
            format!("wrote {} readings to {}", exported.readings, exported.file.display())
        })
    }
}

/// Makes a file of what `write` writes.
fn write_file(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<u64, Failure>,
) -> Result<u64, Failure> {
    let mut file = File::create(path)?;
    if path.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("gz")) {
        return write(&mut file);
    }
    let mut gzip = GzEncoder::new(file, Compression::default());
    let count = write(&mut gzip)?;
    gzip.finish()?;
    Ok(count)
}

/// Writes readings as they come, and gives their count.
fn write(
    readings: impl Iterator<Item = canary_client::Result<StoredReading>>,
    format: Format,
    bytes: &mut dyn Write,
) -> Result<u64, Failure> {
    match format {
        Format::Csv => write_csv(readings, bytes),
        Format::Ndjson => write_ndjson(readings, bytes),
    }
}

fn write_csv(
    readings: impl Iterator<Item = canary_client::Result<StoredReading>>,
    bytes: &mut dyn Write,
) -> Result<u64, Failure> {
    let mut writer = csv::Writer::from_writer(bytes);
    let names = ["device_uuid", "type", "value", "date_created", "version"];
    writer.write_record(names).map_err(io_error)?;
    let mut count = 0;
    for reading in readings {
        let StoredReading { device_uuid, reading_type, value, date_created, version, .. } =
            reading?;
        let (value, date) = (value.to_string(), date_created.to_string());
        let row = [&device_uuid, &reading_type, &value, &date, version.as_deref().unwrap_or("")];
        writer.write_record(row).map_err(io_error)?;
        count += 1;
    }
    writer.flush()?;
    Ok(count)
}

fn write_ndjson(
    readings: impl Iterator<Item = canary_client::Result<StoredReading>>,
    bytes: &mut dyn Write,
) -> Result<u64, Failure> {
    let mut writer = BufWriter::new(bytes);
    let mut count = 0;
    for reading in readings {
        serde_json::to_writer(&mut writer, &reading?).map_err(io::Error::from)?;
        writer.write_all(b"\n")?;
        count += 1;
    }
    writer.flush()?;
    Ok(count)
}

/// What the system said, so that a reader that has left is known as such.
fn io_error(error: csv::Error) -> Failure {
    match error.into_kind() {
        csv::ErrorKind::Io(cause) => cause.into(),
        other => Failure::refused(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use canary_client::{Error, Reading};

    use super::*;
    use crate::command::import::{Item, Mapping, Rows, decompressed};

    const LINES: &str = r#"{"date_created":17,"device_uuid":"a, \"b\"","type":"wind","value":-1.5}
{"date_created":18,"device_uuid":"d","type":"temperature","value":22,"version":"1.5.0"}
"#;

    fn stored() -> impl Iterator<Item = canary_client::Result<StoredReading>> {
        LINES.lines().map(|line| Ok(serde_json::from_str(line).unwrap()))
    }

    fn text(format: Format) -> String {
        let mut bytes = Vec::new();
        assert_eq!(write(stored(), format, &mut bytes).unwrap(), 2);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn both_formats_say_all_and_can_be_imported_again() {
        assert_eq!(
            text(Format::Csv),
            "device_uuid,type,value,date_created,version\n\
            \"a, \"\"b\"\"\",wind,-1.5,17,\nd,temperature,22,18,1.5.0\n"
        );
        assert_eq!(text(Format::Ndjson), LINES);
        let want: Vec<_> = stored().map(|stored| Reading::from(stored.unwrap())).collect();
        for format in [Format::Csv, Format::Ndjson] {
            let bytes = decompressed(io::Cursor::new(text(format))).unwrap();
            let mapping = Mapping::new(Vec::new(), Vec::new()).unwrap();
            let rows = Rows::read(format, bytes).unwrap();
            let again = rows.map(|row| {
                let row = row.unwrap();
                Reading::of(&mapping, row.line, &row.content.unwrap()).unwrap()
            });
            assert_eq!(again.collect::<Vec<_>>(), want);
        }
    }

    #[test]
    fn a_file_is_compressed_if_its_name_says_so() {
        let directory = tempfile::tempdir().unwrap();
        for (name, is_gzip) in [("a.csv", false), ("a.csv.gz", true), ("a.CSV.GZ", true)] {
            let path = directory.path().join(name);
            write_file(&path, |bytes| write(stored(), Format::Csv, bytes)).unwrap();
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(bytes.starts_with(&[0x1f, 0x8b]), is_gzip, "{name}");
            let whole = io::read_to_string(decompressed(io::Cursor::new(bytes)).unwrap()).unwrap();
            assert_eq!(whole, text(Format::Csv), "{name}");
        }
    }

    #[test]
    fn what_came_before_an_error_is_written() {
        let lost = Error::Unreachable { url: "http://x".into(), reason: "refused".into() };
        for format in [Format::Csv, Format::Ndjson] {
            let mut bytes = Vec::new();
            let failure =
                write(stored().chain([Err(lost.clone())]), format, &mut bytes).unwrap_err();
            assert_eq!(failure.exit_code(), 75);
            assert_eq!(String::from_utf8(bytes).unwrap(), text(format));
        }
    }
}

//! The same statistics from nothing but a sort.

use canary_client::{ReadingSummary, StoredReading};

use super::data::{Measured, Month};

/// Compares a summary with the rows that it is of; gives the number of statistics that were
/// compared.
///
/// # Errors
///
/// A sentence about the first one that is not as it must be.
pub fn check(
    summary: &ReadingSummary,
    rows: &[Measured],
    airport: Option<&str>,
    kind: &str,
    month: Option<Month>,
) -> Result<usize, String> {
    let is_meant = |row: &&Measured| {
        row.kind == kind
            && airport.is_none_or(|airport| airport == row.device_uuid)
            && month.is_none_or(|month| (month.start..=month.end).contains(&row.date_created))
    };
    let mut meant: Vec<&Measured> = rows.iter().filter(is_meant).collect();
    meant.sort_by(|one, other| {
        one.value.total_cmp(&other.value).then(one.date_created.cmp(&other.date_created))
    });
    let whose = airport.unwrap_or("all airports");
    if meant.is_empty() {
        return Err(format!("{whose} never measured {kind}, and there is a summary"));
    }
    let wanted = statistics(&meant);
    let told = told(summary);
    for ((name, told), wanted) in told.into_iter().zip(wanted) {
        // Mean and variance are sums of whole numbers, divided: they may differ by a rounding.
        let is_same = match name {
            "the mean" | "the variance" => (told - wanted).abs() < 1e-9,
            _ => told == wanted,
        };
        if !is_same {
            return Err(format!(
                "{name} of {kind} at {whose} is {told}, a plain sort has {wanted}"
            ));
        }
    }
    if summary.exact { Ok(told.len()) } else { Err(format!("{kind} is not exact")) }
}

fn told(summary: &ReadingSummary) -> [(&'static str, f64); 12] {
    let at = |reading: &StoredReading| reading.date_created as f64;
    [
        ("the count", summary.count as f64),
        ("the minimum", summary.min.value),
        ("the time of the minimum", at(&summary.min)),
        ("the maximum", summary.max.value),
        ("the time of the maximum", at(&summary.max)),
        ("the median", summary.median.value),
        ("the time of the median", at(&summary.median)),
        ("the first quartile", summary.quartile_1),
        ("the third quartile", summary.quartile_3),
        ("the mode", summary.mode),
        ("the mean", summary.mean),
        ("the variance", summary.variance.unwrap_or(f64::NAN)),
    ]
}

/// The same of rows in the order of value and time.
fn statistics(rows: &[&Measured]) -> [f64; 12] {
    let count = rows.len();
    let (lowest, highest) = (rows[0].value, rows[count - 1].value);
    let middle = |rows: &[&Measured]| {
        f64::midpoint(rows[(rows.len() - 1) / 2].value, rows[rows.len() / 2].value)
    };
    // Of several equal ones the newest, which is the last of them.
    let newest =
        |value: f64| rows[rows.partition_point(|row| row.value <= value) - 1].date_created as f64;
    let half = count.div_ceil(2);
    let sum: f64 = rows.iter().map(|row| row.value).sum();
    let mean = sum / count as f64;
    let squares: f64 = rows.iter().map(|row| (row.value - mean).powi(2)).sum();
    [
        count as f64,
        lowest,
        newest(lowest),
        highest,
        newest(highest),
        middle(rows),
        newest(rows[(count - 1) / 2].value),
        middle(&rows[..half]),
        middle(&rows[count - half..]),
        most_frequent(rows),
        mean,
        squares / (count - 1) as f64,
    ]
}

/// Of several the smallest, which comes first.
fn most_frequent(rows: &[&Measured]) -> f64 {
    let mut most: &[&Measured] = &rows[..1];
    for run in rows.chunk_by(|one, next| one.value == next.value) {
        if run.len() > most.len() {
            most = run;
        }
    }
    most[0].value
}

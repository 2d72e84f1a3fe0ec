//! What the server told, for people.

use std::fmt;

use canary_client::{ReadingSummary, StoredReading};

use super::data::Month;

/// What the weather was like.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// How many readings were sent.
    pub readings: usize,
    /// Each airport, and all of them at last.
    pub places: Vec<Place>,
    /// How many statistics equal those of a plain sort.
    pub compared: usize,
}

/// The weather at one place.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// The airport; nothing for all of them.
    pub airport: Option<String>,
    /// Month by month.
    pub months: Vec<Row>,
    /// All months together.
    pub whole: Row,
}

/// The weather of a time at a place.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The month; nothing for all of them.
    pub month: Option<Month>,
    /// In °F.
    pub temperature: ReadingSummary,
    /// Relative, in percent.
    pub humidity: ReadingSummary,
}

const HEAD: &str = "                 temperature in °F                        humidity in %
month           min    Q1  median    Q3   max   mean       min  median   max   mean";

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { readings, places, compared } = self;
        let airports = places.iter().filter_map(|place| place.airport.as_deref());
        let airports = airports.collect::<Vec<_>>().join(", ");
        writeln!(formatter, "{readings} readings, one of each kind an hour, from {airports}.\n")?;
        writeln!(formatter, "{HEAD}")?;
        for place in places {
            writeln!(formatter, "{}", place.airport.as_deref().unwrap_or("all"))?;
            for row in place.months.iter().chain([&place.whole]) {
                writeln!(formatter, "{row}")?;
            }
        }
        let Some((all, airports)) = places.split_last() else { return Ok(()) };
        writeln!(formatter, "\nThe last of the coldest and of the hottest hours (UTC)")?;
        for place in airports {
            let name = place.airport.as_deref().unwrap_or_default();
            let ReadingSummary { min, max, mean, .. } = &place.whole.temperature;
            let apart = mean - all.whole.temperature.mean;
            let than_all = if apart < 0.0 { "colder" } else { "warmer" };
            writeln!(
                formatter,
                "{name}  {}   {}   {:.1} °F {than_all} than all",
                Hour(min),
                Hour(max),
                apart.abs()
            )?;
        }
        writeln!(formatter, "\nAll {compared} statistics are exact, and equal a plain sort's.")
    }
}

impl fmt::Display for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { month, temperature, humidity } = self;
        let month = month.map_or("together".to_owned(), |month| {
            month.first.to_string().chars().take("2013-01".len()).collect()
        });
        let ReadingSummary { min, max, median, mean, quartile_1, quartile_3, .. } = temperature;
        write!(
            formatter,
            "  {month:<10} {:>6} {quartile_1:>5} {:>7} {quartile_3:>5} {:>5} {mean:>6.1}",
            min.value, median.value, max.value
        )?;
        let ReadingSummary { min, max, median, mean, .. } = humidity;
        write!(formatter, "    {:>6} {:>7} {:>5} {mean:>6.1}", min.value, median.value, max.value)
    }
}

/// "11 °F on 2013-01-23 11:00".
struct Hour<'a>(&'a StoredReading);

impl fmt::Display for Hour<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StoredReading { value, date_created, .. } = self.0;
        let time = jiff::Timestamp::from_second(*date_created).map_err(|_| fmt::Error)?;
        write!(formatter, "{value} °F on {}", time.strftime("%Y-%m-%d %H:%M"))
    }
}

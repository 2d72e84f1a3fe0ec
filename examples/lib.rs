//! What the stories share.
//!
//! | story | what it shows |
//! | --- | --- |
//! | `quickstart.rs` | the smallest program that embeds the client |
//! | `flights.rs` | real input: two airlines as the two versions, judged through a real server |
//! | `airlines.rs` | the judge alone: which airlines it tells apart, and after how many flights |
//! | `weather.rs` | real input: half a year of weather as readings, and what a server says of it |
//! | `summarise.rs` | the statistics without a server: a column of numbers in one pass |

mod temporary;

/// Two airlines as the stable version and the canary, judged by their flights.
///
/// An airline is a version, an aircraft an instance, and a flight one run: it failed if it was
/// late or never arrived.
/// The flights are sent in the order of time through the blocking client to a server in this
/// process, whose clock follows them; nothing is simulated but the time that passes.
///
/// What it does not show: nobody asked which airline to fly. Both flew all their flights, so the
/// shares of the bands are told and steer nothing.
///
/// And a warning: the rule takes runs as independent, and flights are not; one evening of bad
/// weather delays hundreds of them. Envoy (MQ) beside United is rolled back at 75 % after the
/// first day of the year, when 31 of its first 69 flights failed; of all its flights in those 14
/// days 81 % were good.
pub mod flights {
    mod account;
    mod data;
    mod stage;

    use std::error::Error;

    pub use self::account::Outcome;
    pub use self::data::{Flight, SAMPLE, read, read_all};
    pub use self::stage::{Stage, Story};

    /// Plays a story on a server of its own, which is gone afterwards.
    ///
    /// # Errors
    ///
    /// What the data, the server or the client refuses.
    pub fn play(story: &Story) -> Result<Outcome, Box<dyn Error>> {
        let stage = Stage::open()?;
        let outcome = stage.play(story)?;
        stage.close()?;
        Ok(outcome)
    }
}

/// Pairs of airlines as the stable version and the canary, gone through by the judge alone.
///
/// All flights of both, in the order of their scheduled departure, by three policies; then one
/// airline beside itself, its flights split at random, which is what must not be rolled back.
///
/// What it does not show: airlines differ in their airports, hours and routes, and the judge does
/// not ask why one is late more often. And nobody was given an airline at random: the shares are
/// those of the data, and an airline that would have been rolled back flew on.
pub mod airlines {
    mod report;
    mod trial;
    mod trials;

    pub use self::report::{Report, Row, Splits, Table};
    pub use self::trial::DELAY;
    pub use self::trials::{Trials, data};
}

/// Half a year of weather at three airports, told by the statistics of a server.
///
/// An airport is a device, and its thermometer and hygrometer report one reading an hour.
/// They are sent week by week through the blocking client to a server in this process, whose
/// clock follows them; then each airport is asked for each month, and all of them together.
/// Nothing is believed: every number is compared with one that comes from sorting the file.
pub mod weather {
    mod account;
    mod data;
    mod sorted;
    mod story;

    pub use self::account::{Outcome, Place, Row};
    pub use self::data::{FILE, Measured, Month, months, read};
    pub use self::sorted::check;
    pub use self::story::play;
}

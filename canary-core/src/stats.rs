//! Statistics of numbers that arrive one by one, in parts, and in any order.
//!
//! A [`Summary`] keeps how often each value was seen and when last, and answers from that: count,
//! minimum, maximum, median, mode, hinges, quantiles, mean and variance.
//! Two of them merge into what one pass over all the values would have made, so that an hour can
//! be summed once and a year be asked for by merging hours, straight from their bytes.
//!
//! # The two domains
//!
//! | [`Domain`] | what is kept | memory at most | answers |
//! | --- | --- | --- | --- |
//! | [`Counted`](Domain::Counted): whole numbers, at most 65 536 different ones | a count per value | 16 bytes per value from the least to the greatest seen, 1 MB | exact |
//! | [`Continuous`](Domain::Continuous): any finite numbers, at most 1 024 different ones so far | a count per value | 24 KB | exact |
//! | the same with more of them | a count per bin of a [DDSketch] | 16 bytes per bin from the least to the greatest seen, 4.5 MB for all of `f64`; 29 KB for a millisecond to a day | within 0.5 % |
//!
//! While a vector grows it may have room for twice of that.
//!
//! # What it does not promise
//!
//! * Once in bins, the mode is the point of the fullest bin, which need not hold the value that
//!   was seen most often; and where two values of different signs are averaged, the error is
//!   0.5 % of the greater of them, not of the result. [`Summary::accuracy`] tells which it is.
//! * Mean and variance in bins are those of [Welford] and [Chan et al.]: their last digits depend
//!   on the order of merging. Everything else is the same in every order.
//! * Nothing can be taken out again, and nothing is forgotten: sum what belongs to one span of
//!   time into one summary, and merge the spans asked for.
//! * Counts stay at `u64::MAX` rather than wrap; sums are exact up to 2⁴⁷ observations.
//!
//! For ranks near the ends to more than 0.5 %, or for sampled values themselves, use another
//! sketch (t-digest, KLL); for a handful of values, sort them.
//!
//! [DDSketch]: https://arxiv.org/abs/1908.10693
//! [Welford]: https://doi.org/10.1080/00401706.1962.10490022
//! [Chan et al.]: http://i.stanford.edu/pub/cstr/reports/cs/tr/79/773/CS-TR-79-773.pdf
//!
//! # Example
//!
//! ```
//! use canary_core::stats::{Accuracy, Domain, Hinges, Observed, Summary};
//!
//! let mut temperatures = Summary::new(Domain::of_integers(0, 100));
//! for (at, celsius) in [(1, 22.0), (2, 100.0), (3, 22.0), (4, 50.0)] {
//!     temperatures.observe(celsius, at)?;
//! }
//! assert_eq!(temperatures.min(), Some(Observed { value: 22.0, newest: 3 }));
//! assert_eq!(temperatures.max(), Some(Observed { value: 100.0, newest: 2 }));
//! assert_eq!(temperatures.median(), Some(Observed { value: 36.0, newest: 3 }));
//! assert_eq!(temperatures.mean(), Some(48.5));
//! assert_eq!(temperatures.mode(), Some(22.0));
//! assert_eq!(temperatures.hinges(), Some(Hinges { lower: 22.0, upper: 75.0 }));
//! assert_eq!(temperatures.accuracy(), Accuracy::Exact);
//!
//! let mut bytes = Vec::new();
//! temperatures.encode(&mut bytes);
//! let mut year = Summary::new(Domain::of_integers(0, 100));
//! year.merge_encoded(&bytes)?;
//! assert_eq!(year, temperatures);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod codec;
mod continuous;
mod counted;
mod counts;
mod distinct;
mod histogram;
mod moments;
mod rank;
mod sketch;
mod summary;
mod table;
#[cfg(test)]
mod tests;
pub(crate) mod varint;

pub use self::histogram::Bin;
pub use self::summary::Summary;
use self::{continuous::Continuous, counted::Counted, counts::Slot};

/// Which numbers a summary takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// Whole numbers, at most [`MOST_COUNTED`](Self::MOST_COUNTED) different ones: exact for ever.
    Counted {
        /// The smallest of them.
        minimum: i64,
        /// The greatest of them.
        maximum: i64,
    },
    /// Any finite numbers: exact while at most 1 024 different ones were seen, then within 0.5 %.
    Continuous,
}

impl Domain {
    /// Most different whole numbers that are counted one by one.
    pub const MOST_COUNTED: u64 = 65_536;

    /// The greatest magnitude up to which an `f64` holds every whole number, 2⁵³.
    const MOST_WHOLE: u64 = 1 << 53;

    /// The domain of the whole numbers from `minimum` to `maximum`, both included.
    ///
    /// [`Counted`](Self::Counted) if there are at most [`MOST_COUNTED`](Self::MOST_COUNTED) of
    /// them and none is beyond ±2⁵³, else [`Continuous`](Self::Continuous), which does not check
    /// the range; also if there are none because `minimum` is the greater one.
    ///
    /// ```
    /// use canary_core::stats::Domain;
    ///
    /// let percent = Domain::of_integers(0, 100);
    /// assert_eq!(percent, Domain::Counted { minimum: 0, maximum: 100 });
    /// assert_eq!(Domain::of_integers(0, 65_536), Domain::Continuous);
    /// ```
    #[must_use]
    pub const fn of_integers(minimum: i64, maximum: i64) -> Self {
        let is_countable = minimum <= maximum
            && maximum.abs_diff(minimum) < Self::MOST_COUNTED
            && minimum.unsigned_abs() <= Self::MOST_WHOLE
            && maximum.unsigned_abs() <= Self::MOST_WHOLE;
        if is_countable { Self::Counted { minimum, maximum } } else { Self::Continuous }
    }
}

/// The end of a sentence that begins with a value: "is not one of the …".
impl std::fmt::Display for Domain {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Counted { minimum, maximum } => {
                write!(formatter, "whole numbers from {minimum} to {maximum}")
            }
            Self::Continuous => formatter.write_str("finite numbers"),
        }
    }
}

/// A value, and when it was seen last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observed {
    /// In the unit of what is measured.
    pub value: f64,
    /// The latest time at which this value was seen, or in bins one of its bin; in the unit that
    /// the caller keeps to, for example seconds since 1970.
    pub newest: i64,
}

impl Observed {
    /// The same value, seen at the later of the two times.
    fn or_newer(self, other: Self) -> Self {
        Self { newest: self.newest.max(other.newest), ..self }
    }
}

impl From<(f64, Slot)> for Observed {
    fn from((value, slot): (f64, Slot)) -> Self {
        Self { value, newest: slot.newest }
    }
}

/// Tukey's hinges: the medians of the lower and of the upper half of the values.
///
/// Of an odd number the middle one belongs to both halves.
/// From J. W. Tukey, *Exploratory Data Analysis*, 1977; they are close to the quartiles, and equal
/// to the quantiles 0.25 and 0.75 if the count is odd.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hinges {
    /// The median of the lower half, in the unit of what is measured.
    pub lower: f64,
    /// The median of the upper half.
    pub upper: f64,
}

/// How far median, mode, hinges and quantiles may be off.
///
/// Count, minimum and maximum are always exact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Accuracy {
    /// Not at all.
    Exact,
    /// By at most this part of the value, 0 to 1; values nearer to 0 than 2.3e-308 count as 0.
    Relative(f64),
}

/// What a summary is made of; one member per way of keeping values.
#[derive(Debug, Clone, PartialEq)]
enum State {
    Counted(Counted),
    Continuous(Continuous),
}

/// Why a summary refused a number, another summary, or a question.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum StatError {
    /// NaN or an infinity; a statistic fed with it could never recover.
    #[error("value must be a finite number, got {value}")]
    NotFinite {
        /// The number given.
        value: f64,
    },
    /// Not one of the numbers that are counted.
    #[error("value {value} is not one of the {domain}")]
    OutsideDomain {
        /// The number given.
        value: f64,
        /// What is counted.
        domain: Domain,
    },
    /// Summaries of different numbers do not merge.
    #[error("a summary of {other} does not merge into one of {domain}")]
    OtherDomain {
        /// Of the summary that was to take the other in.
        domain: Domain,
        /// Of the other.
        other: Domain,
    },
    /// A rank is the part of all values that are smaller.
    #[error("rank is {rank}, it must be from 0 to 1")]
    RankOutOfRange {
        /// The rank given.
        rank: f64,
    },
}

/// Why bytes are not a summary, or not one that can be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// They do not begin as a summary does.
    #[error("the bytes are not those of a summary")]
    NotASummary,
    /// They were written by a newer program.
    #[error("the bytes have version {0}, this program reads version {version}", version = codec::VERSION)]
    UnknownVersion(u8),
    /// They are a summary of other numbers.
    #[error("the bytes of a summary of {other} do not merge into one of {domain}")]
    OtherDomain {
        /// Of the summary that was to take them in.
        domain: Domain,
        /// Of the bytes.
        other: Domain,
    },
    /// They end too early, go on too long, or hold numbers that cannot be.
    #[error("the bytes of a summary are damaged")]
    Damaged,
}

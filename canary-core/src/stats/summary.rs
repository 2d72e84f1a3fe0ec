//! The one type that callers see, and what it answers.

use super::codec::{self, Form};
use super::continuous::Continuous;
use super::counted::Counted;
use super::counts::Slot;
use super::{Accuracy, CodecError, Domain, Hinges, Observed, StatError, State, rank, sketch};

/// What was seen, as far as it is needed to answer; see the [module](super) for what that is.
///
/// Two summaries are equal if the same values were seen as often and as late; once in bins also
/// the last digits of mean and variance have to be the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    pub(super) state: State,
}

impl Summary {
    /// A summary of nothing yet; it takes no memory.
    ///
    /// A [`Domain::Counted`] that is none by [`Domain::of_integers`] is taken as
    /// [`Domain::Continuous`].
    #[must_use]
    pub fn new(domain: Domain) -> Self {
        let domain = match domain {
            Domain::Counted { minimum, maximum } => Domain::of_integers(minimum, maximum),
            Domain::Continuous => Domain::Continuous,
        };
        let state = match domain {
            Domain::Counted { minimum, maximum } => State::Counted(Counted::new(minimum, maximum)),
            Domain::Continuous => State::Continuous(Continuous::new()),
        };
        Self { state }
    }

    /// Which numbers are taken.
    #[must_use]
    pub fn domain(&self) -> Domain {
        match &self.state {
            State::Counted(counted) => {
                Domain::Counted { minimum: counted.minimum(), maximum: counted.maximum() }
            }
            State::Continuous(_) => Domain::Continuous,
        }
    }

    /// Takes one value in, seen `at` a time in seconds or any unit the caller keeps to.
    ///
    /// Values and times may come in any order; −0 is 0.
    ///
    /// # Errors
    ///
    /// [`StatError::NotFinite`] for NaN and infinities, [`StatError::OutsideDomain`] for what is
    /// not counted; the summary is as it was.
    #[inline]
    pub fn observe(&mut self, value: f64, at: i64) -> Result<(), StatError> {
        let is_taken = match &mut self.state {
            State::Counted(counted) => counted.observe(value, at),
            State::Continuous(continuous) => {
                value.is_finite() && {
                    continuous.add(value, Slot::once(at));
                    true
                }
            }
        };
        if is_taken { Ok(()) } else { Err(self.refusal(value)) }
    }

    #[cold]
    fn refusal(&self, value: f64) -> StatError {
        if value.is_finite() {
            StatError::OutsideDomain { value, domain: self.domain() }
        } else {
            StatError::NotFinite { value }
        }
    }

    /// Takes in all that another summary has seen.
    ///
    /// # Errors
    ///
    /// [`StatError::OtherDomain`] if the domains differ; the summary is as it was.
    pub fn merge(&mut self, other: &Self) -> Result<(), StatError> {
        let (domain, others) = (self.domain(), other.domain());
        match (&mut self.state, &other.state) {
            (State::Counted(own), State::Counted(other)) if domain == others => own.merge(other),
            (State::Continuous(own), State::Continuous(other)) => own.merge(other),
            _ => return Err(StatError::OtherDomain { domain, other: others }),
        }
        Ok(())
    }

    /// Takes in all that a summary in its byte form has seen, without decoding it first.
    ///
    /// Memory is needed only if the span of values grows.
    ///
    /// # Errors
    ///
    /// [`CodecError`] if the bytes are not those of a summary of the same domain; they are checked
    /// to the last before anything changes, so that the summary is as it was.
    pub fn merge_encoded(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        let form = Form::read(bytes)?;
        let (domain, other) = (self.domain(), form.domain());
        if domain != other {
            return Err(CodecError::OtherDomain { domain, other });
        }
        form.merge_into(self);
        Ok(())
    }

    /// Appends the byte form, which stays readable for all later versions.
    ///
    /// Equal summaries have equal bytes.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        codec::encode(self, bytes);
    }

    /// Reads the byte form.
    ///
    /// # Errors
    ///
    /// [`CodecError`] if the bytes are not, from the first to the last, those of a summary.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let form = Form::read(bytes)?;
        let mut summary = Self::new(form.domain());
        form.merge_into(&mut summary);
        Ok(summary)
    }

    /// How many values were seen.
    #[must_use]
    pub fn count(&self) -> u64 {
        match &self.state {
            State::Counted(counted) => counted.counts().total(),
            State::Continuous(continuous) => continuous.total(),
        }
    }

    /// Whether nothing was seen yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// The smallest value, always exact.
    #[must_use]
    pub fn min(&self) -> Option<Observed> {
        match &self.state {
            State::Counted(counted) => counted.rows().next().map(Observed::from),
            State::Continuous(continuous) => continuous.lowest(),
        }
    }

    /// The greatest value, always exact.
    #[must_use]
    pub fn max(&self) -> Option<Observed> {
        match &self.state {
            State::Counted(counted) => counted.rows().next_back().map(Observed::from),
            State::Continuous(continuous) => continuous.highest(),
        }
    }

    /// The middle value; of an even count the mean of the two in the middle, with the time of the
    /// lower one.
    #[must_use]
    pub fn median(&self) -> Option<Observed> {
        self.middle(0, self.count())
    }

    /// The value that was seen most often, the smallest of several; in bins the point of the
    /// fullest one.
    #[must_use]
    pub fn mode(&self) -> Option<f64> {
        match &self.state {
            State::Counted(counted) => rank::fullest(counted.rows()),
            State::Continuous(continuous) => continuous.mode(),
        }
    }

    /// The medians of both halves.
    #[must_use]
    pub fn hinges(&self) -> Option<Hinges> {
        let count = self.count();
        let half = count.div_ceil(2);
        let lower = self.middle(0, half)?.value;
        let upper = self.middle(count - half, half)?.value;
        Some(Hinges { lower, upper })
    }

    /// The value below which a part `rank` of all values lies; `rank` runs from 0, the smallest
    /// value, to 1, the greatest.
    ///
    /// Between two values it is interpolated: definition 7 of [Hyndman & Fan 1996], that of R and
    /// NumPy. So the quantile 0.5 is the median.
    /// `None` if nothing was seen yet.
    ///
    /// [Hyndman & Fan 1996]: https://doi.org/10.1080/00031305.1996.10473566
    ///
    /// # Errors
    ///
    /// [`StatError::RankOutOfRange`] if `rank` is NaN or outside 0 to 1, also on an empty summary.
    pub fn quantile(&self, rank: f64) -> Result<Option<f64>, StatError> {
        if !(0.0..=1.0).contains(&rank) {
            return Err(StatError::RankOutOfRange { rank });
        }
        Ok(self.interpolated(rank))
    }

    /// The mean; exact up to the last division, but for rounding in [`Domain::Continuous`].
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (!self.is_empty()).then(|| match &self.state {
            State::Counted(counted) => counted.mean(),
            State::Continuous(continuous) => continuous.mean(),
        })
    }

    /// The variance of a sample, divided by the count − 1; its unit is the square of the values'.
    ///
    /// `None` of fewer than two values, and if it is beyond the range of `f64`.
    #[must_use]
    pub fn variance(&self) -> Option<f64> {
        match &self.state {
            State::Counted(counted) => counted.variance(),
            State::Continuous(continuous) => continuous.variance(),
        }
    }

    /// How far the other answers may be off.
    #[must_use]
    pub const fn accuracy(&self) -> Accuracy {
        match &self.state {
            State::Continuous(Continuous::Sketched(_)) => Accuracy::Relative(sketch::ALPHA),
            State::Counted(_) | State::Continuous(Continuous::Exact(_)) => Accuracy::Exact,
        }
    }

    /// The value of this place in ascending order, counted from 0.
    fn nth(&self, place: u64) -> Option<Observed> {
        match &self.state {
            State::Counted(counted) => rank::nth(counted.rows(), place).map(Observed::from),
            State::Continuous(continuous) => continuous.nth(place),
        }
    }

    /// The median of `count` values from place `first` on.
    fn middle(&self, first: u64, count: u64) -> Option<Observed> {
        let lower = self.nth(first + count.checked_sub(1)? / 2)?;
        if count % 2 == 1 {
            return Some(lower);
        }
        let upper = self.nth(first + count / 2)?;
        Some(Observed { value: lower.value.midpoint(upper.value), ..lower })
    }

    fn interpolated(&self, rank: f64) -> Option<f64> {
        let last = self.count().checked_sub(1)?;
        let position = rank * last as f64;
        let lower = self.nth((position as u64).min(last))?.value;
        let part = position.fract();
        if part == 0.0 {
            return Some(lower);
        }
        let upper = self.nth((position as u64).saturating_add(1).min(last))?.value;
        Some(rank::between(lower, upper, part))
    }
}

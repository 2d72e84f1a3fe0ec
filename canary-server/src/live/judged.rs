//! Up to when the readings of a canary were judged: each at most once, although devices send
//! readings again.
//!
//! Of one series a reading is judged if it is later than all that were judged before. So one that
//! comes again is not, nor is one that comes late: that choice looks at times alone, never at
//! values, and costs power, no promise.
//!
//! It is not stored: of a canary that was open when the process began, only readings are judged that
//! were measured after the first ones that arrive.

use std::collections::HashMap;

use canary_core::release::ReleaseId;

use crate::readings::SeriesId;

/// Up to when the readings of one canary were judged.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    canary: Option<ReleaseId>,
    /// The first second that is judged; nothing before the first readings since the process began.
    from: Option<u32>,
    /// The first second that is still to be judged, of the series that were.
    next: HashMap<SeriesId, u32>,
}

impl Judged {
    /// The process begins with this canary open, if with any.
    pub(super) fn resumed(canary: Option<ReleaseId>) -> Self {
        Self { canary, ..Self::default() }
    }

    /// The first second of a canary that is judged, which began in `begin`.
    pub(crate) fn from(&self, canary: ReleaseId, begin: u32, now: u32) -> u32 {
        match self.from {
            _ if self.canary != Some(canary) => begin,
            Some(from) => from,
            None => begin.max(now.saturating_add(1)),
        }
    }

    /// The first second that is still to be judged, of a series of that canary.
    pub(crate) fn next(&self, canary: ReleaseId, series: SeriesId) -> Option<u32> {
        self.next.get(&series).copied().filter(|_| self.canary == Some(canary))
    }

    /// Takes note of what was judged, once it is committed.
    pub(super) fn note(
        &mut self,
        canary: ReleaseId,
        from: u32,
        next: impl Iterator<Item = (SeriesId, u32)>,
    ) {
        if self.canary != Some(canary) {
            *self = Self::resumed(Some(canary));
        }
        self.from = Some(from);
        self.next.extend(next);
    }
}

//! Readings that judge canaries: those of a type that an open canary's policy names, measured with
//! its version or with the stable one since the canary began. Each is judged once, and those of one
//! series in the order of their times: see [`Judged`](crate::live::Judged).

use std::borrow::Cow;
use std::collections::HashMap;

use canary_core::lineup::{Effects, Open};
use canary_core::product::ProductId;
use canary_core::release::ReleaseId;
use canary_core::rollout::{Arm, JudgedReading};
use canary_core::time::Timestamp;

use super::{Draft, Touched};
use crate::ingest::readings::SeriesAt;
use crate::live::{Directory, Live};
use crate::readings::{Point, SeriesId, TypeId};

/// A product whose canary is judged by readings.
pub(super) struct Watch {
    product: ProductId,
    /// The canary that the series below belong to.
    canary: Option<ReleaseId>,
    /// The first second that is judged.
    from: u32,
    /// Series that were seen; nothing for those that are not judged.
    series: HashMap<SeriesId, Option<Judged>>,
}

/// A series that is judged.
#[derive(Clone, Copy)]
struct Judged {
    arm: Arm,
    kind: TypeId,
    /// The first second that is still to be judged.
    next: u32,
}

impl Draft {
    /// Finds out whose canaries are judged by the readings of this commit.
    pub(super) fn watch_readings(&mut self, directory: &Directory) {
        for live in &directory.judging_readings() {
            self.touch(live);
            let (product, series) = (live.product.id, HashMap::new());
            self.watching.push(Watch { product, canary: None, from: 0, series });
        }
    }

    /// Shows the readings taken after the first `from` to the judges of those canaries.
    pub(super) fn judge_readings(&mut self, from: usize, now: Timestamp) {
        for watch in &mut self.watching {
            let Some(touched) = self.touched.get_mut(&watch.product) else { continue };
            let (points, series) = self.readings.taken(from);
            let mut effects = Effects::default();
            for point in in_time(points).iter() {
                if !watch.follow(touched, now) {
                    break;
                }
                let Some(Judged { arm, kind, .. }) = watch.take(*point, touched, &series) else {
                    continue;
                };
                let Some(declared) = series.names.declared(kind) else { continue };
                let reading = JudgedReading {
                    kind: declared.kind.name.as_str(),
                    device: u64::from(point.series()),
                    value: declared.values.coding.value(point.code()),
                };
                touched.lineup.observe_reading(arm, &reading, now, &mut effects);
            }
            self.changes.absorb(effects);
        }
    }
}

impl Watch {
    /// The product.
    pub(super) const fn product(&self) -> ProductId {
        self.product
    }

    /// Looks which canary is open; whether one is.
    fn follow(&mut self, touched: &Touched, now: Timestamp) -> bool {
        let Some(Open { release, .. }) = touched.lineup.open() else { return false };
        if self.canary != Some(release.id) {
            let begin = release.release_date.max(release.registered_at).as_seconds();
            self.canary = Some(release.id);
            self.from = touched.live.judged().from(release.id, begin, now.as_seconds());
            self.series.clear();
        }
        true
    }

    /// The series of a reading, if the reading is judged; it is then judged no more.
    fn take(&mut self, point: Point, touched: &Touched, series: &SeriesAt<'_>) -> Option<Judged> {
        let (id, canary) = (point.series(), self.canary?);
        let known = self.series.entry(id).or_insert_with(|| {
            let (arm, kind) = touched.arm_of(id, series)?;
            let next = touched.live.judged().next(canary, id).unwrap_or(self.from);
            Some(Judged { arm, kind, next })
        });
        let judged = known.as_mut().filter(|judged| judged.next <= point.second())?;
        judged.next = point.second().saturating_add(1);
        Some(*judged)
    }

    /// Notes what was judged, once it is committed.
    pub(super) fn publish(&self, live: &Live) {
        let next = self.series.iter().filter_map(|(id, judged)| Some((*id, (*judged)?.next)));
        if let Some(canary) = self.canary {
            live.note_judged(canary, self.from, next);
        }
    }
}

/// Readings in the order of their times: some devices send the newest first.
fn in_time(points: &[Point]) -> Cow<'_, [Point]> {
    if points.is_sorted_by_key(|point| point.second()) {
        return Cow::Borrowed(points);
    }
    let mut points = points.to_vec();
    points.sort_by_key(|point| point.second());
    Cow::Owned(points)
}

impl Touched {
    /// Which version of the open canary's comparison a series was measured with, if its type is
    /// judged.
    fn arm_of(&self, id: SeriesId, series: &SeriesAt<'_>) -> Option<(Arm, TypeId)> {
        let (kind, version) = series.of(id)?;
        let Open { release, rollout } = self.lineup.open()?;
        let name = &series.names.declared(kind)?.kind.name;
        rollout.judged_readings().find(|judged| *judged == name)?;
        let is_stable =
            || self.lineup.stable().is_some_and(|stable| stable.version.as_str() == version);
        if release.version.as_str() == version {
            Some((Arm::Canary, kind))
        } else {
            is_stable().then_some((Arm::Stable, kind))
        }
    }
}

//! The way in: from what a caller gave to points, checked value by value.

use std::sync::{PoisonError, RwLockReadGuard};

use canary_core::reading::check_seconds;
use canary_core::value::ValueError;

use super::Readings;
use super::point::{Point, SeriesId};
use super::series::{Declared, Names, SeriesOf, TypeId};
use crate::buffers::Buffer;

/// A reading as a caller gave it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given<'a> {
    pub(crate) device: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) value: f64,
    /// Seconds since 1970; the time of arrival if there is none.
    pub(crate) date_created: Option<i64>,
    pub(crate) version: Option<&'a str>,
}

/// Why a reading was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("type `{name}` is unknown, declared are {declared}")]
    UnknownType { name: String, declared: String },
    #[error("{error}")]
    Value { field: &'static str, error: ValueError },
    #[error("there are {stored} series of readings, which is the limit; this would be a new one")]
    TooManySeries { stored: u32 },
    #[error("date_created is {second}, readings before {oldest} are no longer kept")]
    TooOld { second: u32, oldest: u32 },
}

/// A series that was not known, and the point that waits for its number.
struct Unknown {
    place: usize,
    device: Box<str>,
    kind: TypeId,
    version: Box<str>,
}

/// Readings of one request on their way in.
///
/// It holds on to the names, so it must not live longer than the reading of a body.
pub(crate) struct Intake<'a> {
    readings: &'a Readings,
    names: RwLockReadGuard<'a, Names>,
    now_s: u32,
    oldest: u32,
    points: Buffer<Point>,
    unknown: Vec<Unknown>,
}

impl Readings {
    /// Begins to take readings in; `now_s` is the time of arrival in seconds since 1970.
    pub(crate) fn intake(&self, now_s: u32, expected: usize) -> Intake<'_> {
        Intake {
            readings: self,
            names: self.names(),
            now_s,
            oldest: self.oldest(now_s),
            points: Buffer::with_capacity(expected),
            unknown: Vec::new(),
        }
    }
}

impl Intake<'_> {
    /// Checks a reading and takes it.
    pub(crate) fn take(&mut self, given: Given<'_>) -> Result<(), Refusal> {
        let Given { device, kind, value, date_created, version } = given;
        let Some((id, declared)) = self.type_named(kind) else {
            return Err(self.unknown_type(kind));
        };
        let refused = |field| move |error| Refusal::Value { field, error };
        let value = declared.kind.check(value).map_err(refused("value"))?;
        let code = declared.values.coding.code(value);
        let second = match date_created {
            None => self.now_s,
            Some(second) => {
                check_seconds("date_created", second).map_err(refused("date_created"))?
            }
        };
        if second < self.oldest {
            return Err(Refusal::TooOld { second, oldest: self.oldest });
        }
        let version = version.unwrap_or_default();
        let series = match self.find(device, id, version) {
            Some(series) => series,
            None => self.note_unknown(device, id, version)?,
        };
        let mut point = Point::new(series, second, code);
        if date_created.is_none() {
            point = self.another(point, device, id, version);
        }
        self.points.push(point);
        Ok(())
    }

    /// A reading without a time is no repetition of an equal one: nobody can have sent it again.
    #[cold]
    fn another(&self, point: Point, device: &str, kind: TypeId, version: &str) -> Point {
        let mut arrivals = self.readings.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        let before = arrivals.before(self.now_s, &(device, kind, version, point.code()));
        point.repeated(before)
    }

    fn type_named(&self, name: &str) -> Option<(TypeId, &Declared)> {
        let id = self.names.type_id(name)?;
        Some((id, self.names.declared(id)?))
    }

    #[inline]
    fn find(&self, device: &str, kind: TypeId, version: &str) -> Option<SeriesId> {
        let version = if version.is_empty() { 0 } else { self.names.version_id(version)? };
        self.names.find(device, SeriesOf { kind, version })
    }

    /// The names are checked now, so that whoever gave them hears of it; the number comes later.
    fn note_unknown(
        &mut self,
        device: &str,
        kind: TypeId,
        version: &str,
    ) -> Result<SeriesId, Refusal> {
        use canary_core::reading::Device;
        use canary_core::version::Version;
        if !self.names.has_room() {
            return Err(Refusal::TooManySeries { stored: self.names.stored() });
        }
        let refused = |field| move |error| Refusal::Value { field, error };
        Device::parse(device).map_err(refused("device"))?;
        if !version.is_empty() {
            Version::parse(version).map_err(refused("version"))?;
        }
        self.unknown.push(Unknown {
            place: self.points.len(),
            device: device.into(),
            kind,
            version: version.into(),
        });
        Ok(SeriesId::MAX)
    }

    fn unknown_type(&self, name: &str) -> Refusal {
        let name = name.chars().take(64).collect();
        Refusal::UnknownType { name, declared: self.declared() }
    }

    /// The names of all types, for a person.
    pub(crate) fn declared(&self) -> String {
        self.names.listed()
    }

    /// The points of all readings that were taken.
    pub(crate) fn finish(self) -> Buffer<Point> {
        let Self { readings, names, mut points, unknown, .. } = self;
        drop(names);
        if !unknown.is_empty() {
            readings.change_names(|names| {
                for Unknown { place, device, kind, version } in unknown {
                    // Its names were checked when it was noted.
                    if let Ok(series) = names.find_or_add(&device, kind, &version) {
                        points[place] = points[place].in_series(series);
                    }
                }
            });
        }
        points
    }
}

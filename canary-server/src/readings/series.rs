//! Series by name: which number a device, type and version have.
//!
//! A series that nobody saw before gets a provisional number at once, so that its readings can be
//! sorted and queued; the number that lasts is given by the commit that stores it.

use std::collections::HashMap;
use std::sync::Arc;

use canary_core::reading::{Device, ReadingType};
use canary_core::value::ValueError;
use canary_core::version::Version;
use foldhash::fast::RandomState;

use super::chunk::Values;
use super::device::{Devices, Known};
use super::point::{Coding, SERIES_BITS, SeriesId};

/// Marks numbers that are not stored yet.
const PROVISIONAL: SeriesId = 1 << (SERIES_BITS - 1);

/// Most series there can be, and most that may come while nobody counts.
const MOST: usize = PROVISIONAL as usize;
const MOST_AT_ONCE: usize = 10_000_000;

/// Whether a number is provisional.
pub(crate) const fn is_provisional(id: SeriesId) -> bool {
    id & PROVISIONAL != 0
}

/// The number of a type, in the order of declaration.
pub(crate) type TypeId = u16;

/// The number of a version, in the order of arrival; 0 is none.
pub(crate) type VersionId = u32;

/// A type with how its values are written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Declared {
    pub(crate) kind: ReadingType,
    pub(crate) values: Values,
}

impl From<ReadingType> for Declared {
    fn from(kind: ReadingType) -> Self {
        let values = Values { coding: Coding::of(&kind), domain: kind.domain() };
        Self { kind, values }
    }
}

/// What a series is of, apart from its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SeriesOf {
    pub(crate) kind: TypeId,
    pub(crate) version: VersionId,
}

/// A series that was not stored when it was first seen.
#[derive(Debug, Clone)]
struct Stranger {
    /// Empty once it is stored.
    device: Arc<str>,
    of: SeriesOf,
    id: Option<SeriesId>,
}

/// A series as its row has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeriesRow {
    pub(crate) id: SeriesId,
    pub(crate) device: Arc<str>,
    pub(crate) kind: TypeId,
    /// Empty for none.
    pub(crate) version: Arc<str>,
}

/// Every name with its number.
pub(crate) struct Names {
    /// By number; one that was declared anew is gone.
    types: Vec<Option<Arc<Declared>>>,
    type_ids: HashMap<Box<str>, TypeId, RandomState>,
    versions: Vec<Arc<str>>,
    version_ids: HashMap<Arc<str>, VersionId, RandomState>,
    devices: Devices,
    series: Vec<SeriesOf>,
    strangers: Vec<Stranger>,
}

impl Default for Names {
    fn default() -> Self {
        let none: Arc<str> = "".into();
        Self {
            types: Vec::new(),
            type_ids: HashMap::default(),
            versions: vec![none.clone()],
            version_ids: std::iter::once((none, 0)).collect(),
            devices: Devices::default(),
            series: Vec::new(),
            strangers: Vec::new(),
        }
    }
}

impl Names {
    /// Makes a type known, or known anew.
    pub(crate) fn declare(&mut self, id: TypeId, kind: ReadingType) {
        let place = usize::from(id);
        if self.types.len() <= place {
            self.types.resize(place + 1, None);
        }
        let before = self.type_ids.insert(kind.name.as_str().into(), id);
        if let Some(before) = before.filter(|before| *before != id) {
            self.types[usize::from(before)] = None;
        }
        self.types[place] = Some(Arc::new(kind.into()));
    }

    /// The number that the next type will have.
    pub(crate) fn next_type(&self) -> TypeId {
        // Types are declared by people: that there are 65 536 of them is refused before.
        self.types.len() as TypeId
    }

    /// The number of a type.
    pub(crate) fn type_id(&self, name: &str) -> Option<TypeId> {
        self.type_ids.get(name).copied()
    }

    /// A type by its number; `None` if it was declared anew meanwhile.
    pub(crate) fn declared(&self, id: TypeId) -> Option<&Arc<Declared>> {
        self.types.get(usize::from(id))?.as_ref()
    }

    /// All types, in the order of declaration.
    pub(crate) fn types(&self) -> impl Iterator<Item = (TypeId, &Arc<Declared>)> {
        let numbered = self.types.iter().enumerate();
        numbered.filter_map(|(id, declared)| Some((id as TypeId, declared.as_ref()?)))
    }

    /// The names of all types, for a person.
    pub(crate) fn listed(&self) -> String {
        let names: Vec<String> =
            self.types().map(|(_, declared)| format!("`{}`", declared.kind.name)).collect();
        names.join(", ")
    }

    /// Whether there is any series of a type, stored or not.
    pub(crate) fn has_series(&self, kind: TypeId) -> bool {
        self.series.iter().any(|of| of.kind == kind)
            || self.strangers.iter().any(|stranger| stranger.of.kind == kind)
    }

    /// The number of a version; `None` if no reading has it.
    pub(crate) fn version_id(&self, version: &str) -> Option<VersionId> {
        self.version_ids.get(version).copied()
    }

    /// A version by its number, empty for none.
    pub(crate) fn version(&self, id: VersionId) -> &Arc<str> {
        // Numbers are only ever given out here.
        &self.versions[id as usize]
    }

    /// The number of a series; `None` if it was never seen.
    #[inline]
    pub(crate) fn find(&self, device: &str, of: SeriesOf) -> Option<SeriesId> {
        let known = self.devices.get(device)?;
        known.iter().find(|known| known.of == of).map(|known| known.id)
    }

    /// The stored series of a device.
    pub(crate) fn of_device(&self, device: &str) -> Vec<(SeriesId, SeriesOf)> {
        let known = self.devices.get(device).into_iter().flatten();
        known.filter(|known| !is_provisional(known.id)).map(|known| (known.id, known.of)).collect()
    }

    /// What a stored series is of.
    pub(crate) fn series(&self, id: SeriesId) -> Option<SeriesOf> {
        self.series.get(id as usize).copied()
    }

    /// How many series are stored, which is the number that the next will have.
    pub(crate) fn stored(&self) -> SeriesId {
        self.series.len() as SeriesId
    }

    /// Whether there are numbers left for new series, also for those of bodies that are being read.
    pub(crate) fn has_room(&self) -> bool {
        self.series.len().max(self.strangers.len()) < MOST - MOST_AT_ONCE
    }

    /// The number of a series that may be new; the names are checked if they are.
    pub(crate) fn find_or_add(
        &mut self,
        device: &str,
        kind: TypeId,
        version: &str,
    ) -> Result<SeriesId, ValueError> {
        let version = match self.version_id(version) {
            Some(version) => version,
            None => self.add_version(Version::parse(version)?.as_str().into()),
        };
        let of = SeriesOf { kind, version };
        if let Some(id) = self.find(device, of) {
            return Ok(id);
        }
        let device = Device::parse(device)?;
        let id = self.strangers.len() as SeriesId | PROVISIONAL;
        self.strangers.push(Stranger { device: device.as_str().into(), of, id: None });
        self.devices.of(device.as_str()).push(Known { of, id });
        Ok(id)
    }

    fn add_version(&mut self, version: Arc<str>) -> VersionId {
        let id = self.versions.len() as VersionId;
        self.versions.push(version.clone());
        self.version_ids.insert(version, id);
        id
    }

    /// What became of a provisional number: the number that lasts, or what to store under it.
    pub(crate) fn resolve(&self, provisional: SeriesId) -> Resolved {
        let Some(stranger) = self.strangers.get((provisional & !PROVISIONAL) as usize) else {
            return Resolved::TypeIsGone;
        };
        match stranger.id {
            Some(id) => Resolved::Stored(id),
            None if self.declared(stranger.of.kind).is_none() => Resolved::TypeIsGone,
            None => Resolved::New {
                device: stranger.device.clone(),
                kind: stranger.of.kind,
                version: self.version(stranger.of.version).clone(),
            },
        }
    }

    /// Takes a series as it was stored, by this program or another.
    pub(crate) fn store(&mut self, row: SeriesRow) {
        let SeriesRow { id, device, kind, version } = row;
        let version = match self.version_id(&version) {
            Some(version) => version,
            None => self.add_version(version),
        };
        let of = SeriesOf { kind, version };
        let place = id as usize;
        if self.series.len() <= place {
            self.series.resize(place + 1, of);
        }
        self.series[place] = of;
        let known = self.devices.of(&device);
        match known.iter_mut().find(|known| known.of == of) {
            Some(known) => {
                if let Some(stranger) = self.strangers.get_mut((known.id & !PROVISIONAL) as usize)
                    && is_provisional(known.id)
                {
                    stranger.id = Some(id);
                    stranger.device = "".into();
                }
                known.id = id;
            }
            None => known.push(Known { of, id }),
        }
    }
}

/// What became of a provisional number.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Resolved {
    Stored(SeriesId),
    New {
        device: Arc<str>,
        kind: TypeId,
        version: Arc<str>,
    },
    /// The type was declared anew since: the values were checked against the old one.
    TypeIsGone,
}

#[cfg(test)]
mod tests {
    use canary_core::reading::{TypeName, Unit};

    use super::*;

    fn names() -> Names {
        let mut names = Names::default();
        names.declare(0, kind("temperature", 100.0));
        names
    }

    fn kind(name: &str, maximum: f64) -> ReadingType {
        let (name, unit) = (TypeName::parse(name).unwrap(), Unit::parse("").unwrap());
        ReadingType::declare(name, unit, 0.0, maximum, true).unwrap()
    }

    #[test]
    fn a_new_series_is_provisional_until_it_is_stored() {
        let mut names = names();
        let first = names.find_or_add("d1", 0, "").unwrap();
        let second = names.find_or_add("d1", 0, "1.0.0").unwrap();
        assert!(is_provisional(first) && is_provisional(second) && first != second);
        assert_eq!(names.find_or_add("d1", 0, ""), Ok(first));
        assert_eq!(names.of_device("d1"), []);

        let Resolved::New { device, kind, version } = names.resolve(second) else { panic!() };
        assert_eq!((&*device, kind, &*version), ("d1", 0, "1.0.0"));
        names.store(SeriesRow { id: 0, device, kind, version });
        assert_eq!(names.resolve(second), Resolved::Stored(0));
        assert_eq!(names.find_or_add("d1", 0, "1.0.0"), Ok(0));
        assert_eq!(names.of_device("d1"), [(0, SeriesOf { kind: 0, version: 1 })]);
        assert_eq!(names.stored(), 1);
        assert_eq!(names.find_or_add("d1", 0, ""), Ok(first));
    }

    #[test]
    fn what_another_program_stored_is_taken_over() {
        let mut names = names();
        let mine = names.find_or_add("d1", 0, "").unwrap();
        let row = SeriesRow { id: 3, device: "d1".into(), kind: 0, version: "".into() };
        names.store(row);
        assert_eq!(names.resolve(mine), Resolved::Stored(3));
        assert_eq!(names.stored(), 4);
    }

    #[test]
    fn names_are_checked_when_they_are_new() {
        let mut names = names();
        assert!(names.find_or_add("", 0, "").is_err());
        assert!(names.find_or_add(&"x".repeat(129), 0, "").is_err());
        assert!(names.find_or_add("d1", 0, "a b").is_err());
        assert!(!names.has_series(0));
    }

    #[test]
    fn a_type_that_is_declared_anew_gets_another_number() {
        let mut names = names();
        let old = names.find_or_add("d1", 0, "").unwrap();
        names.declare(names.next_type(), kind("temperature", 200.0));
        assert_eq!(names.type_id("temperature"), Some(1));
        assert_eq!(names.resolve(old), Resolved::TypeIsGone);
        assert_eq!(names.types().count(), 1);
    }
}

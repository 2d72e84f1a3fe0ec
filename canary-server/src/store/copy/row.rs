//! Tables as they are, and the one form of a row that is the same in every database.

use std::cmp::Ordering;
use std::fmt;

use sea_orm::prelude::Uuid;
use sea_orm::{DbErr, QueryResult, Value};
use sha2::{Digest as _, Sha256};

/// What a column holds, in words that all databases have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Boolean,
    Bytes,
    Integer,
    Number,
    Text,
    Uuid,
}

impl Kind {
    /// What a database means by a word, in lower case, perhaps with a length: `blob(1)`.
    pub(in crate::store) fn of(word: &str) -> Option<Self> {
        Some(match word.split('(').next().unwrap_or_default() {
            "boolean" | "bool" => Self::Boolean,
            "blob" | "bytea" => Self::Bytes,
            "smallint" | "integer" | "bigint" | "int2" | "int4" | "int8" => Self::Integer,
            "double" | "real" | "float8" => Self::Number,
            "varchar" | "text" => Self::Text,
            "uuid_text" | "uuid" => Self::Uuid,
            _ => return None,
        })
    }

    fn read(self, row: &QueryResult, place: usize) -> Result<Value, DbErr> {
        Ok(match self {
            Self::Boolean => row.try_get_by_index::<Option<bool>>(place)?.into(),
            Self::Bytes => row.try_get_by_index::<Option<Vec<u8>>>(place)?.into(),
            Self::Integer => row.try_get_by_index::<Option<i64>>(place)?.into(),
            Self::Number => row.try_get_by_index::<Option<f64>>(place)?.into(),
            Self::Text => row.try_get_by_index::<Option<String>>(place)?.into(),
            Self::Uuid => row.try_get_by_index::<Option<Uuid>>(place)?.into(),
        })
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Its place in the primary key, from 1; 0 if it is no part of it.
    pub(crate) key: usize,
}

/// A table: its name, and its columns in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: Vec<Column>,
}

impl Table {
    /// The columns of the primary key, in its order.
    pub(crate) fn key(&self) -> impl Iterator<Item = &Column> {
        self.key_places().into_iter().map(|place| &self.columns[place])
    }

    fn key_places(&self) -> Vec<usize> {
        let mut places: Vec<usize> =
            (0..self.columns.len()).filter(|place| self.columns[*place].key > 0).collect();
        places.sort_by_key(|place| self.columns[*place].key);
        places
    }

    pub(in crate::store) fn read(&self, row: &QueryResult) -> Result<Row, DbErr> {
        let columns = self.columns.iter().enumerate();
        let cells = columns.map(|(place, column)| column.kind.read(row, place));
        Ok(Row(cells.collect::<Result<_, _>>()?))
    }

    /// The first key of two rows that differ, of which one may be none.
    pub(crate) fn first_key(&self, one: Option<&Row>, other: Option<&Row>) -> Option<String> {
        let first = match (one, other) {
            (Some(one), Some(other)) if self.order(one, other).is_gt() => Some(other),
            (one, other) => one.or(other),
        };
        first.map(|row| self.key_of(row))
    }

    /// Which of two rows comes first, as in [`Dialect::all_rows`](crate::store::Dialect).
    fn order(&self, one: &Row, other: &Row) -> Ordering {
        let order = |place: usize| match (&one.0[place], &other.0[place]) {
            (Value::BigInt(one), Value::BigInt(other)) => one.cmp(other),
            (Value::String(one), Value::String(other)) => one.cmp(other),
            (Value::Uuid(one), Value::Uuid(other)) => one.cmp(other),
            _ => Ordering::Equal,
        };
        self.key_places()
            .into_iter()
            .map(order)
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// The key of one of its rows, for people: `(0, `1.2.3`, 464602)`.
    fn key_of(&self, row: &Row) -> String {
        let cells = self.key_places().into_iter().map(|place| Shown(&row.0[place]).to_string());
        format!("({})", cells.collect::<Vec<_>>().join(", "))
    }
}

/// One row: a value for each column of its table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row(pub(crate) Vec<Value>);

impl Row {
    /// About how much memory it takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        let beyond = |value: &Value| match value {
            Value::String(Some(text)) => text.len(),
            Value::Bytes(Some(bytes)) => bytes.len(),
            _ => 0,
        };
        self.0.iter().map(|value| size_of::<Value>() + beyond(value)).sum()
    }

    /// How many values it has.
    pub(crate) fn width(&self) -> usize {
        self.0.len()
    }
}

/// A value as people read it.
struct Shown<'a>(&'a Value);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::BigInt(Some(number)) => write!(formatter, "{number}"),
            Value::Uuid(Some(id)) => write!(formatter, "{id}"),
            Value::String(Some(text)) => write!(formatter, "`{}`", text.escape_debug()),
            other => write!(formatter, "{other:?}"),
        }
    }
}

/// The checksum of the rows of a table in the order of its key: SHA-256 of the checksum of those
/// before the last one, and the last one; that of no rows is 32 bytes of zero.
///
/// Equal rows have equal checksums whatever the database: a value is written as a byte for what it
/// is, and its bytes, the length before those that have one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checksum([u8; 32]);

impl Checksum {
    /// That of the rows until now, and one more.
    pub(crate) fn add(&mut self, row: &Row) {
        let mut hash = Sha256::new_with_prefix(self.0);
        row.0.iter().for_each(|value| add(&mut hash, value));
        self.0 = hash.finalize().into();
    }

    pub(in crate::store) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(in crate::store) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// In hexadecimal: 64 digits.
impl fmt::Display for Checksum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

fn add(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Bool(Some(word)) => hash.update([1, u8::from(*word)]),
        Value::Bytes(Some(bytes)) => add_long(hash, 2, bytes),
        Value::BigInt(Some(number)) => {
            hash.update([3]);
            hash.update(number.to_be_bytes());
        }
        Value::Double(Some(number)) => {
            hash.update([4]);
            // SQLite knows one zero only.
            hash.update((number + 0.0).to_bits().to_be_bytes());
        }
        Value::String(Some(text)) => add_long(hash, 5, text.as_bytes()),
        Value::Uuid(Some(id)) => {
            hash.update([6]);
            hash.update(id.as_bytes());
        }
        // No value. Kinds read nothing else, see `Kind::read`.
        _ => hash.update([0]),
    }
}

fn add_long(hash: &mut Sha256, kind: u8, bytes: &[u8]) {
    hash.update([kind]);
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn checksum(rows: &[&[Value]]) -> Checksum {
        let mut checksum = Checksum::default();
        rows.iter().for_each(|row| checksum.add(&Row(row.to_vec())));
        checksum
    }

    #[test]
    fn whatever_differs_has_another_checksum() {
        let values: Vec<Vec<Value>> = vec![
            vec![],
            vec![0_i64.into()],
            vec![1_i64.into()],
            vec![256_i64.into()],
            vec![false.into()],
            vec![0.0.into()],
            vec![1.0.into()],
            vec!["".into()],
            vec!["a".into()],
            vec!["1".into()],
            vec![b"a".to_vec().into()],
            vec![Vec::<u8>::new().into()],
            vec![Uuid::nil().into()],
            vec![None::<String>.into()],
            vec!["a".into(), "b".into()],
            vec!["ab".into(), "".into()],
            vec!["".into(), "ab".into()],
            vec![None::<i64>.into(), 1_i64.into()],
            vec![1_i64.into(), None::<i64>.into()],
        ];
        let mut seen: HashSet<String> =
            values.iter().map(|row| checksum(&[row]).to_string()).collect();
        assert_eq!(seen.len(), values.len());
        let orders: [&[&[Value]]; 4] = [
            &[],
            &[&values[1], &values[2]],
            &[&values[2], &values[1]],
            &[&values[1], &values[2], &values[2]],
        ];
        seen.extend(orders.iter().map(|rows| checksum(rows).to_string()));
        assert_eq!(seen.len(), values.len() + orders.len());
    }

    #[test]
    fn what_databases_take_for_the_same_has_the_same_checksum() {
        assert_eq!(checksum(&[&[0.0.into()]]), checksum(&[&[(-0.0).into()]]));
        assert_eq!(checksum(&[&[None::<i64>.into()]]), checksum(&[&[None::<Vec<u8>>.into()]]));
    }

    #[test]
    fn the_form_of_checksums_stays_as_it_is() {
        let id = Uuid::from_u128(7);
        let row: [Value; 7] = [
            true.into(),
            (-3_i64).into(),
            0.5.into(),
            "é".into(),
            vec![0_u8, 255].into(),
            id.into(),
            None::<i64>.into(),
        ];
        // Also by another program: the bytes above, in this order, after 32 zeros.
        let wanted = "3e153ba8297aa91e6a9ad8e59e6d929112c4e7ed0ac3d247b37977475fec8f81";
        assert_eq!(checksum(&[&row]).to_string(), wanted);
    }

    #[test]
    fn a_key_is_shown_in_the_order_of_the_key() {
        let column = |name: &str, kind, key| Column { name: name.to_owned(), kind, key };
        let columns = vec![
            column("hour", Kind::Integer, 2),
            column("summary", Kind::Bytes, 0),
            column("version", Kind::Text, 1),
        ];
        let table = Table { name: "reading_rollup", columns };
        let row = Row(vec![7_i64.into(), vec![1_u8].into(), "1.0\n".into()]);
        assert_eq!(table.key_of(&row), "(`1.0\\n`, 7)");
        let later = Row(vec![8_i64.into(), vec![0_u8].into(), "1.0\n".into()]);
        let first = table.key_of(&row);
        for (one, other) in [(&row, Some(&later)), (&later, Some(&row)), (&row, None)] {
            assert_eq!(table.first_key(Some(one), other), Some(first.clone()));
            assert_eq!(table.first_key(other, Some(one)), Some(first.clone()));
        }
    }
}

//! From the columns of a row to the fields of what it becomes.

use std::borrow::Cow;
use std::fmt::Debug;

use super::rows::Record;
use crate::command::{name_and_value, nearest};
use crate::failure::Failure;

/// One field of what a row becomes.
pub(crate) trait Field: Debug + Clone + PartialEq + Send + Sync + 'static {
    /// All that have one name.
    const PLAIN: &'static [Self];
    /// Those without which a row says nothing.
    const NEEDED: &'static [Self];
    /// How those that have many names are written.
    const FAMILIES: &'static [&'static str] = &[];

    /// Its name, that of the API.
    fn name(&self) -> Cow<'static, str>;

    /// The field with a name.
    fn named(name: &str) -> Option<Self> {
        Self::PLAIN.iter().find(|field| field.name() == name).cloned()
    }
}

/// Reads `FIELD=COLUMN` or `FIELD=VALUE`.
pub(crate) fn parse<F: Field>(text: &str) -> Result<(F, String), String> {
    let (name, value) = name_and_value(text)?;
    if let Some(field) = F::named(name) {
        return Ok((field, value.to_owned()));
    }
    let plain = F::PLAIN.iter().map(Field::name);
    let known: Vec<_> = plain.chain(F::FAMILIES.iter().map(|name| Cow::Borrowed(*name))).collect();
    let guess = nearest(name, known.iter().map(|name| &**name));
    let guess = guess.map(|name| format!(", did you mean `{name}`?")).unwrap_or_default();
    Err(format!("unknown field `{name}`{guess} (known are {})", known.join(", ")))
}

/// Where a field's value comes from, if not from the column of its own name.
#[derive(Debug)]
enum Source {
    Column(String),
    Constant(String),
}

/// Where the values of all fields come from.
#[derive(Debug)]
pub(crate) struct Mapping<F>(Vec<(F, Source)>);

impl<F: Field> Mapping<F> {
    pub(crate) fn new(maps: Vec<(F, String)>, sets: Vec<(F, String)>) -> Result<Self, Failure> {
        let maps = maps.into_iter().map(|(field, column)| (field, Source::Column(column)));
        let sets = sets.into_iter().map(|(field, value)| (field, Source::Constant(value)));
        let mut sources: Vec<(F, Source)> = Vec::new();
        for (field, source) in maps.chain(sets) {
            if sources.iter().any(|(known, _)| *known == field) {
                let message = format!("field `{}` is given more than once", field.name());
                return Err(Failure::usage(message).hint("keep one --map or --set for it"));
            }
            sources.push((field, source));
        }
        Ok(Self(sources))
    }

    /// Checks before anything is sent that the file has the columns that are wanted.
    pub(crate) fn check(&self, names: &[&str]) -> Result<(), Failure> {
        self.check_for(F::NEEDED, names)
    }

    /// Checks that the file has the columns for these fields, and all that are mapped.
    pub(crate) fn check_for(&self, needed: &[F], names: &[&str]) -> Result<(), Failure> {
        for (_, source) in &self.0 {
            if let Source::Column(column) = source
                && !names.contains(&column.as_str())
            {
                let hint = match nearest(column, names.iter().copied()) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => format!("there are: {}", names.join(", ")),
                };
                return Err(Failure::usage(format!("the file has no column `{column}`")).hint(hint));
            }
        }
        for field in needed {
            let name = field.name();
            if self.source(field).is_none() && !names.contains(&&*name) {
                let hint = format!(
                    "name its column with --map {name}=COLUMN, or set it with --set {name}=VALUE"
                );
                let message = format!("the file has no column for `{name}`");
                return Err(Failure::usage(message).hint(hint));
            }
        }
        Ok(())
    }

    /// The fields that do not come from the columns of their own names.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &F> {
        self.0.iter().map(|(field, _)| field)
    }

    /// The value of a field; an empty one counts as absent.
    pub(crate) fn value<'a>(&'a self, field: &F, record: &'a Record) -> Option<Cow<'a, str>> {
        match self.source(field) {
            Some(Source::Constant(value)) => Some(Cow::Borrowed(value)),
            Some(Source::Column(column)) => record.get(column),
            None => record.get(&field.name()),
        }
    }

    /// The value of a field without which the row cannot be sent.
    pub(crate) fn needed<'a>(
        &'a self,
        field: &F,
        record: &'a Record,
    ) -> Result<Cow<'a, str>, String> {
        self.value(field, record).ok_or_else(|| format!("no value for `{}`", field.name()))
    }

    fn source(&self, field: &F) -> Option<&Source> {
        self.0.iter().find(|(known, _)| known == field).map(|(_, source)| source)
    }
}

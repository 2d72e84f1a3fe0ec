//! Types of readings: which values there are, and what they are measured in.

use std::sync::Arc;

use canary_core::reading::{ReadingType, TypeName, Unit};
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};

use super::payload::{Body, Checks, JsonBody, Rendered};
use super::problem::{ApiError, Kind};
use super::{Tag, number, wrong_receipt};
use crate::app::App;
use crate::audit::Origin;
use crate::ingest::{Receipt, Work};

/// Which values a type has.
#[derive(Debug, Deserialize, Object)]
#[oai(rename = "NewReadingType")]
#[serde(deny_unknown_fields)]
struct NewReadingTypeBody {
    /// What the values are measured in, for example `°C`; at most 32 characters, may be absent.
    unit: Option<String>,
    /// The smallest value.
    #[serde(deserialize_with = "number::read")]
    minimum: f64,
    /// The greatest value.
    #[serde(deserialize_with = "number::read")]
    maximum: f64,
    /// Whether values are whole numbers; any numbers if absent.
    integer: Option<bool>,
}

impl Body for NewReadingTypeBody {
    const REQUIRED: &'static [&'static str] = &["minimum", "maximum"];
}

impl NewReadingTypeBody {
    fn parse(self, name: TypeName) -> Result<ReadingType, ApiError> {
        let mut checks = Checks::default();
        let unit = checks.take("unit", Unit::parse(self.unit.unwrap_or_default()));
        let is_integer = self.integer.unwrap_or(false);
        // The limits are checked even if the unit is wrong, to tell of all at once.
        let blank = || Unit::parse("").ok();
        let declared = unit.or_else(blank).and_then(|unit| {
            let declared = ReadingType::declare(name, unit, self.minimum, self.maximum, is_integer);
            let is_minimum = |text: &String| text.starts_with("minimum");
            let text = declared.as_ref().err().map(ToString::to_string);
            let field =
                if text.is_some_and(|text| is_minimum(&text)) { "minimum" } else { "maximum" };
            checks.take(field, declared)
        });
        checks.finish(declared)
    }
}

/// A type of readings.
#[derive(Debug, Clone, Serialize, Object)]
#[oai(rename = "ReadingType")]
struct ReadingTypeBody {
    /// Its name.
    name: String,
    /// What its values are measured in; may be empty.
    unit: String,
    /// The smallest value.
    #[serde(serialize_with = "number::write")]
    minimum: f64,
    /// The greatest value.
    #[serde(serialize_with = "number::write")]
    maximum: f64,
    /// Whether values are whole numbers.
    integer: bool,
}

impl From<&ReadingType> for ReadingTypeBody {
    fn from(kind: &ReadingType) -> Self {
        Self {
            name: kind.name.to_string(),
            unit: kind.unit.to_string(),
            minimum: kind.minimum(),
            maximum: kind.maximum(),
            integer: kind.is_integer(),
        }
    }
}

/// Types of readings.
pub(crate) struct ReadingTypeApi(pub(crate) Arc<App>);

#[OpenApi(tag = "Tag::Readings")]
impl ReadingTypeApi {
    /// List the types of readings
    ///
    /// All of them, in the order of their names.
    #[oai(path = "/reading-type", method = "get", operation_id = "list_reading_types")]
    async fn list(&self) -> Result<Rendered<Vec<ReadingTypeBody>>, ApiError> {
        let names = self.0.readings.names();
        let mut types: Vec<ReadingTypeBody> =
            names.types().map(|(_, declared)| (&declared.kind).into()).collect();
        drop(names);
        types.sort_by(|one, other| one.name.cmp(&other.name));
        Rendered::of(&types)
    }

    /// Show a type of readings
    #[oai(path = "/reading-type/:name", method = "get", operation_id = "get_reading_type")]
    async fn get(
        &self,
        /// The name of the type.
        name: Path<String>,
    ) -> Result<Rendered<ReadingTypeBody>, ApiError> {
        Rendered::of(&self.find(&name.0)?)
    }

    /// Declare a type of readings
    ///
    /// What is declared already stays as it is. Its unit can be changed at any time; its values
    /// only as long as it has no readings, and 409 afterwards: declare another type then.
    #[oai(path = "/reading-type/:name", method = "put", operation_id = "declare_reading_type")]
    async fn declare(
        &self,
        /// The name of the type, 1 to 64 visible characters.
        name: Path<String>,
        origin: Origin,
        body: JsonBody<NewReadingTypeBody>,
    ) -> Result<Rendered<ReadingTypeBody>, ApiError> {
        let name = TypeName::parse(name.0);
        let name = name.map_err(|error| ApiError::parameter("name", &error))?;
        let declared = body.value.parse(name)?;
        let shown = ReadingTypeBody::from(&declared);
        let work = Work::DeclareType { kind: declared, origin: origin.into() };
        let receipt = self.0.ingest.submit(work, None).await?;
        let Receipt::TypeDeclared = receipt else { return Err(wrong_receipt(&receipt)) };
        Rendered::of(&shown)
    }
}

impl ReadingTypeApi {
    fn find(&self, name: &str) -> Result<ReadingTypeBody, ApiError> {
        let names = self.0.readings.names();
        let found = names.type_id(name).and_then(|id| names.declared(id));
        found.map(|declared| (&declared.kind).into()).ok_or_else(|| {
            let name: String = name.chars().take(64).collect();
            let detail = format!("no type of readings has the name `{name}`");
            ApiError::new(Kind::UnknownReadingType, detail)
        })
    }
}

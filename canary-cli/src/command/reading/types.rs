//! `canary reading declare` and `canary reading types`: what values mean.

use canary_client::{Client, NewReadingType, ReadingType};
use clap::Args;

use super::finite;
use crate::failure::Failure;
use crate::output::{self, Output};

/// Declares a type of readings, or changes what is said about it
///
/// A type that has readings keeps its range.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary reading declare wind --unit m/s --minimum 0 --maximum 120
  canary reading declare frost --unit °C --minimum -60 --maximum 0 --integer")]
pub(crate) struct Declare {
    /// The name that readings give as their type
    name: String,
    /// What its values are measured in
    #[arg(long)]
    unit: String,
    /// The lowest value that is accepted
    #[arg(long, value_name = "NUMBER", value_parser = finite, allow_negative_numbers = true)]
    minimum: f64,
    /// The highest value that is accepted
    #[arg(long, value_name = "NUMBER", value_parser = finite, allow_negative_numbers = true)]
    maximum: f64,
    /// Accept whole numbers only
    #[arg(long)]
    integer: bool,
}

/// Lists the types of readings
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary reading types
  canary reading types --output json")]
pub(crate) struct Types {}

impl Declare {
    pub(super) fn run(self, client: &Client, output: &mut Output<'_>) -> Result<(), Failure> {
        let declared = NewReadingType::new(self.name, self.unit, self.minimum, self.maximum)
            .integer(self.integer);
        output.show(&client.declare_reading_type(&declared)?, sentence)
    }
}

impl Types {
    pub(super) fn run(&self, client: &Client, output: &mut Output<'_>) -> Result<(), Failure> {
        output.show(&client.reading_types()?, |types| table(types))
    }
}

/// "wind is numbers from 0 to 120 m/s".
fn sentence(declared: &ReadingType) -> String {
    let ReadingType { name, unit, .. } = declared;
    let (minimum, maximum) = (output::number(declared.minimum), output::number(declared.maximum));
    format!("{name} is {} from {minimum} to {maximum} {unit}", values(declared))
}

fn values(declared: &ReadingType) -> &'static str {
    if declared.integer { "whole numbers" } else { "numbers" }
}

fn table(types: &[ReadingType]) -> String {
    if types.is_empty() {
        return "no types".to_owned();
    }
    let row = |declared: &ReadingType| {
        vec![
            declared.name.clone(),
            declared.unit.clone(),
            output::number(declared.minimum),
            output::number(declared.maximum),
            values(declared).to_owned(),
        ]
    };
    let names = ["NAME", "UNIT", "MINIMUM", "MAXIMUM", "VALUES"];
    output::columns(&names, &["MINIMUM", "MAXIMUM"], types.iter().map(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types() -> Vec<ReadingType> {
        serde_json::from_str(
            r#"[{"name":"humidity","unit":"%","minimum":0,"maximum":100,"integer":true},
            {"name":"wind","unit":"m/s","minimum":-0.5,"maximum":120.25,"integer":false}]"#,
        )
        .unwrap()
    }

    #[test]
    fn a_type_is_said_in_a_sentence_and_types_in_columns() {
        assert_eq!(sentence(&types()[0]), "humidity is whole numbers from 0 to 100 %");
        assert_eq!(sentence(&types()[1]), "wind is numbers from -0.5 to 120.25 m/s");
        insta::assert_snapshot!("types", table(&types()));
        assert_eq!(table(&[]), "no types");
    }
}

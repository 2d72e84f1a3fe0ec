//! Steps of the schema as people and programs see them.

use canary_server::migration::{Current, Step};
use serde::Serialize;

use crate::output;

/// One step of the schema, in the place of one organization.
#[derive(Serialize)]
pub(super) struct StepLine {
    pub(super) lineage: &'static str,
    pub(super) organization: String,
    name: String,
    pub(super) is_applied: bool,
}

impl From<Step> for StepLine {
    fn from(step: Step) -> Self {
        let Step { lineage, organization, name, is_applied } = step;
        let organization = organization.to_string();
        Self { lineage: lineage.as_str(), organization, name, is_applied }
    }
}

/// How far a lineage is, in the place of one organization.
#[derive(Serialize)]
pub(super) struct CurrentLine {
    lineage: &'static str,
    organization: String,
    step: Option<String>,
}

impl From<Current> for CurrentLine {
    fn from(current: Current) -> Self {
        let Current { lineage, organization, step } = current;
        Self { lineage: lineage.as_str(), organization: organization.to_string(), step }
    }
}

/// Steps with their state; `not_applied` is that of those which the database has not.
pub(super) fn steps(lines: &[StepLine], not_applied: &str) -> String {
    let row = |line: &StepLine| {
        let state = if line.is_applied { "applied" } else { not_applied };
        vec![
            line.lineage.to_owned(),
            line.organization.clone(),
            line.name.clone(),
            state.to_owned(),
        ]
    };
    output::columns(&["LINEAGE", "ORGANIZATION", "STEP", "STATE"], &[], lines.iter().map(row))
}

pub(super) fn upgraded(lines: &[StepLine]) -> String {
    match lines {
        [] => "the database has the newest schema".to_owned(),
        lines => steps(lines, "missing"),
    }
}

pub(super) fn current(lines: &[CurrentLine]) -> String {
    let row = |line: &CurrentLine| {
        let step = output::or_dash(line.step.as_ref());
        vec![line.lineage.to_owned(), line.organization.clone(), step]
    };
    output::columns(&["LINEAGE", "ORGANIZATION", "STEP"], &[], lines.iter().map(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_shown_with_their_place_and_state() {
        let step = |lineage, organization: &str, name: &str, is_applied| StepLine {
            lineage,
            organization: organization.to_owned(),
            name: name.to_owned(),
            is_applied,
        };
        let lines = [step("public", "default", "m1", true), step("org", "acme", "m2", false)];
        assert_eq!(
            steps(&lines, "missing"),
            "LINEAGE  ORGANIZATION  STEP  STATE\n\
             public   default       m1    applied\n\
             org      acme          m2    missing"
        );
        assert_eq!(upgraded(&[]), "the database has the newest schema");
    }

    #[test]
    fn a_place_without_any_step_has_a_dash() {
        let line = |organization: &str, step: Option<&str>| CurrentLine {
            lineage: "org",
            organization: organization.to_owned(),
            step: step.map(str::to_owned),
        };
        assert_eq!(
            current(&[line("default", Some("m2")), line("acme", None)]),
            "LINEAGE  ORGANIZATION  STEP\n\
             org      default       m2\n\
             org      acme          -"
        );
    }
}

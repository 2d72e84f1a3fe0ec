//! `canary release decisions`: all that was decided about a release.

use canary_client::{Client, Decision};
use clap::Args;

use super::target::Target;
use crate::command::time;
use crate::failure::Failure;
use crate::output::{self, Output};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary release decisions 0192f0c1-7e9b-7cc3-98c4-dc0c0c07398f
  canary release decisions --product etl --version 1.5.0 --output json")]
pub(crate) struct Decisions {
    #[command(flatten)]
    target: Target,
}

impl Decisions {
    pub(super) fn run(&self, client: &Client, output: &mut Output<'_>) -> Result<(), Failure> {
        let decisions = client.decisions(&self.target.id(client)?)?;
        output.show(&decisions, |decisions| text(decisions))
    }
}

fn text(decisions: &[Decision]) -> String {
    match decisions {
        [] => "nothing was decided yet".to_owned(),
        decisions => decisions.iter().map(line).collect::<Vec<_>>().join("\n"),
    }
}

/// "2031-05-07T10:00:00Z  promoted 1.5.0: …"; the sentence says what was done.
pub(super) fn line(decision: &Decision) -> String {
    output::hanging(&format!("{}  ", time::to_the_second(&decision.at)), &decision.sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_sentences_stand_beside_their_time() {
        let decision: Decision = serde_json::from_value(serde_json::json!({
            "at": "2031-05-07T10:00:00.123456Z", "action": "rollback", "from": "running",
            "to": "rolled_back", "actor": "engine", "rule": "threshold",
            "sentence": "rolled back 1.5.0: 4 of 4 runs failed, where at least 80 % must succeed \
                (rule threshold, p ≤ 0.0038); everybody gets 1.4.0 again; register the mended \
                software as a new version",
        }))
        .unwrap();
        insta::assert_snapshot!("timeline", text(&[decision]));
        assert_eq!(text(&[]), "nothing was decided yet");
    }
}

//! What came out, for people.

use std::fmt;

use canary_client::{Arm, Band, Decision, Release};

use super::stage::Story;

/// What came out of a story.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What was played.
    pub story: Story,
    /// The canary as it stands at the end.
    pub release: Release,
    /// All that was decided about it, the oldest first.
    pub decisions: Vec<Decision>,
    /// How many flights were sent.
    pub sent: u64,
    /// How many of them the server knew already.
    pub duplicates: u64,
}

impl Outcome {
    /// The verdict in one sentence; without one, what was decided last.
    #[must_use]
    pub fn sentence(&self) -> &str {
        let last = self.release.verdict.as_ref().or_else(|| self.decisions.last());
        last.map_or("nothing was decided", |decision| &decision.sentence)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { story, release, decisions, sent, duplicates } = self;
        let Story { stable, canary, threshold, days, .. } = story;
        let begin = to_the_minute(&release.release_date);
        writeln!(
            formatter,
            "{canary} on trial beside {stable}, for {days} days from {begin} UTC."
        )?;
        writeln!(
            formatter,
            "A flight fails if it is more than 15 min late or never arrives; {threshold} % must be good."
        )?;
        write!(formatter, "{sent} flights were sent")?;
        if *duplicates > 0 {
            write!(formatter, ", {duplicates} of them known already")?;
        }
        writeln!(formatter, ".\n")?;

        let canary = format!("{canary} (canary)");
        writeln!(formatter, "{:<29}{canary:>22}{stable:>13} (stable)", "")?;
        let columns = "   good failed    rate".repeat(2);
        writeln!(formatter, "band  share  begins (UTC)    {columns}")?;
        for band in &release.bands {
            writeln!(formatter, "{}", Row(band))?;
        }

        writeln!(formatter, "\nDecisions")?;
        for Decision { at, action, sentence, .. } in decisions {
            writeln!(formatter, "{}  {action:<9} {sentence}", to_the_minute(at))?;
        }
        match &release.verdict {
            Some(_) => writeln!(formatter, "\nVerdict: {}", release.state)?,
            None => writeln!(formatter, "\nNo verdict by the end of the data: {}", release.state)?,
        }
        writeln!(formatter, "{}", self.sentence())
    }
}

struct Row<'a>(&'a Band);

impl fmt::Display for Row<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Band { number, share, starts_at, canary, stable, .. } = self.0;
        let begins = to_the_minute(starts_at.as_deref().unwrap_or_default());
        write!(formatter, "{number:>4}  {:>3.0} %  {begins:<16}", share * 100.0)?;
        for Arm { success, failed, .. } in [canary, stable] {
            write!(formatter, "  {success:>5} {failed:>6}")?;
            match success + failed {
                0 => write!(formatter, "  {:>6}", "–")?,
                runs => write!(formatter, "  {:>4.1} %", *success as f64 * 100.0 / runs as f64)?,
            }
        }
        Ok(())
    }
}

/// "2013-01-01 10:15" of "2013-01-01T10:15:00Z".
fn to_the_minute(rfc3339: &str) -> String {
    rfc3339.chars().take(16).map(|letter| if letter == 'T' { ' ' } else { letter }).collect()
}

//! Statements that read signals.

use sea_orm::Statement;
use sea_orm::prelude::Uuid;

use super::Dialect;

/// Among how many signals, counted from the newest that may count, measurements are looked for.
const LOOKED_AT: i64 = 1_000_000;

impl Dialect {
    /// What the newest runs of a release up to a number have measured; neutral ones say nothing about
    /// it.
    pub(in crate::store) fn newest_measurements(
        self,
        release: Uuid,
        up_to: i64,
        most: u64,
    ) -> Statement {
        const SQL: &str = "SELECT measurements FROM signal WHERE release_id = ? \
        AND measurements IS NOT NULL AND status <> 'neutral' \
        AND number > ? AND number <= ? ORDER BY number DESC LIMIT ?";
        let after = up_to.saturating_sub(LOOKED_AT);
        let values = [release.into(), after.into(), up_to.into(), most.into()];
        self.plain(SQL, values)
    }

    /// The first run after a number that was counted in the rollout of a canary: one of its own, or one
    /// of the stable version that fell into a band.
    pub(in crate::store) fn first_run(self, [canary, stable]: [Uuid; 2], after: i64) -> Statement {
        const SQL: &str = "SELECT number FROM signal WHERE number > ? \
        AND (release_id = ? OR (release_id = ? AND band IS NOT NULL)) ORDER BY number LIMIT 1";
        let values = [after.into(), canary.into(), stable.into()];
        self.plain(SQL, values)
    }

    /// Runs of two releases after a number, oldest first.
    pub(in crate::store) fn runs(
        self,
        [one, other]: [Uuid; 2],
        after: i64,
        most: u64,
    ) -> Statement {
        const SQL: &str = "SELECT number, release_id, CAST(band AS integer) AS band, instance_id, status, received_at, \
        measurements FROM signal WHERE number > ? AND release_id IN (?, ?) ORDER BY number LIMIT ?";
        let values = [after.into(), one.into(), other.into(), most.into()];
        self.plain(SQL, values)
    }

    /// The first signal with this number or a higher one, and when it arrived.
    pub(in crate::store) fn arrival_from(self, number: i64) -> Statement {
        const SQL: &str =
            "SELECT number, received_at FROM signal WHERE number >= ? ORDER BY number LIMIT 1";
        self.plain(SQL, [number.into()])
    }

    /// The highest number.
    pub(in crate::store) fn last_signal(self) -> Statement {
        self.plain("SELECT max(number) AS number FROM signal", [])
    }
}

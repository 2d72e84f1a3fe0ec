//! Reads of stored signals, in the order of their arrival.

use canary_core::judge::rules::Run;
use canary_core::release::ReleaseId;
use canary_core::signal::{InstanceId, Measurements, Status};
use canary_core::time::Timestamp;
use sea_orm::prelude::Uuid;
use sea_orm::{ConnectionTrait as _, QueryResult, Statement};

use super::{Store, StoreError};

/// Signals of one page.
const PAGE: u64 = 10_000;

/// A run as it was stored, with what a judge looks at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredRun {
    /// Its place in the order of arrival.
    pub(crate) number: i64,
    pub(crate) release: ReleaseId,
    /// Whether it was counted in the rollout of a canary.
    pub(crate) is_counted: bool,
    pub(crate) instance: InstanceId,
    pub(crate) status: Status,
    pub(crate) received_at: Timestamp,
    pub(crate) measurements: Measurements,
}

impl<'a> From<&'a StoredRun> for Run<'a> {
    fn from(run: &'a StoredRun) -> Self {
        Self {
            status: run.status,
            instance: Some(&run.instance),
            measurements: Some(&run.measurements),
        }
    }
}

impl Store {
    /// What the newest runs of a release have measured, or those up to a number: of the million
    /// signals of all releases up to there, at most 10 000 that measured something.
    pub(crate) async fn newest_measurements(
        &self,
        release: ReleaseId,
        up_to: Option<i64>,
    ) -> Result<Vec<Measurements>, StoreError> {
        let release = Uuid::from_bytes(*release.as_bytes());
        let up_to = match up_to {
            Some(up_to) => up_to,
            None => self.last_number().await?,
        };
        let rows = self.all(self.dialect().newest_measurements(release, up_to, PAGE)).await?;
        rows.iter().map(measurements).collect()
    }

    /// The number of the last signal before the rollout of a canary: what came with that number or a
    /// lower one, its stable version had reported when it was registered.
    ///
    /// Signals may arrive in the microsecond in which a canary is registered; those of before and
    /// those of after are told apart by whether they were counted.
    pub(crate) async fn last_before_rollout(
        &self,
        [canary, stable]: [ReleaseId; 2],
        registered_at: Timestamp,
    ) -> Result<i64, StoreError> {
        let before = self.last_before(registered_at).await?;
        let ids = [canary, stable].map(|id| Uuid::from_bytes(*id.as_bytes()));
        let rows = self.all(self.dialect().first_run(ids, before)).await?;
        let first = rows.first().map(|row| row.try_get::<i64>("", "number")).transpose()?;
        Ok(first.map_or(before, |first| first - 1))
    }

    /// Runs of two releases after the one with this number: a page, oldest first. Nothing when there
    /// are no more.
    pub(crate) async fn runs(
        &self,
        releases: [ReleaseId; 2],
        after: i64,
    ) -> Result<Vec<StoredRun>, StoreError> {
        let ids = releases.map(|id| Uuid::from_bytes(*id.as_bytes()));
        let rows = self.all(self.dialect().runs(ids, after, PAGE)).await?;
        rows.iter().map(run).collect()
    }

    /// The number of the last signal that arrived before a time; 0 if there is none.
    ///
    /// Numbers follow the order of arrival, so that twenty looks do for a million signals, and
    /// signals need no index by time, for which every commit would pay.
    pub(crate) async fn last_before(&self, time: Timestamp) -> Result<i64, StoreError> {
        let (mut before, mut not_before) = (0, self.last_number().await? + 1);
        while not_before - before > 1 {
            let middle = before + (not_before - before) / 2;
            let rows = self.all(self.dialect().arrival_from(middle)).await?;
            let Some(row) = rows.first() else {
                not_before = middle;
                continue;
            };
            let number: i64 = row.try_get("", "number")?;
            let received_at: i64 = row.try_get("", "received_at")?;
            if received_at < time.as_micros() {
                before = number;
            } else {
                not_before = middle;
            }
        }
        Ok(before)
    }

    async fn last_number(&self) -> Result<i64, StoreError> {
        let rows = self.all(self.dialect().last_signal()).await?;
        let number = rows.first().map(|row| row.try_get::<Option<i64>>("", "number"));
        Ok(number.transpose()?.flatten().unwrap_or_default())
    }

    async fn all(&self, statement: Statement) -> Result<Vec<QueryResult>, StoreError> {
        Ok(self.readers().query_all_raw(statement).await?)
    }
}

fn run(row: &QueryResult) -> Result<StoredRun, StoreError> {
    let number: i64 = row.try_get("", "number")?;
    let corrupt = |column| StoreError::Corrupt { table: "signal", column, row: number.to_string() };
    let text = |column| row.try_get::<String>("", column);
    let release: Uuid = row.try_get("", "release_id")?;
    Ok(StoredRun {
        number,
        release: ReleaseId::from_bytes(release.into_bytes()),
        is_counted: row.try_get::<Option<i32>>("", "band")?.is_some(),
        instance: InstanceId::parse(text("instance_id")?).map_err(|_| corrupt("instance_id"))?,
        status: Status::parse(&text("status")?).map_err(|_| corrupt("status"))?,
        received_at: Timestamp::from_micros(row.try_get("", "received_at")?),
        measurements: measurements(row)?,
    })
}

fn measurements(row: &QueryResult) -> Result<Measurements, StoreError> {
    let Some(json) = row.try_get::<Option<String>>("", "measurements")? else {
        return Ok(Measurements::default());
    };
    let corrupt = || StoreError::Corrupt {
        table: "signal",
        column: "measurements",
        row: json.chars().take(64).collect(),
    };
    let entries: std::collections::BTreeMap<String, f64> =
        serde_json::from_str(&json).map_err(|_| corrupt())?;
    Measurements::parse(entries).map_err(|_| corrupt())
}

#[cfg(test)]
mod tests;

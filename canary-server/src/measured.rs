//! What the stable version of a product has measured before a canary comes: from that its limits
//! are taken, once, when the canary is registered.

use canary_core::judge::rules::Before;
use canary_core::policy::Policy;
use canary_core::reading::TypeName;
use canary_core::release::ReleaseId;
use canary_core::signal::MeasurementName;
use canary_core::stats::{Domain, Summary};

use crate::app::App;
use crate::live::Live;
use crate::readings::Span;
use crate::store::StoreError;

/// How far back readings are looked at, in seconds: a week.
const READINGS_S: u32 = 7 * 86_400;

impl App {
    /// What the stable version has measured of that which a policy judges.
    pub(crate) async fn measured_before(
        &self,
        live: &Live,
        policy: &Policy,
    ) -> Result<Before, StoreError> {
        if policy.judged() == 0 {
            return Ok(Before::default());
        }
        let (lineup, _) = live.lineup();
        let Some(stable) = lineup.stable() else { return Ok(Before::default()) };
        let mut readings = Vec::new();
        for name in policy.readings.keys() {
            if let Some(summary) = self.readings_before(name, stable.version.as_str()).await? {
                readings.push((name.clone(), summary));
            }
        }
        let measurements = self.measurements_before(stable.id, policy, None).await?;
        Ok(Before { measurements, readings })
    }

    /// The same as it was when the signal with this number was the last one, as far as signals are
    /// still stored. Without readings: what was known of them then is not kept.
    pub(crate) async fn measured_up_to(
        &self,
        stable: ReleaseId,
        policy: &Policy,
        last: i64,
    ) -> Result<Before, StoreError> {
        let measurements = self.measurements_before(stable, policy, Some(last)).await?;
        Ok(Before { measurements, readings: Vec::new() })
    }

    async fn measurements_before(
        &self,
        stable: ReleaseId,
        policy: &Policy,
        last: Option<i64>,
    ) -> Result<Vec<(MeasurementName, Summary)>, StoreError> {
        let names = policy.measurements.keys();
        let mut measured: Vec<(MeasurementName, Summary)> =
            names.map(|name| (name.clone(), Summary::new(Domain::Continuous))).collect();
        if measured.is_empty() {
            return Ok(measured);
        }
        for of_run in self.store.newest_measurements(stable, last).await? {
            for (name, summary) in &mut measured {
                if let Some(value) = of_run.get(name.as_str()) {
                    // What was stored was finite.
                    let _ = summary.observe(value, 0);
                }
            }
        }
        Ok(measured)
    }

    async fn readings_before(
        &self,
        name: &TypeName,
        version: &str,
    ) -> Result<Option<Summary>, StoreError> {
        let Some(kind) = self.readings.names().type_id(name.as_str()) else { return Ok(None) };
        let now = self.clock.now().as_seconds();
        let span = Span { start: now.saturating_sub(READINGS_S), end: now };
        let summed = self.readings.sum_up_all(&self.store, kind, Some(version), span).await?;
        Ok(summed.map(|summed| summed.summary))
    }
}

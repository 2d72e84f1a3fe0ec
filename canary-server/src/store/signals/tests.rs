//! What is found of stored signals, by their numbers.

use canary_core::signal::{Description, Signal, SignalId};

use super::*;
use crate::config::DatabaseUrl;
use crate::store::{Changes, CountedSignal, Hold, Place};

const STABLE: ReleaseId = ReleaseId::from_bytes([1; 16]);
const CANARY: ReleaseId = ReleaseId::from_bytes([2; 16]);
const OTHER: ReleaseId = ReleaseId::from_bytes([3; 16]);

/// A signal: of which release, in which band it was counted, when it arrived, and what it measured.
type Stored = (ReleaseId, Option<u16>, i64, Option<f64>);

/// A store of these signals, numbered from 1; the folder goes when it is let go of.
async fn store(signals: &[Stored]) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("canary.db").display());
    let store = Store::connect(&Place::of_default(&DatabaseUrl::new(url))).await.unwrap();
    store.upgrade_all().await.unwrap();
    let mut changes = Changes::default();
    for (number, (release, band, second, measured)) in (1_u8..).zip(signals) {
        let received_at = Timestamp::from_seconds(*second);
        let signal = Signal {
            id: SignalId::from_bytes([number; 16]),
            release: *release,
            instance: InstanceId::parse("i").unwrap(),
            description: Description::parse("").unwrap(),
            status: Status::Success,
            created_at: received_at,
            measurements: Measurements::parse(measured.map(|value| ("m".to_owned(), value)))
                .unwrap(),
        };
        changes.signals.push(CountedSignal { signal, band: *band, received_at });
    }
    store.commit(Hold::File, &changes, Timestamp::from_seconds(100)).await.unwrap();
    (folder, store)
}

async fn measured(store: &Store, up_to: Option<i64>) -> Vec<f64> {
    let found = store.newest_measurements(STABLE, up_to).await.unwrap();
    found.iter().filter_map(|of_run| of_run.get("m")).collect()
}

#[tokio::test]
async fn what_was_measured_is_found_as_it_was_at_a_number() {
    let signals = [
        (STABLE, None, 1, Some(1.0)),
        (OTHER, None, 2, Some(2.0)),
        (STABLE, None, 3, None),
        (STABLE, None, 4, Some(4.0)),
        (STABLE, Some(1), 5, Some(5.0)),
    ];
    let (_folder, store) = store(&signals).await;
    assert_eq!(measured(&store, None).await, [5.0, 4.0, 1.0]);
    assert_eq!(measured(&store, Some(4)).await, [4.0, 1.0]);
    assert_eq!(measured(&store, Some(3)).await, [1.0]);
    assert_eq!(measured(&store, Some(0)).await, [0.0; 0]);
}

#[tokio::test]
async fn a_rollout_begins_with_the_first_run_that_was_counted_in_it() {
    // The canary is registered at 7.
    let before = [(STABLE, None, 1, None), (OTHER, Some(1), 7, None), (STABLE, None, 7, None)];
    let cases: [(&[Stored], i64); 4] = [
        (&[(STABLE, Some(1), 7, None), (CANARY, Some(1), 8, None)], 3),
        (&[(CANARY, Some(1), 7, None)], 3),
        (&[(OTHER, None, 8, None), (STABLE, None, 9, None), (CANARY, None, 10, None)], 5),
        (&[], 1),
    ];
    for (rollout, last) in cases {
        let (_folder, store) = store(&[&before, rollout].concat()).await;
        let registered_at = Timestamp::from_seconds(7);
        let found = store.last_before_rollout([CANARY, STABLE], registered_at).await.unwrap();
        assert_eq!(found, last, "{rollout:?}");
        let runs = store.runs([CANARY, STABLE], found).await.unwrap();
        assert!(runs.iter().all(|run| run.number > last), "{runs:?}");
    }
}

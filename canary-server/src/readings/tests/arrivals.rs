//! Readings without a time of their own: it is that of their arrival.

use super::super::{Given, Span};
use super::rig::Rig;
use crate::clock::Clock;
use crate::ingest::Work;

#[tokio::test]
async fn equal_readings_without_a_time_are_all_counted() {
    let mut rig = Rig::start().await;
    let send = async |rig: &Rig, date_created: Option<i64>| {
        let mut intake = rig.readings.intake(rig.clock.now().as_seconds(), 1);
        let (device, kind) = ("d1", "temperature");
        for value in [22.0, 22.0, 50.0] {
            intake.take(Given { device, kind, value, date_created, version: None }).unwrap();
        }
        let work = Work::Readings { points: intake.finish(), rejected: Vec::new() };
        rig.ingest.submit(work, None).await.unwrap();
    };
    let count = async |rig: &Rig| {
        let summed = rig.readings.sum_up(&rig.store, "d1", 0, Span::ALL).await.unwrap().unwrap();
        let all = rig.readings.sum_up_all(&rig.store, 0, None, Span::ALL).await.unwrap().unwrap();
        let listed = rig.readings.list(&rig.store, "d1", None, Span::ALL, None, 100).await.unwrap();
        assert_eq!(all.summary.count(), summed.summary.count());
        assert_eq!(listed.0.len() as u64, summed.summary.count());
        summed.summary.count()
    };
    send(&rig, None).await;
    assert_eq!(count(&rig).await, 3);
    send(&rig, None).await;
    assert_eq!(count(&rig).await, 6);
    rig.fold(None, true).await;
    assert_eq!(count(&rig).await, 6);
    send(&rig, None).await;
    assert_eq!(count(&rig).await, 9);
    // With the time the same two readings come again, and nothing is new.
    send(&rig, Some(rig.clock.now().as_micros() / 1_000_000)).await;
    assert_eq!(count(&rig).await, 9);
    rig.fold(None, true).await;
    rig.restart(None).await;
    assert_eq!(count(&rig).await, 9);
}

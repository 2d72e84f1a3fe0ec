//! Readings that are too old to be kept.

use canary_core::time::Timestamp;

use super::super::fold::Job;
use super::super::point::HOUR;
use super::super::{Given, Refusal, Span, TypeId};
use super::rig::{DEVICES, Known, Rig, START};
use crate::clock::Clock;

#[tokio::test]
async fn readings_that_are_too_old_go_and_their_summaries_stay() {
    const KEPT_HOURS: u32 = 10;
    let mut rig = Rig::start().await;
    rig.restart(Some(KEPT_HOURS * HOUR)).await;
    let mut sent: Vec<Known> = Vec::new();
    for hour in [30, 35] {
        for offset in 0..300 {
            sent.push((0, 0, START + hour * HOUR + offset, offset % 50, 0));
        }
        // Few readings lie in the head, and go all the same.
        sent.push((1, 1, START + hour * HOUR + 30, 7, 0));
    }
    rig.send(&sent).await;
    rig.fold(None, true).await;
    let ask = async |rig: &Rig, device: usize, span| {
        let summed = rig.readings.sum_up(&rig.store, DEVICES[device], device as TypeId, span);
        let summed = summed.await.unwrap().unwrap();
        (summed.summary.count(), summed.is_rounded)
    };
    let half = Span { start: START, end: START + 30 * HOUR + 149 };
    assert_eq!(ask(&rig, 0, half).await, (150, false));

    rig.clock.set(Timestamp::from_seconds(i64::from(START + (31 + KEPT_HOURS) * HOUR)));
    let job = rig.folder.job();
    assert_eq!(job, Some(Job::Thin { before_hour: (START / HOUR) + 31 }));
    rig.folder.do_job(&job.unwrap()).await.unwrap();
    assert_eq!(rig.folder.job(), None);

    for _ in 0..2 {
        assert_eq!(ask(&rig, 0, Span::ALL).await, (600, false));
        assert_eq!(ask(&rig, 1, Span::ALL).await, (2, false));
        // Less than the hour can no longer be told apart.
        assert_eq!(ask(&rig, 0, half).await, (300, true));
        let (listed, _) =
            rig.readings.list(&rig.store, DEVICES[0], None, Span::ALL, None, 1_000).await.unwrap();
        assert_eq!(listed.len(), 300);
        let all = rig.readings.sum_up_all(&rig.store, 0, None, half).await.unwrap().unwrap();
        assert_eq!((all.summary.count(), all.is_rounded), (300, true));
        rig.restart(Some(KEPT_HOURS * HOUR)).await;
    }
    let mut intake = rig.readings.intake(rig.clock.now().as_seconds(), 1);
    let given = Given {
        device: "d1",
        kind: "temperature",
        value: 1.0,
        date_created: Some(i64::from(START + 31 * HOUR - 1)),
        version: None,
    };
    let refused = intake.take(given).unwrap_err();
    assert!(matches!(refused, Refusal::TooOld { .. }), "{refused}");
}

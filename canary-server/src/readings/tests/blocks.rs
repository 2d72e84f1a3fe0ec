//! Blocks that wait: merged when they are small, and read again while others come.

use std::collections::BTreeSet;
use std::mem::replace;
use std::time::Duration;

use super::super::Span;
use super::super::fold::Job;
use super::rig::{Numbers, Rig, START};
use crate::clock::Clock;

#[tokio::test]
async fn many_small_commits_become_one_block() {
    let mut rig = Rig::start().await;
    let mut known = BTreeSet::new();
    for offset in 0..600 {
        let reading = (offset % 3, 0, START + offset as u32, offset as u32 % 100, 0);
        rig.send(&[reading]).await;
        known.insert(reading);
    }
    let job = rig.folder.job();
    assert!(matches!(job, Some(Job::Merge { .. })), "{job:?}");
    rig.folder.do_job(&job.unwrap()).await.unwrap();
    assert_eq!(rig.readings.unfolded.backlog().blocks, 1);
    assert_eq!(rig.readings.unfolded.backlog().readings, 600);
    let mut numbers = Numbers(7);
    for _ in 0..2 {
        for _ in 0..50 {
            rig.check(&known, &mut numbers).await;
        }
        rig.restart(None).await;
    }
}

#[tokio::test]
async fn a_reader_that_catches_up_loses_nothing_that_is_committed_meanwhile() {
    let rig = Rig::start().await;
    let writing = async {
        for offset in 0..300 {
            rig.send(&[(0, 0, START + offset, 7, 0)]).await;
            let summed = rig.readings.sum_up(&rig.store, "d1", 0, Span::ALL).await;
            let count = summed.unwrap().unwrap().summary.count();
            assert_eq!(count, u64::from(offset) + 1);
        }
    };
    let catching_up = async {
        loop {
            rig.readings.catch_up(&rig.store, rig.clock.now()).await.unwrap();
        }
    };
    tokio::select! {
        () = writing => {}
        () = catching_up => {}
    }
    let ids: Vec<i64> = rig.readings.unfolded.all().iter().map(|block| block.id).collect();
    assert_eq!(ids.len(), 300);
}

#[tokio::test]
async fn a_round_does_not_pass_over_a_block_of_another_process() {
    let mut rig = Rig::start().await;
    let known: BTreeSet<_> = (0..3).map(|number| (0, 0, START + number, 7, 0)).collect();
    let mut readings = known.iter().copied();
    rig.send(&[readings.next().unwrap()]).await;
    let (others, ingest, folder) = Rig::load(&rig.store, &rig.clock, None).await;
    let own = (
        replace(&mut rig.readings, others),
        replace(&mut rig.ingest, ingest),
        replace(&mut rig.folder, folder),
    );
    rig.send(&[readings.next().unwrap()]).await;
    (rig.readings, rig.ingest, rig.folder) = own;
    // What was committed meanwhile is counted under the lock, and read later.
    assert!(rig.readings.pass(2));
    rig.send(&[readings.next().unwrap()]).await;
    let ids = |rig: &Rig| -> Vec<i64> {
        rig.readings.unfolded.all().iter().map(|block| block.id).collect()
    };
    assert_eq!(ids(&rig), [1, 3]);
    rig.clock.advance(Duration::from_secs(601));
    assert_eq!(rig.folder.job(), Some(Job::Fold { last_block: 1, with_late: false }));
    rig.readings.catch_up(&rig.store, rig.clock.now()).await.unwrap();
    assert_eq!(ids(&rig), [1, 2, 3]);
    let job = rig.folder.job().unwrap();
    assert_eq!(job, Job::Fold { last_block: 3, with_late: false });
    rig.folder.do_job(&job).await.unwrap();
    assert!(ids(&rig).is_empty());
    rig.check(&known, &mut Numbers(7)).await;
}

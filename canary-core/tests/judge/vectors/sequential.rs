//! The kinds that stay valid however often one looks.

use canary_core::judge::blocks::open::{Block, Open, Runs};
use canary_core::judge::blocks::sums::Sums;
use canary_core::judge::blocks::{Closed, ODDS, WEIGHTS};
use canary_core::judge::coin::{self, Stratum};
use canary_core::judge::promotion::Service;
use canary_core::judge::sequential::{Alpha, Reading, log_mixture};
use canary_core::rollout::Arm;
use serde_json::{Value, json};

use super::{count, number, numbers};

pub(super) fn block_conditional_log_e(inputs: &Value) -> Value {
    weigh(inputs, inputs["rho0"].as_f64().unwrap_or(1.0))
}

pub(super) fn block_noninferiority_log_e(inputs: &Value) -> Value {
    weigh(inputs, number(inputs, "rho"))
}

/// Sums the blocks for each odds ratio against `null`, and mixes them.
fn weigh(inputs: &Value, null: f64) -> Value {
    let (odds, weights) = (numbers(inputs, "odds_grid"), numbers(inputs, "weights"));
    assert_eq!(odds.len(), weights.len());
    let blocks: Vec<Block> = inputs["blocks"].as_array().unwrap().iter().map(block).collect();
    let sum = |odds: f64| {
        let mut sums = Sums::<1>::default();
        blocks.iter().for_each(|block| {
            sums.add(block, &[odds], null);
        });
        sums.logs()[0]
    };
    let per_point: Vec<f64> = odds.into_iter().map(sum).collect();
    let log_e = log_mixture(weights.iter().copied().zip(per_point.iter().copied()));
    if numbers(inputs, "odds_grid") == ODDS && null == 1.0 {
        // What the product itself keeps is the same.
        let mut closed = Closed::new(null).unwrap();
        blocks.iter().for_each(|block| {
            closed.add(block);
        });
        assert_eq!(closed.logs().as_slice(), per_point.as_slice());
    }
    json!({ "log_e": log_e, "per_point": per_point })
}

fn block(counts: &Value) -> Block {
    Block {
        canary: Runs { runs: count(counts, "n_c"), failed: count(counts, "f_c") },
        baseline: Runs { runs: count(counts, "n_b"), failed: count(counts, "f_b") },
    }
}

pub(super) fn block_trace(inputs: &Value) -> Value {
    let mut open = Open::of_size(count(inputs, "block"));
    let mut closed = Closed::new(inputs["rho0"].as_f64().unwrap_or(1.0)).unwrap();
    let alpha = Alpha::parse(number(inputs, "alpha")).unwrap();
    // `log_e` of a trace is its highest at the end of a block, which may be below 0.
    let (mut highest, mut canary_failures, mut rollback_at) = (f64::NEG_INFINITY, 0, None);
    for (index, signal) in inputs["signals"].as_str().unwrap().chars().enumerate() {
        let (arm, is_failed) = match signal {
            'c' => (Arm::Canary, false),
            'C' => (Arm::Canary, true),
            'b' => (Arm::Stable, false),
            'B' => (Arm::Stable, true),
            other => panic!("signal `{other}` is unknown"),
        };
        canary_failures += u64::from(signal == 'C');
        if let Some(block) = open.observe(arm, is_failed, None).closed {
            closed.add(&block);
            let reading = Reading::of(closed.log_e(), highest, alpha);
            highest = reading.max_log_e;
            if reading.is_crossed() {
                rollback_at = Some(index + 1);
                break;
            }
        }
    }
    json!({
        "rollback_at": rollback_at,
        "canary_failures": canary_failures,
        "log_e": if highest.is_finite() { highest } else { 0.0 },
    })
}

pub(super) fn coin_log_e(inputs: &Value) -> Value {
    let strata = inputs["strata"].as_array().unwrap().iter().map(|stratum| Stratum {
        share: number(stratum, "share"),
        canary_failures: count(stratum, "canary_failures"),
        baseline_failures: count(stratum, "baseline_failures"),
    });
    let strata: Vec<Stratum> = strata.collect();
    let (odds, weights) = (numbers(inputs, "odds_grid"), numbers(inputs, "weights"));
    let per_point: Vec<f64> = odds.iter().map(|odds| coin::log_ratio(&strata, *odds)).collect();
    let log_e = coin::log_e(&strata, odds.iter().copied().zip(weights));
    let crossed = Reading::of(log_e, 0.0, Alpha::parse(0.05).unwrap()).is_crossed();
    json!({ "log_e": log_e, "per_point": per_point, "rollback_at_0_05": crossed })
}

pub(super) fn slo_log_e(inputs: &Value) -> Value {
    let service = Service::with_points(number(inputs, "q"), &numbers(inputs, "points")).unwrap();
    let (succeeded, failed) = (count(inputs, "successes"), count(inputs, "failures"));
    json!({ "log_e": service.log_e(succeeded, failed) })
}

#[test]
fn the_weights_of_the_product_are_those_of_the_vectors() {
    assert_eq!(WEIGHTS, [0.25, 0.25, 0.25, 1.0 / 6.0, 1.0 / 12.0]);
}

//! Runs, and who gets which version.

use canary_tests::{Http, Product};
use serde_json::Value;

/// The version that the server gives to an instance.
pub(crate) fn given(server: &Http, product: &Product, instance: &str) -> Value {
    let path = format!("{}?instance_id={instance}", product.latest_path());
    server.get(&path).expect(200)["semver_version"].clone()
}

/// Sends runs of many instances, all with one status.
pub(crate) fn report(server: &Http, product: &Product, version: &str, status: &str, runs: usize) {
    let run = |number| {
        product.signal(version, status).with("instance_id", format!("{version}-{number}")).body()
    };
    let signals: Vec<Value> = (0..runs).map(run).collect();
    let outcome = server.post("/signal/batch", &Value::Array(signals)).expect(200);
    assert_eq!(outcome["accepted"], runs, "{outcome}");
}

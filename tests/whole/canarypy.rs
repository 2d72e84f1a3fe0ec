//! The client that CanaryPy's users have, unchanged, against this server.
//!
//! It runs where `CANARY_TEST_CANARYPY` names a Python that has `canarypy`; `canarypy/install.sh`
//! makes one.

use std::path::Path;
use std::process::Command;

use canary_tests::TestServer;
use serde_json::json;

const VARIABLE: &str = "CANARY_TEST_CANARYPY";

#[test]
fn the_client_of_canarypy_works_unchanged() {
    let Some(python) = std::env::var_os(VARIABLE) else {
        eprintln!("left out: {VARIABLE} names no Python that has canarypy");
        return;
    };
    let server = TestServer::start();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("canarypy/check.py");
    let output = Command::new(python)
        .arg(script)
        .env("CANARYPY_URL", server.url())
        .output()
        .expect("Python runs");
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{complained}");

    // What it said it did, seen from the other side.
    let product = server.get("/product?name=my-etl").expect(200)[0].clone();
    assert_eq!(product["repository_url"], "https://git.example/my-etl");
    let release = server.get("/release?product=my-etl").expect(200)[0].clone();
    assert_eq!(release["semver_version"], "3.10-bullseye");
    assert_eq!((&release["threshold"], &release["band_count"]), (&json!(80.0), &json!(5)));
    let counts = json!({"success": 2, "failed": 1, "neutral": 1, "total": 4});
    assert_eq!(release["signals"], counts);
}

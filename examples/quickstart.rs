//! The smallest program that embeds Canary: ask which version to run, run it, say how it went.
//!
//! With a server and a product of your own (`canary serve`, then):
//!
//! ```text
//! canary product create --name etl --repository-url https://git.example/etl \
//!     --artifact-url https://registry.example/etl
//! canary release create --artifact-url https://registry.example/etl --semver-version 1.4.0 --stable
//! canary release create --artifact-url https://registry.example/etl --semver-version 1.5.0
//! CANARY_URL=http://localhost:8080 cargo run --example quickstart -p canary-examples -- worker-1
//! ```

use std::process::ExitCode;

use canary_client::{Client, Error, Signal};

/// The product that is run, by its name.
const PRODUCT: &str = "etl";

fn main() -> ExitCode {
    // Who runs. An instance that has the canary keeps it while the canary widens.
    let instance = std::env::args().nth(1).unwrap_or_else(|| "worker-1".to_owned());
    match run(&instance) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The text names the address or the value, and what to do about it.
            eprintln!("quickstart: {error}");
            if matches!(error, Error::NotFound { .. }) {
                eprintln!("register a product `{PRODUCT}` and a release of it first");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(instance: &str) -> Result<(), Error> {
    // CANARY_URL says where the server is; http://localhost:8080 if it is not set.
    let client = Client::from_environment()?;

    // 1. Which version?
    let latest = client.latest(PRODUCT, Some(instance))?;
    let version = &latest.semver_version;
    println!("{instance} runs {PRODUCT} {version} ({})", latest.reason);

    // 2. Run it.
    let artifact = &latest.product.artifact_url;
    let signal = match job(version) {
        Ok(rows_per_s) => {
            Signal::success(artifact, version, instance).measurement("rows_per_s", rows_per_s)
        }
        Err(cause) => Signal::failed(artifact, version, instance).description(cause),
    };

    // 3. How did it go? When this returns, the server has it on its disk.
    let id = client.send_signal(&signal)?;
    println!("reported as {id}");
    Ok(())
}

/// The work itself: here a pretence that fails for one version.
fn job(version: &str) -> Result<f64, String> {
    match version {
        "1.5.0-broken" => Err("no rows after 10 minutes".to_owned()),
        _ => Ok(1250.0),
    }
}

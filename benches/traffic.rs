//! What is asked of Canary: the measured requests, and those that fill its database.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::Failure;
use crate::connection::{get, put_get, put_post};
use crate::load::{self, Bounds, Requests};
use crate::rounds::CONNECTIONS;
use crate::server::Server;

/// Releases of each product; the last one is a running canary, the one before it the stable one.
const RELEASES: u64 = 10;

/// Signals in one batch: as many as the API takes.
const BATCH: u64 = 10_000;

/// The number of the product that is measured.
const MEASURED: u64 = 0;

/// Numbers of single requests, so that no instance reports twice in a run.
static ROUND: AtomicU64 = AtomicU64::new(1);

/// Something that is measured against Canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// `GET /release/{product}/latest` by one who tells nothing.
    Quota,
    /// The same with the name of an instance, each time another.
    Sticky,
    /// `POST /signal`, answered when it is durable.
    Signal,
}

impl Scenario {
    pub const ALL: [Self; 3] = [Self::Quota, Self::Sticky, Self::Signal];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Quota => "quota",
            Self::Sticky => "sticky",
            Self::Signal => "signal",
        }
    }

    /// For people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Quota => "latest, quota",
            Self::Sticky => "latest, sticky",
            Self::Signal => "signal, durable",
        }
    }

    /// The part of the hello's speed that is aimed at.
    pub const fn target(self) -> f64 {
        match self {
            Self::Quota | Self::Sticky => 0.6,
            Self::Signal => 0.5,
        }
    }

    /// The number of the first request of the next round.
    pub fn first_number(self) -> u64 {
        ROUND.fetch_add(1, Ordering::Relaxed) << 32
    }

    pub fn requests(self) -> Requests {
        let path = format!("/release/product-{MEASURED}/latest");
        match self {
            Self::Quota => {
                let bytes = get(&path);
                Requests::answered(200, move |_, request| request.extend_from_slice(&bytes))
            }
            Self::Sticky => Requests::answered(200, move |number, request| {
                let query = format_args!("{path}?instance_id=instance-{number}");
                put_get(request, query);
            }),
            Self::Signal => Requests::answered(201, |number, request| {
                let mut body = String::with_capacity(256);
                put_signal(&mut body, MEASURED, number);
                put_post(request, format_args!("/signal"), "application/json", &body);
            }),
        }
    }
}

/// How full the database is made.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    pub products: u64,
    pub signals: u64,
}

impl Setup {
    pub const fn releases(self) -> u64 {
        self.products * RELEASES
    }

    /// The measured product and its releases, with a few signals of both versions.
    pub async fn register_measured(self, canary: &Server) -> Result<(), Failure> {
        register(canary, MEASURED..MEASURED + 1).await?;
        all(canary, 4, 0..100, &Scenario::Signal.requests()).await
    }

    /// All other products, and all signals; the time that the signals took.
    ///
    /// Every second signal is one of the measured product, the others go round.
    pub async fn fill(self, canary: &Server) -> Result<Duration, Failure> {
        register(canary, MEASURED + 1..self.products).await?;
        let products = self.products;
        let requests = Requests {
            write: Arc::new(move |batch, request| {
                let mut body = String::with_capacity(BATCH as usize * 192);
                for number in batch * BATCH..(batch + 1) * BATCH {
                    let product =
                        if number.is_multiple_of(2) { MEASURED } else { number / 2 % products };
                    put_signal(&mut body, product, number);
                    body.push('\n');
                }
                put_post(request, format_args!("/signal/batch"), "application/x-ndjson", &body);
            }),
            status: 200,
            accepts: |body| {
                let receipt: Option<serde_json::Value> = serde_json::from_slice(body).ok();
                receipt.is_some_and(|receipt| receipt["accepted"] == BATCH)
            },
        };
        let begin = Instant::now();
        // Two, so that the next batch is on its way while one is written.
        all(canary, 2, 0..self.signals / BATCH, &requests).await?;
        Ok(begin.elapsed())
    }

    /// Asks for every product's latest release ten times, under ten names.
    pub async fn ask_everywhere(self, canary: &Server) -> Result<(), Failure> {
        let products = self.products;
        let requests = Requests::answered(200, move |number, request| {
            let product = number % products;
            let path = format_args!("/release/product-{product}/latest?instance_id=i-{number}");
            put_get(request, path);
        });
        all(canary, CONNECTIONS, 0..products * 10, &requests).await
    }
}

/// Makes sure that there is something to choose: the canary is neither promoted nor rolled back.
pub async fn check_choice(canary: &Server) -> Result<(), Failure> {
    let accepts = |body: &[u8]| {
        let latest: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        let reason = latest.as_ref().and_then(|latest| latest["reason"].as_str());
        reason.is_some_and(|reason| reason.ends_with("_share"))
    };
    all(canary, 1, 0..1, &Requests { accepts, ..Scenario::Quota.requests() }).await
}

async fn register(canary: &Server, products: Range<u64>) -> Result<(), Failure> {
    let requests = Requests::answered(201, |product, request| {
        let body = format!(
            r#"{{"name":"product-{product}","repository_url":"https://example.org/product-{product}","artifact_url":"https://registry.example.org/product-{product}"}}"#
        );
        put_post(request, format_args!("/product"), "application/json", &body);
    });
    all(canary, CONNECTIONS, products.clone(), &requests).await?;
    // One after the other within a product: each takes the place of the one before.
    for release in 0..RELEASES {
        let is_canary = release + 1 == RELEASES;
        let requests = Requests::answered(201, move |product, request| {
            let body = format!(
                r#"{{"artifact_url":"https://registry.example.org/product-{product}","semver_version":"1.0.{release}","is_canary":{is_canary},"canary_period":3650,"threshold":50}}"#
            );
            put_post(request, format_args!("/release"), "application/json", &body);
        });
        all(canary, CONNECTIONS, products.clone(), &requests).await?;
    }
    Ok(())
}

/// Sends each number once; the first answer that is not the wanted one ends the benchmark.
async fn all(
    canary: &Server,
    connections: u64,
    numbers: Range<u64>,
    requests: &Requests,
) -> Result<(), Failure> {
    let bounds = Bounds {
        connections,
        numbers: (numbers.start, numbers.end),
        warm_up: Duration::ZERO,
        measured: Duration::from_secs(600),
    };
    let tally = load::drive(&[canary.address()], requests, bounds).await;
    match &tally.first_error {
        Some(error) => Err(error.as_str().into()),
        None if tally.answered < numbers.end - numbers.start => {
            Err("setting up took longer than ten minutes".into())
        }
        None => Ok(()),
    }
}

/// A signal of an instance of its own: a fifth from the canary, one in a hundred failed.
fn put_signal(body: &mut String, product: u64, number: u64) {
    let dice = scatter(number);
    let version = if dice.is_multiple_of(5) { RELEASES - 1 } else { RELEASES - 2 };
    let status = if (dice / 5).is_multiple_of(100) { "failed" } else { "success" };
    // Writing to a `String` cannot fail.
    let _ = write!(
        body,
        r#"{{"artifact_url":"https://registry.example.org/product-{product}","semver_version":"1.0.{version}","instance_id":"instance-{number}","description":"nightly run","status":"{status}"}}"#
    );
}

/// Mixes the bits of a number, the same way in every run: the end of SplitMix64.
const fn scatter(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

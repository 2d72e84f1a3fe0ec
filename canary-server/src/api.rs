//! The API: one file per resource, in one OpenAPI document.
//!
//! A handler parses, acts and renders; what it decides lies in the core.

mod device;
mod frame;
mod heavy;
mod idempotency;
mod moment;
mod number;
mod page;
mod payload;
mod policy;
pub(crate) mod problem;
mod product;
mod reading;
mod reading_type;
mod release;
mod signal;
mod system;

use std::sync::Arc;

use poem::{Endpoint, Route};
use poem_openapi::{LicenseObject, OpenApiService, Tags};

use self::device::{DeviceApi, StatisticsApi};
use self::frame::Frame;
use self::problem::ApiError;
use self::product::ProductApi;
use self::reading::ReadingApi;
use self::reading_type::ReadingTypeApi;
use self::release::ReleaseApi;
use self::signal::SignalApi;
use self::system::SystemApi;
use crate::app::App;
use crate::ingest::Receipt;

#[derive(Tags)]
enum Tag {
    /// What is released.
    Products,
    /// Versions of products, and which of them to run.
    Releases,
    /// Outcomes of runs.
    Signals,
    /// Typed values of devices, in time.
    Readings,
    /// The server itself.
    System,
}

const DESCRIPTION: &str = "\
Canary releases, and the telemetry that judges them.

Register a **product** and its **releases**. Every **instance** asks which version to run, runs it, \
and reports a **signal**. The engine widens the canary band by band, judges it after every signal \
with a test that stays valid however often one looks, and promotes it or rolls it back, with a \
sentence that says why.

**Devices** report **readings**: numbers of a declared type, in time, one by one or 100 000 at once. \
Ask for a device's readings, or for minimum, maximum, median, mean, mode and quartiles of any range \
of time, and for the summary of all devices by version. Answers are exact, or tell by how much they \
may be off. `temperature` and `humidity` are there from the start, both whole numbers from 0 to 100; \
declare other types with PUT /reading-type/{name}. Times are seconds since 1970. What is the same in \
device, type, time and value is the same reading: sent twice, it is stored once. Filters can be \
given in the query, or in a JSON body on GET; the query wins.

**Errors** are problem documents of RFC 9457 (`application/problem+json`). Their `code` is stable, \
and their `type` leads to a page that explains it.

**Sending twice is safe**: a signal's `id`, made by the caller, or an `Idempotency-Key` on any POST; \
keys are kept for seven days.

**What was acknowledged is durable**: 201 and 200 are sent after the commit.

Bodies without a Content-Type are read as JSON; bodies packed with gzip are unpacked. \
Every path works with and without its trailing slash.";

type Devices = (DeviceApi, StatisticsApi, ReadingApi, ReadingTypeApi);
type Apis = (ProductApi, ReleaseApi, SignalApi, Devices, SystemApi);

fn service(app: &Arc<App>) -> OpenApiService<Apis, ()> {
    let devices = (
        DeviceApi(app.clone()),
        StatisticsApi(app.clone()),
        ReadingApi(app.clone()),
        ReadingTypeApi(app.clone()),
    );
    let apis = (
        ProductApi(app.clone()),
        ReleaseApi(app.clone()),
        SignalApi(app.clone()),
        devices,
        SystemApi(app.clone()),
    );
    OpenApiService::new(apis, "Canary", env!("CARGO_PKG_VERSION"))
        .description(DESCRIPTION)
        .license(LicenseObject::new("MIT OR Apache-2.0"))
}

/// Everything that the server answers.
pub(crate) fn endpoint(app: &Arc<App>) -> impl Endpoint + use<> {
    let service = service(app);
    let document = service.spec();
    let shown = document.clone();
    let routes = Route::new()
        .nest("/docs", service.swagger_ui())
        .nest("/redoc", service.redoc())
        .at(
            "/openapi.json",
            poem::get(poem::endpoint::make_sync(move |_| {
                poem::Response::builder().content_type("application/json").body(shown.clone())
            })),
        )
        .at("/problems/:code", poem::get(system::problem_page))
        .nest("/", service);
    Frame::around(routes, &document)
}

/// The writer answered another question than was asked: a fault of this program.
fn wrong_receipt(receipt: &Receipt) -> ApiError {
    ApiError::internal(&format!("the writer answered with {receipt:?}"))
}

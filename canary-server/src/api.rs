//! The API: one file per resource, in one OpenAPI document.
//!
//! A handler parses, acts and renders; what it decides lies in the core.

mod audit;
mod description;
mod device;
mod door;
mod frame;
mod heavy;
mod idempotency;
mod key;
pub(crate) mod moment;
mod number;
mod operation;
mod organization;
mod origin;
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

use poem::endpoint::{BoxEndpoint, make_sync};
use poem::web::Html;
use poem::{Endpoint, IntoEndpoint as _, Route};
use poem_openapi::{LicenseObject, OpenApi, OpenApiService, Tags};

use self::audit::AuditApi;
pub(crate) use self::description::Description;
use self::device::{DeviceApi, StatisticsApi};
use self::door::Door;
use self::frame::Frame;
use self::key::KeyApi;
use self::organization::OrganizationApi;
use self::problem::ApiError;
use self::product::ProductApi;
use self::reading::ReadingApi;
use self::reading_type::ReadingTypeApi;
use self::release::ReleaseApi;
use self::signal::SignalApi;
use self::system::SystemApi;
use crate::access::Desk;
use crate::app::App;
use crate::ingest::Receipt;
use crate::lobby::Lobby;

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
    /// Who may do what: keys, and organizations, each of which has everything of its own.
    Access,
    /// Who did what, when, from where, and what it changed.
    Audit,
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

**A key** is sent as `Authorization: Bearer canary_…`. It is one organization's, and sees that one's \
products, releases, signals and readings, and nothing of others. Its scopes say what it may do: each \
operation names the one that it needs. While there is no key at all, everybody who reaches the server \
may do everything, as the organization `default`; the first key closes it.

**The audit** has an entry for every change that somebody asked for, stored in the transaction of \
the change: GET /audit.

**Sending twice is safe**: a signal's `id`, made by the caller, or an `Idempotency-Key` on any POST \
that takes one; those keys are kept for seven days.

**What was acknowledged is durable**: 201 and 200 are sent after the commit.

Bodies without a Content-Type are read as JSON; bodies packed with gzip are unpacked. \
Every path works with and without its trailing slash.";

type Devices = (DeviceApi, StatisticsApi, ReadingApi, ReadingTypeApi);
type Access = (KeyApi, OrganizationApi, AuditApi);
type Apis = (ProductApi, ReleaseApi, SignalApi, Devices, Access, SystemApi);

/// Everything that one organization answers, to those who were let in.
pub(crate) fn endpoint(app: &Arc<App>, desk: &Desk) -> BoxEndpoint<'static> {
    let devices = (
        DeviceApi(app.clone()),
        StatisticsApi(app.clone()),
        ReadingApi(app.clone()),
        ReadingTypeApi(app.clone()),
    );
    let apis: Apis = (
        ProductApi(app.clone()),
        ReleaseApi(app.clone()),
        SignalApi(app.clone()),
        devices,
        (
            KeyApi { app: app.clone(), desk: desk.clone() },
            OrganizationApi { app: app.clone(), desk: desk.clone() },
            AuditApi { app: app.clone(), desk: desk.clone() },
        ),
        SystemApi(app.clone()),
    );
    service(apis).into_endpoint()
}

fn service<T: OpenApi>(apis: T) -> OpenApiService<T, ()> {
    OpenApiService::new(apis, "Canary", env!("CARGO_PKG_VERSION"))
        .description(DESCRIPTION)
        .license(LicenseObject::new("MIT OR Apache-2.0"))
}

/// Everything that the server answers: the door to all organizations.
pub(crate) fn entrance(lobby: Arc<Lobby>) -> impl Endpoint + use<> {
    let [document, swagger, redoc] = [(); 3].map(|()| lobby.description.clone());
    let frame = lobby.description.clone();
    let document = make_sync(move |_| {
        poem::Response::builder().content_type("application/json").body(document.json.clone())
    });
    let swagger = Arc::new(make_sync(move |_| Html(swagger.swagger.clone())));
    let redoc = Arc::new(make_sync(move |_| Html(redoc.redoc.clone())));
    let pages = Route::new()
        .at("/docs", poem::get(swagger.clone()))
        .at("/docs/", poem::get(swagger))
        .at("/redoc", poem::get(redoc.clone()))
        .at("/redoc/", poem::get(redoc))
        .at("/openapi.json", poem::get(document))
        .at("/problems/:code", poem::get(system::problem_page));
    Frame::around(Door::of(lobby, pages), &frame.json)
}

/// Whether a path is one of the pages above.
fn is_page(path: &str) -> bool {
    matches!(path, "/docs" | "/docs/" | "/redoc" | "/redoc/" | "/openapi.json")
        || path.starts_with("/problems/")
}

/// The writer answered another question than was asked: a fault of this program.
fn wrong_receipt(receipt: &Receipt) -> ApiError {
    ApiError::internal(&format!("the writer answered with {receipt:?}"))
}

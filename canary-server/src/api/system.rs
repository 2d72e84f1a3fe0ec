//! The server itself: version, health, figures, and the pages that explain problems.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use poem::IntoResponse as _;
use poem::web::Path;
use poem_openapi::payload::{Html, Json, PlainText};
use poem_openapi::{ApiResponse, Object, OpenApi};

use super::Tag;
use super::problem::{ApiError, Kind};
use crate::app::App;
use crate::dashboard::escape;

/// The program that answers.
#[derive(Debug, Object)]
#[oai(rename = "Version")]
struct VersionBody {
    /// Its name.
    name: String,
    /// Its version, SemVer.
    version: String,
}

impl VersionBody {
    fn of_this_program() -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { name: "canary".to_owned(), version }
    }
}

/// Whether the server is well.
#[derive(Debug, Object)]
#[oai(rename = "Health")]
struct HealthBody {
    /// `ok`, or what is wrong.
    status: String,
    /// Signals and other works that wait for a commit.
    waiting: u64,
}

#[derive(ApiResponse)]
enum Readiness {
    /// Send requests.
    #[oai(status = 200)]
    Ready(Json<HealthBody>),
    /// Send none for now.
    #[oai(status = 503)]
    NotReady(Json<HealthBody>),
}

/// What is answered while the house is closed, to those who need no key.
pub(super) fn answer_while_closed(path: &str, why: &str) -> Option<poem::Response> {
    let health = |status: &str| HealthBody { status: status.to_owned(), waiting: 0 };
    match path {
        "/version" => Some(Json(VersionBody::of_this_program()).into_response()),
        "/health/live" => Some(Json(health("ok")).into_response()),
        "/health/ready" => Some(Readiness::NotReady(Json(health(why))).into_response()),
        _ => None,
    }
}

/// The server.
pub(crate) struct SystemApi(pub(crate) Arc<App>);

#[OpenApi(tag = "Tag::System")]
impl SystemApi {
    /// Show every product to a person
    #[oai(path = "/", method = "get", operation_id = "get_dashboard")]
    async fn dashboard(&self) -> Html<String> {
        Html(crate::dashboard::page(&self.0))
    }

    /// Show the version of the server
    #[oai(path = "/version", method = "get", operation_id = "get_version")]
    async fn version(&self) -> Json<VersionBody> {
        Json(VersionBody::of_this_program())
    }

    /// Ask whether the process lives
    #[oai(path = "/health/live", method = "get", operation_id = "get_liveness")]
    async fn live(&self) -> Json<HealthBody> {
        Json(self.health("ok"))
    }

    /// Ask whether the server can do its work
    ///
    /// 503 while it stops, and while its database does not answer.
    #[oai(path = "/health/ready", method = "get", operation_id = "get_readiness")]
    async fn ready(&self) -> Readiness {
        if self.0.is_stopping.load(Ordering::Relaxed) {
            return Readiness::NotReady(Json(self.health("the server is stopping")));
        }
        match self.0.store.ping().await {
            Ok(()) => Readiness::Ready(Json(self.health("ok"))),
            Err(_) => Readiness::NotReady(Json(self.health("the database does not answer"))),
        }
    }

    /// Show figures for Prometheus
    #[oai(path = "/metrics", method = "get", operation_id = "get_metrics")]
    async fn metrics(&self) -> PlainText<String> {
        PlainText(self.figures())
    }
}

impl SystemApi {
    fn health(&self, status: &str) -> HealthBody {
        HealthBody { status: status.to_owned(), waiting: self.0.ingest.waiting() as u64 }
    }

    /// Counters since the start, in the text format of Prometheus.
    fn figures(&self) -> String {
        let tally = &self.0.ingest.tally;
        let open = |live: &Arc<crate::live::Live>| live.lineup().0.open().is_some();
        let products = self.0.directory.all();
        let running = products.iter().filter(|live| open(live)).count() as u64;
        let counter = |value: &std::sync::atomic::AtomicU64| value.load(Ordering::Relaxed);
        let rows = [
            (
                "canary_signals_total",
                "counter",
                "signals that were stored",
                counter(&tally.signals),
            ),
            (
                "canary_duplicates_total",
                "counter",
                "signals that were stored before",
                counter(&tally.duplicates),
            ),
            (
                "canary_decisions_total",
                "counter",
                "decisions that were taken",
                counter(&tally.decisions),
            ),
            ("canary_commits_total", "counter", "commits", counter(&tally.commits)),
            (
                "canary_failed_commits_total",
                "counter",
                "commits that failed",
                counter(&tally.failed_commits),
            ),
            (
                "canary_waiting",
                "gauge",
                "signals and other works that wait for a commit",
                self.0.ingest.waiting() as u64,
            ),
            ("canary_products", "gauge", "products", products.len() as u64),
            ("canary_open_rollouts", "gauge", "canaries that are running or paused", running),
        ];
        let rows = rows.into_iter().chain(self.reading_figures());
        let mut text = String::new();
        for (name, kind, help, value) in rows {
            // Writing to a string cannot fail.
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
        }
        text
    }

    fn reading_figures(&self) -> [(&'static str, &'static str, &'static str, u64); 5] {
        let stored = self.0.ingest.tally.readings.load(Ordering::Relaxed);
        let backlog = self.0.readings.unfolded.backlog();
        let series = u64::from(self.0.readings.names().stored());
        let gauge = |name, help, value| (name, "gauge", help, value);
        [
            ("canary_readings_total", "counter", "readings that were accepted", stored),
            gauge("canary_reading_series", "devices by type and version of readings", series),
            gauge("canary_readings_unfolded", "readings that wait to be folded", backlog.readings),
            gauge("canary_reading_blocks", "blocks that wait to be folded", backlog.blocks),
            gauge(
                "canary_reading_bytes_unfolded",
                "bytes of the blocks that wait to be folded",
                backlog.bytes,
            ),
        ]
    }
}

/// The page that explains a kind of problem.
#[poem::handler]
pub(super) fn problem_page(Path(code): Path<String>) -> Result<poem::web::Html<String>, ApiError> {
    let row = Kind::ALL.iter().find(|(_, word, ..)| *word == code);
    let Some((_, code, status, title, meaning)) = row else {
        let detail = format!("there is no kind of problem `{code}`");
        return Err(ApiError::new(Kind::UnknownPath, detail));
    };
    let body = format!(
        "<h1>{}</h1><p>Code <code>{code}</code>, HTTP status {status}.</p><p>{}</p>\
         <p><a href=\"/docs\">The API</a></p>",
        escape(title),
        escape(meaning)
    );
    Ok(poem::web::Html(crate::dashboard::frame(title, &body)))
}

#[cfg(test)]
mod tests {
    use poem_openapi::OpenApi as _;

    use super::super::Devices;
    use crate::dashboard::READINGS;

    /// What the document tells of the calls for readings: "get_x", "GET /x".
    fn operations() -> Vec<(String, String)> {
        let paths = Devices::meta().into_iter().flat_map(|api| api.paths);
        let operations = paths.flat_map(|path| {
            let call = move |method| format!("{method} {}", path.path);
            path.operations.into_iter().map(move |operation| {
                let id = operation.operation_id.expect("every operation has one");
                (id.to_owned(), call(operation.method))
            })
        });
        operations.collect()
    }

    #[test]
    fn the_page_names_calls_that_there_are_and_links_to_their_own_place() {
        let operations = operations();
        let links: Vec<&str> = READINGS.split("<a href=\"/docs#/Readings/").skip(1).collect();
        assert_eq!(links.len(), 4);
        for link in links {
            let (id, shown) = link.split_once("\"><code>").expect("a link shows its call");
            let call = shown.split('<').next().expect("at least one part");
            assert!(operations.contains(&(id.to_owned(), call.to_owned())), "{id}: {call}");
        }
    }
}

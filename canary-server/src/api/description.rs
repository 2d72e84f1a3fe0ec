//! The OpenAPI document, and the pages that show it.
//!
//! What an operation needs is not written beside it but in one table, see
//! [`operation`](super::operation): from there it gets into the document.

use std::collections::HashMap;

use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem_openapi::OpenApi;
use poem_openapi::registry::{MetaApi, Registry};
use serde_json::{Map, Value, json};

use super::Apis;
use super::operation::{Need, OPERATIONS, Operation};

/// What is shown of the API to everybody.
pub(crate) struct Description {
    /// The document.
    pub(super) json: String,
    /// The pages with it.
    pub(super) swagger: String,
    pub(super) redoc: String,
}

/// The API without anything behind it, which answers nothing.
struct Described;

impl OpenApi for Described {
    fn meta() -> Vec<MetaApi> {
        Apis::meta()
    }

    fn register(registry: &mut Registry) {
        Apis::register(registry);
    }

    fn add_routes(self, _: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {}
}

impl Description {
    /// What there is to be shown, whether or not a database is there.
    pub(crate) fn of_the_api() -> Self {
        let service = super::service(Described);
        let plain = service.spec();
        let json = with_needs(&plain);
        // Both pages hold the document as it is.
        let swagger = service.swagger_ui_html().replace(&plain, &json);
        let redoc = service.redoc_html().replace(&plain, &json);
        Self { json, swagger, redoc }
    }
}

/// The document with what each operation needs.
fn with_needs(plain: &str) -> String {
    let Ok(mut document) = serde_json::from_str::<Value>(plain) else { return plain.to_owned() };
    document["components"]["securitySchemes"] = json!({"key": {
        "type": "http",
        "scheme": "bearer",
        "description": "A key, `canary_…`: made with POST /key, or with `canary key create` beside \
            the database. While there is none, everybody may do everything.",
    }});
    let refusals = refusals(&document);
    let paths = document["paths"].as_object_mut();
    for (path, methods) in paths.into_iter().flatten() {
        for (method, operation) in methods.as_object_mut().into_iter().flatten() {
            if let Some(operation) = operation.as_object_mut() {
                tell(operation, need_of(method, path), &refusals);
            }
        }
    }
    // What was read as JSON can be written as JSON.
    serde_json::to_string_pretty(&document).unwrap_or_else(|_| plain.to_owned())
}

/// How 401 and 403 are described, where they are.
fn refusals(document: &Value) -> Vec<(&'static str, Value)> {
    let described = &document["paths"]["/product"]["get"]["responses"];
    ["401", "403"].into_iter().map(|status| (status, described[status].clone())).collect()
}

/// What is not in the table is answered to nobody.
fn need_of(method: &str, path: &str) -> Option<Need> {
    let is_it = |(own, template, ..): &&Operation| {
        own.as_str().eq_ignore_ascii_case(method) && *template == path
    };
    OPERATIONS.iter().find(is_it).map(|(.., need)| *need)
}

fn tell(operation: &mut Map<String, Value>, need: Option<Need>, refusals: &[(&str, Value)]) {
    let Some(words) = need.and_then(Need::words) else {
        operation.insert("security".to_owned(), json!([]));
        return;
    };
    let text = operation.get("description").and_then(Value::as_str).unwrap_or_default();
    let text = format!("{text}\n\nA key needs {words}.");
    operation.insert("description".to_owned(), text.trim_start().into());
    operation.insert("security".to_owned(), json!([{"key": []}]));
    if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
        for (status, described) in refusals {
            responses.entry((*status).to_owned()).or_insert_with(|| described.clone());
        }
    }
}

//! What each operation needs, and which servers do it: one table, beside which nothing is answered.
//!
//! A request that fits no row never reaches a room, so an operation that was forgotten here is not
//! open to all but to nobody; a test says so before that.

use poem::http::Method;

use crate::access::{Scope, Scopes};
use crate::role::Role;

/// What a key needs for an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Not even a key.
    Nothing,
    /// This scope.
    Scope(Scope),
    /// One of two: both look for what they report about.
    ReadOrSignal,
    /// The scope `admin`, in the organization `default`.
    AdminOfDefault,
}

impl Need {
    /// Whether scopes suffice.
    pub(super) fn is_met(self, scopes: Scopes, is_of_default: bool) -> bool {
        match self {
            Self::Nothing => true,
            Self::Scope(scope) => scopes.allow(scope),
            Self::ReadOrSignal => scopes.allow(Scope::Read) || scopes.allow(Scope::Signal),
            Self::AdminOfDefault => is_of_default && scopes.allow(Scope::Admin),
        }
    }

    /// For a person, after "needs"; nothing if there is no need.
    pub(super) const fn words(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::Scope(Scope::Read) => Some("the scope `read`"),
            Self::Scope(Scope::Signal) => Some("the scope `signal`"),
            Self::Scope(Scope::Release) => Some("the scope `release`"),
            Self::Scope(Scope::Rollback) => Some("the scope `rollback`"),
            Self::Scope(Scope::Admin) => Some("the scope `admin`"),
            Self::ReadOrSignal => Some("the scope `read` or `signal`"),
            Self::AdminOfDefault => Some("the scope `admin` of the organization `default`"),
        }
    }
}

const ANY: Option<Role> = None;
const API: Option<Role> = Some(Role::Api);
const INGEST: Option<Role> = Some(Role::Ingest);
const WEB: Option<Role> = Some(Role::Web);

const NOTHING: Need = Need::Nothing;
const READ: Need = Need::Scope(Scope::Read);
const SIGNAL: Need = Need::Scope(Scope::Signal);
const RELEASE: Need = Need::Scope(Scope::Release);
const ROLLBACK: Need = Need::Scope(Scope::Rollback);
const ADMIN: Need = Need::Scope(Scope::Admin);

/// One row: method, path as the OpenAPI document writes it, the role of the servers that do it (all
/// servers if none), and what a key needs.
pub(super) type Operation = (Method, &'static str, Option<Role>, Need);

/// Every operation.
pub(super) static OPERATIONS: [Operation; 44] = [
    (Method::GET, "/product", API, READ),
    (Method::POST, "/product", API, RELEASE),
    (Method::GET, "/product/{id}", API, READ),
    (Method::GET, "/product/{id}/policy", API, READ),
    (Method::PUT, "/product/{id}/policy", API, RELEASE),
    (Method::GET, "/release", API, READ),
    (Method::POST, "/release", API, RELEASE),
    (Method::GET, "/release/{product}/latest", API, Need::ReadOrSignal),
    (Method::GET, "/release/{id}", API, READ),
    (Method::GET, "/release/{id}/decisions", API, READ),
    (Method::GET, "/release/{id}/analysis", API, READ),
    // It asks what would have been, and changes nothing.
    (Method::POST, "/release/{id}/simulate", API, READ),
    (Method::POST, "/release/{id}/promote", API, RELEASE),
    (Method::POST, "/release/{id}/rollback", API, ROLLBACK),
    (Method::POST, "/release/{id}/pause", API, RELEASE),
    (Method::POST, "/release/{id}/resume", API, RELEASE),
    (Method::POST, "/signal", INGEST, SIGNAL),
    (Method::POST, "/signal/batch", INGEST, SIGNAL),
    (Method::POST, "/devices/{device}/readings", INGEST, SIGNAL),
    (Method::GET, "/devices/{device}/readings", API, READ),
    (Method::GET, "/devices/{device}/readings/min", API, READ),
    (Method::GET, "/devices/{device}/readings/max", API, READ),
    (Method::GET, "/devices/{device}/readings/median", API, READ),
    (Method::GET, "/devices/{device}/readings/mean", API, READ),
    (Method::GET, "/devices/{device}/readings/mode", API, READ),
    (Method::GET, "/devices/{device}/readings/quartiles", API, READ),
    (Method::GET, "/devices/{device}/readings/summary", API, READ),
    (Method::POST, "/readings", INGEST, SIGNAL),
    (Method::GET, "/readings/summary", API, READ),
    (Method::GET, "/reading-type", API, Need::ReadOrSignal),
    (Method::GET, "/reading-type/{name}", API, Need::ReadOrSignal),
    (Method::PUT, "/reading-type/{name}", API, RELEASE),
    (Method::GET, "/key", API, ADMIN),
    (Method::POST, "/key", API, ADMIN),
    (Method::POST, "/key/{id}/rotate", API, ADMIN),
    (Method::DELETE, "/key/{id}", API, ADMIN),
    (Method::GET, "/organization", API, Need::AdminOfDefault),
    (Method::POST, "/organization", API, Need::AdminOfDefault),
    (Method::GET, "/audit", API, ADMIN),
    (Method::GET, "/", WEB, READ),
    (Method::GET, "/metrics", ANY, READ),
    (Method::GET, "/version", ANY, NOTHING),
    (Method::GET, "/health/live", ANY, NOTHING),
    (Method::GET, "/health/ready", ANY, NOTHING),
];

/// What is found at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// An operation: whose part it is, and what a key needs for it.
    Operation(Option<Role>, Need),
    /// Operations with other methods.
    OtherMethods,
    /// Nothing.
    Nothing,
}

/// Finds the operation of a request. No two rows fit the same path, so whatever a room answers is
/// what was found here.
pub(super) fn find(method: &Method, path: &str) -> Found {
    // As the framework has it: HEAD is answered by GET.
    let method = if method == Method::HEAD { &Method::GET } else { method };
    // Most requests have no parameter in their path, and need no path to be taken apart.
    if let Some((.., part, need)) =
        OPERATIONS.iter().find(|(own, template, ..)| *template == path && own == method)
    {
        return Found::Operation(*part, *need);
    }
    let mut found = Found::Nothing;
    for (own, template, part, need) in &OPERATIONS {
        if fits(template, path) {
            if own == method {
                return Found::Operation(*part, *need);
            }
            found = Found::OtherMethods;
        }
    }
    found
}

/// Whether a path is one of a template; `{…}` stands for any one segment.
pub(super) fn fits(template: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given => {}
            (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use poem_openapi::OpenApi as _;

    use super::super::Apis;
    use super::*;

    #[test]
    fn every_operation_of_the_document_has_a_row_and_every_row_an_operation() {
        let paths = Apis::meta().into_iter().flat_map(|api| api.paths);
        let documented: BTreeSet<(String, String)> = paths
            .flat_map(|path| {
                let methods = path.operations.into_iter().map(|operation| operation.method);
                methods.map(move |method| (path.path.clone(), method.to_string()))
            })
            .collect();
        let rows: Vec<(String, String)> = OPERATIONS
            .iter()
            .map(|(method, path, ..)| ((*path).to_owned(), method.to_string()))
            .collect();
        assert_eq!(rows.iter().cloned().collect::<BTreeSet<_>>(), documented);
        assert_eq!(rows.len(), documented.len(), "a row came twice");
    }

    #[test]
    fn no_path_fits_two_templates() {
        let templates: BTreeSet<&str> = OPERATIONS.iter().map(|(_, path, ..)| *path).collect();
        for one in &templates {
            for other in templates.iter().filter(|other| other > &one) {
                let (one_parts, other_parts) = (one.split('/'), other.split('/'));
                let has_same_length = one_parts.clone().count() == other_parts.clone().count();
                let differ = |(one, other): (&str, &str)| {
                    one != other && !one.starts_with('{') && !other.starts_with('{')
                };
                // One segment that is fixed in both, and not the same, keeps them apart.
                let is_apart = !has_same_length || one_parts.zip(other_parts).any(differ);
                assert!(is_apart, "{one} and {other} fit the same path");
            }
        }
    }

    #[test]
    fn a_request_finds_its_operation_whatever_its_parameters_are() {
        let scope = |method: &str, path: &str| match find(
            &Method::from_bytes(method.as_bytes()).unwrap(),
            path,
        ) {
            Found::Operation(_, need) => need.words().unwrap_or("nothing"),
            Found::OtherMethods => "another method",
            Found::Nothing => "nowhere",
        };
        let cases = [
            ("GET", "/", "the scope `read`"),
            ("HEAD", "/product", "the scope `read`"),
            ("POST", "/release/x/rollback", "the scope `rollback`"),
            ("POST", "/release/x/promote", "the scope `release`"),
            ("GET", "/release/rollback/latest", "the scope `read` or `signal`"),
            ("GET", "/release/a%2Fb%2Flatest", "the scope `read`"),
            ("DELETE", "/key/x", "the scope `admin`"),
            ("GET", "/key/x", "another method"),
            ("POST", "/version", "another method"),
            ("GET", "/version", "nothing"),
            ("GET", "/release//latest", "nowhere"),
            ("GET", "//product", "nowhere"),
            ("GET", "/product/", "nowhere"),
            ("GET", "/%70roduct", "nowhere"),
            ("GET", "/PRODUCT", "nowhere"),
            ("GET", "/release/x/../../key", "nowhere"),
            ("GET", "", "nowhere"),
        ];
        for (method, path, wanted) in cases {
            assert_eq!(scope(method, path), wanted, "{method} {path}");
        }
    }
}

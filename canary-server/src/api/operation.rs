//! What each operation needs: one table, beside which nothing is answered.
//!
//! A request that fits no row never reaches a room, so an operation that was forgotten here is not
//! open to all but to nobody; a test says so before that.

use poem::http::Method;

use crate::access::{Scope, Scopes};

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

const NOTHING: Need = Need::Nothing;
const READ: Need = Need::Scope(Scope::Read);
const SIGNAL: Need = Need::Scope(Scope::Signal);
const RELEASE: Need = Need::Scope(Scope::Release);
const ROLLBACK: Need = Need::Scope(Scope::Rollback);
const ADMIN: Need = Need::Scope(Scope::Admin);

/// One row: method, path as the OpenAPI document writes it, and what it needs.
pub(super) type Operation = (Method, &'static str, Need);

/// Every operation.
pub(super) static OPERATIONS: [Operation; 43] = [
    (Method::GET, "/product", READ),
    (Method::POST, "/product", RELEASE),
    (Method::GET, "/product/{id}", READ),
    (Method::GET, "/product/{id}/policy", READ),
    (Method::PUT, "/product/{id}/policy", RELEASE),
    (Method::GET, "/release", READ),
    (Method::POST, "/release", RELEASE),
    (Method::GET, "/release/{product}/latest", Need::ReadOrSignal),
    (Method::GET, "/release/{id}", READ),
    (Method::GET, "/release/{id}/decisions", READ),
    (Method::GET, "/release/{id}/analysis", READ),
    // It asks what would have been, and changes nothing.
    (Method::POST, "/release/{id}/simulate", READ),
    (Method::POST, "/release/{id}/promote", RELEASE),
    (Method::POST, "/release/{id}/rollback", ROLLBACK),
    (Method::POST, "/release/{id}/pause", RELEASE),
    (Method::POST, "/release/{id}/resume", RELEASE),
    (Method::POST, "/signal", SIGNAL),
    (Method::POST, "/signal/batch", SIGNAL),
    (Method::POST, "/devices/{device}/readings", SIGNAL),
    (Method::GET, "/devices/{device}/readings", READ),
    (Method::GET, "/devices/{device}/readings/min", READ),
    (Method::GET, "/devices/{device}/readings/max", READ),
    (Method::GET, "/devices/{device}/readings/median", READ),
    (Method::GET, "/devices/{device}/readings/mean", READ),
    (Method::GET, "/devices/{device}/readings/mode", READ),
    (Method::GET, "/devices/{device}/readings/quartiles", READ),
    (Method::GET, "/devices/{device}/readings/summary", READ),
    (Method::POST, "/readings", SIGNAL),
    (Method::GET, "/readings/summary", READ),
    (Method::GET, "/reading-type", Need::ReadOrSignal),
    (Method::GET, "/reading-type/{name}", Need::ReadOrSignal),
    (Method::PUT, "/reading-type/{name}", RELEASE),
    (Method::GET, "/key", ADMIN),
    (Method::POST, "/key", ADMIN),
    (Method::POST, "/key/{id}/rotate", ADMIN),
    (Method::DELETE, "/key/{id}", ADMIN),
    (Method::GET, "/organization", Need::AdminOfDefault),
    (Method::POST, "/organization", Need::AdminOfDefault),
    (Method::GET, "/", READ),
    (Method::GET, "/metrics", READ),
    (Method::GET, "/version", NOTHING),
    (Method::GET, "/health/live", NOTHING),
    (Method::GET, "/health/ready", NOTHING),
];

/// What is found at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// An operation, and what it needs.
    Operation(Need),
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
    let mut found = Found::Nothing;
    for (own, template, need) in &OPERATIONS {
        if fits(template, path) {
            if own == method {
                return Found::Operation(*need);
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
            .map(|(method, path, _)| ((*path).to_owned(), method.to_string()))
            .collect();
        assert_eq!(rows.iter().cloned().collect::<BTreeSet<_>>(), documented);
        assert_eq!(rows.len(), documented.len(), "a row came twice");
    }

    #[test]
    fn no_path_fits_two_templates() {
        let templates: BTreeSet<&str> = OPERATIONS.iter().map(|(_, path, _)| *path).collect();
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
            Found::Operation(need) => need.words().unwrap_or("nothing"),
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

//! Canary releases, durable and reachable: the service as a library.
//!
//! # The parts, in the order a request meets them
//!
//! | module | what it does |
//! | --- | --- |
//! | `lobby` | what is answered while the database is not there yet |
//! | `house` | the rooms of all organizations, opened at the start and when they are made |
//! | `access` | who may do what: keys in memory, the same on every server within a second |
//! | `api` | `api/door.rs` lets in; the rest parses, acts, renders; one place that knows statuses |
//! | `role` | which part of the work this server does, `api/operation.rs` which operations that is |
//! | `room` | everything of one organization: all that follows, once for each |
//! | `ingest` | the one road in: group commit, and everybody hears the fate of their own work |
//! | `store` | what is durable: operations over sea-orm, all differences of databases in one file |
//! | `live` | what every read of a selection sees, replaced whole after each commit |
//! | `engine` | what time alone brings about |
//! | [`config`], [`clock`], [`telemetry`] | what a server is given |
//! | [`migration`], [`organization`], [`key`], [`copy`] | what is done to a database beside its servers |
//!
//! # To add …
//!
//! * **an endpoint**: a method in the resource's file under `api/`, and a row in `api/operation.rs`
//!   that says what a key needs for it; the snapshot of the OpenAPI document shows what changed.
//! * **a way in**: turn bytes into `ingest::Work` and submit it; the store stays out of sight.
//! * **a table or a column**: a new step in `migration/org`, or in `migration/public` for what all
//!   organizations have in common; never a change to an old one. A table gets a line in
//!   `copy/catalogue.rs` as well.
//!
//! # Example
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use canary_server::{Settings, clock};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let server = canary_server::start(&Settings::default(), Arc::new(clock::System)).await?;
//! println!("listening on {}", server.url());
//! server.run_until_signal().await?;
//! # Ok(())
//! # }
//! ```

mod access;
mod api;
mod app;
mod audit;
mod buffers;
pub mod clock;
pub mod config;
pub mod copy;
mod dashboard;
mod engine;
mod evidence;
mod follow;
mod house;
mod identify;
mod ingest;
pub mod key;
mod lead;
mod live;
mod lobby;
mod measured;
pub mod migration;
pub mod organization;
mod readings;
mod role;
mod room;
mod server;
mod store;
pub mod telemetry;

pub use crate::access::{AccessError, Scope, ScopeError, Scopes, Secret};
pub use crate::config::{DatabaseUrl, Pool, Settings, SettingsError, Sources};
pub use crate::role::{Role, Roles, RolesError};
pub use crate::server::{Server, StartError, StopError, runtime, start};
pub use crate::store::StoreError;

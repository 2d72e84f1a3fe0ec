//! A copy of a whole installation into another database, of either kind: organizations, keys, and
//! all that every organization has; counted, and with a checksum for each table.
//!
//! What is promised:
//!
//! * The copy is what the source was at one moment. No server may run on either of them; that is
//!   looked for at the start, and from there to the end nobody can write to the source.
//! * The source stays as it is.
//! * A copy that is interrupted, however that happens, goes on where it was when it is run again.
//!   What was written is compared with the source, as it is then, by its checksum; a table that has
//!   changed since is written anew. Until the copy is finished no server starts on the target.
//! * A target that has data of its own is not touched. One that has exactly what the source has is
//!   a copy that is finished already.
//!
//! ```no_run
//! use std::ops::ControlFlow;
//!
//! use canary_server::DatabaseUrl;
//! use canary_server::copy::{self, Options};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let from = DatabaseUrl::new("sqlite:///var/lib/canary.db");
//! let to = DatabaseUrl::new("postgres://canary@db.example/canary");
//! let mut listener = |progress: &copy::Progress<'_>| {
//!     println!("{} of {} rows", progress.done, progress.all);
//!     ControlFlow::Continue(())
//! };
//! let report = copy::run(&from, &to, Options { verify: true }, &mut listener).await?;
//! for table in report.tables {
//!     println!("{} {}: {} rows, {}", table.organization, table.name, table.rows, table.checksum);
//! }
//! # Ok(())
//! # }
//! ```

mod catalogue;
mod error;
mod side;
mod table;

use std::ops::ControlFlow;

pub use self::error::{CopyError, Difference, Side};
use self::side::{Source, State, Target, TargetPlace};
use self::table::Copier;
use crate::config::DatabaseUrl;
use crate::organization::OrganizationName;
use crate::store::Place;
pub use crate::store::copy::Checksum;

/// What is asked of a copy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether the target is read again, whole, and compared with what was read from the source.
    pub verify: bool,
}

/// What a copy is about at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading the source, and writing what the target does not have yet.
    Copying,
    /// Reading the target again.
    Verifying,
}

/// How far a copy is; told after each batch of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// What it is about.
    pub stage: Stage,
    /// Whose table it is at.
    pub organization: &'a OrganizationName,
    /// The table.
    pub table: &'static str,
    /// Rows of all tables that are done, each counted once per stage.
    pub done: u64,
    /// Rows of all tables, each counted once per stage.
    pub all: u64,
}

/// Hears how far a copy is, and says whether it is to go on.
pub type Listener<'a> = dyn FnMut(&Progress<'_>) -> ControlFlow<()> + 'a;

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Every table of every organization; `default` comes first.
    pub tables: Vec<CopiedTable>,
    /// Whether the target was read again, whole, and is what the source is.
    pub is_verified: bool,
}

/// A table that is the same in both databases now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedTable {
    /// Whose it is; those that all organizations have in common are with `default`.
    pub organization: OrganizationName,
    /// Its name.
    pub name: &'static str,
    /// How many rows it has.
    pub rows: u64,
    /// How many of them were there already, from a run before.
    pub found: u64,
    /// The checksum of all its rows.
    pub checksum: Checksum,
}

/// Copies everything, or what is missing of it.
///
/// The target gets its schema, and a file if it is one; a PostgreSQL database must be there.
/// Memory is needed for some megabytes of rows, however large a table is.
///
/// # Errors
///
/// [`CopyError`]; what was written until then is found by the next run.
pub async fn run(
    from: &DatabaseUrl,
    to: &DatabaseUrl,
    options: Options,
    listener: &mut Listener<'_>,
) -> Result<Report, CopyError> {
    if from == to || Place::of_default(from).is_same_file(&Place::of_default(to)) {
        return Err(CopyError::SameDatabase { url: from.to_string() });
    }
    let source = Source::open(from).await?;
    let outcome = match Target::open(to, &source).await {
        Ok(target) => {
            let outcome = copy(&source, &target, options, listener).await;
            // The first cause is the one to be told.
            let closed = target.close().await;
            outcome.and_then(|report| closed.map(|()| report))
        }
        Err(failed) => Err(failed),
    };
    let closed = source.close().await;
    outcome.and_then(|report| closed.map(|()| report))
}

async fn copy(
    source: &Source,
    target: &Target,
    options: Options,
    listener: &mut Listener<'_>,
) -> Result<Report, CopyError> {
    let mut copier = Copier::new(source, target, options, listener).await?;
    let mut tables: Vec<Vec<CopiedTable>> = Vec::with_capacity(source.places.len());
    for (from, to) in source.places.iter().zip(&target.places) {
        tables.push(match &to.state {
            State::HasRows(rows) => copier.found(from, to, rows).await?,
            State::Empty | State::Unfinished => Vec::new(),
        });
    }
    // From here on the target is written to; the place of `default`, the first, keeps servers out.
    for place in target.places.iter().filter(|place| place.state == State::Empty) {
        place.store.begin_copy().await.map_err(|cause| target.failed(cause))?;
    }
    let places = || source.places.iter().zip(&target.places);
    let is_written = |to: &TargetPlace| to.is_to_be_written();
    for ((from, to), copied) in places().zip(&mut tables).filter(|((_, to), _)| is_written(to)) {
        for table in &from.tables {
            copied.push(copier.copy(from, to, table).await?);
        }
    }
    for ((from, to), copied) in places().zip(&tables).filter(|((_, to), _)| is_written(to)) {
        for (table, copied) in from.tables.iter().zip(copied).filter(|_| options.verify) {
            copier.verify(from, to, table, copied).await?;
        }
    }
    finish(source, target).await?;
    Ok(Report { tables: tables.into_iter().flatten().collect(), is_verified: options.verify })
}

/// Makes the target fit for servers; the place of `default`, which keeps them out, last.
async fn finish(source: &Source, target: &Target) -> Result<(), CopyError> {
    let places = source.places.iter().zip(&target.places).rev();
    for (from, to) in places.filter(|(_, to)| to.is_to_be_written()) {
        for table in &from.tables {
            let went_on = to.store.go_on_after_copy(table).await;
            went_on.map_err(|cause| target.failed(cause))?;
        }
        to.store.end_copy().await.map_err(|cause| target.failed(cause))?;
    }
    Ok(())
}

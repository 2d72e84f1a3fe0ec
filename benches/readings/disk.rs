//! What a database takes on disk.

use std::fs;
use std::path::Path;

use canary_benches::Failure;
use canary_benches::server::DATABASE;
use rusqlite::Connection;

/// Bytes of a database whose server has ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Disk {
    /// Of the database and its log, as files.
    pub(crate) file_bytes: u64,
    /// Of the pages that hold something.
    pub(crate) used_bytes: u64,
}

/// Of the database in this directory.
pub(crate) fn measure(directory: &Path) -> Result<Disk, Failure> {
    let path = directory.join(DATABASE);
    let log = directory.join(format!("{DATABASE}-wal"));
    // An ended server leaves no log, unless it was interrupted.
    let file_bytes = fs::metadata(&path)?.len() + fs::metadata(log).map_or(0, |log| log.len());
    let database = Connection::open(path)?;
    let pragma = |name| database.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let pages = pragma("page_count")? - pragma("freelist_count")?;
    let used_bytes = u64::try_from(pages * pragma("page_size")?)?;
    Ok(Disk { file_bytes, used_bytes })
}

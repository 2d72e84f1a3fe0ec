//! Where the programs of PostgreSQL are; asked when the tests are built and when they run.

use std::env;
use std::path::{Path, PathBuf};

/// The folder with `initdb` and `postgres`: in the path, else the newest that Debian installs.
pub(crate) fn folder() -> Option<PathBuf> {
    let has_both =
        |folder: &Path| ["initdb", "postgres"].iter().all(|program| folder.join(program).is_file());
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).find(|folder| has_both(folder));
    found.or_else(|| {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        let folders = versions.filter_map(|version| {
            let version = version.ok()?;
            let number: u32 = version.file_name().to_str()?.parse().ok()?;
            Some((number, version.path().join("bin"))).filter(|(_, folder)| has_both(folder))
        });
        folders.max_by_key(|(number, _)| *number).map(|(_, folder)| folder)
    })
}

//! Logs: readable alone, and queryable by field.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Starts to write logs to standard error; `level` is a level or a filter such as
/// `info,canary_server=debug`.
///
/// Called again it changes nothing.
///
/// # Errors
///
/// The text of the filter that could not be read.
pub fn init(level: &str) -> Result<(), String> {
    let filter = EnvFilter::try_new(with_quiet_libraries(level))
        .map_err(|error| format!("log level `{level}` cannot be read: {error}"))?;
    // A second call, as tests make it, finds a subscriber in place: that one stays.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .try_init();
    Ok(())
}

/// What the libraries below say of themselves is of interest to those who ask for it.
fn with_quiet_libraries(level: &str) -> String {
    if level.contains(['=', ',']) {
        return level.to_owned();
    }
    format!("{level},sqlx=warn,sea_orm=warn,sea_orm_migration=warn,hyper=warn,poem=warn")
}

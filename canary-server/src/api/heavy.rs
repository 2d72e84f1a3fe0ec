//! Work that takes milliseconds: on threads of its own, so that nobody else waits for it.

use std::sync::{Arc, LazyLock};
use std::thread::available_parallelism;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::problem::{ApiError, REQUEST_ID};

/// As many at once as there are processors: more of them would only hold more memory.
static PLACES: LazyLock<Arc<Semaphore>> =
    LazyLock::new(|| Arc::new(Semaphore::new(available_parallelism().map_or(2, usize::from))));

/// Does a piece of work, here if it is light.
pub(super) async fn run<T: Send + 'static>(
    is_heavy: bool,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    if !is_heavy {
        return Ok(work());
    }
    let place = PLACES.clone().acquire_owned().await;
    let place = place.map_err(|error| ApiError::internal(&error))?;
    let request_id = REQUEST_ID.try_with(Clone::clone).unwrap_or_default();
    let done = spawn_blocking(move || {
        // It goes on even if nobody waits for it any longer, and so keeps its place.
        let _place = place;
        REQUEST_ID.sync_scope(request_id, work)
    });
    done.await.map_err(|error| ApiError::internal(&error))
}

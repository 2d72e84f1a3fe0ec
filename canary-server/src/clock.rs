//! The time, passed in: a real clock for servers, one that is moved by hand for tests and stories.

use std::pin::Pin;
use std::time::{Duration, SystemTime};

use canary_core::time::Timestamp;
use tokio::sync::watch;

/// A wait that a clock promised.
pub type Sleep<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Where the time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Waits until `moment`; may return early, never late by the clock's own time.
    fn sleep_until(&self, moment: Timestamp) -> Sleep<'_>;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Clock for System {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that others are passed")]
    fn now(&self) -> Timestamp {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        // A machine whose clock stands before 1970 is at 1970.
        Timestamp::from_seconds(0).after(since_1970.unwrap_or_default())
    }

    fn sleep_until(&self, moment: Timestamp) -> Sleep<'_> {
        // The machine's clock may be set meanwhile: look again at least every minute.
        let wait = moment.since(self.now()).min(Duration::from_secs(60));
        Box::pin(tokio::time::sleep(wait))
    }
}

/// A clock that stands still until it is moved by hand; clones share the time.
#[derive(Debug, Clone)]
pub struct Manual {
    now: watch::Sender<Timestamp>,
}

impl Manual {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { now: watch::Sender::new(now) }
    }

    /// Sets the clock, and wakes who waits for that time.
    pub fn set(&self, now: Timestamp) {
        self.now.send_replace(now);
    }

    /// Moves the clock forward.
    pub fn advance(&self, duration: Duration) {
        self.now.send_modify(|now| *now = now.after(duration));
    }
}

impl Clock for Manual {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    fn sleep_until(&self, moment: Timestamp) -> Sleep<'_> {
        let mut now = self.now.subscribe();
        Box::pin(async move {
            // The sender lives as long as `self`, so this cannot fail.
            let _ = now.wait_for(|now| *now >= moment).await;
        })
    }
}

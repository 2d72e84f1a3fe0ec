//! The lobby: what stands before the house, and says that it is not open yet.
//!
//! The house opens once its database is there. Until then nobody knows who has which key, so nobody
//! is let in, on no address.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use crate::api::Description;
use crate::house::House;

/// Why the house is not open; the numbers are those in [`Lobby::closed`].
const WAITS: u8 = 0;
const CANNOT: u8 = 1;
const STOPS: u8 = 2;

/// Before the house.
pub(crate) struct Lobby {
    /// What is shown of the API to everybody.
    pub(crate) description: Arc<Description>,
    house: OnceLock<Arc<House>>,
    closed: AtomicU8,
}

impl Lobby {
    /// Before a house that is still to open.
    pub(crate) fn new() -> Self {
        let description = Arc::new(Description::of_the_api());
        Self { description, house: OnceLock::new(), closed: AtomicU8::new(WAITS) }
    }

    /// Lets people through.
    pub(crate) fn open(&self, house: Arc<House>) {
        // It opens once.
        let _ = self.house.set(house);
    }

    /// The house, if it is open.
    pub(crate) fn house(&self) -> Option<&Arc<House>> {
        self.house.get()
    }

    /// Tells those who ask for the health of the server that it will never open.
    pub(crate) fn give_up(&self) {
        self.closed.store(CANNOT, Ordering::Relaxed);
    }

    /// Tells those who ask for the health of the server that it stops.
    pub(crate) fn begin_to_stop(&self) {
        self.closed.store(STOPS, Ordering::Relaxed);
        if let Some(house) = self.house() {
            house.begin_to_stop();
        }
    }

    /// Why the house is not open, for a person.
    pub(crate) fn why_closed(&self) -> &'static str {
        match self.closed.load(Ordering::Relaxed) {
            WAITS => "the server waits for its database",
            CANNOT => "the server cannot start, its log says why",
            _ => "the server is stopping",
        }
    }
}

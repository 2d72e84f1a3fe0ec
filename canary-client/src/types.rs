//! What is sent and what is answered; the names are those of the wire.

pub(crate) mod problem;
pub(crate) mod product;
pub(crate) mod reading;
pub(crate) mod release;
pub(crate) mod signal;

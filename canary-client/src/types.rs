//! What is sent and what is answered; the names are those of the wire.

pub(crate) mod analysis;
pub(crate) mod audit;
pub(crate) mod decision;
pub(crate) mod findings;
pub(crate) mod policy;
pub(crate) mod problem;
pub(crate) mod product;
pub(crate) mod reading;
pub(crate) mod release;
pub(crate) mod signal;
pub(crate) mod simulation;

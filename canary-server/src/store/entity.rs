//! Rows as they lie in the tables; private to the store.
//!
//! A row that is no domain value is [`StoreError::Corrupt`](super::StoreError::Corrupt).

pub(super) mod access_key;
pub(super) mod decision;
pub(super) mod idempotency;
pub(super) mod organization;
pub(super) mod policy;
pub(super) mod product;
pub(super) mod release;

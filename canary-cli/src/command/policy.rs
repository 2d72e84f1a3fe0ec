//! How a canary is judged: as flags, for people, and as the core knows it.

mod convert;
mod flags;
mod text;

pub(crate) use convert::{full, in_core, over, set_in};
pub(crate) use flags::PolicyFlags;
pub(crate) use text::{differences, table};

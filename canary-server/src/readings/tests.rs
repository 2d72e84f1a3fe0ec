//! Readings from intake to answer, in one process and without a network.
//!
//! | part | what it is about |
//! | --- | --- |
//! | `rig` | what the others stand on |
//! | `oracle` | every answer is that of a plain sort, whatever happens |
//! | `retention` | readings that are too old to be kept |
//! | `blocks` | small blocks, and blocks that are read again |
//! | `arrivals` | equal readings without a time |

mod arrivals;
mod blocks;
mod oracle;
mod retention;
mod rig;

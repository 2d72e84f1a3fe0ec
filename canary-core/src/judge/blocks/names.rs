//! Whether the names of instances tell runs apart.

/// The names that were seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Names {
    /// None yet.
    #[default]
    None,
    /// One, in a block that is not closed yet.
    First(u64),
    /// One alone, in every block so far.
    One(u64),
    /// More than one.
    Many,
}

impl Names {
    /// Takes note of a name; whether it tells its run apart from others.
    pub(super) fn tell_apart(&mut self, name: u64) -> bool {
        match *self {
            Self::None => *self = Self::First(name),
            Self::First(known) | Self::One(known) if known != name => *self = Self::Many,
            Self::First(_) | Self::Many => {}
            Self::One(_) => return false,
        }
        true
    }

    /// A block of both arms was closed.
    pub(super) fn end_block(&mut self) {
        if let Self::First(name) = *self {
            *self = Self::One(name);
        }
    }
}

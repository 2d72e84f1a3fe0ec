//! Which readings are meant.

/// The readings of one device; the default is all of them.
///
/// A list may be of all types. A statistic is of one: without it the server refuses.
///
/// # Examples
///
/// ```
/// use canary_client::ReadingFilter;
///
/// let day = ReadingFilter::new("greenhouse-7")
///     .reading_type("temperature")
///     .start(1_935_792_000)
///     .end(1_935_878_399);
/// # let _ = day;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct ReadingFilter {
    pub(crate) device: String,
    pub(crate) reading_type: Option<String>,
    pub(crate) start: Option<i64>,
    pub(crate) end: Option<i64>,
}

impl ReadingFilter {
    /// All readings of a device.
    pub fn new(device: impl Into<String>) -> Self {
        Self { device: device.into(), reading_type: None, start: None, end: None }
    }

    /// Only those of this type.
    pub fn reading_type(mut self, name: impl Into<String>) -> Self {
        self.reading_type = Some(name.into());
        self
    }

    /// Only those from this second on, in seconds since 1970 began (UTC); it is included.
    pub fn start(mut self, epoch_s: i64) -> Self {
        self.start = Some(epoch_s);
        self
    }

    /// Only those up to this second, in seconds since 1970 began (UTC); it is included.
    pub fn end(mut self, epoch_s: i64) -> Self {
        self.end = Some(epoch_s);
        self
    }
}

/// The readings of one type of all devices.
///
/// # Examples
///
/// ```
/// use canary_client::FleetFilter;
///
/// let canaries = FleetFilter::new("temperature").version("1.5.0").start(1_935_792_000);
/// # let _ = canaries;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct FleetFilter {
    pub(crate) reading_type: String,
    pub(crate) version: Option<String>,
    pub(crate) start: Option<i64>,
    pub(crate) end: Option<i64>,
}

impl FleetFilter {
    /// All readings of a type.
    pub fn new(reading_type: impl Into<String>) -> Self {
        Self { reading_type: reading_type.into(), version: None, start: None, end: None }
    }

    /// Only those of devices that ran this version when they measured.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Only those from this second on, in seconds since 1970 began (UTC); it is included.
    pub fn start(mut self, epoch_s: i64) -> Self {
        self.start = Some(epoch_s);
        self
    }

    /// Only those up to this second, in seconds since 1970 began (UTC); it is included.
    pub fn end(mut self, epoch_s: i64) -> Self {
        self.end = Some(epoch_s);
        self
    }
}

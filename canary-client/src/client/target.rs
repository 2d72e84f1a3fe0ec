//! Where a request goes.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::{Error, Result};

/// Path and query, percent-encoded.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Target(pub(super) String);

/// All but what RFC 3986 calls unreserved: a slash in a name must not become a path.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Target {
    pub(super) fn of(segments: &[&str]) -> Result<Self> {
        let mut target = String::new();
        for segment in segments {
            // These would name another path than was meant.
            if matches!(*segment, "" | "." | "..") {
                return Err(Error::Invalid {
                    code: "empty_name".to_owned(),
                    detail: format!("`{segment}` names no product, release, device or type"),
                    errors: Vec::new(),
                });
            }
            target.push('/');
            target.extend(utf8_percent_encode(segment, ENCODED));
        }
        Ok(Self(target))
    }

    pub(super) fn query(mut self, name: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.0.push(if self.0.contains('?') { '&' } else { '?' });
            self.0.push_str(name);
            self.0.push('=');
            self.0.extend(utf8_percent_encode(value, ENCODED));
        }
        self
    }
}

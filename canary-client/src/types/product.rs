//! Products: what has versions.

use serde::{Deserialize, Serialize};

/// A product as it is registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Product {
    /// Its identifier, a UUID.
    pub id: String,
    /// Its name, unique on the server.
    pub name: String,
    /// Where its source lives.
    #[serde(default)]
    pub repository_url: String,
    /// Where its builds are found, unique on the server; signals and releases name it.
    pub artifact_url: String,
}

/// A product to register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[must_use]
pub struct NewProduct {
    name: String,
    repository_url: String,
    artifact_url: String,
}

impl NewProduct {
    /// Names the product, its source and where its builds are found.
    pub fn new(
        name: impl Into<String>,
        repository_url: impl Into<String>,
        artifact_url: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            repository_url: repository_url.into(),
            artifact_url: artifact_url.into(),
        }
    }
}

/// Which products to list; the default is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct ProductFilter {
    pub(crate) name: Option<String>,
    pub(crate) artifact_url: Option<String>,
}

impl ProductFilter {
    /// Only the one with this name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Only the one with builds here.
    pub fn artifact_url(mut self, artifact_url: impl Into<String>) -> Self {
        self.artifact_url = Some(artifact_url.into());
        self
    }
}

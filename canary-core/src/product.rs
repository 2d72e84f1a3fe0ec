//! Products: what is released.

use crate::value::{checked_id, checked_text};

checked_id!(
    /// Identifies a product.
    ProductId,
    "product id"
);

checked_text!(
    /// What people call a product; unique among products.
    ProductName,
    "name",
    128,
    check_text,
    OneLine
);

checked_text!(
    /// Where the source of a product lives; shown, never fetched.
    RepositoryUrl,
    "repository_url",
    2048,
    check_text,
    OneLine
);

checked_text!(
    /// Where the artifacts of a product lie; unique among products, it names the product in
    /// releases and signals.
    ArtifactUrl,
    "artifact_url",
    2048,
    check_text,
    OneLine
);

/// A software that is released as versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its identifier.
    pub id: ProductId,
    /// Its name, unique.
    pub name: ProductName,
    /// Where its source lives.
    pub repository_url: RepositoryUrl,
    /// Where its artifacts lie, unique.
    pub artifact_url: ArtifactUrl,
}

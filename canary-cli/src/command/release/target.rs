//! Which release is meant.

use canary_client::Client;
use clap::Args;

use crate::failure::Failure;

/// Which release is meant: its id, or its product and version.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// The release's id
    #[arg(
        value_name = "RELEASE_ID",
        required_unless_present = "product",
        conflicts_with_all = ["product", "version"]
    )]
    pub(super) id: Option<String>,
    /// The product's name, id or artifact URL, instead of the release's id
    #[arg(long, value_name = "PRODUCT", requires = "version")]
    pub(super) product: Option<String>,
    /// The version of that product
    #[arg(long, value_name = "VERSION", requires = "product")]
    pub(super) version: Option<String>,
}

impl Target {
    /// The id of the release that is meant.
    pub(super) fn id(&self, client: &Client) -> Result<String, Failure> {
        // clap has seen to it that there is an id or both of the others.
        let (product, version) = match (&self.id, &self.product, &self.version) {
            (Some(id), ..) => return Ok(id.clone()),
            (None, Some(product), Some(version)) => (product, version),
            _ => return Err(Failure::usage("give a release id, or --product and --version")),
        };
        for release in client.releases(product) {
            let release = release?;
            if release.semver_version == *version {
                return Ok(release.id);
            }
        }
        Err(Failure::refused(format!("product `{product}` has no release `{version}`"))
            .hint(format!("`canary release list {product}` shows what there is")))
    }
}

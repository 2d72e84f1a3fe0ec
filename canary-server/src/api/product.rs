//! Products.

use std::sync::Arc;

use canary_core::policy::Policy;
use canary_core::product::{ArtifactUrl, Product, ProductId, ProductName, RepositoryUrl};
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde::Deserialize;

use super::payload::{Body, Checks, JsonBody};
use super::policy::{PolicyBody, check_types};
use super::problem::{ApiError, Kind};
use super::{Tag, idempotency, page};
use crate::app::App;
use crate::audit::Origin;
use crate::ingest::{Receipt, Work};
use crate::live::Live;
use crate::store::ProductFilter;

/// A software that is released as versions.
#[derive(Debug, Deserialize, Object)]
#[oai(rename = "NewProduct")]
#[serde(deny_unknown_fields)]
struct NewProductBody {
    /// Passed over; the server makes the identifier.
    #[oai(deprecated)]
    #[serde(default, rename = "id")]
    #[oai(rename = "id")]
    _id: Option<String>,
    /// What people call it, 1 to 128 characters, unique.
    name: String,
    /// Where its source lives; shown, never fetched.
    repository_url: String,
    /// Where its artifacts lie, 1 to 2048 characters, unique; it names the product in releases and
    /// signals.
    artifact_url: String,
}

impl Body for NewProductBody {
    const REQUIRED: &'static [&'static str] = &["name", "repository_url", "artifact_url"];
}

impl NewProductBody {
    fn parse(self, id: ProductId) -> Result<Product, ApiError> {
        let mut checks = Checks::default();
        let name = checks.take("name", ProductName::parse(self.name));
        let repository_url =
            checks.take("repository_url", RepositoryUrl::parse(self.repository_url));
        let artifact_url = checks.take("artifact_url", ArtifactUrl::parse(self.artifact_url));
        let product = name.zip(repository_url).zip(artifact_url).map(
            |((name, repository_url), artifact_url)| Product {
                id,
                name,
                repository_url,
                artifact_url,
            },
        );
        checks.finish(product)
    }
}

/// A product.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Product")]
pub(crate) struct ProductBody {
    /// Its identifier, a UUID.
    id: String,
    /// What people call it.
    name: String,
    /// Where its source lives.
    repository_url: String,
    /// Where its artifacts lie.
    artifact_url: String,
}

impl From<&Product> for ProductBody {
    fn from(product: &Product) -> Self {
        Self {
            id: product.id.to_string(),
            name: product.name.to_string(),
            repository_url: product.repository_url.to_string(),
            artifact_url: product.artifact_url.to_string(),
        }
    }
}

#[derive(ApiResponse)]
enum ProductCreated {
    /// The product was registered.
    #[oai(status = 201)]
    Created(Json<ProductBody>),
}

#[derive(ApiResponse)]
enum Products {
    /// Products in the order of their names.
    #[oai(status = 200)]
    Page(
        Json<Vec<ProductBody>>,
        /// Leads to the next page; absent on the last.
        #[oai(header = "Link")]
        Option<String>,
    ),
}

/// What is released.
pub(crate) struct ProductApi(pub(crate) Arc<App>);

#[OpenApi(tag = "Tag::Products")]
impl ProductApi {
    /// List products
    #[oai(path = "/product", method = "get", operation_id = "list_products")]
    async fn list(
        &self,
        /// Only the product with this name.
        name: Query<Option<String>>,
        /// Only the product with this artifact_url.
        artifact_url: Query<Option<String>>,
        /// Where the page begins, from the `Link` of the page before.
        cursor: Query<Option<String>>,
        /// Products of a page, 1 to 1000, 100 if absent.
        limit: Query<Option<i64>>,
    ) -> Result<Products, ApiError> {
        let limit = page::limit(limit.0)?;
        let filter = ProductFilter { name: name.0, artifact_url: artifact_url.0 };
        let found = self.0.store.products(&filter, cursor.0.as_deref(), limit).await?;
        let last = found.items.last().filter(|_| found.has_more);
        let filters =
            [("name", filter.name.as_deref()), ("artifact_url", filter.artifact_url.as_deref())];
        let link = last.map(|last| page::next("/product", &filters, last.name.as_str(), limit));
        Ok(Products::Page(Json(found.items.iter().map(Into::into).collect()), link))
    }

    /// Register a product
    ///
    /// 409 if the name or the artifact_url is taken.
    #[oai(path = "/product", method = "post", operation_id = "create_product")]
    async fn create(
        &self,
        /// Makes it safe to send the request twice: the second is answered like the first.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        origin: Origin,
        body: JsonBody<NewProductBody>,
    ) -> Result<ProductCreated, ApiError> {
        let key = idempotency::key("create_product", key.0, body.fingerprint)?;
        let id = ProductId::from_bytes(self.0.identifiers.next(self.0.clock.now()));
        let product = body.value.parse(id)?;
        let receipt =
            self.0.ingest.submit(Work::Product { product, origin: origin.into() }, key).await?;
        let Receipt::Product { id } = receipt else { return Err(super::wrong_receipt(&receipt)) };
        Ok(ProductCreated::Created(Json(self.find(&id)?)))
    }

    /// Show a product
    #[oai(path = "/product/:id", method = "get", operation_id = "get_product")]
    async fn get(
        &self,
        /// Identifier of the product, a UUID.
        id: Path<String>,
    ) -> Result<Json<ProductBody>, ApiError> {
        self.find(&id.0).map(Json)
    }

    /// Show how releases of a product are judged
    ///
    /// The policy in full that a release has which says nothing of its own.
    #[oai(path = "/product/:id/policy", method = "get", operation_id = "get_product_policy")]
    async fn policy(
        &self,
        /// Identifier of the product, a UUID.
        id: Path<String>,
    ) -> Result<Json<PolicyBody>, ApiError> {
        let live = self.live(&id.0)?;
        Ok(Json((&live.default_policy()).into()))
    }

    /// Set how releases of a product are judged
    ///
    /// For releases that are registered from now on, where they say nothing of their own. What is
    /// absent is as it is for a team that sets nothing; what was set before is forgotten. The answer
    /// is the policy in full.
    #[oai(path = "/product/:id/policy", method = "put", operation_id = "set_product_policy")]
    async fn set_policy(
        &self,
        /// Identifier of the product, a UUID.
        id: Path<String>,
        origin: Origin,
        body: JsonBody<PolicyBody>,
    ) -> Result<Json<PolicyBody>, ApiError> {
        let live = self.live(&id.0)?;
        let mut checks = Checks::default();
        let parsed = body.value.parse("", &Policy::default(), &mut checks);
        let (settings, policy) = checks.finish(parsed)?;
        check_types(&self.0, "", &policy)?;
        let (settings, origin) = (Box::new(settings), origin.into());
        self.0.ingest.submit(Work::Policy { live, settings, origin }, None).await?;
        Ok(Json((&policy).into()))
    }
}

impl ProductApi {
    fn find(&self, id: &str) -> Result<ProductBody, ApiError> {
        Ok(ProductBody::from(&*self.live(id)?.product))
    }

    fn live(&self, id: &str) -> Result<Arc<Live>, ApiError> {
        let id = ProductId::parse(id).map_err(|error| ApiError::parameter("id", &error))?;
        self.0.directory.by_id(id).ok_or_else(|| {
            ApiError::new(Kind::UnknownProduct, format!("no product has the id `{id}`"))
        })
    }
}

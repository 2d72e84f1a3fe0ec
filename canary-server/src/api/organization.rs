//! Organizations: each has everything of its own.

use std::sync::Arc;

use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde::Deserialize;

use super::payload::{Body, Checks, JsonBody};
use super::problem::ApiError;
use super::{Tag, moment};
use crate::access::Desk;
use crate::app::App;
use crate::audit::Origin;
use crate::organization::{Organization, OrganizationName};

/// An organization to be made.
#[derive(Debug, Deserialize, Object)]
#[oai(rename = "NewOrganization")]
#[serde(deny_unknown_fields)]
struct NewOrganizationBody {
    /// Its name, unique: 1 to 63 characters of a-z, 0-9 and -, beginning with a letter.
    name: String,
}

impl Body for NewOrganizationBody {
    const REQUIRED: &'static [&'static str] = &["name"];
}

/// An organization.
#[derive(Object)]
#[oai(rename = "Organization")]
struct OrganizationBody {
    /// Its identifier, a UUID.
    id: String,
    /// Its name.
    name: String,
    /// When it was made.
    created_at: String,
}

impl From<Organization> for OrganizationBody {
    fn from(organization: Organization) -> Self {
        Self {
            id: organization.id.to_string(),
            name: organization.name.to_string(),
            created_at: moment::show(organization.created_at),
        }
    }
}

#[derive(ApiResponse)]
enum OrganizationCreated {
    /// The organization was made.
    #[oai(status = 201)]
    Created(Json<OrganizationBody>),
}

/// Organizations.
pub(crate) struct OrganizationApi {
    pub(crate) app: Arc<App>,
    pub(crate) desk: Desk,
}

#[OpenApi(tag = "Tag::Access")]
impl OrganizationApi {
    /// List organizations
    ///
    /// All of them, in the order of their making; `default` is there from the start.
    #[oai(path = "/organization", method = "get", operation_id = "list_organizations")]
    async fn list(&self) -> Result<Json<Vec<OrganizationBody>>, ApiError> {
        let organizations = self.desk.organizations().await?;
        Ok(Json(organizations.into_iter().map(Into::into).collect()))
    }

    /// Make an organization
    ///
    /// With tables of its own: it sees nothing of others, and they see nothing of it. Its first key
    /// is made beside the database, with `canary key create`. 409 if the name is taken.
    #[oai(path = "/organization", method = "post", operation_id = "create_organization")]
    async fn create(
        &self,
        origin: Origin,
        body: JsonBody<NewOrganizationBody>,
    ) -> Result<OrganizationCreated, ApiError> {
        let mut checks = Checks::default();
        let name = checks.take("name", OrganizationName::parse(body.value.name));
        let name = checks.finish(name)?;
        let made = self.desk.create_organization(&name, &origin, self.app.clock.now()).await?;
        Ok(OrganizationCreated::Created(Json(made.into())))
    }
}

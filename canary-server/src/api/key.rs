//! Keys: who may do what.

use std::sync::Arc;
use std::time::Duration;

use canary_core::time::Timestamp;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde::Deserialize;

use super::payload::{Body, Checks, JsonBody};
use super::problem::ApiError;
use super::{Tag, moment};
use crate::access::{Desk, Scopes};
use crate::app::App;
use crate::audit::Origin;
use crate::key::{CreatedKey, Key, KeyId, KeyName, NewKey, Rotation};

/// A key to be made.
#[derive(Debug, Deserialize, Object)]
#[oai(rename = "NewKey")]
#[serde(deny_unknown_fields)]
struct NewKeyBody {
    /// What people call it, 1 to 128 characters; no other key in force may have it.
    name: String,
    /// What it may do, at least one of: `read` (look at everything but keys and organizations),
    /// `signal` (report signals and readings, ask which version to run, look at the types of
    /// readings), `release` (`read`; register products, releases and types of readings, set
    /// policies, promote, pause, resume), `rollback` (`read`; roll back, which `release` does not
    /// include), `admin` (everything).
    scopes: Vec<String>,
    /// From when on it opens nothing, RFC 3339; never if absent.
    expires_at: Option<String>,
}

impl Body for NewKeyBody {
    const REQUIRED: &'static [&'static str] = &["name", "scopes"];
}

impl NewKeyBody {
    fn parse(self) -> Result<NewKey, ApiError> {
        let mut checks = Checks::default();
        let name = checks.take("name", KeyName::parse(self.name));
        let scopes = Scopes::parse(self.scopes.iter().map(String::as_str));
        let scopes = checks.take("scopes", scopes);
        let expires_at = expiry(self.expires_at.as_deref(), &mut checks);
        let new = name.zip(scopes).zip(expires_at);
        let new = new.map(|((name, scopes), expires_at)| NewKey { name, scopes, expires_at });
        checks.finish(new)
    }
}

/// How a key is replaced.
#[derive(Debug, Deserialize, Object)]
#[oai(rename = "Rotation")]
#[serde(deny_unknown_fields)]
struct RotationBody {
    /// Seconds for which the old key still opens what it did, 0 to 2 592 000 (30 days), 86 400 (a
    /// day) if absent.
    overlap_seconds: Option<i64>,
    /// From when on the new key opens nothing, RFC 3339. If absent, it is as long after now as it
    /// was after the making of the old key, and never if that had no end.
    expires_at: Option<String>,
}

impl Body for RotationBody {
    const REQUIRED: &'static [&'static str] = &[];
}

impl RotationBody {
    fn parse(self) -> Result<Rotation, ApiError> {
        let mut checks = Checks::default();
        let default = Rotation::default().overlap;
        let overlap = self.overlap_seconds.map_or(Ok(default), overlap);
        let overlap = checks.take("overlap_seconds", overlap);
        let expires_at = expiry(self.expires_at.as_deref(), &mut checks);
        let rotation = overlap.zip(expires_at);
        checks.finish(rotation.map(|(overlap, expires_at)| Rotation { overlap, expires_at }))
    }
}

fn overlap(seconds: i64) -> Result<Duration, String> {
    let most = Rotation::LONGEST_OVERLAP.as_secs();
    let given = u64::try_from(seconds).ok().filter(|seconds| *seconds <= most);
    let refused = || format!("overlap_seconds is {seconds}, it must be from 0 to {most}");
    given.map(Duration::from_secs).ok_or_else(refused)
}

fn expiry(text: Option<&str>, checks: &mut Checks) -> Option<Option<Timestamp>> {
    let moment = text.map(|text| moment::parse("expires_at", text)).transpose();
    checks.take("expires_at", moment)
}

/// A key as lists show it.
#[derive(Object)]
#[oai(rename = "Key")]
struct KeyBody {
    /// Its identifier, a UUID.
    id: String,
    /// What people call it.
    name: String,
    /// What it may do.
    scopes: Vec<String>,
    /// The 8 characters after `canary_`, by which its holder knows it.
    prefix: String,
    /// When it was made.
    created_at: String,
    /// From when on it opens nothing; null if never.
    expires_at: Option<String>,
    /// When it was revoked; null if it was not.
    revoked_at: Option<String>,
    /// The identifier of the key that was put in its place; null if none was.
    replaced_by: Option<String>,
}

/// A key that was made.
#[derive(Object)]
#[oai(rename = "CreatedKey")]
struct CreatedKeyBody {
    /// Its identifier, a UUID.
    id: String,
    /// What people call it.
    name: String,
    /// What it may do.
    scopes: Vec<String>,
    /// The 8 characters after `canary_`, by which its holder knows it.
    prefix: String,
    /// The key itself: shown now, and never again. It is sent as `Authorization: Bearer <key>`.
    key: String,
    /// When it was made.
    created_at: String,
    /// From when on it opens nothing; null if never.
    expires_at: Option<String>,
}

fn words(scopes: Scopes) -> Vec<String> {
    scopes.iter().map(|scope| scope.as_str().to_owned()).collect()
}

impl From<Key> for KeyBody {
    fn from(key: Key) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name.to_string(),
            scopes: words(key.scopes),
            prefix: key.prefix,
            created_at: moment::show(key.created_at),
            expires_at: key.expires_at.map(moment::show),
            revoked_at: key.revoked_at.map(moment::show),
            replaced_by: key.replaced_by.map(|id| id.to_string()),
        }
    }
}

impl From<CreatedKey> for CreatedKeyBody {
    fn from(created: CreatedKey) -> Self {
        let CreatedKey { key, secret } = created;
        Self {
            id: key.id.to_string(),
            name: key.name.to_string(),
            scopes: words(key.scopes),
            prefix: key.prefix,
            key: secret.reveal().to_owned(),
            created_at: moment::show(key.created_at),
            expires_at: key.expires_at.map(moment::show),
        }
    }
}

#[derive(ApiResponse)]
enum KeyCreated {
    /// The key was made.
    #[oai(status = 201)]
    Created(Json<CreatedKeyBody>),
}

#[derive(ApiResponse)]
enum KeyRevoked {
    /// The key opens nothing, now or since it was revoked first.
    #[oai(status = 204)]
    Revoked,
}

/// Keys of one organization.
pub(crate) struct KeyApi {
    pub(crate) app: Arc<App>,
    pub(crate) desk: Desk,
}

#[OpenApi(tag = "Tag::Access")]
impl KeyApi {
    /// List keys
    ///
    /// All of the organization, in the order of their making, those that are revoked or replaced
    /// too; without what opens doors, which nobody knows but their holders.
    #[oai(path = "/key", method = "get", operation_id = "list_keys")]
    async fn list(&self) -> Result<Json<Vec<KeyBody>>, ApiError> {
        let keys = self.desk.keys().await?;
        Ok(Json(keys.into_iter().map(Into::into).collect()))
    }

    /// Make a key
    ///
    /// For the organization of the key that makes it. The key itself is in this answer, and in no
    /// other: what is stored is its hash. Sending the request twice makes no second key: the name is
    /// taken then, which is 409.
    ///
    /// The first key of all closes the server to everybody who has none, so it needs the scope
    /// `admin`.
    #[oai(path = "/key", method = "post", operation_id = "create_key")]
    async fn create(
        &self,
        origin: Origin,
        body: JsonBody<NewKeyBody>,
    ) -> Result<KeyCreated, ApiError> {
        let new = body.value.parse()?;
        let created = self.desk.create(new, &origin, self.app.clock.now()).await?;
        Ok(KeyCreated::Created(Json(created.into())))
    }

    /// Replace a key
    ///
    /// The new one has its name and scopes. The old one expires after the overlap, or when it would
    /// have anyway. 409 if it is revoked, has expired, or was replaced already.
    #[oai(path = "/key/:id/rotate", method = "post", operation_id = "rotate_key")]
    async fn rotate(
        &self,
        /// Identifier of the key, a UUID.
        id: Path<String>,
        origin: Origin,
        body: JsonBody<RotationBody>,
    ) -> Result<KeyCreated, ApiError> {
        let (id, rotation) = (parse_id(&id.0)?, body.value.parse()?);
        let created = self.desk.rotate(id, rotation, &origin, self.app.clock.now()).await?;
        Ok(KeyCreated::Created(Json(created.into())))
    }

    /// Revoke a key
    ///
    /// From now on it opens nothing. One that is revoked already stays as it is. Where the last key
    /// with the scope `admin` is revoked, new ones are made beside the database, with
    /// `canary key create`.
    #[oai(path = "/key/:id", method = "delete", operation_id = "revoke_key")]
    async fn revoke(
        &self,
        /// Identifier of the key, a UUID.
        id: Path<String>,
        origin: Origin,
    ) -> Result<KeyRevoked, ApiError> {
        self.desk.revoke(parse_id(&id.0)?, &origin, self.app.clock.now()).await?;
        Ok(KeyRevoked::Revoked)
    }
}

fn parse_id(text: &str) -> Result<KeyId, ApiError> {
    KeyId::parse(text).map_err(|error| ApiError::parameter("id", &error))
}

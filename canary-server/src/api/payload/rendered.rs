//! Answers: written by serde, described in OpenAPI all the same.

use std::borrow::Cow;
use std::marker::PhantomData;

use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::payload::Payload;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use serde::Serialize;

use crate::api::problem::ApiError;

/// An answer that was written by serde, described as a `T`.
pub(crate) struct Rendered<T> {
    json: Cow<'static, [u8]>,
    shape: PhantomData<fn() -> T>,
}

impl<T> Rendered<T> {
    /// Writes a value that has the shape of `T`.
    pub(crate) fn of(value: &impl Serialize) -> Result<Self, ApiError> {
        let json = serde_json::to_vec(value).map_err(|error| ApiError::internal(&error))?;
        Ok(Self { json: json.into(), shape: PhantomData })
    }

    /// Takes JSON that has the shape of `T`.
    pub(crate) const fn written(json: &'static str) -> Self {
        Self { json: Cow::Borrowed(json.as_bytes()), shape: PhantomData }
    }
}

impl<T: Type> ApiResponse for Rendered<T> {
    fn meta() -> MetaResponses {
        let content = vec![MetaMediaType {
            content_type: Self::CONTENT_TYPE,
            schema: <Self as Payload>::schema_ref(),
        }];
        let response = MetaResponse {
            description: "",
            status: Some(200),
            status_range: None,
            content,
            headers: Vec::new(),
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(registry: &mut Registry) {
        <Self as Payload>::register(registry);
    }
}

impl<T: Type> Payload for Rendered<T> {
    const CONTENT_TYPE: &'static str = "application/json";

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: Send> IntoResponse for Rendered<T> {
    fn into_response(self) -> Response {
        let response = Response::builder().content_type("application/json");
        match self.json {
            Cow::Borrowed(json) => response.body(json),
            Cow::Owned(json) => response.body(json),
        }
    }
}

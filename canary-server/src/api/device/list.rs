//! A page of the readings of a device.

use std::sync::Arc;

use serde::Serialize;

use crate::api::payload::Rendered;
use crate::api::problem::ApiError;
use crate::api::reading::{Filters, ReadingBody, parse_device};
use crate::api::{heavy, number, page as pages};
use crate::app::App;
use crate::readings::{Cursor, Listed, TypeId};

/// Readings of a page when nobody says how many.
const DEFAULT: i64 = 10_000;
/// Most readings of a page.
const MOST: i64 = 100_000;

/// Readings that are written among the other requests; more of them on a thread of their own.
const LIGHT: usize = 1_000;

/// A reading as it is written: a [`ReadingBody`], without a copy of its names.
#[derive(Serialize)]
struct Shown<'a> {
    date_created: u32,
    device_uuid: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(serialize_with = "number::write")]
    value: f64,
    #[serde(skip_serializing_if = "str::is_empty")]
    version: &'a str,
}

/// The page, and the `Link` to the next.
pub(super) async fn page(
    app: &Arc<App>,
    device: String,
    filters: &Filters,
) -> Result<(Rendered<Vec<ReadingBody>>, Option<String>), ApiError> {
    let device = parse_device(device)?;
    let kind = filters.find_type(&app.readings)?;
    let limit = pages::within("limit", filters.limit.unwrap_or(DEFAULT), MOST)?;
    let after = filters.cursor.as_deref().map(read_cursor).transpose()?;
    let kind = kind.map(|(id, _)| id);
    let (listed, next) = match filters.span() {
        Some(span) => {
            let (readings, store) = (&app.readings, &app.store);
            readings.list(store, device.as_str(), kind, span, after, limit).await?
        }
        None => (Vec::new(), None),
    };
    let link = next.map(|next| link(device.as_str(), filters, next, limit));
    let own = app.clone();
    let write = move || write(&own, device.as_str(), &listed);
    let is_heavy = limit > LIGHT;
    Ok((heavy::run(is_heavy, write).await??, link))
}

fn read_cursor(text: &str) -> Result<Cursor, ApiError> {
    text.parse().map_err(|()| pages::bad_cursor(text))
}

fn link(device: &str, filters: &Filters, next: Cursor, limit: usize) -> String {
    let path = format!("/devices/{}/readings", pages::encode(device));
    let [start, end] = [filters.start, filters.end].map(|of| of.map(|of| of.to_string()));
    let filters =
        [("type", filters.kind.as_deref()), ("start", start.as_deref()), ("end", end.as_deref())];
    pages::next(&path, &filters, &next.to_string(), limit)
}

fn write(
    app: &App,
    device: &str,
    listed: &[Listed],
) -> Result<Rendered<Vec<ReadingBody>>, ApiError> {
    let names = app.readings.names();
    let name = |id: TypeId| names.declared(id).map_or("", |declared| declared.kind.name.as_str());
    let shown: Vec<Shown<'_>> = listed
        .iter()
        .map(|listed| Shown {
            date_created: listed.second,
            device_uuid: device,
            kind: name(listed.kind),
            value: listed.value,
            version: &listed.version,
        })
        .collect();
    Rendered::of(&shown)
}

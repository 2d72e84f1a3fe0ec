//! The page at `/`: every product, what it hands out, and how its canary fares; and where readings
//! go.
//!
//! It uses the same reads as the API, needs no script, and is made anew at every look.

use std::fmt::Write as _;

use crate::app::App;
use crate::live::Live;
use canary_core::time::Timestamp;

/// Most products that the page shows.
const MOST: usize = 200;

/// How to send readings, and where to ask what they say.
pub(crate) const READINGS: &str = "<h2>Readings of devices</h2>\
     <table><thead><tr><th><th>Call<th>Command</tr></thead><tbody>\
     <tr><td>Send one<td><a href=\"/docs#/Readings/create_device_reading\">\
     <code>POST /devices/{device}/readings</code></a><td><code>canary reading create</code></tr>\
     <tr><td>Send many<td><a href=\"/docs#/Readings/create_readings\">\
     <code>POST /readings</code></a><td><code>canary reading import</code></tr>\
     <tr><td>Statistics of a device<td><a href=\"/docs#/Readings/get_device_summary\">\
     <code>GET /devices/{device}/readings/summary</code></a>\
     <td><code>canary reading stats --device</code></tr>\
     <tr><td>Statistics of all devices<td><a href=\"/docs#/Readings/get_readings_summary\">\
     <code>GET /readings/summary</code></a><td><code>canary reading stats</code></tr>\
     </tbody></table>\
     <p>A reading is sent as <code>Content-Type: application/json</code>, for example \
     <code>{\"type\": \"temperature\", \"value\": 22}</code>; statistics are asked for with \
     <code>?type=temperature</code>.</p>";

/// The page.
pub(crate) fn page(app: &App) -> String {
    let now = app.clock.now();
    let mut products = app.directory.all();
    products.sort_by(|left, right| {
        let has_canary = |live: &Live| live.lineup().0.open().is_some();
        let by_canary = has_canary(right).cmp(&has_canary(left));
        by_canary.then_with(|| left.product.name.cmp(&right.product.name))
    });
    let mut body = String::from("<h1>Canary</h1>");
    if products.is_empty() {
        body.push_str(
            "<p>No product yet. Register one with <code>canary product create</code>, \
             or <code>POST /product</code>.</p>",
        );
    } else {
        body.push_str(
            "<table><thead><tr><th>Product<th>Stable<th>Canary<th>Band<th>Canary runs\
             <th>Stable runs</tr></thead><tbody>",
        );
        products.iter().take(MOST).for_each(|live| row(&mut body, live, now));
        body.push_str("</tbody></table>");
    }
    if products.len() > MOST {
        // Writing to a string cannot fail.
        let _ = write!(
            body,
            "<p>{MOST} of {} products, those with a canary first.</p>",
            products.len()
        );
    }
    body.push_str(READINGS);
    body.push_str(
        "<p class=\"links\"><a href=\"/docs\">API</a> <a href=\"/redoc\">Reference</a> \
         <a href=\"/openapi.json\">OpenAPI</a> <a href=\"/metrics\">Figures</a></p>",
    );
    frame("Canary", &body)
}

fn row(body: &mut String, live: &Live, now: Timestamp) {
    let (lineup, _) = live.lineup();
    let stable = lineup
        .stable()
        .map_or_else(|| "none yet".to_owned(), |release| escape(release.version.as_str()));
    let name = escape(live.product.name.as_str());
    // Writing to a string cannot fail.
    let _ = write!(body, "<tr><td>{name}<td>{stable}");
    let Some(open) = lineup.open() else {
        body.push_str("<td class=\"dim\">none<td><td><td></tr>");
        return;
    };
    let (rollout, state) = (&open.rollout, open.release.state.as_str());
    let (band, counts) = (rollout.schedule().band_at(now), rollout.counts());
    let share = rollout.share_at(now).as_f64() * 100.0;
    let _ = write!(
        body,
        "<td>{} <span class=\"{state}\">{state}</span><td>{band} of {}, {share:.0} %\
         <td>{} ok, {} failed<td>{} ok, {} failed</tr>",
        escape(open.release.version.as_str()),
        rollout.schedule().count(),
        counts.canary.success,
        counts.canary.failed,
        counts.stable.success,
        counts.stable.failed,
    );
}

/// A whole page around a body of HTML.
pub(crate) fn frame(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{}</title><style>\
         :root{{color-scheme:light dark}}\
         body{{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}}\
         h2{{font-size:1.2rem;margin-top:2rem}}\
         table{{border-collapse:collapse;width:100%}}\
         th,td{{text-align:left;padding:.4rem .8rem .4rem 0;border-bottom:1px solid #8884}}\
         .running{{color:#1a7f37}}.paused{{color:#9a6700}}.dim{{opacity:.6}}\
         .links a{{margin-right:1rem}}</style></head><body>{body}</body></html>",
        escape(title)
    )
}

/// Text that is safe inside HTML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

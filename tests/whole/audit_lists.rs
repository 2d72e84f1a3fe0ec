//! The audit as lists: pages, filters, and rows for spreadsheets.

use canary_tests::{Http, Product, TestServer};
use serde_json::{Value, json};

/// Products, one a minute, after each a key; newest first as they were made.
fn filled(server: &TestServer, pairs: usize) -> (Http, Vec<String>) {
    let admin = server.key("default", &["admin"]);
    let mut made = vec![admin.get("/key").expect(200)[0]["name"].clone()];
    for number in 0..pairs {
        server.pass_seconds(60);
        let name = format!("p{number}");
        admin.post("/product", &Product::body(&name)).expect(201);
        made.push(json!(name));
        server.pass_seconds(60);
        let name = format!("k{number}");
        admin.post("/key", &json!({"name": name, "scopes": ["read"]})).expect(201);
        made.push(json!(name));
    }
    let made = made.iter().rev().map(|name| name.as_str().expect("a name").to_owned());
    (admin, made.collect())
}

fn names(entries: &[Value]) -> Vec<String> {
    let name = |entry: &Value| entry["about"]["name"].as_str().expect("a name").to_owned();
    entries.iter().map(name).collect()
}

#[test]
fn pages_of_both_kinds_of_entries_are_in_one_order_with_none_twice() {
    let server = TestServer::start();
    let (admin, made) = filled(&server, 6);
    for limit in [1, 2, 3, 5, 12, 13, 14, 1000] {
        let (entries, pages) = admin.all_pages(&format!("/audit?limit={limit}"));
        assert_eq!(names(&entries), made, "{limit}");
        assert_eq!(pages, made.len().div_ceil(limit).max(1), "{limit}");
    }
    server.restart();
    assert_eq!(names(&admin.all_pages("/audit?limit=4").0), made);
}

#[test]
fn entries_of_the_same_moment_are_each_on_one_page() {
    let server = TestServer::start();
    let admin = server.key("default", &["admin"]);
    for number in 0..5 {
        let name = format!("n{number}");
        admin.post("/product", &Product::body(&name)).expect(201);
        admin.post("/key", &json!({"name": name, "scopes": ["read"]})).expect(201);
    }
    let all = admin.all_pages("/audit").0;
    assert_eq!(all.len(), 11);
    for limit in 1..11 {
        assert_eq!(admin.all_pages(&format!("/audit?limit={limit}")).0, all, "{limit}");
    }
}

#[test]
fn filters_are_all_of_what_is_asked_for_and_go_along_with_the_pages() {
    let server = TestServer::start();
    let (admin, made) = filled(&server, 4);
    let all = admin.all_pages("/audit").0;
    let listed = |query: &str| names(&admin.all_pages(&format!("/audit?limit=2&{query}")).0);
    let products: Vec<String> = made.iter().filter(|name| name.starts_with('p')).cloned().collect();
    assert_eq!(listed("action=product.create"), products);
    assert_eq!(listed("action=release.promote"), [""; 0]);
    // The first entry is at 10:30, the others a minute apart; an end is not in it.
    assert_eq!(listed("since=2023-01-01T10:36:00Z"), made[..3]);
    assert_eq!(listed("until=2023-01-01T10:32:00Z"), made[7..]);
    let part = "since=2023-01-01T10:32:00%2B00:00&until=2023-01-01T10:35:00";
    assert_eq!(listed(part), made[4..7]);
    assert_eq!(listed(&format!("{part}&action=product.create")), ["p1"]);

    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let about = text(&all[1]["about"]["id"]);
    assert_eq!(listed(&format!("about={about}")), [made[1].as_str()]);
    assert_eq!(listed(&format!("about={}", about.to_uppercase())), [made[1].as_str()]);
    assert_eq!(listed("about=nothing"), [""; 0]);
    let key = text(&all[0]["actor"]["id"]);
    assert_eq!(listed(&format!("key={key}")), made[..8]);
    assert_eq!(listed(&format!("key={about}")), [""; 0]);
}

#[test]
fn a_filter_that_cannot_be_read_is_named_with_what_can() {
    let server = TestServer::start();
    let cases = [
        ("since=yesterday", "invalid_parameter", "parameter since `yesterday` is not a time"),
        ("until=1", "invalid_parameter", "parameter until `1` is not a time"),
        (
            "action=promote",
            "invalid_parameter",
            "parameter `action` is `promote`, known are product.create, ",
        ),
        ("key=operator", "not_uuid", "parameter `key`: id `operator` is not a UUID"),
        ("format=xml", "invalid_parameter", "parameter `format` is `xml`, it must be json or csv"),
        ("cursor=x", "invalid_parameter", "parameter `cursor` is `x`"),
        ("limit=0", "invalid_parameter", "parameter `limit` is 0"),
        ("limit=1001", "invalid_parameter", "parameter `limit` is 1001"),
    ];
    for (query, code, detail) in cases {
        let problem = server
            .get(&format!("/audit?{query}"))
            .expect_problem(if code == "not_uuid" { 400 } else { 422 }, code);
        let told = problem["detail"].as_str().expect("a detail");
        assert!(told.starts_with(detail), "{query}: {told}");
    }
}

#[test]
fn rows_are_what_objects_are_page_by_page() {
    let server = TestServer::start();
    let (admin, made) = filled(&server, 3);
    let (mut file, mut next, mut pages) =
        (String::new(), Some("/audit?limit=3&format=csv".to_owned()), 0);
    while let Some(path) = next {
        let answer = admin.get(&path);
        assert_eq!(answer.status, 200, "{}", answer.text);
        let header = if pages == 0 { "present" } else { "absent" };
        let content_type = format!("text/csv; charset=utf-8; header={header}");
        assert_eq!(answer.header("Content-Type"), Some(content_type.as_str()));
        next = answer.next_page();
        file.push_str(&answer.text);
        pages += 1;
    }
    assert_eq!(pages, 3);
    let whole = admin.get_with("/audit", &[("Accept", "text/csv, application/json;q=0.5")]);
    assert_eq!(whole.text, file, "pages put together are the whole");
    let mut lines = file.split("\r\n");
    let names = "id,at,action,about_kind,about_id,about_name,actor,key_id,key_name,key_prefix,\
        user,remote_address,request_id,reason,before,after";
    assert_eq!(lines.next(), Some(names));
    for (line, entry) in lines.clone().zip(admin.all_pages("/audit").0) {
        let cells: Vec<&str> = line.split(',').collect();
        let of = |field: &str| entry[field].as_str().expect("a text");
        assert_eq!(cells[..3], [of("id"), of("at"), of("action")]);
        assert_eq!(cells[5], entry["about"]["name"], "{line}");
    }
    assert_eq!(lines.count(), made.len() + 1, "a line for each, and an end");
}

#[test]
fn what_is_asked_for_in_the_query_wins_over_the_header() {
    let server = TestServer::start();
    let content_type = |query: &str, accept: &str| {
        let answer = server.get_with(&format!("/audit{query}"), &[("Accept", accept)]);
        answer.header("Content-Type").expect("a content type").split(';').next().map(str::to_owned)
    };
    let cases = [
        ("", "text/csv", "text/csv"),
        ("", "*/*", "application/json"),
        ("", "text/html", "application/json"),
        ("", "text/csv;q=0.1, application/json", "application/json"),
        ("?format=json", "text/csv", "application/json"),
        ("?format=csv", "application/json", "text/csv"),
    ];
    for (query, accept, wanted) in cases {
        assert_eq!(content_type(query, accept).as_deref(), Some(wanted), "{query} {accept}");
    }
}

#[test]
fn a_formula_is_a_text_in_a_row() {
    let server = TestServer::start();
    let formula = "=HYPERLINK(\"http://x\")";
    let body = json!({"name": formula, "repository_url": "https://git.example/x",
        "artifact_url": "https://registry.example/x"});
    server.post("/product", &body).expect(201);
    let rows = server.get("/audit?format=csv").text;
    assert!(rows.contains(",\"'=HYPERLINK(\"\"http://x\"\")\","), "{rows}");
    assert_eq!(server.get("/audit").expect(200)[0]["about"]["name"], formula);
}

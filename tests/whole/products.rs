//! Products: registered, listed, shown.

use canary_tests::{Product, TestServer};
use serde_json::{Value, json};

const NOBODY: &str = "6f1c0a52-5b0e-4c3e-9a44-0d0c4a1a7c11";

fn names(products: &[Value]) -> Vec<&str> {
    products.iter().map(|product| product["name"].as_str().expect("a name")).collect()
}

#[test]
fn a_product_is_registered_and_shown_as_it_was_sent() {
    let server = TestServer::start();
    let body = json!({
        "name": "Größe 3 / beta",
        "repository_url": "git@git.example:größe.git",
        "artifact_url": "registry.example/größe?x=1&y=2",
    });
    let created = server.post("/product", &body).expect(201);
    let fields: Vec<&String> = created.as_object().expect("an object").keys().collect();
    assert_eq!(fields, ["id", "name", "repository_url", "artifact_url"]);
    for field in ["name", "repository_url", "artifact_url"] {
        assert_eq!(created[field], body[field]);
    }
    let id = created["id"].as_str().expect("an identifier");
    assert_eq!(server.get(&format!("/product/{id}")).expect(200), created);
    assert_eq!(server.get("/product").expect(200), json!([created]));
}

#[test]
fn a_list_is_filtered_by_name_and_by_artifact_url() {
    let server = TestServer::start();
    let (etl, web) = (server.product("etl"), server.product("web"));
    let list = |query: &str| server.get(&format!("/product?{query}")).expect(200);
    assert_eq!(list("name=etl")[0]["id"], etl.id);
    assert_eq!(list("artifact_url=https%3A%2F%2Fartifacts.example%2Fweb")[0]["id"], web.id);
    assert_eq!(list("name=etl&artifact_url=https%3A%2F%2Fartifacts.example%2Fweb"), json!([]));
    assert_eq!(list("name=nobody"), json!([]));
}

#[test]
fn the_links_lead_through_all_pages_each_product_once() {
    let server = TestServer::start();
    let mut wanted: Vec<String> = (0..25).map(|number| format!("p &/{number:02}")).collect();
    // Registered backwards, listed by name.
    wanted.iter().rev().for_each(|name| drop(server.product(name)));
    wanted.sort();
    for (limit, want_pages) in [(1, 25), (7, 4), (25, 1), (1000, 1)] {
        let (items, pages) = server.all_pages(&format!("/product?limit={limit}"));
        assert_eq!(names(&items), wanted, "limit {limit}");
        assert_eq!(pages, want_pages, "limit {limit}");
    }
    let filtered = server.get("/product?name=p%20%26%2F03&limit=1");
    assert_eq!(
        (names(filtered.expect(200).as_array().unwrap()).len(), filtered.next_page()),
        (1, None)
    );
}

#[test]
fn a_page_has_100_products_if_nobody_says_how_many_and_1_to_1000_else() {
    let server = TestServer::start();
    for number in 0..101 {
        server.product(&number.to_string());
    }
    let page = server.get("/product");
    assert_eq!(page.expect(200).as_array().unwrap().len(), 100);
    assert!(page.next_page().is_some_and(|next| next.contains("limit=100")));
    for path in ["/product", "/release"] {
        for limit in ["0", "-1", "1001", "99999999999999999999", "ten", "1.5"] {
            let problem = server
                .get(&format!("{path}?limit={limit}"))
                .expect_problem(422, "invalid_parameter");
            assert!(problem["detail"].as_str().unwrap().contains("`limit`"), "{problem}");
        }
        for limit in ["1", "1000"] {
            assert_eq!(server.get(&format!("{path}?limit={limit}")).status, 200);
        }
    }
}

#[test]
fn a_name_and_an_artifact_url_belong_to_one_product() {
    let server = TestServer::start();
    let etl = server.product("etl");
    let mut body = Product::body("web");
    body["name"] = json!("etl");
    let problem = server.post("/product", &body).expect_problem(409, "taken");
    assert_eq!(problem["detail"], "name `etl` is taken by another product");
    let mut body = Product::body("web");
    body["artifact_url"] = json!(etl.artifact_url);
    let problem = server.post("/product", &body).expect_problem(409, "taken");
    assert_eq!(
        problem["detail"],
        "artifact_url `https://artifacts.example/etl` is taken by another product"
    );
    server.product("web");
    assert_eq!(server.get("/product").expect(200).as_array().unwrap().len(), 2);
}

#[test]
fn of_many_who_register_the_same_product_at_once_one_does() {
    let server = TestServer::start();
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| server.post("/product", &Product::body("etl")).status))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
}

#[test]
fn what_is_no_uuid_is_400_and_what_is_unknown_404() {
    let server = TestServer::start();
    let problem = server.get("/product/etl").expect_problem(400, "not_uuid");
    assert_eq!(problem["detail"], "parameter `id`: product id `etl` is not a UUID");
    server.get(&format!("/product/{NOBODY}")).expect_problem(404, "unknown_product");
}

#[test]
fn values_that_cannot_be_accepted_are_all_named() {
    let server = TestServer::start();
    let pointers = |body: Value| server.post("/product", &body).expect_pointers();
    let url = "https://x";
    assert_eq!(pointers(json!({})), ["/name", "/repository_url", "/artifact_url"]);
    assert_eq!(pointers(json!({"name": "etl", "repository_url": url})), ["/artifact_url"]);
    let body = json!({"name": "n".repeat(129), "repository_url": url, "artifact_url": " "});
    assert_eq!(pointers(body), ["/name", "/artifact_url"]);
    let body = json!({"name": "a\nb", "repository_url": url, "artifact_url": "u".repeat(2049)});
    assert_eq!(pointers(body), ["/name", "/artifact_url"]);
    let body = json!({"name": 1, "repository_url": url, "artifact_url": url});
    assert_eq!(pointers(body), ["/name"]);

    let body =
        json!({"name": "n".repeat(128), "repository_url": url, "artifact_url": "u".repeat(2048)});
    server.post("/product", &body).expect(201);
    let mut body = Product::body("etl");
    body["nam"] = json!("etl");
    let problem = server.post("/product", &body).expect_problem(422, "invalid");
    assert!(problem["detail"].as_str().unwrap().contains("did you mean `name`?"), "{problem}");
}

#[test]
fn a_request_with_an_idempotency_key_is_answered_twice_and_done_once() {
    let server = TestServer::start();
    let post = |body: &Value| server.post_with("/product", &[("Idempotency-Key", "once")], body);
    let first = post(&Product::body("etl")).expect(201);
    assert_eq!(post(&Product::body("etl")).expect(201), first);
    let problem = post(&Product::body("web")).expect_problem(422, "key_reused");
    assert_eq!(problem["detail"], "idempotency key `once` was used for another request");
    server.restart();
    assert_eq!(post(&Product::body("etl")).expect(201), first, "keys are durable");
    assert_eq!(server.get("/product").expect(200), json!([first]));
    server.post("/product", &Product::body("etl")).expect_problem(409, "taken");

    let long = "k".repeat(256);
    let headers = [("Idempotency-Key", long.as_str())];
    server
        .post_with("/product", &headers, &Product::body("web"))
        .expect_problem(422, "invalid_parameter");
}

#[test]
fn a_refused_request_does_not_use_up_its_key() {
    let server = TestServer::start();
    let etl = server.product("etl");
    let post =
        |path: &str, body: &Value| server.post_with(path, &[("Idempotency-Key", "key")], body);
    post("/product", &Product::body("etl")).expect_problem(409, "taken");
    post("/product", &Product::body("web")).expect(201);
    // Another kind of request has keys of its own.
    let release = json!({"artifact_url": etl.artifact_url, "semver_version": "1"});
    let created = post("/release", &release).expect(201);
    assert_eq!(post("/release", &release).expect(201), created);
    assert_eq!(server.get("/release").expect(200).as_array().unwrap().len(), 1);
}

#[test]
fn a_key_is_kept_for_seven_days() {
    let server = TestServer::start();
    let post = |key: &str, name: &str| {
        server.post_with("/product", &[("Idempotency-Key", key)], &Product::body(name))
    };
    let first = post("monday", "etl").expect(201);
    server.pass_days(6.9);
    post("sunday", "web").expect(201);
    assert_eq!(post("monday", "etl").expect(201), first);
    server.pass_days(0.2);
    post("next monday", "app").expect(201);
    post("monday", "etl").expect_problem(409, "taken");
    post("sunday", "web").expect(201);
}

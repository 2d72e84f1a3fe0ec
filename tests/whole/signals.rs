//! Signals, one by one: read in every spelling, counted once, refused with the reason.

use canary_tests::{JSON, NDJSON, TestServer};
use serde_json::{Value, json};
use uuid::Uuid;

fn total(server: &TestServer, release: &str) -> u64 {
    server.signals(release)["total"].as_u64().expect("a count")
}

fn new_id() -> String {
    Uuid::new_v4().to_string()
}

#[test]
fn every_spelling_of_a_status_is_counted_as_what_it_means() {
    let server = TestServer::start();
    let (product, release) = server.product_with_stable();
    let spellings = [
        ("success", "success ok pass passed succeeded"),
        ("failed", "failed fail failure error up_for_retry timeout"),
        ("neutral", "neutral skipped upstream_failed cancelled removed running"),
    ];
    for (status, words) in spellings {
        for word in words.split(' ') {
            let capital = word[..1].to_uppercase() + &word[1..];
            for spelling in [word.to_owned(), word.to_uppercase(), capital] {
                let before = server.signals(&release)[status].as_u64().expect("a count");
                product.signal("1", &spelling).send().expect(201);
                assert_eq!(server.signals(&release)[status], before + 1, "{spelling}");
            }
        }
    }
    let wanted = json!({"success": 15, "failed": 18, "neutral": 18, "total": 51});
    assert_eq!(server.signals(&release), wanted);
}

#[test]
fn an_unknown_status_is_answered_with_all_that_are_accepted() {
    let server = TestServer::start();
    let (product, release) = server.product_with_stable();
    for status in ["great", "", "succes", "ok "] {
        let problem = product.signal("1", status).send().expect_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/status");
        let detail = problem["detail"].as_str().unwrap();
        for accepted in [
            "success",
            "ok",
            "pass",
            "passed",
            "succeeded",
            "failed",
            "fail",
            "failure",
            "error",
            "up_for_retry",
            "timeout",
            "neutral",
            "skipped",
            "upstream_failed",
            "cancelled",
            "removed",
            "running",
        ] {
            assert!(detail.contains(accepted), "{accepted} in {detail}");
        }
    }
    assert_eq!(total(&server, &release), 0);
}

#[test]
fn measurements_are_numbers_by_name() {
    let server = TestServer::start();
    let (product, release) = server.product_with_stable();
    let with = |measurements: Value| product.signal("1", "ok").with("measurements", measurements);
    let many = |count: usize| -> Value {
        (0..count).map(|number| (format!("m{number}"), json!(number))).collect()
    };
    for good in [json!({}), json!({"latency_ms": 1.5, "größe": -0.0, "n": 1e300}), many(32)] {
        with(good).send().expect(201);
    }
    for bad in [json!({"a": "1"}), json!({"a": null}), json!([1]), json!({"": 1}), many(33)] {
        let problem = with(bad.clone()).send().expect_problem(422, "invalid");
        let pointer = problem["errors"][0]["pointer"].as_str().unwrap();
        assert!(pointer.starts_with("/measurements"), "{bad}: {problem}");
    }
    assert_eq!(total(&server, &release), 3);
}

#[test]
fn a_number_that_is_none_is_refused() {
    let server = TestServer::start();
    let (product, release) = server.product_with_stable();
    let body = product.signal("1", "ok").with("measurements", json!({"a": 0})).body().to_string();
    for (number, status, code) in [("NaN", 400, "not_json"), ("Infinity", 400, "not_json")] {
        let body = body.replace("\"a\":0", &format!("\"a\":{number}"));
        server.post_bytes("/signal", &[JSON], body.as_bytes()).expect_problem(status, code);
    }
    let body = body.replace("\"a\":0", "\"a\":1e999");
    let answer = server.post_bytes("/signal", &[JSON], body.as_bytes());
    assert!(matches!(answer.status, 400 | 422), "{}", answer.text);
    assert_eq!(total(&server, &release), 0);
}

#[test]
fn a_date_may_be_given_with_and_without_zone() {
    let server = TestServer::start();
    let (product, _) = server.product_with_stable();
    let dates = ["2023-01-01T10:30:00Z", "2023-01-01T10:30:00.5", "2023-01-01T10:30:00+02:00"];
    for date in dates {
        product.signal("1", "ok").with("created_date", date).send().expect(201);
    }
    for date in ["yesterday", "", "1672569000"] {
        let problem = product
            .signal("1", "ok")
            .with("created_date", date)
            .send()
            .expect_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/created_date", "{problem}");
    }
}

#[test]
fn values_that_cannot_be_accepted_are_all_named() {
    let server = TestServer::start();
    let (product, release) = server.product_with_stable();
    let pointers = product
        .signal("1", "great")
        .with("instance_id", "")
        .with("description", "d".repeat(10_001))
        .with("id", "1")
        .send()
        .expect_pointers();
    assert_eq!(pointers, ["/instance_id", "/description", "/status", "/id"]);
    let pointers = server.post("/signal", &json!({})).expect_pointers();
    assert_eq!(pointers, ["/artifact_url", "/semver_version", "/instance_id", "/status"]);
    let misspelt = product.signal("1", "ok").with("instance", "x");
    let problem = misspelt.send().expect_problem(422, "invalid");
    assert!(problem["detail"].as_str().unwrap().contains("did you mean `instance_id`?"));
    assert_eq!(total(&server, &release), 0);
}

#[test]
fn unknown_products_and_versions_are_404() {
    let server = TestServer::start();
    let (product, _) = server.product_with_stable();
    let stray = product.signal("1", "ok").with("artifact_url", "https://nobody");
    stray.send().expect_problem(404, "unknown_product");
    let problem = product.signal("1.0", "ok").send().expect_problem(404, "unknown_version");
    assert_eq!(problem["detail"], "product `etl` has no release with the version `1.0`");
    assert_eq!(server.get("/release").expect(200).as_array().unwrap().len(), 1);
}

#[test]
fn a_signal_with_an_id_is_answered_twice_and_counted_once() {
    let server = TestServer::start();
    let (product, release) = server.product_with_stable();
    let id = new_id();
    let signal = product.signal("1", "ok").with("id", id.as_str());
    let first = signal.send().expect(201);
    assert_eq!(first, json!({"id": id}));
    assert_eq!(signal.send().expect(201), first);
    // The same identifier, written in another way.
    let upper = product.signal("1", "ok").with("id", id.to_uppercase());
    assert_eq!(upper.send().expect(201), first);
    server.restart();
    assert_eq!(signal.send().expect(201), first);
    assert_eq!(total(&server, &release), 1);

    let outcome = server.post("/signal/batch", &json!([signal.body()])).expect(200);
    assert_eq!(outcome, json!({"accepted": 0, "duplicates": 1, "rejected": []}));
    assert_eq!(total(&server, &release), 1);
}

#[test]
fn a_signal_without_an_id_gets_one_of_its_own_and_counts_each_time() {
    let server = TestServer::start();
    let (product, release) = server.product_with_stable();
    let signal = product.signal("1", "ok");
    let (first, second) = (signal.send().expect(201), signal.send().expect(201));
    assert_ne!(first["id"], second["id"]);
    assert!(Uuid::parse_str(first["id"].as_str().expect("an identifier")).is_ok());
    assert_eq!(total(&server, &release), 2);
}

#[test]
fn an_idempotency_key_does_the_same_for_signals_without_id() {
    let server = TestServer::start();
    let (product, release) = server.product_with_stable();
    let key = [("Idempotency-Key", "run-1")];
    let signal = product.signal("1", "ok").body();
    let post = |body: &Value| server.post_with("/signal", &key, body);
    let first = post(&signal).expect(201);
    assert_eq!(post(&signal).expect(201), first);
    post(&product.signal("1", "failed").body()).expect_problem(422, "key_reused");
    assert_eq!(total(&server, &release), 1);

    let signals = json!([signal, {"status": "ok"}]);
    let post = || server.post_with("/signal/batch", &key, &signals);
    let first = post().expect(200);
    assert_eq!((&first["accepted"], &first["rejected"][0]["index"]), (&json!(1), &json!(1)));
    assert_eq!(post().expect(200), first, "the same answer, as if it were the first");
    assert_eq!(total(&server, &release), 2);
}

#[test]
fn the_same_ids_from_many_threads_at_once_are_counted_once() {
    let server = TestServer::start();
    let (product, release) = server.product_with_stable();
    let ids: Vec<String> = (0..50).map(|_| new_id()).collect();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for id in &ids {
                    let signal = product.signal("1", "ok").with("id", id.as_str());
                    assert_eq!(signal.send().expect(201)["id"], *id);
                }
            });
        }
    });
    assert_eq!(total(&server, &release), 50);
}

#[test]
fn neutral_signals_are_stored_and_shown_and_never_judged() {
    let server = TestServer::start();
    let (product, canary) = server.product_with_canary();
    product.report("0.0.2", "upstream_failed", 1_000);
    let wanted = json!({"success": 0, "failed": 0, "neutral": 1000, "total": 1000});
    assert_eq!(server.signals(&canary), wanted);
    let shown = server.release(&canary);
    assert_eq!(shown["state"], "running");
    assert_eq!(shown["bands"][0]["canary"], json!({"success": 0, "failed": 0}));
}

#[test]
fn a_body_without_content_type_is_json_and_another_type_is_415() {
    let server = TestServer::start();
    let (product, release) = server.product_with_stable();
    let body = product.signal("1", "ok").body().to_string();
    let post =
        |path: &str, headers: &[(&str, &str)]| server.post_bytes(path, headers, body.as_bytes());
    post("/signal", &[]).expect(201);
    post("/signal", &[("Content-Type", "Application/JSON; charset=utf-8")]).expect(201);
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/xml"] {
        for path in ["/signal", "/signal/batch", "/product", "/release"] {
            post(path, &[("Content-Type", content_type)])
                .expect_problem(415, "unsupported_media_type");
        }
    }
    post("/signal", &[NDJSON]).expect_problem(415, "unsupported_media_type");
    post("/signal", &[JSON, ("Content-Encoding", "br")])
        .expect_problem(415, "unsupported_media_type");
    assert_eq!(total(&server, &release), 2);
}

#[test]
fn signals_of_a_version_that_is_no_longer_handed_out_are_counted_all_the_same() {
    let server = TestServer::start();
    let (product, canary) = server.product_with_canary();
    let path = format!("/release/{canary}/rollback");
    server.post(&path, &json!({"reason": "x"})).expect(200);
    product.report("0.0.2", "success", 3);
    assert_eq!(total(&server, &canary), 3);
    let shown = server.release(&canary);
    assert_eq!(shown["state"], "rolled_back");
    assert_eq!(shown["bands"][0]["canary"], json!({"success": 0, "failed": 0}));
}

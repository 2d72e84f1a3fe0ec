//! Batches of signals: arrays and lines, packed and plain; refused one by one.

use canary_tests::{Answer, GZIP, JSON, NDJSON, TestServer, lines, packed};
use serde_json::{Value, json};
use uuid::Uuid;

fn total(server: &TestServer, release: &str) -> u64 {
    server.signals(release)["total"].as_u64().expect("a count")
}

fn batch(server: &TestServer, signals: &[Value]) -> Answer {
    server.post("/signal/batch", &json!(signals))
}

fn new_id() -> String {
    Uuid::new_v4().to_string()
}

#[test]
fn duplicates_are_found_within_a_batch_and_across_batches() {
    let server = TestServer::start();
    let (product, release) = server.product_with_stable();
    let ids: Vec<String> = (0..5).map(|_| new_id()).collect();
    let of = |id: &String| product.signal("1", "ok").with("id", id.as_str()).body();
    let signals: Vec<Value> = ids.iter().chain(&ids[..2]).map(of).collect();
    let outcome = batch(&server, &signals).expect(200);
    assert_eq!(outcome, json!({"accepted": 5, "duplicates": 2, "rejected": []}));
    let more: Vec<Value> = ids[3..].iter().chain(&[new_id()]).map(of).collect();
    let outcome = batch(&server, &more).expect(200);
    assert_eq!(outcome, json!({"accepted": 1, "duplicates": 2, "rejected": []}));
    assert_eq!(total(&server, &release), 6);
}

#[test]
fn a_batch_is_an_array_or_lines_plain_or_packed() {
    let server = TestServer::start();
    let (product, release) = server.product_with_stable();
    let signals: Vec<Value> =
        ["ok", "failed", "skipped"].map(|status| product.signal("1", status).body()).into();
    let array = json!(signals).to_string();
    let text = lines(&signals);
    let with_blank_lines = format!("\n{}\r\n  \n{}", text.replace('\n', "\r\n"), text.trim_end());
    let cases: [(&str, &[_], Vec<u8>, u64); 7] = [
        ("array", &[JSON], array.clone().into(), 3),
        ("array without Content-Type", &[], array.clone().into(), 3),
        ("packed array", &[JSON, GZIP], packed(&array), 3),
        ("lines", &[NDJSON], text.clone().into(), 3),
        ("packed lines", &[NDJSON, GZIP], packed(&text), 3),
        ("blank lines, and none at the end", &[NDJSON], with_blank_lines.into(), 6),
        ("packed in two members", &[NDJSON, GZIP], [packed(&text), packed(&text)].concat(), 6),
    ];
    let mut wanted = 0;
    for (name, headers, body, accepted) in cases {
        let outcome = server.post_bytes("/signal/batch", headers, &body).expect(200);
        let all = json!({"accepted": accepted, "duplicates": 0, "rejected": []});
        assert_eq!(outcome, all, "{name}");
        wanted += accepted;
        assert_eq!(total(&server, &release), wanted, "{name}");
    }
    let charset = [("Content-Type", "application/x-ndjson; charset=utf-8")];
    let outcome = server.post_bytes("/signal/batch", &charset, text.as_bytes()).expect(200);
    assert_eq!(outcome["accepted"], 3);
}

#[test]
fn a_bad_element_is_named_and_does_not_keep_the_good_ones_out() {
    let server = TestServer::start();
    let (product, release) = server.product_with_stable();
    let good = || product.signal("1", "ok").body();
    let signals = [
        good(),
        product.signal("1", "great").body(),
        product.signal("2", "ok").body(),
        product.signal("1", "ok").with("artifact_url", "https://nobody").body(),
        good(),
        json!(7),
        json!({"status": "ok"}),
        product.signal("1", "ok").with("id", "x").body(),
        product.signal("1", "ok").with("statu", "x").body(),
        json!(null),
        good(),
    ];
    let wanted_codes = [
        (1, "invalid"),
        (2, "unknown_version"),
        (3, "unknown_product"),
        (5, "invalid"),
        (6, "invalid"),
        (7, "invalid"),
        (8, "invalid"),
        (9, "invalid"),
    ];
    let as_array = batch(&server, &signals).expect(200);
    let as_lines = server.post_bytes("/signal/batch", &[NDJSON], lines(&signals).as_bytes());
    assert_eq!(as_lines.expect(200), as_array);
    assert_eq!(as_array["accepted"], 3);
    let rejected = as_array["rejected"].as_array().unwrap();
    let codes: Vec<(u64, &str)> = rejected
        .iter()
        .map(|one| (one["index"].as_u64().unwrap(), one["code"].as_str().unwrap()))
        .collect();
    assert_eq!(codes, wanted_codes);
    for one in rejected {
        assert!(one["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{one}");
    }
    assert!(rejected[0]["detail"].as_str().unwrap().contains("status `great` is unknown"));
    assert_eq!(total(&server, &release), 6);
}

#[test]
fn a_broken_line_is_rejected_alone() {
    let server = TestServer::start();
    let (product, release) = server.product_with_stable();
    let good = product.signal("1", "ok").body();
    let text = format!("{good}\n{{\"status\": \n{good}\nhello\n");
    let outcome = server.post_bytes("/signal/batch", &[NDJSON], text.as_bytes()).expect(200);
    assert_eq!(outcome["accepted"], 2);
    let codes: Vec<[&Value; 2]> = outcome["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| [&one["index"], &one["code"]])
        .collect();
    assert_eq!(codes, [[&json!(1), &json!("not_json")], [&json!(3), &json!("not_json")]]);
    assert_eq!(total(&server, &release), 2);
}

#[test]
fn a_broken_array_is_400_and_nothing_of_it_is_stored() {
    let server = TestServer::start();
    let (product, release) = server.product_with_stable();
    let good = product.signal("1", "ok").body();
    for body in [format!("[{good},{good}"), format!("[{good},]"), format!("[{good}] x")] {
        server
            .post_bytes("/signal/batch", &[JSON], body.as_bytes())
            .expect_problem(400, "not_json");
    }
    server.post_bytes("/signal/batch", &[JSON], b"").expect_problem(400, "not_json");
    server.post("/signal/batch", &good).expect_problem(422, "invalid");
    assert_eq!(total(&server, &release), 0);
}

#[test]
fn a_batch_has_1_to_10_000_signals() {
    let server = TestServer::start();
    let (product, release) = server.product_with_stable();
    let signals = vec![product.signal("1", "ok").body(); 10_001];
    let problem = batch(&server, &[]).expect_problem(422, "invalid");
    assert_eq!(problem["detail"], "the batch has 0 signals, it must have from 1 to 10000");
    server.post_bytes("/signal/batch", &[NDJSON], b"\n\n").expect_problem(422, "invalid");
    batch(&server, &signals).expect_problem(422, "invalid");
    let text = lines(&signals);
    server.post_bytes("/signal/batch", &[NDJSON], text.as_bytes()).expect_problem(422, "invalid");
    assert_eq!(total(&server, &release), 0);
    let outcome = batch(&server, &signals[..10_000]).expect(200);
    assert_eq!(outcome["accepted"], 10_000);
    assert_eq!(total(&server, &release), 10_000);
}

#[test]
fn a_body_over_its_limit_is_413_packed_and_unpacked() {
    let server = TestServer::start();
    let (product, release) = server.product_with_stable();
    let good = product.signal("1", "ok").body().to_string();
    // Blanks around JSON mean nothing: the first fits to the byte, the second does not.
    for (path, body, limit) in
        [("/signal", good.clone(), 1 << 20), ("/signal/batch", format!("[{good}]"), 32 << 20)]
    {
        let fitting = format!("{body}{}", " ".repeat(limit - body.len()));
        let too_large = format!("{fitting} ");
        for (headers, fitting, too_large) in [
            (&[JSON] as &[_], fitting.clone().into_bytes(), too_large.clone().into_bytes()),
            (&[JSON, GZIP], packed(&fitting), packed(&too_large)),
        ] {
            let answer = server.post_bytes(path, headers, &fitting);
            assert!(matches!(answer.status, 200 | 201), "{path}: {}", answer.text);
            let problem =
                server.post_bytes(path, headers, &too_large).expect_problem(413, "body_too_large");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(&limit.to_string()), "{detail}");
        }
    }
    assert_eq!(total(&server, &release), 4);
}

#[test]
fn a_content_type_is_the_same_in_any_case() {
    let server = TestServer::start();
    let (product, release) = server.product_with_stable();
    let text = lines(&vec![product.signal("1", "ok").body(); 2]);
    for content_type in ["Application/X-NDJSON", "APPLICATION/X-NDJSON; charset=utf-8"] {
        let headers = [("Content-Type", content_type)];
        let outcome = server.post_bytes("/signal/batch", &headers, text.as_bytes()).expect(200);
        assert_eq!(outcome["accepted"], 2, "{content_type}");
    }
    assert_eq!(total(&server, &release), 4);
}

#[test]
fn a_batch_may_be_about_several_products_and_versions() {
    let server = TestServer::start();
    let (etl, first) = server.product_with_stable();
    let second = etl.release("2").create();
    let web = server.product("web");
    let third = web.release("1").create();
    let signals = [
        etl.signal("1", "ok").body(),
        web.signal("1", "failed").body(),
        etl.signal("2", "ok").body(),
        etl.signal("1", "skipped").body(),
    ];
    assert_eq!(batch(&server, &signals).expect(200)["accepted"], 4);
    let of = |release: &str| server.signals(release);
    assert_eq!(of(&first), json!({"success": 1, "failed": 0, "neutral": 1, "total": 2}));
    assert_eq!(of(&second), json!({"success": 1, "failed": 0, "neutral": 0, "total": 1}));
    assert_eq!(of(&third), json!({"success": 0, "failed": 1, "neutral": 0, "total": 1}));
}

//! Lists of readings: in the order of time, filtered, page by page.

use canary_tests::{READINGS, TestServer, temperature};
use serde_json::{Value, json};

#[test]
fn lists_are_in_the_order_of_time_and_of_the_filters() {
    let server = TestServer::start();
    for at in [30, 10, 20] {
        server.post_of_device(&temperature(at, at)).expect(201);
        server
            .post_of_device(&json!({"type": "humidity", "value": at, "date_created": at}))
            .expect(201);
    }
    let get = |query: &str| {
        let listed = server.get(&format!("{READINGS}/?{query}")).expect(200);
        let short =
            |one: &Value| format!("{}{}", &one["type"].as_str().unwrap()[..1], one["value"]);
        listed.as_array().unwrap().iter().map(short).collect::<Vec<_>>().join(" ")
    };
    let cases = [
        ("", "t10 h10 t20 h20 t30 h30"),
        ("type=humidity", "h10 h20 h30"),
        ("type=humidity&start=10&end=20", "h10 h20"),
        ("start=11&end=29", "t20 h20"),
        ("start=-5&end=10", "t10 h10"),
        ("start=30&end=99999999999", "t30 h30"),
        ("start=21&end=29", ""),
        ("start=20&end=10", ""),
        ("end=-1", ""),
        ("limit=1", "t10"),
    ];
    for (query, want) in cases {
        assert_eq!(get(query), want, "{query}");
    }
    for (query, code) in [
        ("type=pressure", "unknown_type"),
        ("start=now", "invalid_parameter"),
        ("end=1.5", "invalid_parameter"),
        ("limit=0", "invalid_parameter"),
        ("limit=100001", "invalid_parameter"),
        ("cursor=x", "invalid_parameter"),
    ] {
        server.get(&format!("{READINGS}?{query}")).expect_problem(422, code);
    }
}

#[test]
fn pages_lead_to_one_another_over_several_types() {
    let server = TestServer::start();
    let readings: Vec<Value> = (0..250)
        .flat_map(|n| {
            let at = n / 3;
            [
                temperature(n % 100, at),
                json!({"type": "humidity", "value": n % 100, "date_created": at}),
            ]
        })
        .collect();
    assert_eq!(server.post_of_device(&json!(readings)).expect(200)["accepted"], 500);
    let whole = server.list_of_device();
    assert_eq!(whole.as_array().unwrap().len(), 500);
    let (items, pages) = server.all_pages(&format!("{READINGS}?limit=7"));
    assert_eq!((&json!(items), pages), (&whole, 72));
    let (some, pages) =
        server.all_pages(&format!("{READINGS}?type=humidity&start=10&end=19&limit=10"));
    assert_eq!((some.len(), pages), (30, 3));
    assert!(some.iter().all(|one| one["type"] == "humidity"));

    // Filters of a body go on in the query of the link.
    let body = json!({"type": "humidity", "start": 10, "end": 19, "limit": 10}).to_string();
    let first = server.send("GET", READINGS, &[], Some(body.as_bytes())).expect("an answer");
    let (rest, pages) = server.all_pages(&first.next_page().expect("a second page"));
    assert_eq!(
        (json!([first.expect(200), rest[..10], rest[10..]]), pages),
        (json!([some[..10], some[10..20], some[20..]]), 2)
    );
    let last = server.get(&format!("{READINGS}?limit=500"));
    assert_eq!(last.next_page(), None);
}

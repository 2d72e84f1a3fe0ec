//! Requests, repetitions and answers, over the transport in memory.

use std::io::Read as _;
use std::time::Duration;

use super::*;
use crate::transport::memory::{Script, answer};
use crate::types::policy::{OnInsufficient, OnSupersede, Policy, ThresholdRule};
use crate::types::signal::Rejection;

mod audit;
mod judging;
mod reading;

const PRODUCT: &str =
    r#"{"id":"p1","name":"etl","repository_url":"https://git","artifact_url":"https://etl"}"#;

fn client(answers: impl IntoIterator<Item = Result<Answer>>) -> (Client, Arc<Script>) {
    let script = Arc::new(Script::of(answers));
    (Client::over("http://canary".to_owned(), 3, script.clone()), script)
}

fn unreachable() -> Result<Answer> {
    Err(Error::Unreachable { url: "http://canary".into(), reason: "refused".into() })
}

fn json(request: &Request) -> Value {
    serde_json::from_slice(&request.body.as_ref().unwrap().bytes).unwrap()
}

fn lines(request: &Request) -> Vec<Value> {
    let body = request.body.as_ref().unwrap();
    assert!(body.is_gzip);
    assert_eq!(body.content_type, "application/x-ndjson");
    let mut text = String::new();
    flate2::read::GzDecoder::new(body.bytes.as_slice()).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_product_is_one_segment_of_the_path_whatever_its_name() {
    let latest = format!(
        r#"{{"id":"r1","semver_version":"1.0","product":{PRODUCT},"is_canary":false,"band":null,"reason":"only_stable"}}"#
    );
    let cases = [
        ("etl", "/release/etl/latest"),
        ("my etl", "/release/my%20etl/latest"),
        ("a/b?c#d%", "/release/a%2Fb%3Fc%23d%25/latest"),
        ("https://etl/x", "/release/https%3A%2F%2Fetl%2Fx/latest"),
        ("größe-1_2.3~", "/release/gr%C3%B6%C3%9Fe-1_2.3~/latest"),
    ];
    for (product, want) in cases {
        let (client, script) = client([answer(200, &latest)]);
        assert_eq!(client.latest_stable_version(product).unwrap(), "1.0");
        assert_eq!(script.targets(), [want]);
    }

    let (client, script) = client([answer(200, &latest), answer(200, &latest)]);
    let answer = client.latest("etl", Some("host 1&2")).unwrap();
    assert_eq!((answer.band, answer.reason.as_str()), (None, "only_stable"));
    assert_eq!(answer.product.artifact_url, "https://etl");
    client.latest_for_run("etl", "run+1").unwrap();
    assert_eq!(
        script.targets(),
        ["/release/etl/latest?instance_id=host%201%262", "/release/etl/latest?run_id=run%2B1"]
    );
}

#[test]
fn a_name_that_would_change_the_path_is_refused_unsent() {
    for name in ["", ".", ".."] {
        let (client, script) = client([]);
        let error = client.latest(name, None).unwrap_err();
        assert_eq!(error.code(), Some("empty_name"));
        assert_eq!(client.release(name).unwrap_err().code(), Some("empty_name"));
        assert!(script.targets().is_empty());
    }
}

#[test]
fn what_may_pass_is_repeated_and_what_was_refused_is_not() {
    let created = || answer(201, r#"{"id":"s1"}"#);
    let busy = |retry_after_s| {
        let retry_after = Some(Duration::from_secs(retry_after_s));
        Ok(Answer { status: 503, retry_after, ..Answer::default() })
    };
    struct Case {
        name: &'static str,
        answers: Vec<Result<Answer>>,
        is_ok: bool,
    }
    let case = |name, answers, is_ok| Case { name, answers, is_ok };
    let cases = [
        case("at once", vec![created()], true),
        case("after a lost connection", vec![unreachable(), created()], true),
        case(
            "after 502, 503, 504",
            vec![answer(502, ""), busy(1), answer(504, ""), created()],
            true,
        ),
        case("three repetitions at most", vec![busy(1), busy(1), busy(1), busy(1)], false),
        case("a long Retry-After", vec![busy(31)], false),
        case("400", vec![answer(400, "")], false),
        case("404", vec![answer(404, "")], false),
        case("409", vec![answer(409, "")], false),
        case("413", vec![answer(413, "")], false),
        case("422", vec![answer(422, "")], false),
        case("500", vec![answer(500, "")], false),
        case("malformed", vec![answer(201, "{")], false),
        case(
            "out of time",
            vec![Err(Error::TimedOut { url: String::new(), after: Duration::ZERO })],
            false,
        ),
    ];
    for Case { name, answers, is_ok } in cases {
        let attempts = answers.len();
        let (client, script) = client(answers);
        let result = client.send_signal(&Signal::success("https://etl", "1.0", "i1"));
        assert_eq!(result.is_ok(), is_ok, "{name}: {result:?}");

        let requests = script.requests.lock().unwrap();
        assert_eq!(requests.len(), attempts, "{name}");
        assert_eq!(script.pauses.lock().unwrap().len(), attempts - 1, "{name}");
        // Every repetition is the same request: same signal id, same key.
        assert!(requests.iter().all(|request| *request == requests[0]), "{name}");
    }
}

#[test]
fn retry_after_is_waited_for() {
    let retry_after = Some(Duration::from_secs(3));
    let busy = Ok(Answer { status: 503, retry_after, ..Answer::default() });
    let (client, script) = client([busy, answer(200, "[]")]);
    client.decisions("r1").unwrap();
    assert_eq!(*script.pauses.lock().unwrap(), [Duration::from_secs(3)]);
}

#[test]
fn a_signal_says_what_was_set_and_nothing_else() {
    let (client, script) = client([answer(201, r#"{"id":"s1"}"#), answer(201, r#"{"id":"s2"}"#)]);
    let plain = Signal::success("https://etl", "1.0", "i1");
    assert_eq!(client.send_signal(&plain).unwrap(), "s1");
    let full = Signal::new("https://etl", "1.0", "i1", "up_for_retry")
        .description("why")
        .measurement("latency_ms", 1.5)
        .created_date("2031-05-07T10:00:00Z")
        .id("0f0e0d0c-0b0a-4908-8706-050403020100");
    assert_eq!(client.send_signal(&full).unwrap(), "s2");

    let requests = script.requests.lock().unwrap();
    assert_eq!(requests[0].target, "/signal");
    assert_eq!(requests[0].body.as_ref().unwrap().content_type, "application/json");
    let mut first = json(&requests[0]);
    let id = first.as_object_mut().unwrap().remove("id").unwrap();
    assert!(Uuid::parse_str(id.as_str().unwrap()).is_ok());
    let want = serde_json::json!({
        "artifact_url": "https://etl", "semver_version": "1.0", "instance_id": "i1",
        "description": "", "status": "success"
    });
    assert_eq!(first, want);
    let want = serde_json::json!({
        "artifact_url": "https://etl", "semver_version": "1.0", "instance_id": "i1",
        "description": "why", "status": "up_for_retry",
        "id": "0f0e0d0c-0b0a-4908-8706-050403020100",
        "created_date": "2031-05-07T10:00:00Z", "measurements": {"latency_ms": 1.5}
    });
    assert_eq!(json(&requests[1]), want);
}

#[test]
fn a_measurement_that_is_no_number_is_refused_unsent() {
    let (client, script) = client([]);
    let signal = Signal::success("https://etl", "1.0", "i1").measurement("latency_ms", f64::NAN);
    let error = client.send_signal(&signal).unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid: `/measurements/latency_ms` must be a finite number, got NaN"
    );
    assert!(script.targets().is_empty());
}

#[test]
fn many_signals_go_in_chunks_and_rejections_keep_their_place() {
    let (client, script) = client([
        answer(
            200,
            r#"{"accepted":9998,"duplicates":1,"rejected":[{"index":0,"code":"c","detail":"d"}]}"#,
        ),
        answer(
            200,
            r#"{"accepted":3,"duplicates":0,"rejected":[{"index":1,"code":"c","detail":"d"}]}"#,
        ),
    ]);
    // Number 2 cannot be sent, so the first request ends with number 10 000.
    let signals = (0..10_005).map(|number| {
        let value = if number == 2 { f64::INFINITY } else { f64::from(number) };
        Signal::success("https://etl", "1.0", number.to_string()).measurement("number", value)
    });
    let outcome = client.send_signals(signals).unwrap();
    assert_eq!((outcome.accepted, outcome.duplicates), (10_001, 1));
    let rejected: Vec<_> = outcome.rejected.iter().map(|r| (r.index, r.code.as_str())).collect();
    assert_eq!(rejected, [(0, "c"), (2, "not_finite"), (10_002, "c")]);
    let local: &Rejection = &outcome.rejected[1];
    assert_eq!(local.detail, "`/measurements/number` must be a finite number, got inf");

    let requests = script.requests.lock().unwrap();
    assert!(requests.iter().all(|request| request.target == "/signal/batch"));
    let (first, second) = (lines(&requests[0]), lines(&requests[1]));
    assert_eq!((first.len(), second.len()), (10_000, 4));
    assert_eq!(second[1]["instance_id"], "10002");
    let mut ids: Vec<_> = first.iter().map(|line| line["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 10_000);
}

#[test]
fn a_chunk_is_closed_before_it_grows_out_of_bounds() {
    let ok = || answer(200, r#"{"accepted":500,"duplicates":0,"rejected":[]}"#);
    let (client, script) = client([ok(), ok()]);
    let signals = (0..600)
        .map(|_| Signal::failed("https://etl", "1.0", "i1").description("x".repeat(10_000)));
    client.send_signals(signals).unwrap();
    assert_eq!(script.targets().len(), 2);
}

#[test]
fn no_signals_are_no_request() {
    let (client, script) = client([]);
    assert_eq!(client.send_signals([]).unwrap(), BatchOutcome::default());
    assert!(script.targets().is_empty());
}

#[test]
fn a_rejection_of_a_signal_that_was_not_sent_is_a_bad_answer() {
    let (client, _) = client([answer(
        200,
        r#"{"accepted":0,"duplicates":0,"rejected":[{"index":7,"code":"c","detail":"d"}]}"#,
    )]);
    let result = client.send_signals([Signal::success("https://etl", "1.0", "i1")]);
    assert!(matches!(result, Err(Error::BadAnswer { .. })), "{result:?}");
}

#[test]
fn pages_are_followed_to_the_end_and_an_error_ends_the_list() {
    let page = |link: Option<&str>| {
        Ok(Answer {
            status: 200,
            link: link.map(str::to_owned),
            bytes: format!("[{PRODUCT}]").into_bytes(),
            ..Answer::default()
        })
    };
    let next = Some(r#"<http://inside/product?name=a%20b&cursor=2>; rel="next""#);
    let filter = ProductFilter::default().name("a b");

    let (client_of_two, script) = client([page(next), page(None)]);
    let products: Result<Vec<_>> = client_of_two.products(&filter).collect();
    assert_eq!(products.unwrap().len(), 2);
    assert_eq!(script.targets(), ["/product?name=a%20b", "/product?name=a%20b&cursor=2"]);

    let (client_of_error, _) = client([page(next), answer(404, "")]);
    let results: Vec<_> = client_of_error.products(&filter).map(|item| item.is_ok()).collect();
    assert_eq!(results, [true, false]);

    // A server that always points to the same page must not keep us forever.
    let (client_of_loop, _) = client([page(next), page(next)]);
    let last = client_of_loop.products(&filter).last().unwrap();
    assert!(matches!(last, Err(Error::BadAnswer { .. })), "{last:?}");
}

#[test]
fn a_release_is_read_with_and_without_its_rollout() {
    let verdict = r#"{"at":"2031-05-07T10:00:00Z","action":"rollback","from":"band 1",
        "to":"rolled_back","actor":"engine","rule":"threshold","sentence":"rolled back",
        "evidence":{"canary":{"success":0,"failed":4,"neutral":0},"stable":{"success":9,"failed":1},"p":0.1}}"#;
    let release = |rest: &str| {
        format!(
            r#"{{"id":"r1","product":{PRODUCT},"semver_version":"1.0","is_canary":true,
            "is_active":true,"state":"running","threshold":80.0,"canary_period":2.0,"band_count":5,
            "release_date":"2031-05-07T10:00:00Z","unheard_of":1,{rest}}}"#
        )
    };
    let running = release(&format!(
        r#""band":1,"share":0.2,"next_band_at":"2031-05-07T19:36:00Z",
        "signals":{{"success":1,"failed":2,"neutral":3,"total":6}},
        "bands":[{{"number":1,"share":0.2,"starts_at":"2031-05-07T10:00:00Z",
        "canary":{{"success":1,"failed":2}},"stable":{{"success":7,"failed":0}}}}],"verdict":{verdict}"#
    ));
    let quiet = release(
        r#""band":null,"share":null,"next_band_at":null,
        "signals":{"success":0,"failed":0,"neutral":0,"total":0},"bands":[],"verdict":null"#,
    );
    let (client, script) =
        client([answer(200, &running), answer(200, &quiet), answer(200, &running)]);

    let release = client.release("r1").unwrap();
    assert!(release.is_open());
    assert_eq!((release.band, release.share), (Some(1), Some(0.2)));
    assert_eq!((release.signals.total, release.bands[0].stable.runs()), (6, 7));
    let verdict = release.verdict.unwrap();
    let evidence = verdict.evidence().unwrap();
    assert_eq!((evidence.canary.failed, evidence.stable.runs()), (4, 10));
    assert!(verdict.evidence_json().unwrap().contains(r#""p":0.1"#));

    let quiet = client.release("r1").unwrap();
    assert_eq!((quiet.band, quiet.verdict), (None, None));

    client.promote("r1", "it is good").unwrap();
    let requests = script.requests.lock().unwrap();
    assert_eq!(requests[2].target, "/release/r1/promote");
    assert_eq!(json(&requests[2]), serde_json::json!({"reason": "it is good"}));
}

#[test]
fn a_new_release_leaves_to_the_server_what_was_not_set() {
    let created = || answer(201, r#"{"id":"r1"}"#);
    let (client, script) = client([created(), created()]);
    assert_eq!(client.create_release(&NewRelease::new("https://etl", "1.0")).unwrap(), "r1");
    let policy = Policy::default()
        .rule(ThresholdRule::Ratio)
        .min_signals(30)
        .on_insufficient(OnInsufficient::Rollback)
        .on_supersede(OnSupersede::Abort);
    let full = NewRelease::new("https://etl", "1.1")
        .is_canary(false)
        .is_active(false)
        .threshold(95.0)
        .canary_period(0.5)
        .band_count(10)
        .release_date("2031-05-07T10:00:00Z")
        .policy(policy);
    client.create_release(&full).unwrap();

    let requests = script.requests.lock().unwrap();
    let want = serde_json::json!({"artifact_url": "https://etl", "semver_version": "1.0"});
    assert_eq!(json(&requests[0]), want);
    let want = serde_json::json!({
        "artifact_url": "https://etl", "semver_version": "1.1", "is_canary": false,
        "is_active": false, "threshold": 95.0, "canary_period": 0.5, "band_count": 10,
        "release_date": "2031-05-07T10:00:00Z",
        "policy": {"rule": "ratio", "min_signals": 30, "on_insufficient": "rollback", "on_supersede": "abort"}
    });
    assert_eq!(json(&requests[1]), want);
    let keys: Vec<_> = requests.iter().map(|r| &r.body.as_ref().unwrap().idempotency_key).collect();
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn malformed_answers_are_told_apart_from_refusals() {
    for body in ["", "null", "<html>", "[]", r#"{"id":7}"#] {
        let (client, _) = client([answer(200, body)]);
        let result = client.product("p1");
        assert!(matches!(result, Err(Error::BadAnswer { .. })), "{body}: {result:?}");
    }
}

#[test]
fn the_server_says_its_version_and_whether_it_is_ready() {
    let (client, script) = client([
        answer(200, r#"{"version":"0.1.0"}"#),
        answer(200, r#""0.1.0""#),
        answer(200, "{}"),
        answer(200, "{}"),
        answer(503, ""),
        unreachable(),
    ]);
    assert_eq!(client.version().unwrap(), "0.1.0");
    assert_eq!(client.version().unwrap(), "0.1.0");
    assert!(matches!(client.version(), Err(Error::BadAnswer { .. })));
    assert!(client.is_ready().unwrap());
    assert!(!client.is_ready().unwrap());
    assert!(matches!(client.is_ready(), Err(Error::Unreachable { .. })));
    assert!(script.pauses.lock().unwrap().is_empty());
}

#[test]
fn a_clone_asks_the_same_server_from_another_thread() {
    let (client, script) = client([answer(200, "[]"), answer(200, "[]")]);
    let clone = client.clone();
    std::thread::spawn(move || clone.decisions("r1")).join().unwrap().unwrap();
    client.decisions("r2").unwrap();
    assert_eq!(script.targets(), ["/release/r1/decisions", "/release/r2/decisions"]);
}

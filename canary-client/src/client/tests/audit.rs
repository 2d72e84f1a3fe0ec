//! The audit: what is asked, and what is made of the answers.

use super::{client, unreachable};
use crate::AuditFilter;
use crate::transport::Answer;
use crate::transport::memory::answer;

const ENTRY: &str = r#"[{"id":"e1","at":"2031-05-07T10:00:00Z","action":"release.promote",
    "actor":{"kind":"key","id":"k1","name":"ci","prefix":"abcdefgh","user":null},
    "remote_address":"10.0.0.7","request_id":"r-1",
    "about":{"kind":"release","id":"r1","name":"etl 1.5.0"},"reason":"it is fine",
    "before":{"state":"running"},"after":{"state":"promoted"}}]"#;

#[test]
fn entries_are_asked_for_by_all_that_is_set() {
    let (client, script) = client([answer(200, ENTRY), answer(200, "[]")]);
    let filter = AuditFilter::default().since("2031-05-07T00:00:00+02:00").until("u").key("k1");
    let filter = filter.action("release.promote").about("a b");
    let entry = client.audit(&filter).next().unwrap().unwrap();
    assert_eq!((entry.actor.name.as_deref(), entry.about.name.as_str()), (Some("ci"), "etl 1.5.0"));
    assert_eq!(entry.before_json().as_deref(), Some(r#"{"state":"running"}"#));
    assert_eq!(entry.after_json().as_deref(), Some(r#"{"state":"promoted"}"#));
    assert!(client.audit(&AuditFilter::default()).next().is_none());
    let want = "/audit?since=2031-05-07T00%3A00%3A00%2B02%3A00&until=u&action=release.promote\
        &key=k1&about=a%20b";
    assert_eq!(script.targets(), [want, "/audit"]);
}

#[test]
fn rows_come_page_by_page_until_the_last_or_an_error() {
    let page = |rows: &str, query: Option<&str>| {
        let link = query.map(|query| format!("</audit?{query}>; rel=\"next\""));
        Ok(Answer { link, ..answer(200, rows).unwrap() })
    };
    let next = "format=csv&cursor=1_x&limit=1000";
    let (one, script) = client([page("id\r\n1\r\n", Some(next)), page("2\r\n", None)]);
    let file: Vec<u8> = one.audit_csv(&AuditFilter::default()).flat_map(Result::unwrap).collect();
    assert_eq!(file, b"id\r\n1\r\n2\r\n");
    assert_eq!(script.targets(), ["/audit?format=csv&limit=1000", &format!("/audit?{next}")]);

    let lost = (0..4).map(|_| unreachable());
    let (one, _) = client([page("id\r\n", Some(next))].into_iter().chain(lost));
    let pages: Vec<_> = one.audit_csv(&AuditFilter::default()).collect();
    assert_eq!((pages.len(), pages[0].is_ok(), pages[1].is_err()), (2, true, true));

    let same = "format=csv&limit=1000";
    let (one, _) = client([page("id\r\n", Some(same))]);
    let pages: Vec<_> = one.audit_csv(&AuditFilter::default()).collect();
    assert!(pages.len() == 1 && pages[0].is_err(), "{pages:?}");
}

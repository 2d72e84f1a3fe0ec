//! Releases in lists.

use canary_tests::TestServer;

use crate::program::canary;

#[test]
fn the_releases_of_one_product_are_listed_or_those_of_all() {
    let server = TestServer::start();
    let (_, canary_id) = server.product_with_canary();
    let other = server.product("web").release("7.0.0").create();
    let of_one = canary(&server, "release list etl");
    assert!(of_one.fine().starts_with("VERSION  STATE "), "{}", of_one.text);
    assert_eq!(of_one.text.lines().count(), 3, "{}", of_one.text);

    let of_all = canary(&server, "release list");
    let starts: Vec<String> = of_all
        .fine()
        .lines()
        .map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(starts, ["PRODUCT VERSION", "web 7.0.0", "etl 0.0.2", "etl 0.0.1"]);
    let of_all = canary(&server, "release list --limit 2 --output json").json();
    assert_eq!(
        (of_all[0]["id"].as_str(), of_all[1]["id"].as_str()),
        (Some(&*other), Some(&*canary_id))
    );
    assert_eq!(of_all.as_array().map(Vec::len), Some(2));
}

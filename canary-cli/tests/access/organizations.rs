//! Organizations are made and listed on a database.

use canary_tests::SharedDatabase;

use super::on;

#[test]
fn an_organization_is_made_once_and_listed() {
    let kept = SharedDatabase::new();
    let database = kept.url();
    let made = on(&database, "org create acme");
    let next =
        "\nits first key: canary key create --organization acme --name operator --scope admin\n";
    assert!(made.fine().starts_with("created acme as "), "{}", made.text);
    assert!(made.text.ends_with(next), "{}", made.text);
    let made = on(&database, "org create beta-2 --output json").json();

    let listed = on(&database, "org list --output json").json();
    let names: Vec<&str> = listed
        .as_array()
        .expect("a list")
        .iter()
        .map(|each| each["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(names, ["default", "acme", "beta-2"]);
    assert_eq!(listed[2], made);
    let listed = on(&database, "org list");
    assert!(listed.fine().starts_with("NAME     CREATED "), "{}", listed.text);

    for (name, code, want) in [
        ("acme", 1, "name `acme` is taken by another organization"),
        ("default", 1, "name `default` is taken by another organization"),
        ("Acme", 2, "1 to 63 characters of a-z, 0-9 and -"),
        ("org_acme", 2, "1 to 63 characters of a-z, 0-9 and -"),
    ] {
        let said = on(&database, &format!("org create {name}"));
        assert!(said.refused(code).contains(want), "{name}\n{}", said.complaint);
    }
    assert_eq!(on(&database, "org list --output json").json().as_array().map(Vec::len), Some(3));
}

#[test]
fn the_keys_of_organizations_are_apart() {
    let kept = SharedDatabase::new();
    let database = kept.url();
    on(&database, "org create acme").fine();
    on(&database, "key create --name worker --scope read --organization acme").fine();
    assert_eq!(on(&database, "key list").fine(), "no keys\n");
    on(&database, "key revoke worker").refused(1);
    let listed = on(&database, "key list --organization acme");
    assert!(listed.fine().contains("\nworker  canary_"), "{}", listed.text);
    on(&database, "key revoke worker --organization acme").fine();
}

//! The schema: brought up to date, taken back, and refused where it does not fit.

use canary_server::Settings;
use canary_server::clock::{Clock as _, System};
use canary_server::migration::{self, Lineage, Step, Which};
use canary_server::organization::{self, OrganizationName};
use canary_tests::{SharedDatabase, TestServer, block_on};
use sea_orm::{ConnectionTrait as _, Database};

fn name(text: &str) -> OrganizationName {
    OrganizationName::parse(text).expect("a name")
}

fn settings(database: &SharedDatabase) -> Settings {
    Settings { port: 0, database: database.url(), ..Settings::default() }
}

fn create(settings: &Settings, text: &str) {
    block_on(organization::create(settings, &name(text), System.now())).expect("an organization");
}

fn status(settings: &Settings) -> Vec<Step> {
    block_on(migration::status(settings, &Which::default())).expect("a status")
}

fn is_on_postgres(settings: &Settings) -> bool {
    settings.database.reveal().starts_with("postgres")
}

/// Which lineage, and of whom.
fn which(lineage: Option<Lineage>, organization: Option<&str>) -> Which {
    Which { lineage, organization: organization.map(name) }
}

#[test]
fn each_organization_has_its_own_steps_and_they_go_down_and_up_again() {
    let database = SharedDatabase::new();
    let settings = settings(&database);
    let all = Which::default();
    let first = block_on(migration::upgrade(&settings, &all)).expect("an upgrade");
    assert_eq!(first.first().map(|step| step.lineage), Some(Lineage::Public));
    assert!(first.iter().all(|step| step.organization.is_default() && step.is_applied));
    assert_eq!(status(&settings), first);

    create(&settings, "acme");
    let whole = status(&settings);
    let of_acme = whole.iter().filter(|step| step.organization == name("acme"));
    assert_eq!(
        of_acme.count(),
        whole.iter().filter(|step| step.lineage == Lineage::Org).count() / 2
    );
    assert!(whole.iter().all(|step| step.is_applied));

    let acme = which(None, Some("acme"));
    let undone = block_on(migration::downgrade(&settings, &acme, 1)).expect("a downgrade");
    assert_eq!(undone.len(), 1);
    assert_eq!((&undone[0].organization, undone[0].is_applied), (&name("acme"), false));
    let missing: Vec<Step> =
        status(&settings).into_iter().filter(|step| !step.is_applied).collect();
    assert_eq!(missing, undone);

    take_back_all_of_org(&settings);
    block_on(migration::upgrade(&settings, &all)).expect("an upgrade");
    assert_eq!(status(&settings), whole);
    assert_eq!(block_on(migration::upgrade(&settings, &all)).expect("an upgrade"), []);
    assert_eq!(TestServer::refusal(&settings), None);
}

fn take_back_all_of_org(settings: &Settings) {
    let org = which(Some(Lineage::Org), None);
    block_on(migration::downgrade(settings, &org, u32::MAX)).expect("a downgrade");
    let all = Which::default();
    let current = block_on(migration::current(settings, &all)).expect("where it is");
    let told: Vec<(Lineage, &str, bool)> = current
        .iter()
        .map(|at| (at.lineage, at.organization.as_str(), at.step.is_some()))
        .collect();
    let wanted = [
        (Lineage::Public, "default", true),
        (Lineage::Org, "default", false),
        (Lineage::Org, "acme", false),
    ];
    assert_eq!(told, wanted);
}

#[test]
fn what_would_be_lost_is_not_taken_back() {
    let database = SharedDatabase::new();
    let settings = settings(&database);
    let all = Which::default();
    block_on(migration::upgrade(&settings, &all)).expect("an upgrade");
    let public = which(Some(Lineage::Public), None);
    let undone = block_on(migration::downgrade(&settings, &public, 1)).expect("a downgrade");
    assert_eq!(undone.len(), 1, "nothing is lost with it");
    block_on(migration::upgrade(&settings, &all)).expect("an upgrade");
    create(&settings, "acme");
    let before = status(&settings);
    for which in [&public, &all] {
        let refusal = block_on(migration::downgrade(&settings, which, u32::MAX));
        let refusal = refusal.expect_err("a refusal").to_string();
        assert!(refusal.contains("0 keys and 1 organizations"), "{refusal}");
    }
    assert_eq!(status(&settings), before, "nothing was changed");
    let unknown = which(None, Some("nobody"));
    for refusal in [
        block_on(migration::status(&settings, &unknown)).expect_err("a refusal"),
        block_on(migration::upgrade(&settings, &unknown)).expect_err("a refusal"),
        block_on(migration::downgrade(&settings, &unknown, 1)).expect_err("a refusal"),
    ] {
        assert_eq!(refusal.to_string(), "organization `nobody` is unknown");
    }
}

#[test]
fn an_old_schema_is_brought_up_to_date_in_a_file_and_refused_on_postgresql() {
    let cases = [
        which(Some(Lineage::Org), Some("default")),
        which(Some(Lineage::Org), Some("acme")),
        which(Some(Lineage::Public), None),
    ];
    for old in cases {
        let database = SharedDatabase::new();
        let settings = settings(&database);
        block_on(migration::upgrade(&settings, &Which::default())).expect("an upgrade");
        let is_of_acme = old.organization == Some(name("acme"));
        if is_of_acme {
            create(&settings, "acme");
        }
        block_on(migration::downgrade(&settings, &old, 1)).expect("a downgrade");
        let refusal = TestServer::refusal(&settings);
        if !is_on_postgres(&settings) {
            assert_eq!(refusal, None);
            assert!(status(&settings).iter().all(|step| step.is_applied));
            continue;
        }
        let refusal = refusal.expect("a refusal");
        assert!(refusal.contains("run `canary db upgrade`"), "{refusal}");
        assert_eq!(refusal.contains("the organization `acme`"), is_of_acme, "{refusal}");
        block_on(migration::upgrade(&settings, &Which::default())).expect("an upgrade");
        assert_eq!(TestServer::refusal(&settings), None);
    }
}

#[test]
fn a_schema_of_a_newer_program_is_refused_wherever_it_is() {
    for (lineage, organization) in
        [(Lineage::Public, "default"), (Lineage::Org, "default"), (Lineage::Org, "acme")]
    {
        let database = SharedDatabase::new();
        let settings = settings(&database);
        create(&settings, "acme");
        add_step(&settings, lineage, organization);
        let refusal = TestServer::refusal(&settings).expect("a refusal");
        assert!(refusal.contains("m9999_from_the_future"), "{refusal}");
        assert_eq!(refusal.contains("`acme`"), organization == "acme", "{refusal}");
        let upgraded = block_on(migration::upgrade(&settings, &Which::default()));
        let refusal = upgraded.expect_err("a refusal").to_string();
        assert!(refusal.contains("m9999_from_the_future"), "{refusal}");
    }
}

/// Adds a step that this program does not know.
fn add_step(settings: &Settings, lineage: Lineage, organization: &str) {
    let url = settings.database.reveal();
    let (schema, file) = match organization {
        "default" => ("public.".to_owned(), "canary.db".to_owned()),
        other => (format!("org_{other}."), format!("canary.{other}.db")),
    };
    let schema = if is_on_postgres(settings) { schema } else { String::new() };
    let sql = format!(
        "INSERT INTO {schema}{}_migration (version, applied_at) VALUES ('m9999_from_the_future', 0)",
        lineage.as_str()
    );
    block_on(async {
        let connection =
            Database::connect(url.replace("canary.db", &file)).await.expect("a connection");
        connection.execute_unprepared(&sql).await.expect("a row");
        connection.close().await.expect("it can be closed");
    });
}

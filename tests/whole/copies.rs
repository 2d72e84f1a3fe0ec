//! A whole installation is copied into another database: all of it, once, and nothing else.

mod installation;

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use canary_server::clock::{Clock as _, System};
use canary_server::copy::{self, CopyError, Options, Progress, Report, Side, Stage};
use canary_server::migration::{self, Which};
use canary_server::organization::{self, OrganizationName};
use canary_server::{DatabaseUrl, Settings};
use canary_tests::{SharedDatabase, TestServer, block_on};
use sea_orm::{ConnectionTrait as _, Database};

use self::installation::{Home, furnish, send_readings};

/// Every way from one kind of database to another that this program is to test.
fn ways() -> Vec<[SharedDatabase; 2]> {
    let (new, file) = (SharedDatabase::new, SharedDatabase::in_a_file);
    if is_on_postgres(&new().url()) {
        vec![[file(), new()], [new(), file()], [new(), new()]]
    } else {
        vec![[file(), file()]]
    }
}

fn is_on_postgres(url: &DatabaseUrl) -> bool {
    url.reveal().starts_with("postgres")
}

fn copy_until(
    [from, to]: &[SharedDatabase; 2],
    verify: bool,
    mut listener: impl FnMut(&Progress<'_>) -> ControlFlow<()>,
) -> Result<Report, CopyError> {
    block_on(copy::run(&from.url(), &to.url(), Options { verify }, &mut listener))
}

fn copy(way: &[SharedDatabase; 2]) -> Result<Report, CopyError> {
    copy_until(way, true, |_| ControlFlow::Continue(()))
}

/// What was copied, without how much of it was there already.
fn content(report: &Report) -> Vec<(String, &'static str, u64, String)> {
    let tables = report.tables.iter();
    tables
        .map(|table| {
            let organization = table.organization.to_string();
            (organization, table.name, table.rows, table.checksum.to_string())
        })
        .collect()
}

/// Runs a statement in the place of an organization, and gives the texts that it answers.
fn run(database: &SharedDatabase, organization: &str, sql: &str) -> Result<Vec<String>, String> {
    let url = database.url();
    let is_default = organization == "default";
    let (url, schema) = match (is_on_postgres(&url), is_default) {
        (true, true) => (url.reveal().to_owned(), "public".to_owned()),
        (true, false) => (url.reveal().to_owned(), format!("org_{organization}")),
        (false, true) => (url.reveal().to_owned(), String::new()),
        (false, false) => {
            (url.reveal().replace("canary.db", &format!("canary.{organization}.db")), String::new())
        }
    };
    block_on(async {
        let mut options = sea_orm::ConnectOptions::new(url);
        options.max_connections(1);
        let connection = Database::connect(options).await.map_err(|error| error.to_string())?;
        if !schema.is_empty() {
            let path = format!("SET search_path = {schema}; SET lock_timeout = 100");
            connection.execute_unprepared(&path).await.map_err(|error| error.to_string())?;
        } else {
            connection.execute_unprepared("PRAGMA busy_timeout = 100").await.expect("a pragma");
        }
        let statement = sea_orm::Statement::from_string(connection.get_database_backend(), sql);
        let rows = connection.query_all_raw(statement).await;
        connection.close().await.expect("it can be closed");
        let texts = rows.map_err(|error| error.to_string())?;
        Ok(texts.iter().map(|row| row.try_get_by_index(0).expect("a text")).collect())
    })
}

#[test]
fn a_server_on_the_copy_answers_as_the_one_on_the_source_did_and_goes_on() {
    for way in ways() {
        let [from, to] = way.clone();
        let mut server = TestServer::on(from);
        let homes = furnish(&server);
        let before = homes.each_ref().map(Home::answers);
        let mut report = None;
        server.move_to(to, || report = Some(copy(&way).expect("a copy")));
        let report = report.expect("a report");
        assert!(report.is_verified && report.tables.iter().all(|table| table.found == 0));
        let empty: Vec<&str> =
            report.tables.iter().filter(|table| table.rows == 0).map(|table| table.name).collect();
        assert_eq!(empty, Vec::<&str>::new(), "every table has something to be copied");
        for (home, before) in homes.iter().zip(&before) {
            for (path, answer) in home.answers() {
                assert_eq!(Some(&answer), before.get(&path), "{path}");
            }
        }

        for home in &homes {
            let read = home.http.get("/readings/summary?type=pressure").expect(200);
            send_readings(&home.http, &server, 340..360);
            let more = home.http.get("/readings/summary?type=pressure").expect(200);
            assert_eq!(more["count"].as_u64(), read["count"].as_u64().map(|count| count + 10));
            home.product.runs().of("1", "success", 60).of("3", "failed", 60).send();
            assert_eq!(home.http.release(&home.canary)["state"], "rolled_back");
            assert_eq!(home.product.latest()["semver_version"], "1");
        }
        server.restart();
        assert_eq!(homes[0].http.release(&homes[0].canary)["state"], "rolled_back");
    }
}

/// Every table that the schema makes is copied, so that none is forgotten when one is added.
#[test]
fn all_tables_are_copied_but_those_about_the_schema() {
    for way in ways() {
        let [from, to] = &way;
        let settings = Settings { database: from.url(), ..Settings::default() };
        let acme = OrganizationName::parse("acme").expect("a name");
        block_on(organization::create(&settings, &acme, System.now())).expect("an organization");
        let report = copy(&way).expect("a copy");
        for organization in ["default", "acme"] {
            let sql = if is_on_postgres(&from.url()) {
                "SELECT table_name::text FROM information_schema.tables \
                WHERE table_schema = current_schema()"
            } else {
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            };
            let tables = run(from, organization, sql).expect("tables");
            let tables = tables.iter().map(String::as_str);
            let about = ["public_migration", "org_migration"];
            let made: BTreeSet<&str> = tables.filter(|name| !about.contains(name)).collect();
            let copied =
                report.tables.iter().filter(|table| table.organization.as_str() == organization);
            assert_eq!(copied.map(|table| table.name).collect::<BTreeSet<_>>(), made);
            let left = run(to, organization, "SELECT 'x' FROM unfinished_copy");
            left.expect_err("the table of the copy is gone");
        }
    }
}

#[test]
fn a_copy_that_is_interrupted_goes_on_where_it_was() {
    for way in ways() {
        let [from, to] = &way;
        {
            let server = TestServer::on(from.clone());
            let [home, _] = furnish(&server);
            (0..3).for_each(|_| home.product.report("1", "success", 900));
        }
        let whole = copy(&[from.clone(), SharedDatabase::in_a_file()]).expect("a copy");
        let (mut reached, mut stops, mut signals) = (0, 0, BTreeSet::new());
        let report = loop {
            // Every run goes a little further: some tables, or a batch of a large one.
            let outcome = copy_until(&way, true, |progress| {
                assert!(progress.done <= progress.all);
                if progress.done <= reached {
                    return ControlFlow::Continue(());
                }
                reached = progress.done + 25;
                ControlFlow::Break(())
            });
            match outcome {
                Ok(report) => break report,
                Err(CopyError::Stopped) => stops += 1,
                Err(other) => panic!("{other}"),
            }
            if stops % 10 == 1 {
                let settings = Settings { port: 0, database: to.url(), ..Settings::default() };
                let refusal = TestServer::refusal(&settings).expect("a refusal");
                assert!(refusal.contains("run `canary db copy` to the end"), "{refusal}");
            }
            let sql = "SELECT CAST(rows AS varchar) FROM unfinished_copy WHERE name = 'signal'";
            signals.extend(run(to, "default", sql).expect("rows"));
        };
        assert!(stops > 10, "{stops}");
        assert!(["1000", "2000"].iter().all(|rows| signals.contains(*rows)), "{signals:?}");
        assert_eq!(content(&report), content(&whole));
        assert!(report.tables.iter().all(|table| table.found == table.rows));
        let again = copy(&way).expect("there is nothing to do");
        assert_eq!(again, report);
    }
}

#[test]
fn what_has_changed_since_an_interruption_is_copied_anew() {
    for way in ways() {
        let [from, _] = &way;
        furnish(&TestServer::on(from.clone()));
        let stopped = copy_until(&way, false, |progress| match progress.table {
            "reading_fold" if progress.organization.is_default() => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        assert!(matches!(stopped, Err(CopyError::Stopped)), "{stopped:?}");
        // Rows in the middle of what is there, and fewer of them.
        run(from, "default", "UPDATE release SET success = success + 1").expect("an update");
        run(from, "default", "DELETE FROM decision").expect("a deletion");
        run(from, "default", "DELETE FROM signal WHERE number < 7").expect("a deletion");
        let report = copy(&way).expect("a copy");
        let table = |name| report.tables.iter().find(|table| table.name == name).expect("a table");
        for changed in ["release", "decision", "signal"] {
            assert_eq!(table(changed).found, 0, "{changed}");
        }
        assert_eq!(table("decision").rows, 0);
        assert!(table("product").found > 0);
    }
}

#[test]
fn a_row_that_is_not_what_it_was_is_found() {
    let tampers = [
        ("UPDATE signal SET description = 'another' WHERE number = 5", "signal", "the key (5)"),
        ("DELETE FROM signal WHERE number = 6", "signal", "the key (6)"),
        ("UPDATE reading_type SET minimum = 0.5 WHERE id = 0", "reading_type", "the key (0)"),
        (
            "INSERT INTO idempotency (operation, key, fingerprint, receipt, at) \
            SELECT 'a', 'b', fingerprint, receipt, at FROM idempotency LIMIT 1",
            "idempotency",
            "the key (`a`, `b`)",
        ),
    ];
    for way in ways() {
        let [from, to] = way;
        furnish(&TestServer::on(from.clone()));
        for (sql, table, key) in tampers {
            let to = if is_on_postgres(&to.url()) {
                SharedDatabase::new()
            } else {
                SharedDatabase::in_a_file()
            };
            let way = [from.clone(), to];
            let stopped = copy_until(&way, true, |progress| match progress.stage {
                Stage::Copying => ControlFlow::Continue(()),
                Stage::Verifying => ControlFlow::Break(()),
            });
            assert!(matches!(stopped, Err(CopyError::Stopped)), "{stopped:?}");
            run(&way[1], "acme", sql).expect("a change");
            let error = copy(&way).expect_err("it is found");
            let CopyError::Differs { organization, difference, .. } = &error else {
                panic!("{error}")
            };
            assert_eq!((organization.as_str(), difference.table), ("acme", table), "{error}");
            assert!(error.to_string().contains(key), "{error}");
            let counts = format!("{} in the target", difference.target_rows);
            assert!(error.to_string().contains(&counts), "{error}");
        }
    }
}

#[test]
fn a_target_with_data_of_its_own_is_refused_and_left_as_it_is() {
    for way in ways() {
        let [from, to] = &way;
        TestServer::on(from.clone()).product("etl");
        TestServer::on(to.clone()).product("other");
        let before = run(to, "default", "SELECT name FROM product").expect("names");
        let error = copy(&way).expect_err("a refusal");
        assert!(matches!(error, CopyError::Occupied { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("organization `default` has 1 rows in `product`"), "{text}");
        assert_eq!(run(to, "default", "SELECT name FROM product"), Ok(before));
        let settings = Settings { port: 0, database: to.url(), ..Settings::default() };
        assert_eq!(TestServer::refusal(&settings), None);
    }
}

#[test]
fn a_database_that_a_server_runs_on_is_refused() {
    for way in ways() {
        let [from, to] = &way;
        for side in [Side::Source, Side::Target] {
            let database = if side == Side::Source { from } else { to };
            TestServer::on(from.clone()).restart();
            let _server = TestServer::on(database.clone());
            let error = copy(&way).expect_err("a refusal");
            let CopyError::InUse { side: found, .. } = &error else { panic!("{error}") };
            assert_eq!(*found, side);
            assert!(error.to_string().contains("stop every server on it"), "{error}");
        }
        copy(&way).expect("nobody runs on them any more");
    }
}

#[test]
fn two_copies_at_once_are_kept_apart() {
    for way in ways() {
        let [from, to] = &way;
        let other = [SharedDatabase::in_a_file(), to.clone()];
        for database in [from, &other[0]] {
            drop(TestServer::on(database.clone()));
        }
        let mut found = Vec::new();
        let report = copy_until(&way, false, |_| {
            if found.is_empty() {
                for second in [&way, &other] {
                    std::thread::scope(|scope| {
                        let error = scope.spawn(|| copy(second).expect_err("a refusal"));
                        let error = error.join().expect("a thread");
                        let CopyError::InUse { side, .. } = error else { panic!("{error}") };
                        found.push(side);
                    });
                }
            }
            ControlFlow::Continue(())
        });
        report.expect("the first one is not disturbed");
        assert_eq!(found, [Side::Source, Side::Target]);
    }
}

#[test]
fn nobody_writes_to_the_source_while_it_is_copied() {
    for way in ways() {
        let [from, _] = &way;
        furnish(&TestServer::on(from.clone()));
        let mut tried = 0;
        let report = copy_until(&way, true, |_| {
            let (sql, organization) = if tried % 2 == 0 {
                ("UPDATE product SET revision = revision + 1", "acme")
            } else {
                ("UPDATE registry SET revision = revision + 1", "default")
            };
            std::thread::scope(|scope| {
                let written = scope.spawn(|| run(from, organization, sql));
                written.join().expect("a thread").expect_err("the source is locked");
            });
            tried += 1;
            ControlFlow::Continue(())
        });
        report.expect("a copy");
        assert!(tried > 20, "{tried}");
        run(from, "acme", "UPDATE product SET revision = revision + 1").expect("it is free again");
    }
}

#[test]
fn what_cannot_be_copied_is_refused() {
    for [from, to] in ways() {
        let url = from.url();
        let same =
            block_on(copy::run(&url, &url, Options::default(), &mut |_| ControlFlow::Continue(())));
        assert!(matches!(same, Err(CopyError::SameDatabase { .. })), "{same:?}");
        let way = [from, to];
        let none = copy(&way).expect_err("there is nothing to copy");
        if !is_on_postgres(&url) {
            assert!(none.to_string().contains("what was stored there is missing"), "{none}");
        }
        let settings = Settings { database: url, ..Settings::default() };
        block_on(migration::upgrade(&settings, &Which::default())).expect("an upgrade");
        block_on(migration::downgrade(&settings, &Which::default(), 1)).expect("a downgrade");
        let old = copy(&way).expect_err("a refusal");
        assert!(matches!(old, CopyError::OldSource { .. }), "{old}");
        assert!(old.to_string().contains("run `canary db upgrade` on it"), "{old}");
    }
}

/// The address of a file may be written in many ways.
#[test]
fn a_file_is_the_same_whatever_its_address_says() {
    let [from, to] = [SharedDatabase::in_a_file(), SharedDatabase::in_a_file()];
    drop(TestServer::on(from.clone()));
    let address = |mode: &str| DatabaseUrl::new(from.url().reveal().replace("rwc", mode));
    let copy = |from: DatabaseUrl, to: DatabaseUrl| {
        let mut listener = |_: &Progress<'_>| ControlFlow::Continue(());
        block_on(copy::run(&from, &to, Options::default(), &mut listener))
    };
    let same = copy(address("rw"), address("rwc"));
    assert!(matches!(same, Err(CopyError::SameDatabase { .. })), "{same:?}");
    copy(address("ro"), to.url()).expect("a source that is only to be read");
}

//! Where settings come from, and what is refused.

use super::*;

fn load(flags: &[(&str, &str)], environment: &[(&str, &str)]) -> Result<Settings, String> {
    let own = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    Settings::load(&Sources { flags: own(flags), environment: own(environment), file: None })
        .map_err(|error| error.to_string())
}

#[test]
fn flags_win_over_the_environment_and_canary_over_canarypy() {
    let environment =
        [("CANARY_API_PORT", "1"), ("CANARYPY_API_PORT", "2"), ("CANARYPY_API_HOST", "0.0.0.0")];
    assert_eq!(load(&[("api_port", "3")], &environment).unwrap().port, 3);
    let settings = load(&[], &environment).unwrap();
    assert_eq!((settings.port, settings.host.as_str()), (1, "0.0.0.0"));
    assert_eq!(
        load(&[], &[("PATH", "/bin"), ("CANARY_URL", "x"), ("CANARY_TEST_X", "y")]).unwrap(),
        Settings::default()
    );
}

#[test]
fn what_is_unknown_or_does_not_fit_is_named() {
    let cases = [
        (
            load(&[], &[("CANARY_API_PROT", "1")]),
            "unknown setting `CANARY_API_PROT` in the environment, did you mean `CANARY_API_PORT`?",
        ),
        (
            load(&[("api_hots", "x")], &[]),
            "unknown setting `api_hots` in the flags, did you mean `api_host`?",
        ),
        (
            load(&[("api_port", "70000")], &[]),
            "setting `api_port` is `70000`, it must be a port from 0 to 65535",
        ),
        (
            load(&[("db_conn_string", "mysql://me:secret@db/x")], &[]),
            "setting `db_conn_string` is `mysql://me:***@db/x`, it must begin with sqlite:// or postgres://",
        ),
        (
            load(&[], &[("CANARY_INSECURE", "yes")]),
            "setting `insecure` is `yes`, it must be true or false",
        ),
        (
            load(&[("role", "api,all-of-it")], &[]),
            "setting `role` is `api,all-of-it`, it must be all, or some of api, ingest, web and engine with commas between",
        ),
        (
            load(&[("role", "ingest")], &[]),
            "setting `role` is `ingest`, on a file it must be all, api,ingest,engine, or web: parts run apart on PostgreSQL only",
        ),
        (
            load(&[("db_pool_size", "0")], &[]),
            "setting `db_pool_size` is `0`, it must be a whole number of connections from 1 to 100",
        ),
        (
            load(&[], &[("CANARY_DB_ACQUIRE_TIMEOUT_S", "301")]),
            "setting `db_acquire_timeout_s` is `301`, it must be a whole number of seconds from 1 to 300",
        ),
        (
            load(&[], &[("CANARY_DB_STATEMENT_TIMEOUT_S", "4")]),
            "setting `db_statement_timeout_s` is `4`, it must be a whole number of seconds from 5 to 3600",
        ),
        (
            load(&[("db_conn_string", "sqlite://:memory:")], &[]),
            "setting `db_conn_string` is `sqlite://:memory:`, it must name a file: what is in memory alone is not durable",
        ),
    ];
    for (got, want) in cases {
        assert_eq!(got.unwrap_err(), want);
    }
}

#[test]
fn a_file_is_read_and_its_unknown_keys_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("canary.toml");
    let load = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let sources = Sources { file: Some(path.clone()), ..Sources::default() };
        Settings::load(&sources).map_err(|error| error.to_string())
    };
    assert_eq!(load("api_port = 9000\napi_log_level = \"debug\"").unwrap().port, 9000);
    assert!(load("insecure = true").unwrap().insecure);
    assert!(!load("api_port = 9000").unwrap().insecure);
    assert!(load("api_pot = 9000").unwrap_err().contains("did you mean `api_port`?"));
    assert!(load("api_port = [").unwrap_err().starts_with("cannot read settings from"));
}

#[test]
fn a_database_server_may_be_named_part_by_part() {
    let part = |name: &str, value: &str| (format!("db_{name}"), value.to_owned());
    let database = |parts: &[(String, String)]| {
        let flags: Vec<(&str, &str)> =
            parts.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        load(&flags, &[]).unwrap().database.reveal().to_owned()
    };
    assert_eq!(database(&[part("host", "db")]), "postgres://postgres@db:5432/postgres");
    assert_eq!(
        database(&[part("host", "db"), part("user", "me"), part("password", "a/b@c")]),
        "postgres://me:a%2Fb%40c@db:5432/postgres"
    );
    assert_eq!(
        database(&[part("host", "/run/pg"), part("name", "canary"), part("port", "5433")]),
        "postgres://postgres@%2Frun%2Fpg:5433/canary"
    );
}

#[test]
fn a_password_is_never_shown() {
    let cases = [
        ("postgres://me:se@cret@db:5432/canary", "postgres://me:***@db:5432/canary"),
        (
            "postgres://me@db/canary?sslmode=require&password=secret",
            "postgres://me:***@db/canary?sslmode=require&password=***",
        ),
        (
            "postgres://db/canary?p%61ssword=secret&host=/run",
            "postgres://db/canary?password=***&host=/run",
        ),
        ("postgres://db/canary?password=se@cret", "postgres://***"),
        ("postgres://me:se?cret@db/canary", "postgres://***"),
        ("postgres://me:s@e?cret@db/canary", "postgres://***"),
        ("sqlite://canary.db?mode=rwc", "sqlite://canary.db?mode=rwc"),
    ];
    for (text, shown) in cases {
        let url = DatabaseUrl::new(text);
        assert_eq!((url.to_string(), format!("{url:?}")), (shown.to_owned(), shown.to_owned()));
    }
}

#[test]
fn how_a_database_is_connected_to_can_be_set() {
    let environment = [
        ("CANARY_DB_POOL_SIZE", "100"),
        ("CANARY_DB_ACQUIRE_TIMEOUT_S", "1"),
        ("CANARY_DB_STATEMENT_TIMEOUT_S", "3600"),
    ];
    let seconds = std::time::Duration::from_secs;
    let pool = Pool { size: 100, acquire_timeout: seconds(1), statement_timeout: seconds(3600) };
    assert_eq!(load(&[], &environment).unwrap().pool, pool);
    let default = Pool { size: 3, acquire_timeout: seconds(10), statement_timeout: seconds(30) };
    assert_eq!(load(&[], &[]).unwrap().pool, default);
}

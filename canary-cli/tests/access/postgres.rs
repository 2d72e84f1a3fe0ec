//! The same tests on PostgreSQL.

canary_tests::on_postgres! {
    #[path = "main.rs"]
    mod access;
}

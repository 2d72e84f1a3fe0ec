//! Finds out whether there is a PostgreSQL to test with.

#[path = "postgres_programs.rs"]
mod postgres_programs;

#[expect(clippy::disallowed_methods, reason = "it is the environment of the build that tells")]
fn main() {
    println!("cargo::rustc-check-cfg=cfg(postgres)");
    println!("cargo::rustc-check-cfg=cfg(postgres_programs)");
    println!("cargo::rerun-if-env-changed=CANARY_TEST_POSTGRES_URL");
    println!("cargo::rerun-if-env-changed=PATH");
    println!("cargo::rerun-if-changed=postgres_programs.rs");
    println!("cargo::rerun-if-changed=/usr/lib/postgresql");
    println!("cargo::rerun-if-env-changed=CANARY_TEST_POSTGRES");
    let is_given = std::env::var_os("CANARY_TEST_POSTGRES_URL").is_some();
    // Those that stop and start one of their own.
    let has_programs = postgres_programs::folder().is_some();
    if has_programs {
        println!("cargo::rustc-cfg=postgres_programs");
    }
    if is_given || has_programs {
        println!("cargo::rustc-cfg=postgres");
    } else {
        let is_required =
            std::env::var("CANARY_TEST_POSTGRES").is_ok_and(|word| word == "required");
        assert!(!is_required, "the tests on PostgreSQL are required, and its programs are missing");
    }
}

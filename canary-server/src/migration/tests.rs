use sea_orm::{ConnectionTrait as _, DbBackend, Statement};

use super::*;
use crate::config::DatabaseUrl;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn url(&self) -> DatabaseUrl {
        let path = self.0.path().join("canary.db");
        DatabaseUrl::new(format!("sqlite://{}?mode=rwc", path.display()))
    }

    async fn store(&self) -> Store {
        Store::connect(&Place::of_default(&self.url())).await.unwrap()
    }

    fn settings(&self) -> Settings {
        Settings { database: self.url(), ..Settings::default() }
    }
}

/// Every table and index, as SQLite tells of them.
async fn schema(store: &Store) -> Vec<String> {
    let sql = "SELECT sql FROM sqlite_master \
        WHERE sql IS NOT NULL AND name <> 'sqlite_sequence' ORDER BY name";
    let statement = Statement::from_string(DbBackend::Sqlite, sql);
    let rows = store.writer().query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get("", "sql").unwrap()).collect()
}

#[tokio::test]
async fn up_down_up_ends_where_it_began() {
    let folder = Folder::new();
    let store = folder.store().await;
    let applied = store.upgrade_all().await.unwrap();
    let first = schema(&store).await;
    for lineage in [Lineage::Org, Lineage::Public] {
        let undone = store.downgrade(lineage, u32::MAX).await.unwrap();
        assert!(!undone.is_empty() && undone.iter().all(|name| applied.contains(name)));
    }
    let bare = schema(&store).await;
    assert!(bare.iter().all(|sql| sql.contains("_migration")), "left over: {bare:?}");
    assert_eq!(store.upgrade_all().await.unwrap(), applied);
    assert_eq!(schema(&store).await, first);
    assert_eq!(store.upgrade_all().await.unwrap(), Vec::<String>::new());
    store.close().await.unwrap();
}

#[tokio::test]
async fn each_step_can_be_taken_back_and_applied_again() {
    let folder = Folder::new();
    let store = folder.store().await;
    store.upgrade_all().await.unwrap();
    let whole = schema(&store).await;
    for lineage in [Lineage::Public, Lineage::Org] {
        let count = store.schema_steps(lineage).await.unwrap().len();
        for steps in 1..=count {
            let undone = store.downgrade(lineage, steps as u32).await.unwrap();
            assert_eq!(undone.len(), steps);
            store.upgrade(lineage).await.unwrap();
            assert_eq!(schema(&store).await, whole, "{lineage:?}, {steps}");
        }
    }
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_schema_of_a_newer_program_is_refused_in_both_lineages() {
    for lineage in [Lineage::Public, Lineage::Org] {
        let folder = Folder::new();
        let store = folder.store().await;
        store.upgrade_all().await.unwrap();
        let newer = format!(
            "INSERT INTO {}_migration (version, applied_at) VALUES ('m9999_from_the_future', 0)",
            lineage.as_str()
        );
        store.writer().execute_unprepared(&newer).await.unwrap();
        let error = store.upgrade(lineage).await.unwrap_err().to_string();
        assert!(error.contains("m9999_from_the_future"), "{error}");
        let error = store.prepare_schema().await.unwrap_err().to_string();
        assert!(error.contains("m9999_from_the_future"), "{error}");
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_file_from_before_there_were_organizations_gets_them_and_keeps_what_it_has() {
    let folder = Folder::new();
    let store = folder.store().await;
    store.upgrade(Lineage::Org).await.unwrap();
    let kept = "UPDATE reading_type SET unit = 'K' WHERE id = 0";
    store.writer().execute_unprepared(kept).await.unwrap();
    let applied = store.prepare_schema().await.unwrap();
    assert_eq!(applied.len(), store.schema_steps(Lineage::Public).await.unwrap().len());
    let sql = "SELECT count(*) AS count FROM reading_type WHERE unit = 'K'";
    let statement = Statement::from_string(DbBackend::Sqlite, sql);
    let row = store.writer().query_one_raw(statement).await.unwrap().unwrap();
    assert_eq!(row.try_get::<i64>("", "count").unwrap(), 1);
    store.close().await.unwrap();
}

#[tokio::test]
async fn how_far_a_database_is_can_be_asked_before_there_is_anything() {
    let folder = Folder::new();
    let (settings, all) = (folder.settings(), Which::default());
    let nothing = current(&settings, &all).await.unwrap();
    let told: Vec<_> = nothing.iter().map(|at| (at.lineage, at.step.as_deref())).collect();
    assert_eq!(told, [(Lineage::Public, None), (Lineage::Org, None)]);
    let applied = upgrade(&settings, &all).await.unwrap();
    assert!(applied.iter().all(|step| step.is_applied));
    assert!(upgrade(&settings, &all).await.unwrap().is_empty());
    assert_eq!(status(&settings, &all).await.unwrap(), applied);
    let newest = |lineage| {
        let mut of_lineage = applied.iter().filter(|step| step.lineage == lineage);
        of_lineage.next_back().map(|step| step.name.clone())
    };
    for at in current(&settings, &all).await.unwrap() {
        assert_eq!(at.step, newest(at.lineage));
        assert!(at.organization.is_default());
    }
}

//! Where the tables of an organization are: a file, or a schema.
//!
//! SQLite: `default` is in the file of the settings, `acme` beside it: `canary.acme.db`.
//! PostgreSQL: `default` is in the schema `public`, `acme` in `org_acme`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr as _;

use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sha2::{Digest as _, Sha256};

use super::Dialect;
use crate::config::{DatabaseUrl, Pool};
use crate::organization::OrganizationName;

/// Most bytes of a name in PostgreSQL: what is longer, it cuts off.
const LONGEST: usize = 63;

/// Characters of a long name that its schema keeps, for a person.
const KEPT: usize = 20;

/// Where the tables of one organization are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(super) url: DatabaseUrl,
    /// Its schema on PostgreSQL; empty on SQLite.
    pub(super) schema: String,
    /// Whether it is that of `default`, where organizations and keys are, too.
    pub(crate) is_default: bool,
    /// How it is connected to.
    pub(super) pool: Pool,
}

impl Place {
    /// That of an organization in a database.
    pub(crate) fn of(database: &DatabaseUrl, organization: &OrganizationName) -> Self {
        let is_default = organization.is_default();
        let (url, schema) = match Dialect::of(database) {
            Dialect::Sqlite if is_default => (database.clone(), String::new()),
            Dialect::Sqlite => (file_beside(database, organization), String::new()),
            Dialect::Postgres if is_default => (database.clone(), "public".to_owned()),
            Dialect::Postgres => (database.clone(), schema_of(organization)),
        };
        Self { url, schema, is_default, pool: Pool::default() }
    }

    /// The same, connected to in another way.
    pub(crate) fn with(self, pool: Pool) -> Self {
        Self { pool, ..self }
    }

    /// That of `default`.
    pub(crate) fn of_default(database: &DatabaseUrl) -> Self {
        Self::of(database, &OrganizationName::default_one())
    }

    /// The organization with this schema; nothing where it is none, or where only a part of a long
    /// name is left in it.
    pub(crate) fn organization_of(schema: &str) -> Option<OrganizationName> {
        if schema == "public" {
            return Some(OrganizationName::default_one());
        }
        let name = schema.strip_prefix("org_")?.replace('_', "-");
        let name = OrganizationName::parse(name).ok().filter(|name| !name.is_default());
        name.filter(|name| schema_of(name) == schema)
    }

    /// The database that it is part of, as the settings of `default` name it.
    pub(in crate::store) fn database(&self) -> DatabaseUrl {
        self.url.clone()
    }

    /// The address of its database: for the driver, not for people.
    pub(in crate::store) fn address(&self) -> &str {
        self.url.reveal()
    }

    /// The file on SQLite.
    pub(super) fn file(&self) -> Option<PathBuf> {
        if Dialect::of(&self.url) != Dialect::Sqlite {
            return None;
        }
        let options = SqliteConnectOptions::from_str(self.url.reveal()).ok()?;
        Some(options.get_filename().to_owned())
    }

    /// The number of a lock that those who use this place have in common, and nobody else.
    pub(crate) fn lock(&self, purpose: &str) -> i64 {
        let [a, b, c, d, e, f, g, h, ..] = self.hash(purpose);
        i64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// The channel on which those who use this place tell each other of something.
    pub(crate) fn channel(&self, purpose: &str) -> String {
        format!("canary_{purpose}_{:016x}", self.lock(purpose))
    }

    fn hash(&self, purpose: &str) -> [u8; 32] {
        Sha256::digest(format!("canary {purpose} {}", self.schema)).into()
    }
}

/// The database without its password, and the schema.
impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.schema.as_str() {
            "" | "public" => fmt::Display::fmt(&self.url, formatter),
            schema => write!(formatter, "{}, schema `{schema}`", self.url),
        }
    }
}

/// `sqlite://canary.db?mode=rwc` for `acme`: `sqlite://canary.acme.db?mode=rwc`.
fn file_beside(database: &DatabaseUrl, organization: &OrganizationName) -> DatabaseUrl {
    let url = database.reveal();
    let (path, query) = url.split_at(url.find('?').unwrap_or(url.len()));
    let (folder, file) = path.split_at(path.rfind(['/', ':']).map_or(0, |place| place + 1));
    let (stem, extension) = match file.rfind('.') {
        // A name that only begins with a dot has no extension.
        None | Some(0) => (file, ""),
        Some(dot) => file.split_at(dot),
    };
    DatabaseUrl::new(format!("{folder}{stem}.{organization}{extension}{query}"))
}

/// A schema that no other organization has.
///
/// Names have no underscores, so that hyphens become some. After `org_` stands a letter, and after
/// `org__` the hash of a name that is too long: no name of one kind is one of the other.
fn schema_of(organization: &OrganizationName) -> String {
    let name = organization.as_str().replace('-', "_");
    let schema = format!("org_{name}");
    if schema.len() <= LONGEST {
        return schema;
    }
    let hash: [u8; 32] = Sha256::digest(organization.as_str()).into();
    let hash: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let kept: String = name.chars().take(KEPT).collect();
    format!("org__{hash}_{kept}")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn name(text: &str) -> OrganizationName {
        OrganizationName::parse(text).unwrap()
    }

    #[test]
    fn the_file_of_an_organization_lies_beside_that_of_the_settings() {
        let cases = [
            ("sqlite://canary.db?mode=rwc", "sqlite://canary.acme.db?mode=rwc"),
            ("sqlite:canary.db", "sqlite:canary.acme.db"),
            ("sqlite:///var/lib.d/canary", "sqlite:///var/lib.d/canary.acme"),
            (
                "sqlite:///var/x/canary.prod.sqlite3?a=b.c/d",
                "sqlite:///var/x/canary.prod.acme.sqlite3?a=b.c/d",
            ),
            ("sqlite:///x/.canary", "sqlite:///x/.canary.acme"),
        ];
        for (url, wanted) in cases {
            let place = Place::of(&DatabaseUrl::new(url), &name("acme"));
            assert_eq!(place.url.reveal(), wanted);
            assert_eq!(Place::of_default(&DatabaseUrl::new(url)).url.reveal(), url);
        }
        let place =
            Place::of(&DatabaseUrl::new("sqlite:///a%20b/canary.db?mode=rwc"), &name("acme"));
        assert_eq!(place.file(), Some(PathBuf::from("/a b/canary.acme.db")));
    }

    #[test]
    fn no_two_organizations_share_a_schema() {
        let long = |end: &str| format!("{}{end}", "x".repeat(63 - end.len()));
        let names = [
            "a".to_owned(),
            "acme".to_owned(),
            "a-b".to_owned(),
            "a--b".to_owned(),
            "ab".to_owned(),
            "public".to_owned(),
            "information-schema".to_owned(),
            "pg-catalog".to_owned(),
            "x".repeat(59),
            "x".repeat(60),
            "x".repeat(61),
            long("1"),
            long("2"),
            long("-"),
        ];
        let url = DatabaseUrl::new("postgres://db/canary");
        let places: Vec<Place> = names.iter().map(|text| Place::of(&url, &name(text))).collect();
        for Place { schema, .. } in &places {
            assert!(schema.len() <= LONGEST && schema.starts_with("org_"), "{schema}");
            assert!(schema.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
        }
        let default = Place::of_default(&url);
        assert_eq!(default.schema, "public");
        let all = || places.iter().chain([&default]);
        let distinct = |of: &dyn Fn(&Place) -> String| all().map(of).collect::<HashSet<_>>().len();
        assert_eq!(distinct(&|place| place.schema.clone()), names.len() + 1);
        assert_eq!(distinct(&|place| place.channel("news")), names.len() + 1);
        assert_eq!(distinct(&|place| place.lock("lead").to_string()), names.len() + 1);
        assert_ne!(default.lock("lead"), default.lock("schema"));
        assert!(all().all(|place| place.channel("registry").len() <= LONGEST));
        assert_eq!(Place::of(&url, &name("acme-2")).schema, "org_acme_2");
    }

    #[test]
    fn a_schema_tells_its_organization_as_long_as_it_has_the_whole_name() {
        let url = DatabaseUrl::new("postgres://db/canary");
        let longest = "x".repeat(59);
        for whole in ["default", "acme", "a-b", "a--b", "a-", "public", "org-acme", &longest] {
            let Place { schema, .. } = Place::of(&url, &name(whole));
            assert_eq!(Place::organization_of(&schema), Some(name(whole)), "{schema}");
        }
        let cut = Place::of(&url, &name(&"x".repeat(60))).schema;
        for other in ["", "acme", "org_", "org_default", "org_a-b", "org_A", "org__a", &cut] {
            assert_eq!(Place::organization_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_place_is_shown_without_its_password() {
        let url = DatabaseUrl::new("postgres://me:secret@db/canary");
        let shown = Place::of(&url, &name("acme")).to_string();
        assert_eq!(shown, "postgres://me:***@db/canary, schema `org_acme`");
    }
}

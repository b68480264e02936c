//! Stores with as many keys as one likes, filled by SQL.

use std::path::Path;

use claviger::api_key::{KeyId, PlainKey, Tagger};
use claviger::entropy::Entropy;
use claviger::master_key::MasterKey;
use claviger::node::{HashCost, SecretKeeper};
use sqlx::{AssertSqlSafe, Connection as _};
use tempfile::TempDir;

use crate::postgres::Postgres;

/// A database to measure on.
pub(crate) enum Database {
    Sqlite,
    Postgres(Postgres),
}

/// Those that are here.
pub(crate) fn databases() -> Vec<Database> {
    let mut databases = vec![Database::Sqlite];
    match Postgres::own() {
        Some(server) => databases.push(Database::Postgres(server)),
        None => println!("left out: PostgreSQL is missing"),
    }
    databases
}

impl Database {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }
}

/// A bootstrapped store with keys in it.
pub(crate) struct Store {
    pub(crate) folder: TempDir,
    pub(crate) url: String,
    keys: u32,
    tagger: Tagger,
}

/// Every seeded key has the same secret, and the same hash of it.
fn secret_stream() -> Entropy {
    Entropy::scripted(std::iter::repeat_n(7, 4_096))
}

impl Store {
    /// A store of `keys` keys, their secrets hashed at this cost (memory in KiB, passes).
    pub(crate) async fn of(database: &Database, keys: u32, cost: (u32, u32)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = match database {
            Database::Sqlite => format!("sqlite://{}", folder.path().join("claviger.db").display()),
            Database::Postgres(server) => create_database(server).await,
        };
        let done = std::process::Command::new(env!("CARGO_BIN_EXE_claviger"))
            .arg("init")
            .current_dir(folder.path())
            .env("CLAVIGER_DATABASE_URL", &url)
            .output()
            .expect("claviger init");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let tagger = tagger(folder.path());
        let store = Self { folder, url, keys, tagger };
        store.fill(cost).await;
        store
    }

    /// The settings that a server over this store needs.
    pub(crate) fn settings(&self) -> Vec<(&'static str, &str)> {
        vec![("CLAVIGER_DATABASE_URL", &self.url)]
    }

    /// The client id and the text of key number `number`.
    pub(crate) fn key(&self, number: u32) -> (String, String) {
        assert!(number < self.keys, "no such key");
        let id: KeyId = format!("key_{number:016}").parse().expect("an id");
        let (brand, environment) = (Default::default(), "prd".parse().expect("an environment"));
        let key = PlainKey::with_id(&brand, &environment, id, &self.tagger, &secret_stream()).expect("a key");
        (id.to_string(), key.expose().to_owned())
    }

    async fn fill(&self, (memory, passes): (u32, u32)) {
        let cost = HashCost::new(memory, passes, 1).expect("a cost");
        let entropy = Entropy::system();
        let keeper = SecretKeeper::new(cost, 1, 1, &entropy).expect("a keeper");
        let key = self.key(0).1;
        let parsed = PlainKey::parse(&key, &self.tagger).expect("a key");
        let hash = keeper.hash(parsed.secret(), &entropy).await.expect("a hash");
        let numbers = format!(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {})",
            self.keys
        );
        let padded = "substr('0000000000000000' || CAST(i AS TEXT), length(CAST(i AS TEXT)) + 1)";
        let statements = [
            format!(
                "INSERT INTO api_keys (id, created_seq, organization, project, environment, brand, name, name_folded,
                     scopes, cidrs, generation, created_at, created_by)
                 {numbers} SELECT 'key_' || {padded}, 1000 + i, 'default', 'default', 'prd', 'clv', 'Key ' || i,
                     'key ' || i, 'read:*', '0.0.0.0/0 ::/0', 1, 1767225600, 'bootstrap' FROM n"
            ),
            format!(
                "INSERT INTO key_secrets (id, key_id, hash, created_at)
                 {numbers} SELECT 'sec_' || {padded}, 'key_' || {padded}, '{hash}', 1767225600 FROM n"
            ),
            format!("UPDATE sequences SET value = 1000 + {}", self.keys),
            // Nodes that start later have nothing to follow.
            "ANALYZE".to_owned(),
        ];
        for statement in statements {
            self.execute(statement).await;
        }
    }

    async fn execute(&self, statement: String) {
        let statement = AssertSqlSafe(statement);
        if self.url.starts_with("sqlite") {
            let mut connection = sqlx::SqliteConnection::connect(&self.url).await.expect("a connection");
            sqlx::raw_sql(statement).execute(&mut connection).await.expect("a statement");
        } else {
            let mut connection = sqlx::PgConnection::connect(&self.url).await.expect("a connection");
            sqlx::raw_sql(statement).execute(&mut connection).await.expect("a statement");
        }
    }
}

fn tagger(folder: &Path) -> Tagger {
    let text = std::fs::read_to_string(folder.join("keys/master.key")).expect("the master key");
    let key: MasterKey = text.parse().expect("a master key");
    Tagger::new(&key.tag_key())
}

async fn create_database(server: &Postgres) -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("bench_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let mut connection = sqlx::PgConnection::connect(&server.url("postgres")).await.expect("a connection");
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut connection)
        .await
        .expect("a database");
    server.url(&name)
}

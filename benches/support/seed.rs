//! Stores with any number of keys, filled by SQL.

use std::path::Path;

use claviger::base::clock::Clock;
use claviger::base::entropy::Entropy;
use claviger::base::master_key::MasterKey;
use claviger::domain::api_key::{KeyId, PlainKey, Tagger};
use claviger::domain::principal::Principal;
use claviger::domain::usage::{CalendarPeriod, CalendarSpan};
use claviger::node::{HashCost, SecretKeeper};
use sqlx::{AssertSqlSafe, Connection as _};
use tempfile::TempDir;

use crate::arguments::Arguments;
use crate::postgres::Postgres;

/// A database to measure on.
pub(crate) enum Database {
    Sqlite,
    Postgres(Postgres),
}

/// The available databases: all, unless `sqlite` or `postgres` selects one.
pub(crate) fn databases(arguments: &Arguments) -> impl Iterator<Item = Database> {
    let is_any = !arguments.has("sqlite") && !arguments.has("postgres");
    here().into_iter().filter(move |database| is_any || arguments.has(database.name()))
}

fn here() -> Vec<Database> {
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
    pub(crate) admin: String,
    keys: u32,
    tagger: Tagger,
}

/// The distribution of a store's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// All keys are in the first project.
    Together,
    /// The keys alternate over so many organizations of five projects each. Each of the first million keys has an audit
    /// event. One key in five is revoked, and one in seven has expired.
    Spread { organizations: u32 },
    /// The keys alternate over so many organizations of five projects each. All are active.
    Apart { organizations: u32 },
}

/// Gives every seeded key the same secret, and therefore the same hash.
fn secret_stream() -> Entropy {
    Entropy::scripted(std::iter::repeat_n(7, 4_096))
}

impl Store {
    /// Creates a store with this number of keys. `cost` is the memory in KiB and the passes of a hash.
    pub(crate) async fn of(database: &Database, keys: u32, cost: (u32, u32), shape: Shape) -> Self {
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
        // The last line of the output is the key.
        let said = String::from_utf8(done.stdout).expect("text");
        let admin = said.lines().last().expect("the administrator's key").to_owned();
        let tagger = tagger(folder.path());
        let store = Self { folder, url, admin, keys, tagger };
        store.fill(cost, shape).await;
        store
    }

    /// The settings of a server over this store.
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

    /// Gives every key this public key, a JWK with `alg` and `kid`. No server may be running.
    pub(crate) async fn register(&self, jwk: &str) {
        let statement = format!(
            "INSERT INTO key_secrets (id, key_id, hash, public_jwk, created_at)
             SELECT 'pub_' || substr(id, 5), id, '', '{jwk}', created_at FROM api_keys WHERE created_seq >= 10000"
        );
        self.execute(statement).await;
    }

    async fn fill(&self, (memory, passes): (u32, u32), shape: Shape) {
        let cost = HashCost::new(memory, passes, 1).expect("a cost");
        let entropy = Entropy::system();
        let keeper = SecretKeeper::new(cost, 1, 1, &entropy).expect("a keeper");
        let key = self.key(0).1;
        let parsed = PlainKey::parse(&key, &self.tagger).expect("a key");
        let hash = keeper.hash(parsed.secret(), &Principal::default(), &entropy).await.expect("a hash");
        let numbers = format!(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {})",
            self.keys
        );
        // Like real ids, these reveal nothing of the order of creation. Each stays in its organization, up to 1,000
        // organizations.
        let number = format!("CAST(CAST(i AS BIGINT) * 7001 % {} AS TEXT)", self.keys);
        let padded = format!("substr('0000000000000000' || {number}, length({number}) + 1)");
        let at_home = match shape {
            Shape::Together => "'default', 'default', 'prd', NULL, NULL".to_owned(),
            Shape::Spread { organizations } => format!(
                "'org-' || (i % {organizations}), 'p-' || (i / {organizations} % 5),
                 CASE i % 3 WHEN 0 THEN 'dev' WHEN 1 THEN 'stg' ELSE 'prd' END,
                 CASE i % 7 WHEN 0 THEN 1767225700 END, CASE i % 5 WHEN 0 THEN 1767225700 END"
            ),
            Shape::Apart { organizations } => {
                format!(
                    "'org-' || (i % {organizations}), 'p-' || (i / {organizations} % 5), 'prd', NULL, NULL"
                )
            }
        };
        let statements = [
            format!(
                "INSERT INTO api_keys (id, created_seq, brand, name, name_folded, scopes, cidrs, generation,
                     created_at, created_by, organization, project, environment, expires_at, revoked_at)
                 {numbers} SELECT 'key_' || {padded}, 10000 + i, 'clv', 'Key ' || i, 'key ' || i, 'read:*',
                     '0.0.0.0/0 ::/0', 1, 1767225600, 'bootstrap', {at_home} FROM n"
            ),
            "UPDATE api_keys SET ends_at = expires_at WHERE expires_at IS NOT NULL".to_owned(),
            "INSERT INTO key_last_use (key_id, organization, created_seq, last_used_at, idle_since)
             SELECT id, organization, created_seq, CASE created_seq % 2 WHEN 0 THEN created_at + created_seq END,
                 CASE created_seq % 2 WHEN 0 THEN created_at + created_seq ELSE created_at END
             FROM api_keys WHERE created_seq >= 10000"
                .to_owned(),
            format!(
                "INSERT INTO key_secrets (id, key_id, hash, created_at)
                 {numbers} SELECT 'sec_' || {padded}, 'key_' || {padded}, '{hash}', 1767225600 FROM n"
            ),
            // One key in ten has usage.
            format!(
                "INSERT INTO key_totals (span, start, key_id, organization, total, token, direct, revoked, expired,
                     address, secret)
                 SELECT 'month', {}, id, organization, created_seq * 7919 % 100003 + 1,
                     created_seq * 7919 % 100003, 1, 0, 0, 1, 1
                 FROM api_keys WHERE created_seq >= 10000 AND created_seq / 1000 % 10 = 0",
                CalendarPeriod::of(CalendarSpan::Month, Clock::system().now()).start().unix()
            ),
            format!("UPDATE sequences SET value = 10000 + {}", self.keys),
        ];
        if let Shape::Spread { organizations } | Shape::Apart { organizations } = shape {
            self.make_organizations(organizations).await;
        }
        for statement in statements {
            self.execute(statement).await;
        }
        if matches!(shape, Shape::Spread { .. }) {
            let events = "INSERT INTO audit_events (seq, at, actor, action, organization, subject, key_id)
                          SELECT created_seq, created_at + created_seq, created_by, 'key.create', organization, id, id
                          FROM api_keys WHERE created_seq >= 10000 AND created_seq < 1010000";
            self.execute(events.to_owned()).await;
        }
        // A node that starts later has no changes to follow.
        self.execute("ANALYZE".to_owned()).await;
    }

    async fn make_organizations(&self, organizations: u32) {
        let numbers = |below: u32| {
            format!("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {below})")
        };
        for statement in [
            format!(
                "INSERT INTO organizations (id, created_seq, name, created_at)
                 {} SELECT 'org-' || i, 1000 + i, 'Organization ' || i, 1767225600 FROM n",
                numbers(organizations)
            ),
            format!(
                "INSERT INTO projects (organization, id, created_seq, name, environments, created_at)
                 {} SELECT 'org-' || (i % {organizations}), 'p-' || (i / {organizations}), 3000 + i, 'Project',
                     'dev stg prd', 1767225600 FROM n",
                numbers(organizations * 5)
            ),
        ] {
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

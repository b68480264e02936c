//! A database in which the n-th write of a mutation fails, or its commit.

use crate::support::Database;

/// How many writes are left until one fails; at 0 and below, none does. And whether commits fail: then there is a
/// row without its parent at the end, which is where that is looked at.
const COUNTERS: &str = "
    CREATE TABLE fault (writes_left BIGINT NOT NULL, at_commit BIGINT NOT NULL);
    INSERT INTO fault VALUES (0, 0);
    CREATE TABLE fault_parents (id BIGINT NOT NULL PRIMARY KEY);
    CREATE TABLE fault_orphans (parent BIGINT REFERENCES fault_parents (id) DEFERRABLE INITIALLY DEFERRED);";

const SQLITE_TABLES: &str = "SELECT name FROM sqlite_schema
    WHERE type = 'table' AND name NOT LIKE 'fault%' AND name NOT LIKE '%sqlx%'";
const POSTGRES_TABLES: &str = "SELECT tablename::text FROM pg_tables
    WHERE schemaname = 'public' AND tablename NOT LIKE 'fault%' AND tablename NOT LIKE '%sqlx%'";

const POSTGRES_FUNCTION: &str = "
    CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        UPDATE fault SET writes_left = writes_left - 1;
        IF (SELECT writes_left FROM fault) = 0 THEN RAISE EXCEPTION 'a fault'; END IF;
        INSERT INTO fault_orphans SELECT 1 FROM fault WHERE at_commit = 1;
        RETURN NULL;
    END $$;";

/// Prepares a database for faults; there are none yet.
pub(super) async fn prepare(database: &Database) {
    database.execute(COUNTERS).await;
    if database.url.starts_with("sqlite") {
        for table in database.texts(SQLITE_TABLES).await {
            for event in ["INSERT", "UPDATE", "DELETE"] {
                database
                    .execute(&format!(
                        "CREATE TRIGGER fault_{table}_{event} BEFORE {event} ON {table} BEGIN
                             UPDATE fault SET writes_left = writes_left - 1;
                             SELECT RAISE(ABORT, 'a fault') FROM fault WHERE writes_left = 0;
                             INSERT INTO fault_orphans SELECT 1 FROM fault WHERE at_commit = 1;
                         END"
                    ))
                    .await;
            }
        }
        return;
    }
    database.execute(POSTGRES_FUNCTION).await;
    for table in database.texts(POSTGRES_TABLES).await {
        let trigger = format!(
            "CREATE TRIGGER fault BEFORE INSERT OR UPDATE OR DELETE ON {table} EXECUTE FUNCTION fault()"
        );
        database.execute(&trigger).await;
    }
}

/// Lets everything go well.
pub(super) async fn none(database: &Database) {
    fail_write(database, 0).await;
}

/// Lets the n-th write from now on fail, and none before it.
pub(super) async fn fail_write(database: &Database, n: u32) {
    database.execute(&format!("UPDATE fault SET writes_left = {n}, at_commit = 0")).await;
}

/// Lets every write go well, and every commit fail.
pub(super) async fn fail_commits(database: &Database) {
    database.execute("UPDATE fault SET writes_left = 0, at_commit = 1").await;
}

/// All that is stored but what is counted here.
pub(super) async fn dump(database: &Database) -> Vec<String> {
    let mut dump = database.dump().await;
    dump.retain(|line| !line.starts_with("fault"));
    dump
}

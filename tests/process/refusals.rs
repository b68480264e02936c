//! Starts that are refused, and what is said then.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Backend, Claviger, Database, on_both};

on_both!(a_store_is_refused_that_is_not_as_it_was_left, a_second_server_on_one_file_is_refused);

/// What is done to a store between two starts.
#[derive(Clone, Copy, Debug)]
enum Harm {
    MasterKey(Option<&'static str>),
    MasterKeyMode(u32),
    AdminKeyWithoutStore,
    Sql(&'static str),
}

const HARMS: [(Harm, &str); 8] = [
    (
        Harm::MasterKey(None),
        "the store was made with a master key that is not here: put it into keys/master.key",
    ),
    (
        Harm::MasterKey(Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")),
        "keys/master.key is not the master key of this store",
    ),
    (Harm::MasterKey(Some("secret")), "keys/master.key: a master key is 32 bytes in base64url"),
    (Harm::MasterKeyMode(0o640), "keys/master.key can be read by group or others (mode 0640): chmod 600 it"),
    (
        Harm::Sql("UPDATE signing_keys SET sealed_private = substr(sealed_private, 2)"),
        "a sealed value can't be opened: another master key sealed it, or it was altered or moved to another row",
    ),
    (Harm::Sql("DELETE FROM signing_keys"), "the store holds no signing key"),
    (
        Harm::Sql(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             SELECT 99, 'newer', success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1",
        ),
        "the store's schema has version 99, which is newer than this binary knows: start a newer claviger",
    ),
    (Harm::AdminKeyWithoutStore, "the store is empty, and keys/admin.key holds another deployment's key"),
];

async fn a_store_is_refused_that_is_not_as_it_was_left(backend: Backend) {
    for (harm, complaint) in HARMS {
        let database = backend.fresh().await;
        let claviger = Claviger::over(&database);
        claviger.serve();
        let claviger = harm.done_to(&database, claviger).await;
        let refused = claviger.run(&["serve"]);
        let said = String::from_utf8_lossy(&refused.stderr);
        // What is no master key at all is a setting that makes no sense.
        let code = if matches!(harm, Harm::MasterKey(Some("secret"))) { 2 } else { 1 };
        assert_eq!(refused.status.code(), Some(code), "{harm:?}: {said}");
        assert!(said.contains(complaint), "{harm:?}: {said}");
    }
}

impl Harm {
    async fn done_to(self, database: &Database, claviger: Claviger) -> Claviger {
        let master_key = database.folder.path().join("keys/master.key");
        match self {
            Self::MasterKey(None) => fs::remove_file(master_key).expect("removed"),
            Self::MasterKey(Some(other)) => fs::write(master_key, other).expect("written"),
            Self::MasterKeyMode(mode) => {
                fs::set_permissions(master_key, Permissions::from_mode(mode)).expect("set")
            }
            Self::Sql(statement) => database.execute(statement).await,
            Self::AdminKeyWithoutStore => {
                fs::remove_file(master_key).expect("removed");
                return claviger.set("CLAVIGER_DATABASE_URL", "sqlite://another.db");
            }
        }
        claviger
    }
}

async fn a_second_server_on_one_file_is_refused(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    let first = claviger.serve();
    let second = claviger.try_serve();
    match backend {
        Backend::Postgres => drop(second.unwrap()),
        Backend::Sqlite => {
            assert_eq!(second.err().and_then(|status| status.code()), Some(1));
            assert!(claviger.log().contains("another claviger process is using"), "{}", claviger.log());
        }
    }
    first.signal("KILL");
    first.end();
    claviger.serve();
}

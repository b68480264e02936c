//! Reads what an operator has to know about a store. It works beside a running server, and changes nothing.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use sqlx::Postgres;
use sqlx::sqlite::SqliteConnectOptions;

use super::backup::{identity, schema};
use super::database_file::with_end;
use super::database_url::target;
use super::db::{Db, Either, database_seconds, either, in_time, row};
use super::error::OpenError;
use super::members::{Places, existing_in};
use super::open::{SCHEMA, WAIT, no_connection};
use super::pool::{Pool, PostgresServer, SqliteFile};
use super::pooler;
use super::primary::Primary;
use super::shared_settings::{SHARED_SETTINGS, SharedSettings, SharedSettingsRow};
use super::signing_keys::{SIGNING_KEYS, SealedSigningKey, SigningKeyRow};
use crate::base::clock::Timestamp;

/// Nothing can be written in these sessions.
const SESSION: &str = "SET default_transaction_read_only = on; SET statement_timeout = '7s';
    SET lock_timeout = '5s'; SET standard_conforming_strings = on";

/// What a database URL names, without the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// An SQLite file.
    File(PathBuf),
    /// PostgreSQL: servers, database and user.
    Servers(String),
}

/// A store as it is.
#[derive(Debug)]
pub struct Inspection {
    /// The version of the schema. `None` without a schema.
    pub schema: Option<i64>,
    /// The time of PostgreSQL. SQLite has no clock of its own.
    pub clock: Option<Timestamp>,
    /// The contents, if the schema is this binary's and a first start has filled it.
    pub contents: Option<Contents>,
}

/// The contents of a store that a first start has filled.
#[derive(Debug)]
pub struct Contents {
    /// The name of the history of changes.
    pub epoch: String,
    /// The check value of the master key.
    pub master_key_check: Vec<u8>,
    /// What all nodes share.
    pub settings: SharedSettings,
    /// Up to this moment, a server has seen time pass steadily.
    pub steady_at: Option<Timestamp>,
    /// All signing keys, by activation.
    pub signing_keys: Vec<SealedSigningKey>,
    /// The secrets of keys that are not revoked.
    pub secrets: i64,
    /// How many of them have a hash of another cost.
    pub at_another_cost: i64,
    /// Those of the organizations and projects asked for that exist.
    pub places: Places,
}

row! {
    struct HashesRow { secrets: i64, other: i64 }
}

row! {
    struct SteadyRow { steady_at: Option<i64> }
}

impl Place {
    /// What `url` names.
    ///
    /// # Errors
    /// [`OpenError`] when it is no URL of a store.
    pub fn of(url: &str) -> Result<Self, OpenError> {
        Ok(match target(url)? {
            Either::Sqlite(options) => Self::File(options.get_filename().to_owned()),
            Either::Postgres(servers) => {
                let name = |server: &sqlx::postgres::PgConnectOptions| {
                    format!("{}:{}", server.get_host(), server.get_port())
                };
                let hosts: Vec<String> = servers.iter().map(name).collect();
                let user = servers.first().map(|server| server.get_username().to_owned());
                let database = servers.first().and_then(|server| server.get_database().map(str::to_owned));
                Self::Servers(format!(
                    "postgres://{}@{}/{}",
                    user.unwrap_or_default(),
                    hosts.join(","),
                    database.unwrap_or_default()
                ))
            }
        })
    }
}

/// The newest schema that this binary knows.
pub const KNOWN_SCHEMA: i64 = SCHEMA;

/// Reads the store at `url`. `cost` begins the hashes of the present cost. `places` are looked for. `None` if there is no
/// SQLite file.
///
/// # Errors
/// [`OpenError`] when the store can't be read, also behind a pooler that lends no whole sessions.
pub async fn inspect(url: &str, cost: &str, places: &Places) -> Result<Option<Inspection>, OpenError> {
    let db: Db = match target(url)? {
        Either::Sqlite(options) if !options.get_filename().exists() => return Ok(None),
        Either::Sqlite(options) => Either::Sqlite(Pool::new(beside_a_server(options), 1)),
        Either::Postgres(servers) => {
            let primary = Primary::among(servers);
            primary.connect().await.map_err(|error| no_connection(error, &primary))?;
            let server = PostgresServer { primary, session: SESSION };
            pooler::refuse_transaction_mode(&server).await?;
            Either::Postgres(Pool::<Postgres>::new(server, 1))
        }
    };
    let read = in_time(read(&db, cost, places)).await.map_err(OpenError::Connect);
    either!(db, |pool, DB| pool.close().await);
    read.map(Some)
}

/// Options for a file that a server may have open. Without a write-ahead log there is no server, and then SQLite would
/// create files, of which this process would be the owner.
fn beside_a_server(options: SqliteConnectOptions) -> SqliteFile {
    let has_log = with_end(options.get_filename(), "-wal").exists();
    let options = options.create_if_missing(false).busy_timeout(WAIT).read_only(true).immutable(!has_log);
    SqliteFile { options, file: None }
}

async fn read(db: &Db, cost: &str, places: &Places) -> sqlx::Result<Inspection> {
    let mut tx = match db {
        Either::Sqlite(pool) => Either::Sqlite(pool.begin_with("BEGIN").await?),
        Either::Postgres(pool) => Either::Postgres(pool.begin_with("BEGIN READ ONLY").await?),
    };
    let clock = match &mut tx {
        Either::Sqlite(_) => None,
        Either::Postgres(tx) => Some(
            sqlx::query_scalar::<Postgres, i64>(concat!("SELECT ", database_seconds!()))
                .fetch_one(&mut **tx)
                .await?,
        ),
    };
    let schema = schema(&mut tx).await?;
    let mut contents = None;
    if schema == Some(SCHEMA)
        && let Some(identity) = identity(&mut tx).await?
    {
        contents = Some(either!(&mut tx, |tx, DB| {
            let settings = sqlx::query_as::<DB, SharedSettingsRow>(SHARED_SETTINGS);
            let steady = sqlx::query_as::<DB, SteadyRow>("SELECT steady_at FROM deployment WHERE id = 1");
            let keys = sqlx::query_as::<DB, SigningKeyRow>(SIGNING_KEYS);
            let hashes = sqlx::query_as::<DB, HashesRow>(
                "SELECT COUNT(*) AS secrets,
                     CAST(COALESCE(SUM(CASE WHEN s.hash LIKE $1 || '%' THEN 0 ELSE 1 END), 0) AS BIGINT) AS other
                 FROM key_secrets s JOIN api_keys k ON k.id = s.key_id
                 WHERE s.public_jwk IS NULL AND s.trust_rule IS NULL AND s.retired_at IS NULL AND k.revoked_at IS NULL",
            );
            let hashes = hashes.bind(cost).fetch_one(&mut **tx).await?;
            Contents {
                epoch: identity.epoch,
                master_key_check: identity.master_key_check,
                settings: settings.fetch_one(&mut **tx).await?.into(),
                steady_at: steady.fetch_one(&mut **tx).await?.steady_at.map(Timestamp::from_unix),
                signing_keys: keys.fetch_all(&mut **tx).await?.into_iter().map(Into::into).collect(),
                secrets: hashes.secrets,
                at_another_cost: hashes.other,
                places: Places::default(),
            }
        }));
    }
    if let Some(contents) = &mut contents {
        let existing = existing_in(&mut tx, places).await;
        contents.places = existing.map_err(|error| sqlx::Error::Decode(error.to_string().into()))?;
    }
    drop(tx);
    Ok(Inspection { schema, clock: clock.map(Timestamp::from_unix), contents })
}

/// The files of an SQLite store, as far as they exist: the database, and those beside it.
pub fn files_of(database: &Path) -> Vec<PathBuf> {
    let files = ["-wal", "-shm", ".lock"].map(|end| with_end(database, end));
    std::iter::once(database.to_owned()).chain(files).filter(|file| file.exists()).collect()
}

/// Whether a server has used an SQLite store of this path before, which has left its lock file there.
pub fn was_served(database: &Path) -> bool {
    lock_file(database).is_ok_and(|lock| lock.exists())
}

/// The path of the lock file, also of a database that is not there any more.
fn lock_file(database: &Path) -> std::io::Result<PathBuf> {
    let resolved = database.canonicalize().or_else(|missing| {
        let name = database.file_name().ok_or(missing)?;
        let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty());
        Ok::<_, std::io::Error>(folder.unwrap_or(Path::new(".")).canonicalize()?.join(name))
    })?;
    Ok(with_end(&resolved, ".lock"))
}

/// The process that serves an SQLite store, as the kernel lists it. Asking for the lock instead would refuse it to a
/// server that starts at that moment.
///
/// # Errors
/// When the kernel lists no locks here.
pub fn lock_holder(database: &Path) -> std::io::Result<Option<u32>> {
    let path = lock_file(database)?;
    let Ok(lock) = path.metadata() else { return Ok(None) };
    let locks = fs::read_to_string("/proc/locks")?;
    Ok(locks.lines().find_map(|line| holder(line, lock.ino())))
}

/// The process in a line of /proc/locks, such as `2: FLOCK  ADVISORY  WRITE 6999 fe:00:5489115 0 EOF`.
fn holder(line: &str, inode: u64) -> Option<u32> {
    let mut words = line.split_whitespace().skip(1);
    let (kind, _, _) = (words.next()?, words.next()?, words.next()?);
    let (process, file) = (words.next()?, words.next()?);
    let is_it = kind == "FLOCK" && file.rsplit(':').next()?.parse() == Ok(inode);
    is_it.then(|| process.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_shows_no_password() {
        let place = Place::of("postgres://app:s3cret@db1,db2:5433/claviger?sslmode=require").unwrap();
        assert_eq!(place, Place::Servers("postgres://app@db1:5432,db2:5433/claviger".into()));
        assert_eq!(Place::of("sqlite:///var/a.db").unwrap(), Place::File("/var/a.db".into()));
    }

    #[test]
    fn the_kernel_lists_who_holds_a_lock() {
        let line = "2: FLOCK  ADVISORY  WRITE 6999 fe:00:5489115 0 EOF";
        assert_eq!((holder(line, 5_489_115), holder(line, 5_489_116)), (Some(6999), None));
        let posix = "1: POSIX  ADVISORY  READ 13878 fe:00:5489115 124 124";
        assert_eq!(holder(posix, 5_489_115), None);
        assert_eq!(holder("", 1), None);
    }
}

//! Parses `CLAVIGER_DATABASE_URL`. Every part of it has an effect or is refused by name.

use std::str::FromStr as _;

use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use super::db::Either;
use super::error::OpenError;

/// An SQLite file, or at least one PostgreSQL server. One of the servers is the primary.
pub(super) type Target = Either<SqliteConnectOptions, Vec<PgConnectOptions>>;

/// The parameters of a PostgreSQL URL that sqlx supports. It ignores all others.
const PARAMETERS: [&str; 19] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "target_session_attrs",
];

/// Parses the URL, without creating a file or opening a connection.
///
/// # Errors
/// [`OpenError`].
pub(super) fn target(url: &str) -> Result<Target, OpenError> {
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("sqlite") => {
            refuse_memory(url)?;
            Ok(Either::Sqlite(SqliteConnectOptions::from_str(url).map_err(OpenError::Url)?))
        }
        Some("postgres" | "postgresql") => Ok(Either::Postgres(servers(url)?)),
        _ => Err(OpenError::UnknownScheme),
    }
}

/// Refuses URLs that name no file, before one is created.
fn refuse_memory(url: &str) -> Result<(), OpenError> {
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(OpenError::Unsafe { setting: "journal_mode", found: "memory".into(), wanted: "wal" });
    }
    Ok(())
}

/// Refuses an unescaped `/`, `?` or `#` in a password. Each ends the part of the URL that the password is in (RFC
/// 3986 §3.2), so the text before it would count as the server. An `@` is harmless, because only the last one counts.
/// The parser's own message would be about a port.
fn refuse_unescaped(url: &str) -> Result<(), OpenError> {
    let (_, rest) = url.split_once("://").unwrap_or_default();
    let (authority, behind) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (path, query) = behind.split_at(behind.find('?').unwrap_or(behind.len()));
    if path.contains('@') || (query.contains('@') && !authority.contains('@')) {
        return Err(OpenError::Unescaped);
    }
    Ok(())
}

/// One set of options for each host of `postgres://user@host:port,host:port/database?…`, as libpq reads it.
fn servers(url: &str) -> Result<Vec<PgConnectOptions>, OpenError> {
    refuse_unescaped(url)?;
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let query = checked(query)?;
    let (scheme, rest) = address.split_once("://").unwrap_or((address, ""));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (user, hosts) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
    hosts
        .split(',')
        .map(|host| {
            let options = PgConnectOptions::from_str(&format!("{scheme}://{user}{host}{path}?{query}"));
            Ok(options.map_err(OpenError::Url)?.application_name("claviger"))
        })
        .collect()
}

/// The query without the parameters that this module handles.
fn checked(query: &str) -> Result<String, OpenError> {
    let mut kept = Vec::new();
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let is_option = name.starts_with("options[") || name.starts_with("options%5B");
        if !is_option && !PARAMETERS.contains(&name) {
            return Err(OpenError::Parameter(name.to_owned()));
        }
        match (name, value) {
            // Only a server that accepts writes is ever used, so these values change nothing.
            ("target_session_attrs", "read-write" | "primary") => {}
            ("target_session_attrs", other) => return Err(OpenError::SessionAttributes(other.to_owned())),
            ("host" | "hostaddr" | "port", value) if value.contains(',') || value.contains("%2C") => {
                return Err(OpenError::SeveralHosts);
            }
            _ => kept.push(parameter),
        }
    }
    Ok(kept.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(url: &str) -> Vec<(String, u16)> {
        let Either::Postgres(servers) = target(url).unwrap() else { panic!("PostgreSQL") };
        servers.iter().map(|server| (server.get_host().to_owned(), server.get_port())).collect()
    }

    #[test]
    fn each_host_of_a_url_is_a_server() {
        let several =
            "postgres://app:s%40crt@db1:5433,db2,[::1]:5434/claviger?target_session_attrs=read-write";
        let wanted = [("db1".into(), 5433), ("db2".into(), 5432), ("[::1]".into(), 5434)];
        assert_eq!(hosts(several), wanted);
        let Either::Postgres(servers) = target(several).unwrap() else { panic!("PostgreSQL") };
        for server in servers {
            assert_eq!((server.get_username(), server.get_database()), ("app", Some("claviger")));
        }
        assert_eq!(hosts("postgresql:///claviger?host=db1&port=6000"), [("db1".into(), 6000)]);
    }

    #[test]
    fn a_parameter_without_effect_is_refused_by_name() {
        for (query, named) in [
            ("connect_timeout=3", "connect_timeout"),
            ("sslmode=require&load_balance_hosts=random", "load_balance_hosts"),
            ("target_session_attrs=any", "any"),
            ("target_session_attrs=prefer-standby", "prefer-standby"),
            ("host=db1,db2", "several hosts"),
        ] {
            let refused = target(&format!("postgres://localhost/claviger?{query}")).unwrap_err();
            assert!(refused.to_string().contains(named), "{query}: {refused}");
        }
        for query in ["sslmode=require", "options[search_path]=claviger", "target_session_attrs=primary"] {
            target(&format!("postgres://localhost/claviger?{query}")).unwrap();
        }
    }
}

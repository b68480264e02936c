//! Runs single statements on a free connection of the pool.

use std::pin::Pin;

use futures_util::{Stream, TryStreamExt as _, stream};
use sqlx::{Database, Either, Execute, Executor, SqlStr};

use super::{Engine, Pool, PooledConnection};

type Pinned<'e, T> = Pin<Box<dyn Future<Output = sqlx::Result<T>> + Send + 'e>>;
type Results<DB> = Either<<DB as Database>::QueryResult, <DB as Database>::Row>;

impl<'p, DB: Engine> Executor<'p> for &'_ Pool<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    type Database = DB;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> Pin<Box<dyn Stream<Item = sqlx::Result<Results<DB>>> + Send + 'e>>
    where
        E: 'q + Execute<'q, DB>,
    {
        let pool = self.clone();
        // All rows at once, so that a slow reader doesn't keep the connection from others.
        let all = async move {
            let mut connection = pool.acquire().await?;
            let done = (&mut *connection).fetch_many(query).try_collect::<Vec<_>>().await;
            let results = returned(connection, done)?;
            Ok::<_, sqlx::Error>(stream::iter(results.into_iter().map(Ok::<_, sqlx::Error>)))
        };
        Box::pin(stream::once(all).try_flatten())
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> Pinned<'e, Option<DB::Row>>
    where
        E: 'q + Execute<'q, DB>,
    {
        let pool = self.clone();
        Box::pin(async move {
            let mut connection = pool.acquire().await?;
            let done = (&mut *connection).fetch_optional(query).await;
            returned(connection, done)
        })
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [DB::TypeInfo]) -> Pinned<'e, DB::Statement>
    where
        'p: 'e,
    {
        let pool = self.clone();
        Box::pin(async move {
            let mut connection = pool.acquire().await?;
            let done = (&mut *connection).prepare_with(sql, parameters).await;
            returned(connection, done)
        })
    }
}

fn returned<DB: Engine, T>(connection: PooledConnection<DB>, done: sqlx::Result<T>) -> sqlx::Result<T> {
    match &done {
        Ok(_) => connection.release(),
        Err(error) => connection.release_after(error),
    }
    done
}

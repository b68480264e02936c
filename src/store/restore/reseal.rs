//! Brings a staged backup under the master key that the store has.

use super::{ReplacedMasterKey, RestoreError};
use crate::base::clock::Timestamp;
use crate::base::entropy::Entropy;
use crate::base::master_key::{SealError, place_of_signing_key};
use crate::store::StoreError;
use crate::store::db::{Tx, either, row, run};

row! {
    struct SigningKeyRow {
        kid: String,
        algorithm: String,
        sealed_private: Vec<u8>,
    }
}

row! {
    struct TagKeyRow {
        number: i64,
        is_active: i64,
        sealed_tag_key: Option<Vec<u8>>,
    }
}

/// Opens what the replaced master key sealed, and seals it under the active one. The replaced one's tag key joins those
/// that the store keeps, so the restored API keys stay valid.
pub(super) async fn all(
    keys: &ReplacedMasterKey,
    now: Timestamp,
    entropy: &Entropy,
    tx: &mut Tx,
) -> Result<(), RestoreError> {
    let corrupt = |what: String| move |error: SealError| StoreError::Corrupt(format!("{what}: {error}"));
    let failed = |error| StoreError::Corrupt(format!("sealing again: {error}"));
    let signing_keys = either!(tx, |tx, DB| {
        sqlx::query_as::<DB, SigningKeyRow>("SELECT kid, algorithm, sealed_private FROM backup_signing_keys")
            .fetch_all(&mut **tx)
            .await
    })?;
    for SigningKeyRow { kid, algorithm, sealed_private } in signing_keys {
        let place = place_of_signing_key(&algorithm, &kid);
        let private = keys.replaced.signing_keys.open(&sealed_private, &place);
        let private = private.map_err(corrupt(format!("signing key {kid}")))?;
        let sealed = keys.active.signing_keys.seal(&private, &place, entropy).map_err(failed)?;
        either!(tx, |tx, DB| {
            sqlx::query::<DB>("UPDATE backup_signing_keys SET sealed_private = $2 WHERE kid = $1")
                .bind(kid)
                .bind(sealed)
                .execute(&mut **tx)
                .await
                .map(drop)
        })?;
    }
    let tag_keys = either!(tx, |tx, DB| {
        sqlx::query_as::<DB, TagKeyRow>(
            "SELECT number, CAST(CASE WHEN replaced_at IS NULL THEN 1 ELSE 0 END AS BIGINT) AS is_active,
                 sealed_tag_key
             FROM backup_master_keys",
        )
        .fetch_all(&mut **tx)
        .await
    })?;
    for TagKeyRow { number, is_active, sealed_tag_key } in tag_keys {
        let tag_key = match sealed_tag_key {
            _ if is_active == 1 => keys.replaced.tag.clone(),
            Some(sealed) => {
                let opened = keys.replaced.open_tag_key(number, &sealed);
                opened.map_err(corrupt(format!("the tag key of master key {number}")))?
            }
            None => continue,
        };
        let sealed = keys.active.seal_tag_key(number, &tag_key, entropy).map_err(failed)?;
        either!(tx, |tx, DB| {
            sqlx::query::<DB>(
                "UPDATE backup_master_keys SET sealed_tag_key = $2, replaced_at = COALESCE(replaced_at, $3)
                 WHERE number = $1",
            )
            .bind(number)
            .bind(sealed)
            .bind(now.unix())
            .execute(&mut **tx)
            .await
            .map(drop)
        })?;
    }
    Ok(())
}

/// Carries over the master keys that the store has had, with the ends of their tags. If there is no store, the active
/// master key becomes the successor of the backup's.
pub(super) async fn carry_over(
    keys: Option<&ReplacedMasterKey>,
    is_there: bool,
    now: Timestamp,
    tx: &mut Tx,
) -> Result<(), RestoreError> {
    if is_there {
        let contradictions = either!(tx, |tx, DB| {
            sqlx::query_scalar::<DB, i64>(
                "SELECT COUNT(*) FROM backup_master_keys b
                 JOIN master_keys s ON s.number = b.number WHERE s.check_value <> b.check_value",
            )
            .fetch_one(&mut **tx)
            .await
        })?;
        if contradictions > 0 {
            return Err(RestoreError::OtherMasterKeys);
        }
        run(tx, "DELETE FROM backup_master_keys WHERE number IN (SELECT number FROM master_keys)").await?;
        run(tx, "INSERT INTO backup_master_keys SELECT * FROM master_keys").await?;
    }
    let Some(keys) = keys else { return Ok(()) };
    let check = keys.active.check.to_vec();
    either!(tx, |tx, DB| {
        sqlx::query::<DB>("UPDATE backup_deployment SET master_key_check = $1")
            .bind(check.clone())
            .execute(&mut **tx)
            .await?;
        if is_there {
            return Ok(());
        }
        sqlx::query::<DB>(
            "INSERT INTO backup_master_keys (number, check_value, activated_at)
             SELECT MAX(number) + 1, $1, $2 FROM backup_master_keys",
        )
        .bind(check)
        .bind(now.unix())
        .execute(&mut **tx)
        .await
        .map(drop)
    })
    .map_err(RestoreError::from)
}

//! Restores a backup, into an empty store or in place of a store's contents.
//!
//! The rows are prepared in temporary tables beside the store's own, and replace them in one step at the end. A dry
//! run does everything except that step, and running nodes keep reading until then.

mod carry_over;
mod error;
mod report;
mod reseal;
mod stage;
mod taken_away;

pub use error::RestoreError;
pub use report::{NamedKey, Replaced, RestoreReport, TakenAway, TakenKind};

use serde_json::json;

use self::report::{admin_keys, only_in};
use self::stage::{keep_writers_out, put_in_place, stage, take_time};
use super::backup::{Backup, Identity, Source, active_keys, identity, migrated, schema, scratch};
use super::change_kind::ChangeKind;
use super::db::{Tx, begin};
use super::open::SCHEMA;
use super::write::Write;
use super::{OpenError, Store};
use crate::base::clock::{Clock, Timestamp};
use crate::base::entropy::Entropy;
use crate::base::master_key::DerivedKeys;
use crate::domain::audit::{Actor, AuditEvent, Who};

/// What a restore is allowed to do.
#[derive(Clone, Copy, Debug, Default)]
pub struct RestoreOptions {
    /// Whether it may replace the contents of the store.
    pub replace: bool,
    /// Whether it brings back what the store has taken away since the backup.
    pub forget_revocations: bool,
    /// Whether it only reports what it would do.
    pub dry_run: bool,
}

/// A restore, ready to run.
#[derive(Debug)]
pub struct Restore<'a> {
    /// The URL of the store. A missing SQLite file is created.
    pub url: &'a str,
    /// The options of this restore.
    pub options: RestoreOptions,
    /// The name of the new epoch, the history of changes that begins with this restore.
    pub epoch: &'a str,
    /// The clock that dates the restore.
    pub clock: &'a Clock,
    /// Randomness to seal again.
    pub entropy: &'a Entropy,
    /// The master key that was replaced since the backup, and its successor. `None` if the backup has the master key
    /// that the store has or will have.
    pub replaced_master_key: Option<ReplacedMasterKey>,
}

/// A master key that was replaced, and the one that the restored store has.
#[derive(Debug)]
pub struct ReplacedMasterKey {
    /// The master key of the backup.
    pub replaced: DerivedKeys,
    /// The master key of the restored store.
    pub active: DerivedKeys,
}

/// An existing store that is not empty.
struct Found {
    source: Source,
    schema: i64,
    identity: Identity,
}

impl Found {
    /// The store at `url`, unless it is missing or empty.
    async fn at(url: &str) -> Result<Option<Self>, RestoreError> {
        let Some(source) = Source::open(url).await? else { return Ok(None) };
        let mut tx = source.begin().await?;
        let Some(schema) = schema(&mut tx).await? else { return Ok(None) };
        let identity = identity(&mut tx).await?;
        Ok(identity.map(|identity| Self { source, schema, identity }))
    }
}

impl Restore<'_> {
    /// Restores `backup`. The caller has checked that the master key at hand, or the replaced one, is that of the
    /// backup.
    ///
    /// # Errors
    /// [`RestoreError`]. The store is unchanged, except as [`RestoreError::Commit`] says.
    pub async fn run(&self, mut backup: Backup) -> Result<RestoreReport, RestoreError> {
        let found = Found::at(self.url).await?;
        self.admit(found.as_ref().map(|found| &found.identity), &backup)?;
        if self.options.dry_run {
            return self.run_dry(found, &mut backup).await;
        }
        if let Some(found) = found {
            found.source.close().await;
        }
        let store = Store::open(self.url).await?;
        let done = self.perform(&store, &mut backup).await;
        store.close().await;
        done
    }

    /// The check value of the master key of the store at `url`. `None` if the store is missing or empty.
    ///
    /// # Errors
    /// [`RestoreError`].
    pub async fn master_key_check(url: &str) -> Result<Option<Vec<u8>>, RestoreError> {
        let Some(found) = Found::at(url).await? else { return Ok(None) };
        found.source.close().await;
        Ok(Some(found.identity.master_key_check))
    }

    fn admit(&self, existing: Option<&Identity>, backup: &Backup) -> Result<(), RestoreError> {
        let Some(existing) = existing else { return Ok(()) };
        if !self.options.replace {
            return Err(RestoreError::NotEmpty);
        }
        let check = match &self.replaced_master_key {
            Some(keys) => &keys.active.check[..],
            None => &backup.master_key_check,
        };
        if existing.master_key_check != check {
            return Err(RestoreError::OtherDeployment);
        }
        Ok(())
    }

    async fn run_dry(
        &self,
        found: Option<Found>,
        backup: &mut Backup,
    ) -> Result<RestoreReport, RestoreError> {
        let mut tx = match found {
            None => empty_store().await?,
            Some(found) if found.schema == SCHEMA => found.source.begin().await?,
            Some(found) if found.schema > SCHEMA => return Err(OpenError::NewerSchema(found.schema).into()),
            Some(found) => return Err(RestoreError::OlderSchema(found.schema)),
        };
        stage(backup, &mut tx).await?;
        let (report, _) = self.prepare(backup, self.clock.now(), &mut tx).await?;
        Ok(report)
    }

    async fn perform(&self, store: &Store, backup: &mut Backup) -> Result<RestoreReport, RestoreError> {
        let mut tx = begin(&store.db).await?;
        take_time(&mut tx).await?;
        stage(backup, &mut tx).await?;
        keep_writers_out(&backup.tables, &mut tx).await?;
        let now = self.clock.now();
        let (report, replaced) = self.prepare(backup, now, &mut tx).await?;
        put_in_place(&backup.tables, &mut tx).await?;
        let mut write = Write::begin_in(tx, now, &Actor::server(Who::Operator)).await?;
        write.record_all(ChangeKind::Restore, &self.events(replaced.as_ref(), &report)).await?;
        write.commit_unhurried().await.map_err(RestoreError::Commit)?;
        Ok(report)
    }

    /// Turns the staged backup into what the store will hold, by what the store knows.
    async fn prepare(
        &self,
        backup: &Backup,
        now: Timestamp,
        tx: &mut Tx,
    ) -> Result<(RestoreReport, Option<Identity>), RestoreError> {
        // If two restores fill an empty store at once, the second one finds it filled and is refused.
        let replaced = identity(tx).await?;
        self.admit(replaced.as_ref(), backup)?;
        if let Some(keys) = &self.replaced_master_key {
            reseal::all(keys, now, self.entropy, tx).await?;
        }
        reseal::carry_over(self.replaced_master_key.as_ref(), replaced.is_some(), now, tx).await?;
        let taken_away = taken_away::find(now, tx).await?;
        carry_over::history(self.epoch, tx).await?;
        if !self.options.forget_revocations {
            carry_over::what_was_taken_away(&backup.tables, tx).await?;
        }
        carry_over::what_is_disabled(tx).await?;
        carry_over::withdraw_tokens(now, tx).await?;
        let differences = Replaced {
            taken_away,
            unknown: only_in("backup_api_keys", "api_keys", now, tx).await?,
            lost: only_in("api_keys", "backup_api_keys", now, tx).await?,
        };
        let report = RestoreReport {
            backup: backup.facts.clone(),
            active_keys: active_keys("backup_api_keys", SCHEMA, now, tx).await?,
            admin_keys: admin_keys(now, tx).await?,
            replaced: replaced.as_ref().map(|_| differences),
        };
        Ok((report, replaced))
    }

    /// The event of the restore, and one for each thing that it brings back, in the trail of the owner.
    fn events(&self, replaced: Option<&Identity>, report: &RestoreReport) -> Vec<AuditEvent> {
        let backup = &report.backup;
        let taken_away = report.replaced.iter().flat_map(|replaced| &replaced.taken_away);
        let (brought_back, carried_over): (Vec<_>, Vec<_>) =
            taken_away.partition(|thing| thing.comes_back(self.options));
        let restore = AuditEvent {
            action: "restore",
            organization: None,
            key: None,
            subject: self.epoch.to_owned(),
            before: replaced.map(|store| json!({ "epoch": store.epoch, "last_change": store.last_change })),
            after: Some(json!({
                "epoch": backup.epoch,
                "last_change": backup.last_change,
                "made_at": backup.made_at.rfc3339(),
                "carried_over": carried_over.len(),
            })),
        };
        std::iter::once(restore).chain(brought_back.into_iter().map(brought_back_event)).collect()
    }
}

fn brought_back_event(thing: &TakenAway) -> AuditEvent {
    let is_organization = thing.kind == TakenKind::Organization;
    let organization = if is_organization { Some(&thing.id) } else { thing.organization.as_ref() };
    AuditEvent {
        action: thing.kind.restored(),
        organization: organization.and_then(|id| id.parse().ok()),
        // Only a key's id parses as one.
        key: thing.id.parse().ok(),
        subject: thing.id.clone(),
        before: Some(json!({ "status": thing.what })),
        after: None,
    }
}

/// A temporary empty store, for a dry run.
async fn empty_store() -> sqlx::Result<Tx> {
    let mut tx = scratch().await?;
    migrated(SCHEMA, &mut tx).await?;
    Ok(tx)
}

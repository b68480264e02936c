//! The administrator's key: the first one of a store, and a further one if the first is lost.

use super::{BootstrapError, Bootstrapper, built_in};
use crate::domain::api_key::{EnvironmentSlug, PlainKey, Tagger};
use crate::domain::audit::{Actor, AuditEvent, Who};
use crate::domain::key::{ApiKey, Creator, KeySecret, labels};
use crate::domain::names::{OrganizationId, ProjectId};
use crate::domain::principal::Principal;
use crate::domain::scope::{Scope, Scopes};
use crate::domain::tenant::Project;
use crate::node::SecretKeeper;
use crate::store::{ChangeKind, NewKey, StoredMasterKey};

/// The environment of an administrator's key, if its project has this environment.
pub(super) const ENVIRONMENT: &str = "prd";

/// A further administrator's key and its home. Absent members get defaults.
#[derive(Debug)]
pub struct NewAdministrator {
    /// The name of the key.
    pub name: String,
    /// The organization of the key.
    pub organization: Option<OrganizationId>,
    /// The project of the key.
    pub project: Option<ProjectId>,
    /// The environment of the key.
    pub environment: Option<EnvironmentSlug>,
}

impl Bootstrapper<'_> {
    /// Makes a further administrator's key in a filled store. With PostgreSQL, servers may use the store meanwhile. The
    /// available master key has to be that of the store.
    ///
    /// # Errors
    /// [`BootstrapError`]. Then nothing has changed.
    pub async fn add_administrator(
        &self,
        new: NewAdministrator,
    ) -> Result<(ApiKey, PlainKey), BootstrapError> {
        let master_key = self.find().await?.ok_or(BootstrapError::Empty)?;
        let name = labels::name(new.name).map_err(BootstrapError::from)?;
        let reading = self.store.reading(&Principal::default()).await?;
        let project = reading.home(new.organization.as_ref(), new.project.as_ref()).await?;
        drop(reading);
        let project = project.ok_or(BootstrapError::NoProject)?;
        let environment = environment(&project, new.environment)?;
        let active = self.store.master_keys().await?.into_iter().find(StoredMasterKey::is_active);
        let number = active.ok_or(BootstrapError::Empty)?.number;
        let tagger = Tagger::numbered(&master_key.tag_key(), number);
        let plain = PlainKey::generate(&self.deployment.brand, &environment, &tagger, self.entropy)?;
        let key = ApiKey { name, ..self.administrator(&plain, &project, "operator")? };
        let note = "Made by claviger admin-key, for administration alone.";
        let made = NewKey::new(ApiKey { note: Some(note.into()), ..key }, self.secret(&plain).await?);
        let mut write = self.store.write(self.now, &Actor::server(Who::Operator)).await?;
        // The project may have been deleted since, because hashing is slow.
        let is_there = write.project(&project.organization, &project.id).await?.is_some();
        if !is_there {
            return Err(BootstrapError::NoProject);
        }
        write.insert_key(&made).await?;
        write.mark_recovery_key(&made.key().id).await?;
        write.record(ChangeKind::Key, created(made.key(), self)).await?;
        write.commit().await?;
        Ok((made.key().clone(), plain))
    }

    /// A key in this project that may administer everything, from every address, without expiry.
    pub(super) fn administrator(
        &self,
        plain: &PlainKey,
        home: &Project,
        created_by: &str,
    ) -> Result<ApiKey, BootstrapError> {
        let environment = built_in("environment", plain.environment())?;
        let home = (home.organization.clone(), home.id.clone(), environment);
        let brand = built_in("brand", plain.brand())?;
        Ok(ApiKey {
            name: "Administrator".into(),
            scopes: Scopes::from(Scope::full_administration()),
            ..ApiKey::new(plain.id(), home, brand, Creator::unnamed(created_by), self.now)
        })
    }

    /// The secret of a key, as the store keeps it.
    pub(super) async fn secret(&self, plain: &PlainKey) -> Result<KeySecret, BootstrapError> {
        let keeper = SecretKeeper::new(self.deployment.hash_cost.clone(), 1, 1, self.entropy)?;
        Ok(keeper.new_secret(plain, &Principal::default(), self.entropy, self.now).await?)
    }
}

/// The named environment, or else the usual one, or else the first one of the project.
fn environment(project: &Project, named: Option<EnvironmentSlug>) -> Result<EnvironmentSlug, BootstrapError> {
    let missing = || BootstrapError::NoEnvironment(project.environments.to_string());
    if let Some(named) = named {
        return if project.environments.contains(&named) { Ok(named) } else { Err(missing()) };
    }
    let mut all = project.environments.iter();
    let usual = all.clone().find(|environment| environment.as_str() == ENVIRONMENT);
    usual.or_else(|| all.next()).cloned().ok_or_else(missing)
}

fn created(key: &ApiKey, on: &Bootstrapper<'_>) -> AuditEvent {
    AuditEvent {
        action: "key.create",
        organization: Some(key.organization.clone()),
        key: Some(key.id),
        subject: key.id.to_string(),
        before: None,
        after: Some(key.json(on.now)),
    }
}

//! Organizations, the tenants; and the projects in them.

mod environments;

use serde::Serialize;

pub use environments::{Environments, EnvironmentsError};

use crate::base::clock::Timestamp;
use crate::domain::audiences::Audiences;
use crate::domain::names::{OrganizationId, ProjectId};

/// A tenant. Serialized, it is what the management API shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Organization {
    /// Its id, for good.
    pub id: OrganizationId,
    /// What people call it.
    pub name: String,
    /// What its tokens can be for; `None` is all of the deployment's audiences.
    pub audiences: Option<Audiences>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A part of an organization, which keys belong to. Serialized, it is what the management API shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Project {
    /// Its id, for good, and unique in its organization.
    pub id: ProjectId,
    /// The organization that it belongs to, for good.
    pub organization: OrganizationId,
    /// What people call it.
    pub name: String,
    /// Where its keys may be at home.
    pub environments: Environments,
    /// What its tokens can be for; `None` is all of its organization's audiences.
    pub audiences: Option<Audiences>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Organization {
    /// One that is named by its id, for all audiences.
    pub fn new(id: OrganizationId, created_at: Timestamp) -> Self {
        Self { name: id.to_string(), id, audiences: None, created_at }
    }
}

impl Project {
    /// One that is named by its id, with the usual environments and all audiences.
    pub fn new(organization: OrganizationId, id: ProjectId, created_at: Timestamp) -> Self {
        let environments = Environments::default();
        Self { name: id.to_string(), id, organization, environments, audiences: None, created_at }
    }

    /// How changes and audit events name it.
    pub fn path(&self) -> String {
        format!("{}/{}", self.organization, self.id)
    }
}

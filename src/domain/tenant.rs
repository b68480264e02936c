//! Organizations, which are the tenants, and their projects.

mod environments;

use serde::Serialize;

pub use environments::{Environments, EnvironmentsError};

use crate::base::clock::Timestamp;
use crate::domain::audiences::Audiences;
use crate::domain::names::{OrganizationId, ProjectId};

/// A tenant. It serializes to the form that the management API shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Organization {
    /// The id. It never changes.
    pub id: OrganizationId,
    /// The name that people use.
    pub name: String,
    /// The audiences of its tokens; `None` for all audiences of the deployment.
    pub audiences: Option<Audiences>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// A part of an organization to which keys belong. It serializes to the form that the management API shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Project {
    /// The id, unique in its organization. It never changes.
    pub id: ProjectId,
    /// The organization that owns the project. It never changes.
    pub organization: OrganizationId,
    /// The name that people use.
    pub name: String,
    /// The environments in which its keys may be.
    pub environments: Environments,
    /// The audiences of its tokens; `None` for all audiences of its organization.
    pub audiences: Option<Audiences>,
    /// When it was created.
    pub created_at: Timestamp,
}

impl Organization {
    /// An organization that is named by its id and has all audiences.
    pub fn new(id: OrganizationId, created_at: Timestamp) -> Self {
        Self { name: id.to_string(), id, audiences: None, created_at }
    }
}

impl Project {
    /// A project that is named by its id and has the usual environments and all audiences.
    pub fn new(organization: OrganizationId, id: ProjectId, created_at: Timestamp) -> Self {
        let environments = Environments::default();
        Self { name: id.to_string(), id, organization, environments, audiences: None, created_at }
    }

    /// The path by which changes and audit events name the project.
    pub fn path(&self) -> String {
        format!("{}/{}", self.organization, self.id)
    }
}

//! A document that is being applied: by whom, on which terms, and what it takes to do so.

use super::change::ApplyTerms;
use super::document::{Configuration, OrganizationConfiguration};
use crate::node::{Authenticator, KeyMinter, Records};
use crate::use_cases::access::Caller;
use crate::use_cases::management::issuers::IssuerPolicy;

/// What the parts of an application share.
#[derive(Clone, Copy)]
pub(super) struct Application<'a> {
    pub(super) records: &'a Records,
    pub(super) minter: &'a KeyMinter,
    pub(super) authenticator: &'a Authenticator,
    pub(super) policy: IssuerPolicy<'a>,
    pub(super) caller: &'a Caller,
    /// The part of the document that is about the organization itself.
    pub(super) organization: &'a OrganizationConfiguration,
    pub(super) document: &'a Configuration,
    pub(super) terms: ApplyTerms,
}

//! The console, as a browser has it.

mod around;
pub(crate) mod browser;
mod forgery;
mod forms;
mod issuers;
mod kept;
mod keys;
mod matrix;
mod members;
mod names;
mod organization;
mod organizations;
mod overview;
mod pages;
pub(crate) mod people;
mod rights;
mod scopes;
mod selected;
mod sessions;
mod trust_rules;
mod twice;
mod use_by_key;

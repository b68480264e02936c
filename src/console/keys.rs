//! Pages about API keys: the list, and the pages of one key.

pub(super) mod act;
pub(super) mod disable;
pub(super) mod edit;
mod form;
mod list;
pub(super) mod new;
pub(super) mod public_keys;
mod row;
pub(super) mod show;
mod sort;

pub(super) use list::list;

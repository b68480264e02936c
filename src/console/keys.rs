//! Pages about API keys: the list, and the pages of one key.

pub(super) mod act;
pub(super) mod disable;
pub(super) mod edit;
mod form;
mod list;
pub(super) mod new;
mod row;
pub(super) mod show;
mod sort;

pub(super) use list::list;

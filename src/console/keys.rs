//! Pages about API keys: the list, and the pages of one key.

pub(super) mod act;
pub(super) mod disable;
pub(super) mod edit;
pub(super) mod export;
mod face;
mod filters;
mod form;
mod form_parts;
mod list;
pub(super) mod new;
mod owners;
pub(super) mod public_keys;
mod refusals;
mod row;
mod rule_form;
pub(super) mod selected;
mod selected_act;
mod selection;
pub(super) mod show;
mod sort;
pub(super) mod summary;
pub(super) mod trust_rules;
mod ways_in;

pub(super) use list::list;

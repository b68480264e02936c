//! API keys: the list, and what is about one of them.

mod list;
mod row;

pub(super) use list::list;

//! The console, as a browser has it.

mod around;
mod browser;
mod forgery;
mod kept;
mod keys;
mod organization;
mod pages;
mod rights;
mod sessions;
mod twice;
mod use_by_key;

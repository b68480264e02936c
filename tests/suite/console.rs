//! The console, as a browser has it.

mod browser;
mod forgery;
mod pages;
mod sessions;

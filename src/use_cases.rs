//! What callers ask for, each as a list of named steps: identify the caller, issue a token, manage keys, answer a
//! gateway.

pub mod access;
pub mod bootstrap;
pub mod gate;
pub mod management;
pub mod set_up;
pub mod sign_in;
pub mod token;

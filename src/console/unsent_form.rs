//! What somebody typed into a form that could not be taken, because the session was over or is another one. It stays
//! in the browser: a page carries it, and shows the form again once somebody is signed in. Nothing of it is done before
//! they send the form anew.

use askama::Template;
use axum::response::Response;

use super::fields::{FORM, Fields, RESUME, TOKEN};
use super::next_page::is_page;
use super::page::{page, refused};
use super::shell::Shell;
use super::visitor::Visitor;
use crate::http::failure::Failure;
use crate::use_cases::management::ApiError;

/// The fields by which the page for signing in carries a form.
const PATH: &str = "path";
const TYPED: &str = "typed";

/// What is of one session alone, or says that the form is to be shown.
const NOT_TYPED: [&str; 3] = [TOKEN, FORM, RESUME];

/// A form that was typed and not taken.
#[derive(Debug)]
pub(super) struct Unsent {
    path: String,
    fields: Fields,
}

#[derive(Template)]
#[template(path = "resume.html")]
struct ResumePage {
    shell: Shell,
    is_new_session: bool,
    path: String,
    fields: Vec<(String, String)>,
}

impl Unsent {
    /// What was sent to `path`, if that is where a form of the console's goes.
    pub(super) fn new(base: &str, path: &str, fields: Fields) -> Option<Self> {
        is_page(base, path).then(|| Self { path: path.to_owned(), fields: fields.without(&NOT_TYPED) })
    }

    /// What the page for signing in has carried.
    pub(super) fn carried(base: &str, fields: &Fields) -> Option<Self> {
        Self::new(base, fields.text(PATH), Fields::parse(fields.text(TYPED).as_bytes()).ok()?)
    }

    /// The hidden fields that carry it.
    pub(super) fn carriers(&self) -> [(&'static str, String); 2] {
        [(PATH, self.path.clone()), (TYPED, self.fields.encoded())]
    }

    /// Where it was sent to.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    fn page(self, shell: Shell, is_new_session: bool) -> ResumePage {
        let Self { path, fields } = self;
        ResumePage { shell, is_new_session, path, fields: fields.into_pairs() }
    }
}

/// The page that leads from signing in back to the form.
///
/// # Errors
/// As [`page`].
pub(super) fn after_sign_in(shell: Shell, unsent: Unsent) -> Result<Response, Failure> {
    page(&unsent.page(shell, true))
}

/// The page that leads back to a form that is of another session.
pub(super) fn of_another_session(visitor: &Visitor, unsent: Unsent, error: ApiError) -> Failure {
    refused(&unsent.page(visitor.shell.clone(), false), error)
}

//! Keeps the input of a form that was refused because its session has ended or is another one. The input stays in the
//! browser: the sign-in page carries it, and the form appears again after the sign-in. Nothing happens before the
//! visitor submits the form again.

use askama::Template;
use axum::response::Response;

use super::fields::{FORM, Fields, RESUME, TOKEN, WORKLOAD_TOKEN};
use super::next_page::is_page;
use super::page::{page, refused};
use super::shell::Shell;
use super::visitor::Visitor;
use crate::http::failure::Failure;
use crate::use_cases::management::ApiError;

/// The fields in which the sign-in page carries a form.
const PATH: &str = "path";
const TYPED: &str = "typed";

/// Fields that belong to one session, that control the display, or that are not to be kept.
const NOT_KEPT: [&str; 4] = [TOKEN, FORM, RESUME, WORKLOAD_TOKEN];

/// A form that was not accepted.
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
    /// The form submitted to `path`, if that is a path below `base`: the console's or the portal's.
    pub(super) fn new(base: &str, path: &str, fields: Fields) -> Option<Self> {
        is_page(base, path).then(|| Self { path: path.to_owned(), fields: fields.without(&NOT_KEPT) })
    }

    /// The form that the sign-in page has carried.
    pub(super) fn carried(base: &str, fields: &Fields) -> Option<Self> {
        Self::new(base, fields.text(PATH), Fields::parse(fields.text(TYPED).as_bytes()).ok()?)
    }

    /// The form that an attempt to sign in has carried: its path, and its fields, encoded.
    pub(super) fn carried_by(base: &str, form: Option<(String, String)>) -> Option<Self> {
        let (path, typed) = form?;
        Self::new(base, &path, Fields::parse(typed.as_bytes()).ok()?)
    }

    /// The form, as an attempt to sign in carries it.
    pub(super) fn into_carried(self) -> (String, String) {
        (self.path, self.fields.encoded())
    }

    /// The hidden fields that carry the form.
    pub(super) fn carriers(&self) -> [(&'static str, String); 2] {
        [(PATH, self.path.clone()), (TYPED, self.fields.encoded())]
    }

    /// The path that the form was submitted to.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    fn page(self, shell: Shell, is_new_session: bool) -> ResumePage {
        let Self { path, fields } = self;
        ResumePage { shell, is_new_session, path, fields: fields.into_pairs() }
    }
}

/// The page that leads from the sign-in back to the form.
///
/// # Errors
/// Those of [`page`].
pub(super) fn after_sign_in(shell: Shell, unsent: Unsent) -> Result<Response, Failure> {
    page(&unsent.page(shell, true))
}

/// The page that leads back to a form of another session.
pub(super) fn of_another_session(visitor: &Visitor, unsent: Unsent, error: ApiError) -> Failure {
    refused(&unsent.page(visitor.shell.clone(), false), error)
}

//! A notice that a page shows once about a completed action. The response to a form redirects to the page and sets a
//! cookie with the notice. The cookie is valid for one page of one session, for one minute. A link alone can't show a
//! notice.

use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;

use super::cookie;
use super::page::see_other;
use super::session::SessionId;
use crate::base::clock::Timestamp;
use crate::node::Node;

const NAME: &str = "notice";

const SECONDS: i64 = 60;

/// A completed action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    Changed,
    Unchanged,
    Revoked,
    Disabled,
    Enabled,
    Retired,
    Kept,
    Registered,
    Removed,
    Trusted,
    Distrusted,
    IssuerAdded,
    IssuerChanged,
    IssuerDisabled,
    IssuerEnabled,
    IssuerRemoved,
    ScopeAdded,
    ScopeChanged,
    ScopeRemoved,
    MemberChanged,
    MemberRemoved,
    SessionEnded,
    OrganizationDeleted,
    Before,
    SignedOut,
    Over,
}

impl Notice {
    const ALL: [Self; 26] = [
        Self::Changed,
        Self::Unchanged,
        Self::Revoked,
        Self::Disabled,
        Self::Enabled,
        Self::Retired,
        Self::Kept,
        Self::Registered,
        Self::Removed,
        Self::Trusted,
        Self::Distrusted,
        Self::IssuerAdded,
        Self::IssuerChanged,
        Self::IssuerDisabled,
        Self::IssuerEnabled,
        Self::IssuerRemoved,
        Self::ScopeAdded,
        Self::ScopeChanged,
        Self::ScopeRemoved,
        Self::MemberChanged,
        Self::MemberRemoved,
        Self::SessionEnded,
        Self::OrganizationDeleted,
        Self::Before,
        Self::SignedOut,
        Self::Over,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Revoked => "revoked",
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::Retired => "retired",
            Self::Kept => "kept",
            Self::Registered => "registered",
            Self::Removed => "removed",
            Self::Trusted => "trusted",
            Self::Distrusted => "distrusted",
            Self::IssuerAdded => "issuer-added",
            Self::IssuerChanged => "issuer-changed",
            Self::IssuerDisabled => "issuer-disabled",
            Self::IssuerEnabled => "issuer-enabled",
            Self::IssuerRemoved => "issuer-removed",
            Self::ScopeAdded => "scope-added",
            Self::ScopeChanged => "scope-changed",
            Self::ScopeRemoved => "scope-removed",
            Self::MemberChanged => "member-changed",
            Self::MemberRemoved => "member-removed",
            Self::SessionEnded => "session-ended",
            Self::OrganizationDeleted => "organization-deleted",
            Self::Before => "before",
            Self::SignedOut => "out",
            Self::Over => "over",
        }
    }

    /// The text of the notice.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Changed => "Key updated.",
            Self::Unchanged => "Nothing to change.",
            Self::Revoked => {
                "Key revoked. The server and every verifier that follows the revocation feed refuse it."
            }
            Self::Disabled => {
                "Key disabled. The key and its tokens are refused until someone enables the key."
            }
            Self::Enabled => "Key enabled. Clients that use the key get new tokens.",
            Self::Retired => "Secret retired.",
            Self::Kept => {
                "Secret retired. The older secret, which it was meant to replace, no longer expires."
            }
            Self::Registered => "Public key registered. Its holder can get tokens for this key.",
            Self::Removed => "Public key removed. Its assertions and all tokens of this key are refused.",
            Self::Trusted => {
                "Trust rule added. A workload whose token fulfils it can get tokens for this key."
            }
            Self::Distrusted => {
                "Trust rule removed. All tokens of this key are refused. Clients that come in another way get new ones."
            }
            Self::IssuerAdded => "Issuer added. Its tokens open a key once the key has a trust rule for it.",
            Self::IssuerChanged => "Issuer updated.",
            Self::IssuerDisabled => {
                "Issuer disabled. Its tokens are refused, and so are all tokens of the keys that trust it."
            }
            Self::IssuerEnabled => "Issuer enabled. Its tokens open the keys that trust it.",
            Self::ScopeAdded => "Scope added. Forms offer it by its name.",
            Self::ScopeChanged => "Scope updated.",
            Self::ScopeRemoved => "Scope removed. Keys that have it keep it.",
            Self::MemberChanged => "Member updated.",
            Self::MemberRemoved => "Member removed. All their sessions have ended.",
            Self::SessionEnded => "Session ended.",
            Self::IssuerRemoved => {
                "Issuer removed. Its tokens are refused, and so are all tokens of the keys that trusted it."
            }
            Self::OrganizationDeleted => "Organization deleted.",
            Self::Before => {
                "You already submitted this form. The key exists and was shown then. If nobody stored it, rotate it."
            }
            Self::SignedOut => "You have signed out.",
            Self::Over => "Your session has ended. Sign in again to continue where you left off.",
        }
    }

    /// Redirects to the page at `path`, which shows this notice once.
    pub(super) fn at(self, node: &Node, session: Option<&SessionId>, path: &str) -> Response {
        let mut response = see_other(path);
        let (page, _) = path.split_once('?').unwrap_or((path, ""));
        let text = format!("{}.{}", self.word(), node.clock.now().plus(SECONDS).unix());
        let marked = node.master_keys.marked(&purpose(session, page), &text);
        if let Some(cookie) = cookie::with(node, NAME, &marked, SECONDS) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        response
    }
}

/// What a page shows once, and the header that deletes its cookie.
#[derive(Default)]
pub(super) struct Taken {
    notice: Option<Notice>,
    cleared: Option<HeaderValue>,
}

/// The notice for the page at `path`, if there is one.
pub(super) fn take(node: &Node, headers: &HeaderMap, session: Option<&SessionId>, path: &str) -> Taken {
    let marked = cookie::value(node, headers, NAME);
    let text = marked.and_then(|marked| node.master_keys.unmarked(&purpose(session, path), marked));
    let Some(text) = text else { return Taken::default() };
    Taken { notice: read(text, node.clock.now()), cleared: cookie::with(node, NAME, "", 0) }
}

impl Taken {
    /// The text of the notice.
    pub(super) fn text(&self) -> Option<&'static str> {
        self.notice.map(Notice::text)
    }

    /// The page that shows it, after which it is not shown again.
    pub(super) fn shown_on(self, mut page: Response) -> Response {
        if let Some(cleared) = self.cleared {
            page.headers_mut().append(SET_COOKIE, cleared);
        }
        page
    }
}

fn read(text: &str, now: Timestamp) -> Option<Notice> {
    let (word, until) = text.split_once('.')?;
    let is_late = now.unix() > until.parse::<i64>().ok()?;
    Notice::ALL.into_iter().find(|notice| !is_late && notice.word() == word)
}

fn purpose(session: Option<&SessionId>, path: &str) -> String {
    let session = session.map(SessionId::form_token).unwrap_or_default();
    format!("console notice {session} {path}")
}

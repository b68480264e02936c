//! A key in words, as the form describes it so far.

use super::KeyForm;
use super::end::Meaning;
use super::picker::name_of;
use crate::base::clock::Timestamp;
use crate::console::explain::in_few_words;
use crate::console::when::When;
use crate::domain::named_scope::NamedScope;
use crate::domain::scope::Scope;

/// What the key will be.
#[derive(Debug)]
pub(in crate::console::keys) struct Summary {
    pub(in crate::console::keys) name: String,
    /// `web · dev`
    pub(in crate::console::keys) place: String,
    pub(in crate::console::keys) owner: String,
    pub(in crate::console::keys) may: Vec<May>,
    /// The ranges. None stand for every address.
    pub(in crate::console::keys) from: Vec<String>,
    /// Whether a range is not valid yet.
    pub(in crate::console::keys) is_from_unknown: bool,
    /// Whether somebody could use the key from anywhere.
    pub(in crate::console::keys) is_open: bool,
    pub(in crate::console::keys) until: Until,
    pub(in crate::console::keys) requires_proofs: bool,
}

/// Something that the key may do.
#[derive(Debug)]
pub(in crate::console::keys) struct May {
    pub(in crate::console::keys) words: String,
    pub(in crate::console::keys) scope: String,
}

/// When the key ends.
#[derive(Debug)]
pub(in crate::console::keys) enum Until {
    Never,
    At(When),
    /// What was typed is no moment yet.
    Unknown,
}

impl Summary {
    /// The summary of a form. `kept` is the present end of a key that is edited.
    pub(super) fn of(
        form: &KeyForm,
        offered: &[NamedScope],
        kept: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let may = form.scopes_so_far().into_iter().map(|scope| May::new(&scope, offered)).collect();
        let at = |end: Option<Timestamp>| end.map_or(Until::Never, |end| Until::At(When::new(end, now)));
        let place = [&form.project, &form.environment].map(String::as_str);
        let place: Vec<_> = place.into_iter().filter(|part| !part.is_empty()).collect();
        Self {
            name: form.name.clone(),
            place: place.join(" · "),
            owner: form.owner.clone(),
            may,
            from: form.ranges_so_far(),
            is_from_unknown: form.ranges.iter().any(|row| row.is_wrong),
            is_open: form.is_open(),
            until: match form.end.meaning(now) {
                Ok(Meaning::Kept) => at(kept),
                Ok(Meaning::Never) => Until::Never,
                Ok(Meaning::At(end)) => at(Some(end)),
                Ok(Meaning::Other) | Err(_) => Until::Unknown,
            },
            requires_proofs: form.dpop == "required",
        }
    }
}

impl May {
    pub(in crate::console::keys) fn new(scope: &Scope, offered: &[NamedScope]) -> Self {
        let words = name_of(offered, scope).map_or_else(|| in_few_words(scope), str::to_owned);
        Self { words, scope: scope.to_string() }
    }
}

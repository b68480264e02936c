//! Maps a gateway's request, by its method and path, to an action on a resource.

use crate::domain::scope::{Resource, Verb};

/// Which methods mean which action, and where the resource begins in a path.
#[derive(Clone, Debug)]
pub struct GateMapping {
    /// Methods with their actions. The first match counts, and `None` matches every method.
    actions: Vec<(Option<Box<str>>, Verb)>,
    /// The prefix of paths that is not part of the resource, without a slash at its end.
    prefix: String,
    lets_preflights_through: bool,
}

/// Why a mapping is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// An entry doesn't have the form `METHOD=action`.
    #[error("{0} is not METHOD=read, METHOD=write or METHOD=admin; * stands for any other method")]
    Action(String),
    /// The prefix can't begin a path.
    #[error("{0} does not begin with a slash")]
    Prefix(String),
}

impl Default for GateMapping {
    /// Safe methods (RFC 9110 §9.2.1) read, and all others write. The whole path is the resource.
    fn default() -> Self {
        let safe = ["GET", "HEAD", "OPTIONS"];
        let mut actions: Vec<_> = safe.into_iter().map(|method| (Some(method.into()), Verb::Read)).collect();
        actions.push((None, Verb::Write));
        Self { actions, prefix: String::new(), lets_preflights_through: false }
    }
}

impl GateMapping {
    /// A mapping with these entries, such as `GET=read` and `*=write`, and this prefix. `None` keeps the default.
    ///
    /// # Errors
    /// [`MappingError`].
    pub fn new(actions: Option<&[String]>, prefix: Option<&str>) -> Result<Self, MappingError> {
        let usual = Self::default();
        let read = |entry: &String| action(entry).ok_or_else(|| MappingError::Action(entry.clone()));
        let prefix = prefix.unwrap_or_default();
        if !prefix.is_empty() && !prefix.starts_with('/') {
            return Err(MappingError::Prefix(prefix.to_owned()));
        }
        Ok(Self {
            actions: match actions {
                Some(entries) => entries.iter().map(read).collect::<Result<_, _>>()?,
                None => usual.actions,
            },
            prefix: prefix.trim_end_matches('/').to_owned(),
            ..usual
        })
    }

    /// Sets whether CORS preflights pass without a credential. They never carry one.
    #[must_use]
    pub fn with_preflights(self, pass: bool) -> Self {
        Self { lets_preflights_through: pass, ..self }
    }

    /// Whether CORS preflights pass without a credential.
    pub fn lets_preflights_through(&self) -> bool {
        self.lets_preflights_through
    }

    /// The action of a request with this method; `None` if no entry matches.
    pub fn verb(&self, method: &str) -> Option<Verb> {
        let fits = |known: &Option<Box<str>>| known.as_ref().is_none_or(|known| **known == *method);
        self.actions.iter().find(|(known, _)| fits(known)).map(|(_, verb)| *verb)
    }

    /// The resource of a request target, which is a path and an optional query. Nothing is decoded or normalised.
    /// `None` if the path is not literals joined by slashes.
    pub fn resource(&self, target: &str) -> Option<Resource> {
        let path = target.split('?').next()?;
        path.strip_prefix(&self.prefix)?.strip_prefix('/')?.parse().ok()
    }
}

fn action(entry: &str) -> Option<(Option<Box<str>>, Verb)> {
    let (method, verb) = entry.split_once('=')?;
    let method = match method {
        "*" => None,
        method if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_alphabetic()) => return None,
        method => Some(method.into()),
    };
    Some((method, verb.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn safe_methods_read_and_others_write_unless_said_otherwise() {
        let usual = GateMapping::default();
        for (method, verb) in
            [("GET", Verb::Read), ("HEAD", Verb::Read), ("POST", Verb::Write), ("PURGE", Verb::Write)]
        {
            assert_eq!(usual.verb(method), Some(verb), "{method}");
        }
        let own = GateMapping::new(Some(&entries(&["GET=read", "DELETE=admin"])), None).unwrap();
        assert_eq!(own.verb("DELETE"), Some(Verb::Admin));
        // Methods are case-sensitive, and unlisted ones have no action.
        assert_eq!((own.verb("get"), own.verb("POST")), (None, None));
        for bad in ["GET", "GET=", "GET=*", "GET=Read", "=read", "G T=read"] {
            let refused = GateMapping::new(Some(&entries(&[bad])), None);
            assert_eq!(refused.unwrap_err(), MappingError::Action(bad.into()), "{bad}");
        }
    }

    #[test]
    fn a_path_below_the_prefix_is_a_resource_if_it_is_made_of_literals() {
        let mapping = GateMapping::new(None, Some("/api/v1/")).unwrap();
        let resource = |target| mapping.resource(target).map(|resource| resource.to_string());
        assert_eq!(resource("/api/v1/orders/7?expand=1"), Some("orders/7".into()));
        for none in [
            "",
            "/",
            "/api/v1",
            "/api/v1/",
            "/api/v1x/orders",
            "/orders",
            "api/v1/orders",
            "/api/v1//orders",
            "/api/v1/orders/",
            "/api/v1/../orders",
            "/api/v1/a%2fb",
            "/api/v1/*",
            "/api/v1/orders;x",
            "http://host/api/v1/orders",
        ] {
            assert_eq!(resource(none), None, "{none}");
        }
        assert_eq!(GateMapping::new(None, Some("api")).unwrap_err(), MappingError::Prefix("api".into()));
    }
}

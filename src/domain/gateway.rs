//! What a gateway's request would do, and to what: from its method and its path.

use crate::domain::scope::{Resource, Verb};

/// Which method is which action, and where a path's resource begins.
#[derive(Clone, Debug)]
pub struct GateMapping {
    /// Methods with their actions; the first that fits counts, and `None` fits every method.
    actions: Vec<(Option<Box<str>>, Verb)>,
    /// What paths begin with and resources do not, without a slash at its end.
    prefix: String,
    lets_preflights_through: bool,
}

/// The mapping will not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// An entry that is not `METHOD=action`.
    #[error("{0} is not METHOD=read, METHOD=write or METHOD=admin; * stands for any other method")]
    Action(String),
    /// A prefix that no path has.
    #[error("{0} does not begin with a slash")]
    Prefix(String),
}

impl Default for GateMapping {
    /// Safe methods (RFC 9110 §9.2.1) read and all others write; the whole path is the resource.
    fn default() -> Self {
        let safe = ["GET", "HEAD", "OPTIONS"];
        let mut actions: Vec<_> = safe.into_iter().map(|method| (Some(method.into()), Verb::Read)).collect();
        actions.push((None, Verb::Write));
        Self { actions, prefix: String::new(), lets_preflights_through: false }
    }
}

impl GateMapping {
    /// A mapping of these entries, `GET=read` and `*=write`, and of this prefix; what is not given is as in the
    /// default.
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

    /// The same, and CORS preflights pass, which never have a credential.
    #[must_use]
    pub fn with_preflights(self, pass: bool) -> Self {
        Self { lets_preflights_through: pass, ..self }
    }

    /// Whether CORS preflights pass without a credential.
    pub fn lets_preflights_through(&self) -> bool {
        self.lets_preflights_through
    }

    /// What a request with this method does; `None` where no entry says so.
    pub fn verb(&self, method: &str) -> Option<Verb> {
        let fits = |known: &Option<Box<str>>| known.as_ref().is_none_or(|known| **known == *method);
        self.actions.iter().find(|(known, _)| fits(known)).map(|(_, verb)| *verb)
    }

    /// What a request for this target, a path and perhaps a query, is about. Nothing is decoded or normalised:
    /// what is not literals joined by slashes is no resource.
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
        // Methods are case-sensitive, and what is not listed is nothing.
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

//! The resource servers to which an organization or a project is restricted.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::base::text::Excerpt;

/// One or more distinct audiences. The first is the default of a token request that names none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audiences(Box<[String]>);

/// Why a list of audiences is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AudiencesError {
    /// The list is empty.
    #[error("audiences must not be empty; null means all audiences of the level above")]
    Empty,
    /// The level above doesn't have this audience.
    #[error("{0} is not one of the available audiences")]
    Unknown(Excerpt),
    /// An audience appears twice.
    #[error("{0} appears twice in audiences")]
    Twice(Excerpt),
}

impl Audiences {
    /// Checks that `list` has only audiences of `choice`.
    ///
    /// # Errors
    /// [`AudiencesError`].
    pub fn among(choice: &[String], list: Vec<String>) -> Result<Self, AudiencesError> {
        if list.is_empty() {
            return Err(AudiencesError::Empty);
        }
        for (at, audience) in list.iter().enumerate() {
            if !choice.contains(audience) {
                return Err(AudiencesError::Unknown(audience.as_str().into()));
            }
            if list[..at].contains(audience) {
                return Err(AudiencesError::Twice(audience.as_str().into()));
            }
        }
        Ok(Self(list.into()))
    }

    /// Reads the output of `Display`. Audiences that the deployment has removed stay in the list.
    pub fn from_text(text: &str) -> Self {
        Self(text.split(' ').map(str::to_owned).collect())
    }

    /// The audiences, the default first.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

/// The audiences that remain for a project, given those of the deployment and the optional lists of the organization
/// and the project. The order is that of the innermost list. The result may be empty.
pub fn left_of(
    deployment: &[String],
    organization: Option<&Audiences>,
    project: Option<&Audiences>,
) -> Vec<String> {
    let named = |level: Option<&Audiences>, audience: &String| {
        level.is_none_or(|level| level.as_slice().contains(audience))
    };
    let nearest = project.or(organization).map_or(deployment, Audiences::as_slice);
    let left = nearest.iter().filter(|audience| deployment.contains(audience));
    left.filter(|audience| named(organization, audience)).cloned().collect()
}

impl fmt::Display for Audiences {
    /// Separated by spaces, which a URI never contains.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

impl Serialize for Audiences {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn named(names: &[&str]) -> Audiences {
        Audiences(list(names).into())
    }

    #[test]
    fn an_empty_list_an_unknown_audience_and_a_duplicate_are_refused() {
        let choice = list(&["a:1", "a:2"]);
        assert_eq!(Audiences::among(&choice, list(&["a:2", "a:1"])), Ok(named(&["a:2", "a:1"])));
        assert_eq!(Audiences::among(&choice, Vec::new()), Err(AudiencesError::Empty));
        let unknown = Audiences::among(&choice, list(&["a:1", "a:3"]));
        assert_eq!(unknown, Err(AudiencesError::Unknown("a:3".into())));
        assert_eq!(
            Audiences::among(&choice, list(&["a:1", "a:1"])),
            Err(AudiencesError::Twice("a:1".into()))
        );
        let both = named(&["a:2", "a:1"]);
        assert_eq!(Audiences::from_text(&both.to_string()), both);
    }

    #[test]
    fn each_level_only_narrows() {
        let deployment = list(&["a:1", "a:2", "a:3"]);
        for (organization, project, left) in [
            (None, None, &["a:1", "a:2", "a:3"][..]),
            (Some(&["a:2", "a:1"][..]), None, &["a:2", "a:1"]),
            (None, Some(&["a:3", "a:1"][..]), &["a:3", "a:1"]),
            (Some(&["a:1", "a:2"]), Some(&["a:2"]), &["a:2"]),
            // An audience that a level above no longer has.
            (Some(&["a:1"]), Some(&["a:2"]), &[]),
            (Some(&["a:1", "a:9"]), Some(&["a:9", "a:1"]), &["a:1"]),
        ] {
            let (organization, project) = (organization.map(named), project.map(named));
            assert_eq!(left_of(&deployment, organization.as_ref(), project.as_ref()), list(left));
        }
    }
}

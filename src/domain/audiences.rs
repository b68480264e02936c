//! Which of the deployment's resource servers an organization or a project is held to.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::base::text::Excerpt;

/// One resource server or more, each once; the first is the default of a token request that names none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audiences(Box<[String]>);

/// The list will not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AudiencesError {
    /// A list that leaves nothing.
    #[error("audiences must not be empty; null means all audiences of the level above")]
    Empty,
    /// An audience that the level above doesn't have.
    #[error("{0} is not one of the available audiences")]
    Unknown(Excerpt),
    /// An audience twice.
    #[error("{0} appears twice in audiences")]
    Twice(Excerpt),
}

impl Audiences {
    /// `list`, out of the ones in `choice`.
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

    /// Reads what `Display` wrote; what a deployment no longer has is still in it.
    pub fn from_text(text: &str) -> Self {
        Self(text.split(' ').map(str::to_owned).collect())
    }

    /// The audiences, the default first.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

/// What is left to a project whose deployment has these, and whose organization and itself may name some.
/// The order is that of whoever is the nearest to the project. It may come to nothing.
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
    /// Separated by spaces, of which no URI has one.
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
    fn a_list_names_something_once_that_there_is() {
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
            // What is not there any more, above or at all.
            (Some(&["a:1"]), Some(&["a:2"]), &[]),
            (Some(&["a:1", "a:9"]), Some(&["a:9", "a:1"]), &["a:1"]),
        ] {
            let (organization, project) = (organization.map(named), project.map(named));
            assert_eq!(left_of(&deployment, organization.as_ref(), project.as_ref()), list(left));
        }
    }
}

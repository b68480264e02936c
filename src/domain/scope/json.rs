//! Scopes in JSON: objects `{"action","resource"}`, and arrays of them.

use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::list::Collector;
use super::{Filter, Scope, Scopes};

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Scope", 2)?;
        object.serialize_field("action", &self.action())?;
        object.serialize_field("resource", self.filter())?;
        object.end()
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ScopeVisitor)
    }
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

impl<'de> Deserialize<'de> for Scopes {
    /// Reads an array, which may be empty. Stops at the first scope beyond [`Scopes::MAX_COUNT`].
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ScopesVisitor)
    }
}

// Not derived: a derived implementation would also accept an array with the fields by position.
struct ScopeVisitor;

impl<'de> Visitor<'de> for ScopeVisitor {
    type Value = Scope;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `action` and `resource`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Scope, A::Error> {
        let (mut action, mut filter) = (None, None);
        while let Some(field) = object.next_key::<String>()? {
            match field.as_str() {
                "action" if action.is_none() => action = Some(object.next_value()?),
                "resource" if filter.is_none() => filter = Some(object.next_value()?),
                "action" => return Err(A::Error::duplicate_field("action")),
                "resource" => return Err(A::Error::duplicate_field("resource")),
                unknown => return Err(A::Error::unknown_field(unknown, &["action", "resource"])),
            }
        }
        let action = action.ok_or_else(|| A::Error::missing_field("action"))?;
        Ok(Scope::new(action, filter.unwrap_or_else(Filter::everything)))
    }
}

struct ScopesVisitor;

impl<'de> Visitor<'de> for ScopesVisitor {
    type Value = Scopes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of scopes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Scopes, A::Error> {
        let mut scopes = Collector::default();
        while let Some(scope) = array.next_element()? {
            scopes.push(scope).map_err(A::Error::custom)?;
        }
        scopes.finish().map_err(A::Error::custom)
    }
}

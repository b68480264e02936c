//! Reads the file of `claviger apply`.

use std::io::Read as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::base::text::{without_byte_order_mark, without_values};
use crate::cli::failure::UsageError;
use crate::domain::scope::Scope;

/// Reads a TOML or JSON file and converts it to the server's JSON.
pub(super) fn read(path: &Path) -> Result<Value, UsageError> {
    let failed = |why: String| UsageError::input(path.display(), why);
    let text = match path == Path::new("-") {
        true => {
            let mut text = String::new();
            std::io::stdin().lock().read_to_string(&mut text).map(|_| text)
        }
        false => std::fs::read_to_string(path),
    };
    let text = text.map_err(|error| failed(error.to_string()))?;
    parse(&text).map_err(failed)
}

/// A JSON document begins with a brace. No TOML document does.
fn parse(text: &str) -> Result<Value, String> {
    let text = without_byte_order_mark(text);
    let mut document = match text.trim_start().starts_with('{') {
        true => serde_json::from_str(text).map_err(|error| without_values(&error.to_string()))?,
        false => from_toml(text)?,
    };
    let keys = document.get_mut("keys").and_then(Value::as_array_mut);
    for key in keys.into_iter().flatten() {
        if let Some(Value::Array(scopes)) = key.get_mut("scopes") {
            spell_out(scopes)?;
        }
    }
    Ok(document)
}

fn from_toml(text: &str) -> Result<Value, String> {
    let table: toml::Table = toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        format!("line {}: {}", before.split('\n').count(), without_values(error.message()))
    })?;
    Ok(json_of(toml::Value::Table(table)))
}

/// Converts TOML to JSON. Times become strings.
fn json_of(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(truth) => truth.into(),
        toml::Value::Datetime(moment) => moment.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(json_of).collect(),
        toml::Value::Table(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, json_of(value))).collect())
        }
    }
}

/// Expands scopes in OAuth's form to objects.
fn spell_out(scopes: &mut [Value]) -> Result<(), String> {
    for scope in scopes {
        if let Value::String(word) = scope {
            let parsed: Scope = word.parse().map_err(|error| format!("{error}"))?;
            *scope = json!(parsed);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_and_json_are_the_same_document() {
        let toml = "
            [organization]
            id = 'acme'
            [[keys]]
            name = 'Reporting'
            scopes = ['read:projects/web/*', { action = 'write', resource = 'x' }]
            expires_at = 2027-12-31T00:00:00Z
        ";
        let json = json!({
            "organization": {"id": "acme"},
            "keys": [{
                "name": "Reporting",
                "scopes": [
                    {"action": "read", "resource": "projects/web/*"},
                    {"action": "write", "resource": "x"},
                ],
                "expires_at": "2027-12-31T00:00:00Z",
            }],
        });
        assert_eq!(parse(toml).unwrap(), json);
        assert_eq!(parse(&json.to_string()).unwrap(), json);
        assert_eq!(parse(&format!("\u{feff}{json}")).unwrap(), json);
        assert_eq!(parse(&format!("\u{feff}{toml}")).unwrap(), json);
        assert_eq!(parse("").unwrap(), json!({}));
    }

    #[test]
    fn what_is_neither_is_refused_with_its_line() {
        assert!(parse("a = 1\nb = ").unwrap_err().starts_with("line 2: "));
        assert!(parse("{").unwrap_err().contains("line 1"));
        assert!(parse("[[keys]]\nscopes = ['eat:*']").is_err());
    }
}

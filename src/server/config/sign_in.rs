//! The tables `[[sign_in]]` of the settings file: the OpenID providers at which members sign in.

mod groups;

use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use self::groups::GroupTable;
use crate::base::key_file::{self, Readers};
use crate::domain::names::TrustedIssuerId;
use crate::domain::web_url::IssuerUrl;
use crate::node::{ClientCredential, ConsoleKeys, ProviderSettings, SignInSettings};

const MOST_PROVIDERS: usize = 16;

/// One provider as it is written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SignInTable {
    name: String,
    label: Option<String>,
    issuer: String,
    client_id: String,
    client_secret_file: Option<PathBuf>,
    private_key_file: Option<PathBuf>,
    scopes: Option<Vec<String>>,
    email_verified_claim: Option<String>,
    allowed_domains: Option<Vec<String>>,
    allowed_tenants: Option<Vec<String>>,
    groups_claim: Option<String>,
    groups: Option<Vec<GroupTable>>,
}

/// Which API keys open the console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConsoleSignInByKey {
    /// Every key with a scope under `claviger/`.
    #[default]
    Allowed,
    /// Only keys that `claviger admin-key` made. Everybody else is a member, and signs in at a provider.
    AdminKey,
}

/// Reads the files that the tables name, and checks everything.
///
/// # Errors
/// The reason, which names the provider and never a secret.
pub(super) fn sign_in(
    tables: Option<Vec<SignInTable>>,
    readers: Readers,
    allows_http: bool,
) -> Result<SignInSettings, String> {
    let tables = tables.unwrap_or_default();
    if tables.len() > MOST_PROVIDERS {
        return Err(format!("must be at most {MOST_PROVIDERS} providers"));
    }
    let mut providers: Vec<ProviderSettings> = Vec::new();
    for table in tables {
        let name = table.name.clone();
        let is_twice = providers.iter().any(|known| known.name == name);
        let read =
            if is_twice { Err("appears twice".to_owned()) } else { table.provider(readers, allows_http) };
        providers.push(read.map_err(|why| format!("provider {name:?}: {why}"))?);
    }
    Ok(SignInSettings { providers, ..SignInSettings::default() })
}

/// Which API keys open the console.
///
/// # Errors
/// When only recovery keys do, and nobody could sign in any other way.
pub(super) fn console_keys(
    setting: ConsoleSignInByKey,
    settings: &SignInSettings,
) -> Result<ConsoleKeys, &'static str> {
    match setting {
        ConsoleSignInByKey::Allowed => Ok(ConsoleKeys::Allowed),
        ConsoleSignInByKey::AdminKey if settings.providers.is_empty() => Err(
            "admin-key needs a [[sign_in]] table in the settings file: nobody else could open the console",
        ),
        ConsoleSignInByKey::AdminKey => Ok(ConsoleKeys::RecoveryOnly),
    }
}

impl SignInTable {
    fn provider(self, readers: Readers, allows_http: bool) -> Result<ProviderSettings, String> {
        self.name.parse::<TrustedIssuerId>().map_err(|error| format!("name: {error}"))?;
        let issuer: IssuerUrl = self.issuer.parse().map_err(|error| format!("issuer: the URL {error}"))?;
        if !issuer.is_https() && !allows_http {
            return Err("issuer: must be https (issuer_http is for tests on this machine)".into());
        }
        let credential = credential(self.client_secret_file, self.private_key_file, readers)?;
        Ok(ProviderSettings {
            label: label(self.label.unwrap_or_else(|| self.name.clone()))?,
            name: self.name,
            issuer,
            client_id: word("client_id", self.client_id)?,
            credential,
            scopes: scopes(self.scopes)?,
            email_verified_claim: word(
                "email_verified_claim",
                self.email_verified_claim.unwrap_or_else(|| "email_verified".into()),
            )?,
            allowed_domains: domains(self.allowed_domains.unwrap_or_default())?,
            allowed_tenants: words("allowed_tenants", self.allowed_tenants.unwrap_or_default())?,
            groups: groups::settings(self.groups_claim, self.groups.unwrap_or_default())?,
        })
    }
}

fn credential(
    secret: Option<PathBuf>,
    key: Option<PathBuf>,
    readers: Readers,
) -> Result<ClientCredential, String> {
    match (secret, key) {
        (Some(path), None) => {
            let text = key_file::read_shared(&path, readers)
                .map_err(|error| format!("client_secret_file: {error}"))?;
            match text.trim() {
                "" => Err(format!("client_secret_file: {} is empty", path.display())),
                secret => Ok(ClientCredential::Secret(Zeroizing::new(secret.to_owned()))),
            }
        }
        (None, Some(path)) => {
            let pem = key_file::read_shared(&path, readers)
                .map_err(|error| format!("private_key_file: {error}"))?;
            let (key, _) = crate::jose::pem::import(&pem)
                .map_err(|error| format!("private_key_file: {}: {error}", path.display()))?;
            Ok(ClientCredential::Key(Arc::new(key)))
        }
        _ => Err("needs either a client_secret_file or a private_key_file".into()),
    }
}

fn label(text: String) -> Result<String, String> {
    let is_line = !text.trim().is_empty() && !text.chars().any(char::is_control);
    match is_line && text.chars().count() <= 60 {
        true => Ok(text),
        false => Err("label: must be one line of 1 to 60 characters".into()),
    }
}

fn scopes(given: Option<Vec<String>>) -> Result<Vec<String>, String> {
    let Some(given) = given else { return Ok(["openid", "email", "profile"].map(str::to_owned).into()) };
    let scopes = words("scopes", given)?;
    match scopes.iter().any(|scope| scope == "openid") {
        true => Ok(scopes),
        false => Err("scopes: openid is missing".into()),
    }
}

fn domains(given: Vec<String>) -> Result<Vec<String>, String> {
    let is_domain = |text: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        text.contains('.') && text.bytes().all(fits) && !text.starts_with('.') && !text.ends_with('.')
    };
    match given.iter().find(|text| !is_domain(text)) {
        Some(text) => Err(format!("allowed_domains: {text:?} is no domain")),
        None => Ok(given.iter().map(|text| text.to_ascii_lowercase()).collect()),
    }
}

fn words(setting: &str, given: Vec<String>) -> Result<Vec<String>, String> {
    given.into_iter().map(|text| word(setting, text)).collect()
}

fn word(setting: &str, text: String) -> Result<String, String> {
    let fits = (1..=300).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(text) } else { Err(format!("{setting}: must have 1 to 300 visible characters of ASCII")) }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::Settings;
    use super::*;

    /// A file with a secret that only its owner can read.
    fn secret(folder: &tempfile::TempDir) -> String {
        let path = folder.path().join("secret");
        fs::write(&path, "hidden\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.display().to_string()
    }

    /// A table with nothing but what is required.
    fn least_table(folder: &tempfile::TempDir) -> String {
        format!(
            r#"
            [[sign_in]]
            name = "sso"
            issuer = "https://sso.example.com"
            client_id = "claviger"
            client_secret_file = "{}"
            "#,
            secret(folder)
        )
    }

    fn read(table: &str) -> Result<SignInSettings, String> {
        let settings: Settings = toml::from_str(table).map_err(|error| error.message().to_owned())?;
        sign_in(settings.sign_in, Readers::Owner, false)
    }

    #[test]
    fn a_table_is_a_provider() {
        let folder = tempfile::tempdir().unwrap();
        let table = format!(
            r#"
            [[sign_in]]
            name = "sso"
            label = "Example"
            issuer = "https://sso.example.com"
            client_id = "claviger"
            client_secret_file = "{}"
            allowed_domains = ["Example.com"]
            "#,
            secret(&folder)
        );
        let settings = read(&table).unwrap();
        let [provider] = &settings.providers[..] else { panic!("one provider") };
        assert_eq!(
            (&*provider.label, &provider.allowed_domains[..]),
            ("Example", &["example.com".to_owned()][..])
        );
        assert_eq!(provider.scopes, ["openid", "email", "profile"]);
        assert!(!format!("{settings:?}").contains("hidden"));
    }

    #[test]
    fn what_is_wrong_is_said_without_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let good = least_table(&folder);
        assert!(read(&good).is_ok());
        for (from, to, why) in [
            ("\"sso\"", "\"S S O\"", "name: an id must have"),
            ("https://sso", "http://sso", "issuer: the URL does not begin with https://"),
            ("https://sso.example.com", "http://127.0.0.1", "issuer: must be https"),
            ("client_secret_file", "private_key_file", "private_key_file: "),
            ("client_secret_file", "scopes = [\"email\"]\nclient_secret_file", "openid is missing"),
            ("client_secret_file", "allowed_domains = [\"@a.b\"]\nclient_secret_file", "is no domain"),
            ("client_secret_file", "secret = \"hidden\"\nclient_secret_file", "unknown field"),
            ("/secret", "/missing", "client_secret_file: "),
        ] {
            let error = read(&good.replacen(from, to, 1)).unwrap_err();
            assert!(error.contains(why), "{error}");
            assert!(!error.contains("hidden"), "{error}");
        }
        assert!(read(&format!("{good}{good}")).unwrap_err().contains("appears twice"));
    }

    #[test]
    fn the_console_is_closed_to_keys_only_where_members_can_sign_in() {
        let folder = tempfile::tempdir().unwrap();
        let table = least_table(&folder);
        let (with, without) = (read(&table).unwrap(), SignInSettings::default());
        for settings in [&with, &without] {
            assert_eq!(console_keys(ConsoleSignInByKey::Allowed, settings), Ok(ConsoleKeys::Allowed));
        }
        assert_eq!(console_keys(ConsoleSignInByKey::AdminKey, &with), Ok(ConsoleKeys::RecoveryOnly));
        let nobody = console_keys(ConsoleSignInByKey::AdminKey, &without).unwrap_err();
        assert!(nobody.contains("needs a [[sign_in]] table"), "{nobody}");
    }
}

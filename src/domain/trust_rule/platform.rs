//! Issuers that many share.

use std::fmt;

use crate::domain::web_url::IssuerUrl;

/// Whose tokens an issuer signs, as far as its URL tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Platform {
    /// GitHub Actions, at GitHub itself and at GitHub Enterprise.
    GithubActions,
    /// GitLab.com.
    GitlabCom,
    /// Google Accounts.
    Google,
    /// Microsoft Entra ID, in any of its clouds.
    Entra,
    /// Any other issuer. Nobody else registers names there.
    Unshared,
}

impl Platform {
    /// The platform of an issuer.
    pub fn of(issuer: &IssuerUrl) -> Self {
        let host = issuer.host().to_ascii_lowercase();
        let is_enterprise = host.starts_with("token.actions.") && host.ends_with(".ghe.com");
        match host.as_str() {
            "token.actions.githubusercontent.com" => Self::GithubActions,
            _ if is_enterprise || issuer.as_str().ends_with("/_services/token") => Self::GithubActions,
            "gitlab.com" => Self::GitlabCom,
            "accounts.google.com" => Self::Google,
            "login.microsoftonline.com"
            | "login.microsoftonline.us"
            | "login.partner.microsoftonline.cn"
            | "sts.windows.net"
            | "sts.chinacloudapi.cn" => Self::Entra,
            _ => Self::Unshared,
        }
    }

    /// The claims of which a rule has to name some, in words.
    pub(super) fn needed(self) -> &'static str {
        match self {
            Self::GithubActions => "`/repository_id` or `/repository_owner_id`",
            Self::GitlabCom => "`/project_id` or `/namespace_id`",
            Self::Google => "the exact `subject` (an email address can be given to somebody else)",
            Self::Entra => "`/tid` and `/oid`",
            Self::Unshared => "a subject or a claim",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GithubActions => "GitHub Actions",
            Self::GitlabCom => "GitLab.com",
            Self::Google => "Google",
            Self::Entra => "Microsoft Entra ID",
            Self::Unshared => "this issuer",
        })
    }
}

//! What a developer does with a new key, in the languages that they use: keep it, get a token with it, or send the key
//! itself. No snippet contains the key. Each reads it from an environment variable, so that it stays out of histories,
//! lists of processes and repositories.

use serde_json::Value;

/// Where a new key is used.
#[derive(Debug)]
pub(super) struct Use<'u> {
    /// This server's issuer.
    pub(super) issuer: &'u str,
    /// The key's id.
    pub(super) client_id: &'u str,
    /// The audience of the key's tokens, unless the request names another one.
    pub(super) audience: &'u str,
}

/// Snippets for one purpose.
#[derive(Debug)]
pub(super) struct Snippets {
    pub(super) title: &'static str,
    pub(super) about: String,
    pub(super) all: Vec<Snippet>,
}

#[derive(Debug)]
pub(super) struct Snippet {
    /// Names the element in the page.
    pub(super) id: String,
    pub(super) title: &'static str,
    pub(super) text: String,
}

/// The variable that has the key.
const VARIABLE: &str = "CLAVIGER_API_KEY";

impl Use<'_> {
    /// All snippets, by what they are for.
    pub(super) fn snippets(&self) -> [Snippets; 3] {
        [
            Snippets {
                title: "Keep the key",
                about: format!("Programs read the key from the environment variable {VARIABLE}."),
                all: numbered("keep", keeping()),
            },
            Snippets {
                title: "Get a token",
                about: format!(
                    "A token lasts ten minutes, and is for {}. Get the next one shortly before it ends.",
                    self.audience
                ),
                all: numbered("token", self.tokens()),
            },
            Snippets {
                title: "Send the key itself",
                about: "APIs that accept keys directly take it in the header X-Api-Key.".into(),
                all: numbered("direct", self.direct()),
            },
        ]
    }

    fn tokens(&self) -> Vec<(&'static str, String)> {
        let endpoint = format!("{}/oauth/token", self.issuer);
        let (sh, text, ps) = (shell(&endpoint), string(&endpoint), powershell(&endpoint));
        let client_id = string(self.client_id);
        vec![
            (
                "curl",
                format!(
                    "printf %s \"$CLAVIGER_API_KEY\" |\n  curl --fail-with-body --silent --show-error {sh} \\\n    \
                     --data grant_type=client_credentials \\\n    --data-urlencode client_secret@-"
                ),
            ),
            (
                "PowerShell",
                format!(
                    "$answer = Invoke-RestMethod {ps} -Method Post -Body @{{\n  grant_type    = 'client_credentials'\n  \
                     client_secret = $env:CLAVIGER_API_KEY\n}}\n$token = $answer.access_token"
                ),
            ),
            (
                "GitHub Actions",
                format!(
                    "- name: Get a token\n  env:\n    CLAVIGER_API_KEY: ${{{{ secrets.CLAVIGER_API_KEY }}}}\n  shell: bash\n  run: |\n    \
                     token=$(printf %s \"$CLAVIGER_API_KEY\" |\n      curl --fail-with-body --silent --show-error {sh} \\\n        \
                     --data grant_type=client_credentials \\\n        --data-urlencode client_secret@- | jq -r .access_token)\n    \
                     echo \"::add-mask::$token\"\n    echo \"TOKEN=$token\" >> \"$GITHUB_ENV\""
                ),
            ),
            (
                "Python",
                format!(
                    "import os\nimport requests\n\nanswer = requests.post({text}, data={{\n    \
                     \"grant_type\": \"client_credentials\",\n    \"client_secret\": os.environ[\"CLAVIGER_API_KEY\"],\n}})\n\
                     answer.raise_for_status()\ntoken = answer.json()[\"access_token\"]"
                ),
            ),
            (
                "Node",
                format!(
                    "const answer = await fetch({text}, {{\n  method: \"POST\",\n  body: new URLSearchParams({{\n    \
                     grant_type: \"client_credentials\",\n    client_secret: process.env.CLAVIGER_API_KEY,\n  }}),\n}});\n\
                     if (!answer.ok) throw new Error(await answer.text());\n\
                     const {{ access_token: token }} = await answer.json();"
                ),
            ),
            (
                "Go",
                format!(
                    "import \"golang.org/x/oauth2/clientcredentials\"\n\nconfig := clientcredentials.Config{{\n\t\
                     ClientID:     {client_id},\n\tClientSecret: os.Getenv(\"CLAVIGER_API_KEY\"),\n\tTokenURL:     {text},\n}}\n\
                     client := config.Client(ctx) // sends a token with each request, and renews it"
                ),
            ),
            (
                "Rust",
                format!(
                    "// cargo add reqwest --features form,json && cargo add serde_json\nlet key = std::env::var(\"CLAVIGER_API_KEY\")?;\n\
                     let answer: serde_json::Value = reqwest::Client::new()\n    .post({text})\n    \
                     .form(&[(\"grant_type\", \"client_credentials\"), (\"client_secret\", key.as_str())])\n    .send()\n    .await?\n    \
                     .error_for_status()?\n    .json()\n    .await?;\nlet token = answer[\"access_token\"].as_str().unwrap_or_default();"
                ),
            ),
        ]
    }

    fn direct(&self) -> Vec<(&'static str, String)> {
        let api = self.api();
        let (sh, text, ps) = (shell(&api), string(&api), powershell(&api));
        vec![
            (
                "curl",
                format!(
                    "printf 'X-Api-Key: %s' \"$CLAVIGER_API_KEY\" |\n  curl --fail-with-body --silent --show-error --header @- {sh}"
                ),
            ),
            (
                "PowerShell",
                format!("Invoke-RestMethod {ps} -Headers @{{ 'X-Api-Key' = $env:CLAVIGER_API_KEY }}"),
            ),
            (
                "GitHub Actions",
                format!(
                    "- name: Call the API\n  env:\n    CLAVIGER_API_KEY: ${{{{ secrets.CLAVIGER_API_KEY }}}}\n  shell: bash\n  run: |\n    \
                     printf 'X-Api-Key: %s' \"$CLAVIGER_API_KEY\" |\n      \
                     curl --fail-with-body --silent --show-error --header @- {sh}"
                ),
            ),
            (
                "Python",
                format!(
                    "import os\nimport requests\n\nanswer = requests.get({text}, headers={{\n    \
                     \"X-Api-Key\": os.environ[\"CLAVIGER_API_KEY\"],\n}})\nanswer.raise_for_status()"
                ),
            ),
            (
                "Node",
                format!(
                    "const answer = await fetch({text}, {{\n  headers: {{ \"X-Api-Key\": process.env.CLAVIGER_API_KEY }},\n}});\n\
                     if (!answer.ok) throw new Error(await answer.text());"
                ),
            ),
            (
                "Go",
                format!(
                    "request, err := http.NewRequestWithContext(ctx, http.MethodGet, {text}, nil)\nif err != nil {{\n\treturn err\n}}\n\
                     request.Header.Set(\"X-Api-Key\", os.Getenv(\"CLAVIGER_API_KEY\"))\n\
                     answer, err := http.DefaultClient.Do(request)"
                ),
            ),
            (
                "Rust",
                format!(
                    "// cargo add reqwest\nlet answer = reqwest::Client::new()\n    .get({text})\n    \
                     .header(\"X-Api-Key\", std::env::var(\"CLAVIGER_API_KEY\")?)\n    .send()\n    .await?\n    .error_for_status()?;"
                ),
            ),
        ]
    }

    /// An address of the API that the key is for.
    fn api(&self) -> String {
        match self.audience {
            own if own == self.issuer => format!("{}/v1/self", self.issuer),
            url if url.starts_with("https://") || url.starts_with("http://") => url.to_owned(),
            _ => "https://api.example.com/".to_owned(),
        }
    }
}

fn keeping() -> Vec<(&'static str, String)> {
    vec![
        (
            "Shell",
            "read -rs CLAVIGER_API_KEY   # paste the key; it stays out of the shell history\nexport CLAVIGER_API_KEY".into(),
        ),
        (
            ".env",
            "# The file .env. Keep it out of the repository: echo .env >> .gitignore\nCLAVIGER_API_KEY=paste-the-key-here".into(),
        ),
        (
            "Docker Compose",
            "services:\n  app:\n    environment:\n      # From the shell, or from .env beside this file.\n      \
             CLAVIGER_API_KEY: ${CLAVIGER_API_KEY:?is not set}"
                .into(),
        ),
        (
            "PowerShell",
            "$env:CLAVIGER_API_KEY = Read-Host -MaskInput 'API key'   # PowerShell 7; it stays out of the history".into(),
        ),
        (
            "GitHub Actions",
            "gh secret set CLAVIGER_API_KEY   # asks for the key, and keeps it encrypted in the repository’s settings".into(),
        ),
    ]
}

fn numbered(purpose: &str, all: Vec<(&'static str, String)>) -> Vec<Snippet> {
    let snippet = |(at, (title, text))| Snippet { id: format!("{purpose}-{at}"), title, text };
    all.into_iter().enumerate().map(snippet).collect()
}

/// A word of a shell.
fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A word of PowerShell.
fn powershell(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A string of Python, JavaScript, Go and Rust, which write the characters of a URL alike.
fn string(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(issuer: &str, audience: &str) -> String {
        let groups = Use { issuer, client_id: "key_0123456789abcdef", audience }.snippets();
        let mut text = String::new();
        for group in groups {
            text.push_str(&format!("## {}\n{}\n", group.title, group.about));
            for snippet in group.all {
                text.push_str(&format!("\n### {} {}\n{}\n", snippet.id, snippet.title, snippet.text));
            }
            text.push('\n');
        }
        text
    }

    #[test]
    fn every_snippet_names_this_server() {
        insta::assert_snapshot!(told("https://id.example.com", "https://api.example.com"));
    }

    #[test]
    fn the_key_of_an_administrator_is_tried_here() {
        let text = told("https://id.example.com", "https://id.example.com");
        assert_eq!(text.matches("https://id.example.com/v1/self").count(), 7, "{text}");
        let text = told("https://id.example.com", "urn:example:api");
        assert_eq!(text.matches("https://api.example.com/").count(), 7, "{text}");
    }

    #[test]
    fn a_quotation_mark_ends_no_word() {
        assert_eq!(shell("https://a.example/it's"), r"'https://a.example/it'\''s'");
        assert_eq!(powershell("https://a.example/it's"), "'https://a.example/it''s'");
    }
}

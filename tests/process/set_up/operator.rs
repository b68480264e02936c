//! Who sets a server up, with a browser.

use crate::support::{Answer, Client, Database, Process};

pub(crate) struct Operator(Client);

impl Operator {
    pub(crate) fn at(server: &Process) -> Self {
        Self(server.client().with("origin", &format!("http://{}", server.address)))
    }

    /// Sends the form of the set-up page.
    pub(crate) async fn set_up(&self, code: &str) -> Answer {
        self.0.post_form("/console/set-up", &format!("code={}", code.replace(' ', "+"))).await
    }

    /// Says that the key is saved.
    pub(crate) async fn save(&self, receipt: &str) -> Answer {
        self.0.post_form("/console/set-up/saved", &format!("receipt={receipt}")).await
    }

    pub(crate) async fn sign_in(&self, key: &str) -> Answer {
        self.0.post_form("/console/sign-in", &format!("key={key}")).await
    }
}

/// The code in its file.
pub(crate) fn code_in(database: &Database) -> String {
    let file = database.folder.path().join("keys/setup.code");
    std::fs::read_to_string(file).expect("the code").trim_end().to_owned()
}

/// The administrator's key, on the page that shows it.
#[track_caller]
pub(crate) fn key_on(page: &Answer) -> String {
    assert_eq!(page.status, 200, "{}", page.text);
    between(&page.text, r#"key">clv_prd_"#, "</code>", "clv_prd_")
}

/// What the form of that page has in it.
#[track_caller]
pub(crate) fn receipt_on(page: &Answer) -> String {
    between(&page.text, r#"name="receipt" value=""#, "\"", "")
}

#[track_caller]
fn between(text: &str, before: &str, after: &str, prefix: &str) -> String {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    format!("{prefix}{}", rest.split(after).next().expect("a first part"))
}

//! Reports on a token.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::Verdict;
use super::contents::Contents;
use super::rule::rule;
use crate::base::clock::Timestamp;
use crate::cli::changes::in_words;
use crate::cli::output::{OutputError, Stream, Tone, plain, say};

/// The claims that are times (RFC 7519 §4.1).
const TIMES: [&str; 3] = ["iat", "exp", "nbf"];

/// The complete report.
pub(super) struct Report<'a> {
    pub(super) contents: Contents,
    pub(super) verdict: Verdict,
    pub(super) checked: Checked<'a>,
    pub(super) now: Timestamp,
}

/// What the token was checked against, besides the rules.
pub(super) struct Checked<'a> {
    pub(super) issuer: &'a str,
    /// Empty if every audience is accepted.
    pub(super) audiences: &'a [String],
    pub(super) address: Option<IpAddr>,
    pub(super) revocations: bool,
}

impl Report<'_> {
    pub(super) fn print(&self, as_json: bool) -> Result<(), OutputError> {
        if as_json {
            return say(&self.json().to_string());
        }
        self.print_part("Header", self.contents.header.as_ref())?;
        self.print_part("Claims", self.contents.claims.as_ref())?;
        let (words, tone) = self.conclusion();
        say(&Stream::Out.painted(&words, tone))?;
        let unchecked = self.unchecked().filter(|_| self.verdict == Verdict::Holds);
        unchecked.map_or(Ok(()), |unchecked| say(&unchecked))
    }

    fn print_part(&self, title: &str, part: Option<&Value>) -> Result<(), OutputError> {
        let Some(Value::Object(members)) = part else {
            return say(&format!("{title}: not readable\n"));
        };
        say(&Stream::Out.painted(title, Tone::Strong))?;
        for (name, value) in members {
            say(&plain(&format!("  {name:<10}  {}{}", in_words(value), self.time(name, value))))?;
        }
        say("")
    }

    /// A time for people, with its distance from now.
    fn time(&self, claim: &str, value: &Value) -> String {
        let Some(seconds) = value.as_i64().filter(|_| TIMES.contains(&claim)) else { return String::new() };
        let moment = Timestamp::from_unix(seconds);
        match moment.since(self.now) {
            0 => format!("  {}, now", moment.rfc3339()),
            ahead @ 1.. => format!("  {}, in {ahead} s", moment.rfc3339()),
            ago => format!("  {}, {} s ago", moment.rfc3339(), ago.unsigned_abs()),
        }
    }

    fn conclusion(&self) -> (String, Tone) {
        match self.verdict {
            Verdict::Holds => {
                (format!("Valid: issued and signed by {}.", plain(self.checked.issuer)), Tone::Good)
            }
            Verdict::Breaks(fault) => (format!("Not valid: {fault} ({}).", rule(&fault).source), Tone::Bad),
            Verdict::Elsewhere => ("Not valid: the address is outside `cidrs`.".into(), Tone::Bad),
            Verdict::Revoked => {
                ("Not valid: the issuer's revocation feed lists it as revoked.".into(), Tone::Bad)
            }
        }
    }

    fn unchecked(&self) -> Option<String> {
        let mut unchecked = Vec::new();
        if !self.checked.revocations {
            unchecked.push("revocation (needs a server)");
        }
        if self.checked.audiences.is_empty() {
            unchecked.push("the audience (--audience)");
        }
        if self.checked.address.is_none() {
            unchecked.push("the network ranges (--address)");
        }
        if self.contents.claims.as_ref().is_some_and(|claims| claims.get("cnf").is_some()) {
            unchecked.push("that the sender has the key in `cnf` (needs a proof of each request)");
        }
        (!unchecked.is_empty()).then(|| format!("Not checked: {}.", unchecked.join(", ")))
    }

    fn json(&self) -> Value {
        let fault = match self.verdict {
            Verdict::Holds => Value::Null,
            Verdict::Breaks(fault) => {
                let rule = rule(&fault);
                json!({ "code": rule.code, "message": fault.to_string(), "rule": rule.source })
            }
            Verdict::Revoked => {
                let message = "the issuer's revocation feed lists it as revoked";
                json!({ "code": "revoked", "message": message, "rule": "revocation feed" })
            }
            Verdict::Elsewhere => {
                json!({ "code": "address", "message": "the address is outside `cidrs`", "rule": "cidrs" })
            }
        };
        json!({
            "holds": self.verdict == Verdict::Holds,
            "fault": fault,
            "header": self.contents.header,
            "claims": self.contents.claims,
            "issuer": self.checked.issuer,
            "audiences": (!self.checked.audiences.is_empty()).then_some(self.checked.audiences),
            "address": self.checked.address,
            "revocations": self.checked.revocations,
        })
    }
}

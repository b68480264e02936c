//! Commands that a page shows, and the answers below them.

use serde_json::Value;

use crate::markdown::Fence;

/// Printed behind the output of each step.
const END: &str = "\n--- end of step ---\n";

/// A number beyond this is a time, which no two runs share.
const LONG_AGO: i64 = 1_000_000_000;

/// Commands, and the answer that is shown below them.
pub(crate) struct Step<'a> {
    pub(crate) commands: &'a str,
    answer: Option<&'a Fence>,
}

pub(crate) fn steps(fences: &[Fence]) -> Vec<Step<'_>> {
    let is_step = |fence: &Fence| fence.language == "sh";
    let is_answer = |fence: &&Fence| matches!(fence.language.as_str(), "json" | "text");
    let commands = fences.iter().enumerate().filter(|(_, fence)| is_step(fence));
    commands
        .map(|(at, fence)| Step { commands: &fence.text, answer: fences.get(at + 1).filter(is_answer) })
        .collect()
}

/// All steps as one script, for a shell whose output [`compare`] reads.
pub(crate) fn script(steps: &[Step<'_>]) -> String {
    steps.iter().map(|step| format!("{}printf '%s' '{END}'\n", step.commands)).collect()
}

/// Holds what a shell said at each step against the answers on the page.
pub(crate) fn compare(steps: &[Step<'_>], output: &str) {
    let said: Vec<&str> = output.split_terminator(END).collect();
    assert_eq!(said.len(), steps.len(), "{output}");
    for (step, said) in steps.iter().zip(said) {
        step.compare(said);
    }
}

impl Step<'_> {
    fn compare(&self, said: &str) {
        let Some(answer) = self.answer else { return };
        let is_true = match answer.language.as_str() {
            "json" => is_alike(&parse(&answer.text), &parse(said)),
            _ => is_alike(&words(&answer.text), &words(said)),
        };
        assert!(is_true, "{}\nis said to answer\n{}\nand answers\n{said}", self.commands, answer.text);
    }
}

/// The words of a text. `1 s ago` is as good as `now`, if the machine was slow.
fn words(text: &str) -> Value {
    let mut rest = text.split_whitespace().collect::<Vec<_>>();
    while let Some(at) = rest.windows(3).position(|three| matches!(three, [_, "s", "ago"])) {
        rest.splice(at..at + 3, ["now"]);
    }
    rest.into_iter().collect()
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Whether the two differ only in what differs from run to run.
fn is_alike(shown: &Value, said: &Value) -> bool {
    match (shown, said) {
        (Value::Object(shown), Value::Object(said)) => {
            shown.keys().eq(said.keys()) && shown.iter().all(|(name, value)| is_alike(value, &said[name]))
        }
        (Value::Array(shown), Value::Array(said)) => {
            shown.len() == said.len() && shown.iter().zip(said).all(|(shown, said)| is_alike(shown, said))
        }
        (Value::String(text), Value::String(_)) => shown == said || may_differ(text),
        (Value::Number(number), Value::Number(_)) => shown == said || number.as_i64() > Some(LONG_AGO),
        _ => shown == said,
    }
}

/// Ids, times and addresses have digits in them; what is longer is shortened.
fn may_differ(text: &str) -> bool {
    text.contains(|character: char| character == '…' || character.is_ascii_digit())
}

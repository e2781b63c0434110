//! What was heard as JSON: the verdict's names, what it is about and where it stood. Every
//! name is always there; what is absent is null. `docs/reference/explain.schema.json` is
//! made from the same lists.

use std::sync::LazyLock;

use reply::heard::log::{Format, Status};
use reply::heard::{Heard, Kind};
use reply::{Cause, Confidence, Permanence, WhoseMove};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Where something was heard, and what could not be read there.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place<'a> {
    /// The file, as it was given.
    pub(crate) path: Option<&'a str>,
    /// What was not read of the file, or of the line, and why.
    pub(crate) unreadable: Option<&'a str>,
}

/// One thing that was heard, and the file that it stood in.
#[derive(Debug, Serialize)]
pub(crate) struct Object<'a> {
    kind: &'static str,
    path: Option<&'a str>,
    recipient: Option<&'a str>,
    code: Option<u16>,
    enhanced_code: Option<String>,
    cause: Option<&'static str>,
    permanence: Option<&'static str>,
    whose_move: Option<&'static str>,
    retry_after_seconds: Option<u64>,
    retry_at: Option<String>,
    alternatives: Vec<&'static str>,
    evidence: Option<&'a reply::Evidence>,
    confidence: Option<&'static str>,
    action: Option<&'a str>,
    sender: Option<&'a str>,
    remote_mta: Option<&'a str>,
    message_id: Option<&'a str>,
    arrival: Option<&'a str>,
    diagnostic: Option<&'a str>,
    unreadable: Option<&'a str>,
}

impl<'a> Object<'a> {
    /// Of a line in which nothing was heard: its cause is not known, and nothing is said of
    /// what it does not tell.
    pub(crate) fn of_nothing(place: Place<'a>) -> Object<'a> {
        static NOTHING: LazyLock<(Heard, reply::Evidence)> = LazyLock::new(|| {
            let evidence = reply::Evidence { rule: "nothing-heard".into(), text: String::new() };
            (Heard::of(Kind::Reply), evidence)
        });
        Object {
            cause: Some(Cause::Unknown.name()),
            evidence: Some(&NOTHING.1),
            confidence: Some(Confidence::Low.name()),
            ..Object::of(&NOTHING.0, place)
        }
    }

    /// Of `heard`, where it was heard.
    pub(crate) fn of(heard: &'a Heard, place: Place<'a>) -> Object<'a> {
        let verdict = heard.verdict.as_ref();
        Object {
            kind: heard.kind.name(),
            path: place.path,
            recipient: heard.recipient.as_deref(),
            code: verdict.and_then(|verdict| verdict.code).map(reply::Code::value),
            enhanced_code: verdict
                .and_then(|verdict| verdict.enhanced_code)
                .map(|code| code.to_string()),
            cause: verdict.map(|verdict| verdict.cause.name()),
            permanence: verdict.map(|verdict| verdict.permanence.name()),
            whose_move: verdict.map(|verdict| verdict.whose_move.name()),
            retry_after_seconds: verdict
                .and_then(|verdict| verdict.retry_after)
                .map(|after| after.as_secs()),
            retry_at: verdict.and_then(|verdict| verdict.retry_at).map(|at| at.to_string()),
            alternatives: verdict.map(names_of_alternatives).unwrap_or_default(),
            evidence: verdict.map(|verdict| &verdict.evidence),
            confidence: verdict.map(|verdict| verdict.confidence.name()),
            action: heard.action.as_deref(),
            sender: heard.sender.as_deref(),
            remote_mta: heard.remote_mta.as_deref(),
            message_id: heard.message_id.as_deref(),
            arrival: heard.arrival.as_deref(),
            diagnostic: heard.diagnostic.as_deref(),
            unreadable: place.unreadable,
        }
    }
}

fn names_of_alternatives(verdict: &reply::Verdict) -> Vec<&'static str> {
    verdict.alternatives.iter().map(|cause| cause.name()).collect()
}

/// The schema of [`Object`] (JSON Schema 2020-12).
pub(crate) fn schema() -> Value {
    let causes: Vec<&str> = Cause::ALL.iter().map(|cause| cause.name()).collect();
    let or_null = |kind: &str, words: &str| json!({ "type": [kind, "null"], "description": words });
    let one_of = |names: &[&str], words: &str| {
        let mut names: Vec<Value> = names.iter().map(|name| json!(name)).collect();
        names.push(Value::Null);
        json!({ "enum": names, "description": words })
    };
    let properties = json!({
        "kind": { "enum": Kind::ALL.map(Kind::name), "description": "What was heard. `complaint`, `auth-report`, `auto-reply` and `not-a-bounce` carry no cause." },
        "path": or_null("string", "The file that it stood in, as it was given; null for arguments and standard input."),
        "recipient": or_null("string", "Whom it is about."),
        "code": { "type": ["integer", "null"], "minimum": 200, "maximum": 599, "description": "The basic code that was heard; never made up." },
        "enhanced_code": { "type": ["string", "null"], "pattern": "^[245]\\.[0-9]{1,3}\\.[0-9]{1,3}$", "description": "The enhanced status code that was heard; never made up." },
        "cause": one_of(&causes, "Why: a name of docs/reference/causes.md."),
        "permanence": one_of(&Permanence::ALL.map(Permanence::name), "Whether the same may work later. That of a bounce comes from its action and its words. Null where nothing was heard."),
        "whose_move": one_of(&WhoseMove::ALL.map(WhoseMove::name), "Whose turn it is."),
        "retry_after_seconds": { "type": ["integer", "null"], "minimum": 0, "description": "How long to wait, where the words say so." },
        "retry_at": or_null("string", "When to come back, where the words name a time (RFC 3339)."),
        "alternatives": { "type": "array", "items": { "enum": causes }, "description": "Other fair causes, best first." },
        "evidence": {
            "type": ["object", "null"],
            "properties": { "rule": { "type": "string" }, "text": { "type": "string" } },
            "required": ["rule", "text"],
            "additionalProperties": false,
            "description": "The rule that decided, and the words, code or field that it saw."
        },
        "confidence": one_of(&Confidence::ALL.map(Confidence::name), "How sure it is."),
        "action": or_null("string", "What a delivery status notification says was done (RFC 3464)."),
        "sender": or_null("string", "Who sent the message that it is about."),
        "remote_mta": or_null("string", "The host that said it."),
        "message_id": or_null("string", "The Message-ID of that message, without its brackets."),
        "arrival": or_null("string", "When it arrived, or when the report was made, as it is written there."),
        "diagnostic": or_null("string", "The words that were judged."),
        "unreadable": or_null("string", "What was not read of the file or of the line, and why; null where all was."),
    });
    let mut properties = properties.as_object().cloned().unwrap_or_default();
    let required: Vec<String> = properties.keys().cloned().collect();
    properties.extend(more());
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What `secondpost explain --json` and `--ndjson` write, for each recipient or line",
        "type": "object",
        "properties": properties,
        // The name of a cause or a command is no reply: of it there is its entry alone.
        "anyOf": [{ "required": required }, { "required": ["entry"], "maxProperties": 1 }],
        "additionalProperties": false,
    })
}

/// What only some objects have: those of a log's lines, and those of a bare code.
fn more() -> Map<String, Value> {
    let or_null = |kind: &str, words: &str| json!({ "type": [kind, "null"], "description": words });
    let statuses = Status::ALL.map(Status::name);
    let more = json!({
        "line": { "type": "integer", "minimum": 1, "description": "With `--log`: the number of the line in its file." },
        "time": or_null("string", "When it was written (RFC 3339)."),
        "format": { "enum": Format::ALL.map(Format::name), "description": "Whose log it is." },
        "program": or_null("string", "Which part of the mail server wrote it."),
        "queue_id": or_null("string", "The message's name in the queue."),
        "status": { "enum": statuses, "description": "What became of the message." },
        "recipients": { "type": "array", "items": { "type": "string" }, "description": "All whom the line is about." },
        "host": or_null("string", "The name of the other side."),
        "address": or_null("string", "The address of the other side."),
        "kept_too_little": { "type": "boolean", "description": "Whether the log leaves out the words that would tell more." },
        "entry": { "type": "object", "description": "Of a bare code, cause or command: all that is known of it, as in `secondpost codes --json`." },
    });
    more.as_object().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_is_written_stands_in_the_schema() {
        let place = Place::default();
        let written = serde_json::to_value(Object::of(&Heard::of(Kind::Reply), place)).unwrap();
        let mut written: Vec<&str> =
            written.as_object().unwrap().keys().map(String::as_str).collect();
        let schema = schema();
        let mut required: Vec<&str> = schema["anyOf"][0]["required"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        written.sort_unstable();
        required.sort_unstable();
        assert_eq!(written, required);
    }
}

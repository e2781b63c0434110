//! The shapes of what is answered. Every field that is written stands here, and no other.

use reply::facts::NextStep;
use reply::facts::role::{Offered, Purpose};
use reply::heard::Kind;
use reply::{Cause, Confidence, Permanence, Scope, Stage, WhoseMove};
use serde_json::{Value, json};

use super::reference;

/// Each by its name.
pub(super) fn all() -> Value {
    json!({
        "Explained": object(&json!({
            "language": text(), "results": list(&reference("Result")),
        })),
        "Result": object(&result()),
        "Explanation": object(&explanation()),
        "Entry": object(&entry()),
        "Comparison": object(&comparison()),
        "Found": object(&json!({ "href": text(), "topic": text(), "name": text() })),
        "Problem": object(&json!({
            "type": text(), "title": text(), "status": { "type": "integer" }, "detail": text(),
        })),
    })
}

/// An object that has all those fields.
fn object(properties: &Value) -> Value {
    let names: Vec<&String> =
        properties.as_object().into_iter().flat_map(|all| all.keys()).collect();
    json!({ "type": "object", "required": names, "properties": properties })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn maybe(kind: &str) -> Value {
    json!({ "type": [kind, "null"] })
}

fn or_null(schema: &Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

fn list(items: &Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> Value {
    json!({ "enum": names.into_iter().collect::<Vec<&str>>() })
}

/// The same, or null.
fn one_of_or_null<'a>(names: impl IntoIterator<Item = &'a str>) -> Value {
    let names = names.into_iter().map(|name| json!(name));
    json!({ "enum": names.chain([Value::Null]).collect::<Vec<Value>>() })
}

fn causes() -> Value {
    one_of(Cause::ALL.iter().map(|cause| cause.name()))
}

fn parties() -> [&'static str; 6] {
    WhoseMove::ALL.map(WhoseMove::name)
}

fn permanence() -> Value {
    one_of_or_null(Permanence::ALL.map(Permanence::name))
}

/// The fields of a verdict, as the command line has them, and the words. All are null but
/// the kind and perhaps the recipient where there is no verdict: in a complaint, for instance.
fn result() -> Value {
    json!({
        "code": maybe("integer"),
        "enhanced_code": maybe("string"),
        "cause": one_of_or_null(Cause::ALL.iter().map(|cause| cause.name())),
        "permanence": permanence(),
        "whose_move": one_of_or_null(parties()),
        "retry_after_seconds": maybe("integer"),
        "retry_at": { "type": ["string", "null"], "format": "date-time" },
        "alternatives": list(&causes()),
        "evidence": or_null(&object(&json!({ "rule": text(), "text": text() }))),
        "confidence": one_of_or_null(Confidence::ALL.map(Confidence::name)),
        "kind": one_of(Kind::ALL.map(Kind::name)),
        "recipient": maybe("string"),
        "explanation": or_null(&reference("Explanation")),
    })
}

fn explanation() -> Value {
    json!({
        "title": text(), "name": text(), "meaning": text(), "code_meaning": text(),
        "when_seen": text(), "whose_move": text(), "what_to_do": text(), "when_next": text(),
        "evidence": text(), "confidence": text(), "alternatives": list(&text()),
        "deciding": list(&text()), "source": text(),
    })
}

/// The facts of an entry and its words.
fn entry() -> Value {
    let remedy = json!({ "whom": one_of_or_null(parties()), "text": text() });
    let provider = json!({ "who": text(), "meaning": text(), "causes": list(&causes()) });
    let refusal = json!({ "code": { "type": "integer" }, "meaning": text() });
    let wording = json!({ "who": maybe("string"), "text": text() });
    json!({
        "topic": text(), "name": text(), "meaning": text(), "when_seen": text(),
        "how_to_fix": list(&object(&remedy)),
        "permanence": permanence(),
        "scope": one_of(Scope::ALL.map(Scope::name)),
        "whose_move": one_of(parties()),
        "answers": list(&one_of(Stage::ALL.iter().map(|stage| stage.name()))),
        "causes": list(&causes()),
        "codes": list(&json!({ "type": "integer" })),
        "enhanced_codes": list(&text()),
        "next": one_of_or_null(NextStep::ALL.iter().map(|next| next.name())),
        "when_next": text(),
        "provider": or_null(&object(&provider)),
        "refusals": list(&object(&refusal)),
        "wordings": list(&object(&wording)),
        "example": list(&line()),
        "purpose": one_of_or_null(Purpose::ALL.iter().map(|purpose| purpose.name())),
        "offered": one_of_or_null(Offered::ALL.iter().map(|offered| offered.name())),
        "adds": { "type": ["array", "null"], "items": text() },
        "specified": { "type": "boolean" },
        "source": text(),
    })
}

/// A line of an example dialogue.
fn line() -> Value {
    let said = |by: &str| object(&json!({ by: text() }));
    json!({ "anyOf": [said("client"), said("server"), object(&json!({ "wait": one_of(["minutes"]) }))] })
}

fn comparison() -> Value {
    let difference = json!({
        "aspect": text(), "label": text(), "a": text(), "b": text(), "sentence": text(),
    });
    json!({
        "a": reference("Entry"), "b": reference("Entry"), "remark": maybe("string"),
        "differences": list(&object(&difference)),
        "in_common": list(&text()),
        "when_to_use": list(&text()),
    })
}

//! The API's own description: OpenAPI 3.1, made here so that the version and the names of
//! causes are those of this binary.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use reply::explain::Language;
use reply::{Cause, Permanence, WhoseMove};
use serde_json::{Value, json};

use crate::kept::Varies;
use crate::site::Site;

/// `GET /openapi.json`
pub(super) async fn document(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let make = || describe().to_string();
    super::kept_text(&site, &headers, Varies::Coding, "openapi.json", make)
}

fn describe() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Secondpost",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "What the replies of mail servers mean",
        },
        "servers": [{ "url": "/api/v1" }],
        "paths": {
            "/explain": { "get": explain_address(), "post": explain_body() },
            "/compare": { "get": compare() },
            "/codes": { "get": list("Every code") },
            "/codes/{code}": { "get": one("code", "450, 4.2.0, X.2.2") },
            "/causes": { "get": list("Every cause") },
            "/causes/{cause}": { "get": one("cause", "greylisted") },
            "/commands": { "get": list("Every command and every keyword of EHLO") },
            "/commands/{command}": { "get": one("command", "vrfy, pipelining") },
            "/search/{language}": { "get": search() },
            "/texts/{language}": { "get": texts() },
        },
        "components": { "schemas": schemas() },
    })
}

fn parameter(name: &str, place: &str, required: bool, description: &str) -> Value {
    json!({
        "name": name, "in": place, "required": required, "description": description,
        "schema": { "type": "string" },
    })
}

fn lang() -> Value {
    let tags: Vec<&str> = Language::COMPLETE.iter().map(|language| language.tag()).collect();
    json!({
        "name": "lang", "in": "query", "required": false,
        "description": "The language of the words; without it Accept-Language decides",
        "schema": { "type": "string", "enum": tags },
    })
}

fn answers(schema: &Value) -> Value {
    let problem = json!({
        "description": "What is wrong (RFC 9457)",
        "content": { "application/problem+json": { "schema": reference("Problem") } },
    });
    json!({
        "200": { "description": "The answer", "content": { "application/json": { "schema": schema } } },
        "400": problem, "404": problem, "413": problem, "429": problem,
    })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn explain_address() -> Value {
    json!({
        "operationId": "explainText",
        "summary": "What a reply, a bounce or a log line means",
        "parameters": [parameter("text", "query", true, "What was heard"), lang()],
        "responses": answers(&reference("Explained")),
    })
}

fn explain_body() -> Value {
    let text = json!({ "schema": { "type": "string" } });
    let object = json!({ "schema": {
        "type": "object", "required": ["text"],
        "properties": { "text": { "type": "string" }, "lang": { "type": "string" } },
    } });
    json!({
        "operationId": "explainBody",
        "summary": "The same for longer texts; with application/x-ndjson one text a line, \
                    answered by one result a line, in order",
        "parameters": [lang()],
        "requestBody": { "required": true, "content": {
            "text/plain": text, "message/rfc822": text, "application/json": object,
            "application/x-ndjson": text,
        } },
        "responses": answers(&reference("Explained")),
    })
}

fn compare() -> Value {
    json!({
        "operationId": "compare",
        "summary": "Two codes, causes or commands side by side",
        "parameters": [
            parameter("a", "query", true, "The first: 450"),
            parameter("b", "query", true, "The second: 502"),
            lang(),
        ],
        "responses": answers(&reference("Comparison")),
    })
}

fn list(summary: &str) -> Value {
    let schema = json!({ "type": "array", "items": reference("Entry") });
    json!({ "summary": summary, "parameters": [lang()], "responses": answers(&schema) })
}

fn one(name: &str, example: &str) -> Value {
    json!({
        "summary": format!("One {name}"),
        "parameters": [parameter(name, "path", true, example), lang()],
        "responses": answers(&reference("Entry")),
    })
}

fn search() -> Value {
    let found = json!({ "type": "object", "properties": {
        "href": { "type": "string" }, "topic": { "type": "string" }, "name": { "type": "string" },
    } });
    json!({
        "summary": "Everything that can be looked up, by name",
        "parameters": [parameter("language", "path", true, "en")],
        "responses": answers(&json!({ "type": "array", "items": found })),
    })
}

fn texts() -> Value {
    json!({
        "summary": "What the entries say, in the order of /search/{language}: in lower case, \
                    to be searched",
        "parameters": [parameter("language", "path", true, "en")],
        "responses": answers(&json!({ "type": "array", "items": { "type": "string" } })),
    })
}

fn schemas() -> Value {
    let text = json!({ "type": "string" });
    let maybe = json!({ "type": ["string", "null"] });
    json!({
        "Explained": { "type": "object", "properties": {
            "language": text, "results": { "type": "array", "items": reference("Result") },
        } },
        "Result": { "type": "object", "properties": verdict() },
        "Entry": { "type": "object", "properties": {
            "topic": text, "name": text, "meaning": text, "when_seen": text,
            "how_to_fix": { "type": "array", "items": { "type": "object", "properties": {
                "whom": maybe, "text": text,
            } } },
            "permanence": maybe, "scope": text, "whose_move": text, "next": maybe,
            "when_next": text, "purpose": maybe, "offered": maybe,
            "adds": { "type": ["array", "null"], "items": text }, "specified": { "type": "boolean" }, "source": text,
        } },
        "Comparison": { "type": "object", "properties": {
            "a": reference("Entry"), "b": reference("Entry"), "remark": maybe,
            "differences": { "type": "array", "items": { "type": "object", "properties": {
                "aspect": text, "label": text, "a": text, "b": text, "sentence": text,
            } } },
            "in_common": { "type": "array", "items": text },
            "when_to_use": { "type": "array", "items": text },
        } },
        "Problem": { "type": "object", "properties": {
            "type": text, "title": text, "status": { "type": "integer" }, "detail": text,
        } },
    })
}

/// The fields of a verdict, as the command line has them.
fn verdict() -> Value {
    let causes: Vec<&str> = Cause::ALL.iter().map(|cause| cause.name()).collect();
    let permanences = [Permanence::Positive, Permanence::Transient, Permanence::Permanent];
    json!({
        "code": { "type": ["integer", "null"] },
        "enhanced_code": { "type": ["string", "null"] },
        "cause": { "type": "string", "enum": causes },
        "permanence": { "type": "string", "enum": permanences.map(Permanence::name) },
        "whose_move": { "type": "string", "enum": WhoseMove::ALL.map(WhoseMove::name) },
        "retry_after_seconds": { "type": ["integer", "null"] },
        "retry_at": { "type": ["string", "null"], "format": "date-time" },
        "alternatives": { "type": "array", "items": { "type": "string" } },
        "evidence": { "type": "object", "properties": {
            "rule": { "type": "string" }, "text": { "type": "string" },
        } },
        "confidence": { "type": "string", "enum": ["low", "medium", "high"] },
        "kind": { "type": "string" },
        "recipient": { "type": ["string", "null"] },
        "explanation": { "type": ["object", "null"] },
    })
}

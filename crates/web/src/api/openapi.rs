//! The API's own description: OpenAPI 3.1, made here so that the version, the limits and the
//! names are those of this binary. That it is true is tested on real answers
//! (`tests/it/openapi.rs`).

mod schemas;

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use reply::explain::Language;
use serde_json::{Map, Value, json};

use crate::kept::Varies;
use crate::site::{MOST_MEGABYTES, Site};
use crate::trouble::{MOST_ADDRESS_OCTETS, Trouble};

/// `GET /openapi.json`
pub(super) async fn document(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let make = super::described;
    let language = Some(Language::En);
    super::kept_text(&site, &headers, Varies::Coding, "openapi.json", language, make)
}

pub(super) fn describe() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Secondpost",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "What the replies of mail servers mean",
            "description": about(),
        },
        "servers": [{ "url": "/api/v1" }],
        "paths": {
            "/explain": { "get": explain_address(), "post": explain_body() },
            "/compare": { "get": compare() },
            "/codes": { "get": list("allCodes", "Every code") },
            "/codes/{code}": { "get": one("code", "450") },
            "/causes": { "get": list("allCauses", "Every cause") },
            "/causes/{cause}": { "get": one("cause", "greylisted") },
            "/commands": {
                "get": list("allCommands", "Every command and every keyword of EHLO"),
            },
            "/commands/{command}": { "get": one("command", "vrfy") },
            "/search/{language}": { "get": search() },
            "/texts/{language}": { "get": texts() },
            "/openapi.json": { "get": itself() },
        },
        "components": { "schemas": schemas::all() },
    })
}

/// What holds for every operation.
fn about() -> String {
    format!(
        "Facts have stable names, words are in the language that is asked for. What is given is \
         read and forgotten. A body has at most {MOST_MEGABYTES} MB, an address at most \
         {MOST_ADDRESS_OCTETS} octets. Only `/explain` counts how often a client asks: 60 times \
         at once, then 10 times a second. Everything else may be kept for an hour and has an \
         entity tag. HEAD is answered wherever GET is. There are no CORS headers: pages of other \
         sites cannot read this API in their readers' browsers, so that nobody's own Secondpost \
         is asked by a stranger's page; whoever wants that lets a proxy in front add them."
    )
}

/// A parameter that is a string.
fn parameter(name: &str, place: &str, required: bool, description: &str) -> Value {
    json!({
        "name": name, "in": place, "required": required, "description": description,
        "schema": { "type": "string" },
    })
}

fn tags() -> Vec<&'static str> {
    Language::COMPLETE.iter().map(|language| language.tag()).collect()
}

fn lang() -> Value {
    let description = "The language of the words. Without it Accept-Language decides; a region \
                       behind the tag, as in `de-AT`, does not count";
    let schema = json!({ "type": "string", "examples": tags() });
    json!({
        "name": "lang", "in": "query", "required": false, "description": description,
        "schema": schema,
    })
}

fn in_folder() -> Value {
    json!({
        "name": "language", "in": "path", "required": true,
        "description": "The language of the words",
        "schema": { "type": "string", "enum": tags() },
    })
}

/// The answers of an operation: that one, and each trouble that it can have.
fn answers(success: Value, troubles: &[Trouble]) -> Value {
    let mut answers = Map::new();
    answers.insert("200".into(), success);
    for trouble in troubles.iter().chain(&[Trouble::TooLong, Trouble::TooManyFields]) {
        answers.insert(trouble.status().as_str().into(), problem(*trouble));
    }
    answers.insert("default".into(), problem(Trouble::Fault));
    Value::Object(answers)
}

fn problem(trouble: Trouble) -> Value {
    let mut problem = json!({
        "description": trouble.title(Language::En),
        "content": { "application/problem+json": { "schema": reference("Problem") } },
    });
    if trouble == Trouble::TooMany {
        problem["headers"] = json!({ "Retry-After": {
            "description": "Seconds until it makes sense to ask again",
            "schema": { "type": "integer" },
        } });
    }
    problem
}

/// An answer that was made for this request.
fn made(schema: &Value) -> Value {
    json!({ "description": "The answer", "content": { "application/json": { "schema": schema } } })
}

/// The answers of an operation whose answer is the same for everybody.
fn kept(schema: &Value, troubles: &[Trouble]) -> Value {
    let mut success = made(schema);
    success["headers"] = json!({ "ETag": {
        "description": "The entity tag, for If-None-Match", "schema": { "type": "string" },
    } });
    let mut answers = answers(success, troubles);
    answers["304"] = json!({ "description": "What has the tag in If-None-Match is still so" });
    answers
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn explain_address() -> Value {
    json!({
        "operationId": "explainText",
        "summary": "What a reply, a bounce or a log line means",
        "parameters": [parameter("text", "query", true, "What was heard"), lang()],
        "responses": answers(
            made(&reference("Explained")),
            &[Trouble::BadRequest, Trouble::TooMany],
        ),
    })
}

fn explain_body() -> Value {
    let text = json!({ "schema": { "type": "string" } });
    let object = json!({ "schema": {
        "type": "object", "required": ["text"],
        "properties": { "text": { "type": "string" }, "lang": { "type": "string" } },
    } });
    let lines = json!({ "schema": {
        "type": "string",
        "description": "One text a line; a JSON string where a text spans lines",
    } });
    let mut success = made(&reference("Explained"));
    success["content"]["application/x-ndjson"] = json!({ "schema": reference("Result") });
    json!({
        "operationId": "explainBody",
        "summary": "The same for longer texts, and for many at once",
        "description": "A body of another type than those below is read as a text. With \
                        application/x-ndjson each line is answered by one object on a line, in \
                        order; where nothing is heard in a line, `evidence.rule` is \
                        `nothing-heard`.",
        "parameters": [lang()],
        "requestBody": { "required": true, "content": {
            "text/plain": text, "message/rfc822": text, "application/json": object,
            "application/x-ndjson": lines,
        } },
        "responses": answers(
            success,
            &[Trouble::BadRequest, Trouble::TooSlow, Trouble::TooBig, Trouble::TooMany],
        ),
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
        "responses": kept(&reference("Comparison"), &[Trouble::BadRequest, Trouble::NotFound]),
    })
}

fn list(id: &str, summary: &str) -> Value {
    let schema = json!({ "type": "array", "items": reference("Entry") });
    json!({
        "operationId": id,
        "summary": summary,
        "parameters": [lang()],
        "responses": kept(&schema, &[Trouble::BadRequest]),
    })
}

fn one(name: &str, example: &str) -> Value {
    json!({
        "operationId": name,
        "summary": format!("One {name}"),
        "parameters": [parameter(name, "path", true, example), lang()],
        "responses": kept(&reference("Entry"), &[Trouble::BadRequest, Trouble::NotFound]),
    })
}

fn search() -> Value {
    let schema = json!({ "type": "array", "items": reference("Found") });
    json!({
        "operationId": "names",
        "summary": "Everything that can be looked up, by name",
        "parameters": [in_folder()],
        "responses": kept(&schema, &[Trouble::NotFound]),
    })
}

fn texts() -> Value {
    let schema = json!({ "type": "array", "items": { "type": "string" } });
    json!({
        "operationId": "texts",
        "summary": "What the entries say, in the order of /search/{language}: in lower case, \
                    to be searched",
        "parameters": [in_folder()],
        "responses": kept(&schema, &[Trouble::NotFound]),
    })
}

fn itself() -> Value {
    json!({
        "operationId": "description",
        "summary": "This document",
        "responses": kept(&json!({ "type": "object" }), &[]),
    })
}

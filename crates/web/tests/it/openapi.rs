//! The document that describes the API is true: what is really answered is held to it, field
//! by field. The few words of JSON Schema that it uses are understood here; another one fails
//! the test, so that none is passed over.

use serde_json::{Value, json};

use crate::server::{Answer, Server};

fn json(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.body))
}

/// What of `value` is not as `schema` says.
fn faults(value: &Value, schema: &Value, document: &Value, at: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (word, rule) in schema.as_object().unwrap() {
        let holds = match word.as_str() {
            "description" | "format" | "examples" => true,
            "$ref" => {
                let place = rule.as_str().unwrap().strip_prefix('#').unwrap();
                let named = document.pointer(place).unwrap_or_else(|| panic!("{place}"));
                faults.extend(self::faults(value, named, document, at));
                true
            }
            "type" => types(rule).iter().any(|kind| is_of(value, kind)),
            "enum" => rule.as_array().unwrap().contains(value),
            "anyOf" => {
                let fits = |one: &Value| self::faults(value, one, document, at).is_empty();
                rule.as_array().unwrap().iter().any(fits)
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    faults.extend(self::faults(item, rule, document, &format!("{at}[{index}]")));
                }
                true
            }
            "required" => {
                let has = |name: &Value| value.get(name.as_str().unwrap()).is_some();
                value.is_null() || rule.as_array().unwrap().iter().all(has)
            }
            "properties" => {
                // Nothing is written that the document does not name.
                for (name, part) in value.as_object().into_iter().flatten() {
                    let at = format!("{at}.{name}");
                    match rule.get(name) {
                        Some(rule) => faults.extend(self::faults(part, rule, document, &at)),
                        None => faults.push(format!("{at} is not described")),
                    }
                }
                true
            }
            word => panic!("the test does not know `{word}`"),
        };
        if !holds {
            faults.push(format!("{at} is not {word} {rule}: {value}"));
        }
    }
    faults
}

fn types(rule: &Value) -> Vec<&str> {
    match rule {
        Value::String(one) => vec![one],
        several => several.as_array().unwrap().iter().filter_map(Value::as_str).collect(),
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        kind => panic!("the test does not know the type `{kind}`"),
    }
}

/// Holds an answer to the operation that it is of.
fn check(document: &Value, operation: &Value, answer: &Answer, what: &str) {
    let status = answer.status.to_string();
    let described = &operation["responses"][&status];
    assert!(described.is_object(), "{what}: {status} is not described");
    let kind = answer.field("content-type").unwrap_or_default();
    let schema = &described["content"][kind]["schema"];
    assert!(schema.is_object(), "{what}: {status} is not described as {kind}");
    let bodies: Vec<Value> = match kind {
        "application/x-ndjson" => {
            answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        }
        _ => vec![json(answer)],
    };
    for body in bodies {
        let faults = faults(&body, schema, document, what);
        assert!(faults.is_empty(), "{:#?}", &faults[..faults.len().min(10)]);
    }
}

#[test]
fn every_answer_is_as_the_document_says() {
    let server = Server::start();
    let document = json(&server.get("/api/v1/openapi.json", ""));
    for (address, path) in [
        ("/codes", "/codes"),
        ("/causes", "/causes"),
        ("/commands", "/commands"),
        ("/codes/450?lang=de", "/codes/{code}"),
        ("/codes/5.4.1", "/codes/{code}"),
        ("/causes/greylisted", "/causes/{cause}"),
        ("/commands/vrfy", "/commands/{command}"),
        ("/compare?a=450&b=502", "/compare"),
        ("/compare?a=450&b=450", "/compare"),
        ("/compare?a=VRFY&b=502", "/compare"),
        ("/search/de", "/search/{language}"),
        ("/texts/de", "/texts/{language}"),
        ("/explain?text=450+4.2.0+Greylisted,+300+seconds", "/explain"),
        ("/explain?text=nothing", "/explain"),
        ("/openapi.json", "/openapi.json"),
        ("/explain", "/explain"),
        ("/explain?text=450&lang=tlh", "/explain"),
        ("/codes/999", "/codes/{code}"),
        ("/codes?lang=tlh", "/codes"),
        ("/causes/450", "/causes/{cause}"),
        ("/compare?a=450", "/compare"),
        ("/compare?a=450&b=gremlins", "/compare"),
        ("/search/tlh", "/search/{language}"),
        ("/texts/tlh", "/texts/{language}"),
    ] {
        let answer = server.get(&format!("/api/v1{address}"), "");
        check(&document, &document["paths"][path]["get"], &answer, address);
    }
}

#[test]
fn what_is_answered_to_a_body_is_as_the_document_says() {
    let server = Server::start();
    let document = json(&server.get("/api/v1/openapi.json", ""));
    let complaint = "From: <fbl@example.net>\r\nSubject: complaint\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n\
        --b\r\nContent-Type: text/plain\r\n\r\nThis is a complaint.\r\n\
        --b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n\
        User-Agent: Example/1\r\nVersion: 1\r\nOriginal-Rcpt-To: <bob@example.net>\r\n\r\n\
        --b\r\nContent-Type: message/rfc822\r\n\r\nFrom: <ann@example.org>\r\n\r\n--b--\r\n";
    for (kind, body) in [
        ("text/plain", "450 4.2.0 try again at 14:30"),
        ("message/rfc822", complaint),
        ("application/json", "{\"text\": \"550 5.1.1 no such user\", \"lang\": \"ja\"}"),
        ("application/json", "{\"text\": 3}"),
        ("application/json", "{"),
        ("application/x-ndjson", "450 4.2.0 greylisted\n\n\"unfinished\n{}\nnothing\n"),
    ] {
        let answer = server.post("/api/v1/explain", kind, body.as_bytes());
        check(&document, &document["paths"]["/explain"]["post"], &answer, body);
    }
    let answer = server.post("/api/v1/explain", "message/rfc822", complaint.as_bytes());
    assert_eq!(json(&answer)["results"][0]["kind"], json!("complaint"));
}

#[test]
fn every_operation_of_the_document_has_a_name_of_its_own() {
    let server = Server::start();
    let document = json(&server.get("/api/v1/openapi.json", ""));
    let mut names = Vec::new();
    for operations in document["paths"].as_object().unwrap().values() {
        for operation in operations.as_object().unwrap().values() {
            names.push(operation["operationId"].as_str().unwrap().to_owned());
        }
    }
    names.sort();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}

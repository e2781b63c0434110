//! docs/reference/explain.schema.json is what is really written: objects of all kinds are
//! held to it. The few words of JSON Schema that it uses are understood here; another one
//! fails the test, so that none is passed over.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use super::secondpost;

fn repository(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn schema() -> Value {
    let text = fs::read_to_string(repository("docs/reference/explain.schema.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// What of `value` is not as `schema` says.
fn faults(value: &Value, schema: &Map<String, Value>, at: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (word, rule) in schema {
        let holds = match word.as_str() {
            "$schema" | "title" | "description" => true,
            "type" => types(rule).iter().any(|kind| is_of(value, kind)),
            "enum" => rule.as_array().unwrap().contains(value),
            "minimum" => value.as_i64().is_none_or(|number| number >= rule.as_i64().unwrap()),
            "maximum" => value.as_i64().is_none_or(|number| number <= rule.as_i64().unwrap()),
            // The one pattern there is: an enhanced status code.
            "pattern" => {
                value.as_str().is_none_or(|text| text.parse::<reply::EnhancedCode>().is_ok())
            }
            "required" => rule.as_array().unwrap().iter().all(|name| {
                value.as_object().is_none_or(|all| all.contains_key(name.as_str().unwrap()))
            }),
            "maxProperties" => {
                value.as_object().is_none_or(|all| all.len() as u64 <= rule.as_u64().unwrap())
            }
            "anyOf" => rule
                .as_array()
                .unwrap()
                .iter()
                .any(|one| self::faults(value, one.as_object().unwrap(), at).is_empty()),
            "properties" => {
                for (name, rule) in rule.as_object().unwrap() {
                    if let Some(part) = value.get(name) {
                        faults.extend(self::faults(
                            part,
                            rule.as_object().unwrap(),
                            &format!("{at}.{name}"),
                        ));
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = schema["properties"].as_object().unwrap();
                value.as_object().is_none_or(|all| all.keys().all(|name| known.contains_key(name)))
            }
            "items" => {
                for part in value.as_array().into_iter().flatten() {
                    faults.extend(self::faults(part, rule.as_object().unwrap(), at));
                }
                true
            }
            other => panic!("the schema says `{other}`, which this test does not understand"),
        };
        if !holds {
            faults.push(format!("{at}: {value} is not as `{word}` says: {rule}"));
        }
    }
    faults
}

fn types(rule: &Value) -> Vec<&str> {
    match rule {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the schema names the type `{other}`"),
    }
}

/// Every object that a call writes, one a line, a list, or one alone.
fn written(args: &[&str], input: &[u8]) -> Vec<Value> {
    let dir = tempfile::tempdir().unwrap();
    let ended = secondpost(dir.path(), args, input);
    assert_eq!(ended.status, 0, "{args:?}: {}", ended.err);
    if args.contains(&"--ndjson") {
        return ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    }
    match serde_json::from_str(&ended.out).unwrap() {
        Value::Array(all) => all,
        one => vec![one],
    }
}

#[test]
fn what_is_written_is_as_the_schema_says() {
    let schema = schema();
    let schema = schema.as_object().unwrap();
    let mails = repository("crates/reply/tests/heard/mail");
    let logs = fs::read_to_string(repository("crates/reply/tests/heard/logs.tsv")).unwrap();
    let lines: Vec<&str> = logs.lines().filter_map(|line| line.rsplit('\t').next()).collect();
    let damaged = [lines.join("\n").as_bytes(), b"\n\0\xff\xfe\n"].concat();
    let calls: [(&[&str], &[u8], usize); 10] = [
        (&["explain", "--ndjson", mails.to_str().unwrap()], b"", 60),
        (&["explain", "--json", mails.to_str().unwrap()], b"", 60),
        (&["explain", "--log", "-", "--ndjson"], &damaged, 100),
        (&["explain", "--json", "450 4.2.0 Greylisted, come back in 300 seconds"], b"", 1),
        (&["explain", "--json", "502"], b"", 1),
        (&["explain", "--json", "greylisted"], b"", 1),
        (&["explain", "--json", "VRFY"], b"", 1),
        (&["explain", "--json", "101"], b"", 1),
        (
            &["explain", "--ndjson", "-"],
            b"Nov 28 10:00:01 mx postfix/smtpd[1]: connect from x[192.0.2.5]\n",
            1,
        ),
        (&["explain", "--ndjson", "-"], b"450 4.2.0 busy\ngood morning\n", 2),
    ];
    for (args, input, at_least) in calls {
        let objects = written(args, input);
        assert!(objects.len() >= at_least, "{args:?}: {}", objects.len());
        for object in objects {
            assert_eq!(faults(&object, schema, "object"), [""; 0], "{args:?}: {object}");
        }
    }
}

#[test]
fn an_object_that_is_not_as_the_schema_says_is_found() {
    let schema = schema();
    let schema = schema.as_object().unwrap();
    let object = written(&["explain", "--json", "450 4.2.0 busy"], b"").remove(0);
    for (name, value) in [
        ("code", Value::from("450")),
        ("code", Value::from(99)),
        ("enhanced_code", Value::from("4.2")),
        ("cause", Value::from("gremlins")),
        ("frobnicated", Value::Null),
        ("alternatives", Value::from(vec!["gremlins"])),
    ] {
        let mut object = object.clone();
        object[name] = value;
        assert!(!faults(&object, schema, "object").is_empty(), "{name}");
    }
    let mut object = object;
    object.as_object_mut().unwrap().remove("evidence");
    assert!(!faults(&object, schema, "object").is_empty());
}

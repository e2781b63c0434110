//! The API: the same names as on the command line, and problems that say what is wrong.

use serde_json::Value;

use crate::server::{Answer, Server};

fn json(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.body))
}

#[test]
fn a_text_is_explained_by_address_by_body_and_by_json() {
    let server = Server::start();
    let text = "450 4.2.0 Greylisted, try again in 300 seconds";
    let address = "/api/v1/explain?lang=de&text=450+4.2.0+Greylisted,+try+again+in+300+seconds";
    let body = format!("{{\"text\":\"{text}\",\"lang\":\"de\"}}");
    for answer in [
        server.get(address, ""),
        server.post("/api/v1/explain?lang=de", "text/plain", text.as_bytes()),
        server.post("/api/v1/explain", "application/json", body.as_bytes()),
    ] {
        assert_eq!(answer.status, 200, "{}", answer.body);
        let result = &json(&answer)["results"][0];
        assert_eq!(result["code"], 450);
        assert_eq!(result["cause"], "greylisted");
        assert_eq!(result["retry_after_seconds"], 300);
        assert_eq!(result["kind"], "reply");
        assert!(result["recipient"].is_null());
        let next = result["explanation"]["when_next"].as_str().unwrap();
        assert!(next.contains("5 Minuten"), "{next}");
    }
}

#[test]
fn lines_are_answered_line_by_line_in_order() {
    let server = Server::start();
    let lines = "450 4.2.0 greylisted\n\"550-5.1.1 no\\n550 5.1.1 such user\"\nnothing\n";
    let answer = server.post("/api/v1/explain", "application/x-ndjson", lines.as_bytes());
    let results: Vec<Value> =
        answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(results.len(), 3, "{}", answer.body);
    assert_eq!(results[0]["cause"], "greylisted");
    assert_eq!(results[1]["code"], 550);
    assert!(results[2]["code"].is_null());
}

#[test]
fn many_lines_are_answered_each_also_to_who_writes_all_before_reading() {
    let server = Server::start();
    let count = 3_000;
    let lines: String = (0..count).map(|n| format!("450 4.2.0 greylisted {n}\n")).collect();
    let answer = server.post("/api/v1/explain", "application/x-ndjson", lines.as_bytes());
    assert_eq!(answer.status, 200);
    assert_eq!(answer.field("transfer-encoding"), Some("chunked"));
    let causes = answer.body.lines().map(|line| {
        let result: Value = serde_json::from_str(line).unwrap();
        result["cause"].as_str().unwrap().to_owned()
    });
    assert_eq!(causes.filter(|cause| cause == "greylisted").count(), count);
}

#[test]
fn entries_and_comparisons_are_looked_up() {
    let server = Server::start();
    assert_eq!(json(&server.get("/api/v1/codes/450", ""))["topic"], "450");
    assert_eq!(json(&server.get("/api/v1/causes/greylisted?lang=de", ""))["name"], "Greylisting");
    assert_eq!(json(&server.get("/api/v1/commands/vrfy", ""))["refusals"][1]["code"], 502);
    for list in ["codes", "causes", "commands"] {
        let all = json(&server.get(&format!("/api/v1/{list}"), ""));
        assert!(all.as_array().is_some_and(|all| all.len() > 20), "{list}");
    }
    let compared = json(&server.get("/api/v1/compare?a=450&b=502", ""));
    assert_eq!(compared["differences"][0]["aspect"], "permanence");
}

#[test]
fn problems_say_what_is_wrong() {
    let server = Server::start();
    for (path, status, word) in [
        ("/api/v1/explain", 400, "text"),
        ("/api/v1/explain?text=450&lang=tlh", 400, "tlh"),
        ("/api/v1/codes/999", 404, "999"),
        ("/api/v1/causes/450", 404, "codes/450"),
        ("/api/v1/causes/gremlins", 404, "gremlins"),
        ("/api/v1/compare?a=450", 400, "b"),
        ("/api/v1/gremlins", 404, "openapi.json"),
        ("/api/v1/search/tlh", 404, "tlh"),
    ] {
        let answer = server.get(path, "");
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.field("content-type"), Some("application/problem+json"), "{path}");
        assert!(json(&answer)["detail"].as_str().is_some_and(|told| told.contains(word)), "{path}");
    }
    let wrong = server.post("/api/v1/explain", "application/json", b"{\"text\": 3}");
    assert_eq!(wrong.status, 400);
    let wrong = server.post("/api/v1/explain", "application/json", b"{\n\"text\": 3,}");
    assert!(json(&wrong)["detail"].as_str().unwrap().contains("line 2"), "{}", wrong.body);
    let much = server.post("/api/v1/explain", "text/plain", &vec![b'x'; 5 * 1024 * 1024]);
    assert!(matches!(much.status, 413 | 0), "{}", much.status);
}

#[test]
fn problems_are_told_in_the_readers_language() {
    let server = Server::start();
    let german = "Accept-Language: de-AT, en;q=0.3\r\n";
    for (path, fields) in [
        ("/api/v1/codes/999", german),
        ("/api/v1/codes/999?lang=de", ""),
        ("/api/v1/gremlins", german),
        ("/api/v1/explain?text=450&lang=tlh", german),
    ] {
        let answer = server.get(path, fields);
        assert_eq!(answer.field("content-language"), Some("de"), "{path}");
        let title = json(&answer)["title"].as_str().unwrap().to_owned();
        assert!(title.contains(" nicht"), "{path}: {title}");
        let path = path.replace("lang=de", "");
        assert_ne!(json(&answer)["detail"], json(&server.get(&path, ""))["detail"], "{path}");
    }
}

#[test]
fn a_method_that_is_not_taken_is_a_problem_that_names_those_that_are() {
    let server = Server::start();
    for (path, allowed) in [("/api/v1/codes", "GET,HEAD"), ("/api/v1/explain", "GET,HEAD,POST")] {
        let answer = server.send(format!("PUT {path} HTTP/1.1\r\nHost: x\r\n").as_bytes(), b"");
        assert_eq!((answer.status, answer.field("allow")), (405, Some(allowed)), "{path}");
        assert_eq!(json(&answer)["status"], 405, "{path}");
    }
}

#[test]
fn a_line_without_a_reply_has_its_answer_among_the_others() {
    let server = Server::start();
    let lines = b"450 4.2.0 greylisted\n\n\"unfinished\n\xff\xfe\n550 5.1.1 no such user";
    let answer = server.post("/api/v1/explain", "application/x-ndjson", lines);
    let rules: Vec<String> = answer
        .body
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["evidence"]["rule"].to_string())
        .collect();
    let nothing = "\"nothing-heard\"";
    assert_eq!(rules[1..4], [nothing; 3], "{rules:?}");
    assert_eq!((rules.len(), rules[0].as_str()), (5, "\"greylisted\""));
}

#[test]
fn the_api_describes_every_resource_that_it_has() {
    let server = Server::start();
    let document = json(&server.get("/api/v1/openapi.json", ""));
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    for path in ["/explain", "/compare", "/codes", "/codes/{code}", "/causes", "/commands"] {
        assert!(paths.contains_key(path), "{path}");
    }
}

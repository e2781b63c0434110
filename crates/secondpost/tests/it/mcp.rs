//! The MCP server as its clients call it: JSON-RPC, a message a line, over the pipes of the
//! built binary.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::secondpost;

/// A client that has said hello.
struct Client {
    child: Child,
    to: ChildStdin,
    from: Lines<BufReader<ChildStdout>>,
    id: u64,
}

impl Client {
    fn start() -> Client {
        let mut child = Command::new(env!("CARGO_BIN_EXE_secondpost"))
            .arg("mcp")
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to = child.stdin.take().unwrap();
        let from = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut client = Client { child, to, from, id: 0 };
        let hello = client.ask(
            "initialize",
            &json!({
                "protocolVersion": "2025-11-25", "capabilities": {},
                "clientInfo": { "name": "test", "version": "1" },
            }),
        );
        assert_eq!(hello["result"]["serverInfo"]["name"], "secondpost");
        assert!(hello["result"]["capabilities"]["tools"].is_object());
        client.write(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        client
    }

    fn write(&mut self, line: &str) {
        writeln!(self.to, "{line}").unwrap();
        self.to.flush().unwrap();
    }

    /// Asks, and reads the next message, which is the answer.
    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.id += 1;
        let (id, params) = (self.id, params.to_string());
        self.write(&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#
        ));
        let answer: Value = serde_json::from_str(&self.from.next().unwrap().unwrap()).unwrap();
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        self.ask("tools/call", &json!({ "name": tool, "arguments": arguments }))
    }

    /// What a tool says in words, where it could answer.
    fn words(&mut self, tool: &str, arguments: &Value) -> String {
        let answer = self.call(tool, arguments);
        assert_ne!(answer["result"]["isError"], true, "{answer}");
        answer["result"]["content"][0]["text"].as_str().unwrap().to_owned()
    }

    /// What a tool says that could not answer.
    fn refusal(&mut self, tool: &str, arguments: &Value) -> String {
        let answer = self.call(tool, arguments);
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        answer["result"]["content"][0]["text"].as_str().unwrap().to_owned()
    }
}

#[test]
fn the_tools_are_listed_with_what_they_take() {
    let mut client = Client::start();
    let answer = client.ask("tools/list", &json!({}));
    let tools = answer["result"]["tools"].as_array().unwrap();
    let taken: Vec<(&str, &Value)> = tools
        .iter()
        .map(|tool| (tool["name"].as_str().unwrap(), &tool["inputSchema"]["required"]))
        .collect();
    assert_eq!(
        taken,
        [
            ("explain", &json!(["text"])),
            ("compare", &json!(["a", "b"])),
            ("look_up", &json!(["name"]))
        ]
    );
    for tool in tools {
        let languages = tool["inputSchema"]["properties"]["lang"]["enum"].as_array().unwrap();
        assert!(languages.contains(&json!("de")), "{tool}");
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
    }
}

#[test]
fn a_tool_tells_what_the_command_line_tells() {
    let dir = tempfile::tempdir().unwrap();
    let json_of = |args: &[&str]| -> Value {
        serde_json::from_str(&secondpost(dir.path(), args, b"").out).unwrap()
    };
    let mut client = Client::start();
    let reply = "450 4.2.0 Greylisted, come back in 300 seconds";
    for text in [reply, "502", "greylisted"] {
        let answer = client.call("explain", &json!({ "text": text }));
        let told = &answer["result"]["structuredContent"]["results"];
        assert_eq!(told, &json!([json_of(&["explain", text, "--json"])]), "{text}");
    }
    let answer = client.call("compare", &json!({ "a": "450", "b": "502" }));
    let told = &answer["result"]["structuredContent"];
    assert_eq!(told, &json_of(&["compare", "450", "502", "--json"]));
    let words = client.words("explain", &json!({ "text": reply, "lang": "de" }));
    assert_eq!(words, secondpost(dir.path(), &["explain", reply, "--lang", "de"], b"").out);
    let found = client.call("look_up", &json!({ "name": "pipelining", "lang": "fr" }));
    assert_eq!(found["result"]["structuredContent"]["name"], "Commandes groupées");
}

#[test]
fn what_a_tool_cannot_answer_is_told_where_the_caller_reads_it() {
    let mut client = Client::start();
    for (tool, arguments, said) in [
        ("explain", json!({}), "`text` is missing"),
        ("explain", json!({ "text": " " }), "`text` is empty"),
        ("explain", json!({ "text": 450 }), "`text` is no string"),
        ("explain", json!({ "text": "good morning" }), "there is no SMTP reply in `good morning`"),
        ("explain", json!({ "text": "450", "lang": "tlh" }), "tlh"),
        ("explain", json!({ "text": "450", "language": "de" }), "no argument `language`"),
        ("compare", json!({ "a": "450" }), "`b` is missing"),
        ("look_up", json!({ "name": "620" }), "620"),
    ] {
        let told = client.refusal(tool, &arguments);
        assert!(told.contains(said), "{tool} {arguments}: {told}");
    }
    let answer = client.call("guess", &json!({}));
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
    assert_eq!(answer["error"]["message"], "there is no tool `guess`");
    let answer = client.ask("gossip/list", &json!({}));
    assert_eq!(answer["error"]["code"], -32601, "{answer}");
}

#[test]
fn what_is_no_json_does_not_end_the_session() {
    let mut client = Client::start();
    client.write("{\"jsonrpc\":");
    client.write("\u{0}\u{7f}");
    let words = client.words("look_up", &json!({ "name": "VRFY" }));
    assert!(words.starts_with("VRFY"), "{words}");
    // Whole JSON that is no message has an answer, as it may have wanted one.
    client.write("[1,2]");
    let answer: Value = serde_json::from_str(&client.from.next().unwrap().unwrap()).unwrap();
    assert_eq!(answer["error"]["code"], -32600, "{answer}");
}

#[test]
fn the_end_of_its_input_ends_the_server() {
    let Client { mut child, to, mut from, .. } = Client::start();
    drop(to);
    assert!(from.next().is_none());
    assert!(child.wait().unwrap().success());
    let dir = tempfile::tempdir().unwrap();
    let ended = secondpost(dir.path(), &["mcp"], b"");
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (0, "", ""));
    let ended = secondpost(dir.path(), &["mcp"], b"EHLO client.example\r\n");
    assert_eq!((ended.status, ended.out.as_str()), (0, ""), "{}", ended.err);
}

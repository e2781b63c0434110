//! Logs of one JSON object a line: `journalctl -o json`, what container runtimes and log
//! shippers wrap around a line, and the logs of KumoMTA, Stalwart, Haraka and our own.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::prefix::Prefix;
use super::time::{self, Reference};
use super::{Format, LogEntry, Status, haraka, read_message, secondpost, stalwart};
use crate::{Code, EnhancedCode, Timestamp};

type Object = Map<String, Value>;

/// Reads one object; `None` where it is of no log that is known.
pub(super) fn read(line: &str, reference: Option<&Reference>) -> Option<LogEntry<'static>> {
    if let Some(entry) = kumomta_record(line) {
        return Some(entry);
    }
    let Value::Object(object) = serde_json::from_str(line).ok()? else { return None };
    journald(&object, reference)
        .or_else(|| container(&object, reference))
        .or_else(|| kumomta(&object, reference))
        .or_else(|| stalwart_event(&object, reference))
        .or_else(|| ours(&object, reference))
        .or_else(|| our_story(&object))
        .or_else(|| haraka_object(&object, reference))
        .or_else(|| shipped(&object, reference))
}

fn text<'a>(object: &'a Object, key: &str) -> Option<&'a str> {
    object.get(key)?.as_str()
}

fn owned(object: &Object, key: &str) -> Option<Cow<'static, str>> {
    text(object, key).map(|value| Cow::Owned(value.to_owned()))
}

fn time_of(value: Option<&Value>, reference: Option<&Reference>) -> Option<Timestamp> {
    match value? {
        Value::String(text) => time::at_start(text, reference)?.0,
        Value::Number(number) => {
            let number = number.as_f64()?;
            // Seconds or milliseconds: the year 5000 lies between them.
            let millis = if number > 1e11 { number } else { number * 1000.0 };
            (millis >= 0.0).then_some(Timestamp::from_millis(millis as u64))
        }
        _ => None,
    }
}

/// systemd.journal-fields(7); a message that is no UTF-8 is an array of octets.
fn journald(object: &Object, reference: Option<&Reference>) -> Option<LogEntry<'static>> {
    let message = match object.get("MESSAGE")? {
        Value::String(message) => message.clone(),
        Value::Array(octets) => {
            let octets: Vec<u8> =
                octets.iter().filter_map(|octet| u8::try_from(octet.as_u64()?).ok()).collect();
            String::from_utf8_lossy(&octets).into_owned()
        }
        _ => return None,
    };
    let micros: Option<u64> = ["_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP"]
        .iter()
        .find_map(|key| text(object, key)?.parse().ok());
    let program = text(object, "SYSLOG_IDENTIFIER").or_else(|| text(object, "_COMM"));
    let mut prefix = super::prefix::split(&message, reference);
    if prefix.program.is_empty() {
        prefix.program = program.unwrap_or_default();
    }
    prefix.time = micros.map(|micros| Timestamp::from_millis(micros / 1000)).or(prefix.time);
    read_message(&prefix).map(LogEntry::into_owned)
}

/// Docker's json-file driver: `{"log":"…\n","stream":"stdout","time":"…"}`.
fn container(object: &Object, reference: Option<&Reference>) -> Option<LogEntry<'static>> {
    let line = text(object, "log").filter(|_| object.contains_key("stream"))?;
    let mut entry = super::recognise(line, reference)?.into_owned();
    entry.time = entry.time.or_else(|| time_of(object.get("time"), reference));
    Some(entry)
}

/// A line of syslog that a shipper took apart.
fn shipped(object: &Object, reference: Option<&Reference>) -> Option<LogEntry<'static>> {
    let message = ["message", "msg", "MESSAGE", "log"].iter().find_map(|key| text(object, key))?;
    let program = [
        "program",
        "ident",
        "appname",
        "app_name",
        "syslog_program",
        "programname",
        "process",
        "tag",
        "SYSLOG_IDENTIFIER",
    ]
    .iter()
    .find_map(|key| text(object, key));
    let inner = super::prefix::split(message, reference);
    let time = ["@timestamp", "timestamp", "time", "ts"]
        .iter()
        .find_map(|key| time_of(object.get(*key), reference));
    let program =
        if inner.program.is_empty() { program.unwrap_or_default() } else { inner.program };
    let program = program.split('[').next().unwrap_or_default();
    read_message(&Prefix { time: inner.time.or(time), program, message: inner.message })
        .map(LogEntry::into_owned)
}

/// A log record of KumoMTA (docs.kumomta.com, "Log Record").
fn kumomta(object: &Object, reference: Option<&Reference>) -> Option<LogEntry<'static>> {
    let response = object.get("response").and_then(Value::as_object);
    let is_record =
        object.contains_key("sender") || object.contains_key("recipient") || response.is_some();
    let code = response
        .and_then(|response| u16::try_from(response.get("code")?.as_u64()?).ok())
        .and_then(Code::new);
    let status = match text(object, "type").filter(|_| is_record)? {
        "Delivery" => Status::Sent,
        "TransientFailure" | "Delayed" => Status::Deferred,
        "Bounce" | "AdminBounce" | "Expiration" | "OOB" => Status::Bounced,
        "Rejection" if code.is_some_and(|code| code.value() < 500) => Status::RejectedForNow,
        "Rejection" => Status::Rejected,
        "Reception" => Status::Received,
        "Feedback" | "AdminRebind" | "DeferredInjectionRebind" => Status::Note,
        _ => return None,
    };
    let mut entry = LogEntry::new(Format::KumoMta, status);
    entry.program = Cow::Borrowed("kumod");
    entry.queue_id = owned(object, "id");
    entry.sender = owned(object, "sender");
    entry.recipients = strings(object.get("recipient"));
    entry.time = time_of(object.get("event_time").or_else(|| object.get("timestamp")), reference);
    if let Some(peer) = object.get("peer_address").and_then(Value::as_object) {
        (entry.peer_name, entry.peer_address) = (owned(peer, "name"), owned(peer, "addr"));
    }
    let Some(response) = response else { return Some(entry) };
    entry.code = code.filter(|_| status != Status::Received);
    entry.enhanced_code = response.get("enhanced_code").and_then(enhanced_code);
    entry.diagnosis = owned(response, "content").unwrap_or_default();
    entry.stage = text(response, "command").and_then(super::fields::stage);
    if text(object, "type") == Some("Expiration") {
        (entry.code, entry.diagnosis) =
            (None, format!("message expired: {}", entry.diagnosis).into());
    }
    Some(entry)
}

/// The fields of a usual record of KumoMTA, which are read without building the rest. One
/// with other shapes (several recipients, a time in words) is read by [`kumomta`].
#[derive(Deserialize)]
struct Record {
    #[serde(rename = "type")]
    kind: String,
    id: Option<String>,
    sender: Option<String>,
    recipient: Option<String>,
    response: RecordResponse,
    peer_address: Option<RecordPeer>,
    event_time: Option<f64>,
    timestamp: Option<f64>,
}

#[derive(Deserialize)]
struct RecordResponse {
    code: u16,
    enhanced_code: Option<RecordCode>,
    #[serde(default)]
    content: String,
    command: Option<String>,
}

#[derive(Deserialize)]
struct RecordCode {
    class: u8,
    subject: u16,
    detail: u16,
}

#[derive(Deserialize)]
struct RecordPeer {
    name: Option<String>,
    addr: Option<String>,
}

/// `{"type":"Delivery",…}`, as KumoMTA orders it.
fn kumomta_record(line: &str) -> Option<LogEntry<'static>> {
    if !line.starts_with("{\"type\":\"") {
        return None;
    }
    let record: Record = serde_json::from_str(line).ok()?;
    let status = match &*record.kind {
        "Delivery" => Status::Sent,
        "TransientFailure" => Status::Deferred,
        "Bounce" => Status::Bounced,
        "Reception" => Status::Received,
        _ => return None,
    };
    let own = |text: Option<String>| text.map(Cow::Owned);
    let response = record.response;
    let mut entry = LogEntry::new(Format::KumoMta, status);
    entry.program = Cow::Borrowed("kumod");
    entry.queue_id = own(record.id);
    entry.sender = own(record.sender);
    entry.recipients.extend(own(record.recipient));
    let time = record.event_time.or(record.timestamp).and_then(serde_json::Number::from_f64);
    entry.time = time_of(time.map(Value::Number).as_ref(), None);
    if let Some(peer) = record.peer_address {
        (entry.peer_name, entry.peer_address) = (own(peer.name), own(peer.addr));
    }
    entry.code = Code::new(response.code).filter(|_| status != Status::Received);
    entry.enhanced_code = response
        .enhanced_code
        .and_then(|code| EnhancedCode::new(code.class, code.subject, code.detail));
    entry.stage = response.command.as_deref().and_then(super::fields::stage);
    entry.diagnosis = Cow::Owned(response.content);
    Some(entry)
}

fn enhanced_code(value: &Value) -> Option<EnhancedCode> {
    let part = |key: &str| u16::try_from(value.get(key)?.as_u64()?).ok();
    EnhancedCode::new(u8::try_from(part("class")?).ok()?, part("subject")?, part("detail")?)
}

/// One address or several.
fn strings(value: Option<&Value>) -> Vec<Cow<'static, str>> {
    let one = |value: &Value| match value {
        Value::String(text) => Some(Cow::Owned(text.clone())),
        Value::Object(object) => owned(object, "address"),
        _ => None,
    };
    match value {
        Some(Value::Array(all)) => all.iter().filter_map(one).collect(),
        Some(value) => one(value).into_iter().collect(),
        None => Vec::new(),
    }
}

/// An event of Stalwart: `{"type":"delivery.dsn-perm-fail","data":{…}}`.
fn stalwart_event(object: &Object, reference: Option<&Reference>) -> Option<LogEntry<'static>> {
    let (family, name) = text(object, "type")?.split_once('.')?;
    let data = object.get("data")?.as_object()?;
    let mut entry = LogEntry::new(Format::Stalwart, stalwart::status(family, name));
    entry.program = Cow::Borrowed("stalwart");
    entry.time = time_of(object.get("createdAt"), reference);
    entry.queue_id = data.get("queueId").map(|id| match id.as_str() {
        Some(id) => Cow::Owned(id.to_owned()),
        None => Cow::Owned(id.to_string()),
    });
    entry.sender = owned(data, "from");
    entry.recipients = strings(data.get("to"));
    (entry.peer_name, entry.peer_address) = (owned(data, "hostname"), owned(data, "remoteIp"));
    entry.code = data.get("code").and_then(|code| Code::new(u16::try_from(code.as_u64()?).ok()?));
    let words = ["details", "reason"].iter().find_map(|key| owned(data, key));
    entry.diagnosis = words.unwrap_or_else(|| Cow::Owned(name.replace('-', " ")));
    stalwart::finish(&mut entry);
    Some(entry)
}

/// Our own log: `{"timestamp":…,"level":…,"fields":{"message":"not delivered",…}}`.
fn ours(object: &Object, reference: Option<&Reference>) -> Option<LogEntry<'static>> {
    let fields = object.get("fields")?.as_object()?;
    let status = secondpost::status_of(text(fields, "message")?)?;
    let mut entry = LogEntry::new(Format::Secondpost, status);
    entry.queue_id = Some(owned(fields, "id")?);
    entry.time = time_of(object.get("timestamp"), reference);
    fill_ours(&mut entry, fields);
    if text(fields, "next_at") == Some("never") {
        entry.status = Status::Bounced;
    }
    Some(entry)
}

/// A line of the story that `secondpost why` tells: `{"at":…,"id":…,"event":"attempt",…}`.
fn our_story(object: &Object) -> Option<LogEntry<'static>> {
    let at = object.get("at")?.as_u64()?;
    let status = match text(object, "event")? {
        "received" => Status::Received,
        "attempt" if object.get("next_at").is_some_and(Value::is_string) => Status::Deferred,
        "attempt" | "bounced" => Status::Bounced,
        "delivered" => Status::Sent,
        "ended" => Status::Ended,
        _ => Status::Note,
    };
    let mut entry = LogEntry::new(Format::Secondpost, status);
    entry.queue_id = Some(owned(object, "id")?);
    entry.time = Some(Timestamp::from_millis(at));
    entry.stage = text(object, "stage").and_then(super::fields::stage);
    fill_ours(&mut entry, object);
    Some(entry)
}

fn fill_ours(entry: &mut LogEntry<'static>, fields: &Object) {
    entry.program = Cow::Borrowed("secondpost");
    entry.sender = owned(fields, "sender");
    entry.recipients = strings(fields.get("recipient"));
    entry.peer_name =
        owned(fields, "host").or_else(|| owned(fields, "client")).filter(|host| !host.is_empty());
    entry.diagnosis = owned(fields, "said").unwrap_or_default();
}

/// Haraka with `log.ini`'s `format=json`.
fn haraka_object(object: &Object, reference: Option<&Reference>) -> Option<LogEntry<'static>> {
    let (level, source) =
        (text(object, "level")?, text(object, "source").or_else(|| text(object, "plugin"))?);
    let id = text(object, "uuid")?;
    let message = text(object, "message").unwrap_or_default();
    let line = format!("[{}] [{id}] [{source}] {message}", level.to_ascii_uppercase());
    let mut entry = haraka::read(&line)?.into_owned();
    entry.time = time_of(object.get("timestamp").or_else(|| object.get("time")), reference);
    Some(entry)
}

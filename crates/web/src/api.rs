//! The JSON API: explain, compare, look up, search. Names are those of the command line's
//! `--json`; errors are problem details (RFC 9457); `openapi.json` describes it all.

mod lines;
mod openapi;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_LANGUAGE, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use reply::compare::compare;
use reply::explain::NoSuchLanguage;
use reply::explain::entry::{Entry, NoSuchTopic, Topic, entry};
use reply::heard::{self, Heard, read_any};
use reply::{Cause, Confidence, Language};
use serde::Serialize;
use serde_json::{Value, json};

use crate::headers::{JSON, Keep, fields};
use crate::kept::{Kind, Varies};
use crate::pages::Given;
use crate::site::{MOST_MEGABYTES, Site, client};
use crate::trouble::{self, Problem, Trouble};
use crate::{address, negotiate, search};

/// The content type of one JSON value per line.
const NDJSON: &str = "application/x-ndjson";

/// The routes below `/api/v1`.
pub(crate) fn router() -> Router<Arc<Site>> {
    Router::new()
        .route("/explain", get(explain_address).post(explain_body))
        .route("/compare", get(compare_two))
        .route("/codes", get(all_codes))
        .route("/codes/{code}", get(one))
        .route("/causes", get(all_causes))
        .route("/causes/{cause}", get(one))
        .route("/commands", get(all_commands))
        .route("/commands/{command}", get(one))
        .route("/search/{language}", get(search_names))
        .route("/texts/{language}", get(search_texts))
        .route("/openapi.json", get(openapi::document))
        .method_not_allowed_fallback(not_allowed)
        .fallback(no_resource)
}

async fn not_allowed(request: Request) -> Problem {
    trouble::problem(Trouble::NotAllowed, &request)
}

async fn no_resource(request: Request) -> Result<Response, Problem> {
    let language = language(&given(&request), request.headers())?;
    let path = [("path", "/api/v1/openapi.json")];
    Err(Problem::told(Trouble::NotFound, language, "no-resource", &path))
}

/// The answer to what was given, which nobody keeps.
fn answer(value: &impl Serialize, language: Language) -> Response {
    match serde_json::to_vec(value) {
        Ok(octets) => (fields_in(JSON, language), octets).into_response(),
        Err(error) => {
            Problem::in_words(Trouble::Fault, language, error.to_string()).into_response()
        }
    }
}

/// The header fields of an answer to what was given.
fn fields_in(content_type: &'static str, language: Language) -> HeaderMap {
    let mut fields = fields(content_type, Keep::Never);
    fields.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    fields
}

/// What is the same for every reader: made once under `name`, and kept.
fn kept<T: Serialize>(
    site: &Site,
    request: &Request,
    name: &str,
    language: Language,
    make: impl FnOnce() -> T,
) -> Response {
    let is_named = !given(request).octets("lang").is_empty();
    let varies = if is_named { Varies::Coding } else { Varies::CodingAndLanguage };
    let make = || serde_json::to_string(&make()).unwrap_or_default();
    let name = format!("{name} {language}");
    kept_text(site, request.headers(), varies, &name, Some(language), make)
}

/// The same of JSON as a text.
fn kept_text(
    site: &Site,
    headers: &HeaderMap,
    varies: Varies,
    name: &str,
    language: Option<Language>,
    make: impl FnOnce() -> String,
) -> Response {
    let kind = Kind { content_type: JSON, keep: Keep::AnHour, varies, language };
    // No public address of the site is empty, so that no page has this name.
    site.kept.find_or_make("", name, negotiate::coding(headers), make).answer(kind, headers)
}

/// The language of `lang=`, else the reader's own.
fn language(given: &Given, headers: &HeaderMap) -> Result<Language, Problem> {
    let preferred = trouble::preferred(headers);
    match given.text("lang").as_str() {
        "" => Ok(preferred),
        tag => language_of(tag, preferred),
    }
}

/// The language that was named; the trouble is told in another.
fn language_of(tag: &str, told_in: Language) -> Result<Language, Problem> {
    tag.parse().map_err(|error: NoSuchLanguage| {
        Problem::in_words(Trouble::BadRequest, told_in, error.in_words(told_in))
    })
}

fn given(request: &Request) -> Given {
    Given::parse(request.uri().query().unwrap_or_default().as_bytes())
}

/// The document that describes the API.
pub(crate) fn described() -> String {
    openapi::describe().to_string()
}

/// `GET /explain?text=…&lang=…`
async fn explain_address(
    State(site): State<Arc<Site>>,
    request: Request,
) -> Result<Response, Problem> {
    let given = given(&request);
    let language = language(&given, request.headers())?;
    admitted(&site, &request, language)?;
    match given.octets("text") {
        [] => Err(missing("text", language)),
        text => Ok(answer(&explained(text, language), language)),
    }
}

/// `POST /explain`: the text itself, JSON with `text` and `lang`, or one text per line
/// (NDJSON), answered line by line.
async fn explain_body(
    State(site): State<Arc<Site>>,
    request: Request,
) -> Result<Response, Problem> {
    let language = language(&given(&request), request.headers())?;
    admitted(&site, &request, language)?;
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or("text/plain").split(';').next().unwrap_or_default().trim().to_owned();
    let read = site.body(request, MOST_MEGABYTES * 1024 * 1024).await;
    let octets = read.map_err(|trouble| Problem::of(trouble, language))?;
    match kind.as_str() {
        "application/json" => json_body(&octets, language),
        NDJSON => {
            Ok((fields_in(NDJSON, language), lines::answers(octets, language)).into_response())
        }
        _ => Ok(answer(&explained(&octets, language), language)),
    }
}

fn admitted(site: &Site, request: &Request, language: Language) -> Result<(), Problem> {
    let admits = site.admits(client(request));
    if admits { Ok(()) } else { Err(Problem::of(Trouble::TooMany, language)) }
}

fn missing(name: &'static str, language: Language) -> Problem {
    Problem::told(Trouble::BadRequest, language, "missing", &[("name", name)])
}

fn json_body(octets: &[u8], language: Language) -> Result<Response, Problem> {
    let body: Value = serde_json::from_slice(octets).map_err(|error| {
        let (line, column) = (error.line().to_string(), error.column().to_string());
        let place = [("line", line.as_str()), ("column", &column)];
        Problem::told(Trouble::BadRequest, language, "not-json", &place)
    })?;
    let string = |name: &'static str| match body.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => {
            Err(Problem::told(Trouble::BadRequest, language, "no-string", &[("name", name)]))
        }
    };
    let text = string("text")?.ok_or_else(|| missing("text", language))?;
    let language = string("lang")?.map_or(Ok(language), |tag| language_of(tag, language))?;
    Ok(answer(&explained(text.as_bytes(), language), language))
}

/// What was heard in a text: each with its verdict and its explanation.
fn explained(octets: &[u8], language: Language) -> Value {
    let heard = read_any(octets);
    let results: Vec<Value> = heard.iter().map(|one| result(one, language)).collect();
    json!({ "language": language.tag(), "results": results })
}

/// The verdict's fields, the kind, the recipient, and the words; a complaint has no verdict.
fn result(heard: &Heard, language: Language) -> Value {
    let verdict = heard.verdict.as_ref();
    let mut object = verdict.map_or_else(no_verdict, |verdict| json!(verdict));
    object["kind"] = json!(heard.kind.name());
    object["recipient"] = json!(heard.recipient);
    object["explanation"] = json!(heard.explain(language));
    object
}

/// The same of a text in which nothing was heard, as the command line has it: its cause is
/// not known, and nothing is said of what it does not tell.
fn nothing_heard() -> Value {
    let mut object = no_verdict();
    object["cause"] = json!(Cause::Unknown.name());
    object["evidence"] = json!({ "rule": "nothing-heard", "text": "" });
    object["confidence"] = json!(Confidence::Low.name());
    object["kind"] = json!(heard::Kind::Reply.name());
    object["recipient"] = Value::Null;
    object["explanation"] = Value::Null;
    object
}

fn no_verdict() -> Value {
    json!({
        "code": null, "enhanced_code": null, "cause": null, "permanence": null,
        "whose_move": null, "retry_after_seconds": null, "retry_at": null,
        "alternatives": [], "evidence": null, "confidence": null,
    })
}

/// `GET /compare?a=450&b=502`
async fn compare_two(State(site): State<Arc<Site>>, request: Request) -> Result<Response, Problem> {
    let given = given(&request);
    let language = language(&given, request.headers())?;
    let named = |name: &'static str| match given.text(name) {
        text if text.is_empty() => Err(missing(name, language)),
        text => topic(&text, language),
    };
    let (a, b) = (named("a")?, named("b")?);
    let path = address::Page::Pair(a, b).path();
    Ok(kept(&site, &request, &path, language, || compare(&a, &b, language)))
}

/// What is named in an address.
fn topic(name: &str, language: Language) -> Result<Topic, Problem> {
    name.parse().map_err(|error: NoSuchTopic| {
        Problem::in_words(Trouble::NotFound, language, error.in_words(language))
    })
}

/// `GET /codes/450`, `/causes/greylisted`, `/commands/vrfy`
async fn one(
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let language = language(&given(&request), request.headers())?;
    let topic = topic(&name, language)?;
    let path = address::Page::Entry(topic).path();
    let folder = path.split('/').next().unwrap_or_default();
    // A code below `/causes` is at another address.
    if !request.uri().path().contains(&format!("/{folder}/")) {
        let place = format!("/api/v1/{path}");
        let values = [("topic", &*topic.to_string()), ("path", &place)];
        return Err(Problem::told(Trouble::NotFound, language, "elsewhere", &values));
    }
    Ok(kept(&site, &request, &path, language, || entry(topic, language)))
}

/// Every entry of a folder.
fn entries(site: &Site, folder: &str, request: &Request) -> Result<Response, Problem> {
    let language = language(&given(request), request.headers())?;
    let is_in = |topic: &Topic| address::folder(*topic) == folder;
    let all = || {
        let topics = address::topics().into_iter().filter(is_in);
        topics.map(|topic| entry(topic, language)).collect::<Vec<Entry>>()
    };
    Ok(kept(site, request, folder, language, all))
}

async fn all_codes(State(site): State<Arc<Site>>, request: Request) -> Result<Response, Problem> {
    entries(&site, "codes", &request)
}

async fn all_causes(State(site): State<Arc<Site>>, request: Request) -> Result<Response, Problem> {
    entries(&site, "causes", &request)
}

async fn all_commands(
    State(site): State<Arc<Site>>,
    request: Request,
) -> Result<Response, Problem> {
    entries(&site, "commands", &request)
}

/// `GET /search/de`: the names of everything that can be found, for results as one types.
async fn search_names(
    State(site): State<Arc<Site>>,
    Path(tag): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    in_folder(&site, "search", &tag, &headers, |known| serde_json::to_string(search::names(known)))
}

/// `GET /texts/de`: what the entries say, in the order of their names.
async fn search_texts(
    State(site): State<Arc<Site>>,
    Path(tag): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    in_folder(&site, "texts", &tag, &headers, |known| serde_json::to_string(&search::texts(known)))
}

/// What has an address of its own in each language.
fn in_folder(
    site: &Site,
    folder: &str,
    tag: &str,
    headers: &HeaderMap,
    make: impl FnOnce(Language) -> serde_json::Result<String>,
) -> Result<Response, Problem> {
    let known = Language::COMPLETE.iter().copied().find(|language| language.tag() == tag);
    let known = known.ok_or_else(|| {
        let told_in = trouble::preferred(headers);
        let detail = NoSuchLanguage(tag.to_owned()).in_words(told_in);
        Problem::in_words(Trouble::NotFound, told_in, detail)
    })?;
    let name = format!("{folder} {known}");
    let make = || make(known).unwrap_or_default();
    Ok(kept_text(site, headers, Varies::Coding, &name, Some(known), make))
}

//! Why a request is not answered as it was asked: a status and words in the reader's language,
//! as a page, or for programs as problem details (RFC 9457).

use axum::extract::Request;
use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use reply::Language;
use reply::explain::web;
use serde_json::json;

use crate::headers::{HTML, Keep, fields};
use crate::negotiate;
use crate::pages::{self, Frame, Given};
use crate::site::MOST_MEGABYTES;

/// Most octets of an address. A text that is longer belongs into a body.
pub(crate) const MOST_ADDRESS_OCTETS: usize = 16 * 1024;
/// Most octets of all header fields: far more than a browser sends that has no cookies of ours.
const MOST_FIELD_OCTETS: usize = 32 * 1024;
/// Seconds until a client that asked too often is answered again: by then its bucket holds
/// several requests (`rate`).
const RETRY_AFTER_SECS: &str = "1";

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Something is missing or cannot be read.
    BadRequest,
    /// The address names nothing that there is.
    NotFound,
    /// The address is there, and takes no such method.
    NotAllowed,
    /// The request did not come in whole in time.
    TooSlow,
    /// More octets than are read.
    TooBig,
    /// The same of the address.
    TooLong,
    /// Too many requests of this client.
    TooMany,
    /// The same as too big, of the header fields.
    TooManyFields,
    /// Our own fault.
    Fault,
}

impl Trouble {
    /// Each of them.
    #[cfg(test)]
    pub(crate) const ALL: [Trouble; 9] = [
        Trouble::BadRequest,
        Trouble::NotFound,
        Trouble::NotAllowed,
        Trouble::TooSlow,
        Trouble::TooBig,
        Trouble::TooLong,
        Trouble::TooMany,
        Trouble::TooManyFields,
        Trouble::Fault,
    ];

    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Trouble::BadRequest => StatusCode::BAD_REQUEST,
            Trouble::NotFound => StatusCode::NOT_FOUND,
            Trouble::NotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Trouble::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Trouble::TooBig => StatusCode::PAYLOAD_TOO_LARGE,
            Trouble::TooLong => StatusCode::URI_TOO_LONG,
            Trouble::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Trouble::TooManyFields => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Trouble::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The name of its texts.
    const fn name(self) -> &'static str {
        match self {
            Trouble::BadRequest => "bad-request",
            Trouble::NotFound => "not-found",
            Trouble::NotAllowed => "not-allowed",
            Trouble::TooSlow => "too-slow",
            Trouble::TooBig => "too-big",
            Trouble::TooLong => "too-long",
            Trouble::TooMany => "too-many",
            Trouble::TooManyFields => "too-many-fields",
            Trouble::Fault => "fault",
        }
    }

    /// In a few words.
    pub(crate) fn title(self, language: Language) -> String {
        web(language, self.name(), &[])
    }

    /// In a sentence or two: what it is, and what to do.
    pub(crate) fn told(self, language: Language) -> String {
        let megabytes = MOST_MEGABYTES.to_string();
        web(language, &format!("{}-what", self.name()), &[("megabytes", &megabytes)])
    }

    fn fields(self, content_type: &'static str, language: Language) -> HeaderMap {
        let mut fields = fields(content_type, Keep::Never);
        fields.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        if self == Trouble::TooMany {
            fields.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECS));
        }
        fields
    }

    /// As a page.
    pub(crate) fn page(self, language: Language) -> Response {
        // The page has no address of its own, so that the site's is not named on it.
        let frame = Frame { language, page: None, origin: String::new() };
        let html = pages::trouble(self, &frame);
        (self.status(), self.fields(HTML, language), html).into_response()
    }
}

/// The same as problem details.
#[derive(Debug)]
pub(crate) struct Problem {
    trouble: Trouble,
    language: Language,
    /// What is wrong with this request; where nothing is known, what is so in general.
    detail: String,
}

impl Problem {
    /// One that needs no further words.
    pub(crate) fn of(trouble: Trouble, language: Language) -> Problem {
        Problem { trouble, language, detail: trouble.told(language) }
    }

    /// One in the words of the key `problem-…`.
    pub(crate) fn told(
        trouble: Trouble,
        language: Language,
        name: &str,
        values: &[(&'static str, &str)],
    ) -> Problem {
        let detail = web(language, &format!("problem-{name}"), values);
        Problem { trouble, language, detail }
    }

    /// One whose words are known.
    pub(crate) fn in_words(trouble: Trouble, language: Language, detail: String) -> Problem {
        Problem { trouble, language, detail }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.trouble.status();
        let body = json!({
            "type": "about:blank",
            "title": self.trouble.title(self.language),
            "status": status.as_u16(),
            "detail": self.detail,
        });
        let fields = self.trouble.fields("application/problem+json", self.language);
        (status, fields, body.to_string()).into_response()
    }
}

/// Answers a request that no handler takes: a page, or problem details below the API.
pub(crate) fn answer(trouble: Trouble, request: &Request) -> Response {
    if request.uri().path().starts_with("/api/") {
        problem(trouble, request).into_response()
    } else {
        trouble.page(language_of(request))
    }
}

/// The same below the API, whose handlers do not see where they stand.
pub(crate) fn problem(trouble: Trouble, request: &Request) -> Problem {
    Problem::of(trouble, language_of(request))
}

/// The language that the address names, by its folder or by `lang=`, else the reader's own.
fn language_of(request: &Request) -> Language {
    let folder = request.uri().path().trim_start_matches('/').split('/').next();
    let named = Given::parse(request.uri().query().unwrap_or_default().as_bytes()).text("lang");
    let is_asked = |language: &&Language| {
        folder == Some(language.tag()) || named.eq_ignore_ascii_case(language.tag())
    };
    let asked = Language::COMPLETE.iter().find(is_asked);
    asked.copied().unwrap_or_else(|| preferred(request.headers()))
}

/// The language of a reader who named none.
pub(crate) fn preferred(headers: &HeaderMap) -> Language {
    let accept = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    negotiate::language(accept.unwrap_or_default())
}

/// Whether the head of a request is longer than is read.
pub(crate) fn outsized(request: &Request) -> Option<Trouble> {
    let address = request.uri().path_and_query().map_or(0, |address| address.as_str().len());
    if address > MOST_ADDRESS_OCTETS {
        return Some(Trouble::TooLong);
    }
    let fields = request.headers().iter();
    let octets: usize = fields.map(|(name, value)| name.as_str().len() + value.len()).sum();
    (octets > MOST_FIELD_OCTETS).then_some(Trouble::TooManyFields)
}

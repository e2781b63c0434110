//! Errors as problem details (RFC 9457): a status, a title, and what is wrong with this
//! request.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::headers::{Keep, fields};

/// Why a request is not answered; each says it in a sentence.
#[derive(Debug)]
pub(crate) enum Problem {
    /// Something is missing or cannot be read.
    BadRequest(String),
    /// It names nothing that there is.
    NotFound(String),
    /// More octets than are read.
    TooBig(String),
    /// Too many requests of this client.
    TooMany,
    /// Our own fault.
    Fault(String),
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, detail) = match self {
            Problem::BadRequest(detail) => (StatusCode::BAD_REQUEST, detail),
            Problem::NotFound(detail) => (StatusCode::NOT_FOUND, detail),
            Problem::TooBig(detail) => (StatusCode::PAYLOAD_TOO_LARGE, detail),
            Problem::TooMany => {
                (StatusCode::TOO_MANY_REQUESTS, "wait a few seconds, then try again".to_owned())
            }
            Problem::Fault(detail) => (StatusCode::INTERNAL_SERVER_ERROR, detail),
        };
        let title = status.canonical_reason().unwrap_or_default();
        let body = json!({
            "type": "about:blank",
            "title": title,
            "status": status.as_u16(),
            "detail": detail,
        });
        (status, fields("application/problem+json", Keep::Never), body.to_string()).into_response()
    }
}

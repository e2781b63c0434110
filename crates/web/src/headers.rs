//! The header fields of every answer: what a browser may do with the page, how long it
//! may be kept, and what it is.

use axum::http::HeaderValue;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

/// Nothing from elsewhere, nothing inline, nothing framed.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// How long an answer may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Not at all: it holds what somebody pasted, or depends on who asks.
    Never,
    /// For a while: the texts change with a release alone.
    AnHour,
    /// For good: its address changes with its content.
    Forever,
}

impl Keep {
    const fn value(self) -> &'static str {
        match self {
            Keep::Never => "no-store",
            Keep::AnHour => "public, max-age=3600",
            Keep::Forever => "public, max-age=31536000, immutable",
        }
    }
}

/// The header fields of an answer of that type.
pub(crate) fn fields(content_type: &'static str, keep: Keep) -> HeaderMap {
    let mut fields = HeaderMap::new();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    fields.insert(CACHE_CONTROL, HeaderValue::from_static(keep.value()));
    fields.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    fields.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    fields.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    fields.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if keep == Keep::Never {
        fields.insert(VARY, HeaderValue::from_static("Accept-Language"));
    }
    fields
}

/// HTML in UTF-8.
pub(crate) const HTML: &str = "text/html; charset=utf-8";
/// JSON.
pub(crate) const JSON: &str = "application/json";

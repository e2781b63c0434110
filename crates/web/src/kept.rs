//! What is kept of what the site shows: each page as it was rendered, plain and compressed,
//! under an entity tag. It changes with a release alone, so that a browser which has it needs
//! no second copy (RFC 9110 §13), and it holds nothing that a reader gave.
//!
//! An answer to what was pasted or searched for never comes here, and so is never compressed:
//! how short compression makes an answer tells whether two of its parts resemble each other,
//! and there the one may be a stranger's and the other the reader's (BREACH).

use std::collections::HashMap;
use std::io::Write;
use std::sync::{PoisonError, RwLock};

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LANGUAGE, ETAG, VARY};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use reply::Language;

use crate::headers::{Keep, fields};
use crate::negotiate::{self, Coding};

/// Most octets of rendered pages that are kept, plain and compressed together.
const KEPT_OCTETS: usize = 64 * 1024 * 1024;
/// What is shorter fits into one packet anyway, and is not compressed.
const LEAST_COMPRESSED: usize = 1024;

/// One representation (RFC 9110 §3.2): the octets in one coding, and the tag that is theirs
/// alone.
#[derive(Clone, Debug)]
pub(crate) struct Representation {
    octets: Bytes,
    coding: Coding,
    tag: HeaderValue,
}

impl Representation {
    fn of(octets: Bytes, coding: Coding) -> Representation {
        let tag = format!("\"{:016x}\"", checksum(&octets));
        // Sixteen digits between quotes are a good value.
        let tag = HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"\""));
        Representation { octets, coding, tag }
    }

    fn plain(octets: Bytes) -> Representation {
        Representation::of(octets, Coding::Identity)
    }

    /// The same compressed, where that makes it shorter.
    fn compressed(&self) -> Representation {
        let packed = if self.octets.len() < LEAST_COMPRESSED { None } else { gzip(&self.octets) };
        match packed.filter(|packed| packed.len() < self.octets.len()) {
            Some(packed) => Representation::of(Bytes::from(packed), Coding::Gzip),
            None => self.clone(),
        }
    }

    /// Octets that are held for it alone: one that is not compressed shares the plain one's.
    fn own_octets(&self) -> usize {
        if self.coding == Coding::Identity { 0 } else { self.octets.len() }
    }

    /// The answer to a request with those header fields: 304 where the reader has it already.
    pub(crate) fn answer(&self, kind: Kind, asked: &HeaderMap) -> Response {
        let mut fields = fields(kind.content_type, kind.keep);
        fields.insert(ETAG, self.tag.clone());
        fields.insert(VARY, HeaderValue::from_static(kind.varies.value()));
        if let Some(language) = kind.language {
            fields.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        }
        if negotiate::holds(asked, self.tag.as_bytes()) {
            return (StatusCode::NOT_MODIFIED, fields).into_response();
        }
        if self.coding == Coding::Gzip {
            fields.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        (fields, Body::from(self.octets.clone())).into_response()
    }
}

fn gzip(octets: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(octets.len() / 2), Compression::default());
    encoder.write_all(octets).ok()?;
    encoder.finish().ok()
}

/// What is said of a representation besides its octets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) content_type: &'static str,
    pub(crate) keep: Keep,
    pub(crate) varies: Varies,
    /// The language that it is written in, if it is in one.
    pub(crate) language: Option<Language>,
}

/// Which of the reader's wishes the answer depends on, besides its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Varies {
    /// How it is compressed.
    Coding,
    /// That, and the language that the reader prefers.
    CodingAndLanguage,
}

impl Varies {
    const fn value(self) -> &'static str {
        match self {
            Varies::Coding => "Accept-Encoding",
            Varies::CodingAndLanguage => "Accept-Encoding, Accept-Language",
        }
    }
}

/// Whether a request only reads, so that what is kept may answer it.
pub(crate) fn only_reads(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Representations by the site's public address, which stands in pages, and their own.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    kept: RwLock<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    octets: usize,
    pages: HashMap<String, HashMap<String, Forms>>,
}

#[derive(Debug)]
struct Forms {
    plain: Representation,
    /// Made when a reader first asks for it.
    gzip: Option<Representation>,
}

impl Forms {
    fn get(&self, coding: Coding) -> Option<&Representation> {
        match coding {
            Coding::Identity => Some(&self.plain),
            Coding::Gzip => self.gzip.as_ref(),
        }
    }

    fn octets(&self) -> usize {
        self.plain.octets.len() + self.gzip.as_ref().map_or(0, Representation::own_octets)
    }
}

impl Pages {
    fn get(&self, origin: &str, path: &str) -> Option<&Forms> {
        self.pages.get(origin)?.get(path)
    }

    /// Makes room for so many octets more: where there is none, all are forgotten at once.
    fn make_room(&mut self, octets: usize) {
        if self.octets + octets > KEPT_OCTETS {
            *self = Pages::default();
        }
        self.octets += octets;
    }

    fn add(&mut self, origin: &str, path: &str, plain: Representation) {
        self.make_room(plain.octets.len());
        let pages = self.pages.entry(origin.to_owned()).or_default();
        let before = pages.insert(path.to_owned(), Forms { plain, gzip: None });
        // Two readers may have had it rendered at once.
        self.octets -= before.map_or(0, |before| before.octets());
    }

    fn add_compressed(&mut self, origin: &str, path: &str, packed: Representation) {
        let octets = packed.own_octets();
        self.make_room(octets);
        let forms = self.pages.get_mut(origin).and_then(|pages| pages.get_mut(path));
        match forms {
            Some(forms) if forms.gzip.is_none() => forms.gzip = Some(packed),
            _ => self.octets -= octets,
        }
    }
}

impl Kept {
    /// What is at `path` in that coding, if it was made before.
    pub(crate) fn find(&self, origin: &str, path: &str, coding: Coding) -> Option<Representation> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.get(origin, path)?.get(coding).cloned()
    }

    /// What is at `path` in that coding, kept or as `render` makes it now.
    pub(crate) fn find_or_make(
        &self,
        origin: &str,
        path: &str,
        coding: Coding,
        render: impl FnOnce() -> String,
    ) -> Representation {
        if let Some(found) = self.find(origin, path, coding) {
            return found;
        }
        let plain = self.find(origin, path, Coding::Identity).unwrap_or_else(|| {
            let made = Representation::plain(Bytes::from(render()));
            self.write(|kept| kept.add(origin, path, made.clone()));
            made
        });
        if coding == Coding::Identity {
            return plain;
        }
        let packed = plain.compressed();
        self.write(|kept| kept.add_compressed(origin, path, packed.clone()));
        packed
    }

    fn write(&self, change: impl FnOnce(&mut Pages)) {
        change(&mut self.kept.write().unwrap_or_else(PoisonError::into_inner));
    }
}

/// FNV-1a: it tells versions apart and need not withstand anybody.
pub(crate) fn checksum(content: &[u8]) -> u64 {
    content.iter().fold(0xcbf2_9ce4_8422_2325, |sum, octet| {
        (sum ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(kept: &Kept) -> (usize, usize) {
        let pages = kept.kept.read().unwrap();
        let held = pages.pages.values().flat_map(HashMap::values).map(Forms::octets).sum();
        (pages.octets, held)
    }

    #[test]
    fn what_is_kept_is_counted_and_bounded() {
        let kept = Kept::default();
        // Octets that gzip makes little shorter.
        let page = |n: u32| (0..40_000).map(|i| char::from(33 + (i * n % 89) as u8)).collect();
        for n in 0..2_000_u32 {
            for coding in [Coding::Identity, Coding::Gzip] {
                kept.find_or_make("", &n.to_string(), coding, || page(n));
            }
            let (counted, held) = octets(&kept);
            assert_eq!(counted, held, "after {n}");
            assert!(counted <= KEPT_OCTETS, "{counted}");
        }
    }

    #[test]
    fn a_page_is_rendered_once_and_what_is_short_stays_plain() {
        let kept = Kept::default();
        let made = |text: &str, coding| {
            kept.find_or_make("", &text.len().to_string(), coding, || text.to_owned())
        };
        let (short, long) = ("x".repeat(LEAST_COMPRESSED - 1), "x".repeat(LEAST_COMPRESSED));
        assert_eq!(made(&short, Coding::Gzip).coding, Coding::Identity);
        let packed = made(&long, Coding::Gzip);
        assert_eq!(packed.coding, Coding::Gzip);
        assert_ne!(packed.tag, made(&long, Coding::Identity).tag);
        let again = kept.find_or_make("", "1024", Coding::Gzip, || unreachable!("it is kept"));
        assert_eq!(again.tag, packed.tag);
    }
}

//! What the reader's client prefers: the language of one who named none in the address, the
//! best of Accept-Language (RFC 9110 §12.5.4) that there are texts in; how the answer may be
//! compressed (§12.5.3); and whether the client holds it already (§13.1.2).

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_ENCODING, IF_NONE_MATCH};
use reply::Language;

/// Most entries of a list of wishes that are looked at.
const MOST_WISHES: usize = 20;

/// How the octets of an answer are coded. There is no Brotli and no zstd: what packs better
/// than gzip in Rust alone is not among the crates that this program is built from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    /// As they are.
    Identity,
    /// Compressed by gzip (RFC 1952).
    Gzip,
}

/// The coding that a client with those header fields likes best; gzip where it does not care,
/// and identity where it names nothing that we have.
pub(crate) fn coding(asked: &HeaderMap) -> Coding {
    let (mut gzip, mut identity, mut any) = (None, None, None);
    let values = asked.get_all(ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
    for wish in values.flat_map(|value| value.split(',')).take(MOST_WISHES) {
        let (name, weight) = wish.split_once(';').unwrap_or((wish, ""));
        let weight = Some(thousandths(weight.trim()));
        match name.trim() {
            name if is_gzip(name) => gzip = gzip.max(weight),
            name if name.eq_ignore_ascii_case("identity") => identity = weight,
            "*" => any = weight,
            _ => {}
        }
    }
    let gzip = gzip.or(any).unwrap_or(0);
    if gzip > 0 && gzip >= identity.or(any).unwrap_or(0) { Coding::Gzip } else { Coding::Identity }
}

/// `x-gzip` is another name for it (RFC 9110 §8.4.1.3).
fn is_gzip(name: &str) -> bool {
    name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip")
}

/// Whether the client says that it holds what has the entity tag `tag`, whose octets include
/// its quotes. Tags are compared weakly: a cache on the way may have marked ours as weak.
pub(crate) fn holds(asked: &HeaderMap, tag: &[u8]) -> bool {
    let lists = asked.get_all(IF_NONE_MATCH).into_iter();
    lists.flat_map(|list| list.as_bytes().split(|octet| *octet == b',')).any(|held| {
        let held = held.trim_ascii();
        held == b"*" || held.strip_prefix(b"W/").unwrap_or(held) == tag
    })
}

/// The language that suits `accept` best; English where none does.
pub(crate) fn language(accept: &str) -> Language {
    let mut best: (u16, Option<Language>) = (0, None);
    for range in accept.split(',').take(MOST_WISHES) {
        let (tag, weight) = range.split_once(';').unwrap_or((range, ""));
        let weight = thousandths(weight.trim());
        let known = tag.trim().parse::<Language>().ok();
        if known.is_some() && weight > best.0 {
            best = (weight, known);
        }
    }
    best.1.unwrap_or_default()
}

/// `q=0.8` is 800; without a weight it is 1000; what is no weight counts nothing.
fn thousandths(weight: &str) -> u16 {
    if weight.is_empty() {
        return 1000;
    }
    let number = weight.strip_prefix("q=").or_else(|| weight.strip_prefix("Q="));
    match number.and_then(|number| number.trim().parse::<f32>().ok()) {
        // Between 0 and 1000, so that the cast cuts nothing off.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Some(number) if (0.0..=1.0).contains(&number) => (number * 1000.0) as u16,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_language_that_there_are_texts_in_decides() {
        let check = |accept: &str, tag: &str| assert_eq!(language(accept).tag(), tag, "{accept}");
        check("de-AT,de;q=0.9,en;q=0.5", "de");
        check("tlh, en;q=0.3, de;q=0.7", "de");
        check("en;q=0.3, de;q=0", "en");
        check("", "en");
        check("*", "en");
        check("de;q=nonsense, en;q=0.1", "en");
        check("xx;q=2", "en");
    }

    fn fields(name: axum::http::HeaderName, values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn an_answer_is_compressed_where_the_client_likes_that_no_less() {
        let check = |accept: &[&str], wanted: Coding| {
            assert_eq!(coding(&fields(ACCEPT_ENCODING, accept)), wanted, "{accept:?}");
        };
        check(&[], Coding::Identity);
        check(&[""], Coding::Identity);
        check(&["gzip, deflate, br, zstd"], Coding::Gzip);
        check(&["br;q=1.0, GZIP;q=0.2"], Coding::Gzip);
        check(&["x-gzip"], Coding::Gzip);
        check(&["br", "gzip"], Coding::Gzip);
        check(&["br, zstd"], Coding::Identity);
        check(&["gzip;q=0"], Coding::Identity);
        check(&["gzip;q=0.000, *"], Coding::Identity);
        check(&["*"], Coding::Gzip);
        check(&["*;q=0"], Coding::Identity);
        check(&["gzip;q=0.5, identity"], Coding::Identity);
        check(&["gzip;q=0.5, identity;q=0.5"], Coding::Gzip);
        check(&["identity;q=0.5, *;q=0.4"], Coding::Identity);
        check(&["identity;q=0, gzip;q=0.1"], Coding::Gzip);
        check(&["gzip;q=2", "gzip ; q=nonsense"], Coding::Identity);
    }

    #[test]
    fn a_client_holds_what_one_of_its_tags_names() {
        let check = |tags: &[&str], wanted: bool| {
            assert_eq!(holds(&fields(IF_NONE_MATCH, tags), b"\"1f\""), wanted, "{tags:?}");
        };
        check(&[], false);
        check(&["\"1f\""], true);
        check(&["W/\"1f\""], true);
        check(&["\"00\",  \"1f\""], true);
        check(&["\"00\"", "\"1f\""], true);
        check(&["*"], true);
        check(&["1f"], false);
        check(&["\"1\", \"f\", w/\"1f\", \"\", ,"], false);
    }
}

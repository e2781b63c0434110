//! What readers keep: entity tags, answers of 304, compressed bodies, and what is never kept.

use std::io::Read;

use flate2::read::GzDecoder;

use crate::server::{Answer, Server};

/// What is the same for every reader, one of each kind.
const KEPT: [&str; 19] = [
    "/en/",
    "/de/codes",
    "/fr/enhanced",
    "/es/causes",
    "/ja/commands",
    "/pt/compare",
    "/en/search",
    "/en/explain",
    "/en/codes/450",
    "/de/causes/greylisted/",
    "/fr/commands/vrfy",
    "/ja/compare/450-vs-502",
    "/sitemap.xml",
    "/sitemap-de.xml",
    "/robots.txt",
    "/api/v1/openapi.json",
    "/api/v1/search/ja",
    "/api/v1/texts/de",
    "/api/v1/codes?lang=fr",
];

/// What a reader gave, and what depends on it.
const ASKED: [&str; 6] = [
    "/en/search?q=full",
    "/en/explain?text=450+4.2.0+greylisted",
    "/en/compare?a=x&b=502",
    "/api/v1/explain?text=450+4.2.0+greylisted",
    "/en/codes/999",
    "/codes/450",
];

const GZIP: &str = "Accept-Encoding: gzip, deflate, br, zstd\r\n";

/// The addresses of [`KEPT`], and those of style, script and icon.
fn kept(server: &Server) -> Vec<String> {
    let page = server.get("/en/", "").body;
    let assets = page.split('"').filter(|part| part.starts_with("/assets/"));
    let assets: Vec<String> = assets.map(str::to_owned).collect();
    assert_eq!(assets.len(), 3, "{assets:?}");
    KEPT.iter().map(|path| (*path).to_owned()).chain(assets).collect()
}

fn unpacked(answer: &Answer) -> Vec<u8> {
    let mut octets = Vec::new();
    GzDecoder::new(answer.octets.as_slice()).read_to_end(&mut octets).unwrap();
    octets
}

fn tag(answer: &Answer) -> &str {
    let tag = answer.field("etag").unwrap_or_else(|| panic!("no entity tag: {}", answer.head));
    assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 10, "{tag} is not strong");
    tag
}

#[test]
fn what_a_reader_has_is_not_sent_again() {
    let server = Server::start();
    for path in kept(&server) {
        for fields in ["", GZIP] {
            let first = server.get(&path, fields);
            assert_eq!(first.status, 200, "{path}");
            let tags = format!("{fields}If-None-Match: \"0\", {}\r\n", tag(&first));
            for again in [server.get(&path, &tags), server.head(&path, &tags)] {
                assert_eq!(
                    (again.status, again.octets.as_slice()),
                    (304, b"".as_slice()),
                    "{path}"
                );
                for field in ["etag", "vary", "cache-control"] {
                    assert_eq!(again.field(field), first.field(field), "{field} of {path}");
                }
                assert_eq!(again.field("content-encoding"), None, "{path}");
            }
            let changed = server.get(&path, &format!("{fields}If-None-Match: \"0\"\r\n"));
            assert_eq!((changed.status, changed.octets), (200, first.octets), "{path}");
        }
    }
}

#[test]
fn a_compressed_answer_holds_the_same_octets_under_a_tag_of_its_own() {
    let server = Server::start();
    for path in kept(&server) {
        let (plain, packed) = (server.get(&path, ""), server.get(&path, GZIP));
        assert_eq!(plain.field("content-encoding"), None, "{path}");
        assert!(plain.field("vary").is_some_and(|vary| vary.contains("Accept-Encoding")), "{path}");
        assert_eq!(plain.field("vary"), packed.field("vary"), "{path}");
        if plain.octets.len() < 1024 {
            assert_eq!(packed.field("content-encoding"), None, "{path} is short");
            assert_eq!(packed.octets, plain.octets, "{path}");
            continue;
        }
        assert_eq!(packed.field("content-encoding"), Some("gzip"), "{path}");
        assert_eq!(unpacked(&packed), plain.octets, "{path}");
        assert!(packed.octets.len() * 2 < plain.octets.len(), "{path}");
        assert_ne!(tag(&plain), tag(&packed), "{path}");
        let length = packed.octets.len().to_string();
        assert_eq!(packed.field("content-length"), Some(length.as_str()), "{path}");
        let head = server.head(&path, GZIP);
        assert_eq!((head.status, head.octets.as_slice()), (200, b"".as_slice()), "{path}");
        for field in ["etag", "vary", "content-encoding", "content-length", "content-type"] {
            assert_eq!(head.field(field), packed.field(field), "{field} of {path}");
        }
    }
}

#[test]
fn who_wants_no_gzip_gets_none() {
    let server = Server::start();
    for wish in ["gzip;q=0", "br, zstd", "identity, gzip;q=0.5", "*;q=0"] {
        let answer = server.get("/en/codes/450", &format!("Accept-Encoding: {wish}\r\n"));
        assert_eq!(answer.field("content-encoding"), None, "{wish}");
        assert!(answer.body.starts_with("<!doctype html>"), "{wish}");
    }
}

#[test]
fn what_somebody_gave_is_neither_kept_nor_compressed() {
    let server = Server::start();
    let pasted = format!("text=450+4.2.0+greylisted+{}", "x".repeat(4000));
    let form = format!("{GZIP}Content-Type: application/x-www-form-urlencoded\r\n");
    let lines = format!("{GZIP}Content-Type: application/x-ndjson\r\n");
    let mut answers = vec![
        ("a form".to_owned(), server.post_with("/en/explain", &form, pasted.as_bytes())),
        ("lines".to_owned(), server.post_with("/api/v1/explain", &lines, b"450 x\n550 y\n")),
    ];
    answers.extend(ASKED.map(|path| (path.to_owned(), server.get(path, GZIP))));
    for (what, answer) in answers {
        assert_eq!(answer.field("cache-control"), Some("no-store"), "{what}");
        assert_eq!(answer.field("content-encoding"), None, "{what}");
        assert_eq!(answer.field("etag"), None, "{what}");
    }
}

#[test]
fn a_form_that_was_opened_empty_still_answers() {
    let server = Server::start();
    for (page, question, answer) in [
        ("/en/search", "q=greylisting", "/en/causes/greylisted"),
        ("/en/explain", "text=450+4.2.0+Greylisted,+come+back+in+300+seconds", "5 minutes"),
        ("/en/compare", "a=nonsense&b=502", "nonsense"),
    ] {
        assert!(!server.get(page, "").body.contains(answer), "{page}");
        assert!(server.get(&format!("{page}?{question}"), "").body.contains(answer), "{page}");
    }
}

#[test]
fn an_answer_says_whether_the_readers_language_changes_it() {
    let server = Server::start();
    let vary = |path: &str| server.get(path, "").field("vary").unwrap_or_default().to_owned();
    assert_eq!(vary("/api/v1/codes/450"), "Accept-Encoding, Accept-Language");
    assert_eq!(vary("/api/v1/compare?a=450&b=502"), "Accept-Encoding, Accept-Language");
    assert_eq!(vary("/api/v1/codes/450?lang=de"), "Accept-Encoding");
    assert_eq!(vary("/de/codes/450"), "Accept-Encoding");
    let [german, french] = ["de", "fr"].map(|language| {
        let answer = server.get("/api/v1/codes/450", &format!("Accept-Language: {language}\r\n"));
        tag(&answer).to_owned()
    });
    assert_ne!(german, french);
}

#[test]
fn a_tag_outlives_the_server_that_gave_it() {
    let [first, second] = [Server::start(), Server::start()];
    for path in ["/de/codes/450", "/api/v1/search/ja"] {
        for fields in ["", GZIP] {
            assert_eq!(tag(&first.get(path, fields)), tag(&second.get(path, fields)), "{path}");
        }
    }
}

#[test]
fn a_page_is_not_posted_to() {
    let server = Server::start();
    server.get("/en/codes/450", "");
    for path in ["/en/codes/450", "/en/"] {
        let answer = server.post(path, "text/plain", b"x");
        assert_eq!((answer.status, answer.field("allow")), (405, Some("GET, HEAD")), "{path}");
    }
}

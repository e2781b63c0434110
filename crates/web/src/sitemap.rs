//! What crawlers are told: robots.txt, an index of sitemaps, and a sitemap for each
//! language. The same for the live site and for the exported one.

use std::fmt::Write;

use reply::Language;

use crate::address::{Page, topics};

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
const SCHEMA: &str = "http://www.sitemaps.org/schemas/sitemap/0.9";

/// robots.txt: everything may be read but what depends on a question.
pub(crate) fn robots(origin: &str) -> String {
    let mut text = String::from("User-agent: *\n");
    for language in Language::COMPLETE {
        for page in [Page::Search, Page::Explain] {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "Disallow: {}", page.href(*language));
        }
    }
    let _ = writeln!(text, "Sitemap: {origin}/sitemap.xml");
    text
}

/// The sitemap at that address, if there is one.
pub(crate) fn at(path: &str, origin: &str) -> Option<String> {
    if path == "sitemap.xml" {
        return Some(index(origin));
    }
    let tag = path.strip_prefix("sitemap-")?.strip_suffix(".xml")?;
    let language = Language::COMPLETE.iter().find(|language| language.tag() == tag)?;
    Some(of_language(*language, origin))
}

fn index(origin: &str) -> String {
    let mut xml = format!("{HEAD}<sitemapindex xmlns=\"{SCHEMA}\">\n");
    for language in Language::COMPLETE {
        let _ = writeln!(xml, "<sitemap><loc>{origin}/sitemap-{language}.xml</loc></sitemap>");
    }
    xml + "</sitemapindex>\n"
}

fn of_language(language: Language, origin: &str) -> String {
    let lists = [Page::Home, Page::Codes, Page::EnhancedCodes, Page::Causes, Page::Commands];
    let entries = topics().into_iter().map(Page::Entry);
    let mut xml = format!("{HEAD}<urlset xmlns=\"{SCHEMA}\">\n");
    for page in lists.into_iter().chain([Page::Compare]).chain(entries) {
        let _ = writeln!(xml, "<url><loc>{origin}{}</loc></url>", page.href(language));
    }
    xml + "</urlset>\n"
}

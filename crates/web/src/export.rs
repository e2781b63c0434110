//! The whole reference as static files, for any host: a folder for each page with an
//! index.html in it, so that the addresses are those of the live site.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;
use std::thread;

use reply::Language;
use reply::explain::entry::{Topic, entry};

use crate::address::{Page, basic_codes, topics};
use crate::assets::assets;
use crate::pages::{self, Frame, often_compared, partners};
use crate::{api, search, sitemap};

/// How much was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Pages.
    pub pages: usize,
    /// Octets of all files.
    pub octets: u64,
}

/// Writes the reference below `folder`; `origin` is where it will be for the world.
///
/// # Errors
/// Those of the file system; the error names the path.
pub fn export(folder: &Path, origin: &str) -> io::Result<Written> {
    let origin = origin.trim_end_matches('/');
    let mut written = write_shared(folder, origin)?;
    let pages = every_page();
    let parts: io::Result<Vec<Written>> = thread::scope(|scope| {
        let work: Vec<_> = Language::COMPLETE
            .iter()
            .map(|language| scope.spawn(|| write_language(*language, &pages, folder, origin)))
            .collect();
        let joined = work.into_iter().map(|part| {
            part.join().unwrap_or_else(|_| Err(io::Error::other("a page could not be made")))
        });
        joined.collect()
    });
    for part in parts? {
        written.pages += part.pages;
        written.octets += part.octets;
    }
    Ok(written)
}

/// Lists, every pair of basic codes, and every entry and pair that a page leads to: on a
/// host of files there is nothing else.
pub(crate) fn every_page() -> Vec<Page> {
    let mut found = Found::default();
    for list in [Page::Home, Page::Codes, Page::EnhancedCodes, Page::Causes, Page::Commands] {
        found.add(list);
    }
    found.add(Page::Compare);
    let mut topics = topics();
    let mut at = 0;
    while let Some(topic) = topics.get(at).copied() {
        at += 1;
        if found.add(Page::Entry(topic)) {
            let entry = entry(topic, Language::En);
            for partner in partners(topic, &entry) {
                found.add(Page::pair(topic, partner));
                topics.push(partner);
            }
            topics.extend(entry.facts.codes.iter().copied().map(Topic::Code));
            topics.extend(entry.facts.enhanced_codes.iter().copied().map(Topic::Enhanced));
        }
    }
    let codes = basic_codes();
    let pairs = codes.iter().enumerate();
    for (a, b) in pairs.flat_map(|(at, a)| codes[at + 1..].iter().map(move |b| (*a, *b))) {
        found.add(Page::pair(a, b));
    }
    for (a, b) in often_compared() {
        found.add(Page::pair(a, b));
    }
    found.pages
}

/// Pages in the order in which they were found, each once.
#[derive(Default)]
struct Found {
    pages: Vec<Page>,
    known: HashSet<Page>,
}

impl Found {
    /// Whether it was not known yet.
    fn add(&mut self, page: Page) -> bool {
        let is_new = self.known.insert(page);
        if is_new {
            self.pages.push(page);
        }
        is_new
    }
}

fn write_language(
    language: Language,
    pages: &[Page],
    folder: &Path,
    origin: &str,
) -> io::Result<Written> {
    let mut written = Written::default();
    for page in pages {
        let frame = Frame { language, page: Some(*page), origin: origin.to_owned() };
        let html = pages::render(*page, &frame);
        let below = folder.join(language.tag()).join(page.path());
        write(&below.join("index.html"), html.as_bytes(), &mut written)?;
        written.pages += 1;
    }
    let names = serde_json::to_vec(search::names(language)).map_err(io::Error::other)?;
    let texts = serde_json::to_vec(&search::texts(language)).map_err(io::Error::other)?;
    for (kind, json) in [("search", names), ("texts", texts)] {
        let path = folder.join("api/v1").join(kind).join(language.tag());
        write(&path, &json, &mut written)?;
    }
    Ok(written)
}

/// What belongs to no language.
fn write_shared(folder: &Path, origin: &str) -> io::Result<Written> {
    let mut written = Written::default();
    for asset in assets().all() {
        let path = folder.join("assets").join(&asset.name);
        write(&path, asset.content.as_bytes(), &mut written)?;
    }
    write(&folder.join("api/v1/openapi.json"), api::described().as_bytes(), &mut written)?;
    write(&folder.join("robots.txt"), sitemap::robots(origin).as_bytes(), &mut written)?;
    let tags = Language::COMPLETE.iter().map(|language| format!("sitemap-{language}.xml"));
    for name in std::iter::once("sitemap.xml".to_owned()).chain(tags) {
        let xml = sitemap::at(&name, origin).unwrap_or_default();
        write(&folder.join(&name), xml.as_bytes(), &mut written)?;
    }
    let home = Page::Home.href(Language::default());
    let start = format!("<!doctype html><meta http-equiv=\"refresh\" content=\"0; url={home}\">\n");
    write(&folder.join("index.html"), start.as_bytes(), &mut written)?;
    Ok(written)
}

fn write(path: &Path, content: &[u8], written: &mut Written) -> io::Result<()> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(named)?;
    }
    fs::write(path, content).map_err(named)?;
    written.octets += content.len() as u64;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_page_that_a_page_leads_to_is_there() {
        let (pages, language) = (every_page(), Language::En);
        let known: HashSet<String> = pages.iter().map(|page| page.href(language)).collect();
        for page in &pages {
            let frame = Frame { language, page: Some(*page), origin: String::new() };
            let html = pages::render(*page, &frame);
            for link in html.split("href=\"/en/").skip(1) {
                let href = format!("/en/{}", link.split(['"', '#']).next().unwrap_or_default());
                assert!(known.contains(&href), "{} leads to {href}", page.href(language));
            }
        }
    }

    #[test]
    fn every_pair_of_basic_codes_and_every_entry_is_written_once() {
        let pages = every_page();
        let paths: BTreeSet<String> = pages.iter().map(|page| page.path()).collect();
        assert_eq!(paths.len(), pages.len());
        for path in ["codes/450", "causes/greylisted", "commands/vrfy", "compare/450-vs-502"] {
            assert!(paths.contains(path), "{path}");
        }
        let pairs = basic_codes().len() * (basic_codes().len() - 1) / 2;
        assert!(paths.iter().filter(|path| path.starts_with("compare/")).count() >= pairs);
    }

    #[test]
    fn files_stand_at_the_addresses_of_the_live_site() {
        let folder = tempfile::tempdir().unwrap();
        let origin = "https://replies.test";
        write_shared(folder.path(), origin).unwrap();
        let pages = ["", "codes/450", "compare/450-vs-502"].map(|path| Page::parse(path).unwrap());
        let written = write_language(Language::De, &pages, folder.path(), origin).unwrap();
        assert_eq!(written.pages, 3);
        let pages = ["de/index.html", "de/codes/450/index.html", "sitemap-de.xml", "robots.txt"];
        let searched = ["api/v1/search/de", "api/v1/texts/de", "api/v1/openapi.json"];
        for file in pages.into_iter().chain(searched) {
            assert!(folder.path().join(file).is_file(), "{file}");
        }
        assert_eq!(fs::read_dir(folder.path().join("assets")).unwrap().count(), 3);
    }
}

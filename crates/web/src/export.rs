//! The whole reference as static files, for any host: a folder for each page with an
//! index.html in it, so that the addresses are those of the live site.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::thread;

use reply::Language;
use reply::explain::entry::{Topic, entry};

use crate::address::{Page, basic_codes, topics};
use crate::assets::assets;
use crate::pages::{self, Frame, partners};
use crate::{search, sitemap};

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

/// Lists and entries, every pair of basic codes, and every pair that an entry links to.
pub(crate) fn every_page() -> Vec<Page> {
    let lists = [Page::Home, Page::Codes, Page::EnhancedCodes, Page::Causes, Page::Commands];
    let mut pages: Vec<Page> = lists.into_iter().chain([Page::Compare]).collect();
    pages.extend(topics().into_iter().map(Page::Entry));
    let mut known = BTreeSet::new();
    let mut add = |a: Topic, b: Topic| {
        let page = Page::pair(a, b);
        known.insert(page.path()).then_some(page)
    };
    let codes = basic_codes();
    for (index, a) in codes.iter().enumerate() {
        pages.extend(codes[index + 1..].iter().filter_map(|b| add(*a, *b)));
    }
    for topic in topics() {
        let partners = partners(topic, &entry(topic, Language::En));
        pages.extend(partners.into_iter().filter_map(|partner| add(topic, partner)));
    }
    pages
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
        let searched = ["api/v1/search/de", "api/v1/texts/de"];
        for file in pages.into_iter().chain(searched) {
            assert!(folder.path().join(file).is_file(), "{file}");
        }
        assert_eq!(fs::read_dir(folder.path().join("assets")).unwrap().count(), 3);
    }
}

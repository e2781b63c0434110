//! Which page is where: `/en/codes/450`, `/de/causes/greylisted`, `/fr/compare/450-vs-502`.
//! [`Page::path`] and [`Page::parse`] are inverses.

use reply::explain::entry::{Pattern, Topic};
use reply::facts::field::{self, Foreign};
use reply::facts::keyword::Keyword;
use reply::facts::provider;
use reply::{Cause, Class, Code, EnhancedCode, Language, Stage, facts};

/// A page of the reference, language apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Page {
    /// The box to paste into, and where to go from there.
    Home,
    /// Every basic code.
    Codes,
    /// Every enhanced code.
    EnhancedCodes,
    /// Every cause.
    Causes,
    /// Every command and keyword.
    Commands,
    /// Two fields for what to compare.
    Compare,
    /// What a search found.
    Search,
    /// What the pasted text means.
    Explain,
    /// One entry.
    Entry(Topic),
    /// Two entries side by side.
    Pair(Topic, Topic),
}

impl Page {
    /// The page that compares two, whichever is named first.
    pub fn pair(a: Topic, b: Topic) -> Page {
        if slug(b) < slug(a) { Page::Pair(b, a) } else { Page::Pair(a, b) }
    }

    /// The one address of several with the same content that is linked to and exported.
    pub fn canonical(self) -> Page {
        match self {
            Page::Pair(a, b) => Page::pair(a, b),
            page => page,
        }
    }

    /// The address below the language: `codes/450`.
    pub fn path(self) -> String {
        match self {
            Page::Home => String::new(),
            Page::Codes => "codes".into(),
            Page::EnhancedCodes => "enhanced".into(),
            Page::Causes => "causes".into(),
            Page::Commands => "commands".into(),
            Page::Compare => "compare".into(),
            Page::Search => "search".into(),
            Page::Explain => "explain".into(),
            Page::Entry(topic) => format!("{}/{}", folder(topic), slug(topic)),
            Page::Pair(a, b) => format!("compare/{}-vs-{}", slug(a), slug(b)),
        }
    }

    /// The page at an address below the language; a slash at the end does not count.
    pub fn parse(path: &str) -> Option<Page> {
        let path = path.trim_end_matches('/');
        let page = match path {
            "" => Page::Home,
            "codes" => Page::Codes,
            "enhanced" => Page::EnhancedCodes,
            "causes" => Page::Causes,
            "commands" => Page::Commands,
            "compare" => Page::Compare,
            "search" => Page::Search,
            "explain" => Page::Explain,
            _ => Page::deeper(path)?,
        };
        Some(page)
    }

    fn deeper(path: &str) -> Option<Page> {
        let (first, rest) = path.split_once('/')?;
        if first == "compare" {
            let (a, b) = rest.split_once("-vs-")?;
            return Some(Page::Pair(a.parse().ok()?, b.parse().ok()?));
        }
        let topic: Topic = rest.parse().ok()?;
        (folder(topic) == first).then_some(Page::Entry(topic))
    }

    /// The whole address: `/en/codes/450`.
    pub fn href(self, language: Language) -> String {
        format!("/{language}/{}", self.path())
    }
}

/// The folder that a topic's page stands in.
pub(crate) const fn folder(topic: Topic) -> &'static str {
    match topic {
        Topic::Code(_) | Topic::Enhanced(_) | Topic::Pattern(_) | Topic::Foreign(_) => "codes",
        Topic::Cause(_) => "causes",
        Topic::Command(_) | Topic::Keyword(_) => "commands",
    }
}

/// The topic's name in an address: lower case, without spaces.
pub(crate) fn slug(topic: Topic) -> String {
    topic.to_string().to_ascii_lowercase().replace(' ', "-")
}

/// The basic codes, those of specifications first.
pub fn basic_codes() -> Vec<Topic> {
    let specified = facts::CODES.iter().map(|row| row.code);
    specified.chain(field_codes()).map(Topic::Code).collect()
}

/// The basic codes that no specification defines, by number.
pub(crate) fn field_codes() -> Vec<Code> {
    let own = field::FIELD_CODES.iter().map(|row| row.code);
    let mut codes: Vec<Code> = own.chain(field::SHORTHANDS.iter().map(|(code, _)| *code)).collect();
    codes.sort_unstable();
    codes
}

/// Every class and every subject of enhanced codes.
pub(crate) fn patterns() -> Vec<Topic> {
    let classes = [Class::Positive, Class::Transient, Class::Permanent].map(Pattern::of_class);
    let subjects = (0..=7).map(Pattern::of_subject);
    classes.into_iter().chain(subjects).map(Topic::Pattern).collect()
}

/// Every registered enhanced code, under no class.
pub(crate) fn enhanced_numbers() -> Vec<Topic> {
    let numbers = facts::ENHANCED.iter().map(|row| Pattern::of_number(row.number.0, row.number.1));
    numbers.map(Topic::Pattern).collect()
}

/// Enhanced codes as single providers use them.
pub(crate) fn provider_codes() -> Vec<Topic> {
    let codes = provider::PROVIDERS.iter().filter_map(provider::example_of);
    codes.map(Topic::Enhanced).collect()
}

/// Every registered enhanced code under the classes that it is seen with.
fn enhanced_codes() -> Vec<Topic> {
    let of_row = |row: &'static facts::EnhancedFacts| {
        let classes: &[u8] = if row.causes == [Cause::Delivered] { &[2] } else { &[4, 5] };
        classes.iter().filter_map(|class| EnhancedCode::new(*class, row.number.0, row.number.1))
    };
    facts::ENHANCED.iter().flat_map(of_row).map(Topic::Enhanced).collect()
}

/// Every topic that has a page in the export and in the sitemap.
pub fn topics() -> Vec<Topic> {
    let mut topics = basic_codes();
    topics.extend(Foreign::all().map(Topic::Foreign));
    topics.extend(patterns());
    topics.extend(enhanced_numbers());
    topics.extend(enhanced_codes());
    topics.extend(provider_codes().into_iter().filter(|topic| match topic {
        Topic::Enhanced(code) => facts::of_enhanced(*code).is_none(),
        _ => false,
    }));
    topics.extend(Cause::ALL.iter().map(|cause| Topic::Cause(*cause)));
    topics.extend(Stage::ALL.iter().map(|stage| Topic::Command(*stage)));
    topics.extend(Keyword::all().map(Topic::Keyword));
    topics
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_address_leads_back_to_its_page() {
        let lists = [Page::Home, Page::Codes, Page::EnhancedCodes, Page::Causes, Page::Commands];
        let forms = [Page::Compare, Page::Search, Page::Explain];
        let entries = topics().into_iter().map(Page::Entry);
        let pairs = topics().windows(2).map(|two| Page::Pair(two[0], two[1])).collect::<Vec<_>>();
        for page in lists.into_iter().chain(forms).chain(entries).chain(pairs) {
            assert_eq!(Page::parse(&page.path()), Some(page), "{}", page.path());
        }
    }

    #[test]
    fn no_topic_stands_twice_and_no_address_is_invented() {
        let topics = topics();
        let paths: HashSet<String> =
            topics.iter().map(|topic| Page::Entry(*topic).path()).collect();
        assert_eq!(paths.len(), topics.len());
        for path in ["codes/999", "codes/vrfy", "causes/450", "x", "compare/450", "codes/450/x"] {
            assert_eq!(Page::parse(path), None, "{path}");
        }
    }

    #[test]
    fn the_addresses_are_those_that_people_share() {
        let path = |page: Page| page.href(Language::En);
        let topic = |text: &str| text.parse::<Topic>().unwrap();
        assert_eq!(path(Page::Entry(topic("450"))), "/en/codes/450");
        assert_eq!(path(Page::Entry(topic("4.2.2"))), "/en/codes/4.2.2");
        assert_eq!(path(Page::Entry(topic("VRFY"))), "/en/commands/vrfy");
        let [first, second] = ["450", "502"].map(topic);
        for pair in [Page::pair(first, second), Page::Pair(second, first).canonical()] {
            assert_eq!(path(pair), "/en/compare/450-vs-502");
        }
    }
}

//! The pages in a real Chromium: with scripts and without, on a phone and on a desk, in
//! both themes, in every language.

use std::fs;
use std::path::Path;

use reply::Language;
use reply::explain::entry::entry;

use crate::browser::{Browser, DESKTOP, PHONE};

/// A page of each kind, below the language.
const KINDS: [&str; 14] = [
    "",
    "codes",
    "enhanced",
    "causes",
    "commands",
    "compare",
    "codes/450",
    "codes/4.2.2",
    "codes/x.2.2",
    "causes/greylisted",
    "commands/vrfy",
    "commands/pipelining",
    "compare/450-vs-502",
    "search?q=4.2",
];
const PASTED: &str = "450 4.2.0 <ann@example.org>: Greylisted, try again in 300 seconds";

#[test]
fn a_pasted_reply_is_answered_in_the_readers_language_with_and_without_scripts() {
    let browser = Browser::start();
    for language in Language::COMPLETE.iter().copied() {
        browser.ask_for(language);
        for (width, scripts) in [(PHONE, true), (PHONE, false), (DESKTOP, true), (DESKTOP, false)] {
            browser.be_as_wide_as(width);
            browser.let_scripts_run(scripts);
            paste_and_read(&browser, language);
            assert!(!browser.is_wider_than(width), "{language}: an answer wider than {width}");
        }
    }
    assert_eq!(browser.complaints(), [""; 0]);
}

/// As a reader does who knows the site's name alone.
fn paste_and_read(browser: &Browser, language: Language) {
    browser.open("/");
    assert_eq!(browser.path(), format!("/{language}/"));
    browser.type_into("#text", PASTED);
    browser.click(".box button");
    let told = reply::explain(PASTED, language).remove(0);
    for text in [&told.title, &told.meaning, &told.when_next] {
        browser.sees(text);
    }
    assert_eq!(browser.value("document.documentElement.lang"), language.tag());
    assert_eq!(browser.value("document.getElementById('text').value"), PASTED);
}

#[test]
fn an_entry_is_found_as_one_types_and_by_the_form_where_no_script_runs() {
    let browser = Browser::start();
    for language in Language::COMPLETE.iter().copied() {
        let entry = entry("mailbox-full".parse().expect("a cause"), language);
        let typed: String = entry.name.chars().take(5).collect();
        let link = |list: &str| format!("{list} a[href='/{language}/causes/mailbox-full']");
        browser.let_scripts_run(true);
        browser.open(&format!("/{language}/"));
        browser.type_into("#q", &typed);
        browser.click(&link(".suggestions"));
        browser.sees(&entry.meaning);

        browser.let_scripts_run(false);
        browser.open(&format!("/{language}/"));
        browser.type_into("#q", &typed);
        assert!(!browser.has(".suggestions"), "a script ran");
        browser.click(".search button");
        browser.click(&link(".list"));
        browser.sees(&entry.meaning);
    }
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn an_entry_is_found_by_what_it_says_with_and_without_scripts() {
    let browser = Browser::start();
    // No name holds these: they are the words of software, in every language.
    const TYPED: &str = "over quota";
    for language in Language::COMPLETE.iter().copied() {
        let entry = entry("mailbox-full".parse().expect("a cause"), language);
        let link = |list: &str| format!("{list} a[href='/{language}/causes/mailbox-full']");
        for (scripts, results) in [(true, ".suggestions"), (false, ".list")] {
            browser.let_scripts_run(scripts);
            browser.open(&format!("/{language}/"));
            browser.type_into("#q", TYPED);
            if !scripts {
                browser.click(".search button");
            }
            browser.click(&link(results));
            browser.sees(&entry.meaning);
        }
    }
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn the_results_of_a_search_are_walked_through_with_the_arrow_keys() {
    let browser = Browser::start();
    browser.open("/en/codes/450");
    browser.type_into("#q", "4.2");
    let [escape, up, down] = ["\u{e00c}", "\u{e013}", "\u{e015}"];
    let focused = "document.activeElement.querySelector('b')?.textContent ?? ''";
    browser.shows(".suggestions a");
    browser.type_into(":focus", down);
    assert_eq!(browser.value(focused), "4.2.0");
    browser.type_into(":focus", up);
    assert_eq!(browser.value("document.activeElement.id"), "q");
    browser.type_into(":focus", escape);
    assert_eq!(browser.value("document.querySelector('.suggestions').hidden"), true);
}

#[test]
fn no_page_is_wider_than_a_phone() {
    let browser = Browser::start();
    // WCAG 2.2, 1.4.10: text reflows at 320 CSS pixels.
    const NARROW: u32 = 320;
    for language in Language::COMPLETE {
        for kind in KINDS {
            browser.be_as_wide_as(PHONE);
            browser.open(&format!("/{language}/{kind}"));
            for width in [PHONE, NARROW] {
                browser.be_as_wide_as(width);
                let address = format!("/{language}/{kind}");
                assert!(!browser.is_wider_than(width), "{address} is wider than {width} pixels");
            }
        }
    }
}

#[test]
fn a_page_is_as_dark_or_as_light_as_the_readers_system() {
    /// How light a colour is, from 0 to 255.
    const LIGHTNESS: &str = "getComputedStyle(document.body)[WHICH].match(/\\d+/g).map(Number).reduce((a, b) => a + b) / 3";
    let browser = Browser::start();
    let lightness = |which: &str| {
        let told = browser.value(&LIGHTNESS.replace("WHICH", &format!("'{which}'")));
        told.as_f64().expect("a number")
    };
    browser.open("/en/codes/450");
    for (theme, is_dark) in [("light", false), ("dark", true)] {
        browser.prefer(theme);
        let (ground, ink) = (lightness("backgroundColor"), lightness("color"));
        assert_eq!(ground < 60.0, is_dark, "{theme}: {ground}");
        assert_eq!(ink > 200.0, is_dark, "{theme}: {ink}");
    }
}

#[test]
fn axe_finds_nothing() {
    let axe = axe();
    let browser = Browser::start();
    let mut found = Vec::new();
    for language in [Language::En, Language::De] {
        for kind in KINDS.iter().chain(&["codes/999", "search?q=gremlins", "compare?a=450&b=x"]) {
            browser.open(&format!("/{language}/{kind}"));
            found.extend(violations(&browser, &axe, &format!("/{language}/{kind}")));
        }
        browser.open(&format!("/{language}/"));
        browser.type_into("#text", PASTED);
        browser.click(".box button");
        browser.shows(".heard");
        found.extend(violations(&browser, &axe, &format!("/{language}/explain")));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The script of axe-core, as `cargo xtask test` installed it.
fn axe() -> String {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a folder of cargo's");
    let path = target.join("axe/node_modules/axe-core/axe.min.js");
    fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!("{}: {error}; `cargo xtask test` installs axe-core", path.display())
    })
}

/// What axe finds: address, theme, rule, element. In the dark only colours differ.
fn violations(browser: &Browser, axe: &str, path: &str) -> Vec<String> {
    const ALL: &str = "'wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'";
    const RUN: &str = "axe.run({ resultTypes: ['violations'], preload: false, runOnly: [WHAT] })\
        .then((told) => told.violations.flatMap((one) => one.nodes.map((node) => \
        `${one.id}: ${node.html} ${node.failureSummary}`)))";
    browser.inject(axe);
    let mut found = Vec::new();
    for (theme, what) in [("light", ALL), ("dark", "'cat.color'")] {
        browser.prefer(theme);
        let told = browser.promised(&RUN.replace("WHAT", what));
        let told = told.as_array().unwrap_or_else(|| panic!("axe at {path}: {told}"));
        found.extend(told.iter().map(|one| format!("{path} {theme}: {one}")));
    }
    found
}

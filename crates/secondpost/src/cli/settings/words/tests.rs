//! What is said of settings that are wrong: in English word for word, and in every
//! language in full.

use std::path::{Path, PathBuf};

use config::syntax::Syntax;
use config::{Loaded, Sources};
use unicode_width::UnicodeWidthStr;

use super::*;

/// Loads a text as `mail.toml`; compares the whole message.
fn check_error(file: &str, expected: &str) {
    let error = Loaded::from_text(Path::new("mail.toml"), file).unwrap_err();
    assert_eq!(failure(&error, Language::En).message(Language::En), expected);
}

/// What is said of a `--set`.
fn said_of_set(set: &str, language: Language) -> String {
    let sources = Sources { set: vec![set.to_owned()], ..Sources::default() };
    failure(&Loaded::from(&sources).unwrap_err(), language).message(language)
}

#[test]
fn an_unknown_key_is_shown_in_its_line_with_the_nearest_known_one() {
    check_error(
        "# mail\n[greylist]\nwindw = \"1m\"\n",
        "unknown key `greylist.windw`\n --> mail.toml:3:1\n  |\n2 | [greylist]\n3 | windw = \"1m\"\n  \
         | ^^^^^\nhelp: did you mean `greylist.window`?",
    );
}

#[test]
fn a_wrong_value_is_shown_with_what_was_expected() {
    check_error(
        "greylist.window = \"soon\"\n",
        "`greylist.window`: `soon` is not valid here\n --> mail.toml:1:19\n  |\n\
         1 | greylist.window = \"soon\"\n  |                   ^^^^^^\n\
         help: expected a duration such as `30s`, `5m`, `1h30m` or `35d`",
    );
}

#[test]
fn what_is_no_toml_is_shown_where_it_ends_to_be() {
    check_error(
        "a = 1\nrelay = direct\n",
        "this is not TOML: string values must be quoted\n --> mail.toml:2:9\n  |\n1 | a = 1\n\
         2 | relay = direct\n  |         ^^^^^^\n\
         help: strings stand in quotes, as in `relay = \"direct\"`",
    );
}

#[test]
fn every_fault_of_a_file_is_told_at_once() {
    check_error(
        "vrfy = 7\nnonsense = 1\n",
        "`vrfy`: `7` is not valid here\n --> mail.toml:1:8\n  |\n1 | vrfy = 7\n  |        ^\n\
         2 | nonsense = 1\nhelp: expected `off`, `noncommittal` or `on`\n\n\
         error: unknown key `nonsense`\n --> mail.toml:2:1\n  |\n1 | vrfy = 7\n\
         2 | nonsense = 1\n  | ^^^^^^^^\nhelp: `secondpost config example` shows every key",
    );
}

#[test]
fn wrong_values_of_every_type_are_told_in_english_as_ever() {
    let check = |set: &str, expected: &str| {
        let told = said_of_set(set, Language::En);
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(expected), "{set}: {told}");
        assert!(told.contains("--> --set:1:"), "{set}: {told}");
    };
    check("greylist.enabled=maybe", "expected `true` or `false`");
    check("limits.recipients=0", "expected a number of at least 1");
    check("limits.message=big", "expected a size such as `4096`, `50MiB` or `1G`");
    check(
        "listen.mx=2525",
        "expected an address with a port such as `127.0.0.1:2525`, `[::1]:2525` or `*:25`, a \
         list of them, or `off`",
    );
    check("listen.lmtp=\"\"", "expected a path, or `off`");
    check("relay=on", "expected `off`, `direct` or `host:port`");
    check(
        "routes.a.test=nowhere",
        "expected `host:port`, `mx`, `lmtp:PATH`, `local`, `hold` or `discard`",
    );
    check("routes={\"a b\"=\"mx\"}", "`a b` is no domain");
    check(
        "routes={\"a b\"=\"mx\"}",
        "expected a domain such as `example.net`, `*.example.net` or `*`",
    );
    check("domains=not a domain", "expected domains, as in `[\"example.org\", \"example.net\"]`");
    check(
        "hostname=a b",
        "expected a host name such as `mail.example.org`, in ASCII (`xn--…` for other letters)",
    );
    check("vrfy=true", "expected `off`, `noncommittal` or `on`");
    check("own_networks=192.0.2.0/99", "expected networks, as in `[\"192.0.2.0/24\", ");
    check("rate.client=100", "expected a rate such as `100/h` or `20/10m`, or `off`");
    check("access=[{clients=[\"192.0.2.1\"]}]", "this rule has no `action`");
    check("access=[{action=\"refuse\",colour=\"red\"}]", "unknown key `colour`");
    check("retry.greylisted=[\"5m\",\"1m\"]", "these steps do not rise");
    check("web.address=ftp://a.test", "expected an address such as `https://mail.example.org`");
    check("greylist=1", "it is a group; its keys are `greylist.enabled`, `greylist.window`");
    check("no.such.key=1", "unknown key `no.such.key`");
    check("log.format=xml", "expected `text` or `json`");
    check("relay={}", "a table is not valid here");
    check("relay=[]", "a list is not valid here");
}

#[test]
fn a_set_without_a_value_and_a_file_that_is_not_there_are_told() {
    let told = failure(&ConfigError::NoEquals("greylist.window".into()), Language::En);
    let expected = "`--set greylist.window` has no `=`; write `--set KEY=VALUE`, as in \
                    `--set greylist.window=5m`";
    assert_eq!(told.whole(Language::En), expected);
    let sources = Sources { file: Some("/nonexistent/x.toml".into()), ..Sources::default() };
    let told = failure(&Loaded::from(&sources).unwrap_err(), Language::En).message(Language::En);
    let expected = "the settings file `/nonexistent/x.toml` cannot be read: no such file or \
                    directory";
    assert_eq!(told, expected);
}

/// One of every kind of fault that there can be.
fn every_fault() -> Vec<Fault> {
    let problem = |problem| Fault { span: 0..1, key: None, problem, hint: None };
    let mut faults: Vec<Fault> = [
        Problem::UnknownKey("x".into()),
        Problem::UnknownPart("x".into()),
        Problem::MissingPart("action"),
        Problem::NotValid(Written::Value("x".into())),
        Problem::NotValid(Written::List),
        Problem::NotValid(Written::Table),
        Problem::NoDomain("x".into()),
        Problem::StepsDoNotRise,
    ]
    .map(problem)
    .to_vec();
    faults.extend(Syntax::ALL.iter().map(|kind| problem(Problem::NotToml(*kind))));
    let hints = [
        Hint::KeysOfGroup(vec!["x.y".into(), "x.z".into()]),
        Hint::NearKey("x".into()),
        Hint::NearGroup("x".into()),
        Hint::SeeExample,
        Hint::StringsAreQuoted,
    ];
    let hints = hints.into_iter().chain(Expected::ALL.iter().map(|one| Hint::Expected(*one)));
    let wrong = Problem::NotValid(Written::Value("x".into()));
    faults.extend(hints.map(|hint| Fault { hint: Some(hint), ..problem(wrong.clone()) }));
    faults
}

/// What is wrong as a whole, and one of every kind of fault.
fn every_error() -> Vec<ConfigError> {
    let path = || PathBuf::from("x.toml");
    let mut errors = vec![
        ConfigError::Unreadable(path(), std::io::ErrorKind::PermissionDenied.into()),
        ConfigError::NotUtf8(path()),
        ConfigError::NoEquals("x".into()),
    ];
    errors.extend(every_fault().into_iter().map(|fault| {
        let faults = vec![Fault { key: Some("x.y".into()), ..fault }];
        ConfigError::Faults(Faulty { name: "x.toml".into(), text: "x".into(), faults })
    }));
    errors
}

/// The words that are ours: what stands in backticks is the same in every language.
fn our_words(told: &str) -> Vec<String> {
    let ours = told.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    let is_word = |word: &&str| word.len() > 2 && word.chars().all(char::is_alphabetic);
    let words = ours.split(|c: char| !c.is_alphabetic()).filter(is_word);
    words.map(str::to_lowercase).collect()
}

#[test]
fn every_fault_is_told_in_every_language_with_no_english_left() {
    // Names, and what other languages took from English.
    const SAME: &str = "ascii date domain domains escape host permission port rate string strings table tables toml utf";
    let mut left = Vec::new();
    for error in every_error() {
        let english = failure(&error, Language::En).whole(Language::En);
        assert!(!english.contains("setting-") && !english.contains('$'), "{english}");
        for language in Language::COMPLETE.iter().filter(|one| **one != Language::En) {
            let told = failure(&error, *language).whole(*language);
            assert!(!told.contains("setting-") && !told.contains('$'), "{language}: {told}");
            let ours = our_words(&english);
            let taken = |word: &String| SAME.split(' ').any(|same| same == word);
            let both = our_words(&told).into_iter().filter(|word| ours.contains(word));
            left.extend(both.filter(|word| !taken(word)).map(|word| (*language, word)));
            let literals = |told: &str| {
                let mut all: Vec<String> =
                    told.split('`').skip(1).step_by(2).map(str::to_owned).collect();
                all.sort();
                // A long one may be broken at another place.
                all.iter().map(|one| one.split_whitespace().collect::<String>()).collect::<Vec<_>>()
            };
            assert_eq!(literals(&told), literals(&english), "{language}: {told}");
            assert!(told.lines().all(|line| line.width() <= 100), "{language}: {told}");
        }
    }
    assert_eq!(left, [], "English is left");
}

#[test]
fn the_place_is_shown_alike_in_every_language() {
    let file = "vrfy = 7\n\n[listn]\nmx = \"off\"\n";
    let error = Loaded::from_text(Path::new("mail.toml"), file).unwrap_err();
    let places = |language| -> Vec<String> {
        let told = failure(&error, language).message(language);
        told.lines().filter(|line| line.contains(['|', '>'])).map(str::to_owned).collect()
    };
    for language in Language::COMPLETE {
        assert_eq!(places(*language), places(Language::En), "{language}");
    }
    let german = failure(&error, Language::De).message(Language::De);
    let expected = "`vrfy`: `7` ist hier nicht gültig\n --> mail.toml:1:8\n";
    assert!(german.starts_with(expected), "{german}");
    assert!(german.contains("erwartet wird `off`, `noncommittal` oder `on`"), "{german}");
    assert!(german.ends_with("Hilfe: meinten Sie die Gruppe `listen`?"), "{german}");
}

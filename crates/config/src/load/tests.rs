//! Layers, origins, and what is found in settings that are wrong.

use super::*;
use crate::expected::Expected;
use crate::fault::Written;

fn load_with(file: Option<&str>, flags: Vec<Flag>, set: &[&str]) -> Result<Loaded, ConfigError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mail.toml");
    std::fs::write(&path, file.unwrap_or_default()).unwrap();
    let set = set.iter().map(|set| (*set).to_owned()).collect();
    Loaded::from(&Sources { file: Some(path), flags, set })
}

/// What is wrong with a source that has faults.
fn faulty(file: Option<&str>, set: &[&str]) -> Faulty {
    match load_with(file, Vec::new(), set).unwrap_err() {
        ConfigError::Faults(faulty) => faulty,
        other => panic!("{other:?}"),
    }
}

/// The only fault of a file, and what stands at its place.
fn only_fault(file: &str) -> (Fault, String) {
    let Faulty { mut faults, text, name } = faulty(Some(file), &[]);
    assert!(name.ends_with("mail.toml") && text == file && faults.len() == 1, "{faults:?}");
    let fault = faults.remove(0);
    let place = text.get(fault.span.clone()).unwrap_or_default().to_owned();
    (fault, place)
}

#[test]
fn a_later_layer_wins_and_every_value_knows_its_origin() {
    let file = "relay = \"direct\"\nvrfy = \"on\"\ndomains = [\"a.test\", \"b.test\"]\n";
    let flag = Flag { name: "--domain", key: "domains", values: vec!["C.test".into()] };
    let loaded = load_with(Some(file), vec![flag], &["vrfy=noncommittal"]).unwrap();
    let shown = |key: &str| (loaded.config.show(key).unwrap(), loaded.origin(key).to_string());
    assert_eq!(loaded.config.show("relay").unwrap(), "\"direct\"");
    assert!(loaded.origin("relay").to_string().ends_with("mail.toml:1"));
    assert_eq!(shown("domains"), ("[\"c.test\"]".into(), "--domain".into()));
    assert_eq!(shown("vrfy"), ("\"noncommittal\"".into(), "--set".into()));
    assert_eq!(shown("expn"), ("\"off\"".into(), "default".into()));
}

#[test]
fn set_takes_toml_values_bare_strings_and_parts_of_tables() {
    let check = |set: &str, key: &str, expected: &str| {
        let loaded = load_with(None, Vec::new(), &[set]).unwrap();
        assert_eq!(loaded.config.show(key).unwrap(), expected, "{set}");
        assert_eq!(loaded.origin(key), Origin::Set, "{set}");
    };
    check("greylist.window=5m", "greylist.window", "\"5m\"");
    check("greylist.window=\"5m\"", "greylist.window", "\"5m\"");
    check("greylist.window = 90", "greylist.window", "\"1m30s\"");
    check("greylist.enabled=false", "greylist.enabled", "false");
    check("limits.recipients=5", "limits.recipients", "5");
    check("limits.message=1G", "limits.message", "\"1GiB\"");
    check("listen.mx=127.0.0.1:0", "listen.mx", "\"127.0.0.1:0\"");
    check("listen.mx=off", "listen.mx", "\"off\"");
    check("domains=a.test", "domains", "[\"a.test\"]");
    check("domains=[\"a.test\",\"b.test\"]", "domains", "[\"a.test\", \"b.test\"]");
    check("relay=localhost:2526", "relay", "\"localhost:2526\"");
    check("relay=[::1]:25", "relay", "\"[::1]:25\"");
    check("routes.Example.net=hold", "routes", "{ \"example.net\" = \"hold\" }");
    check("routes={\"a.test\"=\"127.0.0.1:25\"}", "routes", "{ \"a.test\" = \"127.0.0.1:25\" }");
    check("rate.client=20/10m", "rate.client", "\"20/10m\"");
    check(
        "access=[{action=\"defer\",senders=[\"a@b.test\"]}]",
        "access",
        "[{ action = \"defer\", senders = [\"a@b.test\"] }]",
    );
    check(
        "retry.greylisted=[\"1s\",\"2s\"]",
        "retry.greylisted",
        "{ steps = [\"1s\", \"2s\"], longest_pause = \"4h\" }",
    );
}

#[test]
fn tables_and_dotted_keys_of_a_file_mean_the_same() {
    let dotted = load_with(Some("greylist.window = \"2m\"\n"), Vec::new(), &[]).unwrap();
    let table = load_with(Some("[greylist]\nwindow = \"2m\"\n"), Vec::new(), &[]).unwrap();
    assert_eq!(dotted.config.greylist.window, table.config.greylist.window);
    let quoted = load_with(Some("[routes]\n\"a.test\" = \"mx\"\n"), Vec::new(), &[]).unwrap();
    let unquoted = load_with(Some("[routes]\na.test = \"mx\"\n"), Vec::new(), &[]).unwrap();
    assert_eq!(quoted.config.routes, unquoted.config.routes);
}

#[test]
fn an_unknown_key_is_found_in_its_place_with_the_nearest_known_one() {
    let (fault, place) = only_fault("# mail\n[greylist]\nwindw = \"1m\"\n");
    assert_eq!(place, "windw");
    assert_eq!(fault.problem, Problem::UnknownKey("greylist.windw".into()));
    assert_eq!(fault.hint, Some(Hint::NearKey("greylist.window".into())));
    let hint = |file| only_fault(file).0.hint.unwrap();
    assert_eq!(hint("[listn]\nmx = \"off\"\n"), Hint::NearGroup("listen".into()));
    assert_eq!(hint("xyzzy = 1\n"), Hint::SeeExample);
    let keys = ["format", "level"].map(|key| format!("log.{key}")).to_vec();
    assert_eq!(hint("log = 1\n"), Hint::KeysOfGroup(keys));
}

#[test]
fn a_wrong_value_is_found_with_its_key_and_what_was_expected() {
    let (fault, place) = only_fault("greylist.window = \"soon\"\n");
    assert_eq!(place, "\"soon\"");
    assert_eq!(fault.key.as_deref(), Some("greylist.window"));
    assert_eq!(fault.problem, Problem::NotValid(Written::Value("soon".into())));
    assert_eq!(fault.hint, Some(Hint::Expected(Expected::Duration)));
}

#[test]
fn what_is_no_toml_is_found_where_it_ends_to_be() {
    let (fault, _) = only_fault("a = 1\nrelay = direct\n");
    assert_eq!(fault.span.start, "a = 1\nrelay = ".len());
    assert_eq!(fault.problem, Problem::NotToml(Syntax::UnquotedString));
    assert_eq!(fault.hint, Some(Hint::StringsAreQuoted));
    // A duration without its quotes is a number that goes wrong.
    assert_eq!(only_fault("greylist.window = 5m\n").0.hint, Some(Hint::StringsAreQuoted));
    assert_eq!(only_fault("[greylist\n").0.hint, None);
}

#[test]
fn every_fault_of_a_file_is_told_at_once() {
    let text = "vrfy = 7\nnonsense = 1\n";
    let faults = faulty(Some(text), &[]).faults;
    let places: Vec<&str> = faults.iter().map(|fault| &text[fault.span.clone()]).collect();
    assert_eq!(places, ["7", "nonsense"]);
}

#[test]
fn wrong_values_of_every_type_are_refused() {
    let only = |set: &str| {
        let Faulty { name, text, faults } = faulty(None, &[set]);
        assert_eq!((name.as_str(), text.as_str(), faults.len()), ("--set", set, 1));
        let fault = faults.into_iter().next().unwrap();
        let place = text[fault.span.clone()].to_owned();
        (fault, place)
    };
    let check = |set: &str, expected| {
        let (fault, place) = only(set);
        assert_eq!(fault.hint, Some(Hint::Expected(expected)), "{set}");
        assert_eq!(Some(place.as_str()), set.split_once('=').map(|(_, value)| value), "{set}");
        fault.problem
    };
    let one_of = Expected::OneOf;
    check("greylist.enabled=maybe", one_of(&["true", "false"]));
    check("limits.recipients=0", Expected::Count);
    check("limits.recipients=-1", Expected::Count);
    check("limits.message=big", Expected::Size);
    check("listen.mx=2525", Expected::Addresses);
    check("listen.mx=example.org:25", Expected::Addresses);
    check("listen.lmtp=\"\"", Expected::Path);
    check("relay=on", one_of(&["off", "direct", "host:port"]));
    check("relay=host:0", one_of(&["off", "direct", "host:port"]));
    let routes = one_of(&["host:port", "mx", "lmtp:PATH", "local", "hold", "discard"]);
    check("routes.a.test=nowhere", routes);
    check("routes=5", Expected::Routes);
    let problem = check("routes={\"a b\"=\"mx\"}", Expected::DomainPattern);
    assert_eq!(problem, Problem::NoDomain("a b".into()));
    check("domains=not a domain", Expected::Domains);
    check("hostname=a b", Expected::HostName);
    // RFC 6531 §3.7.1: the greeting and EHLO are ASCII.
    check("hostname=b\u{fc}ch.test", Expected::HostName);
    check("vrfy=true", one_of(&["off", "noncommittal", "on"]));
    check("own_networks=192.0.2.0/99", Expected::Networks);
    check("rate.client=100", Expected::Rate);
    check("greylist.exempt_senders=a b@", Expected::Patterns);
    check("access=refuse", Expected::AccessRules);
    let problem =
        check("access=[{clients=[\"192.0.2.1\"]}]", one_of(&["accept", "defer", "refuse"]));
    assert_eq!(problem, Problem::MissingPart("action"));
    check("access=[{action=\"maybe\"}]", one_of(&["accept", "defer", "refuse"]));
    check("access=[{action=\"refuse\",clients=[\"x\"]}]", Expected::Networks);
    check("access=[{action=\"refuse\",hellos=[\"a b\"]}]", Expected::Hellos);
    let parts = one_of(&["action", "clients", "hellos", "senders", "recipients"]);
    let problem = check("access=[{action=\"refuse\",colour=\"red\"}]", parts);
    assert_eq!(problem, Problem::UnknownPart("colour".into()));
    let problem = check("retry.greylisted=[\"5m\",\"1m\"]", Expected::Ladder);
    assert_eq!(problem, Problem::StepsDoNotRise);
    check("retry.greylisted={step=[\"5m\"]}", one_of(&["steps", "longest_pause"]));
    check("web.address=ftp://a.test", Expected::WebAddress);
    check("log.format=xml", one_of(&["text", "json"]));
    let problem = check("relay=[\"off\", \"on\"]", one_of(&["off", "direct", "host:port"]));
    assert_eq!(problem, Problem::NotValid(Written::List));
    for (set, key) in [("greylist=1", "greylist"), ("no.such.key=1", "no.such.key")] {
        let (fault, place) = only(set);
        assert_eq!((fault.problem, place.as_str()), (Problem::UnknownKey(key.into()), key));
    }
}

#[test]
fn a_set_without_a_value_and_a_file_that_is_not_there_are_told() {
    let error = load_with(None, Vec::new(), &["greylist.window"]).unwrap_err();
    assert!(matches!(&error, ConfigError::NoEquals(set) if set == "greylist.window"), "{error:?}");
    let file = PathBuf::from("/nonexistent/x.toml");
    let sources = Sources { file: Some(file.clone()), ..Sources::default() };
    let error = Loaded::from(&sources).unwrap_err();
    let is_told = |path: &Path, error: &std::io::Error| {
        path == file && error.kind() == std::io::ErrorKind::NotFound
    };
    assert!(matches!(&error, ConfigError::Unreadable(path, why) if is_told(path, why)));
}

#[test]
fn a_file_that_is_no_text_and_an_option_that_is_wrong_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("mail.toml");
    std::fs::write(&file, b"relay = \"\xff\"\n").unwrap();
    let error = Loaded::from(&Sources { file: Some(file), ..Sources::default() }).unwrap_err();
    assert!(matches!(&error, ConfigError::NotUtf8(path) if path.ends_with("mail.toml")));
    let values = vec!["a.test".to_owned(), "b c".to_owned()];
    let flag = Flag { name: "--domain", key: "domains", values };
    let ConfigError::Faults(faulty) = load_with(None, vec![flag], &[]).unwrap_err() else {
        panic!("an option has faults")
    };
    assert_eq!((faulty.name.as_str(), faulty.text.as_str()), ("--domain", "a.test b c"));
    assert_eq!(faulty.faults[0].span, 0..faulty.text.len());
}

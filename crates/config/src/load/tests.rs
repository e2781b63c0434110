//! Layers, origins, and what is said of settings that are wrong.

use super::*;

fn load_with(file: Option<&str>, flags: Vec<Flag>, set: &[&str]) -> Result<Loaded, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mail.toml");
    std::fs::write(&path, file.unwrap_or_default()).unwrap();
    let set = set.iter().map(|set| (*set).to_owned()).collect();
    let result = Loaded::from(&Sources { file: Some(path.clone()), flags, set });
    let shorter = |text: String| text.replace(&path.display().to_string(), "mail.toml");
    result.map_err(|error| shorter(error.0))
}

/// Loads one file; compares the whole message.
fn check_error(file: &str, expected: &str) {
    assert_eq!(load_with(Some(file), Vec::new(), &[]).unwrap_err(), expected);
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
    let error = load_with(Some("a = 1\nrelay = direct\n"), Vec::new(), &[]).unwrap_err();
    assert!(error.starts_with("this is not TOML: "), "{error}");
    assert!(error.contains("--> mail.toml:2:9"), "{error}");
    assert!(error.contains("2 | relay = direct"), "{error}");
}

#[test]
fn every_fault_of_a_file_is_told_at_once() {
    let error = load_with(Some("vrfy = 7\nnonsense = 1\n"), Vec::new(), &[]).unwrap_err();
    assert!(error.contains("mail.toml:1:8") && error.contains("mail.toml:2:1"), "{error}");
}

#[test]
fn wrong_values_of_every_type_are_refused() {
    let check = |set: &str, expected: &str| {
        let error = load_with(None, Vec::new(), &[set]).unwrap_err();
        assert!(error.contains(expected), "{set}: {error}");
        assert!(error.contains("--> --set:1:"), "{set}: {error}");
    };
    check("greylist.enabled=maybe", "expected `true` or `false`");
    check("limits.recipients=0", "expected a number of at least 1");
    check("limits.recipients=-1", "expected a number");
    check("limits.message=big", "expected a size");
    check("listen.mx=2525", "expected an address with a port");
    check("listen.mx=example.org:25", "expected an address with a port");
    check("relay=on", "expected `off`, `direct` or `host:port`");
    check("relay=host:0", "expected `off`, `direct`");
    check("routes.a.test=nowhere", "`host:port`, `mx`");
    check("domains=not a domain", "expected domains");
    check("hostname=a b", "expected a host name");
    // RFC 6531 §3.7.1: the greeting and EHLO are ASCII.
    check("hostname=b\u{fc}ch.test", "in ASCII");
    check("vrfy=true", "expected `off`, `noncommittal` or `on`");
    check("own_networks=192.0.2.0/99", "expected networks");
    check("rate.client=100", "expected a rate");
    check("access=[{clients=[\"192.0.2.1\"]}]", "this rule has no `action`");
    check("access=[{action=\"refuse\",clients=[\"x\"]}]", "expected networks");
    check("access=[{action=\"refuse\",colour=\"red\"}]", "unknown key `colour`");
    check("retry.greylisted=[\"5m\",\"1m\"]", "do not rise");
    check("web.address=ftp://a.test", "expected an address such as");
    check("greylist=1", "its keys are `greylist.enabled`");
    check("no.such.key=1", "unknown key `no.such.key`");
    check("log.format=xml", "expected `text` or `json`");
}

#[test]
fn a_set_without_a_value_and_a_file_that_is_not_there_are_told() {
    let error = load_with(None, Vec::new(), &["greylist.window"]).unwrap_err();
    assert!(error.contains("has no `=`"), "{error}");
    let sources = Sources { file: Some("/nonexistent/x.toml".into()), ..Sources::default() };
    let error = Loaded::from(&sources).unwrap_err().0;
    assert!(error.starts_with("the settings file `/nonexistent/x.toml` cannot be read"), "{error}");
}

//! `config check`, `show` and `example`, from where a user sees them.

use super::secondpost;

#[test]
fn a_config_error_shows_its_line_and_exits_with_2() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("m.toml"), "[greylist]\nwindw = \"1m\"\n").unwrap();
    for args in [&["config", "check", "--config", "m.toml"][..], &["--config", "m.toml", "serve"]] {
        let ended = secondpost(dir.path(), args, b"");
        assert_eq!(ended.status, 2, "{args:?}");
        let expected = "error: unknown key `greylist.windw`\n --> m.toml:2:1\n  |\n1 | [greylist]\n\
                        2 | windw = \"1m\"\n  | ^^^^^\nhelp: did you mean `greylist.window`?\n";
        assert_eq!(ended.err, expected);
    }
}

#[test]
fn faults_of_a_file_are_told_in_the_order_of_its_lines() {
    let dir = tempfile::tempdir().unwrap();
    let text = "vrfy = true\n\n[listn]\nmx = \"off\"\n\n[greylist]\nwindow = \"soon\"\n";
    std::fs::write(dir.path().join("m.toml"), text).unwrap();
    let ended = secondpost(dir.path(), &["config", "check", "--config", "m.toml"], b"");
    let places: Vec<&str> = ended
        .err
        .lines()
        .filter_map(|line| line.split_once("m.toml:"))
        .map(|found| found.1)
        .collect();
    assert_eq!(places, ["1:8", "3:2", "7:10"], "{}", ended.err);
    assert!(ended.err.contains("help: did you mean the group `listen`?"), "{}", ended.err);
    assert!(ended.err.lines().all(|line| line.chars().count() <= 80), "{}", ended.err);
}

#[test]
fn a_check_for_programs_says_what_is_wrong_in_json() {
    let dir = tempfile::tempdir().unwrap();
    let ended = secondpost(dir.path(), &["config", "check", "--json", "--set", "relay=5"], b"");
    let told: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((ended.status, ended.err.as_str(), &told["valid"]), (2, "", &false.into()));
    assert!(told["problem"].as_str().unwrap().contains("expected `off`, `direct`"), "{told}");
}

#[test]
fn what_an_empty_name_stands_for_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let shown = secondpost(dir.path(), &["config", "show", "--origin"], b"").out;
    let domains = shown.lines().find(|line| line.starts_with("domains = []")).unwrap();
    assert!(domains.contains("# default: localhost"), "{domains}");
    let off = secondpost(dir.path(), &["config", "show", "--listen-mx", "off"], b"").out;
    assert!(off.contains("mx = \"off\"\n"), "{off}");
}

#[test]
fn layers_are_shown_with_their_origin() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("m.toml"), "relay = \"direct\"\nvrfy = \"on\"\n").unwrap();
    let args = ["config", "show", "--origin", "--config", "m.toml", "--domain", "a.test"];
    let set = ["--set", "greylist.window=5m", "--listen-mx", "127.0.0.1:0"];
    let ended = secondpost(dir.path(), &[&args[..], &set].concat(), b"");
    assert_eq!((ended.status, ended.err.as_str()), (0, ""));
    let has = |key: &str, origin: &str| {
        let found = ended.out.lines().find(|line| line.starts_with(key)).unwrap();
        assert!(found.ends_with(&format!("# {origin}")), "{found}");
    };
    has("relay = \"direct\"", "m.toml:1");
    has("vrfy = \"on\"", "m.toml:2");
    has("domains = [\"a.test\"]", "--domain");
    has("window = \"5m\"", "--set");
    has("mx = \"127.0.0.1:0\"", "--listen-mx");
    has("expn = \"off\"", "default");
}

#[test]
fn the_same_in_json_has_typed_values() {
    let dir = tempfile::tempdir().unwrap();
    let ended = secondpost(dir.path(), &["config", "show", "--json"], b"");
    let shown: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(shown["limits.recipients"]["value"], 1000);
    assert_eq!(shown["greylist.enabled"]["value"], true);
    assert_eq!(shown["relay"]["origin_kind"], "default");
}

#[test]
fn the_example_is_valid_and_the_file_in_the_data_directory_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let example = secondpost(dir.path(), &["config", "example"], b"").out;
    let data_dir = dir.path().join("secondpost-data");
    std::fs::create_dir(&data_dir).unwrap();
    std::fs::write(data_dir.join("secondpost.toml"), format!("vrfy = \"on\"\n{example}")).unwrap();
    let checked = secondpost(dir.path(), &["config", "check"], b"");
    assert!(checked.out.contains("secondpost.toml; 1 set"), "{checked:?}");
}

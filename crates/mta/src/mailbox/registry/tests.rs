//! What is registered is found again; what an address holds never leaves the mail folder.

use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;

use super::*;

fn registry() -> (tempfile::TempDir, Registry) {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::in_dir(dir.path().join("data"));
    (dir, registry)
}

#[test]
fn a_mailbox_that_was_added_is_found_whatever_the_case() {
    let (_dir, registry) = registry();
    registry.add(Registered::new("User@Example.ORG").unwrap()).unwrap();
    let found = registry.find("USER@example.org").unwrap();
    assert_eq!(found.path, Path::new("mail/example.org/user"));
    let path = found.path_in(registry.data_dir());
    for folder in ["tmp", "new", "cur"] {
        let mode = fs::metadata(path.join(folder)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
    let again = registry.add(Registered::new("user@example.org").unwrap()).unwrap_err();
    assert_eq!(again.to_string(), "there is a mailbox `user@example.org` already");
}

#[test]
fn a_removed_mailbox_is_forgotten_and_its_mail_stays() {
    let (_dir, registry) = registry();
    registry.add(Registered::new("a@example.org").unwrap()).unwrap();
    let path = registry.remove("a@example.org").unwrap().path_in(registry.data_dir());
    assert!(path.join("new").exists());
    let error = registry.remove("a@example.org").unwrap_err();
    assert_eq!(error.to_string(), "there is no mailbox `a@example.org`");
}

#[test]
fn a_mailbox_is_disabled_for_a_time_or_for_good() {
    let (_dir, registry) = registry();
    registry.add(Registered::new("a@example.org").unwrap()).unwrap();
    let disabled =
        |at| registry.find("a@example.org").unwrap().disabled_at(Timestamp::from_millis(at));
    registry.set_disabled("a@example.org", Some(Disabled { until_millis: Some(1000) })).unwrap();
    assert!(disabled(999).is_some() && disabled(1000).is_none());
    registry.set_disabled("a@example.org", Some(Disabled { until_millis: None })).unwrap();
    assert!(disabled(u64::MAX).is_some());
    registry.set_disabled("a@example.org", None).unwrap();
    assert!(disabled(0).is_none());
}

#[test]
fn the_first_mailboxes_stand_beside_those_that_are_there() {
    let (_dir, registry) = registry();
    registry.add(Registered::new("you@localhost").unwrap()).unwrap();
    registry.set_disabled("you@localhost", Some(Disabled { until_millis: None })).unwrap();
    let first = ["postmaster@localhost".to_owned(), "you@localhost".to_owned()];
    registry.create_missing(&first).unwrap();
    assert_eq!(registry.read().unwrap().len(), 2);
    assert!(registry.find("you@localhost").unwrap().disabled.is_some());
}

#[test]
fn a_damaged_registry_is_named_and_not_overwritten() {
    let (_dir, registry) = registry();
    registry.add(Registered::new("a@example.org").unwrap()).unwrap();
    let path = registry.data_dir().join(FILE_NAME);
    for text in ["{", "{\"version\":9,\"mailboxes\":[]}"] {
        fs::write(&path, text).unwrap();
        let error = registry.add(Registered::new("b@example.org").unwrap()).unwrap_err();
        assert!(error.to_string().contains("mailboxes.json` cannot be understood"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn changes_at_the_same_time_are_all_kept() {
    let (_dir, registry) = registry();
    std::thread::scope(|scope| {
        for n in 0..8 {
            let registry = &registry;
            scope.spawn(move || registry.add(Registered::new(&format!("u{n}@a.test")).unwrap()));
        }
    });
    assert_eq!(registry.read().unwrap().len(), 8);
}

#[test]
fn hostile_names_become_harmless_folders() {
    let check = |name: &str, folder: &str| assert_eq!(folder_name(name), folder);
    check("user.name+tag", "user.name+tag");
    check("..", "%2e.");
    check("../../etc/passwd", "%2e.%2f..%2fetc%2fpasswd");
    check("a%2fb", "a%252fb");
    check("ü", "%c3%bc");
    check(".hidden", "%2ehidden");
    let long = format!("{}@example.org", "/".repeat(100));
    assert!(matches!(Registered::new(&long), Err(RegistryError::TooLong(_))));
}

proptest! {
    #[test]
    fn no_address_leaves_the_mail_folder(local in ".{1,60}", domain in ".{1,60}") {
        if let Ok(registered) = Registered::new(&format!("{local}@{domain}")) {
            prop_assert_eq!(registered.path.components().count(), 3);
            let plain = |part: std::path::Component<'_>| matches!(part, std::path::Component::Normal(_));
            prop_assert!(registered.path.components().all(plain));
        }
    }

    #[test]
    fn two_names_never_share_a_folder(a in ".{0,20}", b in ".{0,20}") {
        prop_assert_eq!(a == b, folder_name(&a) == folder_name(&b));
    }
}

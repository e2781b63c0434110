//! What is put is picked up once; what is broken is set aside and not lost.

use super::*;
use crate::control::tests::Recording;

fn submission(octets: usize) -> Submission {
    Submission { sender: "a@example.org".into(), octets: octets as u64, ..Submission::default() }
}

#[test]
fn what_was_put_is_picked_up_once_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let handler = Recording::default();
    let first = put(dir.path(), &submission(7), b"first\r\n").unwrap();
    let second = put(dir.path(), &submission(8), b"second\r\n").unwrap();
    let picked_up = pick_up(dir.path(), &handler).unwrap();
    let paths: Vec<_> = picked_up.iter().map(|(path, _)| path.clone()).collect();
    assert_eq!(paths, [first, second]);
    assert_eq!(handler.messages(), [b"first\r\n".to_vec(), b"second\r\n".to_vec()]);
    assert_eq!(pick_up(dir.path(), &handler).unwrap(), []);
}

#[test]
fn broken_and_refused_files_are_set_aside_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let handler = Recording::default();
    let folder = dir.path().join(FOLDER_NAME);
    put(dir.path(), &submission(99), b"too short\r\n").unwrap();
    fs::write(folder.join("0.msg"), b"{nonsense\n").unwrap();
    fs::write(folder.join("1.msg"), b"").unwrap();
    fs::write(folder.join("2.tmp"), b"half").unwrap();
    let refused = Submission { sender: "refused@example.org".into(), ..submission(0) };
    put(dir.path(), &refused, b"").unwrap();
    let picked_up = pick_up(dir.path(), &handler).unwrap();
    assert_eq!(picked_up.len(), 4);
    for (path, became) in picked_up {
        assert!(matches!(became, PickedUp::SetAside(_)), "{became:?}");
        assert!(!path.exists() && path.with_extension("bad").exists());
    }
    assert_eq!(handler.messages(), [] as [Vec<u8>; 0]);
}

#[test]
fn what_cannot_be_taken_now_stays() {
    let dir = tempfile::tempdir().unwrap();
    let busy = Submission { sender: "busy@example.org".into(), ..submission(0) };
    let path = put(dir.path(), &busy, b"").unwrap();
    let picked_up = pick_up(dir.path(), &Recording::default()).unwrap();
    assert_eq!(picked_up, [(path.clone(), PickedUp::Kept("come back".into()))]);
    assert!(path.exists());
}

#[test]
fn a_folder_that_does_not_exist_is_empty() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(pick_up(dir.path(), &Recording::default()).unwrap(), []);
}

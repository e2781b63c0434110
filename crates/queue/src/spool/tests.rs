//! The spool on a real directory, with the writer stepped inline.

use std::path::Path;
use std::sync::mpsc::channel;

use smtp::envelope::{Envelope, Recipient};
use smtp::syntax::{ForwardPath, MailParameters, RecipientParameters, ReversePath};
use store::{Faults, FileSystem, Memory};

use super::*;
use crate::Origin;

fn received(seconds: u64) -> Received {
    let path = ForwardPath::Mailbox("b@example.org".parse().unwrap());
    let recipient = Recipient { path, parameters: RecipientParameters::default() };
    Received {
        envelope: Envelope {
            reverse_path: ReversePath(Some("a@example.org".parse().unwrap())),
            mail: MailParameters::default(),
            recipients: vec![recipient],
        },
        at: Timestamp::from_secs(seconds),
        origin: Origin::Mx,
        client: None,
        hello: None,
        held: None,
    }
}

type Open = (Spool<FileSystem>, Writer<FileSystem>, SpoolRecovery);

fn open(folder: &Path) -> Open {
    Spool::open(FileSystem::new(folder).unwrap()).unwrap()
}

fn commit(spool: &Spool<FileSystem>, writer: &mut Writer<FileSystem>, octets: &[u8]) -> QueueId {
    let mut draft = spool.begin(received(1_764_000_000));
    draft.append(octets).unwrap();
    let (send, receive) = channel();
    draft.commit(Box::new(move |result| send.send(result).unwrap()));
    assert!(receive.try_recv().is_err(), "nothing is committed before the writer's step");
    while writer.step() {}
    receive.try_recv().unwrap().unwrap().id()
}

fn body(spool: &Spool<FileSystem>, id: QueueId) -> Vec<u8> {
    let mut body = spool.body(id).unwrap();
    let mut octets = Vec::new();
    let mut piece = [0; 10_000];
    loop {
        match body.read_at(octets.len() as u64, &mut piece).unwrap() {
            0 => return octets,
            count => octets.extend_from_slice(&piece[..count]),
        }
    }
}

fn done() -> Done {
    Box::new(|result| result.unwrap())
}

#[test]
fn a_message_of_many_chunks_is_read_back_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let octets: Vec<u8> = (0..300_000u32).map(|number| number as u8).collect();
    let (spool, mut writer, _) = open(folder.path());
    let id = commit(&spool, &mut writer, &octets);
    assert_eq!(body(&spool, id), octets);
    drop((spool, writer));
    let (spool, _, report) = open(folder.path());
    assert_eq!((report.messages, report.incomplete.len()), (1, 0));
    assert_eq!(body(&spool, id), octets);
    let message = spool.get(id).unwrap();
    assert_eq!(message.octets, 300_000);
    assert_eq!(message.received, received(1_764_000_000));
    assert_eq!(message.due(), Some(Timestamp::from_secs(1_764_000_000)));
}

#[test]
fn states_and_ends_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, mut writer, _) = open(folder.path());
    let (first, second) = (commit(&spool, &mut writer, b"1"), commit(&spool, &mut writer, b"2"));
    let mut message = spool.get(first).unwrap();
    message.held = Some("by hand".into());
    message.recipients[0].status = Status::Waiting { due: Timestamp::from_secs(5) };
    message.recipients[0].history.attempts = 4;
    spool.update(&message, Durability::Synced, done());
    spool.remove(second, Durability::Synced, done());
    while writer.step() {}
    drop((spool, writer));
    let (spool, _, _) = open(folder.path());
    assert_eq!(spool.ids(), [first]);
    assert_eq!(spool.get(first), Ok(message));
    assert_eq!(spool.get(second), Err(SpoolError::NotFound(second)));
}

#[test]
fn an_aborted_draft_leaves_nothing_and_an_empty_message_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, mut writer, _) = open(folder.path());
    let mut draft = spool.begin(received(1));
    draft.append(&[b'x'; 200_000]).unwrap();
    while writer.step() {}
    drop(draft);
    let id = commit(&spool, &mut writer, b"");
    drop((spool, writer));
    let (spool, _, _) = open(folder.path());
    assert_eq!(spool.ids(), [id]);
    assert_eq!(body(&spool, id), b"");
}

#[test]
fn ids_grow_over_restarts_and_clocks_that_go_back() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, mut writer, _) = open(folder.path());
    let first = commit(&spool, &mut writer, b"1");
    spool.remove(first, Durability::Synced, done());
    while writer.step() {}
    drop((spool, writer));
    let (spool, _, _) = open(folder.path());
    assert!(spool.begin(received(1)).id() > first);
}

#[test]
fn segments_are_given_up_when_their_messages_have_ended() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, mut writer, _) = open(folder.path());
    let large = vec![b'x'; 40 * 1024 * 1024];
    for _ in 0..4 {
        let id = commit(&spool, &mut writer, &large);
        spool.remove(id, Durability::Synced, done());
        while writer.step() {}
    }
    let kept = commit(&spool, &mut writer, b"kept");
    assert!(spool.stat().segments <= 2, "{:?}", spool.stat());
    drop((spool, writer));
    assert_eq!(open(folder.path()).0.ids(), [kept]);
}

#[test]
fn a_message_whose_first_chunks_a_failed_sync_took_is_not_committed() {
    let disk = Memory::new(1, 1 << 30);
    let (spool, mut writer, _) = Spool::open(disk.clone()).unwrap();
    let mut draft = spool.begin(received(1_764_000_000));
    draft.append(&[7; 100_000]).unwrap();
    let other = spool.begin(received(1_764_000_001));
    while writer.step() {}
    disk.set_faults(Faults { fail_sync: Some(0), ..Faults::default() });
    let (send, receive) = channel();
    for draft in [other, draft] {
        let send = send.clone();
        draft.commit(Box::new(move |result| send.send(result.map(|c| c.id())).unwrap()));
        while writer.step() {}
    }
    let told: Vec<_> = receive.try_iter().collect();
    assert!(matches!(told[..], [Err(SpoolError::Fault(_)), Err(SpoolError::Fault(_))]), "{told:?}");
    assert!(spool.ids().is_empty());
    let (spool, _, report) = Spool::open(disk.crash(1)).unwrap();
    assert!(spool.ids().is_empty(), "{report:?}");
}

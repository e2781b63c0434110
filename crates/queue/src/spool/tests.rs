//! The spool on a real directory, with the writer stepped inline.

use std::path::Path;
use std::sync::mpsc::channel;

use smtp::envelope::{Envelope, Recipient};
use smtp::syntax::{ForwardPath, MailParameters, RecipientParameters, ReversePath};
use store::FileSystem;

use super::*;

use crate::{Hold, Origin, Status};

mod cases;
mod decay;
mod torture;
mod world;

pub(super) fn received(seconds: u64) -> Received {
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
    assert_eq!(*message.received, received(1_764_000_000));
    assert_eq!(message.due(), Some(Timestamp::from_secs(1_764_000_000)));
}

#[test]
fn states_and_ends_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, mut writer, _) = open(folder.path());
    let (first, second) = (commit(&spool, &mut writer, b"1"), commit(&spool, &mut writer, b"2"));
    let mut message = spool.get(first).unwrap();
    let was = message.clone();
    message.hold = Hold::Because("by hand".into());
    message.recipients[0].status = Status::Waiting { due: Timestamp::from_secs(5) };
    message.recipients[0].history.attempts = 4;
    spool.update(&was, &message, Durability::Synced, done());
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
fn a_new_message_is_recalled_as_it_is_read_until_something_is_noted() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, mut writer, _) = open(folder.path());
    let (changed, ended) = (commit(&spool, &mut writer, b"1"), commit(&spool, &mut writer, b"2"));
    for id in [changed, ended] {
        assert_eq!(spool.recall(id), Some(spool.get(id).unwrap()));
        assert_eq!(*spool.recall_data(id).unwrap(), body(&spool, id));
    }
    let was = spool.get(changed).unwrap();
    let held = Message { hold: Hold::Because("by hand".into()), ..was.clone() };
    spool.update(&was, &held, Durability::Synced, done());
    spool.remove(ended, Durability::Synced, done());
    assert_eq!((spool.recall(changed), spool.recall(ended)), (None, None));
    while writer.step() {}
    let new = commit(&spool, &mut writer, b"3");
    drop((spool, writer));
    let (spool, _, _) = open(folder.path());
    assert_eq!(spool.recall(new), None, "it was read, but not kept");
}

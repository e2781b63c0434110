//! Octets over the segments of a spool: it opens, what it shows can be read or says why
//! not, and it takes a new message.

use queue::{Origin, Received, Spool};
use reply::Timestamp;
use smtp::envelope::{Envelope, Recipient};
use smtp::syntax::{ForwardPath, MailParameters, RecipientParameters, ReversePath};
use store::disk::{DiskFile, Memory, Survival};
use store::{Disk, log};

const CAPACITY_OCTETS: u64 = 16 << 20;
const OPTIONS: fn() -> log::Options =
    || log::Options { segment_octets: 64 << 10, ..log::Options::default() };

/// The first four octets say where in the first segment the others are laid.
pub(crate) fn run(octets: &[u8]) {
    let Some((at, over)) = octets.split_first_chunk::<4>() else { return };
    let disk = written().crash_to(Survival::Everything);
    let Ok(names) = disk.list() else { return };
    let Some(name) = names.iter().find(|name| name.starts_with("segment-")) else { return };
    let at = u64::from(u32::from_le_bytes(*at) % (64 << 10));
    let file = disk.open(name).expect("it was listed");
    file.write_all_at(at, over).expect("the disk works");
    let (spool, mut writer, _) = Spool::open_with(disk, OPTIONS()).expect("damage stops no start");
    for id in spool.ids() {
        let _ = (spool.get(id), spool.body(id).and_then(|mut body| body.read_all()));
    }
    spool.check();
    let before = spool.ids().len();
    put(&spool);
    while writer.step() {}
    assert_eq!(spool.ids().len(), before + 1, "a new message is taken");
}

/// A spool of a few messages, as a process left it that did not end cleanly.
fn written() -> Memory {
    let disk = Memory::new(1, CAPACITY_OCTETS);
    let (spool, mut writer, _) = Spool::open_with(disk.clone(), OPTIONS()).expect("it is new");
    for _ in 0..3 {
        put(&spool);
        while writer.step() {}
    }
    disk
}

fn put(spool: &Spool<Memory>) {
    let mut draft = spool.begin(received());
    draft.append(b"Subject: fuzz\r\n\r\nhello\r\n").expect("there is room");
    draft.commit(Box::new(|result| assert!(result.is_ok())));
}

fn received() -> Received {
    let path = "b@example.org".parse().map_or(ForwardPath::Postmaster, ForwardPath::Mailbox);
    Received {
        envelope: Envelope {
            reverse_path: ReversePath("a@example.org".parse().ok()),
            mail: MailParameters::default(),
            recipients: vec![Recipient { path, parameters: RecipientParameters::default() }],
        },
        at: Timestamp::from_secs(1_800_000_000),
        origin: Origin::Mx,
        client: None,
        hello: None,
        held: None,
    }
}

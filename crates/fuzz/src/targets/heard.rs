//! What is read from others: replies, mail, logs, and anything that somebody pastes.

use reply::Reply;
use reply::classify::{Context, classify};
use reply::explain::Language;
use reply::heard::log::LogReader;
use reply::heard::mbox::{self, MailReader};
use reply::heard::{Heard, read_any};

/// A reply: written again it says the same, and every language explains it.
pub(crate) fn reply(octets: &[u8]) {
    let Ok(reply) = Reply::parse(octets) else { return };
    let again = Reply::parse(reply.to_string().as_bytes()).expect("it was written as one");
    assert_eq!((again.code(), again.enhanced_code()), (reply.code(), reply.enhanced_code()));
    assert!(words(&again).eq(words(&reply)), "{again:?} {reply:?}");
    let verdict = classify(&reply, &Context::default());
    assert_eq!(verdict.code, Some(reply.code()));
    for language in Language::COMPLETE {
        assert!(!verdict.explain(*language).title.is_empty());
    }
}

fn words(reply: &Reply) -> impl Iterator<Item = &str> {
    reply.lines().iter().flat_map(|line| line.split_whitespace())
}

/// A mail, whatever its header says of it.
pub(crate) fn mail(octets: &[u8]) {
    told(&read_any(octets));
    let mut as_bounce = b"From: MAILER-DAEMON\nSubject: failure notice\n\n".to_vec();
    as_bounce.extend(octets);
    told(&read_any(&as_bounce));
}

/// Anything.
pub(crate) fn anything(octets: &[u8]) {
    told(&read_any(octets));
}

/// What is heard is bounded, and can be written down.
fn told(heard: &[Heard]) {
    assert!(heard.len() <= 20_000, "{} recipients", heard.len());
    for one in heard {
        assert!(one.recipient.as_ref().is_none_or(|recipient| recipient.len() < 4096));
    }
}

/// A log: the same lines, however the octets are cut into pieces.
pub(crate) fn log(octets: &[u8]) {
    let whole = read_log(octets, usize::MAX);
    let piece = usize::from(octets.first().copied().unwrap_or(1)).max(1);
    assert_eq!(whole, read_log(octets, piece), "in pieces of {piece}");
}

/// A file of mails: nothing of it is lost, and pieces are as good as the whole.
pub(crate) fn mailbox(octets: &[u8]) {
    let piece = usize::from(octets.first().copied().unwrap_or(1)).max(1);
    let mails = read_mailbox(octets, piece);
    assert_eq!(mails.concat(), octets, "in pieces of {piece}");
    assert!(octets.is_empty() || mails.iter().map(Vec::as_slice).eq(mbox::mails(octets)));
}

fn read_mailbox(octets: &[u8], piece: usize) -> Vec<Vec<u8>> {
    let (mut reader, mut mails) = (MailReader::new(), Vec::new());
    let mut pieces = octets.chunks(piece);
    loop {
        while let Some(mail) = reader.next_mail() {
            mails.push(mail.octets.to_vec());
        }
        match pieces.next() {
            Some(piece) => reader.push(piece),
            None => break,
        }
    }
    reader.finish();
    while let Some(mail) = reader.next_mail() {
        mails.push(mail.octets.to_vec());
    }
    mails
}

fn read_log(octets: &[u8], piece: usize) -> Vec<String> {
    let mut reader = LogReader::new(None);
    let mut lines = Vec::new();
    let mut note = |line: reply::heard::log::Line<'_>| {
        let verdict = line.entry.as_ref().and_then(|entry| entry.verdict());
        lines.push(format!("{} {:?} {verdict:?}", line.number, line.damage));
    };
    for piece in octets.chunks(piece) {
        reader.push(piece, &mut note);
    }
    reader.finish(&mut note);
    lines
}

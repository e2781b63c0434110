//! Mails as they come, of a file of any length: what each says is told before more is read.

use std::io::{self, Read};

use reply::heard::mbox::MailReader;
use reply::heard::{Heard, MAX_MAIL_OCTETS, Unreadable, read_damaged_mail};

use super::unread::{Behind, Mebibytes, Unread};

/// What is read at once: more than most mails have, and little enough to be had anew for
/// each of many files.
pub(super) const PIECE_OCTETS: usize = 16 << 10;
/// How much is read of one mail.
const MOST: Mebibytes = Mebibytes::of(MAX_MAIL_OCTETS);

/// What reading comes to.
pub(super) enum Step<'a> {
    /// What a mail says, and what was not read of it.
    Mail(&'a [Heard], &'a [Unread]),
    /// All that came was told; more is waited for.
    Waiting,
}

/// Reads `from` mail by mail. What is returned is not a failure: what was not read, and where.
pub(super) fn each_mail(
    mut from: impl Read,
    mut tell: impl FnMut(Step<'_>) -> io::Result<()>,
) -> io::Result<Vec<Unread>> {
    let mut piece = vec![0; PIECE_OCTETS];
    let (mut mails, mut found) = (MailReader::new(), Found::default());
    let mut broken = None;
    let mut octets = 0;
    loop {
        match from.read(&mut piece) {
            Ok(0) => mails.finish(),
            Ok(count) => {
                octets += count as u64;
                mails.push(&piece[..count]);
            }
            Err(error) => {
                broken = Some(Unread::broken_off(Behind::Octets(octets), &error));
                mails.finish();
            }
        }
        while let Some(mail) = mails.next_mail() {
            found.mails += 1;
            let (heard, unreadable) = read_damaged_mail(mail.octets);
            // Nothing but the last mail is whole no more where the file breaks off.
            let of_file = broken.as_ref().filter(|_| mail.ends_at() == octets);
            let not_read: Vec<Unread> = match (mail.is_cut(), of_file) {
                (true, _) => vec![found.cut(mail.at)],
                (false, Some(broken)) => vec![broken.clone()],
                (false, None) => found.damaged(unreadable, mail.at),
            };
            tell(Step::Mail(&heard, &not_read))?;
        }
        if mails.has_ended() {
            let not_read = found.not_read().into_iter().chain(found.damaged);
            return Ok(not_read.chain(broken).collect());
        }
        tell(Step::Waiting)?;
    }
}

/// How many mails there were, and of which the end was passed over.
#[derive(Default)]
struct Found {
    mails: u64,
    cut: u64,
    first_cut: u64,
    /// What else could not be read: of each kind the first.
    damaged: Vec<Unread>,
}

impl Found {
    /// The mail that begins at `at` was cut; what is said of it.
    fn cut(&mut self, at: u64) -> Unread {
        if self.cut == 0 {
            self.first_cut = at;
        }
        self.cut += 1;
        Unread::BeyondFirst(MOST)
    }

    /// What could not be read in a mail that begins at `at`.
    fn damaged(&mut self, unreadable: Vec<Unreadable>, at: u64) -> Vec<Unread> {
        let all = unreadable.into_iter().map(|what| Unread::InMail(what, at)).collect();
        for unread in &all {
            let is_known = self.damaged.iter().any(|known| is_alike(known, unread));
            if !is_known {
                self.damaged.push(Unread::clone(unread));
            }
        }
        all
    }

    fn not_read(&self) -> Option<Unread> {
        match (self.cut, self.mails) {
            (0, _) => None,
            (1, 1) => Some(Unread::BeyondFirst(MOST)),
            (1, _) => Some(Unread::BeyondFirstOfOne(MOST, self.first_cut)),
            (cut, _) => Some(Unread::BeyondFirstOfSome(MOST, cut, self.first_cut)),
        }
    }
}

/// Whether both tell of the same kind of trouble.
fn is_alike(one: &Unread, other: &Unread) -> bool {
    match (one, other) {
        (Unread::InMail(one, _), Unread::InMail(other, _)) => {
            std::mem::discriminant(one) == std::mem::discriminant(other)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of `octets` that come in one piece after another, then break off or end.
    fn told(pieces: Vec<io::Result<Vec<u8>>>) -> (Vec<String>, Vec<String>) {
        struct Pieces(std::vec::IntoIter<io::Result<Vec<u8>>>);
        impl Read for Pieces {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                let Some(piece) = self.0.next() else { return Ok(0) };
                piece?.as_slice().read(into)
            }
        }
        let mut seen = Vec::new();
        let not_read = each_mail(Pieces(pieces.into_iter()), |step| {
            seen.push(match step {
                Step::Mail(heard, what) => {
                    let what: Vec<String> = what.iter().map(Unread::in_english).collect();
                    format!("{} {}", heard.len(), what.join("; "))
                }
                Step::Waiting => "…".to_owned(),
            });
            Ok(())
        });
        (seen, not_read.unwrap().iter().map(Unread::in_english).collect())
    }

    const ONE: &[u8] = b"From a 10:30\nTo: b\n\nx\n\n";

    #[test]
    fn a_mail_is_told_before_more_is_read() {
        let (start, rest) = ONE.split_at(9);
        let third = [rest, ONE, &vec![b'y'; 2000]].concat();
        let (seen, not_read) = told(vec![Ok(ONE.repeat(60)), Ok(start.to_vec()), Ok(third)]);
        let waits: Vec<usize> = (0..seen.len()).filter(|at| seen[*at] == "…").collect();
        // What decides whether one ends may come with the next piece.
        assert!(waits[0] > 5 && waits[1] > waits[0], "{seen:?}");
        assert_eq!(seen.len() - waits.len(), 62);
        assert_eq!(not_read, [""; 0]);
    }

    #[test]
    fn what_was_not_read_is_said_of_its_mail_and_in_the_end() {
        let failed = || Err(io::Error::other("half"));
        let (seen, not_read) = told(vec![Ok(ONE.repeat(2)), failed()]);
        let broken = "it breaks off behind 46 octets (half); what stands before was read";
        assert_eq!(seen, ["…", "1 ", &format!("1 {broken}")]);
        assert_eq!(not_read, [broken]);

        let long = vec![b'z'; PIECE_OCTETS];
        let mut pieces = vec![Ok(ONE.to_vec())];
        pieces.extend((0..=MAX_MAIL_OCTETS / PIECE_OCTETS).map(|_| Ok(long.clone())));
        let (_, not_read) = told(pieces);
        assert_eq!(not_read, ["only the first 4 MiB were read"]);

        let mut pieces = vec![Ok([ONE, ONE].concat())];
        pieces.extend((0..=MAX_MAIL_OCTETS / PIECE_OCTETS).map(|_| Ok(long.clone())));
        pieces.push(Ok([b"\n\n", ONE].concat()));
        let (seen, not_read) = told(pieces);
        assert_eq!(not_read, ["of the mail at octet 23, only the first 4 MiB were read"]);
        let mails: Vec<&String> = seen.iter().filter(|told| *told != "…").collect();
        assert_eq!(mails, ["1 ", "1 only the first 4 MiB were read", "1 "]);
    }
    /// A mail with multiparts in each other.
    fn nested(levels: usize) -> Vec<u8> {
        let head = |level| format!("Content-Type: multipart/mixed; boundary=b{level}\n\n");
        let mut mail = format!("From: a@example.org\n{}", head(0));
        (1..levels).for_each(|level| mail += &format!("--b{}\n{}", level - 1, head(level)));
        mail += &format!("--b{}\n\nwords\n", levels - 1);
        (0..levels).rev().for_each(|level| mail += &format!("--b{level}--\n"));
        mail.into_bytes()
    }

    #[test]
    fn parts_that_are_nested_too_deep_or_are_too_many_are_told() {
        let beyond = "of the mail at octet 0, parts beyond 16 levels, or beyond the first 64, \
                      were not read";
        let head = b"Content-Type: multipart/mixed; boundary=b\n\n".to_vec();
        let many = |parts: usize| [head.clone(), b"--b\n\nwords\n".repeat(parts)].concat();
        let whole = |mail: &[u8]| [mail, b"--b--\n"].concat();
        for (mail, expected) in [
            (nested(10_000), vec![beyond]),
            (nested(17), vec![beyond]),
            (nested(16), vec![]),
            (many(66), vec![beyond]),
            (whole(&many(63)), vec![]),
        ] {
            assert_eq!(told(vec![Ok(mail)]).1, expected);
        }
    }

    #[test]
    fn half_a_mail_and_damaged_parts_are_told_with_the_part() {
        let mail = |parts: &str| {
            format!(
                "From: MAILER-DAEMON\nSubject: failure\n\
                 Content-Type: multipart/report; boundary=b\n\n{parts}"
            )
            .into_bytes()
        };
        let first = "--b\n\nIt failed.\n";
        for (parts, expected) in [
            (
                format!("{first}--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dn"),
                "the mail at octet 0 breaks off in its part 2",
            ),
            (
                format!("{first}--b\nContent-Transfer-Encoding: base64\n\nSXQgZmFpb\n--b--\n"),
                "the base64 of part 2 of the mail at octet 0",
            ),
            ("--b\nContent-Type: text/plain; charset=x-odd\n\nBo\u{ee}te\n--b--\n".to_owned(), ""),
            (format!("{first}--b--\n"), ""),
        ] {
            let told = told(vec![Ok(mail(&parts))]).1.join("; ");
            assert!(told.starts_with(expected) && told.is_empty() == expected.is_empty(), "{told}");
        }
        let mut octets = mail("--b\nContent-Type: text/plain; charset=utf-8\n\nBo");
        octets.extend(b"\xeete\n--b--\n");
        let told = told(vec![Ok(octets)]).1.join("; ");
        assert!(told.contains("part 1") && told.contains("`utf-8`"), "{told}");
    }
}

//! Mails in one file, each behind a line that begins with "From " (RFC 4155).

use memchr::{memchr, memmem};

/// The mails in `octets`; all of it where it is no mbox.
pub fn mails(octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_mbox = begins_mail(octets);
    let mut rest = Some(octets);
    std::iter::from_fn(move || {
        let all = rest.take()?;
        let end = if is_mbox { next_mail(all) } else { None };
        let (mail, others) = end.map_or((all, None), |at| (&all[..at], Some(&all[at..])));
        rest = others;
        Some(mail)
    })
}

/// Where the next mail begins behind the first: after an empty line.
fn next_mail(octets: &[u8]) -> Option<usize> {
    let starts = memmem::find_iter(octets, b"\nFrom ").map(|at| at + 1);
    starts.into_iter().find(|at| {
        let before = &octets[..*at];
        let is_after_empty_line = before.ends_with(b"\n\n") || before.ends_with(b"\r\n\r\n");
        is_after_empty_line && begins_mail(&octets[*at..])
    })
}

/// Whether a "From " line with a date stands there, and a header field below it. In
/// returned messages such lines stand as well, and mean nothing there.
fn begins_mail(octets: &[u8]) -> bool {
    let Some(line) = octets.strip_prefix(b"From ") else { return false };
    let Some(end) = memchr(b'\n', &line[..line.len().min(1024)]) else { return false };
    let (line, below) = line.split_at(end);
    let has_time = line
        .windows(3)
        .any(|three| three[1] == b':' && three[0].is_ascii_digit() && three[2].is_ascii_digit());
    let below = &below[1..];
    let field = memchr(b':', &below[..below.len().min(80)]).map(|colon| &below[..colon]);
    let is_name =
        |name: &[u8]| name.iter().all(|octet| octet.is_ascii_alphanumeric() || *octet == b'-');
    has_time && field.is_some_and(|name| !name.is_empty() && is_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_are_told_apart_and_a_from_in_a_text_is_none() {
        let two = b"From a Thu Apr 29 23:34:45 2010\nTo: b\n\nFrom here on\n\nFrom now on, it is 10:30\nhello\n\nFrom c Thu Apr 29 23:34:45 2010\nTo: d\n\nx\n";
        let all: Vec<&[u8]> = mails(two).collect();
        assert_eq!(all.len(), 2);
        assert!(all[1].starts_with(b"From c "));
        assert_eq!(mails(b"To: b\n\nFrom c Thu Apr 29 23:34:45 2010\nTo: d\n").count(), 1);
    }
}

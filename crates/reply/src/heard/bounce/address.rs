//! Mail addresses in running text, and the part that a line gives them: the name of a
//! failed recipient, a label's value, an aside.

/// An address in a line, by its octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot<'t> {
    pub(super) address: &'t str,
    /// What stands before it in the line.
    before: &'t str,
    /// What stands behind it.
    after: &'t str,
}

/// How clearly a line names an address as a recipient. The clearest in a text decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// As that of a sender, a postmaster, a message's id.
    Other,
    /// Somewhere in a sentence.
    Aside,
    /// In a field `To:` or `Cc:` of a summary.
    Field,
    /// After a word for recipient, or in a reply that begins with it.
    Labelled,
    /// At the start of the line.
    Heading,
}

/// Every address in `line`.
pub(super) fn spots(line: &str) -> Vec<Spot<'_>> {
    let mut spots = Vec::new();
    for at in memchr::memchr_iter(b'@', line.as_bytes()).take(32) {
        let start = local_start(&line[..at]);
        let end = at + 1 + domain_len(&line[at + 1..]);
        if start < at && end > at + 1 {
            let address = &line[start..end];
            spots.push(Spot { address, before: &line[..start], after: &line[end..] });
        }
    }
    spots
}

/// Whether `line` begins with a list of addresses.
pub(super) fn is_list(line: &str) -> bool {
    spots(line).get(1).is_some_and(|second| is_of_addresses(second.before))
}

/// Whether `text` is nothing but addresses, each with a comma behind it.
fn is_of_addresses(text: &str) -> bool {
    let decoration: &[char] = &[' ', '\t', '<', '>', '"', '\'', ';'];
    let text = text.trim_end_matches(decoration);
    let Some(list) = text.strip_suffix(',') else { return false };
    list.split(',').all(|one| {
        let one = one.trim_matches(decoration);
        one.contains('@') && !one.contains([' ', ':'])
    })
}

/// The first address in `text`.
pub(super) fn first(text: &str) -> Option<&str> {
    spots(text).first().map(|spot| spot.address)
}

/// Where the local part that ends `text` begins; its length where there is none.
fn local_start(text: &str) -> usize {
    if let Some(inner) = text.strip_suffix('"') {
        return inner.rfind('"').unwrap_or(text.len());
    }
    let mut start = text.len();
    let mut next_is_ascii = false;
    for (at, c) in text.char_indices().rev().take(128) {
        let fits = c.is_ascii_alphanumeric()
            || "!#$%&'*+-/=?^_`{|}~.".contains(c)
            // Scripts without spaces run into the address.
            || !(c.is_ascii() || c.is_whitespace() || next_is_ascii && c >= '\u{2e80}');
        if !fits || is_bracket(c) {
            break;
        }
        next_is_ascii = c.is_ascii();
        start = at;
    }
    if text[start..].starts_with("=?") {
        return start;
    }
    let decoration = |c: char| "'`*-./=|~?&!#^{}".contains(c) || is_bracket(c);
    text.len() - text[start..].trim_start_matches(decoration).len()
}

fn is_bracket(c: char) -> bool {
    matches!(
        c,
        '«' | '»'
            | '„'
            | '“'
            | '”'
            | '‘'
            | '’'
            | '、'
            | '。'
            | '：'
            | '（'
            | '「'
            | '<'
            | '\u{feff}'
    )
}

fn domain_len(text: &str) -> usize {
    if text.starts_with('[') {
        return text.find(']').map_or(0, |at| at + 1);
    }
    let mut end = 0;
    let mut before = '.';
    for (at, c) in text.char_indices().take(253) {
        let fits = c.is_ascii_alphanumeric()
            || "-._".contains(c)
            || (c.is_alphanumeric() && !(before.is_ascii_alphanumeric() && c >= '\u{2e80}'));
        if !fits {
            break;
        }
        end = at + c.len_utf8();
        before = c;
    }
    text[..end].trim_end_matches(|c: char| !c.is_alphanumeric()).len()
}

/// Words before an address that is not the recipient's.
const OTHERS: &[&str] = &[
    "from",
    "by",
    "sender",
    "von",
    "de",
    "от",
    "contact",
    "postmaster",
    "mailto",
    "id",
    "identifier",
    "reply-to",
    "return-path",
    "envelope-from",
    "message-id",
    "smtp.mailfrom",
    "abuse",
    "cc:postmaster",
    "queue-id",
    "differs from",
    "on behalf of",
    "verification failed for",
    "verify failed for",
];

/// Words before an address that is a recipient's.
const LABELS: &[&str] = &[
    "to",
    "rcpt to",
    "for",
    "recipient",
    "recipients",
    "recipient(s)",
    "address",
    "addresses",
    "user",
    "users",
    "mailbox",
    "account",
    "reach",
    "group",
    "email",
    "e-mail",
    "rfc822",
    "smtp",
    "utf-8",
    "target mail address",
    "an",
    "empfanger",
    "empfänger",
    "adresse",
    "a",
    "à",
    "destinataire",
    "destinatario",
    "destinatário",
    "para",
    "получатель",
    "получателю",
    "адрес",
    "адресу",
    "кому",
    "収件人",
    "宛先",
    "收件人",
    "発信先",
    "destinatari",
    "ontvanger",
    "geadresseerde",
    "adresat",
    "adresata",
    "příjemce",
    "příjemci",
    "mottagare",
    "mottaker",
    "modtager",
    "vastaanottaja",
    "címzett",
    "alıcı",
    "одержувач",
    "παραλήπτης",
    "受信者",
    "收件者",
    "수신자",
    "받는 사람",
    "người nhận",
    "penerima",
    "送信先",
    "rcpt",
    "following address",
    "e-mail address",
    "email address",
    "original-recipient",
    "final-recipient",
];

impl Spot<'_> {
    /// What the line says of the address.
    pub(super) fn role(&self) -> Role {
        let decoration: &[char] =
            &[' ', '\t', '<', '>', '"', '\'', '*', '-', '(', '[', '|', '•', '·', ',', '\u{feff}'];
        let before = self.before.trim_matches(decoration);
        // A display name that is itself an address: "a@example.org <b@example.net>: …".
        let is_display = |text: &str| text.trim_start().starts_with('<') && text.contains('@');
        if before.is_empty() && is_display(self.after) {
            return Role::Other;
        }
        if before.is_empty()
            || is_of_addresses(self.before)
            || (before.contains('@') && !before.contains(' ') && self.before.ends_with('<'))
        {
            return Role::Heading;
        }
        let label = before.trim_end_matches([':', ';', '=', ' ', '.', '：']).trim_end();
        let lower = label.to_lowercase();
        let ends_with = |word: &&&str| {
            lower.strip_suffix(**word).is_some_and(|rest| !rest.ends_with(char::is_alphanumeric))
        };
        // Exim says so of what a recipient forwards his mail to.
        if lower.ends_with("generated by") {
            return Role::Heading;
        }
        // And so of a file or a program that he gives it to.
        if lower.ends_with("generated from") {
            return Role::Labelled;
        }
        if OTHERS.iter().find(ends_with).is_some() {
            return Role::Other;
        }
        if matches!(lower.as_str(), "to" | "cc" | "bcc" | "an" | "para" | "a" | "à") {
            return Role::Field;
        }
        let is_reply = label.len() <= 10 && label.starts_with(|c: char| c.is_ascii_digit());
        // What happened, and to whom: "Mailbox is over its size: bob@example.net".
        let is_told = before.ends_with(':')
            && label.contains(' ')
            && self.after.trim_matches(decoration).is_empty();
        if is_told
            || LABELS.iter().find(ends_with).is_some()
            || (is_reply && self.after.contains("..."))
        {
            return Role::Labelled;
        }
        Role::Aside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &[(&str, Role)]) {
        let seen: Vec<_> = spots(line).iter().map(|spot| (spot.address, spot.role())).collect();
        assert_eq!(seen, expected, "{line}");
    }

    #[test]
    fn addresses_are_found_with_the_part_they_play() {
        check("  <bob@example.net>: host said", &[("bob@example.net", Role::Heading)]);
        check("* bob.b+tag@example.net.", &[("bob.b+tag@example.net", Role::Heading)]);
        check("Unable to deliver to: bob@example.net", &[("bob@example.net", Role::Labelled)]);
        check("550 <bob@example.net>... gone", &[("bob@example.net", Role::Labelled)]);
        let two = [("bob@example.net", Role::Heading), ("eve@example.net", Role::Heading)];
        check("<bob@example.net>, <eve@example.net>: gone", &two);
        check("To: bob@example.net", &[("bob@example.net", Role::Field)]);
        check(
            "His mailbox is over its size: bob@example.net",
            &[("bob@example.net", Role::Labelled)],
        );
        check("Recipient: [SMTP:bob@example.net]", &[("bob@example.net", Role::Labelled)]);
        check("MAIL FROM:<ann@example.org>", &[("ann@example.org", Role::Other)]);
        check("(generated from bob@example.net)", &[("bob@example.net", Role::Labelled)]);
        check("550-verify failed for <ann@example.org>", &[("ann@example.org", Role::Other)]);
        check("the box bob@example.net is full", &[("bob@example.net", Role::Aside)]);
        check("@ alone, a@ and @b", &[]);
    }

    #[test]
    fn addresses_are_told_from_scripts_without_spaces() {
        check("宛先bob@example.netへの配信", &[("bob@example.net", Role::Labelled)]);
        check("猫@例え.jp", &[("猫@例え.jp", Role::Heading)]);
        check("مرحبًا bob@example.net،", &[("bob@example.net", Role::Aside)]);
        check("\"bob b\"@example.net", &[("\"bob b\"@example.net", Role::Heading)]);
    }
}

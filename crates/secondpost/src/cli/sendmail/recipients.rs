//! `-t`: recipients from the fields To, Cc and Bcc (and Resent- ones, where there are
//! any), and Bcc taken away. As in Sendmail, addresses on the command line come on top.

/// A field of the header block with its folded lines, as octets of the message.
struct FieldLines<'a> {
    name: String,
    octets: &'a [u8],
}

/// The message without its Bcc fields, and whom it is for.
pub(super) fn take(raw: &[u8], named: &[String]) -> (Vec<u8>, Vec<String>) {
    let (fields, body) = split(raw);
    let resent = fields.iter().any(|field| is_recipient_field(&field.name, "resent-"));
    let prefix = if resent { "resent-" } else { "" };
    let mut recipients = named.to_vec();
    let mut kept = Vec::with_capacity(raw.len());
    for field in &fields {
        if is_recipient_field(&field.name, prefix) {
            let value = String::from_utf8_lossy(field.octets);
            let (_, value) = value.split_once(':').unwrap_or_default();
            recipients.extend(addresses(value));
        }
        if !field.name.ends_with("bcc") {
            kept.extend_from_slice(field.octets);
        }
    }
    kept.extend_from_slice(body);
    recipients.sort();
    recipients.dedup();
    (kept, recipients)
}

fn is_recipient_field(name: &str, prefix: &str) -> bool {
    matches!(name.strip_prefix(prefix), Some("to" | "cc" | "bcc"))
}

/// The fields, and the rest from the first line that is none.
fn split(raw: &[u8]) -> (Vec<FieldLines<'_>>, &[u8]) {
    let mut fields: Vec<FieldLines<'_>> = Vec::new();
    let mut start = 0;
    while let Some(end) = field_end(&raw[start..]) {
        let octets = &raw[start..start + end];
        let colon = octets.iter().position(|octet| *octet == b':');
        let Some(colon) = colon else { break };
        let name = String::from_utf8_lossy(&octets[..colon]).trim().to_ascii_lowercase();
        if name.is_empty() || name.contains(char::is_whitespace) {
            break;
        }
        fields.push(FieldLines { name, octets });
        start += end;
    }
    (fields, &raw[start..])
}

/// Where the field that begins here ends: before the first line that is not folded.
fn field_end(rest: &[u8]) -> Option<usize> {
    if rest.is_empty() || matches!(rest[0], b'\n' | b'\r') {
        return None;
    }
    let mut end = 0;
    loop {
        let line = rest[end..].iter().position(|octet| *octet == b'\n');
        end = line.map_or(rest.len(), |at| end + at + 1);
        if end == rest.len() || !matches!(rest[end], b' ' | b'\t') {
            return Some(end);
        }
    }
}

/// The addresses of a list (RFC 5322 §3.4): names, comments and groups left out.
pub(super) fn addresses(value: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut current = Entry::default();
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => current.quoted(&mut chars),
            '(' => skip_comment(&mut chars),
            '<' => current.begin_angle(),
            '>' => current.in_angle = false,
            ',' | ';' if !current.in_angle => found.extend(std::mem::take(&mut current).address()),
            ':' if !current.in_angle => current = Entry::default(),
            c if c.is_whitespace() && (current.in_angle || current.angle.is_none()) => {
                current.space();
            }
            c => current.push(c),
        }
    }
    found.extend(current.address());
    found
}

/// One entry of a list while it is read.
#[derive(Default)]
struct Entry {
    plain: String,
    angle: Option<String>,
    in_angle: bool,
}

impl Entry {
    fn push(&mut self, c: char) {
        match &mut self.angle {
            Some(angle) if self.in_angle => angle.push(c),
            Some(_) => {}
            None => self.plain.push(c),
        }
    }

    /// White space ends no address in angle brackets, and parts words outside.
    fn space(&mut self) {
        if self.angle.is_none() {
            self.plain.push(' ');
        }
    }

    fn begin_angle(&mut self) {
        self.angle = Some(String::new());
        self.in_angle = true;
    }

    /// A quoted string stays as it is written: it may be a local part.
    fn quoted(&mut self, chars: &mut std::str::Chars<'_>) {
        self.push('"');
        while let Some(c) = chars.next() {
            self.push(c);
            match c {
                '\\' => chars.next().into_iter().for_each(|c| self.push(c)),
                '"' => return,
                _ => {}
            }
        }
    }

    fn address(self) -> Option<String> {
        let address = self.angle.unwrap_or_else(|| self.plain.trim().to_owned());
        // A route before the address (RFC 5322 §4.4) is left out.
        let address = match address.split_once(':') {
            Some((route, address)) if route.starts_with('@') => address.to_owned(),
            _ => address,
        };
        (!address.is_empty()).then_some(address)
    }
}

fn skip_comment(chars: &mut std::str::Chars<'_>) {
    let mut depth = 1;
    while depth > 0 {
        match chars.next() {
            Some('\\') => drop(chars.next()),
            Some('(') => depth += 1,
            Some(')') => depth -= 1,
            Some(_) => {}
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: &[&str]) {
        assert_eq!(addresses(value), expected, "{value}");
    }

    #[test]
    fn lists_of_addresses_are_read_as_people_write_them() {
        check("a@example.org", &["a@example.org"]);
        check(
            "a@x.test, \"B, C\" <b@x.test>,c@x.test (a, comment)",
            &["a@x.test", "b@x.test", "c@x.test"],
        );
        check("friends: a@x.test, b@x.test;, c@x.test", &["a@x.test", "b@x.test", "c@x.test"]);
        check("undisclosed-recipients:;", &[]);
        check("\"a, b\"@x.test", &["\"a, b\"@x.test"]);
        check("Name <@relay.test:a@x.test>", &["a@x.test"]);
        check("a@x.test,\r\n b@x.test", &["a@x.test", "b@x.test"]);
        check("root", &["root"]);
        check("(unclosed", &[]);
        check("\"unclosed", &["\"unclosed"]);
    }

    #[test]
    fn bcc_is_taken_away_and_its_recipients_are_kept() {
        let raw = b"To: a@x.test\nBcc: b@x.test,\n c@x.test\nSubject: hi\n\nTo: not@x.test\n";
        let (kept, recipients) = take(raw, &["d@x.test".into()]);
        assert_eq!(kept, b"To: a@x.test\nSubject: hi\n\nTo: not@x.test\n");
        assert_eq!(recipients, ["a@x.test", "b@x.test", "c@x.test", "d@x.test"]);
    }

    #[test]
    fn resent_fields_take_the_place_of_the_others() {
        let raw = b"To: a@x.test\nResent-To: b@x.test\nResent-Bcc: c@x.test\n\n";
        let (kept, recipients) = take(raw, &[]);
        assert_eq!(kept, b"To: a@x.test\nResent-To: b@x.test\n\n");
        assert_eq!(recipients, ["b@x.test", "c@x.test"]);
    }
}

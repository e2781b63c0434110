//! Every notification is parsed by a small, strict reader of its own, and its lines are
//! lawful whatever it is made of.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const AT: Timestamp = Timestamp::from_secs(951_827_696);

fn recipient<'a>(path: &'a ForwardPath, reply: Option<&'a Reply>) -> RecipientReport<'a> {
    RecipientReport {
        final_recipient: path,
        original_recipient: Some("rfc822;B+2Bx@example.net"),
        action: Action::Failed,
        status: "5.1.1".parse().unwrap(),
        remote_mta: Some("mx.example.net"),
        diagnostic: reply.map(Diagnostic::Heard),
        last_attempt: Some(AT),
        will_retry_until: None,
        explanation: vec!["There is no such mailbox.".to_owned()],
    }
}

fn report<'a>(to: &'a Mailbox, recipients: Vec<RecipientReport<'a>>) -> Report<'a> {
    Report {
        reporting_mta: "mx.example.org",
        received_from: Some(("client.example.org", Some("192.0.2.7".parse().unwrap()))),
        arrival: AT,
        now: AT,
        offset_minutes: 60,
        envid: Some("q+2B1"),
        to,
        frame: Frame {
            language: "en".to_owned(),
            from_name: "Mail Delivery System".to_owned(),
            subject: "Undelivered mail".to_owned(),
            opening: vec!["Your message was not delivered.".to_owned()],
            closing: Vec::new(),
        },
        recipients,
        original: Original::Headers(b"Message-ID: <1@example.org>\r\nSubject: x\r\n\r\n"),
        seed: 7,
    }
}

#[test]
fn the_host_that_answered_is_named_by_its_kind() {
    let check = |host: &str, expected: &str| {
        let to = mailbox("a@example.org");
        let path = path("b@example.net");
        let about = RecipientReport { remote_mta: Some(host), ..recipient(&path, None) };
        let parsed = parse(&build(&report(&to, vec![about])));
        assert_eq!(parsed.status()[1]["remote-mta"], expected);
    };
    check("mx.example.net", "dns; mx.example.net");
    check("192.0.2.1", "dns; [192.0.2.1]");
    check("2001:db8::1", "dns; [IPv6:2001:db8::1]");
    check("/run/dovecot/lmtp", "x-unix; /run/dovecot/lmtp");
}

#[test]
fn text_without_spaces_is_wrapped_like_any_other() {
    let (to, path) = (mailbox("a@example.org"), path("b@example.net"));
    let told = "サーバーは、知らない送信者の最初の試行を意図的に断ります。".repeat(4);
    let about = RecipientReport { explanation: vec![told.clone()], ..recipient(&path, None) };
    let parsed = parse(&build(&report(&to, vec![about])));
    let lines: Vec<&str> =
        parsed.parts[0].1.lines().filter(|line| line.starts_with("    ")).map(str::trim).collect();
    assert_eq!(lines.concat(), told);
    // A character of these takes two columns; 4 of the 76 are the indent.
    assert!(lines.iter().all(|line| line.chars().count() <= 36), "{lines:?}");
    assert!(lines.iter().all(|line| !line.starts_with(['、', '。'])), "{lines:?}");
}

fn mailbox(text: &str) -> Mailbox {
    text.parse().unwrap()
}

fn path(text: &str) -> ForwardPath {
    ForwardPath::Mailbox(mailbox(text))
}

/// Fields by their names in lower case, unfolded; panics on what is no field.
fn fields(block: &str) -> BTreeMap<String, String> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in block.split("\r\n").filter(|line| !line.is_empty()) {
        if line.starts_with([' ', '\t']) {
            found.last_mut().expect("a field before a fold").1 += line;
            continue;
        }
        let (name, value) = line.split_once(':').expect("a field has a colon");
        assert!(name.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-'), "{name}");
        found.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let count = found.len();
    let trimmed = found.into_iter().map(|(name, value)| (name, value.trim().to_owned()));
    let fields: BTreeMap<String, String> = trimmed.collect();
    assert_eq!(fields.len(), count, "no field comes twice: {block}");
    fields
}

fn decoded(encoding: &str, body: &str) -> String {
    if encoding != "quoted-printable" {
        return body.to_owned();
    }
    let joined = body.replace("=\r\n", "");
    let mut octets = Vec::new();
    let mut rest = joined.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'=' {
            let digits = std::str::from_utf8(&after[..2]).unwrap();
            octets.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &after[2..];
        } else {
            octets.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

struct Parsed {
    header: BTreeMap<String, String>,
    /// Content type and decoded body.
    parts: Vec<(String, String)>,
}

impl Parsed {
    /// The groups of the second part: of the message, then of each recipient.
    fn status(&self) -> Vec<BTreeMap<String, String>> {
        let groups = self.parts[1].1.trim_end().split("\r\n\r\n");
        groups.map(fields).collect()
    }
}

fn parse(octets: &[u8]) -> Parsed {
    check_lines(octets);
    let text = String::from_utf8_lossy(octets);
    let (head, body) = text.split_once("\r\n\r\n").expect("a header ends");
    let header = fields(head);
    let content_type = &header["content-type"];
    assert!(content_type.starts_with("multipart/report; report-type=delivery-status;"));
    let boundary = content_type.split('"').nth(1).expect("a quoted boundary");
    let body = body.strip_suffix(&format!("--{boundary}--\r\n")).expect("a last boundary");
    let delimiter = format!("--{boundary}\r\n");
    let parts = body.split(&delimiter).skip(1).map(|part| {
        let (head, body) = part.split_once("\r\n\r\n").expect("a part's header ends");
        let fields = fields(head);
        let body = body.strip_suffix("\r\n").expect("a line end before the boundary");
        let body = decoded(&fields["content-transfer-encoding"], body);
        (fields["content-type"].clone(), body)
    });
    let parts = parts.collect();
    Parsed { header, parts }
}

fn check_lines(octets: &[u8]) {
    assert!(octets.ends_with(b"\r\n"));
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        let content = line.strip_suffix(b"\r\n").expect("every line ends in CRLF");
        assert!(content.len() <= 998, "{}", content.len());
        assert!(!content.iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0)));
    }
}

#[test]
fn a_failure_is_told_in_every_field() {
    rfc!(3461, "6.3");
    rfc!(3461, "9.2");
    rfc!(3464, "2");
    rfc!(3464, "2.3");
    rfc!(3464, "2.3.9");
    rfc!(6522, "3");
    let (to, path) = (mailbox("a@example.org"), path("b@example.net"));
    let reply = Reply::parse(b"550-5.1.1 no such user\r\n550 5.1.1 go away\r\n").unwrap();
    let built = build(&report(&to, vec![recipient(&path, Some(&reply))]));
    assert!(built.is_ascii());
    let parsed = parse(&built);
    assert_eq!(parsed.header["from"], "Mail Delivery System <MAILER-DAEMON@mx.example.org>");
    assert_eq!(parsed.header["to"], "a@example.org");
    assert_eq!(parsed.header["auto-submitted"], "auto-replied");
    assert_eq!(parsed.header["in-reply-to"], "<1@example.org>");
    let kinds: Vec<&str> = parsed.parts.iter().map(|(kind, _)| kind.as_str()).collect();
    let expected = ["text/plain; charset=utf-8", "message/delivery-status", "text/rfc822-headers"];
    assert_eq!(kinds, expected);
    let [message, recipient] = &parsed.status()[..] else { panic!("two groups") };
    assert_eq!(message["reporting-mta"], "dns; mx.example.org");
    assert_eq!(message["original-envelope-id"], "q+1");
    assert_eq!(message["received-from-mta"], "dns; client.example.org ([192.0.2.7])");
    assert_eq!(message["arrival-date"], "Tue, 29 Feb 2000 13:34:56 +0100");
    assert_eq!(recipient["original-recipient"], "rfc822; B+x@example.net");
    assert_eq!(recipient["final-recipient"], "rfc822; b@example.net");
    assert_eq!(recipient["action"], "failed");
    assert_eq!(recipient["status"], "5.1.1");
    assert_eq!(recipient["remote-mta"], "dns; mx.example.net");
    let said = "smtp; 550-5.1.1 no such user 550 5.1.1 go away";
    assert_eq!(recipient["diagnostic-code"], said);
    assert!(recipient.contains_key("last-attempt-date"));
    assert!(!recipient.contains_key("will-retry-until"));
    assert!(parsed.parts[0].1.contains("<b@example.net>\r\n    There is no such mailbox.\r\n"));
}

#[test]
fn a_diagnosis_of_our_own_is_told_where_no_host_spoke() {
    rfc!(3461, "6.3");
    let (to, path) = (mailbox("a@example.org"), path("b@example.net"));
    let mut about = recipient(&path, None);
    about.diagnostic = Some(Diagnostic::Ours("connection refused\r\nX: y"));
    let parsed = parse(&build(&report(&to, vec![about])));
    let expected = "x-secondpost; connection refused X: y";
    assert_eq!(parsed.status()[1]["diagnostic-code"], expected);
}

#[test]
fn identifiers_and_addresses_keep_their_spelling() {
    rfc!(3464, "2.2.1");
    rfc!(3464, "2.3.2");
    rfc!(3461, "6.3");
    let (to, path) = (mailbox("a@example.org"), path("\"b  c\"@Example.NET"));
    let mut about = recipient(&path, None);
    about.original_recipient = Some("rfc822;+22B+20+20c+22@Example.NET");
    let mut report = report(&to, vec![about]);
    report.envid = Some("QQ+20+20two+09x");
    let groups = parse(&build(&report)).status();
    assert_eq!(groups[0]["original-envelope-id"], "QQ  two\tx");
    assert_eq!(groups[1]["original-recipient"], "rfc822; \"B  c\"@Example.NET");
    assert_eq!(groups[1]["final-recipient"], "rfc822; \"b  c\"@Example.NET");
}

#[test]
fn a_host_without_a_full_name_is_no_name_of_dns() {
    rfc!(3461, "6.3");
    let check = |name: &str, expected: &str| {
        let (to, path) = (mailbox("a@example.org"), path("b@example.net"));
        let mut report = report(&to, vec![recipient(&path, None)]);
        report.reporting_mta = name;
        assert_eq!(parse(&build(&report)).status()[0]["reporting-mta"], expected);
    };
    check("mx.example.org", "dns; mx.example.org");
    check("localhost", "x-local-hostname; localhost");
    check("[192.0.2.1]", "dns; [192.0.2.1]");
}

#[test]
fn what_was_not_given_is_not_told() {
    rfc!(3461, "6.3");
    rfc!(3464, "2.3.5");
    let (to, path) = (mailbox("a@example.org"), path("b@example.net"));
    let mut recipient = recipient(&path, None);
    recipient.original_recipient = None;
    recipient.remote_mta = None;
    recipient.action = Action::Delayed;
    recipient.will_retry_until = Some(AT);
    let mut report = report(&to, vec![recipient]);
    report.envid = None;
    report.received_from = None;
    report.original = Original::Nothing;
    let parsed = parse(&build(&report));
    assert_eq!(parsed.parts.len(), 2);
    let groups = parsed.status();
    let names: Vec<&str> = groups[1].keys().map(String::as_str).collect();
    let expected = ["action", "final-recipient", "last-attempt-date", "status", "will-retry-until"];
    assert_eq!(names, expected);
    assert_eq!(groups[0].len(), 2);
}

#[test]
fn addresses_beyond_ascii_take_the_global_types() {
    rfc!(6533, "3");
    rfc!(6533, "4.1");
    rfc!(6533, "4.5");
    let (to, path) = (mailbox("a@example.org"), path("j\u{f6}rg@example.net"));
    let reply = Reply::parse("550 5.1.1 j\u{f6}rg is unknown\r\n".as_bytes()).unwrap();
    let mut about = recipient(&path, Some(&reply));
    about.original_recipient = Some("utf-8;j\\x{F6}rg@example.net");
    let mut report = report(&to, vec![about]);
    report.frame.subject = "Nicht zugestellt: \u{fc}".repeat(6);
    report.original = Original::Headers("Subject: \u{fc}\r\n\r\n".as_bytes());
    let built = build(&report);
    assert!(built.is_ascii(), "a seven-bit form for every host");
    let parsed = parse(&built);
    assert_eq!(parsed.parts[1].0, "message/global-delivery-status");
    assert_eq!(parsed.parts[2], ("message/global-headers".into(), "Subject: \u{fc}\r\n".into()));
    let recipient = &parsed.status()[1];
    assert_eq!(recipient["final-recipient"], "utf-8; j\u{f6}rg@example.net");
    assert_eq!(recipient["original-recipient"], "utf-8; j\u{f6}rg@example.net");
    assert_eq!(recipient["diagnostic-code"], "smtp; 550 5.1.1 j\u{f6}rg is unknown");
    assert!(parsed.header["subject"].starts_with("=?utf-8?B?"));
}

#[test]
fn the_whole_message_goes_back_only_for_a_failure_and_where_it_fits() {
    rfc!(3461, "6.2");
    let (to, path) = (mailbox("a@example.org"), path("b@example.net"));
    let check = |action: Action, message: &[u8], kind: &str| {
        let mut recipient = recipient(&path, None);
        recipient.action = action;
        let mut report = report(&to, vec![recipient]);
        report.original = Original::Full(message);
        assert_eq!(parse(&build(&report)).parts[2].0, kind, "{}", message.len());
    };
    let message = b"Subject: x\r\n\r\nbody\r\n";
    check(Action::Failed, message, "message/rfc822");
    check(Action::Delayed, message, "text/rfc822-headers");
    check(Action::Failed, "Subject: \u{fc}\r\n\r\nx\r\n".as_bytes(), "message/global");
    check(Action::Failed, b"Subject: x\r\n\r\n\xfc\r\n", "message/rfc822");
    // Signed in eight bits: no host without 8BITMIME would take a notification of it.
    let signed = b"Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n\xfc\r\n--b--\r\n";
    check(Action::Failed, signed, "text/rfc822-headers");
    check(Action::Failed, &[&message[..], &[b'x'; 2000]].concat(), "text/rfc822-headers");
    let long = [&message[..], &b"line\r\n".repeat(20_000)].concat();
    check(Action::Failed, &long, "text/rfc822-headers");
}

#[test]
fn the_boundary_stands_in_no_part() {
    let (to, path) = (mailbox("a@example.org"), path("b@example.net"));
    let mut report = report(&to, vec![recipient(&path, None)]);
    let message = "Subject: x\r\n\r\n--=_0000000000000007\r\n--=_0000000000000007--\r\n";
    report.original = Original::Full(message.as_bytes());
    assert_eq!(parse(&build(&report)).parts[2].1, message);
}

proptest! {
    #[test]
    fn any_report_parses_and_has_lawful_lines(
        reply in "(?s)5[0-9]{2} (\\PC|[\x01-\x7f]){0,200}x{0,1200}",
        word in "(?s)(\\PC|[\r\n\x00 ;]){0,300}",
        original in proptest::collection::vec(any::<u8>(), 0..400),
        header in "(?s)([A-Z]{1,3}: (\\PC|[\r\n\t ]){0,200}\r\n){0,5}",
        full in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let (to, path) = (mailbox("a@example.org"), path("b@example.net"));
        let heard = Reply::parse(reply.replace(['\n', '\r'], " ").as_bytes()).ok();
        let mut about = recipient(&path, heard.as_ref());
        about.original_recipient = Some(&word);
        about.remote_mta = Some(&word);
        about.explanation = vec![word.clone(), "x".repeat(3000)];
        let mut report = report(&to, vec![about.clone(), about]);
        let message = [header.as_bytes(), b"\r\n", &original].concat();
        report.original =
            if full { Original::Full(&message) } else { Original::Headers(&message) };
        report.envid = Some(&word);
        report.received_from = Some((&word, None));
        report.frame.subject = word.clone();
        report.frame.from_name = word.clone();
        report.seed = seed;
        let parsed = parse(&build(&report));
        prop_assert_eq!(parsed.parts.len(), 3);
        let status = parsed.status();
        prop_assert_eq!(status.len(), 3);
        prop_assert_eq!(&status[2]["action"], "failed");
        let said = status[2].get("diagnostic-code").cloned();
        prop_assert_eq!(said.is_some(), heard.is_some());
    }
}

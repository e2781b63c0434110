//! Options, dots and exit statuses.

use Language::En;

use super::*;

fn parse(words: &str) -> Result<Options, Exit> {
    let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
    Options::parse(&words)
}

#[test]
fn the_options_that_programs_pass_are_understood() {
    let options =
        parse("-t -i -f a@x.test -F Name -oem -oQ/x -N success,failure -R hdrs -V id b c").unwrap();
    assert!(options.recipients_from_header && options.ignore_dots);
    assert_eq!(options.sender.as_deref(), Some("a@x.test"));
    assert_eq!(options.notify.as_deref(), Some("SUCCESS,FAILURE"));
    assert_eq!((options.ret.as_deref(), options.envid.as_deref()), (Some("HDRS"), Some("id")));
    assert_eq!(options.recipients, ["b", "c"]);
    assert!(parse("-oi").unwrap().ignore_dots);
    assert!(parse("-ti").unwrap().ignore_dots);
    assert_eq!(parse("-f<> x").unwrap().sender.as_deref(), Some(""));
    assert_eq!(parse("-bs").unwrap().mode, Mode::Session);
    assert_eq!(parse("-bp -q15m -v").unwrap().mode, Mode::List);
    assert_eq!(options.full_name.as_deref(), Some("Name"));
    assert_eq!(parse("-FCron -q").unwrap().mode, Mode::Flush);
    assert_eq!(parse("-B 8BITMIME -- -strange").unwrap().recipients, ["-strange"]);
}

#[test]
fn what_is_not_offered_is_a_usage_error() {
    for words in ["-bd", "-Z", "-f", "-b"] {
        assert_eq!(parse(words).unwrap_err().status, EX_USAGE, "{words}");
    }
}

#[test]
fn a_message_without_a_writer_gets_the_sender_and_the_name() {
    let check = |raw: &str, sender: &str, name: Option<&str>, expected: &str| {
        let message = prepare(raw.as_bytes(), Reading::Sendmail).unwrap();
        let completed = with_from(message, sender, name);
        let text = String::from_utf8(completed.octets.clone()).unwrap();
        assert_eq!(text, expected);
        assert!(text[..completed.header_octets].ends_with("\r\n\r\n"));
    };
    check("A: 1\n\nx\n", "a@x.test", None, "From: <a@x.test>\r\nA: 1\r\n\r\nx\r\n");
    let named = "From: \"Cron \\\"D\\\"\" <a@x.test>\r\nA: 1\r\n\r\n";
    check("A: 1\n\n", "a@x.test", Some("Cron \"D\""), named);
    check("A: 1\n\n", "a@x.test", Some("b\r\nX: 1"), "From: <a@x.test>\r\nA: 1\r\n\r\n");
    check("from: b\n\n", "a@x.test", Some("N"), "from: b\r\n\r\n");
    check("A: 1\n\n", "", None, "A: 1\r\n\r\n");
}

#[test]
fn a_dot_alone_ends_the_message_unless_dots_are_ignored() {
    let raw = b"A: 1\n\none\n.\ntwo\n";
    assert_eq!(read(&mut &raw[..], true, 100, En).unwrap(), b"A: 1\n\none\n");
    assert_eq!(read(&mut &raw[..], false, 100, En).unwrap(), raw);
    assert_eq!(read(&mut &raw[..], false, 10, En).unwrap_err().status, EX_DATAERR);
    assert_eq!(read(&mut &b"x\n..\n.y\n"[..], true, 100, En).unwrap(), b"x\n..\n.y\n");
}

#[test]
fn exit_statuses_follow_the_refusal() {
    let check = |kind, words, expected| assert_eq!(status_of(kind, words), expected, "{words}");
    check(RefusedKind::Policy, "550 5.7.1 relaying denied", EX_UNAVAILABLE);
    check(RefusedKind::Policy, "550 5.1.1 <a@x.test> no such mailbox here", EX_NOUSER);
    check(RefusedKind::Policy, "452 4.2.2 full", EX_TEMPFAIL);
    check(RefusedKind::Fault, "disk", EX_TEMPFAIL);
    check(RefusedKind::BadRequest, "bad", EX_DATAERR);
}

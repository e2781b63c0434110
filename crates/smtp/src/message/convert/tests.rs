//! Conversion, checked with a decoder that knows nothing of the encoder.

use proptest::prelude::*;

use super::*;

/// Decodes quoted-printable as RFC 2045 §6.7 says.
fn from_quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with(b"=\r\n") {
            at += 3;
        } else if text[at] == b'=' {
            let digits = std::str::from_utf8(&text[at + 1..at + 3]).unwrap();
            out.push(u8::from_str_radix(digits, 16).unwrap());
            at += 3;
        } else {
            out.push(text[at]);
            at += 1;
        }
    }
    out
}

fn from_base64(text: &[u8]) -> Vec<u8> {
    let value = |octet: &u8| match octet {
        b'A'..=b'Z' => Some(octet - b'A'),
        b'a'..=b'z' => Some(octet - b'a' + 26),
        b'0'..=b'9' => Some(octet - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits: Vec<u8> = text.iter().filter_map(value).collect();
    let group = |group: &[u8]| {
        let bits = group.iter().fold(0u32, |bits, digit| bits << 6 | u32::from(*digit));
        let bits = bits << (6 * (4 - group.len()));
        bits.to_be_bytes()[1..group.len()].to_vec()
    };
    digits.chunks(4).flat_map(group).collect()
}

fn check(message: &str, expected: Result<&str, CannotConvert>) {
    let converted = convert(message.as_bytes()).map(|out| String::from_utf8(out).unwrap());
    assert_eq!(converted.as_deref().map_err(|error| *error), expected, "{message}");
}

#[test]
fn a_text_becomes_quoted_printable_and_says_so() {
    check("Subject: x\r\n\r\nplain = .\r\n", Ok("Subject: x\r\n\r\nplain = .\r\n"));
    check(
        "Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGr\u{fc}n = \r\n.\r\nFrom me\r\n",
        Ok("Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\nMIME-Version: 1.0\r\n\
            Content-Transfer-Encoding: quoted-printable\r\n\r\n\
            Gr=C3=BCn =3D=20\r\n=2E\r\n=46rom me\r\n"),
    );
    check(
        "MIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\nX: y\r\n\r\n\u{fc}",
        Ok(
            "MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\nX: y\r\n\r\n=C3=BC",
        ),
    );
}

#[test]
fn each_part_is_encoded_by_itself() {
    rfc!(6152, "3");
    check(
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary=\"a b\"\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\nfor nobody \u{fc}\r\n\
         --a b\r\n\r\nascii = stays\r\n\
         --a b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\u{fc}\r\n\
         --a b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\n\u{e4}\r\n\
         --a b--\r\n",
        Ok("MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary=\"a b\"\r\n\
         Content-Transfer-Encoding: 7bit\r\n\r\nfor nobody ??\r\n\
         --a b\r\n\r\nascii = stays\r\n\
         --a b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC\r\n\
         --a b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\n\
         Subject: in\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
         =C3=A4\r\n\
         --a b--\r\n"),
    );
}

#[test]
fn what_would_break_is_not_converted() {
    let signed = "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n\u{fc}\r\n--b--\r\n";
    check(signed, Err(CannotConvert::Signed));
    check("Subject: \u{fc}\r\n\r\nx", Err(CannotConvert::Header));
    check("Content-Transfer-Encoding: base64\r\n\r\n\u{fc}", Err(CannotConvert::Contradiction));
    check("Content-Type: multipart/mixed\r\n\r\n\u{fc}", Err(CannotConvert::Malformed));
    let deep = "Content-Type: message/rfc822\r\n\r\n".repeat(100) + "\r\n\u{fc}";
    check(&deep, Err(CannotConvert::Malformed));
}

#[test]
fn binary_parts_become_base64() {
    let mut message = b"Content-Type: image/png\r\n\r\n".to_vec();
    let body: Vec<u8> = (0..=255).chain(128..=255).collect();
    message.extend_from_slice(&body);
    let converted = convert(&message).unwrap();
    let header = Header::scan(&converted);
    assert_eq!(header.first("Content-Transfer-Encoding").unwrap().unfolded(), "base64");
    assert_eq!(from_base64(&converted[header.octets()..]), body);
}

proptest! {
    #[test]
    fn encodings_are_undone_by_their_decoders(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut quoted = Vec::new();
        // A lone LF is a line end and becomes CRLF; lone CRs are octets like others.
        let body: Vec<u8> = body.into_iter().filter(|octet| *octet != b'\n').collect();
        quoted_printable(&body, &mut quoted);
        prop_assert!(quoted.split(|octet| *octet == b'\n').all(|line| line.len() <= LINE + 1));
        prop_assert_eq!(from_quoted_printable(&quoted), &body[..]);
        let mut encoded = Vec::new();
        base64(&body, &mut encoded);
        prop_assert!(encoded.split(|octet| *octet == b'\n').all(|line| line.len() <= LINE + 1));
        prop_assert_eq!(from_base64(&encoded), body);
    }

    #[test]
    fn what_is_converted_is_ascii_and_keeps_its_parts(
        parts in proptest::collection::vec("[a-zäß=. \t]{0,100}(\r\n[a-zäß.]{0,9}){0,3}", 1..5),
    ) {
        let mut message = "Content-Type: multipart/mixed; boundary=xyz\r\n\r\n".to_owned();
        for part in &parts {
            message += &format!("--xyz\r\n\r\n{part}\r\n");
        }
        message += "--xyz--\r\n";
        let converted = convert(message.as_bytes()).unwrap();
        prop_assert!(converted.is_ascii());
        let text = String::from_utf8(converted).unwrap();
        let found: Vec<&str> = text.split("--xyz\r\n").skip(1).collect();
        prop_assert_eq!(found.len(), parts.len());
        for (found, part) in found.iter().zip(&parts) {
            let found = found.strip_suffix("--xyz--\r\n").unwrap_or(found);
            let body = found.strip_suffix("\r\n").unwrap();
            let decoded = match body.strip_prefix("\r\n") {
                Some(plain) => plain.as_bytes().to_vec(),
                None => from_quoted_printable(body.split_once("\r\n\r\n").unwrap().1.as_bytes()),
            };
            prop_assert_eq!(decoded, part.as_bytes());
        }
    }

    #[test]
    fn no_message_makes_it_panic(message in "(?s)(Content-Type: |multipart/mixed|; boundary=|--b|\r\n|\n|\\PC){0,30}") {
        let _ = convert(message.as_bytes());
    }
}

#[test]
fn a_header_beyond_ascii_is_found_at_any_level() {
    rfc!(6531, "3.2");
    rfc!(6531, "3.5");
    let check = |message: &str, expected: bool| {
        assert_eq!(has_eight_bit_header(message.as_bytes()), expected, "{message}");
    };
    let multipart = |part: &str| {
        format!(
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n\u{e9}\r\n--b\r\n{part}\r\n--b--\r\n\u{e9}\r\n"
        )
    };
    check("A: \u{e9}\r\n\r\nx\r\n", true);
    check("A: b\r\n\r\n\u{e9}: c\r\n", false);
    check(&multipart("A: b\r\n\r\n\u{e9}"), false);
    check(&multipart("A: \u{e9}\r\n\r\nx"), true);
    check(&multipart("A: b\r\n\r\nx\r\n--b\r\nA: \u{e9}\r\n\r\nx"), true);
    check(&multipart("Content-Type: message/rfc822\r\n\r\nA: \u{e9}\r\n\r\nx"), true);
    check(&multipart("Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\n\u{e9}"), false);
    check(
        &multipart(&multipart("A: \u{e9}\r\n\r\nx").replace("=b", "=c").replace("--b", "--c")),
        true,
    );
}

//! The parameters of MAIL and RCPT: SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC
//! 6531), RET, ENVID, NOTIFY, ORCPT (RFC 3461).
//!
//! A parameter that is not offered is not known (555); a known one with a bad value, or
//! twice, is an error of syntax (501).

use reply::{Answer, catalogue};

use super::mailbox::is_atext;
use crate::extension::Extensions;

/// What BODY declares (RFC 6152 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// `7BIT`.
    SevenBit,
    /// `8BITMIME`.
    EightBitMime,
}

/// How much of the message a failed DSN returns (RFC 3461 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ret {
    /// `FULL`.
    Full,
    /// `HDRS`.
    Headers,
}

/// The parameters of MAIL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailParameters {
    /// The declared size in octets; more than 64 bits can hold is `u64::MAX`.
    pub size: Option<u64>,
    /// What the body holds.
    pub body: Option<Body>,
    /// Whether addresses or the header may be UTF-8.
    pub smtputf8: bool,
    /// How much a DSN returns.
    pub ret: Option<Ret>,
    /// The envelope identifier as xtext, as it was given.
    pub envid: Option<String>,
}

/// When the sender wants a DSN (RFC 3461 §4.1). All false is `NEVER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notify {
    /// `SUCCESS`.
    pub success: bool,
    /// `FAILURE`.
    pub failure: bool,
    /// `DELAY`.
    pub delay: bool,
}

impl Notify {
    /// `NOTIFY=NEVER`.
    pub const NEVER: Notify = Notify { success: false, failure: false, delay: false };

    /// Whether no DSN at all is wanted.
    pub fn is_never(self) -> bool {
        self == Notify::NEVER
    }

    /// Reads the value of NOTIFY, in any case of letters.
    pub fn parse(value: &str) -> Option<Notify> {
        let mut notify = Notify::NEVER;
        if value.eq_ignore_ascii_case("NEVER") {
            return Some(notify);
        }
        for word in value.split(',') {
            match word.to_ascii_uppercase().as_str() {
                "SUCCESS" => notify.success = true,
                "FAILURE" => notify.failure = true,
                "DELAY" => notify.delay = true,
                _ => return None,
            }
        }
        Some(notify)
    }
}

/// As it stands in NOTIFY=.
impl std::fmt::Display for Notify {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words = [(self.success, "SUCCESS"), (self.failure, "FAILURE"), (self.delay, "DELAY")];
        let wanted: Vec<&str> = words.into_iter().filter(|(on, _)| *on).map(|(_, w)| w).collect();
        f.write_str(if wanted.is_empty() {
            "NEVER"
        } else {
            return f.write_str(&wanted.join(","));
        })
    }
}

/// ORCPT: the address that the sender first wrote (RFC 3461 §4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginalRecipient {
    /// `rfc822`, `utf-8` or another registered type.
    pub address_type: String,
    /// The address as xtext (or utf-8-addr-xtext), as it was given.
    pub xtext: String,
}

impl OriginalRecipient {
    /// As ORCPT carries it where SMTPUTF8 is not spoken: in ASCII, what is beyond it as
    /// `\x{…}` (RFC 6533 §3).
    pub fn in_ascii(&self) -> String {
        let mut out = format!("{};", self.address_type);
        for c in self.xtext.chars() {
            if c.is_ascii() {
                out.push(c);
            } else {
                out.push_str(&format!("\\x{{{:X}}}", u32::from(c)));
            }
        }
        out
    }

    /// The address, decoded where it is plain xtext.
    pub fn address(&self) -> String {
        decode_xtext(&self.xtext).unwrap_or_else(|| self.xtext.clone())
    }
}

/// As it stands in ORCPT=.
impl std::fmt::Display for OriginalRecipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{};{}", self.address_type, self.xtext)
    }
}

/// The parameters of RCPT.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecipientParameters {
    /// When a DSN is wanted; `None` is failure, and delay at our choice.
    pub notify: Option<Notify>,
    /// The original recipient.
    pub orcpt: Option<OriginalRecipient>,
}

impl RecipientParameters {
    /// Whether a failed delivery is to be reported.
    pub fn wants_failure(&self) -> bool {
        self.notify.is_none_or(|notify| notify.failure)
    }

    /// Whether a delay may be reported.
    pub fn wants_delay(&self) -> bool {
        self.notify.is_none_or(|notify| notify.delay)
    }

    /// Whether a delivery is to be reported.
    pub fn wants_success(&self) -> bool {
        self.notify.is_some_and(|notify| notify.success)
    }
}

/// Undoes xtext (RFC 3461 §4): `+` and two upper-case hexadecimal digits. `None` where it
/// is none, or not UTF-8.
pub fn decode_xtext(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (b'+', [high, low, tail @ ..]) => {
                octets.push(hexadecimal(*high)? << 4 | hexadecimal(*low)?);
                rest = tail;
            }
            (b'+' | b'=', _) => return None,
            (octet, _) if !octet.is_ascii_graphic() => return None,
            (octet, tail) => {
                octets.push(*octet);
                rest = tail;
            }
        }
    }
    String::from_utf8(octets).ok()
}

/// Writes text as xtext.
pub fn encode_xtext(text: &str) -> String {
    let plain = |octet: u8| octet.is_ascii_graphic() && octet != b'+' && octet != b'=';
    let mut out = String::with_capacity(text.len());
    for octet in text.bytes() {
        if plain(octet) {
            out.push(char::from(octet));
        } else {
            out.push_str(&format!("+{octet:02X}"));
        }
    }
    out
}

fn hexadecimal(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// One `esmtp-keyword [ "=" esmtp-value ]` (RFC 5321 §4.1.2).
struct Parameter<'a> {
    name: String,
    value: Option<&'a str>,
}

impl<'a> Parameter<'a> {
    fn parse(word: &'a str) -> Option<Parameter<'a>> {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        let starts = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        let keyword = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        (starts && keyword).then(|| Parameter { name: name.to_ascii_uppercase(), value })
    }

    fn malformed(&self, expected: &str) -> Answer {
        catalogue::parameter_malformed(&self.name, expected)
    }

    /// Puts a value where none was.
    fn set<T>(
        &self,
        place: &mut Option<T>,
        value: Option<T>,
        expected: &str,
    ) -> Result<(), Answer> {
        if place.is_some() {
            return Err(catalogue::parameter_repeated(&self.name));
        }
        *place = Some(value.ok_or_else(|| self.malformed(expected))?);
        Ok(())
    }
}

fn parameters<'a>(text: &'a str, verb: &'static str) -> Result<Vec<Parameter<'a>>, Answer> {
    let expected = "parameters as KEYWORD or KEYWORD=value";
    text.split_ascii_whitespace()
        .map(|word| {
            Parameter::parse(word).ok_or_else(|| catalogue::arguments_malformed(verb, expected))
        })
        .collect()
}

/// Reads what follows the reverse-path.
///
/// # Errors
/// 555 for what is not offered, 501 for a bad or doubled value.
pub fn mail_parameters(text: &str, offered: &Extensions) -> Result<MailParameters, Answer> {
    let mut mail = MailParameters::default();
    for parameter in parameters(text, "MAIL")? {
        mail_parameter(&parameter, offered, &mut mail)?;
    }
    Ok(mail)
}

fn mail_parameter(
    parameter: &Parameter<'_>,
    offered: &Extensions,
    mail: &mut MailParameters,
) -> Result<(), Answer> {
    let value = parameter.value;
    match parameter.name.as_str() {
        "SIZE" if offered.size => {
            parameter.set(&mut mail.size, value.and_then(size), "a number of octets")
        }
        "BODY" if offered.eight_bit_mime => {
            parameter.set(&mut mail.body, value.and_then(body), "7BIT or 8BITMIME")
        }
        "SMTPUTF8" if offered.smtputf8 => {
            let mut place = mail.smtputf8.then_some(());
            parameter.set(&mut place, value.is_none().then_some(()), "no value")?;
            mail.smtputf8 = true;
            Ok(())
        }
        "RET" if offered.dsn => parameter.set(&mut mail.ret, value.and_then(ret), "FULL or HDRS"),
        "ENVID" if offered.dsn => {
            parameter.set(&mut mail.envid, value.and_then(envid), "xtext of at most 100 characters")
        }
        _ => Err(catalogue::parameter_unknown(&parameter.name)),
    }
}

/// Reads what follows the forward-path.
///
/// # Errors
/// As [`mail_parameters`].
pub fn recipient_parameters(
    text: &str,
    offered: &Extensions,
) -> Result<RecipientParameters, Answer> {
    let mut recipient = RecipientParameters::default();
    for parameter in parameters(text, "RCPT")? {
        let value = parameter.value;
        match parameter.name.as_str() {
            "NOTIFY" if offered.dsn => parameter.set(
                &mut recipient.notify,
                value.and_then(Notify::parse),
                "NEVER, or some of SUCCESS,FAILURE,DELAY",
            )?,
            "ORCPT" if offered.dsn => parameter.set(
                &mut recipient.orcpt,
                value.and_then(orcpt),
                "an address type, a semicolon and xtext",
            )?,
            _ => return Err(catalogue::parameter_unknown(&parameter.name)),
        }
    }
    Ok(recipient)
}

/// `1*20DIGIT` (RFC 1870 §3).
fn size(value: &str) -> Option<u64> {
    let lawful = (1..=20).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit());
    lawful.then(|| value.parse().unwrap_or(u64::MAX))
}

fn body(value: &str) -> Option<Body> {
    match value.to_ascii_uppercase().as_str() {
        "7BIT" => Some(Body::SevenBit),
        "8BITMIME" => Some(Body::EightBitMime),
        _ => None,
    }
}

fn ret(value: &str) -> Option<Ret> {
    match value.to_ascii_uppercase().as_str() {
        "FULL" => Some(Ret::Full),
        "HDRS" => Some(Ret::Headers),
        _ => None,
    }
}

/// At most 100 characters of xtext that decode to printable ASCII: graphic and white space
/// (RFC 3461 §4.4).
fn envid(value: &str) -> Option<String> {
    let lawful = !value.is_empty() && value.len() <= 100 && is_printable_xtext(value);
    lawful.then(|| value.to_owned())
}

/// `atom ";" xtext`, at most 500 characters (RFC 3461 §4.2). It goes into DSNs, so what it
/// decodes to must be printable.
fn orcpt(value: &str) -> Option<OriginalRecipient> {
    let (address_type, xtext) = value.split_once(';')?;
    let atom = |c: char| c.is_ascii() && is_atext(c);
    let is_type = !address_type.is_empty() && address_type.chars().all(atom);
    let is_address = if address_type.eq_ignore_ascii_case("utf-8") {
        is_utf8_address(xtext)
    } else {
        is_printable_xtext(xtext)
    };
    (is_type && is_address && !xtext.is_empty() && value.len() <= 500)
        .then(|| OriginalRecipient { address_type: address_type.into(), xtext: xtext.into() })
}

fn is_printable_xtext(text: &str) -> bool {
    let printable = |c: char| matches!(c, ' ' | '\t') || c.is_ascii_graphic();
    decode_xtext(text).is_some_and(|decoded| decoded.chars().all(printable))
}

/// `utf-8-addr-xtext` or `utf-8-addr-unitext` (RFC 6533 §3), and plain xtext, which the
/// field sends: graphic characters, UTF-8, and `\x{…}` for all else.
fn is_utf8_address(text: &str) -> bool {
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && c != '=';
    let xtext =
        |text: &str| decode_xtext(text).is_some_and(|text| !text.contains(char::is_control));
    text.chars().all(plain)
        && text.split('\\').skip(1).all(is_embedded)
        && (!text.contains('+') || xtext(text))
}

/// What follows the backslash of `EmbeddedUnicodeChar`: `x{HEXPOINT}`.
fn is_embedded(text: &str) -> bool {
    let digits = text.strip_prefix("x{").and_then(|text| text.split_once('}'));
    let Some((digits, _)) = digits else { return false };
    let upper = |octet: u8| matches!(octet, b'0'..=b'9' | b'A'..=b'F');
    let point = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
    (2..=6).contains(&digits.len()) && digits.bytes().all(upper) && point.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_mail(text: &str, expected: Result<MailParameters, u16>) {
        let read = mail_parameters(text, &Extensions::all());
        assert_eq!(read.map_err(|answer| answer.code().value()), expected, "{text}");
    }

    #[test]
    fn mail_parameters_are_read_in_any_case_and_order() {
        let expected = MailParameters {
            size: Some(1000),
            body: Some(Body::EightBitMime),
            smtputf8: true,
            ret: Some(Ret::Headers),
            envid: Some("a+2Bb".into()),
        };
        check_mail(" envid=a+2Bb RET=hdrs smtputf8 Body=8bitmime SIZE=1000", Ok(expected));
        let huge = MailParameters { size: Some(u64::MAX), ..MailParameters::default() };
        check_mail(" SIZE=99999999999999999999", Ok(huge));
    }

    #[test]
    fn what_is_unknown_is_555_and_what_is_wrong_is_501() {
        rfc!(1870, "4");
        for text in [" FOO", " FOO=BAR", " NOTIFY=NEVER", " AUTH=<>", " BODY-X=7BIT"] {
            check_mail(text, Err(555));
        }
        let doubled = [" SIZE=1 SIZE=1", " SMTPUTF8 SMTPUTF8", " RET=FULL RET=HDRS"];
        let bad =
            [" SIZE", " SIZE=", " SIZE=-1", " SIZE=1k", " BODY=9BIT", " SMTPUTF8=1", " RET=ALL"];
        let worse =
            [" ENVID=a+2b", " ENVID=a=b", " =x", " -X=1", " ENVID=", " SIZE=123456789012345678901"];
        for text in doubled.iter().chain(&bad).chain(&worse) {
            check_mail(text, Err(501));
        }
    }

    #[test]
    fn what_is_not_offered_is_unknown() {
        let none = Extensions::none();
        for text in [" SIZE=1", " BODY=7BIT", " SMTPUTF8", " RET=FULL"] {
            let answer = mail_parameters(text, &none).unwrap_err();
            assert_eq!(answer.code().value(), 555, "{text}");
        }
    }

    #[test]
    fn recipient_parameters_are_read() {
        rfc!(3461, "4.1");
        let read = |text| recipient_parameters(text, &Extensions::all());
        let parameters = read(" NOTIFY=success,DELAY ORCPT=rfc822;a+2Bb@example.org").unwrap();
        assert_eq!(parameters.notify.unwrap().to_string(), "SUCCESS,DELAY");
        assert_eq!(parameters.orcpt.unwrap().address(), "a+b@example.org");
        assert!(read(" NOTIFY=NEVER").unwrap().notify.unwrap().is_never());
        for text in
            [" NOTIFY=NEVER,SUCCESS", " NOTIFY=", " ORCPT=rfc822", " ORCPT=;a", " ORCPT=x;a=b"]
        {
            assert_eq!(read(text).unwrap_err().code().value(), 501, "{text}");
        }
        assert_eq!(read(" SIZE=1").unwrap_err().code().value(), 555);
    }

    #[test]
    fn the_longest_lawful_values_are_taken_and_white_space_in_them() {
        rfc!(3461, "5.4");
        let envid = |value: &str| mail_parameters(&format!(" ENVID={value}"), &Extensions::all());
        assert!(envid(&"x".repeat(100)).is_ok());
        assert_eq!(envid(&"x".repeat(101)).unwrap_err().code().value(), 501);
        assert!(envid("a+20b+09c").is_ok());
        assert_eq!(envid("a+0Ab").unwrap_err().code().value(), 501);
        let both = |address: &str| {
            let text = format!(" NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;{address}");
            recipient_parameters(&text, &Extensions::all())
        };
        assert!(both(&"x".repeat(493)).is_ok());
        assert_eq!(both(&"x".repeat(494)).unwrap_err().code().value(), 501);
    }

    #[test]
    fn an_original_recipient_cannot_break_a_notification() {
        rfc!(3461, "4");
        rfc!(6533, "3");
        let read = |value: &str| {
            let text = format!(" ORCPT={value}");
            recipient_parameters(&text, &Extensions::all()).map(|r| r.orcpt.unwrap().address())
        };
        assert_eq!(read("UTF-8;\\x{7528}@example.org").unwrap(), "\\x{7528}@example.org");
        assert_eq!(read("utf-8;\u{7528}@example.org").unwrap(), "\u{7528}@example.org");
        for value in [
            "rfc822;a+0D+0AX:b",
            "rfc822;\u{7528}",
            "utf-8;a+0Ab",
            "utf-8;\\y",
            "utf-8;\\x{D800}",
            "utf-8;a\u{85}b",
            "a b;c",
            "rfc822;+7F",
        ] {
            assert_eq!(read(value).unwrap_err().code().value(), 501, "{value}");
        }
    }

    #[test]
    fn xtext_is_undone_as_it_was_made() {
        let text = "a+b=c d\u{e9}";
        assert_eq!(decode_xtext(&encode_xtext(text)).as_deref(), Some(text));
    }
}

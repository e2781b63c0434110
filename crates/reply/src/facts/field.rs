//! Reply codes that no specification of SMTP defines and that are seen all the same:
//! made up by a server, shown by a client for an error of its own, or an enhanced code
//! written without its dots. The source names who was seen to use them.

use super::{ANY, CodeFacts, NextStep, codes};
use crate::cause::Cause::*;
use crate::cause::{Scope, WhoseMove};
use crate::stage::Stage::*;
use crate::{Code, EnhancedCode};

codes! {
    /// Codes of the field with a meaning of their own, by number.
    FIELD_CODES:
    355 Message SenderSoftware SendMore &[Data], [], "RFC 1845 §4";
    400 Host SenderSoftware RetryLater ANY, [ServerFault EncryptionRequired], "Courier";
    403 Domain SenderPostmaster RetryLater &[], [DomainTakesNoMail DnsFailed], "";
    412 Recipient SenderSoftware RetryLater &[Rcpt], [PolicyTemporary Greylisted], "Courier";
    417 Domain SenderSoftware RetryLater &[Ehlo, Helo, Mail], [DnsFailed], "Courier";
    420 Session SenderSoftware RetryLater ANY, [ConnectionLost ServerBusy], "Novell GroupWise";
    422 Recipient Recipient RetryLater &[Rcpt, EndOfData, Auth], [MailboxFull AuthFailed],
        "Microsoft Exchange, RFC 5248 §3";
    426 Host SenderSoftware RetryLater &[], [HostUnreachable], "";
    430 Command SenderSoftware RetryLater ANY, [BadSequence CommandNotImplemented], "RFC 5248 §3";
    431 Host RecipientPostmaster RetryLater &[Mail, Rcpt, EndOfData],
        [ServerFull TooManyRecipients], "Courier, Microsoft Exchange";
    435 Session SenderSoftware RetryLater &[Auth], [AuthUnavailable], "Exim, couriergrey";
    440 Session SenderSoftware RetryLater &[StartTls], [TlsFailed], "Courier";
    449 Domain RecipientPostmaster RetryLater &[], [RouteUnusable], "Microsoft Exchange, Cisco";
    456 Host SenderSoftware RetryLater &[Mail, Rcpt, Data], [PolicyTemporary],
        "draft-martin-smtp-ipv6-to-ipv4-fallback, Courier";
    471 Message SenderPostmaster RetryLater ANY, [PolicyTemporary ContentSpam], "";
    475 Domain SenderSoftware RetryLater &[], [DnsFailed DomainNotFound], "";
    513 Recipient SenderPostmaster GiveBack &[Rcpt], [RelayDenied SyntaxError], "Courier";
    517 Message SenderPostmaster GiveBack &[Mail], [SenderDomainUnusable], "Courier";
    520 Command SenderSoftware CorrectCommand &[Ehlo], [], "draft-fanf-smtp-quickstart";
    531 Host RecipientPostmaster GiveBack &[Mail, Rcpt, EndOfData],
        [ServerFull TooManyRecipients], "Courier";
    533 Recipient SenderPostmaster GiveBack &[Rcpt], [PolicyRefused Utf8NotSupported],
        "Exim, RFC 5248 §3";
    540 Session SenderPostmaster GiveBack &[StartTls], [TlsFailed], "Courier";
    541 Recipient SenderPostmaster GiveBack &[Rcpt, EndOfData], [PolicyRefused ContentSpam],
        "Zoho";
    542 Recipient Sender GiveBack &[Rcpt], [PolicyRefused MailboxUnknown], "";
    557 Command SenderSoftware OtherCommand &[], [], "draft-moore-email-addrquery";
    577 Domain Sender GiveBack &[], [DomainNotFound], "";
    591 Host SenderPostmaster GiveBack &[Rcpt], [HostBlocklisted], "";
}

/// A basic code that is an enhanced code without its dots: 511 for 5.1.1.
const fn shorthand(code: u16, enhanced: &str) -> (Code, EnhancedCode) {
    (Code::literal(code), EnhancedCode::literal(enhanced))
}

/// Enhanced codes that are shown without their dots, by number.
pub static SHORTHANDS: &[(Code, EnhancedCode)] = &[
    shorthand(424, "4.2.4"),
    shorthand(441, "4.4.1"),
    shorthand(442, "4.4.2"),
    shorthand(446, "4.4.6"),
    shorthand(447, "4.4.7"),
    shorthand(510, "5.1.0"),
    shorthand(511, "5.1.1"),
    shorthand(512, "5.1.2"),
    shorthand(515, "5.1.5"),
    shorthand(519, "5.1.9"),
    shorthand(522, "5.2.2"),
    shorthand(544, "5.4.4"),
    shorthand(546, "5.4.6"),
    shorthand(547, "5.4.7"),
    shorthand(571, "5.7.1"),
    shorthand(572, "5.7.2"),
    shorthand(573, "5.7.3"),
    shorthand(574, "5.7.4"),
];

/// A number that programs show like a reply code and that SMTP cannot send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Foreign(u16);

/// What is known of a number that is no reply code.
#[derive(Debug, PartialEq, Eq)]
pub struct ForeignFacts {
    /// The number.
    pub number: u16,
    /// The cause behind it, where there is one.
    pub cause: Option<crate::Cause>,
    /// What it is about.
    pub scope: Scope,
    /// Whose move it is.
    pub whose_move: WhoseMove,
    /// What a client does next.
    pub next: NextStep,
    /// Whose number it is.
    pub source: &'static str,
}

macro_rules! foreign {
    ($($number:literal $scope:ident $whose:ident $next:ident $cause:expr, $source:literal;)+) => {
        /// The numbers outside SMTP that are seen beside replies, in order.
        pub static FOREIGN: &[ForeignFacts] = &[$(ForeignFacts {
            number: $number,
            cause: $cause,
            scope: Scope::$scope,
            whose_move: WhoseMove::$whose,
            next: NextStep::$next,
            source: $source,
        }),+];
    };
}

foreign! {
    101 Host SenderSoftware RetryLater Some(HostUnreachable), "";
    104 Session SenderSoftware RetryLater Some(ConnectionLost), "Linux ECONNRESET";
    110 Host SenderSoftware RetryLater Some(HostUnreachable), "Linux ETIMEDOUT";
    111 Host SenderSoftware RetryLater Some(HostUnreachable), "Linux ECONNREFUSED";
    113 Host SenderSoftware RetryLater Some(HostUnreachable), "Linux EHOSTUNREACH";
    605 Recipient Sender GiveBack None, "Mailgun";
    606 Recipient Sender GiveBack None, "Mailgun";
    607 Recipient Sender GiveBack None, "Mailgun";
}

impl Foreign {
    /// The number `number`, if it is one that is seen.
    pub fn new(number: u16) -> Option<Foreign> {
        FOREIGN.iter().any(|row| row.number == number).then_some(Foreign(number))
    }

    /// Every such number.
    pub fn all() -> impl Iterator<Item = Foreign> {
        FOREIGN.iter().map(|row| Foreign(row.number))
    }

    /// The number.
    pub const fn value(self) -> u16 {
        self.0
    }

    /// What is known of it.
    pub fn facts(self) -> &'static ForeignFacts {
        // A `Foreign` is made of a row alone, so that one is found.
        FOREIGN.iter().find(|row| row.number == self.0).unwrap_or(&FOREIGN[0])
    }
}

/// The row of a code of the field, if it has a meaning of its own.
pub fn of_field_code(code: Code) -> Option<&'static CodeFacts> {
    FIELD_CODES.iter().find(|row| row.code == code)
}

/// The enhanced code that `code` stands for without its dots.
pub fn shorthand_of(code: Code) -> Option<EnhancedCode> {
    SHORTHANDS.iter().find(|(short, _)| *short == code).map(|(_, enhanced)| *enhanced)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts;

    #[test]
    fn rows_are_sorted_and_no_code_has_two() {
        assert!(FIELD_CODES.windows(2).all(|pair| pair[0].code < pair[1].code));
        assert!(SHORTHANDS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(FOREIGN.windows(2).all(|pair| pair[0].number < pair[1].number));
        for row in FIELD_CODES {
            assert_eq!(facts::of_code(row.code), None, "{}", row.code);
            assert_eq!(shorthand_of(row.code), None, "{}", row.code);
        }
    }

    #[test]
    fn a_shorthand_is_the_digits_of_its_code_and_that_has_facts() {
        for (code, enhanced) in SHORTHANDS {
            assert_eq!(code.to_string(), enhanced.to_string().replace('.', ""));
            assert!(facts::of_enhanced(*enhanced).is_some(), "{enhanced}");
            assert_eq!(facts::of_code(*code), None, "{code}");
        }
    }
}

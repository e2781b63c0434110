//! Enhanced codes that one provider or program uses in its own way: outside the registry,
//! or against what the registry says. Rows first, the look-up below.

use crate::cause::Cause::{self, *};
use crate::{Code, EnhancedCode};

/// What one provider means by some enhanced codes.
#[derive(Debug, PartialEq, Eq)]
pub struct ProviderFacts {
    /// The key of its texts.
    pub id: &'static str,
    /// Who says so.
    pub who: &'static str,
    /// First numbers: 4, 5, or both.
    pub classes: &'static [u8],
    /// The subject.
    pub subject: u16,
    /// The details, from and to, both included.
    pub details: &'static [(u16, u16)],
    /// The causes behind it, the commonest first.
    pub causes: &'static [Cause],
    /// The basic codes that it stands beside.
    pub codes: &'static [Code],
}

macro_rules! provider {
    ($($id:literal $who:literal [$($class:literal)+] $subject:literal
       [$($from:literal $(- $to:literal)?),+] [$($cause:ident)*] [$($code:literal)*];)+) => {
        /// The rows; of two that fit, the earlier counts.
        pub static PROVIDERS: &[ProviderFacts] = &[$(ProviderFacts {
            id: $id,
            who: $who,
            classes: &[$($class),+],
            subject: $subject,
            details: &[$(range($from, &[$($to)?])),+],
            causes: &[$($cause),*],
            codes: &[$(Code::literal($code)),*],
        }),+];
    };
}

const fn range(from: u16, to: &[u16]) -> (u16, u16) {
    match to {
        [to, ..] => (from, *to),
        [] => (from, from),
    }
}

provider! {
    "exchange-no-recipient" "Microsoft Exchange" [5] 1 [10] [MailboxUnknown] [550];
    "ipv4-fallback" "draft-martin-smtp-ipv6-to-ipv4-fallback" [4] 4 [8] [PolicyTemporary] [421 451 456];
    "microsoft-edge-block" "Microsoft 365" [5] 4 [1] [MailboxUnknown PolicyRefused] [550];
    "yahoo-dmarc" "Yahoo" [5] 7 [9] [DmarcFailed PolicyRefused] [554];
    "gmail-bulk" "Gmail" [4] 7 [23-24, 27, 30, 32]
        [ReverseDnsMissing SpfFailed DkimFailed DmarcFailed] [421];
    "microsoft-unauthenticated" "Microsoft 365, Gmail" [4] 7 [26] [SpfFailed DkimFailed DmarcFailed] [450];
    "gmail-tls" "Gmail" [4] 7 [29] [EncryptionRequired TlsFailed] [421];
    "gmail-dmarc-missing" "Gmail" [4] 7 [40] [DmarcFailed] [421];
    "exchange-private" "Microsoft Exchange" [5] 7 [124, 129, 133] [MailboxPrivate] [550];
    "microsoft-dane" "Microsoft 365" [4 5] 7 [321-325] [TlsFailed] [450 451 550];
    "microsoft-busy" "Microsoft 365" [4] 7 [500] [RateLimited ServerBusy ReputationPoor] [451];
    "microsoft-suspicious" "Microsoft 365" [4] 7 [501-599] [ReputationPoor RateLimited] [451];
    "microsoft-dmarc" "Microsoft 365" [5] 7 [509] [DmarcFailed] [550];
    "outlook-authentication" "Outlook.com" [5] 7 [515] [DmarcFailed SpfFailed DkimFailed] [550];
    "microsoft-banned" "Microsoft 365" [5] 7 [511, 606-649] [HostBlocklisted SenderRefused] [550];
    "outlook-reputation" "Outlook.com" [4] 7 [650] [RateLimited ReputationPoor] [421 451];
    "outlook-traffic" "Outlook.com" [4] 7 [651-652] [RateLimited TooManyConnections ReputationPoor] [421];
    "microsoft-tenant-list" "Microsoft 365" [5] 7 [703] [SenderRefused PolicyRefused] [550];
    "microsoft-tenant-limit" "Microsoft 365" [5] 7 [705, 708] [RateLimited ReputationPoor] [550];
    "microsoft-unregistered-domain" "Microsoft 365" [5] 7 [750] [SenderRefused PolicyRefused] [550];
    "made-up" "Sisimai" [4 5] 9 [0-999] [Unknown] [];
    "yahoo-deferred" "Yahoo" [4] 16 [55] [RateLimited ReputationPoor ContentSpam] [421];
}

/// What a provider means by `code`, if one uses it in its own way.
pub fn of_provider(code: EnhancedCode) -> Option<&'static ProviderFacts> {
    PROVIDERS.iter().find(|row| {
        row.classes.contains(&(code.class() as u8))
            && row.subject == code.subject()
            && row.details.iter().any(|(from, to)| (*from..=*to).contains(&code.detail()))
    })
}

/// A code that stands for a row, and for no row before it.
pub fn example_of(row: &ProviderFacts) -> Option<EnhancedCode> {
    let details = row.details.iter().flat_map(|(from, to)| *from..=*to);
    let class = row.classes.first().copied()?;
    let mut codes = details.filter_map(|detail| EnhancedCode::new(class, row.subject, detail));
    codes.find(|code| of_provider(*code).is_some_and(|found| found.id == row.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_by_a_code_of_its_own() {
        for row in PROVIDERS {
            assert!(example_of(row).is_some(), "{} is behind others", row.id);
        }
    }

    #[test]
    fn ranges_end_where_they_say() {
        let who = |code: &str| of_provider(code.parse().unwrap()).map(|row| row.id);
        assert_eq!(who("5.7.606"), Some("microsoft-banned"));
        assert_eq!(who("5.7.649"), Some("microsoft-banned"));
        assert_eq!(who("5.7.650"), None);
        assert_eq!(who("4.7.500"), Some("microsoft-busy"));
        assert_eq!(who("5.7.500"), None);
        assert_eq!(who("4.2.2"), None);
    }
}

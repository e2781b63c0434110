//! How servers say a cause: the examples of the rules that recognise it, with whose words
//! they are where a rule is one provider's.

use super::entry::Topic;
use crate::Cause;
use crate::classify::examples;

/// Most wordings of an entry.
const MOST: usize = 8;

/// Whose words the rules with these beginnings recognise.
const WHOSE: &[(&str, &str)] = &[
    ("aol-", "AOL"),
    ("apple-", "iCloud"),
    ("barracuda-", "Barracuda"),
    ("comcast-", "Comcast"),
    ("courier-", "Courier"),
    ("cox-", "Cox"),
    ("exchange-", "Microsoft Exchange"),
    ("exim-", "Exim"),
    ("gmail-", "Gmail"),
    ("gmx-", "GMX"),
    ("icloud-", "iCloud"),
    ("ironport-", "Cisco IronPort"),
    ("mailru-", "Mail.ru"),
    ("microsoft-", "Microsoft 365"),
    ("mimecast-", "Mimecast"),
    ("netease-", "NetEase"),
    ("orange-", "Orange"),
    ("outlook-", "Outlook.com"),
    ("postfix-", "Postfix"),
    ("postgrey-", "postgrey"),
    ("proofpoint-", "Proofpoint"),
    ("qmail-", "qmail"),
    ("secureserver-", "GoDaddy"),
    ("sendmail-", "Sendmail"),
    ("spamhaus-", "Spamhaus"),
    ("sqlgrey-", "sqlgrey"),
    ("t-online-", "T-Online"),
    ("tencent-", "Tencent"),
    ("yahoo-", "Yahoo"),
    ("yandex-", "Yandex"),
    ("zoho-", "Zoho"),
];

/// What a server says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wording {
    /// Who says so, where only one does.
    pub who: Option<&'static str>,
    /// The reply, with made-up names and ids.
    pub text: &'static str,
}

/// How servers say the cause that `topic` is.
pub(crate) fn of(topic: Topic) -> Vec<Wording> {
    match topic {
        Topic::Cause(cause) => of_cause(cause),
        _ => Vec::new(),
    }
}

/// One wording of each rule first, so that they differ.
fn of_cause(cause: Cause) -> Vec<Wording> {
    let rules: Vec<_> = examples(cause).collect();
    let longest = rules.iter().map(|(_, texts)| texts.len()).max().unwrap_or(0);
    let nth = |nth: usize| {
        rules.iter().filter_map(move |(rule, texts)| {
            texts.get(nth).map(|text| Wording { who: whose(rule), text })
        })
    };
    (0..longest).flat_map(nth).take(MOST).collect()
}

/// Whose rule it is, where it recognises one provider or program alone.
pub(super) fn whose(rule: &str) -> Option<&'static str> {
    WHOSE.iter().find(|(start, _)| rule.starts_with(start)).map(|(_, who)| *who)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_that_others_name_is_shown_in_their_words() {
        for cause in Cause::ALL {
            let silent = matches!(cause, Cause::Delivered | Cause::Unknown);
            assert!(silent || !of_cause(*cause).is_empty(), "{cause} has no wording");
        }
    }
}

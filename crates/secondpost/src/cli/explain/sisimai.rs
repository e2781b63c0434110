//! `--format sisimai`: the field names and the reasons of Sisimai 5, so that programs which
//! read its JSON read ours.

use reply::heard::{Heard, Kind};
use reply::{Cause, Class, Permanence, Stage, Verdict};
use serde_json::{Value, json};

/// What was heard under Sisimai's names. What it leaves out is an empty string there.
pub(crate) fn value(heard: &Heard, path: Option<&str>) -> Value {
    let verdict = heard.verdict.as_ref();
    let recipient = heard.recipient.clone().unwrap_or_default();
    let sender = heard.sender.clone().unwrap_or_default();
    let status = verdict.and_then(|verdict| verdict.enhanced_code).map(|code| code.to_string());
    let code = verdict.and_then(|verdict| verdict.code).map(|code| code.to_string());
    let reason = reason(heard);
    json!({
        "addresser": sender,
        "senderdomain": domain(&sender),
        "recipient": recipient,
        "destination": domain(&recipient),
        "reason": reason,
        "hardbounce": is_hard_bounce(reason, verdict),
        "deliverystatus": status.unwrap_or_default(),
        "replycode": code.unwrap_or_default(),
        "action": action(heard),
        "diagnosticcode": diagnostic(heard),
        "diagnostictype": if heard.reply.is_some() { "SMTP" } else { "" },
        "feedbacktype": feedback_type(heard.kind),
        "rhost": heard.remote_mta.clone().unwrap_or_default(),
        "messageid": heard.message_id.clone().unwrap_or_default(),
        "origin": path.unwrap_or_default(),
    })
}

/// What was judged: the reply, where no more words stood there.
fn diagnostic(heard: &Heard) -> String {
    let reply = || heard.reply.as_ref().map(ToString::to_string);
    heard.diagnostic.clone().or_else(reply).unwrap_or_default()
}

fn domain(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

fn action(heard: &Heard) -> &str {
    match (&heard.action, heard.verdict.as_ref().map(|verdict| verdict.permanence)) {
        (Some(action), _) => action,
        (None, Some(Permanence::Permanent)) => "failed",
        (None, Some(Permanence::Transient)) => "delayed",
        (None, Some(Permanence::Positive)) => "delivered",
        (None, None) => "",
    }
}

fn feedback_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Complaint => "abuse",
        Kind::AuthReport => "auth-failure",
        _ => "",
    }
}

/// Sisimai counts as hard what names an address that will never take mail.
fn is_hard_bounce(reason: &str, verdict: Option<&Verdict>) -> bool {
    let is_permanent = verdict.is_some_and(|verdict| verdict.permanence == Permanence::Permanent);
    is_permanent && ["userunknown", "hostunknown", "hasmoved", "notaccept"].contains(&reason)
}

/// Sisimai's reason for what was heard.
pub(crate) fn reason(heard: &Heard) -> &'static str {
    match (heard.kind, &heard.verdict) {
        (Kind::Complaint | Kind::AuthReport, _) => "feedback",
        (Kind::AutoReply, _) => "vacation",
        (_, Some(verdict)) => of_verdict(heard, verdict),
        (_, None) => "undefined",
    }
}

/// Where Sisimai tells apart what is one cause to us, the verdict's other parts decide.
fn of_verdict(heard: &Heard, verdict: &Verdict) -> &'static str {
    let code = verdict.enhanced_code;
    let number = code.map(|code| (code.subject(), code.detail()));
    let is_transient = verdict.permanence == Permanence::Transient
        || code.is_some_and(|code| code.class() == Class::Transient);
    let words = verdict.evidence.text.to_ascii_lowercase();
    match (verdict.cause, number) {
        // A local program that ended with an error, and not the system as a whole.
        (Cause::ServerFault, _) if verdict.evidence.rule.starts_with("report-program") => {
            "mailererror"
        }
        // Refused by what stands behind the server, in words that name no user.
        (Cause::MailboxUnknown | Cause::ContentRefused, Some((2, 0))) => "filtered",
        (Cause::MailboxUnknown, _) if is_filtered(heard, verdict) => "filtered",
        // The recipient's own filter.
        (Cause::MailboxPrivate, Some((1, _))) => "filtered",
        // The disk is that of the mailbox.
        (Cause::ServerFull, Some((1 | 2, _))) => "mailboxfull",
        // The domain is there, and names nobody who takes its mail.
        (Cause::DomainNotFound, _) if words.contains("no mx") || words.contains("exchanger") => {
            "notaccept"
        }
        // The name may be there; it could not be asked for.
        (Cause::DomainNotFound, _) if is_transient => "networkerror",
        (Cause::HostUnreachable, _) if words.contains("network") || words.contains("route") => {
            "networkerror"
        }
        (Cause::PolicyRefused, Some((7, 1))) if words == "access denied" => "securityerror",
        (Cause::ContentRefused, _) if words.contains("content rejected") => "spamdetected",
        (Cause::ContentRefused, Some((7, _))) => "policyviolation",
        (cause, _) => of_cause(cause),
    }
}

/// Whether words name an unknown user, but neither the command that was answered nor the
/// status is about him: Sisimai takes it that a filter behind the server said so.
fn is_filtered(heard: &Heard, verdict: &Verdict) -> bool {
    let is_numbered = verdict.enhanced_code.is_some_and(|code| code.subject() != 0);
    !is_numbered && heard.stage != Some(Stage::Rcpt) && verdict.evidence.rule == "mailbox-unknown"
}

fn of_cause(cause: Cause) -> &'static str {
    match cause {
        Cause::MailboxUnknown | Cause::MailboxAmbiguous => "userunknown",
        Cause::MailboxFull => "mailboxfull",
        Cause::MailboxDisabled => "suspend",
        Cause::MailboxMoved => "hasmoved",
        Cause::MailboxPrivate
        | Cause::SenderRefused
        | Cause::SenderDomainUnusable
        | Cause::DomainBlocklisted => "rejected",
        Cause::MailboxLocked => "mailererror",
        Cause::MailboxBusy | Cause::Unknown => "onhold",
        Cause::Greylisted
        | Cause::PolicyTemporary
        | Cause::HeloRefused
        | Cause::HostBlocklisted => "blocked",
        Cause::RateLimited | Cause::TooManyConnections | Cause::TooManyRecipients => "ratelimited",
        Cause::ServerBusy | Cause::ServerFault => "systemerror",
        Cause::ServerFull => "systemfull",
        Cause::PolicyRefused => "policyviolation",
        Cause::CommandUnknown
        | Cause::CommandNotImplemented
        | Cause::ParameterNotImplemented
        | Cause::SyntaxError
        | Cause::BadSequence => "syntaxerror",
        Cause::LineTooLong | Cause::MessageTooBig => "emailtoolarge",
        Cause::MessageMalformed => "notcompliantrfc",
        Cause::ConversionNeeded | Cause::Utf8NotSupported | Cause::ContentRefused => "contenterror",
        Cause::ContentSpam => "spamdetected",
        Cause::ContentVirus => "virusdetected",
        Cause::AuthRequired | Cause::AuthFailed | Cause::AuthUnavailable | Cause::SessionAbuse => {
            "securityerror"
        }
        Cause::EncryptionRequired | Cause::TlsFailed => "failedstarttls",
        Cause::RelayDenied => "norelaying",
        Cause::SpfFailed | Cause::DkimFailed | Cause::DmarcFailed | Cause::ArcFailed => {
            "authfailure"
        }
        Cause::ReverseDnsMissing => "requireptr",
        Cause::ReputationPoor => "badreputation",
        Cause::DomainNotFound => "hostunknown",
        Cause::DomainTakesNoMail => "notaccept",
        Cause::RouteUnusable | Cause::DnsFailed | Cause::ConnectionLost | Cause::MailLoop => {
            "networkerror"
        }
        // Sisimai counts what waits, or waited too long, behind a host that does not answer.
        Cause::Expired | Cause::HostUnreachable => "expired",
        Cause::Delivered => "delivered",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reply::heard::read_any;

    #[test]
    fn a_failed_recipient_is_a_hard_bounce_under_sisimai_s_names() {
        let heard = read_any(b"550 5.1.1 <bob@example.net> user unknown");
        let value = value(&heard[0], Some("a.eml"));
        assert_eq!(value["reason"], "userunknown");
        assert_eq!(value["hardbounce"], true);
        assert_eq!(
            (&value["deliverystatus"], &value["replycode"]),
            (&json!("5.1.1"), &json!("550"))
        );
        assert_eq!(value["origin"], "a.eml");
    }

    /// The reasons of Sisimai 5 that a mail of ours can have.
    const REASONS: &[&str] = &[
        "authfailure",
        "badreputation",
        "blocked",
        "contenterror",
        "delivered",
        "emailtoolarge",
        "expired",
        "failedstarttls",
        "feedback",
        "filtered",
        "hasmoved",
        "hostunknown",
        "mailboxfull",
        "mailererror",
        "networkerror",
        "norelaying",
        "notaccept",
        "notcompliantrfc",
        "onhold",
        "policyviolation",
        "ratelimited",
        "rejected",
        "requireptr",
        "securityerror",
        "spamdetected",
        "suspend",
        "syntaxerror",
        "systemerror",
        "systemfull",
        "undefined",
        "userunknown",
        "vacation",
        "virusdetected",
    ];

    #[test]
    fn every_cause_and_every_kind_has_a_reason_of_sisimai_s() {
        for cause in Cause::ALL {
            let reason = of_cause(*cause);
            assert!(REASONS.contains(&reason), "{cause}: {reason}");
        }
        for kind in Kind::ALL {
            assert!(REASONS.contains(&reason(&Heard::of(kind))), "{}", kind.name());
        }
        let told: Vec<&str> = Cause::ALL.iter().map(|cause| of_cause(*cause)).collect();
        let of_kinds = ["feedback", "vacation", "undefined", "filtered"];
        for reason in REASONS.iter().filter(|reason| !of_kinds.contains(reason)) {
            assert!(told.contains(reason), "no cause is told as {reason}");
        }
    }

    #[test]
    fn what_sisimai_tells_apart_within_a_cause_is_told_apart() {
        for (text, expected) in [
            ("550 5.1.1 user unknown", "userunknown"),
            ("550 5.2.0 user unknown", "filtered"),
            ("550 user unknown", "filtered"),
            ("550 5.1.1 the recipient's preferences refuse this mail", "filtered"),
            ("550 5.2.0 message filtered by content", "filtered"),
            ("550 5.7.0 content blocked here", "policyviolation"),
            ("550 5.6.1 message content rejected", "spamdetected"),
            ("550 5.7.1 access denied", "securityerror"),
            ("550 5.7.1 refused by policy", "policyviolation"),
            ("552 5.2.0 not enough disk space", "mailboxfull"),
            ("452 4.3.1 not enough disk space", "systemfull"),
            ("550 5.4.4 no MX for example.net", "notaccept"),
            ("connect to mx.example.net[192.0.2.7]:25: No route to host", "networkerror"),
            ("451 4.3.0 internal server error", "systemerror"),
            ("connect to mx.example.net[192.0.2.7]:25: Connection timed out", "expired"),
            ("550 5.4.4 Host or domain name not found", "hostunknown"),
            ("450 4.1.2 Host or domain name not found", "networkerror"),
        ] {
            let heard = read_any(text.as_bytes());
            assert_eq!(reason(&heard[0]), expected, "{text}: {:?}", heard[0].verdict);
        }
    }

    /// The words are the same; Sisimai asks which command they answered.
    #[test]
    fn an_unknown_user_is_filtered_unless_he_was_refused_at_rcpt() {
        for (command, expected) in [("RCPT TO", "userunknown"), ("end of DATA", "filtered")] {
            let text = format!(
                "host mx.example.net[192.0.2.7] said: 550 no such user (in reply to {command} command)"
            );
            let heard = read_any(text.as_bytes());
            assert_eq!(reason(&heard[0]), expected, "{text}: {:?}", heard[0]);
        }
    }

    #[test]
    fn a_complaint_has_the_reason_of_feedback_and_is_no_hard_bounce() {
        let value = value(&Heard::of(Kind::Complaint), None);
        assert_eq!((&value["reason"], &value["hardbounce"]), (&json!("feedback"), &json!(false)));
    }
}

//! `--format sisimai`: the field names and the reasons of Sisimai 5, so that programs which
//! read its JSON read ours.

use reply::heard::{Heard, Kind};
use reply::{Cause, Permanence, Verdict};
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
        "diagnosticcode": heard.diagnostic.clone().unwrap_or_default(),
        "diagnostictype": if heard.reply.is_some() { "SMTP" } else { "" },
        "feedbacktype": feedback_type(heard.kind),
        "rhost": heard.remote_mta.clone().unwrap_or_default(),
        "messageid": heard.message_id.clone().unwrap_or_default(),
        "origin": path.unwrap_or_default(),
    })
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
        (_, Some(verdict)) => of_cause(verdict.cause),
        (_, None) => "undefined",
    }
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
        Cause::RouteUnusable
        | Cause::DnsFailed
        | Cause::HostUnreachable
        | Cause::ConnectionLost
        | Cause::MailLoop => "networkerror",
        Cause::Expired => "expired",
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

    #[test]
    fn a_complaint_has_the_reason_of_feedback_and_is_no_hard_bounce() {
        let value = value(&Heard::of(Kind::Complaint), None);
        assert_eq!((&value["reason"], &value["hardbounce"]), (&json!("feedback"), &json!(false)));
    }
}

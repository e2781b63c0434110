//! Who may send where. The MX listener takes mail for our own domains only; submission
//! takes mail for anywhere, from this machine only until clients can log in.

use reply::{Answer, catalogue};

use crate::facts::{Facts, Listener, Place, RecipientFacts};

/// At MAIL: whether this client may submit at all.
pub(crate) fn refuse_sender(facts: &Facts) -> Option<Answer> {
    let submits = facts.listener == Listener::Submission;
    (submits && !facts.client.to_canonical().is_loopback()).then(catalogue::submission_denied)
}

/// At RCPT: whether mail from this client may go to that place. Whether a mailbox of
/// ours exists is not asked here.
pub(crate) fn refuse_recipient(facts: &Facts, recipient: &RecipientFacts) -> Option<Answer> {
    let may_send_elsewhere = matches!(facts.listener, Listener::Submission | Listener::Local);
    let address = &recipient.address;
    match recipient.place {
        Place::Mailbox(_) | Place::UnknownMailbox | Place::Ambiguous => None,
        Place::Routed { own_domain } if own_domain || may_send_elsewhere => None,
        Place::Elsewhere { relay_configured: true } if may_send_elsewhere => None,
        Place::Elsewhere { .. } if may_send_elsewhere => Some(catalogue::relay_off(address)),
        Place::Routed { .. } | Place::Elsewhere { .. } => Some(catalogue::relay_denied(address)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MailboxState::Ready;

    fn check(listener: Listener, place: Place, expected: Option<&str>) {
        let facts = Facts::new("192.0.2.1".parse().unwrap(), listener);
        let address = "user@example.org".parse().unwrap();
        let answer = refuse_recipient(&facts, &RecipientFacts { address, place });
        assert_eq!(answer.map(|said| said.row().id), expected, "{listener:?} {place:?}");
    }

    #[test]
    fn only_submitters_reach_what_is_not_ours() {
        let elsewhere = |relay_configured| Place::Elsewhere { relay_configured };
        for strangers in [Listener::Mx, Listener::Lmtp] {
            check(strangers, Place::Mailbox(Ready), None);
            check(strangers, Place::Routed { own_domain: true }, None);
            check(strangers, Place::Routed { own_domain: false }, Some("relay_denied"));
            check(strangers, elsewhere(true), Some("relay_denied"));
            check(strangers, elsewhere(false), Some("relay_denied"));
        }
        for own in [Listener::Submission, Listener::Local] {
            check(own, Place::Routed { own_domain: false }, None);
            check(own, elsewhere(true), None);
            check(own, elsewhere(false), Some("relay_off"));
        }
    }

    #[test]
    fn submission_is_for_this_machine_only() {
        let asked = |client: &str| {
            let facts = Facts::new(client.parse().unwrap(), Listener::Submission);
            refuse_sender(&facts).map(|said| said.row().id)
        };
        for here in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(asked(here), None, "{here}");
        }
        for stranger in ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"] {
            assert_eq!(asked(stranger), Some("submission_denied"), "{stranger}");
        }
    }
}

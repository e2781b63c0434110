//! VRFY and EXPN where they are on (RFC 5321 §3.5): the truth about an address. Off (502)
//! and noncommittal (252) are said by the session and never asked here.
//!
//! The replies are those that RFC 5321 §4.3.2 lists for the two commands; none of them
//! is a 4yz, so a mailbox that only cannot take mail *now* is verified: it exists.

use reply::{Answer, catalogue};

use crate::MailboxState;
use crate::facts::{Facts, Place};

/// The answer to VRFY. `argument` is what the client asked for.
pub(crate) fn verify(argument: &str, facts: &Facts) -> Answer {
    let Some(found) = &facts.recipient else { return catalogue::cannot_verify() };
    let address = &found.address;
    // The catalogue's words are ASCII (RFC 6531 §3.7.4.2 lets us say so with 252).
    if !address.is_ascii() {
        return catalogue::cannot_verify();
    }
    match found.place {
        Place::Mailbox(MailboxState::Fault) => catalogue::cannot_verify(),
        Place::Mailbox(MailboxState::Disabled) => catalogue::mailbox_disabled(address),
        Place::Mailbox(_) => catalogue::verified(address),
        Place::UnknownMailbox => catalogue::mailbox_unknown(argument),
        Place::Routed { own_domain: true } => catalogue::verified_forwarded(address),
        Place::Routed { own_domain: false } | Place::Elsewhere { .. } => {
            catalogue::not_local(address)
        }
        Place::Ambiguous => catalogue::mailbox_ambiguous(argument),
    }
}

/// The answer to EXPN. A mailbox is a list of one (RFC 5321 §3.5.1); there are no others.
pub(crate) fn expand(name: &str, facts: &Facts) -> Answer {
    let Some(found) = &facts.recipient else { return catalogue::cannot_verify() };
    match found.place {
        Place::Mailbox(MailboxState::Fault) => catalogue::cannot_verify(),
        Place::Mailbox(state) if state != MailboxState::Disabled => {
            match found.address.is_ascii() {
                true => catalogue::expanded(&found.address),
                false => catalogue::cannot_verify(),
            }
        }
        Place::Routed { own_domain: true } => catalogue::cannot_verify(),
        _ => catalogue::list_unknown(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Listener, RecipientFacts};

    fn facts(place: Place, address: &str) -> Facts {
        let mut facts = Facts::new("192.0.2.1".parse().unwrap(), Listener::Mx);
        facts.recipient = Some(RecipientFacts { address: address.parse().unwrap(), place });
        facts
    }

    fn check(place: Place, vrfy: &str, expn: &str) {
        let facts = facts(place, "user@example.org");
        assert_eq!(verify("user", &facts).row().id, vrfy, "{place:?}");
        assert_eq!(expand("user", &facts).row().id, expn, "{place:?}");
    }

    #[test]
    fn every_place_has_its_true_answer() {
        check(Place::Mailbox(MailboxState::Ready), "verified", "expanded");
        check(Place::Mailbox(MailboxState::Locked), "verified", "expanded");
        check(Place::Mailbox(MailboxState::Full), "verified", "expanded");
        check(Place::Mailbox(MailboxState::Disabled), "mailbox_disabled", "list_unknown");
        check(Place::Mailbox(MailboxState::Fault), "cannot_verify", "cannot_verify");
        check(Place::UnknownMailbox, "mailbox_unknown", "list_unknown");
        check(Place::Routed { own_domain: true }, "verified_forwarded", "cannot_verify");
        check(Place::Elsewhere { relay_configured: true }, "not_local", "list_unknown");
        check(Place::Ambiguous, "mailbox_ambiguous", "list_unknown");
    }

    #[test]
    fn an_address_that_ascii_cannot_say_is_not_verified() {
        let facts = facts(Place::Mailbox(MailboxState::Ready), "grüße@example.org");
        assert_eq!(verify("grüße@example.org", &facts).row().id, "cannot_verify");
        assert_eq!(expand("grüße@example.org", &facts).row().id, "cannot_verify");
    }
}

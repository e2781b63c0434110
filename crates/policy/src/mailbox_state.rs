//! From the state of a mailbox to the answer at RCPT or at the end of data.
//!
//! Why 450 and not 550 for a locked mailbox? Because of what the sender does next. 550
//! says that the mailbox cannot take this mail, ever: the sending server gives up and a
//! person gets a bounce, for something that is over in a minute. 450 says that the
//! mailbox exists and cannot take mail at this moment (RFC 5321 §4.2.2: "mailbox
//! unavailable", §4.2.3: a transient condition): the sending software keeps the message
//! and comes back by itself, and nobody need do anything. A 5yz is said only where an
//! administrator made the state final. It is said at RCPT, not after accepting: whoever
//! accepts and bounces later sends the bounce to an address that may be forged.

use reply::{Answer, catalogue};

/// How a mailbox that exists stands at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailboxState {
    /// Takes mail.
    Ready,
    /// Another process holds its lock, for longer than a moment.
    Locked,
    /// As many deliveries are under way as its limit allows.
    Busy,
    /// Switched off for a while; it comes back by itself.
    DisabledForNow,
    /// Switched off until an administrator switches it on.
    Disabled,
    /// Over its quota, or would be with this message.
    Full,
    /// The same, and the administrator made that final.
    FullFinally,
    /// It cannot be looked at (an I/O error, rights).
    Fault,
}

impl MailboxState {
    /// Every state, for tables and tests.
    pub const ALL: &[MailboxState] = &[
        MailboxState::Ready,
        MailboxState::Locked,
        MailboxState::Busy,
        MailboxState::DisabledForNow,
        MailboxState::Disabled,
        MailboxState::Full,
        MailboxState::FullFinally,
        MailboxState::Fault,
    ];

    /// What to say instead of taking mail for `recipient`; `None` where it is taken.
    pub fn refusal(self, recipient: &str) -> Option<Answer> {
        match self {
            MailboxState::Ready => None,
            MailboxState::Locked => Some(catalogue::mailbox_locked(recipient)),
            MailboxState::Busy => Some(catalogue::mailbox_busy(recipient)),
            MailboxState::DisabledForNow => Some(catalogue::mailbox_disabled_for_now(recipient)),
            MailboxState::Disabled => Some(catalogue::mailbox_disabled(recipient)),
            MailboxState::Full => Some(catalogue::mailbox_full(recipient)),
            MailboxState::FullFinally => Some(catalogue::mailbox_full_finally(recipient)),
            MailboxState::Fault => Some(catalogue::server_fault()),
        }
    }

    /// Whether coming back can ever help.
    pub const fn is_final(self) -> bool {
        matches!(self, MailboxState::Disabled | MailboxState::FullFinally)
    }

    /// The name in logs and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            MailboxState::Ready => "ready",
            MailboxState::Locked => "locked",
            MailboxState::Busy => "busy",
            MailboxState::DisabledForNow => "disabled-for-now",
            MailboxState::Disabled => "disabled",
            MailboxState::Full => "full",
            MailboxState::FullFinally => "full-finally",
            MailboxState::Fault => "fault",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(state: MailboxState, expected: &str) {
        let said = state.refusal("user@example.org").map(|answer| answer.to_bytes());
        let said = said.map(|bytes| String::from_utf8_lossy(&bytes[..9]).into_owned());
        assert_eq!(said.unwrap_or_default(), expected, "{state:?}");
    }

    #[test]
    fn every_state_has_its_reply() {
        check(MailboxState::Ready, "");
        check(MailboxState::Locked, "450 4.2.0");
        check(MailboxState::Busy, "450 4.2.0");
        check(MailboxState::DisabledForNow, "450 4.2.1");
        check(MailboxState::Disabled, "550 5.2.1");
        check(MailboxState::Full, "452 4.2.2");
        check(MailboxState::FullFinally, "552 5.2.2");
        check(MailboxState::Fault, "451 4.3.0");
    }

    #[test]
    fn only_final_states_are_answered_with_a_permanent_reply() {
        for state in MailboxState::ALL {
            let answer = state.refusal("user@example.org");
            let permanent = answer.is_some_and(|said| said.code().class() as u8 == 5);
            assert_eq!(permanent, state.is_final(), "{state:?}");
        }
    }

    #[test]
    fn every_refusal_may_answer_rcpt() {
        for state in MailboxState::ALL {
            let answer = state.refusal("user@example.org");
            assert!(answer.is_none_or(|said| said.row().answers.contains(&reply::Stage::Rcpt)));
        }
    }
}

//! The seam [`MailboxDirectory`]: who asks for the state of a mailbox, and what comes
//! back. The real one over files is `mta::mailbox`; SQL and LDAP may follow.

use reply::Timestamp;
use smtp::syntax::Mailbox;

use crate::MailboxState;

/// Knows the mailboxes of our own domains.
pub trait MailboxDirectory: Send + Sync {
    /// How the mailbox of `address` stands, for a message of `incoming_octets` (as the
    /// client declared with SIZE=). `None` where there is no such mailbox. May block for
    /// as long as a lock is waited for: never call it on a thread of the reactor.
    fn state(
        &self,
        address: &Mailbox,
        incoming_octets: Option<u64>,
        now: Timestamp,
    ) -> Option<MailboxState>;

    /// Whether it is plain, from what is in memory, that there is no such mailbox: then
    /// [`MailboxDirectory::state`] answers without looking at one. Does not wait.
    fn is_plainly_unknown(&self, _address: &Mailbox) -> bool {
        false
    }
}

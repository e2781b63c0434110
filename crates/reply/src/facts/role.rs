//! What commands and keywords of EHLO are for: the facts in which any two of them are
//! compared. Rows of commands stand here, those of keywords in [`super::keyword`].

use crate::stage::Stage::{self, *};

/// Declares facts that are each one of a few names.
macro_rules! named {
    ($($(#[$doc:meta])* $type:ident { $($(#[$about:meta])* $variant:ident $name:literal;)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type { $($(#[$about])* $variant),+ }

        impl $type {
            /// All of them.
            pub const ALL: &[$type] = &[$($type::$variant),+];

            /// The name in JSON.
            pub const fn name(self) -> &'static str {
                match self { $($type::$variant => $name),+ }
            }
        }
    )+};
}

named! {
    /// What a command or keyword is for.
    Purpose {
        /// The session itself.
        Session "session";
        /// From whom and for whom a message is.
        Envelope "envelope";
        /// How the message itself comes over.
        Transfer "transfer";
        /// Fewer round trips.
        Speed "speed";
        /// What a message may hold.
        Content "content";
        /// Questions about an address.
        Lookup "lookup";
        /// Who is who, and who can read along.
        Trust "trust";
        /// Whose message it really is, behind a proxy or a forwarder.
        Identity "identity";
        /// Mail that waits at the other server.
        WaitingMail "waiting-mail";
        /// What the sender learns of a message.
        Feedback "feedback";
        /// When a message is delivered.
        Schedule "schedule";
        /// What the server takes.
        Limits "limits";
    }

    /// When a command is lawful (RFC 5321 §4.1.4).
    Moment {
        /// At the beginning of a session.
        First "first";
        /// At any time.
        Any "any";
        /// After EHLO, outside a mail transaction.
        Between "between";
        /// After MAIL.
        AfterSender "after-sender";
        /// After RCPT.
        AfterRecipient "after-recipient";
        /// After the message data.
        AfterMessage "after-message";
    }

    /// What a command does to session and mail transaction.
    Effect {
        /// Begins the session.
        Begins "begins";
        /// Begins the session; the server lists its extensions.
        Lists "lists";
        /// Begins a session without extensions.
        Plain "plain";
        /// Begins a transaction.
        Opens "opens";
        /// Adds a recipient to the transaction.
        AddsRecipient "adds-recipient";
        /// Is followed by the message.
        Carries "carries";
        /// Ends the transaction: the server is responsible now, or has refused.
        Concludes "concludes";
        /// Drops the transaction.
        Drops "drops";
        /// Changes nothing.
        Keeps "keeps";
        /// The session begins anew (RFC 3207 §4.2).
        Renews "renews";
        /// The client is logged in.
        Identifies "identifies";
        /// The roles are swapped.
        Swaps "swaps";
        /// Ends the session.
        Ends "ends";
    }

    /// What a client does otherwise because of a keyword.
    Change {
        /// Sends commands without waiting for each reply.
        Order "order";
        /// Adds a parameter to its commands.
        Parameter "parameter";
        /// Sends content without converting it.
        Content "content";
        /// Sends the message in another way.
        Transfer "transfer";
        /// Says first who stands behind the connection.
        Identity "identity";
        /// Reads more in the replies.
        Reading "reading";
        /// Keeps to limits.
        Restraint "restraint";
    }

    /// Who offers a command or keyword today.
    Offered {
        /// Every server.
        Every "every";
        /// Nearly every server.
        NearlyAll "nearly-all";
        /// Many servers.
        Many "many";
        /// Servers that take mail from its authors.
        Submission "submission";
        /// Servers of one operator among each other.
        Inside "inside";
        /// A few.
        Few "few";
        /// Many, who then give no real answer.
        Evasive "evasive";
        /// Next to nobody.
        Hardly "hardly";
    }
}

/// What is known of a command, or of a moment of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Role {
    /// What it is for.
    pub purpose: Purpose,
    /// When it is lawful.
    pub moment: Moment,
    /// What it does to session and transaction.
    pub effect: Effect,
    /// Who offers it.
    pub offered: Offered,
}

/// The role of a command; a word that is none has no role.
pub const fn of_command(stage: Stage) -> Option<Role> {
    use {Effect as E, Moment as M, Offered as O, Purpose as P};
    let (purpose, moment, effect, offered) = match stage {
        Connection => (P::Session, M::First, E::Begins, O::Every),
        Ehlo => (P::Session, M::First, E::Lists, O::Every),
        Helo => (P::Session, M::First, E::Plain, O::Every),
        Lhlo => (P::Session, M::First, E::Lists, O::Inside),
        Mail => (P::Envelope, M::Between, E::Opens, O::Every),
        Rcpt => (P::Envelope, M::AfterSender, E::AddsRecipient, O::Every),
        Data => (P::Transfer, M::AfterRecipient, E::Carries, O::Every),
        EndOfData => (P::Transfer, M::AfterMessage, E::Concludes, O::Every),
        Bdat => (P::Transfer, M::AfterRecipient, E::Carries, O::Many),
        Rset => (P::Session, M::Any, E::Drops, O::Every),
        Noop => (P::Session, M::Any, E::Keeps, O::Every),
        Quit => (P::Session, M::Any, E::Ends, O::Every),
        Vrfy => (P::Lookup, M::Any, E::Keeps, O::Evasive),
        Expn => (P::Lookup, M::Any, E::Keeps, O::Hardly),
        Help => (P::Session, M::Any, E::Keeps, O::Many),
        StartTls => (P::Trust, M::Between, E::Renews, O::NearlyAll),
        Auth => (P::Trust, M::Between, E::Identifies, O::Submission),
        Etrn => (P::WaitingMail, M::Between, E::Keeps, O::Few),
        Atrn => (P::WaitingMail, M::Between, E::Swaps, O::Few),
        Turn => (P::WaitingMail, M::Between, E::Swaps, O::Hardly),
        Send => (P::Envelope, M::Between, E::Opens, O::Hardly),
        Unrecognized => return None,
    };
    Some(Role { purpose, moment, effect, offered })
}

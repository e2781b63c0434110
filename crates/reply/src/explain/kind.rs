//! What is said of that which carries no cause: complaints, reports, automatic replies, and
//! mails that are no bounces.

use super::{Explanation, Language, text, web};
use crate::WhoseMove;
use crate::heard::Kind;

/// The facts of a kind: whose move it is, and where it is written.
const fn facts_of(kind: Kind) -> Option<(WhoseMove, &'static str)> {
    match kind {
        Kind::Complaint => Some((WhoseMove::Sender, "RFC 5965")),
        Kind::AuthReport => Some((WhoseMove::SenderPostmaster, "RFC 6591, RFC 7489 §7.3")),
        Kind::AutoReply => Some((WhoseMove::Nobody, "RFC 3834")),
        Kind::NotABounce => Some((WhoseMove::Nobody, "")),
        Kind::Reply | Kind::Bounce | Kind::Delay | Kind::Log | Kind::Webhook => None,
    }
}

/// What something of `kind` means; `None` for the kinds of which a verdict tells it.
pub fn explain_kind(kind: Kind, language: Language) -> Option<Explanation> {
    let (whose_move, source) = facts_of(kind)?;
    let part = |name: &str| text(language, &format!("kind-{}.{name}", kind.name()));
    let title = web(language, &format!("kind-{}", kind.name()), &[]);
    Some(Explanation {
        name: title.clone(),
        title,
        meaning: part("meaning"),
        code_meaning: String::new(),
        when_seen: String::new(),
        whose_move: text(language, &format!("move-{}", whose_move.name())),
        what_to_do: part("fix"),
        when_next: String::new(),
        evidence: String::new(),
        confidence: String::new(),
        alternatives: Vec::new(),
        deciding: Vec::new(),
        source: source.to_owned(),
    })
}

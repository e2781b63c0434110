//! Messages for the parts that run within this process, as the server would make them.

use queue::retry::history::LastVerdict;
use queue::{Message, Origin, Received, Status};
use reply::{Cause, Permanence, Timestamp};
use smtp::envelope::{Envelope, Recipient};
use smtp::syntax::{ForwardPath, MailParameters, RecipientParameters, ReversePath};

/// Domains that messages are spread over.
const DOMAINS: u64 = 1000;

/// What is known of message `number` when it comes at `at`.
pub(crate) fn received(number: u64, at: Timestamp) -> Received {
    let recipient = format!("recipient{number}@domain{}.test", number % DOMAINS);
    let recipient = recipient.parse().expect("it is a mailbox");
    let sender = "sender@client.test".parse().expect("it is a mailbox");
    let (path, parameters) = (ForwardPath::Mailbox(recipient), RecipientParameters::default());
    Received {
        envelope: Envelope {
            reverse_path: ReversePath(Some(sender)),
            mail: MailParameters::default(),
            recipients: vec![Recipient { path, parameters }],
        },
        at,
        origin: Origin::Mx,
        client: Some([127, 0, 0, 1].into()),
        hello: Some("client.test".into()),
        held: None,
    }
}

/// The message after a first attempt at `now` that was greylisted, and is due at `due`.
pub(crate) fn deferred(message: &Message, now: Timestamp, due: Timestamp) -> Message {
    let mut message = message.clone();
    for recipient in &mut message.recipients {
        recipient.status = Status::Waiting { due };
        let history = &mut recipient.history;
        history.attempts = 1;
        (history.first_attempt, history.last_attempt) = (Some(now), Some(now));
        history.last_reply = Some("450 4.2.0 Greylisted, try again in 300 seconds".into());
        history.last_verdict =
            Some(LastVerdict { cause: Cause::Greylisted, permanence: Permanence::Transient });
        history.cause_since = Some(now);
        history.transient_in_a_row = 1;
    }
    message
}

/// The domain of the first recipient.
pub(crate) fn domain(message: &Message) -> String {
    let recipient = message.recipients.first().map(|recipient| &recipient.recipient.path);
    let text = recipient.map(ToString::to_string).unwrap_or_default();
    text.rsplit_once('@').map_or("", |(_, domain)| domain.trim_end_matches('>')).to_owned()
}

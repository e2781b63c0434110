//! A [`Submission`] as an envelope of `smtp`, and back.

use smtp::envelope::{Envelope, Recipient};
use smtp::syntax::{
    Body, ForwardPath, MailParameters, Mailbox, Notify, OriginalRecipient, RecipientParameters,
    Ret, ReversePath,
};

use super::protocol::{Refused, RefusedKind, Submission, SubmittedRecipient};

impl Submission {
    /// The envelope, every address and parameter read.
    ///
    /// # Errors
    /// `BadRequest` with what is wrong: an address or a value that does not parse.
    pub fn envelope(&self) -> Result<Envelope, Refused> {
        let recipients = self.recipients.iter().map(SubmittedRecipient::recipient);
        Ok(Envelope {
            reverse_path: ReversePath(match self.sender.as_str() {
                "" => None,
                sender => Some(mailbox(sender)?),
            }),
            mail: MailParameters {
                size: Some(self.octets),
                body: self.eight_bit.then_some(Body::EightBitMime),
                smtputf8: self.smtputf8,
                ret: self.ret.as_deref().map(ret).transpose()?,
                envid: self.envid.clone(),
            },
            recipients: recipients.collect::<Result<_, _>>()?,
        })
    }

    /// The envelope of a session, for a message of `octets`.
    pub fn of(envelope: &Envelope, octets: u64) -> Submission {
        let recipient = |recipient: &Recipient| SubmittedRecipient {
            address: recipient.path.to_string(),
            notify: recipient.parameters.notify.map(|notify| notify.to_string()),
            orcpt: recipient
                .parameters
                .orcpt
                .as_ref()
                .map(|orcpt| format!("{};{}", orcpt.address_type, orcpt.xtext)),
        };
        let name = |ret: Ret| if ret == Ret::Full { "FULL" } else { "HDRS" };
        Submission {
            sender: envelope.reverse_path.to_string(),
            recipients: envelope.recipients.iter().map(recipient).collect(),
            octets,
            ret: envelope.mail.ret.map(|ret| name(ret).to_owned()),
            envid: envelope.mail.envid.clone(),
            smtputf8: envelope.mail.smtputf8,
            eight_bit: envelope.mail.body == Some(Body::EightBitMime),
            user: String::new(),
        }
    }
}

impl SubmittedRecipient {
    /// A recipient without parameters.
    pub fn new(address: impl Into<String>) -> SubmittedRecipient {
        SubmittedRecipient { address: address.into(), ..SubmittedRecipient::default() }
    }

    fn recipient(&self) -> Result<Recipient, Refused> {
        let path = match self.address.as_str() {
            address if address.eq_ignore_ascii_case("postmaster") => ForwardPath::Postmaster,
            address => ForwardPath::Mailbox(mailbox(address)?),
        };
        let notify = self.notify.as_deref().map(|value| {
            Notify::parse(value).ok_or_else(|| bad(format!("`{value}` is no value of NOTIFY")))
        });
        let orcpt = self.orcpt.as_deref().map(|value| {
            let (address_type, xtext) =
                value.split_once(';').ok_or_else(|| bad(format!("`{value}` is no ORCPT")))?;
            let (address_type, xtext) = (address_type.to_owned(), xtext.to_owned());
            Ok(OriginalRecipient { address_type, xtext })
        });
        let parameters =
            RecipientParameters { notify: notify.transpose()?, orcpt: orcpt.transpose()? };
        Ok(Recipient { path, parameters })
    }
}

fn mailbox(address: &str) -> Result<Mailbox, Refused> {
    address.parse().map_err(|problem| bad(format!("`{address}` is no mail address: {problem}")))
}

fn ret(value: &str) -> Result<Ret, Refused> {
    match value {
        "FULL" => Ok(Ret::Full),
        "HDRS" => Ok(Ret::Headers),
        _ => Err(bad(format!("`{value}` is no value of RET: expected FULL or HDRS"))),
    }
}

fn bad(message: String) -> Refused {
    Refused::new(RefusedKind::BadRequest, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_submission_is_an_envelope_and_back() {
        let submission = Submission {
            sender: "\"a b\"@example.org".into(),
            recipients: vec![
                SubmittedRecipient {
                    notify: Some("SUCCESS,FAILURE".into()),
                    orcpt: Some("rfc822;c@example.net".into()),
                    ..SubmittedRecipient::new("b@example.net")
                },
                SubmittedRecipient::new("Postmaster"),
            ],
            octets: 7,
            ret: Some("HDRS".into()),
            envid: Some("id".into()),
            smtputf8: false,
            eight_bit: true,
            user: String::new(),
        };
        let envelope = submission.envelope().unwrap();
        assert_eq!(envelope.recipients[1].path, ForwardPath::Postmaster);
        assert_eq!(Submission::of(&envelope, 7), submission);
        let null = Submission::default().envelope().unwrap();
        assert!(null.reverse_path.is_null());
    }

    #[test]
    fn what_does_not_parse_is_named() {
        let check = |submission: Submission, expected: &str| {
            let refused = submission.envelope().unwrap_err();
            assert!(refused.message.contains(expected), "{refused}");
            assert_eq!(refused.kind, RefusedKind::BadRequest);
        };
        let to = |recipient| Submission { recipients: vec![recipient], ..Submission::default() };
        check(Submission { sender: "a@b@c".into(), ..Submission::default() }, "`a@b@c`");
        check(to(SubmittedRecipient::new("nobody")), "`nobody`");
        let notify = Some("ALWAYS".into());
        check(to(SubmittedRecipient { notify, ..SubmittedRecipient::new("a@b.test") }), "NOTIFY");
        check(Submission { ret: Some("x".into()), ..Submission::default() }, "RET");
    }
}

//! Handing a message over: to the running daemon, or without one to the drop folder.

use std::io;
use std::path::PathBuf;

use mta::clock::Clock;
use mta::control::protocol::SubmittedRecipient;
use mta::control::{Client, ClientError, Refused, RefusedKind, Submission, drop};
use mta::mailbox::{MailboxOptions, Mailboxes, Registry};
use mta::router::{Destination, Held};
use reply::explain::wrong;
use reply::{Answer, Language, Timestamp, catalogue};
use smtp::envelope::Recipient;
use smtp::message::header::{Header, missing_fields};
use smtp::syntax::Mailbox;

use super::message::Message;
use super::{Failure, Global, daemon, settings, system};
use config::Config;

/// Where a message went.
#[derive(Debug)]
pub(crate) enum Submitted {
    /// Into the queue, under this id.
    Queued(String),
    /// Into the drop folder, as this file.
    Dropped(PathBuf),
}

/// Why a message went nowhere.
#[derive(Debug)]
pub(crate) enum SubmitError {
    /// The daemon, or the settings, say no.
    Refused(Refused),
    /// It cannot be kept now.
    Fault(Failure),
}

impl From<SubmitError> for Failure {
    fn from(error: SubmitError) -> Failure {
        match error {
            SubmitError::Refused(refused) => Failure::new(refused.message),
            SubmitError::Fault(failure) => failure,
        }
    }
}

/// An envelope for `message`; `notify` is the value of NOTIFY for every recipient.
pub(crate) fn envelope(
    sender: String,
    recipients: &[String],
    notify: Option<&str>,
    message: &Message,
) -> Submission {
    let recipient = |address: &String| SubmittedRecipient {
        notify: notify.map(str::to_owned),
        ..SubmittedRecipient::new(address)
    };
    let ascii = sender.is_ascii() && recipients.iter().all(|address| address.is_ascii());
    Submission {
        recipients: recipients.iter().map(recipient).collect(),
        octets: message.octets.len() as u64,
        smtputf8: !ascii || message.has_eight_bit_header(),
        eight_bit: message.has_eight_bit_body() || message.has_eight_bit_header(),
        user: std::env::var("USER").unwrap_or_default(),
        sender,
        ..Submission::default()
    }
}

/// Adds the Date and Message-ID that are missing (RFC 6409 §8). The address of the sender
/// stands in no field that is added: who wrote it is the writer's to say.
pub(crate) fn complete(message: Message, config: &Config) -> Message {
    let now = Clock::start().now();
    let header = Header::scan(&message.octets);
    let id = format!("{}.{}", now.as_millis() % 1000, std::process::id());
    let fields = missing_fields(&header, now, offset_minutes(now), &config.hostname(), &id);
    if fields.is_empty() {
        return message;
    }
    Message {
        header_octets: fields.len() + message.header_octets,
        octets: [fields, message.octets].concat(),
    }
}

/// How far the local time is ahead of UTC.
fn offset_minutes(now: Timestamp) -> i32 {
    let at = i64::try_from(now.as_millis()).ok().map(jiff::Timestamp::from_millisecond);
    let offset = |at| jiff::tz::TimeZone::system().to_offset(at).seconds() / 60;
    at.and_then(Result::ok).map_or(0, offset)
}

/// Hands the message over.
pub(crate) fn submit(
    global: &Global,
    submission: Submission,
    message: &Message,
) -> Result<Submitted, SubmitError> {
    match daemon::connect(global).map_err(SubmitError::Fault)? {
        Some(mut client) => submit_to(&mut client, submission, message, global.language()),
        None => leave(global, &submission, message),
    }
}

fn submit_to(
    client: &mut Client,
    submission: Submission,
    message: &Message,
    language: Language,
) -> Result<Submitted, SubmitError> {
    match client.submit(submission, &mut message.octets.as_slice()) {
        Ok(id) => Ok(Submitted::Queued(id)),
        Err(ClientError::Refused(refused)) => Err(SubmitError::Refused(refused)),
        Err(error) => Err(SubmitError::Fault(daemon::failure(error, language))),
    }
}

/// The drop folder is for what the daemon would take by the settings of its last start.
fn leave(
    global: &Global,
    submission: &Submission,
    message: &Message,
) -> Result<Submitted, SubmitError> {
    let config = settings::of_daemon(global).map_err(SubmitError::Fault)?.config;
    submission.envelope().map_err(SubmitError::Refused)?;
    if let Some(answer) = refusal(&config, &Registry::in_dir(&global.data_dir), submission) {
        let message = String::from_utf8_lossy(&answer.to_bytes()).trim_end().to_owned();
        return Err(SubmitError::Refused(Refused::new(RefusedKind::Policy, message)));
    }
    settings::make_data_dir(global).map_err(SubmitError::Fault)?;
    let put = drop::put(&global.data_dir, submission, &message.octets);
    put.map(Submitted::Dropped).map_err(|error| SubmitError::Fault(unwritable(global, &error)))
}

fn unwritable(global: &Global, error: &io::Error) -> Failure {
    let language = global.language();
    let folder = format!("`{}`", global.data_dir.join(drop::FOLDER_NAME).display());
    let values = [("folder", &*folder), ("error", &system::in_words(error, language))];
    let help = [("command", "`secondpost serve`")];
    Failure::new(wrong(language, "not-dropped", &values)).help(wrong(
        language,
        "not-dropped-help",
        &help,
    ))
}

/// What the daemon would say to the envelope, as far as the settings and the list of
/// mailboxes alone decide it.
pub(crate) fn refusal(
    config: &Config,
    registry: &Registry,
    submission: &Submission,
) -> Option<Answer> {
    if submission.octets > config.limits.message.0 {
        return Some(catalogue::message_too_big(config.limits.message.0));
    }
    if submission.recipients.len() > config.limits.recipients as usize {
        return Some(catalogue::too_many_recipients(config.limits.recipients));
    }
    let router = config.router();
    let answer = |recipient: &Recipient| match router.destination(&recipient.path) {
        Destination::Held(Held::RelayOff) => Some(catalogue::relay_off(&recipient.path)),
        Destination::Local(mailbox) if is_unknown(&mailbox, registry) => {
            Some(catalogue::mailbox_unknown(&recipient.path))
        }
        _ => None,
    };
    submission.envelope().ok()?.recipients.iter().find_map(answer)
}

/// Before the first start there are no mailboxes yet, and there will be.
fn is_unknown(mailbox: &Mailbox, registry: &Registry) -> bool {
    let directory = || {
        let options = MailboxOptions::default();
        Mailboxes::open(registry.data_dir(), options, Clock::start().now())?.find(mailbox)
    };
    registry.exists() && matches!(directory(), Ok(None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(recipient: &str, expected: Option<&str>) {
        let mut config = Config::default();
        config.domains.0 = vec!["example.org".into()];
        config.routes.0.insert("example.net".into(), mta::router::Route::Hold);
        let recipients = vec![SubmittedRecipient::new(recipient)];
        let submission = Submission { recipients, ..Submission::default() };
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::in_dir(folder.path());
        assert!(refusal(&config, &registry, &submission).is_none_or(|a| a.row().id == "relay_off"));
        registry
            .create_missing(&["a@example.org".into(), "postmaster@example.org".into()])
            .unwrap();
        let answer = refusal(&config, &registry, &submission);
        assert_eq!(answer.map(|answer| answer.row().id), expected, "{recipient}");
    }

    #[test]
    fn without_a_daemon_the_settings_decide_where_mail_may_go() {
        check("a@Example.ORG", None);
        check("a+tag@example.org", None);
        check("b@example.org", Some("mailbox_unknown"));
        check("a@example.net", None);
        check("postmaster", None);
        check("a@example.com", Some("relay_off"));
    }

    #[test]
    fn what_is_too_big_is_refused_before_it_is_kept() {
        let config = Config::default();
        let submission =
            Submission { octets: config.limits.message.0 + 1, ..Submission::default() };
        let registry = Registry::in_dir("/nonexistent");
        let answer = refusal(&config, &registry, &submission);
        assert_eq!(answer.map(|a| a.row().id), Some("message_too_big"));
    }
}

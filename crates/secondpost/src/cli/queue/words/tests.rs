//! How a queued message looks.

use mta::control::view::EvidenceView;

use super::*;

fn recipient(code: u16, cause: Cause, in_a_row: u32) -> QueuedRecipient {
    QueuedRecipient {
        address: "b@example.net".into(),
        status: "waiting".into(),
        attempts: in_a_row,
        transient_in_a_row: in_a_row,
        last_reply: Some(format!("{code} 4.2.0 <b@example.net> come back\u{1b}[31m later")),
        verdict: Some(VerdictView {
            code: Some(code),
            enhanced_code: Some("4.2.0".into()),
            cause: cause.name().into(),
            permanence: "transient".into(),
            whose_move: cause.whose_move().name().into(),
            retry_after_seconds: None,
            retry_at: None,
            alternatives: Vec::new(),
            evidence: EvidenceView::default(),
            confidence: "high".into(),
        }),
        next_attempt_at: Some("2026-11-24T00:50:00Z".into()),
        next_attempt_in_seconds: Some(250),
        next_attempt_why: Some("hint".into()),
        ..QueuedRecipient::default()
    }
}

fn message(recipients: Vec<QueuedRecipient>) -> QueuedMessage {
    QueuedMessage {
        id: "4f3kq9x2m1a".into(),
        age_seconds: 300,
        origin: "local".into(),
        sender: "a@example.org".into(),
        octets: 1300,
        recipients,
        ..QueuedMessage::default()
    }
}

#[test]
fn a_block_says_what_was_said_what_it_means_whose_move_it_is_and_when_it_goes_on() {
    let shown = block(&message(vec![recipient(450, Cause::Greylisted, 1)]), Language::En);
    let shown = anstream::adapter::strip_str(&shown).to_string();
    let age = duration_in_words(Duration::from_secs(300), Language::En);
    let first = format!("4f3kq9x2m1a  {age} old, 1.3 KiB, from this machine\n");
    assert!(shown.starts_with(&first), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    let cause = cause_in_words(Cause::Greylisted, Language::En);
    let whose = whose_move_in_words(WhoseMove::SenderSoftware, Language::En);
    let due = duration_from_now(Duration::from_secs(250), Language::En);
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [cause.as_str(), &whose, &due, "450 4.2.0", "2026-11-24T00:50:00Z"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn after_the_third_450_the_mailbox_is_suspected_and_verify_offered() {
    let advised =
        |code, cause, times| advice(&recipient(code, cause, times), Language::En).is_some();
    assert!(!advised(450, Cause::Greylisted, 2));
    assert!(advised(450, Cause::Greylisted, 3));
    assert!(advised(450, Cause::MailboxBusy, 4));
    assert!(!advised(452, Cause::ServerFull, 5));
    assert!(!advised(450, Cause::MailboxFull, 5));
    let shown = block(&message(vec![recipient(450, Cause::MailboxBusy, 3)]), Language::En);
    assert!(shown.contains("secondpost verify"), "{shown}");
}

#[test]
fn a_held_message_says_why_and_has_no_next_attempt() {
    let mut held = message(vec![recipient(450, Cause::Greylisted, 1)]);
    held.held = Some("by the administrator".into());
    held.recipients[0].next_attempt_at = None;
    let shown = block(&held, Language::En);
    assert!(shown.contains("held   by the administrator"), "{shown}");
    assert!(!shown.contains("next"), "{shown}");
}

#[test]
fn a_block_fits_in_eighty_columns_in_every_language_and_says_every_label_in_it() {
    for &language in Language::COMPLETE {
        let shown = block(&message(vec![recipient(450, Cause::MailboxBusy, 3)]), language);
        let shown = anstream::adapter::strip_str(&shown).to_string();
        assert!(shown.lines().all(|line| line.width() <= 80), "{shown}");
        assert!(!shown.contains("queue-"), "{shown}");
        let english = block(&message(vec![recipient(450, Cause::MailboxBusy, 3)]), Language::En);
        let shared = shown.lines().filter(|line| english.lines().any(|other| other == *line));
        assert!(
            language == Language::En || shared.filter(|l| !l.is_empty()).count() == 0,
            "{shown}"
        );
    }
}

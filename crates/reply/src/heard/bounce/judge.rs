//! One verdict for one recipient, from all that a bounce says of him: the diagnosis, the
//! quoted replies, the words around them, the status code. Permanence comes from the
//! action and the words, since a final failure often carries 4.4.7 or 4.2.2.

use crate::classify::{classify, classify_with_status, floor_char_boundary};
use crate::heard::{Heard, Kind};
use crate::{Cause, Code, Confidence, Context, EnhancedCode, Permanence, Reply, Stage, Verdict};

use super::replies::{self, Quoted};
use super::status;
use super::text::Lines;

/// Most octets of the words that are shown.
const MAX_DIAGNOSTIC_OCTETS: usize = 1000;

/// Most octets in which it is looked for what a text tells of.
const MAX_JUDGED_OCTETS: usize = 4096;

/// What a bounce says of one recipient.
#[derive(Debug, Default)]
pub(super) struct Said<'a> {
    pub(super) recipient: Option<&'a str>,
    pub(super) fields: Option<&'a status::Recipient>,
    /// The words, and his place among those whom they are about.
    pub(super) lines: Option<(&'a Lines<'a>, usize)>,
    /// Whether the words say that the message waits.
    pub(super) is_late: bool,
}

/// A reply or words, judged.
struct Judged {
    reply: Option<Reply>,
    verdict: Verdict,
    /// The enhanced code that it holds itself.
    own: Option<EnhancedCode>,
    /// What the reply answered.
    stage: Option<Stage>,
    words: String,
}

/// What the bounce says of the recipient, understood.
pub(super) fn judge(said: &Said<'_>) -> Heard {
    let status = said.fields.and_then(|fields| fields.status);
    let best = best(said, status);
    let kind = kind(said);
    let mut heard =
        Heard::of(if kind == Permanence::Transient { Kind::Delay } else { Kind::Bounce });
    heard.recipient = said.recipient.map(str::to_owned);
    heard.action = said.fields.and_then(|fields| fields.action.clone());
    heard.remote_mta = said.fields.and_then(|fields| fields.remote_mta.clone());
    let mut verdict = best.verdict;
    verdict.enhanced_code = nearer(best.own.or(verdict.enhanced_code), status);
    if kind == Permanence::Positive {
        verdict = delivered(verdict, said);
        heard.reply =
            said.fields.and_then(|fields| Reply::parse(fields.diagnostic.as_bytes()).ok());
    }
    verdict.permanence = kind;
    if kind == Permanence::Permanent {
        settle(&mut verdict);
    }
    if kind == Permanence::Transient {
        let until = said.fields.and_then(|fields| fields.retry_until);
        verdict.retry_at = verdict.retry_at.or(until);
    }
    heard.verdict = Some(verdict);
    heard.stage = best.stage.or_else(|| replies::stage_in(said.lines?.0.text()));
    heard.reply = heard.reply.or(best.reply);
    heard.diagnostic = Some(shown(&best.words)).filter(|words| !words.is_empty());
    heard
}

/// "Mailbox unavailable" with no code is said of one that is busy, and of none. Where the
/// mail was given up, it is the latter; and a program that says "Service unavailable" then
/// means any failure.
fn settle(verdict: &mut Verdict) {
    if verdict.cause == Cause::ServerBusy && is_own_word(verdict) {
        verdict.alternatives.insert(0, Cause::ServerBusy);
        verdict.cause = Cause::Unknown;
        verdict.whose_move = Cause::Unknown.whose_move();
    }
    let is_bare = verdict.code.is_none() && verdict.enhanced_code.is_none();
    let unknown = verdict.alternatives.iter().position(|cause| *cause == Cause::MailboxUnknown);
    if let Some(at) = unknown.filter(|_| is_bare && verdict.cause == Cause::MailboxBusy) {
        verdict.alternatives[at] = Cause::MailboxBusy;
        verdict.cause = Cause::MailboxUnknown;
        verdict.whose_move = Cause::MailboxUnknown.whose_move();
    }
}

/// The code that the words hold, or the report's where that of the words says no more
/// than its class: `550 5.0.0` beside `Status: 5.3.0`.
fn nearer(said: Option<EnhancedCode>, status: Option<EnhancedCode>) -> Option<EnhancedCode> {
    let is_bare = |code: EnhancedCode| code.subject() == 0 && code.detail() == 0;
    let is_like = |status: &EnhancedCode| said.is_some_and(|said| said.class() == status.class());
    match said {
        Some(said) if is_bare(said) => status.filter(is_like).or(Some(said)),
        _ => said.or(status),
    }
}

/// A notice of success says no more than its action.
fn delivered(verdict: Verdict, said: &Said<'_>) -> Verdict {
    let action = said.fields.and_then(|fields| fields.action.clone()).unwrap_or_default();
    let evidence = crate::Evidence { rule: "action".into(), text: action };
    let enhanced_code = verdict.enhanced_code;
    let of_action = crate::verdict_of(Cause::Delivered, Permanence::Positive, evidence);
    let said = said.fields.and_then(|fields| Reply::parse(fields.diagnostic.as_bytes()).ok());
    let code = verdict.code.or(said.map(|reply| reply.code()));
    Verdict { code, enhanced_code, ..of_action }
}

/// What was done with the message: the action says it (RFC 3464 §2.3.3), else the words.
fn kind(said: &Said<'_>) -> Permanence {
    match said.fields.and_then(|fields| fields.action.as_deref()) {
        Some("failed" | "failure" | "expired" | "error" | "undeliverable") => Permanence::Permanent,
        Some("delayed" | "delay") => Permanence::Transient,
        Some("delivered" | "relayed" | "expanded" | "deliverable") => Permanence::Positive,
        _ if said.is_late => Permanence::Transient,
        _ => Permanence::Permanent,
    }
}

/// The best of what can be judged, in the order of how near it is to the recipient.
fn best(said: &Said<'_>, status: Option<EnhancedCode>) -> Judged {
    let mut best: Option<Judged> = None;
    if let Some(fields) = said.fields.filter(|fields| !fields.diagnostic.is_empty()) {
        let is_program = fields.diagnostic_type == "x-unix";
        consider(&mut best, of_text(&fields.diagnostic, status, is_program));
    }
    if !best.as_ref().is_some_and(is_certain) {
        consider_lines(said, status, &mut best);
    }
    let best = best.unwrap_or_else(|| of_words("", None, status));
    match said.lines {
        Some((lines, _)) if best.verdict.cause == Cause::MailboxUnknown => narrower(best, lines),
        _ => best,
    }
}

/// The lines about the recipient, the words behind the status, what is about all.
fn consider_lines(said: &Said<'_>, status: Option<EnhancedCode>, best: &mut Option<Judged>) {
    let lines = said.lines.map_or("", |(lines, at)| lines.of(at));
    let comment = said.fields.map_or("", |fields| fields.comment.as_str());
    for text in [lines, comment] {
        if !best.as_ref().is_some_and(is_certain) && !text.trim().is_empty() {
            consider(best, of_text(text, status, false));
        }
    }
    for text in said.lines.map(|(lines, _)| lines.around()).unwrap_or_default() {
        // What a program writes around a reply fits any reply.
        let is_answered =
            best.as_ref().is_some_and(|best| best.reply.is_some() && weight(best) > 0);
        if !is_answered && !best.as_ref().is_some_and(is_certain) && !text.trim().is_empty() {
            consider(best, of_surroundings(text, status));
        }
    }
}

/// "User unknown" is what many programs say of any mailbox that takes nothing. A sentence
/// beside it that tells of a full or closed mailbox tells more.
fn narrower(best: Judged, lines: &Lines<'_>) -> Judged {
    if !lines.has_any(&["full", "quota", "space", "disab", "suspen", "limit", "容量", "停止"]) {
        return best;
    }
    // Advice lists what may be.
    let told = lines
        .of_all()
        .lines()
        .filter(|line| !["may ", "might ", "can ", "if "].iter().any(|maybe| line.contains(maybe)));
    let beside = of_words(&told.collect::<Vec<_>>().join("\n"), None, None);
    let causes = [Cause::MailboxFull, Cause::MailboxDisabled, Cause::ServerFull];
    if beside.verdict.confidence < Confidence::High || !causes.contains(&beside.verdict.cause) {
        return best;
    }
    let mut verdict = beside.verdict;
    verdict.code = best.verdict.code;
    verdict.enhanced_code = best.verdict.enhanced_code;
    verdict.alternatives.insert(0, Cause::MailboxUnknown);
    Judged { verdict, words: beside.words, ..best }
}

/// Words about nobody in particular count where they mean just one thing.
fn of_surroundings(text: &str, status: Option<EnhancedCode>) -> Vec<Judged> {
    let mut all = of_text(text, status, false);
    for judged in all.iter_mut().filter(|judged| judged.reply.is_none()) {
        if judged.verdict.confidence < Confidence::High && is_of_words(&judged.verdict) {
            *judged = of_words("", None, status);
        }
    }
    all
}

/// Whether a rule decided by words, not a code.
fn is_of_words(verdict: &Verdict) -> bool {
    !["enhanced-code", "code-at-stage", "code", "class"].contains(&&*verdict.evidence.rule)
}

fn is_certain(judged: &Judged) -> bool {
    weight(judged) >= weight_of(Confidence::High)
}

const fn weight_of(confidence: Confidence) -> u8 {
    match confidence {
        Confidence::Low => 2,
        Confidence::Medium => 4,
        Confidence::High => 6,
    }
}

/// How much a verdict says. That time is over says less than why it ran out.
fn weight(judged: &Judged) -> u8 {
    let weight = weight_of(judged.verdict.confidence);
    match judged.verdict.cause {
        Cause::Unknown => 0,
        _ if is_own_word(&judged.verdict) => 0,
        _ if is_of_any_failure(&judged.verdict) => 1,
        Cause::Expired => weight - 1,
        _ => weight,
    }
}

/// Keeps what says more; a reply that was heard is kept beside better words.
fn consider(best: &mut Option<Judged>, all: Vec<Judged>) {
    for next in all {
        match best {
            None => *best = Some(next),
            Some(known) if weight(&next) > weight(known) => {
                let known = std::mem::replace(known, next);
                if let Some(best) = best {
                    keep_codes(best, known);
                }
            }
            Some(known) => keep_codes(known, next),
        }
    }
}

/// A code is of the recipient, whichever of the texts named it.
fn keep_codes(best: &mut Judged, other: Judged) {
    if best.verdict.code.is_none() && other.verdict.code.is_some() {
        best.verdict.code = other.verdict.code;
        best.reply = other.reply;
    }
    best.own = best.own.or(other.own);
    best.stage = best.stage.or(other.stage);
}

/// The replies in a text, or its words.
fn of_text(text: &str, status: Option<EnhancedCode>, is_program: bool) -> Vec<Judged> {
    // The number of a local program is its exit status.
    let quoted = if is_program { Vec::new() } else { replies::read(text) };
    let mut all: Vec<Judged> = quoted.into_iter().map(|quoted| of_reply(quoted, status)).collect();
    // IronPort's own code stands before the reply: "5.3.0 - Other mail system problem 550-'…'".
    let begins = EnhancedCode::at_start(text).map(|(code, _)| code);
    for judged in &mut all {
        judged.own = judged.own.or(begins);
    }
    // The program's own words around a reply that says something add nothing to it.
    if all.iter().all(|judged| weight(judged) < weight_of(Confidence::Medium)) {
        all.push(of_words(text, None, status));
    }
    all
}

fn of_reply(quoted: Quoted, status: Option<EnhancedCode>) -> Judged {
    let stage = quoted.stage;
    let context = Context { stage, now: None };
    let reply = quoted.reply;
    let verdict = match reply.enhanced_code() {
        Some(_) => classify(&reply, &context),
        None => with_status(&reply, status, &context),
    };
    let verdict = without_prefix(&reply, status, &context).unwrap_or(verdict);
    let own = own(&verdict, reply.enhanced_code(), status);
    let judged = Judged { words: reply.to_string(), own, stage, verdict, reply: Some(reply) };
    let is_late = |code: EnhancedCode| code.subject() == 4 && code.detail() == 7;
    if (judged.verdict.cause == Cause::Expired
        || judged.own.or(judged.verdict.enhanced_code).is_some_and(is_late))
        && let Some(last) =
            judged.reply.as_ref().and_then(|reply| replies::last_one_in(&reply.text()))
    {
        return of_reply(last, status);
    }
    at_stage(judged, stage)
}

/// Postfix says that a recipient was refused before it says why: the rest decides.
fn without_prefix(
    reply: &Reply,
    status: Option<EnhancedCode>,
    context: &Context,
) -> Option<Verdict> {
    let text = reply.lines().join("\n");
    let (_, rest) = text.split_once("Recipient address rejected: ")?;
    let enhanced = reply.enhanced_code().or(status);
    let verdict = classify_with_status(Some(reply.code()), enhanced, rest, context);
    (verdict.confidence == Confidence::High && verdict.cause != Cause::Unknown).then_some(verdict)
}

/// A domain that is refused in answer to MAIL is the sender's.
fn at_stage(mut judged: Judged, stage: Option<Stage>) -> Judged {
    if stage == Some(Stage::Mail) && judged.verdict.cause == Cause::DomainNotFound {
        judged.verdict.cause = Cause::SenderDomainUnusable;
        judged.verdict.whose_move = Cause::SenderDomainUnusable.whose_move();
        judged.verdict.alternatives.insert(0, Cause::DomainNotFound);
    }
    judged
}

/// What the words say beside that time ran out, which tells more.
fn behind_expiry(text: &str, status: Option<EnhancedCode>) -> Option<Verdict> {
    let words = [
        "queue too long",
        "expired",
        "too old",
        "timeout exceeded",
        "giving up",
        "undelivered after",
        "attempts",
    ];
    let tells_time = |part: &&str| words.iter().any(|words| part.contains(words));
    // "mailbox is full: retry timeout exceeded"
    let parts = text.lines().flat_map(|line| line.split(": "));
    let others: Vec<&str> = parts.filter(|part| !tells_time(part)).collect();
    let status = status.filter(|status| status.detail() != 7);
    let mut verdict = classify_with_status(None, status, &others.join("\n"), &Context::default());
    let tells_more = verdict.confidence > Confidence::Low
        && !matches!(verdict.cause, Cause::Unknown | Cause::Expired)
        && !is_own_word(&verdict);
    verdict.alternatives.insert(0, Cause::Expired);
    tells_more.then_some(verdict)
}

/// x.4.0 says that the network or the way is at fault, and no more.
fn of_status_alone(verdict: &mut Verdict, status: Option<EnhancedCode>) {
    let is_vague = status.is_some_and(|status| status.subject() == 4 && status.detail() == 0);
    if is_vague && verdict.evidence.rule == "enhanced-code" {
        verdict.cause = Cause::Unknown;
        verdict.whose_move = Cause::Unknown.whose_move();
        verdict.alternatives = vec![Cause::HostUnreachable, Cause::DnsFailed, Cause::RouteUnusable];
    }
}

/// The status of a notification narrows a reply that has no enhanced code of its class.
fn with_status(reply: &Reply, status: Option<EnhancedCode>, context: &Context) -> Verdict {
    let alone = classify(reply, context);
    let agrees = |status: &EnhancedCode| status.class() == reply.code().class();
    match status
        .filter(agrees)
        .filter(|_| alone.confidence == Confidence::Low && alone.enhanced_code.is_none())
    {
        Some(status) => classify_with_status(
            Some(reply.code()),
            Some(status),
            &reply.lines().join("\n"),
            context,
        ),
        None => alone,
    }
}

fn of_words(text: &str, code: Option<Code>, status: Option<EnhancedCode>) -> Judged {
    let begins = EnhancedCode::at_start(text.trim_start()).map(|(code, _)| code);
    let mut verdict = classify_with_status(code, begins.or(status), text, &Context::default());
    if verdict.cause == Cause::SenderDomainUnusable && !text.to_ascii_lowercase().contains("sender")
    {
        // No reply was heard, so that the domain was looked up to deliver to it.
        verdict.cause = Cause::DomainNotFound;
        verdict.whose_move = Cause::DomainNotFound.whose_move();
        verdict.alternatives.insert(0, Cause::SenderDomainUnusable);
    }
    if verdict.cause == Cause::Expired {
        verdict = behind_expiry(text, status).unwrap_or(verdict);
    }
    of_status_alone(&mut verdict, status);
    let own = own(&verdict, None, status);
    Judged { reply: None, own, stage: None, verdict, words: text.to_owned() }
}

/// The enhanced code that was in the words, not the one that the notification gives.
fn own(
    verdict: &Verdict,
    said: Option<EnhancedCode>,
    status: Option<EnhancedCode>,
) -> Option<EnhancedCode> {
    said.or_else(|| verdict.enhanced_code.filter(|code| Some(*code) != status))
}

fn shown(words: &str) -> String {
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let end = floor_char_boundary(&words, MAX_DIAGNOSTIC_OCTETS);
    words[..end].to_owned()
}

/// What reporting programs write before, or instead of, what they heard.
const OWN_WORDS: &[&str] = &[
    "deferred",
    "service unavailable",
    "remote protocol error",
    "protocol error",
    "temporary failure",
    "undeliverable",
    "can't create",
];

/// What words say by themselves.
pub(super) fn in_words(text: &str) -> Verdict {
    let end = floor_char_boundary(text, MAX_JUDGED_OCTETS);
    of_words(&text[..end], None, None).verdict
}

/// Whether it is said that a mailbox is full, closed or not there.
pub(super) fn tells_of_a_mailbox(verdict: &Verdict) -> bool {
    let causes = [Cause::MailboxUnknown, Cause::MailboxFull, Cause::MailboxDisabled];
    verdict.confidence > Confidence::Low && causes.contains(&verdict.cause)
}

/// Whether a cause is named for sure.
pub(super) fn tells_a_cause(verdict: &Verdict) -> bool {
    verdict.confidence == Confidence::High && verdict.permanence != Permanence::Positive
}

/// Whether all the evidence is a word of the program that reports.
fn is_own_word(verdict: &Verdict) -> bool {
    OWN_WORDS.iter().any(|word| verdict.evidence.text.eq_ignore_ascii_case(word))
}

/// Whether the evidence is said of recipients for whatever reason: "The following
/// recipients could not be reached". It counts where nothing else does.
fn is_of_any_failure(verdict: &Verdict) -> bool {
    let words = &verdict.evidence.text;
    verdict.cause == Cause::HostUnreachable
        && words.get(words.len().saturating_sub(10)..).is_some_and(|end| end == "be reached")
}

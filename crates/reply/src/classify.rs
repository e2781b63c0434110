//! From what was heard to what it means: [`classify`] gives the [`Verdict`] of a reply.
//!
//! Words beat the enhanced code, the enhanced code beats the basic code, and the stage
//! of the session narrows the basic code; each is a candidate with a rank, and the best
//! decides while the others become alternatives. The first digit alone decides the
//! permanence of a reply. Start at `rules`, where the field's wordings stand as rows.

mod codes;
pub mod hint;
mod matcher;
mod rules;
mod text;
mod tree;

#[cfg(test)]
mod tests;

use std::cell::RefCell;

use crate::{
    Cause, Class, Code, Confidence, EnhancedCode, Evidence, Permanence, Reply, Stage, Timestamp,
    Verdict, WhoseMove,
};
use hint::Hint;
use matcher::{Match, Sight};
use rules::Rank;
use text::Plain;
pub(crate) use text::floor_char_boundary;

/// Most causes in [`Verdict::alternatives`].
const MAX_ALTERNATIVES: usize = 6;
/// Most octets of evidence.
const MAX_EVIDENCE_OCTETS: usize = 200;

/// What is known of a reply beside its octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// What it answers.
    pub stage: Option<Stage>,
    /// When it was heard: turns a hint into a point in time.
    pub now: Option<Timestamp>,
}

/// What `reply` means.
///
/// ```
/// use reply::{Cause, Context, Permanence, Reply, Stage, WhoseMove};
///
/// let reply = Reply::parse(b"550 5.1.1 too many recipients this hour\r\n")?;
/// let context = Context { stage: Some(Stage::Rcpt), ..Context::default() };
/// let verdict = reply::classify(&reply, &context);
///
/// // The words beat the code: this is no unknown mailbox.
/// assert_eq!(verdict.cause, Cause::RateLimited);
/// assert_eq!(verdict.permanence, Permanence::Permanent);
/// assert_eq!(verdict.evidence.text, "too many recipients this hour");
/// # Ok::<(), reply::ReplyError>(())
/// ```
pub fn classify(reply: &Reply, context: &Context) -> Verdict {
    let (code, enhanced) = (Some(reply.code()), reply.enhanced_code());
    let verdict_of = |text: &str| Heard { code, enhanced, text }.verdict(context);
    let lines = match reply.lines() {
        [] => return verdict_of(""),
        [line] => return verdict_of(line),
        lines => lines,
    };
    let verdict = verdict_of(&lines.join("\n"));
    if verdict.confidence > Confidence::Medium {
        return verdict;
    }
    // A line may have been broken in the middle of a word.
    let joined = verdict_of(&lines.concat());
    if joined.confidence > verdict.confidence { joined } else { verdict }
}

/// What a text without a basic code means: `4.2.0`, `connection refused`, a diagnosis of
/// another program. `None` where neither an enhanced code nor words say anything.
pub fn classify_text(
    enhanced_code: Option<EnhancedCode>,
    text: &str,
    context: &Context,
) -> Option<Verdict> {
    let verdict = Heard { code: None, enhanced: enhanced_code, text }.verdict(context);
    let says = enhanced_code.is_some() || verdict.confidence > Confidence::Low;
    says.then_some(verdict)
}

/// What a reply without an enhanced code of its own means beside one that a delivery
/// status notification gives it (RFC 3464 §2.3.4).
pub(crate) fn classify_with_status(
    code: Option<Code>,
    status: Option<EnhancedCode>,
    text: &str,
    context: &Context,
) -> Verdict {
    Heard { code, enhanced: status, text }.verdict(context)
}

/// The verdict of a diagnosis of our own, where no reply was heard: host-unreachable,
/// connection-lost, dns-failed, domain-not-found, tls-failed, expired, mail-loop …
pub fn verdict_of(cause: Cause, permanence: Permanence, evidence: Evidence) -> Verdict {
    Verdict {
        code: None,
        enhanced_code: None,
        cause,
        permanence,
        whose_move: whose_move(cause, permanence),
        retry_after: None,
        retry_at: None,
        alternatives: Vec::new(),
        evidence,
        confidence: Confidence::High,
    }
}

/// How the field says `cause`: the rules that recognise it, each with its examples.
pub(crate) fn examples(
    cause: Cause,
) -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    rules::all().filter(move |rule| rule.cause == cause).map(|rule| (rule.name, rule.examples))
}

/// Whose turn it is: nobody's after a positive reply, else the cause's own.
fn whose_move(cause: Cause, permanence: Permanence) -> WhoseMove {
    match permanence {
        Permanence::Positive => WhoseMove::Nobody,
        _ if cause.passes_by_itself() => WhoseMove::SenderSoftware,
        _ => cause.whose_move(),
    }
}

/// What there is to judge by.
struct Heard<'a> {
    code: Option<Code>,
    enhanced: Option<EnhancedCode>,
    text: &'a str,
}

/// One opinion on the cause. The greatest decides.
struct Candidate {
    rank: Rank,
    cause: Cause,
    also: &'static [Cause],
    source: Source,
}

impl Candidate {
    /// Names a policy by what the class of the reply says of it.
    fn at_class(&mut self, class: Option<Class>) {
        self.cause = policy_of_class(self.cause, class);
    }

    /// Takes the next cause that is fair where the text says that it is not `denied`.
    fn is_not(&mut self, denied: Cause) {
        if self.cause == denied
            && let Some((next, also)) = self.also.split_first()
        {
            (self.cause, self.also) = (*next, also);
        }
    }
}

/// What a candidate saw; only the best one's becomes evidence.
enum Source {
    /// A rule's words, in the plain text.
    Words(&'static str, std::ops::Range<usize>),
    EnhancedCode(EnhancedCode),
    /// A code, and whether the stage narrowed it.
    Code(Code, bool),
    Class,
}

/// What is filled anew for each text. It keeps its room, so that the next text needs
/// none: bounded by the octets that are looked at.
#[derive(Default)]
struct Room {
    plain: Plain,
    sight: Sight,
    candidates: Vec<Candidate>,
}

thread_local! {
    static ROOM: RefCell<Room> = RefCell::default();
}

impl Heard<'_> {
    fn verdict(&self, context: &Context) -> Verdict {
        ROOM.with_borrow_mut(|room| self.verdict_in(room, context))
    }

    fn verdict_in(&self, room: &mut Room, context: &Context) -> Verdict {
        let enhanced = self.enhanced.or_else(|| enhanced_in(self.text, self.code));
        room.plain.read(if self.is_positive() { "" } else { self.text });
        room.candidates.clear();
        let may_tell_a_time = self.by_words(room, context.stage);
        let candidates = &mut room.candidates;
        candidates.extend(self.by_enhanced_code(enhanced));
        candidates.extend(self.by_basic_code(context.stage));
        let class = self.class();
        candidates.iter_mut().for_each(|candidate| candidate.at_class(class));
        // Stable: of one rank the earlier rule decides.
        candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.rank));
        let by_class = self.by_class(enhanced);
        let best = candidates.first().unwrap_or(&by_class);
        let permanence = self.permanence(best, enhanced);
        // How long it was tried, or waited for, is no time to come back after.
        let is_open = !matches!(best.cause, Cause::Expired | Cause::ConnectionLost);
        let evidence = self.evidence(&best.source, &room.plain);
        let mut verdict = verdict_of(best.cause, permanence, evidence);
        if self.class() == Some(Class::Intermediate) {
            verdict.whose_move = WhoseMove::SenderSoftware;
        }
        verdict.code = self.code;
        verdict.enhanced_code = enhanced;
        verdict.alternatives = alternatives(candidates, class);
        // That of a positive reply is all there is to know.
        verdict.confidence = match self.is_positive() {
            true => Confidence::High,
            false => confidence(best.rank),
        };
        if permanence != Permanence::Positive && is_open && may_tell_a_time {
            self.add_hint(&mut verdict, context.now);
        }
        verdict
    }

    fn class(&self) -> Option<Class> {
        self.code.map(Code::class).or_else(|| self.enhanced.map(EnhancedCode::class))
    }

    fn is_positive(&self) -> bool {
        matches!(self.class(), Some(Class::Positive | Class::Intermediate))
    }

    /// Adds what the words say, in the order of the rules. Whether they may tell a time.
    fn by_words(&self, room: &mut Room, stage: Option<Stage>) -> bool {
        let Room { plain, sight, candidates } = room;
        if plain.text().is_empty() {
            return false;
        }
        let (class, code) = (self.class(), self.code.map(Code::value));
        sight.look(plain, |rule| rule.counts(class, code, stage));
        let found = &mut sight.found;
        found.sort_unstable_by_key(|found| found.order);
        let whole = |part: &&Match| !found.iter().any(|other| other.is_more_than(part));
        candidates.extend(found.iter().filter(whole).map(|found| Candidate {
            rank: found.rule.rank,
            cause: found.rule.cause,
            also: found.rule.also,
            source: Source::Words(found.rule.name, found.range.clone()),
        }));
        if let Some(denied) = sight.denied {
            candidates.iter_mut().for_each(|candidate| candidate.is_not(denied));
        }
        sight.may_tell_a_time
    }

    fn evidence(&self, source: &Source, plain: &Plain) -> Evidence {
        let (rule, text) = match source {
            Source::Words(rule, range) => {
                (*rule, self.words(plain.origin(range.clone(), self.text)))
            }
            Source::EnhancedCode(enhanced) => ("enhanced-code", enhanced.to_string()),
            Source::Code(code, true) => ("code-at-stage", code.to_string()),
            Source::Code(code, false) => ("code", code.to_string()),
            Source::Class => ("class", String::new()),
        };
        Evidence { rule: rule.into(), text }
    }

    /// The text there as it was heard, its last word whole, in one line and not too long.
    fn words(&self, range: std::ops::Range<usize>) -> String {
        let words = &self.text[range.start..text::end_of_word(self.text, range.end)];
        let words = &words[..text::floor_char_boundary(words, MAX_EVIDENCE_OCTETS)];
        if is_one_line(words) {
            return words.to_owned();
        }
        let mut line = String::with_capacity(words.len());
        for word in words.split_whitespace() {
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
        }
        line
    }

    fn by_enhanced_code(&self, enhanced: Option<EnhancedCode>) -> Option<Candidate> {
        let is_refusal = |code: &EnhancedCode| code.class() != Class::Positive;
        let enhanced = enhanced.filter(is_refusal).filter(|_| !self.is_positive())?;
        let (rank, cause, also) = codes::by_enhanced_code(enhanced, self.code)?;
        Some(Candidate { rank, cause, also, source: Source::EnhancedCode(enhanced) })
    }

    fn by_basic_code(&self, stage: Option<Stage>) -> Option<Candidate> {
        let code = self.code?;
        let (rank, cause, also) = codes::by_basic_code(
            code,
            stage,
            memchr::memchr(b'@', self.text.as_bytes()).is_some(),
        )?;
        Some(Candidate { rank, cause, also, source: Source::Code(code, rank == Rank::Stage) })
    }

    fn by_class(&self, enhanced: Option<EnhancedCode>) -> Candidate {
        let within = enhanced.filter(|_| self.class().is_none()).map(EnhancedCode::class);
        let is_positive = self.is_positive() || within == Some(Class::Positive);
        let cause = if is_positive { Cause::Delivered } else { Cause::Unknown };
        Candidate { rank: Rank::Class, cause, also: &[], source: Source::Class }
    }

    /// The first digit decides, but for 552 "too many recipients", which RFC 5321
    /// §4.5.3.1.10 wants read as transient.
    fn permanence(&self, best: &Candidate, enhanced: Option<EnhancedCode>) -> Permanence {
        let is_552 = self.code.is_some_and(|code| code.value() == 552);
        if is_552 && best.cause == Cause::TooManyRecipients {
            return Permanence::Transient;
        }
        match self.class().or(enhanced.map(EnhancedCode::class)) {
            Some(Class::Positive | Class::Intermediate) => Permanence::Positive,
            Some(Class::Transient) => Permanence::Transient,
            Some(Class::Permanent) => Permanence::Permanent,
            None if best.cause == Cause::Delivered => Permanence::Positive,
            None if is_usually_transient(best.cause) => Permanence::Transient,
            None => Permanence::Permanent,
        }
    }

    fn add_hint(&self, verdict: &mut Verdict, now: Option<Timestamp>) {
        let text = &self.text[..text::floor_char_boundary(self.text, text::MAX_OCTETS)];
        match hint::hint(text, now) {
            Some((Hint::After(after), _)) => {
                verdict.retry_after = Some(after);
                verdict.retry_at = now.map(|now| now + after);
            }
            Some((Hint::At(at), _)) => {
                verdict.retry_at = Some(at);
                verdict.retry_after = now.map(|now| at.since(now));
            }
            None => {}
        }
    }
}

/// Whether `words` are of ASCII, with one space between them.
fn is_one_line(words: &str) -> bool {
    let mut last = b' ';
    let stays = |octet: u8| {
        let stays = octet.is_ascii_graphic() || (octet == b' ' && last != b' ');
        last = octet;
        stays
    };
    words.bytes().all(stays) && last != b' '
}

/// Where no code says it: causes that pass, or that a postmaster removes while the mail waits.
fn is_usually_transient(cause: Cause) -> bool {
    let slow = [Cause::RateLimited, Cause::ServerFull, Cause::ServerFault, Cause::TlsFailed];
    cause.passes_by_itself() || slow.contains(&cause)
}

fn confidence(rank: Rank) -> Confidence {
    match rank {
        Rank::Clear | Rank::Exact | Rank::Provider => Confidence::High,
        Rank::ExactEnhanced | Rank::Likely | Rank::BroadEnhanced => Confidence::Medium,
        Rank::Class | Rank::BasicCode | Rank::Stage | Rank::Vague => Confidence::Low,
    }
}

/// A policy that turns away for now under 4yz, and for good under 5yz.
fn policy_of_class(cause: Cause, class: Option<Class>) -> Cause {
    match (cause, class) {
        (Cause::PolicyRefused, Some(Class::Transient)) => Cause::PolicyTemporary,
        (Cause::PolicyTemporary, Some(Class::Permanent)) => Cause::PolicyRefused,
        _ => cause,
    }
}

/// The other causes of the best candidate, then those of the next ones.
fn alternatives(candidates: &[Candidate], class: Option<Class>) -> Vec<Cause> {
    let Some(best) = candidates.first() else { return Vec::new() };
    let others = candidates.iter().skip(1).map(|candidate| candidate.cause);
    let mut fair = Vec::new();
    for cause in best.also.iter().copied().chain(others) {
        let cause = policy_of_class(cause, class);
        if cause != best.cause && !fair.contains(&cause) && fair.len() < MAX_ALTERNATIVES {
            fair.push(cause);
        }
    }
    fair
}

/// An enhanced code within a text: of another class at its start, in qmail's `(#5.1.1)`,
/// or standing alone with the class of `code`.
fn enhanced_in(text: &str, code: Option<Code>) -> Option<EnhancedCode> {
    let text = &text[..text::floor_char_boundary(text, text::MAX_OCTETS)];
    let octets = text.as_bytes();
    let may_begin = |at: &usize| {
        matches!(octets[*at], b'2' | b'4' | b'5')
            && (*at == 0 || b" \t\n(#[<>:;".contains(&octets[at - 1]))
    };
    let dots = memchr::memchr_iter(b'.', octets).filter_map(|dot| dot.checked_sub(1));
    dots.filter(may_begin).find_map(|at| {
        let (enhanced, used) = EnhancedCode::at_start(&text[at..])?;
        let alone = octets.get(at + used).is_none_or(|next| b" \t\n)]<>:;,.-".contains(next));
        let same_class = code.is_none_or(|code| code.class() == enhanced.class());
        let marked = at == 0 || octets[at - 1] == b'#';
        (alone && enhanced.subject() <= 7 && (same_class || marked)).then_some(enhanced)
    })
}

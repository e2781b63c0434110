//! All patterns of all rules in one pass over a plain text.
//!
//! A pattern's parts (between its gaps) are literals of a radix tree that is entered
//! wherever a word may begin. A pattern has matched when its last part is seen and the
//! others stand before it in order, not far apart; only then is a rule looked at.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use super::hint;
use super::rules::classes::{CLASSES, HOST_ADDRESS};
use super::rules::{self, Rule};
use super::text::{Plain, is_of_a_word};
use super::tree::Tree;
use crate::Cause;

/// Most octets between two parts of a pattern, and between those that stand near.
const MAX_GAP_OCTETS: usize = 120;
const NEAR_OCTETS: usize = 40;
/// Most occurrences of earlier parts that are remembered in one text.
const MAX_SEEN: usize = 256;
/// Most rules that are found in one text.
const MAX_FOUND: usize = 64;

/// A rule whose words stand in a text, and where.
#[derive(Clone, Debug)]
pub(crate) struct Match {
    pub(crate) rule: &'static Rule,
    /// Its place in the order of the rules: the earlier decides.
    pub(crate) order: usize,
    /// In the plain text.
    pub(crate) range: Range<usize>,
}

impl Match {
    /// Whether `part` is only a part of these words, and says no more than they do.
    pub(crate) fn is_more_than(&self, part: &Match) -> bool {
        self.range.len() > part.range.len()
            && self.range.start <= part.range.start
            && part.range.end <= self.range.end
            && self.rule.rank >= part.rule.rank
    }
}

/// What one pass over a text sees. It keeps its room from one text to the next.
#[derive(Default)]
pub(crate) struct Sight {
    /// Every rule that has a pattern there, once, with the longest words that it has.
    pub(crate) found: Vec<Match>,
    /// Whether a unit of time is named, or something else of which a hint could be made.
    pub(crate) may_tell_a_time: bool,
    /// A cause that the text says it is not: "your host is not on a block list".
    pub(crate) denied: Option<Cause>,
    seen: Vec<Seen>,
    /// The bits of all marks in `seen`, and their other bits.
    seen_bits: u64,
    seen_other_bits: u64,
}

impl Sight {
    /// Looks at `plain` for every rule for which `counts`.
    pub(crate) fn look(&mut self, plain: &Plain, counts: impl Fn(&Rule) -> bool) {
        self.found.clear();
        self.seen.clear();
        (self.seen_bits, self.seen_other_bits) = (0, 0);
        (self.may_tell_a_time, self.denied) = (false, None);
        Search { matcher: &MATCHER, plain, counts, sight: self }.run();
    }
}

static MATCHER: LazyLock<Matcher> = LazyLock::new(Matcher::new);

struct Matcher {
    rules: Vec<&'static Rule>,
    /// By number of the pattern: its rule and its parts but for the last.
    patterns: Vec<Pattern>,
    /// The parts of all patterns but for each one's last.
    marks: Vec<Mark>,
    /// The mark of the address of a host, and the patterns that end with one.
    host_address: Mark,
    end_with_address: Vec<u32>,
    /// Literals that begin where a word begins.
    words: Literals,
    /// Literals that may begin within a word.
    anywhere: Literals,
    /// By octet, what it means within a word.
    within: [Within; 256],
}

/// What an octet means within a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Ends,
    GoesOn,
    /// The word goes on, and a literal may begin here.
    MayBegin,
}

/// Small, as many are looked at: what stands before the last part is kept elsewhere.
struct Pattern {
    rule: u32,
    /// Where the marks before its last part stand in [`Matcher::marks`], and how many.
    from: u32,
    before: u16,
    /// Whether its parts stand near to one another, in one sentence.
    is_near: bool,
    /// Whether it counts in brief texts only.
    is_brief: bool,
    /// The other bits of those marks.
    needs: u64,
}

/// What an earlier part of a pattern was seen as: a class of literals has its number, the
/// literal of a part one that is greater.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Mark(u32);

impl Mark {
    fn class(class: usize) -> Mark {
        Mark(class as u32)
    }

    fn part(number: u32) -> Mark {
        Mark(CLASSES.len() as u32 + 1 + number)
    }

    /// One bit, which few others share: a class has its own among the lower half.
    fn bit(self) -> u64 {
        let is_class = self.0 as usize <= CLASSES.len();
        1 << (self.0 % 32 + if is_class { 0 } else { 32 })
    }

    /// One bit more, which marks that share the first one seldom share as well.
    fn other_bit(self) -> u64 {
        1 << (self.0.wrapping_mul(0x9e37_79b1) >> 26)
    }
}

/// A tree of literals and what each is good for.
#[derive(Default)]
struct Literals {
    tree: Tree,
    uses: Vec<Uses>,
    /// By literal.
    roles: Vec<Role>,
}

/// What a literal is good for.
struct Uses {
    /// Where its roles stand in `roles`: first those for which its word may go on.
    from: u32,
    whole: u32,
    to: u32,
    /// Whether it counts within host names and addresses of pages.
    in_names: bool,
    is_unit: bool,
}

/// A literal in a pattern or a class.
#[derive(Clone, Copy)]
enum Role {
    /// A unit of time.
    Unit,
    /// The last part of the pattern, which needs the marks of those bits before it.
    End(u32, u64),
    Mark(Mark),
}

/// A literal as it is written in a rule or a class.
struct Part {
    text: &'static str,
    role: Role,
    whole_start: bool,
    whole_end: bool,
}

impl Part {
    fn of(text: &'static str, role: Role) -> Part {
        Part {
            text: text.trim_matches('*'),
            role,
            whole_start: !text.starts_with('*'),
            whole_end: !text.ends_with('*'),
        }
    }

    /// The literals of the part `text` of a pattern: several where it ends with a class.
    fn all_of(text: &'static str, role: Role) -> Vec<Part> {
        match class(text) {
            None => vec![Part::of(text, role)],
            Some(class) => CLASSES[class].1.iter().map(|text| Part::of(text, role)).collect(),
        }
    }
}

/// The place of the class that `text` names, as in `{box}`.
fn class(text: &str) -> Option<usize> {
    let name = text.strip_prefix('{')?.strip_suffix('}')?;
    CLASSES.iter().position(|(class, _)| *class == name)
}

impl Matcher {
    fn new() -> Matcher {
        let mut parts: Vec<Part> = hint::units().map(|unit| Part::of(unit, Role::Unit)).collect();
        for (class, (_, members)) in CLASSES.iter().enumerate() {
            let mark = Role::Mark(Mark::class(class));
            parts.extend(members.iter().map(|member| Part::of(member, mark)));
        }
        let (mut patterns, mut marks) = (Vec::new(), Vec::new());
        let mut known = HashMap::new();
        let mut end_with_address = Vec::new();
        let address = format!("{{{HOST_ADDRESS}}}");
        let rules: Vec<&'static Rule> = rules::all().collect();
        for (order, rule) in rules.iter().enumerate() {
            for pattern in rule.patterns {
                let number = patterns.len() as u32;
                if pattern.ends_with(&address) {
                    end_with_address.push(number);
                }
                let before = marks.len();
                let is_near = read_pattern(number, pattern, &mut parts, &mut marks, &mut known);
                let mut read = Pattern::of(order as u32, before, &marks[before..], is_near);
                read.is_brief = rule.is_brief();
                patterns.push(read);
            }
        }
        let (words, anywhere) = parts.into_iter().partition(|part| part.whole_start);
        let (words, anywhere) = (Literals::new(words), Literals::new(anywhere));
        let host_address = CLASSES.iter().position(|(name, _)| *name == HOST_ADDRESS);
        let host_address = Mark::class(host_address.unwrap_or(CLASSES.len()));
        let within = std::array::from_fn(|octet| match IS_OF_A_WORD[octet] {
            false => Within::Ends,
            true if anywhere.tree.may_begin(octet as u8) => Within::MayBegin,
            true => Within::GoesOn,
        });
        Matcher { rules, patterns, marks, host_address, end_with_address, words, anywhere, within }
    }
}

impl Pattern {
    fn of(rule: u32, from: usize, before: &[Mark], is_near: bool) -> Pattern {
        let needs = before.iter().fold(0, |bits, mark| bits | mark.other_bit());
        let (from, before) = (from as u32, before.len() as u16);
        Pattern { rule, from, before, is_near, is_brief: false, needs }
    }
}

/// Reads a pattern; its literals are added to `literals`, and the marks before its last
/// part to `marks`. Parts that are written alike are one mark, which `known` tells, so that
/// it is noted once wherever it is seen. Whether the parts stand near.
fn read_pattern(
    number: u32,
    pattern: &'static str,
    literals: &mut Vec<Part>,
    marks: &mut Vec<Mark>,
    known: &mut HashMap<&'static str, Mark>,
) -> bool {
    let is_near = pattern.contains(" ~ ");
    let parts = pattern.split(if is_near { "~" } else { ".." }).map(str::trim);
    let first = marks.len();
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            let needs = marks[first..].iter().fold(0, |bits, mark| bits | mark.bit());
            literals.extend(Part::all_of(part, Role::End(number, needs)));
            break;
        }
        if let Some(class) = class(part) {
            marks.push(Mark::class(class));
            continue;
        }
        let next = Mark::part(known.len() as u32);
        let mark = *known.entry(part).or_insert(next);
        if mark == next {
            literals.push(Part::of(part, Role::Mark(mark)));
        }
        marks.push(mark);
    }
    is_near
}

impl Literals {
    fn new(mut parts: Vec<Part>) -> Literals {
        parts.sort_by_key(|part| (part.text, part.whole_end));
        let mut literals = Literals::default();
        let mut texts = Vec::with_capacity(parts.len());
        for part in &parts {
            if texts.last() != Some(&part.text) {
                texts.push(part.text);
                literals.begin(part.text);
            }
            literals.add(part);
        }
        literals.tree = Tree::new(&texts);
        literals
    }

    fn begin(&mut self, text: &str) {
        let end = self.roles.len() as u32;
        let in_names = text.contains(['.', '/', '=', '#', '?']);
        self.uses.push(Uses { from: end, whole: end, to: end, in_names, is_unit: false });
    }

    fn add(&mut self, part: &Part) {
        let Some(uses) = self.uses.last_mut() else { return };
        uses.is_unit |= matches!(part.role, Role::Unit);
        self.roles.push(part.role);
        uses.whole += u32::from(!part.whole_end);
        uses.to += 1;
    }
}

/// An occurrence of a literal after which a pattern goes on.
#[derive(Clone, Copy)]
struct Seen {
    mark: Mark,
    start: u32,
    end: u32,
}

/// The letters and digits of ASCII.
const IS_OF_A_WORD: [bool; 256] = {
    let mut table = [false; 256];
    let mut octet = 0;
    while octet < 128 {
        table[octet] = (octet as u8).is_ascii_alphanumeric();
        octet += 1;
    }
    table
};

/// One pass over one text.
struct Search<'a, Counts> {
    matcher: &'static Matcher,
    plain: &'a Plain,
    counts: Counts,
    sight: &'a mut Sight,
}

impl<Counts: Fn(&Rule) -> bool> Search<'_, Counts> {
    fn run(&mut self) {
        let (octets, len) = (self.plain.padded(), self.plain.text().len());
        let mut at = 0;
        while at < len {
            let octet = octets[at];
            if octet.is_ascii_alphanumeric() {
                at = self.ascii_word(octets, at);
            } else if octet == b' ' {
                // No literal begins with one.
                if at > 0 && octets[at - 1].is_ascii_digit() {
                    self.sight.may_tell_a_time |= is_short_unit(&octets[at + 1..]);
                }
                at += 1;
            } else if octet.is_ascii() {
                self.sight.may_tell_a_time |= tells_a_time(octets, at);
                self.enter(octets, at, true);
                at += 1;
            } else {
                at = self.beyond_ascii(octets, at);
            }
        }
    }

    /// Looks at a word that begins at `at`, up to what is no letter or digit of ASCII.
    fn ascii_word(&mut self, octets: &[u8], at: usize) -> usize {
        if octets[at].is_ascii_digit() {
            self.sight.may_tell_a_time |= is_digits_with_unit(&octets[at..]);
            self.host_address(octets, at);
        } else if octets[at] == b'p' {
            self.sight.may_tell_a_time |= is_iso_8601(&octets[at..]);
        }
        self.enter(octets, at, true);
        self.inside(octets, at + 1)
    }

    /// Notes the address of a host that begins at `at`.
    fn host_address(&mut self, octets: &[u8], at: usize) {
        let Some(len) = host_address_len(&octets[at..]) else { return };
        if self.plain.is_in_a_name(at) {
            return;
        }
        let range = at..at + len;
        let matcher = self.matcher;
        matcher.end_with_address.iter().for_each(|pattern| self.ended(*pattern, &range));
        self.saw_mark(matcher.host_address, &range);
    }

    /// Looks for literals that may begin within a word, from `at` to the word's end.
    #[inline]
    fn inside(&mut self, octets: &[u8], at: usize) -> usize {
        let matcher = self.matcher;
        let goes_on = |octet: &u8| matcher.within[*octet as usize] == Within::GoesOn;
        let mut end = at;
        loop {
            end += octets[end..].iter().take_while(|octet| goes_on(octet)).count();
            if matcher.within[octets[end] as usize] == Within::Ends {
                return end;
            }
            if matcher.anywhere.tree.may_begin_with(octets[end], octets[end + 1]) {
                self.walk_anywhere(octets, end);
            }
            end += 1;
        }
    }

    /// A character beyond ASCII: is it the first of a word?
    fn beyond_ascii(&mut self, octets: &[u8], at: usize) -> usize {
        let (before, rest) = self.plain.text().split_at(at);
        let Some(c) = rest.chars().next() else { return octets.len() };
        let is_letter = is_of_a_word(c);
        let inside = is_letter && before.chars().next_back().is_some_and(is_of_a_word);
        self.enter(octets, at, !inside);
        let at = at + c.len_utf8();
        // A letter of ASCII after one beyond goes on with its word.
        if is_letter { self.inside(octets, at) } else { at }
    }

    /// Looks for literals at `at`, where a word begins or not.
    #[inline]
    fn enter(&mut self, octets: &[u8], at: usize, is_start: bool) {
        let Some([first, second, ..]) = octets.get(at..) else { return };
        if is_start && self.matcher.words.tree.may_begin_with(*first, *second) {
            self.walk_words(octets, at);
        }
        if self.matcher.anywhere.tree.may_begin_with(*first, *second) {
            self.walk_anywhere(octets, at);
        }
    }

    #[inline(never)]
    fn walk_words(&mut self, octets: &[u8], at: usize) {
        let literals = &self.matcher.words;
        literals.tree.walk(octets, at, |literal, end| {
            self.saw(literals, literal, at..end);
        });
    }

    #[inline(never)]
    fn walk_anywhere(&mut self, octets: &[u8], at: usize) {
        let literals = &self.matcher.anywhere;
        literals.tree.walk(octets, at, |literal, end| {
            self.saw(literals, literal, at..end);
        });
    }

    fn saw(&mut self, literals: &'static Literals, literal: u32, range: Range<usize>) {
        let uses = &literals.uses[literal as usize];
        if !uses.in_names && self.plain.is_in_a_name(range.start) {
            return;
        }
        let is_whole = !self.goes_on_in_word(&range);
        self.sight.may_tell_a_time |= uses.is_unit && is_whole;
        let to = if is_whole { uses.to } else { uses.whole };
        for role in &literals.roles[uses.from as usize..to as usize] {
            match *role {
                Role::Unit => {}
                Role::End(_, needs) if needs & !self.sight.seen_bits != 0 => {}
                Role::End(pattern, _) => self.ended(pattern, &range),
                Role::Mark(mark) => self.saw_mark(mark, &range),
            }
        }
    }

    fn saw_mark(&mut self, mark: Mark, range: &Range<usize>) {
        if self.sight.seen.len() < MAX_SEEN {
            let (start, end) = (range.start as u32, range.end as u32);
            self.sight.seen.push(Seen { mark, start, end });
            self.sight.seen_bits |= mark.bit();
            self.sight.seen_other_bits |= mark.other_bit();
        }
    }

    /// Whether the word that `range` ends with goes on after it.
    fn goes_on_in_word(&self, range: &Range<usize>) -> bool {
        let octets = self.plain.padded();
        let (last, next) = (octets[range.end - 1], octets[range.end]);
        if next.is_ascii() && !IS_OF_A_WORD[next as usize] {
            return false;
        }
        if next.is_ascii() && last.is_ascii() {
            return IS_OF_A_WORD[last as usize];
        }
        let text = self.plain.text();
        let last = text[range.clone()].chars().next_back();
        last.is_some_and(is_of_a_word) && text[range.end..].chars().next().is_some_and(is_of_a_word)
    }

    /// The last part of `pattern` was seen: are the others before it?
    #[inline]
    fn ended(&mut self, pattern: u32, range: &Range<usize>) {
        let pattern = &self.matcher.patterns[pattern as usize];
        if pattern.is_brief && !rules::is_brief(self.plain.text()) {
            return;
        }
        if pattern.needs & !self.sight.seen_other_bits == 0
            && let Some(start) = self.start_of(pattern, range.start)
        {
            self.note(pattern.rule as usize, start..range.end);
        }
    }

    /// Where `pattern` begins, whose last part stands at `start`: looks for the others
    /// before it, nearest first.
    fn start_of(&self, pattern: &Pattern, mut start: usize) -> Option<usize> {
        let from = pattern.from as usize;
        let mut seen = self.sight.seen.as_slice();
        for mark in self.matcher.marks[from..from + pattern.before as usize].iter().rev() {
            let stands = |seen: &Seen| {
                let gap = seen.end as usize..start;
                seen.mark == *mark && gap.start <= gap.end && self.spans(gap, pattern.is_near)
            };
            let at = seen.iter().rposition(stands)?;
            start = seen[at].start as usize;
            seen = &seen[..at];
        }
        Some(start)
    }

    /// Whether two parts of a pattern may stand so far apart.
    fn spans(&self, gap: Range<usize>, is_near: bool) -> bool {
        if !is_near {
            return gap.len() <= MAX_GAP_OCTETS;
        }
        let ends = |marks: &[u8]| matches!(marks, b". " | b"; " | b"! ");
        gap.len() <= NEAR_OCTETS && !self.plain.text().as_bytes()[gap].windows(2).any(ends)
    }

    /// Notes the rule; of several of its patterns the longest is the evidence.
    fn note(&mut self, order: usize, range: Range<usize>) {
        let rule = self.matcher.rules[order];
        if let Some(before) = self.sight.found.iter_mut().find(|before| before.order == order) {
            if before.range.len() < range.len() {
                before.range = range;
            }
            return;
        }
        if self.sight.found.len() == MAX_FOUND || !(self.counts)(rule) {
            return;
        }
        // "Kein Speicherplatz": there is none, which is what it says.
        let is_of_none =
            rule.cause == Cause::MailboxFull && self.plain.text()[..range.start].ends_with("kein ");
        if DENIABLE.contains(&rule.cause)
            && !is_of_none
            && is_denied(&self.plain.text()[..range.start])
        {
            self.sight.denied = self.sight.denied.or(Some(rule.cause));
            return;
        }
        self.sight.found.push(Match { rule, order, range });
    }
}

/// What a text may say that it is not. Other causes are told by a `not` themselves.
const DENIABLE: &[Cause] = &[
    Cause::Greylisted,
    Cause::HostBlocklisted,
    Cause::DomainBlocklisted,
    Cause::ContentSpam,
    Cause::ContentVirus,
    Cause::RateLimited,
    Cause::ReputationPoor,
    Cause::MailboxFull,
];

/// Whether what follows `before` is said not to be so: `not`, and at most three little
/// words between.
fn is_denied(before: &str) -> bool {
    const NOT: &[&str] = &[
        "not", "never", "isn't", "wasn't", "aren't", "hasn't", "nicht", "kein", "keine", "keiner",
    ];
    const BETWEEN: &[&str] = &[
        "a",
        "an",
        "the",
        "on",
        "in",
        "any",
        "our",
        "been",
        "being",
        "currently",
        "listed",
        "auf",
        "einer",
    ];
    let Some(words) = before.strip_suffix(' ') else { return false };
    let mut words = words.rsplit(' ').skip_while({
        let mut left = 3;
        move |word| {
            left -= 1;
            left >= 0 && BETWEEN.contains(word)
        }
    });
    words.next().is_some_and(|word| NOT.contains(&word))
}

/// How long the address of a host is that `octets` begin with: four numbers with dots
/// between, or what begins as one of IPv6 does (RFC 4291 §2.5.4).
fn host_address_len(octets: &[u8]) -> Option<usize> {
    let goes_on = |octet: &u8| octet.is_ascii_hexdigit() || *octet == b':';
    if octets.get(4) == Some(&b':')
        && octets[..4].iter().all(u8::is_ascii_hexdigit)
        && octets.get(5).is_some_and(goes_on)
    {
        return Some(octets.iter().take_while(|octet| goes_on(octet)).count());
    }
    let is_of_it = |octet: &&u8| octet.is_ascii_digit() || **octet == b'.';
    let len = octets.iter().take(16).take_while(is_of_it).count();
    let numbers = octets[..len].split(|octet| *octet == b'.').take_while(|part| !part.is_empty());
    (numbers.filter(|part| part.len() <= 3).count() == 4).then_some(len)
}

/// Whether the mark at `at` may be one of a time: `00:05`, `retry=300`.
fn tells_a_time(octets: &[u8], at: usize) -> bool {
    let after_digit = at > 0 && octets[at - 1].is_ascii_digit();
    let next = octets.get(at + 1);
    match octets[at] {
        b':' if after_digit => next.is_some_and(u8::is_ascii_digit),
        b'=' | b':' => hint::is_before_value_of_tag(octets, at),
        _ => false,
    }
}

/// Whether a word of one or two letters that may be a unit begins here: `s`, `hr`.
fn is_short_unit(octets: &[u8]) -> bool {
    let letters = octets.iter().take(3).take_while(|octet| octet.is_ascii_alphanumeric()).count();
    (1..=2).contains(&letters) && b"smhd".contains(&octets[0])
}

/// Whether a length of time in the notation of ISO 8601 may begin here: `PT5M`.
fn is_iso_8601(octets: &[u8]) -> bool {
    octets.starts_with(b"pt") && octets.get(2).is_some_and(u8::is_ascii_digit)
}

/// Whether a letter that is a unit stands right after a digit: `287s`, `1h30m`.
fn is_digits_with_unit(octets: &[u8]) -> bool {
    let digits = octets.iter().take_while(|octet| octet.is_ascii_digit()).count();
    octets.get(digits).is_some_and(|octet| b"smhd".contains(octet) || !octet.is_ascii())
}

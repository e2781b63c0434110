//! All patterns of all rules in one pass over a plain text.
//!
//! A pattern's parts (between its gaps) are literals of a radix tree that is entered
//! wherever a word may begin. A pattern has matched when its last part is seen and the
//! others stand before it in order, not far apart; only then is a rule looked at.

use std::ops::Range;
use std::sync::LazyLock;

use super::hint;
use super::rules::{self, Rule};
use super::text::{Plain, is_of_a_word};
use super::tree::Tree;

/// Most octets between two parts of a pattern.
const MAX_GAP_OCTETS: usize = 120;
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

/// What one pass over a text sees.
pub(crate) struct Sight {
    /// Every rule that has a pattern there, once, with the longest words that it has.
    pub(crate) found: Vec<Match>,
    /// Whether a unit of time is named, or something else of which a hint could be made.
    pub(crate) may_tell_a_time: bool,
}

/// Looks at `plain` for every rule for which `counts`.
pub(crate) fn look(plain: &Plain, counts: impl Fn(&Rule) -> bool) -> Sight {
    let sight = Sight { found: Vec::new(), may_tell_a_time: false };
    let mut search = Search { matcher: &MATCHER, plain, counts, seen: Vec::new(), sight };
    search.run();
    search.sight
}

static MATCHER: LazyLock<Matcher> = LazyLock::new(Matcher::new);

struct Matcher {
    rules: Vec<&'static Rule>,
    /// By number of the pattern: its rule and its parts but for the last.
    patterns: Vec<Pattern>,
    /// Literals that begin where a word begins.
    words: Literals,
    /// Literals that may begin within a word.
    anywhere: Literals,
}

struct Pattern {
    rule: u32,
    /// Literals (of `words`, or of `anywhere` beyond [`ANYWHERE`]) that stand before the last one.
    before: Vec<u32>,
}

/// Added to the numbers of literals in `anywhere`.
const ANYWHERE: u32 = 1 << 24;

/// A tree of literals and what each is good for.
#[derive(Default)]
struct Literals {
    tree: Tree,
    uses: Vec<Uses>,
    /// The patterns that end with a literal, by literal.
    ends: Vec<End>,
}

/// What a literal is good for.
struct Uses {
    /// Where its ends stand in `ends`.
    from: u32,
    to: u32,
    /// Whether some pattern goes on after it: as whole words, and as the start of one.
    goes_on: [bool; 2],
    /// Whether it counts within host names and addresses of pages.
    in_names: bool,
    is_unit: bool,
}

struct End {
    pattern: u32,
    /// Whether a word must end with the literal.
    whole: bool,
}

/// A part of a pattern as it is written in a rule.
struct Part {
    text: &'static str,
    /// The pattern, and which of its parts this is; a unit of time is of no pattern.
    of: Option<(u32, u32)>,
    is_last: bool,
    whole_start: bool,
    whole_end: bool,
}

impl Part {
    fn all_of(number: u32, pattern: &'static str) -> impl Iterator<Item = Part> {
        let texts = pattern.split("..").map(str::trim);
        let last = pattern.matches("..").count();
        texts.enumerate().map(move |(place, text)| Part {
            text: text.trim_matches('*'),
            of: Some((number, place as u32)),
            is_last: place == last,
            whole_start: !text.starts_with('*'),
            whole_end: !text.ends_with('*'),
        })
    }

    fn unit(text: &'static str) -> Part {
        Part { text, of: None, is_last: true, whole_start: true, whole_end: true }
    }
}

impl Matcher {
    fn new() -> Matcher {
        let mut patterns: Vec<Pattern> = Vec::new();
        let mut parts: Vec<Part> = hint::units().map(Part::unit).collect();
        let rules: Vec<&'static Rule> = rules::all().collect();
        for (order, rule) in rules.iter().enumerate() {
            for pattern in rule.patterns {
                parts.extend(Part::all_of(patterns.len() as u32, pattern));
                patterns.push(Pattern { rule: order as u32, before: Vec::new() });
            }
        }
        let (words, anywhere) = parts.into_iter().partition(|part| part.whole_start);
        let words = Literals::new(words, 0, &mut patterns);
        let anywhere = Literals::new(anywhere, ANYWHERE, &mut patterns);
        Matcher { rules, patterns, words, anywhere }
    }
}

impl Literals {
    /// The literals of `parts`; their numbers plus `offset` are noted in `patterns`.
    fn new(mut parts: Vec<Part>, offset: u32, patterns: &mut [Pattern]) -> Literals {
        parts.sort_unstable_by(|a, b| a.text.cmp(b.text).then(a.of.cmp(&b.of)));
        let mut literals = Literals::default();
        let mut texts = Vec::with_capacity(parts.len());
        for part in &parts {
            if texts.last() != Some(&part.text) {
                texts.push(part.text);
                literals.begin(part.text);
            }
            literals.add(part, offset + texts.len() as u32 - 1, patterns);
        }
        literals.tree = Tree::new(&texts);
        literals
    }

    fn begin(&mut self, text: &str) {
        let end = self.ends.len() as u32;
        let in_names = text.contains(['.', '/', '=', '#', '?']);
        self.uses.push(Uses { from: end, to: end, goes_on: [false; 2], in_names, is_unit: false });
    }

    fn add(&mut self, part: &Part, number: u32, patterns: &mut [Pattern]) {
        let Some(uses) = self.uses.last_mut() else { return };
        let Some((pattern, place)) = part.of else {
            uses.is_unit = true;
            return;
        };
        if part.is_last {
            self.ends.push(End { pattern, whole: part.whole_end });
            uses.to += 1;
        } else {
            uses.goes_on[usize::from(!part.whole_end)] = true;
            let before = &mut patterns[pattern as usize].before;
            before.resize(before.len().max(place as usize + 1), number);
            before[place as usize] = number;
        }
    }
}

/// An occurrence of a literal after which a pattern goes on.
#[derive(Clone, Copy)]
struct Seen {
    literal: u32,
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
    seen: Vec<Seen>,
    sight: Sight,
}

impl<Counts: Fn(&Rule) -> bool> Search<'_, Counts> {
    fn run(&mut self) {
        let octets = self.plain.text().as_bytes();
        let mut at = 0;
        while let Some(octet) = octets.get(at) {
            if octet.is_ascii_alphanumeric() {
                at = self.ascii_word(octets, at);
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
        self.enter(octets, at, true);
        self.sight.may_tell_a_time |=
            octets[at].is_ascii_digit() && is_digits_with_unit(&octets[at..]);
        let len = octets[at..].iter().position(|octet| !IS_OF_A_WORD[*octet as usize]);
        let end = len.map_or(octets.len(), |len| at + len);
        self.inside(octets, at + 1..end);
        end
    }

    /// Looks for literals that may begin within a word.
    fn inside(&mut self, octets: &[u8], range: Range<usize>) {
        let tree = &self.matcher.anywhere.tree;
        for at in range {
            if tree.may_begin_with(octets[at]) {
                self.walk_anywhere(octets, at);
            }
        }
    }

    /// A character beyond ASCII: is it the first of a word?
    fn beyond_ascii(&mut self, octets: &[u8], at: usize) -> usize {
        let text = self.plain.text();
        let width = text[at..].chars().next().map_or(1, char::len_utf8);
        let before = text[..at].chars().next_back();
        let inside =
            before.is_some_and(is_of_a_word) && text[at..].chars().next().is_some_and(is_of_a_word);
        self.enter(octets, at, !inside);
        let at = at + width;
        // A letter of ASCII after one beyond goes on with its word.
        let goes_on = text[..at].chars().next_back().is_some_and(is_of_a_word);
        let rest = octets[at..].iter().take_while(|octet| goes_on && octet.is_ascii_alphanumeric());
        let end = at + rest.count();
        self.inside(octets, at..end);
        end
    }

    /// Looks for literals at `at`, where a word begins or not.
    #[inline]
    fn enter(&mut self, octets: &[u8], at: usize, is_start: bool) {
        let matcher = self.matcher;
        if is_start && matcher.words.tree.may_begin_with(octets[at]) {
            matcher.words.tree.walk(octets, at, |literal, end| {
                self.saw(&matcher.words, literal, 0, at..end);
            });
        }
        if matcher.anywhere.tree.may_begin_with(octets[at]) {
            self.walk_anywhere(octets, at);
        }
    }

    fn walk_anywhere(&mut self, octets: &[u8], at: usize) {
        let literals = &self.matcher.anywhere;
        literals.tree.walk(octets, at, |literal, end| {
            self.saw(literals, literal, ANYWHERE, at..end);
        });
    }

    fn saw(&mut self, literals: &'static Literals, literal: u32, offset: u32, range: Range<usize>) {
        let uses = &literals.uses[literal as usize];
        if !uses.in_names && self.plain.is_in_a_name(range.start) {
            return;
        }
        let is_whole = !self.goes_on_in_word(&range);
        self.sight.may_tell_a_time |= uses.is_unit && is_whole;
        let ends = &literals.ends[uses.from as usize..uses.to as usize];
        for end in ends.iter().filter(|end| is_whole || !end.whole) {
            self.ended(end.pattern, &range);
        }
        if (uses.goes_on[1] || uses.goes_on[0] && is_whole) && self.seen.len() < MAX_SEEN {
            let (start, end) = (range.start as u32, range.end as u32);
            self.seen.push(Seen { literal: literal + offset, start, end });
        }
    }

    /// Whether the word that `range` ends with goes on after it.
    fn goes_on_in_word(&self, range: &Range<usize>) -> bool {
        let text = self.plain.text();
        let last = text[range.clone()].chars().next_back();
        last.is_some_and(is_of_a_word) && text[range.end..].chars().next().is_some_and(is_of_a_word)
    }

    /// The last part of `pattern` was seen: looks for the others before it, nearest first.
    fn ended(&mut self, pattern: u32, range: &Range<usize>) {
        let Pattern { rule, before } = &self.matcher.patterns[pattern as usize];
        let order = *rule as usize;
        let mut start = range.start;
        let mut seen = self.seen.len();
        for part in before.iter().rev() {
            let near = |seen: &Seen| {
                let end = seen.end as usize;
                seen.literal == *part && end <= start && start - end <= MAX_GAP_OCTETS
            };
            let Some(at) = self.seen[..seen].iter().rposition(near) else { return };
            start = self.seen[at].start as usize;
            seen = at;
        }
        self.note(order, start..range.end);
    }

    /// Notes the rule; of several of its patterns the longest is the evidence.
    fn note(&mut self, order: usize, range: Range<usize>) {
        let rule = self.matcher.rules[order];
        if let Some(before) = self.sight.found.iter_mut().find(|before| before.order == order) {
            if before.range.len() < range.len() {
                before.range = range;
            }
        } else if self.sight.found.len() < MAX_FOUND && (self.counts)(rule) {
            self.sight.found.push(Match { rule, order, range });
        }
    }
}

/// Whether the mark at `at` may be one of a time: `00:05`, `retry=300`, `300 s`.
fn tells_a_time(octets: &[u8], at: usize) -> bool {
    let after_digit = at > 0 && octets[at - 1].is_ascii_digit();
    let next = octets.get(at + 1);
    match octets[at] {
        b':' if after_digit => next.is_some_and(u8::is_ascii_digit),
        b'=' | b':' => hint::is_before_value_of_tag(octets, at),
        b' ' => after_digit && is_short_unit(&octets[at + 1..]),
        _ => false,
    }
}

/// Whether a word of one or two letters that may be a unit begins here: `s`, `hr`.
fn is_short_unit(octets: &[u8]) -> bool {
    let letters = octets.iter().take(3).take_while(|octet| octet.is_ascii_alphanumeric()).count();
    (1..=2).contains(&letters) && b"smhd".contains(&octets[0])
}

/// Whether a letter that is a unit stands right after a digit: `287s`, `1h30m`.
fn is_digits_with_unit(octets: &[u8]) -> bool {
    let digits = octets.iter().take_while(|octet| octet.is_ascii_digit()).count();
    octets.get(digits).is_some_and(|octet| b"smhd".contains(octet) || !octet.is_ascii())
}

//! All patterns of all rules in one pass over a plain text.
//!
//! A pattern's parts (between its gaps) are literals of one Aho-Corasick automaton; a
//! pattern has matched when its parts were seen in order, whole words, not far apart.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::rules::{self, Rule};
use super::text::Plain;

/// Most octets between two parts of a pattern.
const MAX_GAP_OCTETS: usize = 120;
/// Most occurrences of literals that are looked at in one text.
const MAX_OCCURRENCES: usize = 2000;

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

/// Every rule that has a pattern in `plain`, once, in the order in which they ended.
pub(crate) fn matches(plain: &Plain) -> Vec<Match> {
    MATCHER.matches(plain.text())
}

static MATCHER: LazyLock<Matcher> = LazyLock::new(|| Matcher::new(rules::all().collect()));

struct Pattern {
    rule: usize,
    parts: usize,
}

/// What a literal is part of, and whether it must begin and end with a word.
struct Use {
    pattern: usize,
    part: usize,
    whole_start: bool,
    whole_end: bool,
}

struct Matcher {
    rules: Vec<&'static Rule>,
    patterns: Vec<Pattern>,
    /// By literal of the automaton.
    uses: Vec<Vec<Use>>,
    automaton: Option<AhoCorasick>,
}

/// How far a pattern of several parts has come.
struct Progress {
    pattern: usize,
    parts: usize,
    range: Range<usize>,
}

impl Matcher {
    fn new(rules: Vec<&'static Rule>) -> Matcher {
        let mut matcher =
            Matcher { rules, patterns: Vec::new(), uses: Vec::new(), automaton: None };
        let mut literals = Literals::default();
        for rule in 0..matcher.rules.len() {
            for pattern in matcher.rules[rule].patterns {
                matcher.add(rule, pattern, &mut literals);
            }
        }
        let built =
            AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(literals.all);
        // Building fails only beyond 2^31 states; then the codes alone decide.
        matcher.automaton = built.ok();
        matcher
    }

    fn add(&mut self, rule: usize, pattern: &str, literals: &mut Literals) {
        let index = self.patterns.len();
        let parts: Vec<&str> =
            pattern.split("..").map(str::trim).filter(|part| !part.is_empty()).collect();
        self.patterns.push(Pattern { rule, parts: parts.len() });
        for (part, text) in parts.into_iter().enumerate() {
            let literal = literals.number(Plain::of(text.trim_matches('*')).text());
            self.uses.resize_with(literals.all.len(), Vec::new);
            self.uses[literal].push(Use {
                pattern: index,
                part,
                whole_start: !text.starts_with('*'),
                whole_end: !text.ends_with('*'),
            });
        }
    }

    fn matches(&self, text: &str) -> Vec<Match> {
        let mut found: Vec<Match> = Vec::new();
        let mut open: Vec<Progress> = Vec::new();
        let Some(automaton) = &self.automaton else { return found };
        for seen in automaton.find_overlapping_iter(text).take(MAX_OCCURRENCES) {
            let range = seen.start()..seen.end();
            for used in &self.uses[seen.pattern().as_usize()] {
                if used.is_whole(text, &range) {
                    self.advance(used, range.clone(), &mut open, &mut found);
                }
            }
        }
        found
    }

    fn advance(
        &self,
        used: &Use,
        range: Range<usize>,
        open: &mut Vec<Progress>,
        found: &mut Vec<Match>,
    ) {
        let parts = self.patterns[used.pattern].parts;
        if parts == 1 {
            return self.finish(used.pattern, range, found);
        }
        let progress = open.iter_mut().find(|progress| progress.pattern == used.pattern);
        if used.part == 0 {
            match progress {
                // The latest beginning is the nearest to what follows.
                Some(progress) if progress.parts == 1 => progress.range = range,
                Some(_) => {}
                None => open.push(Progress { pattern: used.pattern, parts: 1, range }),
            }
            return;
        }
        let Some(progress) = progress else { return };
        let near =
            range.start >= progress.range.end && range.start - progress.range.end <= MAX_GAP_OCTETS;
        if progress.parts == used.part && near {
            progress.parts += 1;
            progress.range.end = range.end;
            if progress.parts == parts {
                let whole = progress.range.clone();
                self.finish(used.pattern, whole, found);
            }
        }
    }

    /// Notes the rule; of several of its patterns the longest is the evidence.
    fn finish(&self, pattern: usize, range: Range<usize>, found: &mut Vec<Match>) {
        let order = self.patterns[pattern].rule;
        match found.iter_mut().find(|other| other.order == order) {
            Some(other) if other.range.len() < range.len() => other.range = range,
            Some(_) => {}
            None => found.push(Match { rule: self.rules[order], order, range }),
        }
    }
}

/// The different literals, numbered.
#[derive(Default)]
struct Literals {
    numbers: HashMap<String, usize>,
    all: Vec<String>,
}

impl Literals {
    fn number(&mut self, text: &str) -> usize {
        let text = text.trim();
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        self.all.push(text.to_owned());
        self.numbers.insert(text.to_owned(), self.all.len() - 1);
        self.all.len() - 1
    }
}

impl Use {
    fn is_whole(&self, text: &str, range: &Range<usize>) -> bool {
        let joins = |outer: Option<char>, inner: Option<char>| {
            outer.is_some_and(is_of_a_word) && inner.is_some_and(is_of_a_word)
        };
        let seen = &text[range.clone()];
        let before = text[..range.start].chars().next_back();
        let after = text[range.end..].chars().next();
        let starts_inside = self.whole_start && joins(before, seen.chars().next());
        let ends_inside = self.whole_end && joins(after, seen.chars().next_back());
        !starts_inside && !ends_inside
    }
}

/// Scripts without spaces between words have no ends of words.
fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() && c < '\u{2e80}'
}

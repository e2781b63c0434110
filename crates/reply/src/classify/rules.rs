//! What others say, as rows: a rule has patterns, the codes under which it counts, a
//! cause, and examples in the field's wording, each of which is its own test.
//!
//! To teach a new wording, add a pattern and an example to the rule of its cause, in the
//! table of its subject below; the matching is in `matcher`.
//!
//! A pattern is plain text (any case; hyphens are spaces; addresses stand as `@`). It
//! matches whole words; `*` at an end lifts that. ` .. ` is a gap of any words, ` ~ ` a
//! short one within a sentence. `{box}` is any word of a class of `classes`.

mod brief;
pub(super) mod classes;
mod host;
mod mailbox;
mod message;
mod own;
mod provider;
mod report;
mod session;
mod software;
mod terse;
mod topics;

use crate::{Cause, Class, Stage};

/// Longest plain text in which a few words are all that is said.
const MAX_BRIEF_OCTETS: usize = 32;

/// How much a rule's words say. A higher rank decides; the others are alternatives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// Only the class of the code.
    Class,
    /// A basic code.
    BasicCode,
    /// A basic code at a stage where it means something narrower.
    Stage,
    /// Words that say little (`rejected`, `try again later`).
    Vague,
    /// An enhanced code that is used for much (x.7.1, x.2.0).
    BroadEnhanced,
    /// Words that mostly mean this.
    Likely,
    /// An enhanced code that means one thing (x.2.2, x.7.23).
    ExactEnhanced,
    /// Words that mean this.
    Clear,
    /// Words that mean just this, whatever stands beside them.
    Exact,
    /// A provider's own code or fixed text.
    Provider,
}

/// One row of the tables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// The stable name: it is the evidence.
    pub(crate) name: &'static str,
    pub(crate) rank: Rank,
    pub(crate) cause: Cause,
    /// Other causes that are fair for these words, best first.
    pub(crate) also: &'static [Cause],
    pub(crate) patterns: &'static [&'static str],
    /// Whole replies in the field's wording, with made-up names.
    #[cfg_attr(not(test), allow(dead_code))]
    pub(crate) examples: &'static [&'static str],
    class: Option<Class>,
    codes: &'static [u16],
    stages: &'static [Stage],
    is_brief: bool,
}

/// A rule that counts under every negative code.
pub(crate) const fn rule(
    name: &'static str,
    rank: Rank,
    cause: Cause,
    also: &'static [Cause],
    patterns: &'static [&'static str],
    examples: &'static [&'static str],
) -> Rule {
    Rule {
        name,
        rank,
        cause,
        also,
        patterns,
        examples,
        class: None,
        codes: &[],
        stages: &[],
        is_brief: false,
    }
}

impl Rule {
    /// Only under 4yz.
    pub(crate) const fn transient(mut self) -> Rule {
        self.class = Some(Class::Transient);
        self
    }

    /// Only under 5yz.
    pub(crate) const fn permanent(mut self) -> Rule {
        self.class = Some(Class::Permanent);
        self
    }

    /// Only under these codes.
    pub(crate) const fn codes(mut self, codes: &'static [u16]) -> Rule {
        self.codes = codes;
        self
    }

    /// Only at these stages.
    pub(crate) const fn at(mut self, stages: &'static [Stage]) -> Rule {
        self.stages = stages;
        self
    }

    /// Only where hardly more is said than these words.
    pub(crate) const fn brief(mut self) -> Rule {
        self.is_brief = true;
        self
    }

    /// A stage at which it counts, where it asks for one.
    #[cfg(test)]
    pub(crate) fn a_stage(&self) -> Option<Stage> {
        self.stages.first().copied()
    }

    /// Whether it counts only in a text that [`is_brief`].
    pub(crate) fn is_brief(&self) -> bool {
        self.is_brief
    }

    /// Whether the rule counts. What is not known excludes only what asks for it.
    pub(crate) fn counts(
        &self,
        class: Option<Class>,
        code: Option<u16>,
        stage: Option<Stage>,
    ) -> bool {
        let class_fits = self.class.is_none() || class.is_none() || self.class == class;
        let code_fits =
            self.codes.is_empty() || code.is_some_and(|code| self.codes.contains(&code));
        let stage_fits =
            self.stages.is_empty() || stage.is_some_and(|stage| self.stages.contains(&stage));
        class_fits && code_fits && stage_fits
    }
}

/// Whether hardly more than a few words is said in `plain`.
pub(crate) fn is_brief(plain: &str) -> bool {
    plain.len() <= MAX_BRIEF_OCTETS
}

/// Every rule. Of two with the same rank that match, the earlier decides.
pub(crate) fn all() -> impl Iterator<Item = &'static Rule> {
    [
        provider::RULES,
        software::RULES,
        own::RULES,
        report::RULES,
        mailbox::RULES,
        session::RULES,
        message::RULES,
        classes::RULES,
        host::RULES,
        terse::RULES,
        topics::RULES,
        brief::RULES,
    ]
    .into_iter()
    .flatten()
}

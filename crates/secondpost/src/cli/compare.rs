//! `secondpost compare`: two codes, enhanced codes, causes or commands side by side, what
//! tells them apart, and when to use which.

use std::io;

use clap::ValueHint;
use reply::Language;
use reply::compare::{Comparison, compare};
use reply::explain::entry::{Entry, Topic};
use reply::explain::label;

use super::explain::{entry_title, near, remedy_in_words};
use super::page::Page;
use super::{Context, Failure};

/// Compare two codes, enhanced codes, causes or commands
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpost compare 450 502
  secondpost compare 4.2.2 5.2.2
  secondpost compare greylisted mailbox-locked --lang de")]
pub(crate) struct Args {
    /// A code (450), an enhanced code (4.2.0), a cause (greylisted) or a command (VRFY)
    #[arg(value_hint = ValueHint::Other)]
    a: String,
    /// The other
    #[arg(value_hint = ValueHint::Other)]
    b: String,
}

/// Compares the two.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    let language = context.global.language();
    let comparison = compare(&topic(&args.a, language)?, &topic(&args.b, language)?, language);
    if context.global.json {
        return context.json(&comparison);
    }
    Ok(tell_comparison(&comparison, language, context.out)?)
}

/// A comparison as a page.
pub(crate) fn tell_comparison(
    comparison: &Comparison,
    language: Language,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    tell(comparison, language, &mut Page::new(out, labels(comparison)))
}

fn topic(text: &str, language: Language) -> Result<Topic, Failure> {
    text.parse().map_err(|error| near::failure(text, &error, language))
}

fn labels(comparison: &Comparison) -> Vec<String> {
    comparison.differences.iter().map(|one| one.label.clone()).collect()
}

fn tell(comparison: &Comparison, language: Language, page: &mut Page<'_>) -> io::Result<()> {
    let heading = |name: &str| label(language, name);
    if let Some(remark) = &comparison.remark {
        page.paragraph(remark, 0)?;
        page.blank()?;
    }
    if comparison.a.topic == comparison.b.topic {
        page.title(&entry_title(&comparison.a, language))?;
    }
    tell_entries(comparison, language, page)?;
    if !comparison.differences.is_empty() {
        page.blank()?;
        page.title(&heading("differences"))?;
    }
    for one in &comparison.differences {
        page.row(&one.label, &one.sentence)?;
    }
    for (name, sentences) in
        [("in-common", &comparison.in_common), ("when-to-use", &comparison.when_to_use)]
    {
        tell_sentences(&heading(name), sentences, page)?;
    }
    Ok(())
}

fn tell_entries(
    comparison: &Comparison,
    language: Language,
    page: &mut Page<'_>,
) -> io::Result<()> {
    let (a, b) = (&comparison.a, &comparison.b);
    let one = a.topic == b.topic;
    let mut first = true;
    let mut both = |heading: &str, of: &dyn Fn(&Entry) -> Vec<String>| {
        if !std::mem::take(&mut first) {
            page.blank()?;
        }
        page.heading(&label(language, heading))?;
        if one {
            of(a).iter().try_for_each(|paragraph| page.paragraph(paragraph, 0))
        } else {
            page.columns(&of(a), &of(b))
        }
    };
    if !one {
        both("comparison", &|entry| vec![entry_title(entry, language)])?;
    }
    both("meaning", &|entry| vec![entry.meaning.clone()])?;
    both("when-seen", &|entry| vec![entry.when_seen.clone()])?;
    both("how-to-fix", &|entry| {
        entry.how_to_fix.iter().map(|remedy| remedy_in_words(remedy, language)).collect()
    })
}

fn tell_sentences(heading: &str, sentences: &[String], page: &mut Page<'_>) -> io::Result<()> {
    if sentences.is_empty() {
        return Ok(());
    }
    page.blank()?;
    page.title(heading)?;
    sentences.iter().try_for_each(|sentence| page.paragraph(sentence, 2))
}

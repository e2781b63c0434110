//! What somebody may have meant who wrote the name of nothing.

use reply::Language;
use reply::explain::entry::NoSuchTopic;
use reply::explain::{choices, cli, near, sentences};

use crate::cli::Failure;

/// There is no such code, cause or command; with what is most like it.
pub(crate) fn failure(given: &str, error: &NoSuchTopic, language: Language) -> Failure {
    let help = [did_you_mean(given, language), Some(error.at_a_prompt(language))];
    let help: Vec<String> = help.into_iter().flatten().collect();
    Failure::usage(error.in_short(language)).help(sentences(&help, language))
}

/// The question, where something is like `given`.
pub(crate) fn did_you_mean(given: &str, language: Language) -> Option<String> {
    let names: Vec<String> = near(given).iter().map(|topic| format!("`{topic}`")).collect();
    let names = choices(&names, language);
    (!names.is_empty()).then(|| cli(language, "did-you-mean", &[("names", &names)]))
}

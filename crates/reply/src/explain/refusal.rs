//! What a refusal means for one command or keyword: 500, 502, 504 and 555 say different
//! things of a command that every server must have and of one that few offer.

use super::entry::Topic;
use super::{Language, fill};
use crate::facts::{self, Standing};
use crate::{Code, Stage};

/// The codes that refuse a command for its own sake.
const REFUSALS: [Code; 4] =
    [Code::literal(500), Code::literal(502), Code::literal(504), Code::literal(555)];

/// What one refusal means here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reply.
    pub code: Code,
    /// What it means for this command or keyword.
    pub meaning: String,
}

/// What refusals mean for `topic`; nothing but for commands and keywords.
pub(crate) fn of(topic: Topic, language: Language) -> Vec<Refusal> {
    let told = REFUSALS.iter().filter_map(|code| {
        let key = key(topic, *code)?;
        let meaning = fill(language, key, &[("it", topic.to_string().into())]);
        Some(Refusal { code: *code, meaning })
    });
    told.collect()
}

fn key(topic: Topic, code: Code) -> Option<&'static str> {
    match topic {
        Topic::Command(stage) => key_of_command(stage, code),
        Topic::Keyword(keyword) if keyword.facts().parameters.is_empty() => {
            (code.value() == 502).then_some("refused-502-keyword")
        }
        Topic::Keyword(_) => match code.value() {
            504 => Some("refused-504-keyword"),
            555 => Some("refused-555-keyword"),
            _ => None,
        },
        _ => None,
    }
}

fn key_of_command(stage: Stage, code: Code) -> Option<&'static str> {
    let key = match (code.value(), facts::standing(stage)) {
        (_, Standing::Moment) => return None,
        (500, Standing::Required) if stage == Stage::Ehlo => "refused-500-ehlo",
        (500, Standing::Required) => "refused-500-required",
        (500, Standing::Optional) => "refused-500-optional",
        (500, Standing::Extension) => "refused-500-extension",
        (500, Standing::Obsolete) => "refused-500-obsolete",
        (502, Standing::Required) if stage == Stage::Ehlo => "refused-502-ehlo",
        (502, Standing::Required) => "refused-502-required",
        (502, Standing::Optional) => "refused-502-optional",
        (502, Standing::Extension) => "refused-502-extension",
        (502, Standing::Obsolete) => "refused-502-obsolete",
        (504, _) if stage == Stage::Auth => "refused-504-auth",
        (504, _) if facts::may_answer(code, stage) => "refused-504-argument",
        (555, _) if facts::may_answer(code, stage) => "refused-555-parameter",
        _ => return None,
    };
    Some(key)
}

/// Every text that may be asked for.
#[cfg(test)]
pub(crate) fn keys() -> std::collections::BTreeSet<&'static str> {
    let commands = Stage::ALL.iter().copied().map(Topic::Command);
    let keywords = facts::keyword::Keyword::all().map(Topic::Keyword);
    let topics: Vec<Topic> = commands.chain(keywords).collect();
    topics.iter().flat_map(|topic| REFUSALS.iter().filter_map(|code| key(*topic, *code))).collect()
}

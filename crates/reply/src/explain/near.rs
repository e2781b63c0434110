//! What somebody may have meant who wrote something that has no entry, or looked up a code
//! that nobody defines: the topics that are most like it.

use super::Language;
use super::entry::{Topic, topic_named};
use crate::facts::field::{FIELD_CODES, SHORTHANDS};
use crate::facts::keyword::Keyword;
use crate::facts::{self, CODES, ENHANCED, provider};
use crate::{Cause, Class, Code, EnhancedCode, Stage};

/// Most topics that are named.
const MAX_NEAR: usize = 5;

/// The topics that are most like `text`, the nearest first; none where `text` has an entry of
/// its own, or is like nothing.
///
/// ```
/// use reply::explain::near;
///
/// let names = |text| near(text).iter().map(ToString::to_string).collect::<Vec<_>>();
/// assert_eq!(names("vrfi"), ["VRFY"]);
/// assert_eq!(names("greylist"), ["greylisted"]);
/// assert_eq!(names("4.2"), ["4.2.0", "4.2.1", "4.2.2", "4.2.3", "4.2.4"]);
/// assert!(names("450").is_empty());
/// ```
pub fn near(text: &str) -> Vec<Topic> {
    let text = text.trim();
    let is_numeric = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let mut topics =
        match topic_named(text, Language::En) {
            Ok(Topic::Enhanced(code)) if facts::of_enhanced(code).is_some() => return Vec::new(),
            Ok(Topic::Enhanced(code)) if provider::of_provider(code).is_some() => {
                return Vec::new();
            }
            Ok(Topic::Code(code)) if is_defined(code) => return Vec::new(),
            Ok(Topic::Enhanced(_) | Topic::Code(_)) | Err(_) if is_numeric => {
                if text.contains('.') { of_numbers(text) } else { of_code(text) }
            }
            Ok(_) => return Vec::new(),
            Err(_) => of_name(text),
        };
    topics.truncate(MAX_NEAR);
    topics
}

fn is_defined(code: Code) -> bool {
    codes().any(|known| known == code)
}

/// The codes that have an entry of their own, those of a specification first.
fn codes() -> impl Iterator<Item = Code> {
    let of_field = FIELD_CODES.iter().map(|row| row.code);
    let short = SHORTHANDS.iter().map(|(code, _)| *code);
    CODES.iter().map(|row| row.code).chain(of_field).chain(short)
}

/// The codes of which one digit is another, is missing, or stands in another's place.
fn of_code(text: &str) -> Vec<Topic> {
    let mut near: Vec<(bool, Code)> = codes()
        .filter(|code| distance(text, &code.to_string()) <= 1)
        .map(|code| (!code.to_string().starts_with(text.get(..1).unwrap_or_default()), code))
        .collect();
    // Stable: of those that are as near the ones of a specification come first.
    near.sort_by_key(|(is_of_other_class, _)| *is_of_other_class);
    near.into_iter().map(|(_, code)| Topic::Code(code)).collect()
}

/// The enhanced codes of the same subject, those with the nearest detail first; under each
/// class where that is none.
fn of_numbers(text: &str) -> Vec<Topic> {
    let mut parts = text.split('.').map(|part| part.parse::<u16>().ok());
    let class = parts.next().flatten().and_then(|class| match class {
        2 => Some(Class::Positive),
        4 => Some(Class::Transient),
        5 => Some(Class::Permanent),
        _ => None,
    });
    let (subject, detail) = (parts.next().flatten(), parts.next().flatten().unwrap_or(0));
    let classes = class.map_or(vec![Class::Transient, Class::Permanent], |class| vec![class]);
    let exact = class.is_none();
    let mut rows: Vec<(u16, u16, u16)> = ENHANCED
        .iter()
        .map(|row| row.number)
        .filter(|number| Some(number.0) == subject)
        .map(|number| (number.1.abs_diff(detail), number.0, number.1))
        .filter(|(far, ..)| !exact || *far == 0)
        .collect();
    rows.sort_unstable();
    rows.truncate(MAX_NEAR);
    rows.sort_by_key(|(_, subject, detail)| (*subject, *detail));
    let of_class = |class: Class| {
        let code = move |row: &(u16, u16, u16)| EnhancedCode::new(class as u8, row.1, row.2);
        rows.iter().filter_map(code).map(Topic::Enhanced).collect::<Vec<_>>()
    };
    classes.into_iter().flat_map(of_class).collect()
}

/// The causes, commands and keywords with a name that is like it, or begins like it.
fn of_name(text: &str) -> Vec<Topic> {
    let name = text.to_ascii_lowercase().replace(['_', ' '], "-");
    if name.len() < 2 || name.len() > 40 {
        return Vec::new();
    }
    let causes = Cause::ALL.iter().map(|cause| Topic::Cause(*cause));
    let commands = Stage::ALL.iter().map(|stage| Topic::Command(*stage));
    let keywords = Keyword::all().map(Topic::Keyword);
    let mut near: Vec<(usize, Topic)> = causes
        .chain(commands)
        .chain(keywords)
        .filter_map(|topic| Some((how_far(&name, topic)?, topic)))
        .collect();
    near.sort_by_key(|(far, _)| *far);
    let nearest = near.first().map_or(0, |(far, _)| *far);
    near.into_iter().take_while(|(far, _)| *far <= nearest + 1).map(|(_, topic)| topic).collect()
}

/// How far a topic's name is from `name`; `None` where it is not like it.
fn how_far(name: &str, topic: Topic) -> Option<usize> {
    let known = topic.to_string().to_ascii_lowercase().replace(' ', "-");
    let begins = name.len() >= 4 && known.starts_with(name);
    let begins = begins || known.len() >= 6 && name.starts_with(&known);
    if begins {
        return Some(1);
    }
    let has_word = name.len() >= 4 && known.split('-').any(|word| word == name);
    let far = distance(name, &known);
    let most = name.len().max(known.len()).div_ceil(4);
    (far <= most).then_some(far).or(has_word.then_some(2))
}

/// How many characters must be added, taken away, replaced or changed with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut next = vec![i + 1];
        for j in 0..b.len() {
            let replaced = row[j] + usize::from(a[i] != b[j]);
            let mut least = replaced.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                least = least.min(before[j - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let names: Vec<String> = near(text).iter().map(ToString::to_string).collect();
        assert_eq!(names, expected, "{text}");
    }

    #[test]
    fn what_is_mistyped_is_near_what_was_meant() {
        check("mailboxfull", &["mailbox-full"]);
        check("vrfi", &["VRFY"]);
        check("VRYF", &["VRFY"]);
        check("greylist", &["greylisted"]);
        check("grelisted", &["greylisted"]);
        check("pipelinig", &["PIPELINING"]);
        check("4.2.9", &["4.2.0", "4.2.1", "4.2.2", "4.2.3", "4.2.4"]);
        check("3.1.1", &["4.1.1", "5.1.1"]);
        check("xyzzy", &[]);
        check("", &[]);
        assert!(near("405").contains(&Topic::Code(Code::literal(450))));
    }

    #[test]
    fn what_has_an_entry_is_near_nothing() {
        for text in ["450", "4.2.2", "greylisted", "VRFY", "571", "101", "X.2.2"] {
            check(text, &[]);
        }
    }
}

//! Small things in text for people: labelled lines in a block, sizes, times. Whole
//! pages are made in `page`.

use std::time::Duration;

use reply::Language;
use reply::explain::{label, labelled as label_and, queued_count, wrapped};
use unicode_width::UnicodeWidthStr;

use super::page::width;

/// A label and its text, wrapped with the text aligned: `  said   450 4.2.0 …`.
pub(crate) fn labelled(indent: usize, label: &str, label_width: usize, text: &str) -> String {
    let start = indent + label_width + 1;
    let lines = wrapped(text, width().saturating_sub(start).max(20));
    let space = (label_width + 1).saturating_sub(label.width()).max(1);
    let mut shown = format!("{:indent$}{label}{:space$}", "", "");
    shown.push_str(&lines.join(&format!("\n{:start$}", "")));
    shown.push('\n');
    shown
}

/// A paragraph that begins with `label` and hangs below its end.
pub(crate) fn hanging(label: &str, text: &str) -> String {
    let indent = label.width();
    let lines = wrapped(text, width() - indent);
    format!("{label}{}", lines.join(&format!("\n{:indent$}", "")))
}

/// The same below a label that has a name: `help`, `warning`.
pub(crate) fn under(name: &str, text: &str, language: Language) -> String {
    hanging(&beginning(name, language), text)
}

/// A label that has a name, with the language's own colon: `error: `.
pub(crate) fn beginning(name: &str, language: Language) -> String {
    label_and(&label(language, name), "", language)
}

/// In bold, where the output is a terminal that shows it (`anstream` takes it away
/// elsewhere).
pub(crate) fn bold(text: &str) -> String {
    styled(text, anstyle::Style::new().bold())
}

/// In a style, with its end.
pub(crate) fn styled(text: &str, style: anstyle::Style) -> String {
    format!("{style}{text}{style:#}")
}

/// What a peer said, without what could change a terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// An address as it is shown: in angle brackets, `<>` for the null reverse-path.
pub(crate) fn address(address: &str) -> String {
    format!("<{}>", printable(address))
}

/// A number of octets for people: `812 octets`, `1.2 KiB`, `1,2 KiB` in German.
pub(crate) fn size(octets: u64, language: Language) -> String {
    let (unit, divisor) = match octets {
        0..1024 => return queued_count(language, "octets", octets, &[]),
        1024..1_048_576 => ("KiB", 1024.0),
        1_048_576..1_073_741_824 => ("MiB", 1_048_576.0),
        _ => ("GiB", 1_073_741_824.0),
    };
    let size = format!("{:.1} {unit}", octets as f64 / divisor);
    match language {
        Language::En | Language::Ja => size,
        _ => size.replace('.', ","),
    }
}

/// How long ago, in whole seconds.
pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labelled_text_is_aligned_and_fits() {
        let shown = labelled(4, "said", 6, &"word ".repeat(40));
        let mut lines = shown.lines();
        assert!(lines.next().unwrap().starts_with("    said   word"));
        assert!(lines.all(|line| line.starts_with("           word") && line.len() <= width()));
    }

    #[test]
    fn sizes_are_shown_and_control_characters_are_not() {
        assert_eq!(
            (size(812, Language::En).as_str(), size(1300, Language::De).as_str()),
            ("812 octets", "1,3 KiB")
        );
        assert_eq!(printable("a\x1b[31m\r\nb"), "a [31m  b");
    }
}

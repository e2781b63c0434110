//! The language of a reader who named none in the address: the best of Accept-Language
//! (RFC 9110 §12.5.4) that there are texts in.

use reply::Language;

/// The language that suits `accept` best; English where none does.
pub(crate) fn language(accept: &str) -> Language {
    let mut best: (u16, Option<Language>) = (0, None);
    for range in accept.split(',').take(20) {
        let (tag, weight) = range.split_once(';').unwrap_or((range, ""));
        let weight = thousandths(weight.trim());
        let known = tag.trim().parse::<Language>().ok();
        if known.is_some() && weight > best.0 {
            best = (weight, known);
        }
    }
    best.1.unwrap_or_default()
}

/// `q=0.8` is 800; without a weight it is 1000; what is no weight counts nothing.
fn thousandths(weight: &str) -> u16 {
    if weight.is_empty() {
        return 1000;
    }
    let number = weight.strip_prefix("q=").or_else(|| weight.strip_prefix("Q="));
    match number.and_then(|number| number.trim().parse::<f32>().ok()) {
        // Between 0 and 1000, so that the cast cuts nothing off.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Some(number) if (0.0..=1.0).contains(&number) => (number * 1000.0) as u16,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_language_that_there_are_texts_in_decides() {
        let check = |accept: &str, tag: &str| assert_eq!(language(accept).tag(), tag, "{accept}");
        check("de-AT,de;q=0.9,en;q=0.5", "de");
        check("tlh, en;q=0.3, de;q=0.7", "de");
        check("en;q=0.3, de;q=0", "en");
        check("", "en");
        check("*", "en");
        check("de;q=nonsense, en;q=0.1", "en");
        check("xx;q=2", "en");
    }
}

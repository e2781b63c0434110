//! The languages that texts are written in: one row each. A file in `texts/` that lacks a
//! text fails the build (build.rs), so that what stands here is complete.

use std::fmt;
use std::str::FromStr;

/// Declares the languages: variant, tag of BCP 47, its own name, its texts.
macro_rules! languages {
    ($($(#[$doc:meta])* $variant:ident $tag:literal $name:literal $file:literal;)+) => {
        /// A language that texts are written in.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Language {
            $($(#[$doc])* $variant,)+
        }

        impl Language {
            /// Every language; each has every text.
            pub const COMPLETE: &[Language] = &[$(Language::$variant),+];

            /// The tag of BCP 47.
            pub const fn tag(self) -> &'static str {
                match self {
                    $(Language::$variant => $tag,)+
                }
            }

            /// What its speakers call it.
            pub const fn own_name(self) -> &'static str {
                match self {
                    $(Language::$variant => $name,)+
                }
            }

            /// The file of its texts.
            pub(crate) const fn source(self) -> &'static str {
                match self {
                    $(Language::$variant => include_str!($file),)+
                }
            }
        }
    };
}

languages! {
    /// English, the language that a text is written in first.
    #[default]
    En "en" "English" "../texts/en.ftl";
    /// German.
    De "de" "Deutsch" "../texts/de.ftl";
    /// Spanish.
    Es "es" "Español" "../texts/es.ftl";
    /// French.
    Fr "fr" "Français" "../texts/fr.ftl";
    /// Portuguese, as it is written in Brazil.
    Pt "pt" "Português" "../texts/pt.ftl";
    /// Japanese.
    Ja "ja" "日本語" "../texts/ja.ftl";
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

/// There are no texts in that language; it holds what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoSuchLanguage(pub String);

impl fmt::Display for NoSuchLanguage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<&str> = Language::COMPLETE.iter().map(|language| language.tag()).collect();
        write!(f, "there are no texts in `{}`: expected one of {}", self.0, known.join(", "))
    }
}

impl NoSuchLanguage {
    /// What is wrong and what there is, in a language that there are texts in.
    pub fn in_words(&self, language: Language) -> String {
        let known: Vec<String> =
            Language::COMPLETE.iter().map(|language| language.tag().to_owned()).collect();
        let values = [
            ("given", self.0.as_str().into()),
            ("known", super::enumerated(&known, language).into()),
        ];
        super::fill(language, "no-such-language", &values)
    }
}

impl std::error::Error for NoSuchLanguage {}

/// Reads a tag (`de`, `de-AT`) or the name of a locale (`de_DE.UTF-8`); `C` and `POSIX`
/// are English. Only the language counts.
impl FromStr for Language {
    type Err = NoSuchLanguage;
    fn from_str(text: &str) -> Result<Language, NoSuchLanguage> {
        let tag = text.split(['-', '_', '.', '@']).next().unwrap_or_default();
        let tag = tag.to_ascii_lowercase();
        if matches!(tag.as_str(), "c" | "posix") {
            return Ok(Language::En);
        }
        let found = Language::COMPLETE.iter().find(|language| language.tag() == tag);
        found.copied().ok_or_else(|| NoSuchLanguage(text.to_owned()))
    }
}

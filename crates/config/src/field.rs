//! A declared setting: the macro that makes a section from its rows, and the two traits
//! that reading and showing go through.

use toml::Spanned;
use toml::de::DeValue;

use super::expected::Expected;
use super::fault::Fault;

/// A TOML value and where it stands.
pub type Given<'a> = Spanned<DeValue<'a>>;

/// A type that a key can have.
pub trait Setting: Sized {
    /// What may be written.
    const EXPECTED: Expected;

    /// Reads a value.
    fn read(given: &Given<'_>) -> Result<Self, Fault>;

    /// As it is written in TOML.
    fn show(&self) -> String;

    /// Changes a part of the value, `part` being the rest of a dotted key; `None` where
    /// the type has no parts.
    fn set_part(&mut self, _part: &str, _given: &Given<'_>) -> Option<Result<(), Fault>> {
        None
    }
}

/// One key, as the example and the reference show it.
#[derive(Clone, Debug)]
pub struct Field {
    /// The whole key, as in `greylist.window`.
    pub key: String,
    /// What it sets.
    pub doc: String,
    /// Why the default is what it is.
    pub reason: String,
    /// What may be written.
    pub expected: Expected,
    /// The default in TOML.
    pub default: String,
}

/// A group of settings that share a prefix.
pub trait Section: Default {
    /// Every field, in the order of its declaration; `prefix` is empty or ends in a dot.
    fn fields(prefix: &str) -> Vec<Field>;

    /// Sets the field `key` (relative to this section); `None` where there is none.
    fn set(&mut self, key: &str, given: &Given<'_>) -> Option<Result<(), Fault>>;

    /// The value of the field `key` in TOML; `None` where there is none.
    fn show(&self, key: &str) -> Option<String>;

    /// Whether `key` is a section below this one.
    fn is_section(_key: &str) -> bool {
        false
    }
}

/// Declares a section: `name: Type = default, "why that default";` below its description.
macro_rules! section {
    ($(#[doc = $about:literal])+ $section:ident {
        $($(#[doc = $doc:literal])+ $name:ident: $kind:ty = $default:expr, $reason:literal;)+
        $(@sections { $($(#[doc = $sub_doc:literal])+ $sub:ident: $sub_kind:ty;)+ })?
    }) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug)]
        pub struct $section {
            $($(#[doc = $doc])+ pub $name: $kind,)+
            $($($(#[doc = $sub_doc])+ pub $sub: $sub_kind,)+)?
        }

        impl Default for $section {
            fn default() -> $section {
                $section {
                    $($name: $default,)+
                    $($($sub: <$sub_kind>::default(),)+)?
                }
            }
        }

        impl $crate::field::Section for $section {
            fn fields(prefix: &str) -> Vec<$crate::field::Field> {
                use $crate::field::Setting as _;
                let default = $section::default();
                let mut fields = vec![$($crate::field::Field {
                    key: format!("{prefix}{}", stringify!($name)),
                    doc: concat!($($doc, "\n"),+).to_owned(),
                    reason: $reason.to_owned(),
                    expected: <$kind as $crate::field::Setting>::EXPECTED,
                    default: default.$name.show(),
                }),+];
                $($(fields.extend(
                    <$sub_kind>::fields(&format!("{prefix}{}.", stringify!($sub)))
                );)+)?
                fields.shrink_to_fit();
                fields
            }

            fn set(
                &mut self,
                key: &str,
                given: &$crate::field::Given<'_>,
            ) -> Option<Result<(), $crate::fault::Fault>> {
                use $crate::field::Setting;
                let (head, rest) = $crate::field::split(key);
                match (head, rest) {
                    $((stringify!($name), None) => Some(
                        <$kind as Setting>::read(given).map(|value| self.$name = value)
                    ),
                    (stringify!($name), Some(part)) => self.$name.set_part(part, given),)+
                    $($((stringify!($sub), Some(rest)) => self.$sub.set(rest, given),)+)?
                    _ => None,
                }
            }

            fn show(&self, key: &str) -> Option<String> {
                let (head, rest) = $crate::field::split(key);
                match (head, rest) {
                    $((stringify!($name), None) => {
                        Some($crate::field::Setting::show(&self.$name))
                    })+
                    $($((stringify!($sub), Some(rest)) => {
                        $crate::field::Section::show(&self.$sub, rest)
                    })+)?
                    _ => None,
                }
            }

            fn is_section(key: &str) -> bool {
                let sections: &[&str] = &[$($(stringify!($sub)),+)?];
                sections.contains(&key)
            }
        }
    };
}
pub(crate) use section;

/// The first part of a dotted key and the rest.
pub fn split(key: &str) -> (&str, Option<&str>) {
    match key.split_once('.') {
        Some((head, rest)) => (head, Some(rest)),
        None => (key, None),
    }
}

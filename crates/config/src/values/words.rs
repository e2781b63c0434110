//! Settings that are one of a few words.

use super::{text, toml_string, wrong};
use crate::expected::Expected;
use crate::fault::Fault;
use crate::field::{Given, Setting};

/// Declares a closed set of words: variant, word.
macro_rules! words {
    ($(#[doc = $about:literal])+ $name:ident {
        $($(#[doc = $doc:literal])+ $variant:ident = $word:literal;)+
    }) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[doc = $doc])+ $variant,)+ }

        impl $name {
            /// As it is written.
            pub const fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }

        impl Setting for $name {
            const EXPECTED: Expected = Expected::OneOf(&[$($word),+]);

            fn read(given: &Given<'_>) -> Result<$name, Fault> {
                match text::<$name>(given)? {
                    $($word => Ok($name::$variant),)+
                    _ => Err(wrong::<$name>(given)),
                }
            }

            fn show(&self) -> String {
                toml_string(self.word())
            }
        }
    };
}

words! {
    /// How VRFY and EXPN are answered.
    Offer {
        /// 502.
        Off = "off";
        /// 252.
        Noncommittal = "noncommittal";
        /// The truth.
        On = "on";
    }
}

words! {
    /// What bare CR and LF in message data lead to.
    BareLineEnd {
        /// 550 5.6.0 at the end of data.
        Refuse = "refuse";
        /// They become CRLF.
        MakeCrlf = "make-crlf";
    }
}

words! {
    /// What raw 8-bit octets in a header lead to.
    EightBitHeaders {
        /// They stay.
        Accept = "accept";
        /// 554 5.6.9 at the end of data.
        Refuse = "refuse";
    }
}

words! {
    /// The form of the log.
    LogFormat {
        /// For people.
        Text = "text";
        /// One object a line.
        Json = "json";
    }
}

words! {
    /// How much is logged.
    LogLevel {
        /// What needs a person.
        Error = "error";
        /// What may need one.
        Warn = "warn";
        /// What happens to messages.
        Info = "info";
        /// Each session.
        Debug = "debug";
        /// Each step.
        Trace = "trace";
    }
}

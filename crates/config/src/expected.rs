//! What can be written for each type of value: a name for it, and the literals that show
//! it. The literals are facts and the same in every language; what is said around them is
//! the shell's.

/// Declares what can be written: variant, name, examples, words that mean something of
/// their own.
macro_rules! expected {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal [$($example:literal),*] [$($word:literal),*];)+) => {
        /// What can be written for a value.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Expected {
            /// One of these words.
            OneOf(&'static [&'static str]),
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Expected {
            /// Every kind, one of words among them.
            pub const ALL: &[Expected] = &[Expected::OneOf(&["off", "on"]), $(Expected::$variant),+];

            /// The name of the kind.
            pub const fn name(self) -> &'static str {
                match self {
                    Expected::OneOf(_) => "one-of",
                    $(Expected::$variant => $name,)+
                }
            }

            /// How it is written, for instance.
            pub const fn examples(self) -> &'static [&'static str] {
                match self {
                    Expected::OneOf(_) => &[],
                    $(Expected::$variant => &[$($example),*],)+
                }
            }

            /// Words that can be written instead, or as a part of it.
            pub const fn words(self) -> &'static [&'static str] {
                match self {
                    Expected::OneOf(words) => words,
                    $(Expected::$variant => &[$($word),*],)+
                }
            }
        }
    };
}

expected! {
    /// A number from 1 on.
    Count "count" ["1"] [];
    /// A duration.
    Duration "duration" ["30s", "5m", "1h30m", "35d"] [];
    /// A duration that is not zero.
    Patience "patience" ["30s", "5m", "1h30m", "35d"] [];
    /// The steps of retries with their longest pause, or the steps alone.
    Ladder "ladder" [r#"{ steps = ["1m", "5m"], longest_pause = "4h" }"#] [];
    /// A size.
    Size "size" ["4096", "50MiB", "1G"] [];
    /// Our own name, in ASCII.
    HostName "host-name" ["mail.example.org"] ["xn--…"];
    /// Domains.
    Domains "domains" [r#"["example.org", "example.net"]"#] [];
    /// A domain, all below one, or all.
    DomainPattern "domain-pattern" ["example.net", "*.example.net", "*"] [];
    /// Where to listen.
    Addresses "addresses" ["127.0.0.1:2525", "[::1]:2525", "*:25"] ["off"];
    /// Networks.
    Networks "networks" [r#"["192.0.2.0/24", "2001:db8::/32"]"#] [];
    /// A path.
    Path "path" [] ["off"];
    /// A web address.
    WebAddress "web-address" ["https://mail.example.org"] [];
    /// Routes by domain.
    Routes "routes" [r#"{ "example.net" = "relay.example.net:25" }"#] [];
    /// Patterns of addresses.
    Patterns "patterns" ["user@domain", "user@", "@domain", ".domain", "<>"] [];
    /// So many in a time.
    Rate "rate" ["100/h", "20/10m"] ["off"];
    /// Rules of access.
    AccessRules "access-rules" [r#"[{ action = "refuse", clients = ["192.0.2.0/24"] }]"#] [];
    /// What a client calls itself.
    Hellos "hellos" [".domain"] [];
}

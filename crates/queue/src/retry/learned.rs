//! What was learned of a destination: how long its greylisting lasts, and what it does
//! not take. Kept with an expiry in a `store::Table`, so that a restart forgets nothing.

use std::time::Duration;

/// A plainer way to say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fallback {
    /// HELO, MAIL and RCPT without parameters, DATA: after 500 or 502.
    WithoutExtensions,
    /// MAIL and RCPT without parameters: after 504 or 555.
    WithoutParameters,
}

impl Fallback {
    /// The stable name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Fallback::WithoutExtensions => "without-extensions",
            Fallback::WithoutParameters => "without-parameters",
        }
    }
}

/// The fallbacks that are in use with a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fallbacks {
    /// HELO, and so no parameters either.
    pub without_extensions: bool,
    /// No parameters.
    pub without_parameters: bool,
}

impl Fallbacks {
    /// Whether `fallback` is in use; without extensions there are no parameters.
    pub fn includes(self, fallback: Fallback) -> bool {
        match fallback {
            Fallback::WithoutExtensions => self.without_extensions,
            Fallback::WithoutParameters => self.without_extensions || self.without_parameters,
        }
    }

    /// The same with `fallback` in use.
    #[must_use]
    pub fn with(self, fallback: Fallback) -> Fallbacks {
        match fallback {
            Fallback::WithoutExtensions => Fallbacks { without_extensions: true, ..self },
            Fallback::WithoutParameters => Fallbacks { without_parameters: true, ..self },
        }
    }
}

/// A destination's greylisting window lies between two waits that were seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The longest wait since the first refusal that was still refused.
    pub refused_after: Duration,
    /// The shortest wait since the first refusal that passed.
    pub passes_after: Duration,
}

/// What is known of a destination when a plan is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Learned {
    /// Its greylisting window.
    pub window: Option<Window>,
    /// What it is not offered any more.
    pub fallbacks: Fallbacks,
}

/// Placeholder.
pub struct LearnedStore;

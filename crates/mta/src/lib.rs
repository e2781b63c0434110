//! The floor where clocks are read and bytes move: sockets, DNS, tasks, delivery.
//!
//! What is decided here is only *when* something is asked and *where* bytes go; what to
//! answer is `policy`'s, what to do next is `queue`'s, and how it is said on the wire is
//! `smtp`'s. No config files and no HTML.
//!
//! Start reading at [`session_driver`] (a session's way in) and at the dispatcher (a
//! message's way out).

/// Marks the test around it as proof of a section of an RFC, for
/// `docs/reference/rfc-coverage.md`; says nothing at run time.
#[cfg(test)]
macro_rules! rfc {
    ($number:literal, $section:literal) => {
        const _: (u32, &str) = ($number, $section);
    };
}

pub mod clock;
pub mod control;
pub mod delivery;
pub mod dispatcher;
pub mod events;
pub mod listener;
pub mod mailbox;
pub mod probe;
pub mod reception;
pub mod resolver;
pub mod route_to;
pub mod router;
pub mod session_driver;

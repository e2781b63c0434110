//! The SMTP protocol without I/O: grammar, sessions, message framing, DSNs.
//!
//! Nothing here opens a socket, reads a clock (`now` is an argument), draws a random
//! number or decides who may send what: a session *stops to ask* and is resumed with
//! the answer. Replies come from the catalogue of `reply`, never from a literal.
//!
//! Start reading at [`server`] (a session as a state machine), then [`syntax`] (what a
//! command line may say) and [`query`] (what the session asks the floor above).

/// Marks the test around it as proof of a section of an RFC, for
/// `docs/reference/rfc-coverage.md`; says nothing at run time.
#[cfg(test)]
macro_rules! rfc {
    ($number:literal, $section:literal) => {
        const _: (u32, &str) = ($number, $section);
    };
}

pub mod client;
pub mod dsn;
pub mod envelope;
pub mod extension;
pub mod framing;
pub mod message;
pub mod query;
pub mod server;
pub mod syntax;

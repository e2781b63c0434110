//! The public API of `smtp`: dialogs that a postmaster can read, properties of the server's
//! session, and the shell that both drive.

// Inside the workspace the crate goes by its short name.
extern crate secondpost_smtp as smtp;

/// Marks the test around it as proof of a section of an RFC; says nothing at run time.
/// `docs/reference/rfc-coverage.md` is made from these marks and from the `rfc:` lines of
/// the dialogs.
macro_rules! rfc {
    ($number:literal, $section:literal) => {
        const _: (u32, &str) = ($number, $section);
    };
}

mod dialog;
mod dialogs;
mod lawful;
mod pair;
mod properties;
mod shell;

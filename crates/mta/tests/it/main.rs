//! The public face of the floor that moves bytes.

mod mailboxes;

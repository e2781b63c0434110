//! The public face of the floor that moves bytes.

#[path = "../../../smtp/tests/it/dialog.rs"]
mod dialog;
mod dialogs;
mod holder;
mod mailboxes;

//! The whole server: the binary on ports of the system's choice, real peers, `kill -9`.
//!
//! Each module is a part of the specification. Only loopback is spoken to.

mod browser;
mod daemon;
mod dialog;
mod long_form;
mod postfix;
mod sink;

mod clients;
mod clock;
mod drop_folder;
mod faulty_peers;
mod first_contact;
mod hostile_peers;
mod kill;
mod kill_points;
mod load;
mod pages;
mod postfix_receives;
mod postfix_sends;
mod shed;
mod small_disk;
mod stalled_disk;

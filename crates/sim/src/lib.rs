//! Worlds in virtual time: a sending and a receiving Secondpost, sites that behave as
//! sites do, and disks that crash. Everything follows from a seed; tests only.
//!
//! `world` runs one seed, `site` holds what peers answer, `machine` a spool on a disk
//! that loses its power, `ledger` what must be true. No sockets, no threads, no clock.

#[cfg(test)]
mod ledger;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod random;
#[cfg(test)]
mod site;
#[cfg(test)]
mod world;

//! Worlds in virtual time: two of our servers and a handful of sites that behave as sites
//! do, joined by sessions in memory, on disks that lose their power. Everything follows
//! from a seed. Tests only: no sockets, no threads inside a world, no clock.
//!
//! What runs is the house's own: both state machines of `smtp`, `policy::decide`, the
//! router, the schedule, the plan, the notifications and the spool with its writer. What
//! is modelled is the machine around them: `tasks` (who runs next), `wire` (octets that
//! come in pieces, or not at all), `machine` (a spool whose power fails), and the two
//! loops that `mta` has around sessions, in `reception` and `sender`.
//!
//! `world` lays out a seed and runs it, `site` is how others behave, `ledger` is told the
//! truth on the way and holds every promise against it. `fault` plants mistakes, so that
//! each promise is seen to fail (`tests`). Start reading at `tests`.
//!
//! ```text
//! cargo test -p secondpost-sim                                    200 seeds
//! SIM_SEEDS=10000 cargo test --release -p secondpost-sim          the long form
//! SIM_SEED=17 SIM_LOG=1 cargo test -p secondpost-sim keep_every -- --nocapture   one, told
//! ```

#[cfg(test)]
mod fault;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod random;
#[cfg(test)]
mod reception;
#[cfg(test)]
mod sender;
#[cfg(test)]
mod server;
#[cfg(test)]
mod site;
#[cfg(test)]
mod tasks;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod wire;
#[cfg(test)]
mod world;

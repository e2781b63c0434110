//! The binary: command line and wiring. No protocol logic and no decision lives
//! here; start reading at [`cli`], and in the crate `config` for what can be set.

mod cli;
mod log_lines;
mod wire;

/// A message is taken by one thread, written by another and let go by a third: with the
/// system's allocator they wait for each other, which costs a third of what the spool takes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::run(std::env::args_os())
}

//! The binary: command line and wiring. No protocol logic and no decision lives
//! here; start reading at [`cli`], and in the crate `config` for what can be set.

mod cli;
mod log_lines;
mod wire;

/// A message takes some thirty pieces of memory, which one thread takes and another gives
/// back.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::run(std::env::args_os())
}

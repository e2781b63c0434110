//! The binary: command line and wiring. No protocol logic and no decision lives
//! here; start reading at [`cli`], and in the crate `config` for what can be set.

mod cli;
mod log_lines;
mod wire;

fn main() -> std::process::ExitCode {
    cli::run(std::env::args_os())
}

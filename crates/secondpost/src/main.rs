//! The binary: command line, config, wiring. No protocol logic and no decision lives
//! here; start reading at [`cli`], and at [`config`] for what can be set.

mod cli;
mod config;
mod log_lines;
mod wire;

fn main() -> std::process::ExitCode {
    cli::run(std::env::args_os())
}

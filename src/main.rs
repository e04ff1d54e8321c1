//! The `havre` command.

use std::process::ExitCode;

// The system's allocator gives memory back late and slows down under many threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    havre::cli::main()
}

//! The `kinlab` binary: everything lives in the library, see `kinlab::cli`.

fn main() -> std::process::ExitCode {
    kinlab::cli::main()
}

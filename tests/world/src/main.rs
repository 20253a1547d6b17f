//! `cargo run --release -p world -- --seeds 1..60`: see [`world::cli`].

fn main() -> std::process::ExitCode {
    world::cli::main()
}

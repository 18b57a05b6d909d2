//! Lives through many worlds, or through one again.
//!
//!     cargo run --release -p pop3-simulation --example simulate -- 1000000
//!     cargo run --release -p pop3-simulation --example simulate -- --seed 4711

use std::env;
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--seed", seed] => {
            let Ok(seed) = seed.parse() else { return usage() };
            println!("{:#?}", pop3_simulation::run(seed));
            ExitCode::SUCCESS
        }
        [worlds] => worlds.parse().map_or_else(|_| usage(), many),
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("give a number of worlds, or --seed and the seed of one");
    ExitCode::from(2)
}

fn many(worlds: u64) -> ExitCode {
    let (next, failed, messages, died) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= worlds {
                        break;
                    }
                    match catch_unwind(|| pop3_simulation::run(seed)) {
                        Ok(report) => {
                            messages.fetch_add(report.messages as u64, Ordering::Relaxed);
                            died.fetch_add(report.died as u64, Ordering::Relaxed);
                        }
                        Err(_) => {
                            eprintln!("seed {seed} fails; see it again with --seed {seed}");
                            failed.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    let (failed, seconds) = (failed.into_inner(), began.elapsed().as_secs());
    println!(
        "{worlds} worlds in {seconds} s: {} messages came home, {} processes died on the way, {failed} worlds failed",
        messages.into_inner(),
        died.into_inner()
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

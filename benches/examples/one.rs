//! Runs one workload once, for profilers and `wasm.mjs`: `one NUMBER SIZE` prints the events it took and the seconds, `one` alone lists the
//! workloads with their usual sizes.

use quorumscope_benches::workloads::{NAMES, SIZES, run};
use std::time::Instant;

fn main() {
    let args: Vec<u32> = std::env::args().skip(1).map(|arg| arg.parse().expect("a number")).collect();
    match args[..] {
        [number, size] => {
            let start = Instant::now();
            let events = run(number, size);
            println!("{events} {}", start.elapsed().as_secs_f64());
        }
        _ => NAMES.iter().zip(SIZES).for_each(|(name, size)| println!("{size}\t{name}")),
    }
}

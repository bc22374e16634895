//! Benchmark: native throughput of the simulator and, with the feature `peers`, of other consensus libraries; several alternating rounds in
//! one process, medians and ratios.
//!
//! `cargo run --release -- [ROUNDS] [ONLY CONTENDERS WHOSE NAME CONTAINS THIS]`

#[cfg(feature = "peers")]
mod peers;

use quorumscope_benches::workloads;
use std::time::Instant;

struct Contender {
    name: &'static str,
    unit: &'static str,
    run: Box<dyn Fn() -> u64>,
    rates: Vec<f64>,
}

fn main() {
    let rounds: usize = std::env::args().nth(1).map_or(5, |text| text.parse().expect("the number of rounds"));
    let only = std::env::args().nth(2).unwrap_or_default();
    let mut contenders: Vec<Contender> = (0..)
        .zip(workloads::NAMES)
        .zip(workloads::SIZES)
        .map(|((number, &name), &size)| {
            let run = Box::new(move || workloads::run(number, size));
            Contender { name, unit: "events", run, rates: Vec::new() }
        })
        .collect();
    #[cfg(feature = "peers")]
    {
        let mut peer = |name, run: fn() -> u64| {
            contenders.push(Contender { name, unit: "messages", run: Box::new(run), rates: Vec::new() });
        };
        peer("raft 0.7 n=5, window 64, message by message", || peers::raft_rs(100_000, true));
        peer("raft 0.7 n=5, window 64, all at once", || peers::raft_rs(100_000, false));
        peer("omnipaxos 0.2 n=5, window 64, all at once", || peers::omnipaxos(200_000));
    }
    contenders.retain(|contender| contender.name.contains(&only));
    for round in 0..=rounds {
        for contender in &mut contenders {
            let start = Instant::now();
            let count = (contender.run)();
            let rate = count as f64 / start.elapsed().as_secs_f64() / 1e6;
            // The first round is a warm-up.
            if round > 0 {
                contender.rates.push(rate);
            }
        }
    }
    println!("{:<46}{:>8}{:>8}{:>8}   millions a second, {rounds} rounds", "", "min", "median", "max");
    let mut medians = Vec::new();
    for contender in &mut contenders {
        contender.rates.sort_by(f64::total_cmp);
        let rates = &contender.rates;
        let median = rates[rates.len() / 2];
        medians.push(median);
        println!(
            "{:<46}{:>8.2}{median:>8.2}{:>8.2}   {}",
            contender.name,
            rates[0],
            rates[rates.len() - 1],
            contender.unit
        );
    }
    if !only.is_empty() {
        return;
    }
    let ratio = |what: &str, one: usize, other: usize, bar: &str| {
        println!("{what:<46}{:>8.2}   {bar}", medians[one] / medians[other]);
    };
    println!();
    ratio("Multi-Paxos with trace / bare loop", 2, 0, "(bar: 0.55)");
    ratio("the same / bare loop with trace", 2, 1, "");
    if cfg!(feature = "peers") {
        let raft_rs = workloads::NAMES.len();
        ratio("Raft events / raft-rs messages", 5, raft_rs, "(bar: 5)");
        ratio("Raft events / raft-rs messages at once", 5, raft_rs + 1, "");
    }
}

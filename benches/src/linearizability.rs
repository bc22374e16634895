//! Benchmark of the linearizability checker on recorded histories: verdict, steps per operation, operations per second.
//!
//! `cargo run --release --no-default-features --bin linearizability`

use quorumscope::judge::linearizability::{Limits, Model, Verdict, judge};
use quorumscope_benches::histories::{Shape, record};
use std::time::Instant;

fn main() {
    println!(
        "{:>10} {:>9} {:>4} {:>6} {:>10} {:>9}   {:<16} {:>11} {:>12}",
        "operations", "processes", "keys", "values", "unanswered", "wrong", "verdict", "steps/op", "ops/s"
    );
    let plain =
        Shape { operations: 100_000, processes: 10, keys: 5, values: 5, unanswered: 10, stale: None, split: None };
    let shapes = [
        Shape { unanswered: 0, ..plain },
        plain,
        Shape { unanswered: 50, ..plain },
        Shape { keys: 1, ..plain },
        Shape { keys: 1, unanswered: 50, ..plain },
        Shape { operations: 1_000_000, keys: 20, ..plain },
        Shape { processes: 30, ..plain },
        Shape { processes: 30, keys: 1, operations: 20_000, ..plain },
        Shape { processes: 30, keys: 1, ..plain },
        Shape { processes: 30, keys: 1, unanswered: 50, ..plain },
        Shape { values: 1_000, ..plain },
        Shape { values: 3, ..plain },
        Shape { stale: Some(500), values: 100, ..plain },
        Shape { stale: Some(990), values: 100, ..plain },
        Shape { stale: Some(990), values: 100, unanswered: 0, ..plain },
        Shape { stale: Some(990), values: 10, unanswered: 0, ..plain },
        Shape { stale: Some(990), values: 100, keys: 1, ..plain },
        Shape { stale: Some(990), values: 100, unanswered: 50, ..plain },
        Shape { stale: Some(990), values: 10_000, ..plain },
        Shape { split: Some(500), ..plain },
        Shape { split: Some(990), keys: 1, unanswered: 50, ..plain },
        Shape { split: Some(990), keys: 1, unanswered: 50, processes: 30, ..plain },
    ];
    for shape in shapes {
        let history = record(shape, 1);
        let mut rates = Vec::new();
        let mut told = (String::new(), 0.0);
        for _ in 0..3 {
            let start = Instant::now();
            let judgement = judge(&history, Model::CasRegister, Limits::default());
            rates.push(f64::from(shape.operations) / start.elapsed().as_secs_f64());
            let verdict = match judgement.verdict {
                Verdict::Linearizable => "linearizable".to_owned(),
                Verdict::Violated(counterexample) => {
                    format!("conflict of {}{}", counterexample.operations.len(), if counterexample.minimal { "" } else { "?" })
                }
                Verdict::Undecided { why, .. } => format!("undecided {why:?}"),
            };
            told = (verdict, judgement.steps as f64 / f64::from(shape.operations));
        }
        rates.sort_by(f64::total_cmp);
        let Shape { operations, processes, keys, values, unanswered, stale, split } = shape;
        let at = |word: &str, at: Option<u32>| at.map(|at| format!("{word} {}%", at / 10));
        let wrong = at("stale", stale).or(at("split", split)).unwrap_or("-".to_owned());
        println!(
            "{operations:>10} {processes:>9} {keys:>4} {values:>6} {:>9}% {wrong:>9}   {:<16} {:>11.1} {:>12.0}",
            f64::from(unanswered) / 10.0,
            told.0,
            told.1,
            rates[1]
        );
    }
}

//! Linearizability checker: published histories, random ones against brute force, histories of the simulator under faults, and the text
//! format.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

#[path = "../common/mod.rs"]
mod common;

mod brute_force;
mod format;
mod known;
mod random;
mod services;
mod simulated;

use quorumscope::core::{Promises, Shots};
use quorumscope::judge::linearizability::{Judgement, Limits, Model, Verdict, judge};
use quorumscope::lab::history;
use quorumscope::universe::Variant;

/// Whether it promises that clients see one log of commands.
fn promises_one_log(variant: &Variant) -> bool {
    let promises = Promises::AGREEMENT.and(Promises::LINEARIZABLE);
    variant.card.agrees_on == Shots::Log && variant.card.promises.has(promises)
}

/// JSON lines of a history in shorthand, an event a line: `0 write 1` is an invocation, `0 ok 1`, `0 fail` and `0 info` are responses.
fn lines(short: &str) -> String {
    let mut functions = std::collections::BTreeMap::new();
    let mut json = String::new();
    for line in short.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        let (process, word, value) = (words[0], words[1], words.get(2).copied().unwrap_or("null"));
        let kind = if ["ok", "fail", "info"].contains(&word) { word } else { "invoke" };
        if kind == "invoke" {
            functions.insert(process, word);
        }
        let f = functions[process];
        json +=
            &format!("{{\"process\":\"{process}\",\"type\":\"{kind}\",\"f\":\"{f}\",\"key\":0,\"value\":{value}}}\n");
    }
    json
}

fn judged(short: &str, model: Model) -> Judgement {
    let history = history::read(&lines(short), model).unwrap_or_else(|problem| panic!("{problem}\n{short}"));
    judge(&history, model, Limits::default())
}

/// The lines of the counterexample's invocations; `None` if the history is linearizable.
fn conflict(short: &str, model: Model) -> Option<Vec<u32>> {
    match judged(short, model).verdict {
        Verdict::Linearizable => None,
        Verdict::Violated(counterexample) => {
            Some(counterexample.operations.iter().map(|shown| shown.operation.invocation.position).collect())
        }
        Verdict::Undecided { .. } => panic!("undecided: {short}"),
    }
}

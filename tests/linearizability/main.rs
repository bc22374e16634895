//! The judge of linearizability, against known answers, against the plain definition, and on what our own simulator records.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

#[path = "../common/mod.rs"]
mod common;

mod known;
mod plain;
mod random;
mod recorded;
mod services;
mod text;

use quorumscope::judge::linearizability::{Judgement, Limits, Model, Verdict, judge};
use quorumscope::lab::history;

/// A history in short: `0 write 1` is an invocation, `0 ok 1`, `0 fail` and `0 info` are answers; one a line.
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

/// The lines of the window's operations, if there is one.
fn window(short: &str, model: Model) -> Option<Vec<u32>> {
    match judged(short, model).verdict {
        Verdict::Linearizable => None,
        Verdict::Violated(window) => {
            Some(window.operations.iter().map(|view| view.operation.invoked.position).collect())
        }
        Verdict::Undecided { .. } => panic!("undecided: {short}"),
    }
}

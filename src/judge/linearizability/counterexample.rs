//! Counterexamples of linearizability, and their text diagram: a line for each process, time from left to right.

use super::history::{History, Operation};
use super::model::Model;
use std::collections::BTreeMap;

/// Operations of one key that have no linearization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// The key's number, see [`History::keys`].
    pub key: u32,
    /// The operations, in the order of their invocations.
    pub operations: Vec<CounterexampleOperation>,
    /// `true`: they have no linearization if the object was in its initial state before. `false`: they have none whatever its state was.
    pub from_start: bool,
    /// Whether every operation marked as needed is known to be. `false` where a limit was reached while minimizing, or where texts were
    /// appended to an unknown one.
    pub minimal: bool,
}

/// An operation of a [`Counterexample`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CounterexampleOperation {
    /// The operation.
    pub operation: Operation,
    /// Whether its response is part of the contradiction. `false`: there is no linearization even if this operation was pending; it is shown
    /// because another one observes its effect.
    pub needed: bool,
}

/// Longest value that is shown in full, characters.
const MAX_VALUE_CHARS: usize = 24;

/// Text of an operation, such as `read → 3` or `cas [1,2]`.
pub fn label(history: &History, model: Model, operation: &Operation) -> String {
    let function = model.function(operation.call);
    let Some(value) = model.value(operation.call, &history.values) else { return function.to_owned() };
    let value = match value.chars().count() {
        ..=MAX_VALUE_CHARS => value,
        _ => value.chars().take(MAX_VALUE_CHARS - 1).chain(['…']).collect(),
    };
    match function {
        "read" | "get" | "dequeue" | "acquire" => format!("{function} → {value}"),
        _ => format!("{function} {value}"),
    }
}

/// Diagram of a counterexample. Moments are in order, not to scale: `├` is an invocation, `┤` a response; a line that ends in `…` is a
/// pending operation.
pub fn diagram(history: &History, model: Model, counterexample: &Counterexample) -> String {
    let labels: Vec<String> =
        counterexample.operations.iter().map(|shown| label(history, model, &shown.operation)).collect();
    // For each moment, the operation that must end to its left: the one it responds to, or a pending one of the same process.
    let mut moments: BTreeMap<u32, Option<usize>> = BTreeMap::new();
    let mut pending: BTreeMap<u32, usize> = BTreeMap::new();
    for (number, CounterexampleOperation { operation, .. }) in counterexample.operations.iter().enumerate() {
        moments.insert(operation.invocation.position, pending.remove(&operation.process));
        match operation.response {
            Some(response) => moments.insert(response.position, Some(number)),
            None => pending.insert(operation.process, number).map(Some),
        };
    }
    let mut columns: BTreeMap<u32, usize> = BTreeMap::new();
    let mut column = 0;
    for (position, after) in &moments {
        if let Some(number) = after {
            let start =
                columns.get(&counterexample.operations[*number].operation.invocation.position).copied().unwrap_or(0);
            column = column.max(start + width(&labels[*number]) - 1);
        }
        columns.insert(*position, column);
        column += 2;
    }
    let mut rows: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (number, CounterexampleOperation { operation, .. }) in counterexample.operations.iter().enumerate() {
        rows.entry(operation.process).or_default().push(number);
    }
    let name = |process: &u32| format!("process {}", history.processes.text(*process));
    let margin = rows.keys().map(|process| name(process).chars().count()).max().unwrap_or(0);
    let mut diagram = String::new();
    for (process, numbers) in &rows {
        let mut line = format!("{:margin$}  ", name(process));
        let mut at = 0;
        for &number in numbers {
            let operation = &counterexample.operations[number].operation;
            let start = columns[&operation.invocation.position];
            line.extend(std::iter::repeat_n(' ', start.saturating_sub(at)));
            let label = &labels[number];
            match operation.response {
                Some(response) => {
                    let end = columns[&response.position];
                    let fill = end + 1 - start - width(label);
                    let rule = |length| "─".repeat(length);
                    line.push_str(&format!("├{} {label} {}┤", rule(fill / 2 + 1), rule(fill - fill / 2 + 1)));
                    at = end + 1;
                }
                None => {
                    line.push_str(&format!("├─ {label} ─…"));
                    at = start + width(label);
                }
            }
        }
        diagram.push_str(line.trim_end());
        diagram.push('\n');
    }
    diagram
}

/// Least width of an operation, columns.
fn width(label: &str) -> usize {
    label.chars().count() + 6
}

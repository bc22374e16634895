//! A window as a small picture in text: a line for each process, and time from left to right.

use super::history::{History, Operation};
use super::model::Model;
use super::{ViewModel, Window};
use std::collections::BTreeMap;

/// Longest text of a value that is shown in full, characters.
const LONGEST: usize = 24;

/// An operation in words, such as `read → 3` or `cas 1 → 2`.
pub fn words(history: &History, model: Model, operation: &Operation) -> String {
    let function = model.function(operation.call);
    let Some(value) = model.value(operation.call, &history.values) else { return function.to_owned() };
    let value = match value.chars().count() {
        ..=LONGEST => value,
        _ => value.chars().take(LONGEST - 1).chain(['…']).collect(),
    };
    match function {
        "read" | "get" | "dequeue" | "acquire" => format!("{function} → {value}"),
        _ => format!("{function} {value}"),
    }
}

/// Draws a window. Moments are in their order, not to scale. `├` is an invocation and `┤` an answer; a line that ends in `…` has no answer.
pub fn draw(history: &History, model: Model, window: &Window) -> String {
    let labels: Vec<String> = window.operations.iter().map(|view| words(history, model, &view.operation)).collect();
    // What must be to the left of a moment: the beginning of the operation it answers, or of one that the process gave up before.
    let mut moments: BTreeMap<u32, Option<usize>> = BTreeMap::new();
    let mut given_up: BTreeMap<u32, usize> = BTreeMap::new();
    for (number, ViewModel { operation, .. }) in window.operations.iter().enumerate() {
        moments.insert(operation.invoked.position, given_up.remove(&operation.process));
        match operation.answered {
            Some(answered) => moments.insert(answered.position, Some(number)),
            None => given_up.insert(operation.process, number).map(Some),
        };
    }
    let mut columns: BTreeMap<u32, usize> = BTreeMap::new();
    let mut column = 0;
    for (position, after) in &moments {
        if let Some(number) = after {
            let start = columns.get(&window.operations[*number].operation.invoked.position).copied().unwrap_or(0);
            column = column.max(start + width(&labels[*number]) - 1);
        }
        columns.insert(*position, column);
        column += 2;
    }
    let mut rows: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (number, ViewModel { operation, .. }) in window.operations.iter().enumerate() {
        rows.entry(operation.process).or_default().push(number);
    }
    let name = |process: &u32| format!("process {}", history.processes.text(*process));
    let margin = rows.keys().map(|process| name(process).chars().count()).max().unwrap_or(0);
    let mut picture = String::new();
    for (process, numbers) in &rows {
        let mut line = format!("{:margin$}  ", name(process));
        let mut at = 0;
        for &number in numbers {
            let operation = &window.operations[number].operation;
            let start = columns[&operation.invoked.position];
            line.extend(std::iter::repeat_n(' ', start.saturating_sub(at)));
            let label = &labels[number];
            match operation.answered {
                Some(answered) => {
                    let end = columns[&answered.position];
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
        picture.push_str(line.trim_end());
        picture.push('\n');
    }
    picture
}

/// Columns that an operation takes at least.
fn width(label: &str) -> usize {
    label.chars().count() + 6
}

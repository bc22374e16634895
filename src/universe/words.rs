//! Numbers, times and lists in words, for all that is read by people.

use super::Variant;
use crate::core::{Epoch, Micros, NodeId};
use crate::sim::action::Which;
use crate::sim::{Action, InFlight};

/// An action in the words of a variant: messages and timers by their names.
pub fn action(variant: &Variant, action: Action) -> String {
    let text = action.to_string();
    match action {
        Action::Catch { which: Which { kind, .. }, .. }
        | Action::Sent { which: InFlight::Message(Which { kind, .. }), .. }
        | Action::Release(Some(Which { kind, .. })) => {
            let name = variant.kinds.get(usize::from(kind.0)).map_or("message", |kind| kind.name);
            text.replace("message of its kind", name).replace("of its kind", &format!("of kind {name}"))
        }
        Action::Fire { node, timer } => {
            let name = variant.timers().get((timer & 0xff) as usize).map_or("timer", |kind| kind.name);
            let number = if timer >> 8 > 0 { format!(" {}", timer >> 8) } else { String::new() };
            format!("fire {name}{number} of node {node:?}")
        }
        _ => text,
    }
}

/// A whole number with its thousands apart: `1,240,000`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap_or("")).collect();
    groups.join(",")
}

/// `1 message`, `2 messages`.
pub fn count(number: usize, one: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {one}{s}")
}

/// A duration, given in µs: `75 ms`, `1.2 ms`, `80 µs`.
pub fn latency(micros: Micros) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..10_000 => format!("{} ms", tenths(micros / 100)),
        10_000..10_000_000 => format!("{} ms", (micros + 500) / 1_000),
        _ => format!("{} s", tenths(micros / 100_000)),
    }
}

fn tenths(count: u64) -> String {
    format!("{}.{}", count / 10, count % 10)
}

/// A time since the start, given in µs, to the ms: `1.234 s`.
pub fn moment_ms(micros: Micros) -> String {
    format!("{}.{:03} s", micros / 1_000_000, micros % 1_000_000 / 1_000)
}

/// An epoch with the word its protocol has for it: `term 4`, `ballot 3.2`.
pub fn epoch(word: &str, epoch: Epoch) -> String {
    match epoch.owner {
        Some(owner) => format!("{word} {}.{}", epoch.number, u32::from(owner.0) + 1),
        None => format!("{word} {}", epoch.number),
    }
}

/// `a`, `a and b`, `a, b and c`; empty for none.
pub fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// `no node`, `node 1`, `nodes 1, 2 and 3`.
pub fn nodes(ids: impl IntoIterator<Item = NodeId>) -> String {
    let names: Vec<String> = ids.into_iter().map(|id| format!("{id:?}")).collect();
    match names.len() {
        0 => "no node".to_owned(),
        1 => format!("node {}", list(&names)),
        _ => format!("nodes {}", list(&names)),
    }
}

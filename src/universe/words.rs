//! Numbers, times and lists in words, for all that is read by people.

use crate::core::{Epoch, Micros, NodeId};

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

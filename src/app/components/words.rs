//! Numbers and names as people read them.

use super::faults::Faults;
use crate::run::view::{Crown, NodeView};
use quorumscope::core::{Epoch, Micros, NodeId};

/// A replica as people count: from 1.
pub fn number(id: NodeId) -> usize {
    usize::from(id.0) + 1
}

/// `1 message`, `2 messages`.
pub fn count(number: usize, one: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {one}{s}")
}

/// A latency: `75 ms`, `1.2 ms`, `80 µs`.
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

/// A number given in hundredths, with two decimals.
pub fn hundredths(count: u64) -> String {
    format!("{}.{:02}", count / 100, count % 100)
}

/// A number with as many decimals as it needs, two at most. Not below 0.
pub fn decimal(value: f64) -> String {
    let text = hundredths((value * 100.0).round() as u64);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A moment: `1.234 567 s`, so that a µs can be told from the next.
pub fn moment(micros: Micros) -> String {
    let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
    format!("{seconds}.{:03} {:03} s", rest / 1_000, rest % 1_000)
}

/// A moment without its µs: `1.234 s`.
pub fn moment_ms(micros: Micros) -> String {
    format!("{}.{:03} s", micros / 1_000_000, micros % 1_000_000 / 1_000)
}

/// `term 4`, `ballot 3.2`.
pub fn epoch(word: &str, epoch: Epoch) -> String {
    match epoch.owner {
        Some(owner) => format!("{word} {}.{}", epoch.number, number(owner)),
        None => format!("{word} {}", epoch.number),
    }
}

/// Everything the picture shows of a replica, in words.
pub fn describe(node: &NodeView, epoch_word: &str, place: &str, faults: Option<&Faults>) -> String {
    let mut text = format!("Node {} in {place}", number(node.id));
    let faults = faults.filter(|_| node.faulty());
    let wrong = faults.map_or_else(String::new, |faults| (faults.in_full)(node));
    let Some(status) = node.status else { return text + ", down" + &wrong };
    text += &wrong;
    text += &format!(", {}, {}", status.role, epoch(epoch_word, status.epoch));
    if node.crown == Crown::Stale {
        text += ", takes itself for the leader, but another leads by now";
    }
    if !node.member {
        text += ", not a member of the cluster";
    }
    if status.log.last > 0 {
        let log = status.log;
        text += &format!(", log up to {}, committed up to {}, applied up to {}", log.last, log.committed, log.applied);
    }
    if let Some(tally) = status.tally {
        text += &format!(", has {} of the {} {} it needs", tally.from.len(), tally.need, tally.of);
    }
    if !node.cut.is_empty() {
        let others: Vec<String> = node.cut.iter().map(|id| number(id).to_string()).collect();
        text += &format!(", cannot reach node {}", others.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(latency(80), "80 µs");
        assert_eq!(latency(1_234), "1.2 ms");
        assert_eq!(latency(75_499), "75 ms");
        assert_eq!(moment(1_234_567), "1.234 567 s");
        assert_eq!(moment_ms(61_002_999), "61.002 s");
        assert_eq!([8.0, 8.5, 8.123, 0.0, 100.0].map(decimal), ["8", "8.5", "8.12", "0", "100"]);
        assert_eq!(count(1, "event"), "1 event");
        assert_eq!(count(0, "event"), "0 events");
    }
}

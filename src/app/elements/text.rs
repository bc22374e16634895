//! Number formats: latencies, times, counts, replica numbers and epochs as text; names of phases in the style sheet.

use quorumscope::core::{Epoch, Micros, NodeId, Phase};

/// The number of a replica as shown, counted from 1.
pub fn number(id: NodeId) -> usize {
    usize::from(id.0) + 1
}

/// `1 message`, `2 messages`.
pub fn count(number: usize, one: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {one}{s}")
}

/// A latency, given in µs: `75 ms`, `1.2 ms`, `80 µs`.
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

/// A number given in hundredths, with two decimals: `1.50`.
pub fn hundredths(count: u64) -> String {
    format!("{}.{:02}", count / 100, count % 100)
}

/// A number with at most two decimals, without trailing zeros: `8.5`. Not below 0.
pub fn decimal(value: f64) -> String {
    let text = hundredths((value * 100.0).round() as u64);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A time since the start, given in µs, to the µs: `1.234 567 s`.
pub fn moment(micros: Micros) -> String {
    let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
    format!("{seconds}.{:03} {:03} s", rest / 1_000, rest % 1_000)
}

/// A time since the start, given in µs, to the ms: `1.234 s`.
pub fn moment_ms(micros: Micros) -> String {
    format!("{}.{:03} s", micros / 1_000_000, micros % 1_000_000 / 1_000)
}

/// An epoch with the word its protocol has for it: `term 4`, `ballot 3.2`.
pub fn epoch(word: &str, epoch: Epoch) -> String {
    match epoch.owner {
        Some(owner) => format!("{word} {}.{}", epoch.number, number(owner)),
        None => format!("{word} {}", epoch.number),
    }
}

/// The name of a phase in the style sheet: its colour is `--phase-…`, the colour of a letter on it `--letter-…`.
pub const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Elect => "elect",
        Phase::Vote => "vote",
        Phase::Propose => "propose",
        Phase::Accept => "accept",
        Phase::Commit => "commit",
        Phase::Heartbeat => "heartbeat",
        Phase::Transfer => "transfer",
        Phase::Read => "read",
        Phase::Refuse => "refuse",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_formatted_with_their_units() {
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

//! Number formats: latencies, times, counts, replica numbers and epochs as text; names of phases in the style sheet.

use quorumscope::core::{Micros, NodeId, Phase};
pub use quorumscope::universe::words::{count, epoch, latency, moment_ms};

/// The number of a replica as shown, counted from 1.
pub fn number(id: NodeId) -> usize {
    usize::from(id.0) + 1
}

/// A replica and the place where it is.
pub fn node_in(id: NodeId, place: &str) -> String {
    format!("Node {} in {place}", number(id))
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

//! Outages: intervals in which the service answered no client although at least one was waiting.
//!
//! An outage begins with the last answer, or with the first request after it if no client was waiting then, and ends with the next answer
//! to any client. It counts if it is longer than a threshold (`patience`). Time without requests is no outage.

use crate::core::Micros;
use serde::Serialize;

/// One interval without service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Outage {
    /// The last answer before, or the first request if no client was waiting then, µs.
    pub from_us: Micros,
    /// The next answer, or now, µs.
    pub to_us: Micros,
    /// Whether it has not ended.
    pub open: bool,
}

/// Detects outages from the numbers of commands issued and answered.
#[derive(Clone, Debug)]
pub struct Outages {
    patience: Micros,
    answered: u64,
    /// Since when a client waits without an answer to any client.
    stalled: Option<Micros>,
    found: Vec<Outage>,
}

impl Outages {
    /// Detects intervals longer than `patience`, µs.
    pub fn new(patience: Micros) -> Outages {
        Outages { patience, answered: 0, stalled: None, found: Vec::new() }
    }

    /// Takes the numbers of commands issued and answered by `now`. To be called after every event.
    pub fn observe(&mut self, now: Micros, begun: u64, answered: u64) {
        if answered != self.answered {
            self.answered = answered;
            self.found.extend(self.stalling(now, false));
            self.stalled = None;
        }
        if self.stalled.is_none() && begun > answered {
            self.stalled = Some(now);
        }
    }

    /// All outages up to `now`, including one that has not ended.
    pub fn until(&self, now: Micros) -> Vec<Outage> {
        self.found.iter().copied().chain(self.stalling(now, true)).collect()
    }

    /// The threshold, µs.
    pub fn patience(&self) -> Micros {
        self.patience
    }

    fn stalling(&self, now: Micros, open: bool) -> Option<Outage> {
        let from_us = self.stalled.filter(|from| now - from > self.patience)?;
        Some(Outage { from_us, to_us: now, open })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interval_without_waiting_clients_is_no_outage() {
        let mut outages = Outages::new(10);
        outages.observe(5, 1, 0);
        outages.observe(15, 1, 1);
        // Nobody asks for a long time.
        outages.observe(500, 2, 1);
        outages.observe(501, 3, 1);
        outages.observe(511, 3, 2);
        assert_eq!(outages.until(515), [Outage { from_us: 500, to_us: 511, open: false }]);
        // One is still waiting, from the last answer on.
        assert_eq!(outages.until(522)[1], Outage { from_us: 511, to_us: 522, open: true });
    }
}

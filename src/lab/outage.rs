//! When nobody was served.
//!
//! The service is unavailable from the moment at which somebody waits and nobody is answered any more until the next answer to
//! anybody, if that takes longer than a stated patience. A time in which nobody asks is no outage.

use crate::core::Micros;
use serde::Serialize;

/// A time in which nobody was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Outage {
    /// From the last answer before, or from the first request if none was waiting then, µs.
    pub from_us: Micros,
    /// Until the next answer, or until now, µs.
    pub to_us: Micros,
    /// Whether it has not ended yet.
    pub open: bool,
}

/// Watches how many commands were begun and answered.
#[derive(Clone, Debug)]
pub struct Outages {
    patience: Micros,
    answered: u64,
    /// Since when somebody waits without any answer to anybody.
    stalled: Option<Micros>,
    found: Vec<Outage>,
}

impl Outages {
    /// Calls it an outage when nobody is answered for longer than `patience`, µs.
    pub fn new(patience: Micros) -> Outages {
        Outages { patience, answered: 0, stalled: None, found: Vec::new() }
    }

    /// Tells how many commands were begun and how many answered by `now`. Call it after every event.
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

    /// All outages until `now`, one that has not ended yet included.
    pub fn until(&self, now: Micros) -> Vec<Outage> {
        self.found.iter().copied().chain(self.stalling(now, true)).collect()
    }

    /// How long nobody may be answered before it is called an outage, µs.
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
    fn only_waiting_in_vain_is_an_outage() {
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
